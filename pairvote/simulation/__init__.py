"""The laboratory: simulate thousands of votes, compare, plan."""

from pairvote.simulation.experiment import experiment
from pairvote.simulation.how_many import Needed, how_many
from pairvote.simulation.simulate import Simulation, simulate
from pairvote.simulation.table import Table
from pairvote.simulation.voters import VoterModel

__all__ = ["Needed", "Simulation", "Table", "VoterModel", "experiment", "how_many", "simulate"]
