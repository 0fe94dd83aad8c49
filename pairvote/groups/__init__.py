"""Groups of voters: what each thinks, whether they agree, and where they do not."""

from pairvote.groups._camps import Camps, TellingQuestion
from pairvote.groups._compare import compare_groups
from pairvote.groups._comparison import GroupComparison, GroupDifference
from pairvote.groups._evidence import GroupTest
from pairvote.groups._find import find_groups
from pairvote.groups._map import OpinionMap, map_voters

__all__ = [
    "Camps",
    "GroupComparison",
    "GroupDifference",
    "GroupTest",
    "OpinionMap",
    "TellingQuestion",
    "compare_groups",
    "find_groups",
    "map_voters",
]
