"""Which two next: the sampling strategies."""

from pairvote.sampling.adaptive import InformationGain, TopK
from pairvote.sampling.base import PairStream, Sampler
from pairvote.sampling.exposure import Balanced, CatchUp, Swiss, Uniform
from pairvote.sampling.plan import plan_ballots

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
