"""Methods of a poll that a voter's requests call."""

from __future__ import annotations

from pairvote._common.messages import shorten
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote.errors import InputError
from pairvote.poll import _decisions
from pairvote.poll._log import Log
from pairvote.poll._records import Answer, Question, VoterProgress
from pairvote.poll._settings import Label, check_voter
from pairvote.poll._state import State


class Voting:
    """The voters' half of a `Poll`."""

    _log: Log

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
        with self._log.deciding(_decisions.ask, voter) as state:
            return _open_question(state, voter)

    def answer(self, voter: Label, question: int, outcome: Outcome | str) -> None:
        """Answer a question for good; the same answer again changes nothing.

        Parameters
        ----------
        voter : str or int
            Who was asked.
        question : int
            The question's `id`.
        outcome : Outcome or str
            "left", "right", "tie", or "skip", which uses no vote.

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
        with self._log.deciding(_decisions.answer, check_voter(voter), question, _outcome(outcome)):
            pass

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
        with self._log.deciding(_decisions.undo, voter, question) as state:
            return _open_question(state, voter)

    def change(self, voter: Label, question: int, outcome: Outcome | str) -> None:
        """Put another answer in the place of one that was given, the last or an earlier one; later answers stay.

        Parameters
        ----------
        voter : str, int or UUID
            Who has answered.
        question : int
            The question's `id`, such as `history` gives it.
        outcome : Outcome or str
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
        with self._log.deciding(_decisions.change, check_voter(voter), question, _outcome(outcome)):
            pass

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
            return progress(state, voter).remaining

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
            known = state.voters.get(voter, _decisions.NOBODY)
            return 0 if known.removed else max(0, state.settings.skips_each - known.n_skips)

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
            known = state.voters.get(voter, _decisions.NOBODY)
            return [] if known.removed else [_answer(state, question) for question in known.answered]


def progress(state: State, voter: Label) -> VoterProgress:
    """How far a voter is."""
    known = state.voters.get(voter, _decisions.NOBODY)
    if known.removed:
        return VoterProgress(voter, 0, 0, 0, removed=True)
    remaining = max(0, state.settings.votes_each - known.n_votes)
    return VoterProgress(voter, known.n_votes, known.n_skips, remaining, removed=False)


def _outcome(outcome: Outcome | str) -> int:
    if isinstance(outcome, str) and outcome in OUTCOME_NAMES:
        return OUTCOME_NAMES[outcome]
    if not isinstance(outcome, Outcome):
        raise InputError(f"outcome is {shorten(outcome)}; it must be 'left', 'right', 'tie' or 'skip'")
    return int(outcome)


def _answer(state: State, question: int) -> Answer:
    _, left, right = state.questions[question]
    outcome = Outcome(state.answers[question]).name.lower()
    return Answer(question, state.items[left], state.items[right], outcome, state.times[question])


def _open_question(state: State, voter: Label) -> Question | None:
    known = state.voters.get(voter, _decisions.NOBODY)
    if not known.open:
        return None
    _, left, right = state.questions[known.open]
    return Question(known.open, state.items[left], state.items[right], known.n_votes + 1)
