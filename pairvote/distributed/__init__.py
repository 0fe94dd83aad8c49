"""Votes that lie on a cluster, through Dask: counted where they are, and fitted where they are if they are too many."""

from pairvote.distributed._api import bradley_terry, count_pairs
from pairvote.distributed._counts import DistributedCounts

__all__ = ["DistributedCounts", "bradley_terry", "count_pairs"]
