"""Groups of voters: what each thinks, whether they agree, and where they do not."""

from pairvote.groups._compare import compare_groups
from pairvote.groups._comparison import GroupComparison

__all__ = ["GroupComparison", "compare_groups"]
