"""The laboratory: simulate thousands of votes, compare, plan."""

from pairvote.simulation.simulate import Simulation, simulate
from pairvote.simulation.table import Table
from pairvote.simulation.voters import VoterModel

__all__ = ["Simulation", "Table", "VoterModel", "simulate"]
