"""Which two next: the sampling strategies."""

from pairvote.sampling._adaptive import InformationGain, TopK
from pairvote.sampling._exposure import Balanced, CatchUp, Swiss, Uniform
from pairvote.sampling._plan import plan_ballots
from pairvote.sampling._stream import PairStream, Sampler

__all__ = [
    "Balanced",
    "CatchUp",
    "InformationGain",
    "PairStream",
    "Sampler",
    "Swiss",
    "TopK",
    "Uniform",
    "plan_ballots",
]
