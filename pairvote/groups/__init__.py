"""Groups of voters: what each thinks, whether they agree, and where they do not."""

from pairvote.groups._compare import compare_groups
from pairvote.groups._comparison import GroupComparison, GroupDifference
from pairvote.groups._evidence import GroupTest

__all__ = ["GroupComparison", "GroupDifference", "GroupTest", "compare_groups"]
