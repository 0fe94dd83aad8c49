"""The laboratory: simulate thousands of votes, compare, plan."""

from pairvote.simulation._experiment import experiment
from pairvote.simulation._how_many import Needed, how_many
from pairvote.simulation._simulate import Simulation, simulate
from pairvote.simulation._table import Table
from pairvote.simulation._voters import VoterModel

__all__ = ["Needed", "Simulation", "Table", "VoterModel", "experiment", "how_many", "simulate"]
