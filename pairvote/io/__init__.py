"""Files of votes: read whole, read chunk by chunk, written."""

from pairvote.io._read import read_votes
from pairvote.io._scan import VoteScan, scan_votes
from pairvote.io._write import write_votes

__all__ = ["VoteScan", "read_votes", "scan_votes", "write_votes"]
