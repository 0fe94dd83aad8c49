"""Which two next: the sampling strategies."""

from pairvote.sampling import _adaptive, _exposure
from pairvote.sampling._adaptive import *  # noqa: F403
from pairvote.sampling._exposure import *  # noqa: F403
from pairvote.sampling._learner import Learner
from pairvote.sampling._plan import plan_ballots
from pairvote.sampling._stream import PairStream, Sampler
from pairvote.sampling._whole_vote import question_by_question

# A strategy that is added to one of the modules is public, named and known to polls by the module's own `__all__`.
__all__ = ["Learner", "PairStream", "Sampler", "plan_ballots", "question_by_question"]
__all__ += _adaptive.__all__
__all__ += _exposure.__all__
