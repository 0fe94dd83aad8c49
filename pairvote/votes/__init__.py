"""Who met whom and what was picked: votes, and votes added up by pair."""

from pairvote.votes._counts import PairCounts
from pairvote.votes._running import count_pairs
from pairvote.votes._votes import Outcome, Votes

__all__ = ["Outcome", "PairCounts", "Votes", "count_pairs"]
