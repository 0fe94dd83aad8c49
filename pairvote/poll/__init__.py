"""Running a vote."""

from pairvote.poll._poll import Poll, Question

__all__ = ["Poll", "Question"]
