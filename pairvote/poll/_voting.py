"""Methods of a poll that a voter's requests call."""

from __future__ import annotations

from collections.abc import Mapping

from pairvote._common.outcomes import Outcome
from pairvote.poll import _decisions
from pairvote.poll._book import REMOVED
from pairvote.poll._identities import Forgotten
from pairvote.poll._on_log import OnLog
from pairvote.poll._records import Answer, Question, VoterProgress
from pairvote.poll._settings import Label, check_voter
from pairvote.poll._state import State

Given = Outcome | str | Mapping[Label, Outcome | str]


class Voting(OnLog):
    """The voters' part of a `Poll`."""

    def ask(self, voter: Label) -> Question | None:
        """The voter's next question, or the open one again; None when her votes are spent.

        Parameters
        ----------
        voter : str, int or UUID
            Whoever asks; 1 and "1" are two voters, a UUID and its text are one. An empty text is refused.

        Raises
        ------
        StateError
            Where the voter was removed, or fewer than two items are left.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], votes_each=1, rng=1)
        >>> poll.answer("anna", poll.ask("anna").id, "tie")
        >>> poll.ask("anna") is None
        True
        """
        voter = check_voter(voter)
        call = self._log.decide(_decisions.ask, voter, view=lambda state: _open_question(state, voter), lasting=False)
        asked: Question | None = call.result
        return asked

    def answer(self, voter: Label, question: int, outcome: Given) -> None:
        """Answer a question for good; the same answer again changes nothing.

        Parameters
        ----------
        voter : str, int or UUID
            Who was asked.
        question : int
            The question's `id`.
        outcome : Outcome, str or mapping
            "left", "right", "tie", or "skip", which uses no vote. In a poll with criteria a mapping with the outcome of
            each, of which not all are "skip"; or "skip".

        Raises
        ------
        StateError
            Where the question is another voter's, was answered otherwise or is open no more, or the voter has skipped
            too often or was removed.
        InputError
            Where the question or the outcome is unknown.
        StorageError
            Where the answer cannot be stored. It may be sent again.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> question = poll.ask("anna")
        >>> poll.answer("anna", question.id, "left")
        >>> poll.answer("anna", question.id, "left")     # a double click
        >>> len(poll.votes())
        1
        """
        self._log.decide(_decisions.answer, check_voter(voter), question, outcome)

    def undo(self, voter: Label, question: int | None = None) -> Question | None:
        """Take a voter's last answer back, skip or vote, and open its question again; the answer before it if repeated.

        Parameters
        ----------
        voter : str, int or UUID
            Who has answered.
        question : int, optional
            The `id` of the question whose answer is taken back, the last one's or an earlier one's. A second call with
            it changes nothing: use it where a click or a request may come twice.

        Returns
        -------
        Question or None
            The question that the voter has open now: the one whose answer was taken back, or None where one of its
            items was retired since, or where it was a skip and no vote is left to answer it with.

        Raises
        ------
        StateError
            Where the voter has no answer to take back, or was removed, or the question is another voter's.
        InputError
            Where the question is unknown.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch", "cedar"], rng=1)
        >>> question = poll.ask("anna")
        >>> poll.answer("anna", question.id, "left")
        >>> poll.undo("anna") == question
        True
        >>> poll.remaining("anna"), len(poll.votes())
        (20, 0)
        >>> poll.undo("anna", question=question.id) == question      # it is taken back already
        True
        """
        voter = check_voter(voter)
        call = self._log.decide(_decisions.undo, voter, question, view=lambda state: _open_question(state, voter))
        opened: Question | None = call.result
        return opened

    def change(self, voter: Label, question: int, outcome: Given) -> None:
        """Put another answer in the place of one that was given, the last or an earlier one; later answers stay.

        Parameters
        ----------
        voter : str, int or UUID
            Who has answered.
        question : int
            The question's `id`, such as `history` gives it.
        outcome : Outcome, str or mapping
            As in `answer`.

        Raises
        ------
        StateError
            When the question has no answer or is another voter's, the voter was removed or has no skip or vote left
            for it, or the vote has ended.
        InputError
            When the question or the outcome is unknown.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch", "cedar"], rng=1)
        >>> for outcome in ("left", "tie"):
        ...     poll.answer("anna", poll.ask("anna").id, outcome)
        >>> first = poll.history("anna")[0]
        >>> poll.change("anna", first.id, "right")
        >>> [answer.outcome for answer in poll.history("anna")]
        ['right', 'tie']
        """
        self._log.decide(_decisions.change, check_voter(voter), question, outcome)

    def remaining(self, voter: Label) -> int:
        """How many votes a voter has left; none when the voter was removed.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Poll(["ash", "birch"], votes_each=20).remaining("anna")
        20
        """
        voter = check_voter(voter)
        with self._log.reading() as state:
            return state.remaining(state.book.codes.get(voter))

    def skips_remaining(self, voter: Label) -> int:
        """How many questions a voter may still skip; none when the voter was removed.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], skips_each=3, rng=1)
        >>> poll.answer("anna", poll.ask("anna").id, "skip")
        >>> poll.skips_remaining("anna")
        2
        """
        voter = check_voter(voter)
        with self._log.reading() as state:
            return state.skips_remaining(state.book.codes.get(voter))

    def history(self, voter: Label) -> list[Answer]:
        """A voter's answers that count, skips too, in the order in which they were given.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1, clock=lambda: 5.0)
        >>> poll.answer("anna", poll.ask("anna").id, "left")
        >>> poll.history("anna")
        [Answer(id=2, left='ash', right='birch', outcome='left', time=5.0)]
        >>> poll.history("bo")
        []
        """
        voter = check_voter(voter)
        with self._log.reading() as state:
            code = state.book.codes.get(voter)
            return [] if code is None else [_answer(state, row) for row in state.book.answered_by(code)]


def progress(state: State) -> list[VoterProgress]:
    """How far each voter is who is not forgotten."""
    book = state.book
    return [
        VoterProgress(
            voter,
            book.n_votes[code],
            book.n_skips[code],
            state.remaining(code),
            removed=bool(book.standing[code] & REMOVED),
        )
        for code, voter in enumerate(book.labels)
        if not isinstance(voter, Forgotten)
    ]


def _answer(state: State, row: int) -> Answer:
    book = state.book
    left, right = state.items[book.left[row]], state.items[book.right[row]]
    return Answer(book.number[row], left, right, state.criteria.unpack(book.answer[row]), book.time[row])


def _open_question(state: State, voter: Label) -> Question | None:
    book = state.book
    code = book.codes.get(voter)
    if code is None or book.open[code] < 0:
        return None
    row = book.open[code]
    return Question(book.number[row], state.items[book.left[row]], state.items[book.right[row]], book.n_votes[code] + 1)
