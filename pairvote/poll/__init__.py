"""Running a vote."""

from pairvote.poll.poll import Poll, Question

__all__ = ["Poll", "Question"]
