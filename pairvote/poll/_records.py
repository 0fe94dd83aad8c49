"""State of a voter in a poll: the question that is asked, the answers that were given, how far she is."""

from __future__ import annotations

from dataclasses import dataclass

from pairvote.poll._settings import Label


@dataclass(frozen=True)
class Question:
    """Question to a voter: which of two items.

    Attributes
    ----------
    id : int
        To answer it by.
    left, right : str or int
        The items' labels.
    number : int
        Which of the voter's votes it is for, from 1.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.Poll(["ash", "birch", "cedar"], rng=1).ask("anna")
    Question(id=2, left='ash', right='birch', number=1)
    """

    id: int
    left: Label
    right: Label
    number: int


@dataclass(frozen=True)
class Answer:
    """An answer that counts, as `Poll.history` gives it.

    Attributes
    ----------
    id : int
        The question's, by which it is undone or changed.
    left, right : str or int
        The items' labels.
    outcome : str, or dict from criterion to str
        "left", "right", "tie" or "skip"; in a poll with criteria one for each.
    time : float
        When it was given, in the seconds of the poll's clock; a change of the answer leaves it.

    Examples
    --------
    >>> import pairvote as pv
    >>> poll = pv.Poll(["ash", "birch"], rng=1, clock=lambda: 5.0)
    >>> poll.answer("anna", poll.ask("anna").id, "tie")
    >>> poll.history("anna")
    [Answer(id=2, left='ash', right='birch', outcome='tie', time=5.0)]
    """

    id: int
    left: Label
    right: Label
    outcome: str | dict[Label, str]
    time: float


@dataclass(frozen=True)
class VoterProgress:
    """How far a voter is, as `Poll.voters` gives it.

    Attributes
    ----------
    voter : str or int
    votes, skips : int
        How many of them count.
    remaining : int
        How many votes are left.
    removed : bool
        Whether the voter was removed, so that nothing counts and nothing is left.

    Examples
    --------
    >>> import pairvote as pv
    >>> poll = pv.Poll(["ash", "birch"], votes_each=3, rng=1)
    >>> poll.answer("anna", poll.ask("anna").id, "tie")
    >>> poll.voters()
    [VoterProgress(voter='anna', votes=1, skips=0, remaining=2, removed=False)]
    """

    voter: Label
    votes: int
    skips: int
    remaining: int
    removed: bool
