"""A vote being run: who is asked what, how often, once, and for good."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pairvote._common.messages import plural, shorten
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote._common.random import Rng
from pairvote.errors import InputError
from pairvote.poll import _decisions
from pairvote.poll._event_store import EventStore, check_is_store
from pairvote.poll._events import verify_chain
from pairvote.poll._log import Clock, Log
from pairvote.poll._memory_store import MemoryStore
from pairvote.poll._settings import Label, check_label, check_settings, check_voter
from pairvote.poll._sqlite_store import SQLiteStore
from pairvote.poll._state import State
from pairvote.sampling._stream import Sampler
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

if TYPE_CHECKING:
    from pairvote.io._formats import Format


@dataclass(frozen=True)
class Question:
    """What a voter is asked: which of two items.

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


class Poll:
    """A vote being run: every voter is asked about two items at a time, a fixed number of times.

    Its state is a fold over a log that is only ever added to. In memory the log ends with the process; in a file of
    SQLite any number of processes may run the poll together, and an answer is on disk when `answer` returns. All
    methods may be called from several threads.

    Parameters
    ----------
    items : iterable of str, int or UUID
        The labels of what is voted on, each different; at least two. A UUID is taken as its text.
    votes_each : int, keyword-only, default 20
        How many votes every voter has.
    sampler : str or Sampler, default "balanced"
        Which two next: "uniform", "balanced", "catch-up", "swiss", "information-gain", or an object such as
        ``pairvote.sampling.TopK(5)``.
    store : None, str, Path or EventStore
        Where the log is begun: None for memory, the path of a file of SQLite, or a store such as
        ``pairvote.poll.SQLiteStore("poll.db", durability="fast")``; `Poll.open` goes on with one.
    rng : None, int or numpy.random.Generator
        One number is drawn from it and logged, from which and from what happened all questions follow.
    expire_after : float, optional
        The seconds after which a question that was not answered is open no more, and counts as never asked.
    skips_each : int, optional
        How many questions a voter may skip; by default as many as there are votes.
    clock : callable
        The time in seconds. Where it falls by less than an hour the log's time stands still meanwhile; after a greater
        fall the log follows it.

    Raises
    ------
    InputError
        When a value cannot be used, and when there is a log at `store` already.
    StorageError
        When the log cannot be written.

    Examples
    --------
    >>> import pairvote as pv
    >>> poll = pv.Poll(["ash", "birch", "cedar"], votes_each=2, rng=1)
    >>> question = poll.ask("anna")
    >>> question
    Question(id=2, left='ash', right='birch', number=1)
    >>> poll.ask("anna") == question
    True
    >>> poll.answer("anna", question.id, "left")
    >>> poll.remaining("anna")
    1
    >>> poll.votes()
    Votes(1 vote, 3 items, 1 voter: 1 left, 0 right, 0 tie, 0 skip)
    """

    def __init__(
        self,
        items: Iterable[Label],
        *,
        votes_each: int = 20,
        sampler: str | Sampler = "balanced",
        store: str | Path | EventStore | None = None,
        rng: Rng = None,
        expire_after: float | None = None,
        skips_each: int | None = None,
        clock: Clock = time.time,
    ) -> None:
        settings = check_settings(items, votes_each, skips_each, sampler, rng, expire_after)
        log = Log(MemoryStore() if store is None else _store_at(store), settings.sampler, clock)
        log.begin(settings)
        self._log = log

    @classmethod
    def open(
        cls,
        store: str | Path | EventStore,
        *,
        sampler: Sampler | None = None,
        clock: Clock = time.time,
    ) -> Poll:
        """Go on with the poll in a file or another store, also while other processes do.

        Parameters
        ----------
        store : str, Path or EventStore
            As in `Poll`.
        sampler : Sampler, optional
            The strategy, where it is one of your own: the log holds its name only.
        clock
            As in `Poll`.

        Raises
        ------
        StorageError
            When there is no file, or one that holds no poll, is damaged, is locked or cannot be read.
        InputError
            When the poll was begun with another strategy, or with one of your own and none is passed.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import pairvote as pv
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "poll.db"
        ...     with pv.Poll(["ash", "birch"], store=path, rng=1) as poll:
        ...         question = poll.ask("anna")
        ...     with pv.Poll.open(path) as poll:
        ...         poll.ask("anna") == question
        True
        """
        log = Log(_store_at(store), sampler, clock)
        with log.reading():
            poll = cls.__new__(cls)
            poll._log = log
        return poll

    def __setattr__(self, name: str, value: object) -> None:
        if name != "_log":
            raise _FixedError(
                f"{name} of a poll cannot be set to {shorten(value)}, which would do nothing; "
                "begin another poll with what it should have, or call one of the poll's methods"
            )
        super().__setattr__(name, value)

    def __enter__(self) -> Poll:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        with self._log.reading() as state:
            return (
                f"Poll({plural(len(state.items), 'item')}, {plural(len(state.voters), 'voter')}, "
                f"{plural(len(state.answers), 'answer')}, in {self._log.store.name})"
            )

    # --- voting ---

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
        if isinstance(outcome, str) and outcome in OUTCOME_NAMES:
            outcome = Outcome(OUTCOME_NAMES[outcome])
        elif not isinstance(outcome, Outcome):
            raise InputError(f"outcome is {shorten(outcome)}; it must be 'left', 'right', 'tie' or 'skip'")
        with self._log.deciding(_decisions.answer, check_voter(voter), question, int(outcome)):
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

    def remaining(self, voter: Label) -> int:
        """How many votes a voter has left; none where the voter was removed.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Poll(["ash", "birch"], votes_each=20).remaining("anna")
        20
        """
        voter = check_voter(voter)
        with self._log.reading() as state:
            known = state.voters.get(voter, _decisions.NOBODY)
            return 0 if known.removed else state.settings.votes_each - known.n_votes

    # --- changing what is voted on, and by whom ---

    def add_item(self, label: Label) -> None:
        """Let one more item be asked about from now on.

        Raises
        ------
        InputError
            Where there is or was an item of this label.
        """
        with self._log.deciding(_decisions.add_item, check_label(label, "label")):
            pass

    def retire_item(self, label: Label) -> None:
        """Never ask about an item again. Open questions about it are open no more; votes that were cast stay.

        Raises
        ------
        InputError
            Where there is no such item.
        StateError
            Where it is retired already.
        """
        with self._log.deciding(_decisions.retire_item, check_label(label, "label")):
            pass

    def remove_voter(self, voter: Label) -> None:
        """Take all of a voter's votes out of the count, and refuse her from now on. The log keeps what she did.

        Raises
        ------
        InputError
            Where the voter was never asked anything.
        StateError
            Where the voter is removed already.
        """
        with self._log.deciding(_decisions.remove_voter, check_voter(voter)):
            pass

    # --- what came of it ---

    @property
    def items(self) -> tuple[Label, ...]:
        """All items' labels, retired ones too, those added later last."""
        with self._log.reading() as state:
            return state.items

    @property
    def retired(self) -> tuple[Label, ...]:
        """The labels of the items that are asked about no more."""
        with self._log.reading() as state:
            return tuple(label for code, label in enumerate(state.items) if code in state.retired)

    def votes(self) -> Votes:
        """The answers that count, skips too, in the order in which they were given."""
        with self._log.reading() as state:
            return state.votes()

    def counts(self) -> PairCounts:
        """The same as ``votes().counts()``, kept current: what came since the last call is added to it."""
        with self._log.reading() as state:
            return state.tally.counts(state.items)

    def export(self, path: str | Path, *, format: Format | None = None) -> None:
        """Write `votes` to a file, in any format of `pairvote.write_votes`."""
        from pairvote.io._write import write_votes

        write_votes(self.votes(), path, format=format)

    def verify(self, digest: str | None = None) -> str:
        """Whether the log is as it was written: every event holds the SHA-256 of itself and the event before.

        A log whose end was cut off, or of which every digest was computed anew, is whole in itself. To see that too,
        write down what this returns, where whoever can change the file cannot, and pass it later.

        Parameters
        ----------
        digest : str, optional
            What `verify` returned at an earlier time, to be found in the log.

        Returns
        -------
        str
            The digest of the last event, in hexadecimal.

        Raises
        ------
        StorageError
            Naming the first event that is not as it was written or is missing, or saying that the digest is not there.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> noted = poll.verify()
        >>> question = poll.ask("anna")
        >>> len(poll.verify(noted))
        64
        """
        try:
            expected = None if digest is None else bytes.fromhex(digest)
        except (TypeError, ValueError):
            raise InputError(f"digest is {shorten(digest)}; pass what verify returned earlier") from None
        with self._log.lock:
            return verify_chain(self._log.store.events(0), self._log.store.name, expected).hex()

    def close(self) -> None:
        """Let go of the file. Nothing is lost without this; a later call opens the file again."""
        with self._log.lock:
            self._log.store.close()


class _FixedError(InputError, AttributeError):
    """Something was to be set on a poll."""


def _store_at(store: str | Path | EventStore) -> EventStore:
    if isinstance(store, (str, Path)):
        return SQLiteStore(store)
    return check_is_store(store)


def _open_question(state: State, voter: Label) -> Question | None:
    known = state.voters.get(voter, _decisions.NOBODY)
    if not known.open:
        return None
    _, left, right = state.questions[known.open]
    return Question(known.open, state.items[left], state.items[right], known.n_votes + 1)
