"""A vote being run: who is asked what, how often, once, and for good."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pairvote._common.messages import plural, shorten
from pairvote._common.random import Rng
from pairvote.errors import InputError, StateError
from pairvote.poll._copies import back_up, copy_log
from pairvote.poll._log import Clock, Log
from pairvote.poll._looking import Looking
from pairvote.poll._organising import Organising
from pairvote.poll._settings import Label, check_settings
from pairvote.poll._stores.contract import EventStore, check_is_store
from pairvote.poll._stores.memory import MemoryStore
from pairvote.poll._stores.sqlite import SQLiteStore
from pairvote.poll._voting import Voting
from pairvote.sampling._stream import Sampler

if TYPE_CHECKING:
    pass


class Poll(Voting, Organising, Looking):
    """A vote being run: every voter is asked about two items at a time, a fixed number of times.

    Its state is a fold over a log that is only ever added to. In memory the log ends with the process; in a file of
    SQLite any number of processes may run the poll together, and an answer is on disk when `answer` returns. All
    methods may be called from several threads.

    Parameters
    ----------
    items : iterable of str, int or UUID
        The labels of what is voted on, each different. A UUID is taken as its text. There may be none yet: `add_item`
        adds them, and from the second on there is something to ask.
    votes_each : int, keyword-only, default 20
        How many votes every voter has.
    sampler : str or Sampler, default "balanced"
        Which two next: "uniform", "balanced", "catch-up", "swiss", "information-gain", or an object such as
        ``pairvote.sampling.TopK(5)``.
    store : None, str, Path or EventStore
        Where the log is begun: None for memory, the path of a file of SQLite, or a store such as
        ``pairvote.poll.SQLiteStore("poll.db", durability="fast")`` or ``pairvote.poll.SQLStore(url, name="kalmar")``;
        `Poll.open` goes on with one.
    rng : None, int or numpy.random.Generator
        One number is drawn from it and logged, from which and from what happened all questions follow.
    expire_after : float, optional
        The seconds after which a question that was not answered is open no more, and counts as never asked.
    skips_each : int, optional
        How many questions a voter may skip; by default as many as there are votes.
    criteria : iterable of labels, or mapping from label to weight, optional
        What every pair is judged by, up to 15: `answer` then takes an outcome for each, and all of them are one of the
        voter's votes. The strategy looks at their mean by these weights, which are equal where none are given.
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
        criteria: Iterable[Label] | Mapping[Label, float] | None = None,
        clock: Clock = time.time,
    ) -> None:
        settings = check_settings(items, votes_each, skips_each, sampler, rng, expire_after, criteria)
        log = Log(MemoryStore() if store is None else _store_at(store), settings.sampler, clock)
        log.begin(settings)
        self._main = log

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
            poll._main = log
        return poll

    @property
    def _log(self) -> Log:
        inside = _WITHIN.get()
        return inside.get(id(self._main), self._main) if inside else self._main

    def __setattr__(self, name: str, value: object) -> None:
        if name != "_main":
            changeable = name in ("votes_each", "skips_each", "expire_after", "sampler")
            remedy = f"call change_settings({name}=...)" if changeable else "call one of the poll's methods"
            raise _FixedError(f"{name} of a poll cannot be set to {shorten(value)}, which would do nothing; {remedy}")
        super().__setattr__(name, value)

    def __reduce__(self) -> Any:
        raise StateError(
            "a Poll cannot be pickled or copied; call Poll.open in the other process, with the path or a store"
        )

    def __enter__(self) -> Poll:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        with self._log.reading() as state:
            return (
                f"Poll({plural(len(state.items), 'item')}, {plural(len(state.book.labels), 'voter')}, "
                f"{plural(state.book.n_answers, 'answer')}, in {self._log.store.name})"
            )

    # --- other copies, and transactions of others ---

    def backup(self, path: str | Path) -> str:
        """Copy the poll into a new file of SQLite, also while it runs: all that was acknowledged before is in it.

        Do not copy the file of a poll by other means while it is in use: the copy may be damaged, or lack answers.

        Parameters
        ----------
        path : str or Path
            Where no file is yet.

        Returns
        -------
        str
            The digest of the copy's last event, as `verify` gives it.

        Raises
        ------
        InputError
            When there is a file already.
        StorageError
            When the copy cannot be written; nothing is left of it then.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     digest = poll.backup(Path(folder) / "copy.db")
        ...     with pv.Poll.open(Path(folder) / "copy.db") as copy:
        ...         copy.verify() == digest == poll.verify()
        True
        """
        return back_up(self._log.store, path).hex()

    def copy_to(self, store: str | Path | EventStore) -> str:
        """Copy the poll into another store, whose log is not begun yet: every event, with the same digests.

        Parameters
        ----------
        store : str, Path or EventStore
            As in `Poll`.

        Returns
        -------
        str
            The digest of the copy's last event.

        Raises
        ------
        InputError
            When there is a log at `store` already.
        StorageError
            When the copy cannot be written.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> elsewhere = pv.poll.MemoryStore()
        >>> poll.copy_to(elsewhere) == poll.verify() == pv.Poll.open(elsewhere).verify()
        True
        """
        return copy_log(self._log.store, _store_at(store)).hex()

    @contextmanager
    def within(self, connection: Any) -> Iterator[None]:
        """Let calls be part of a transaction of your own: they last when you commit it, and are gone if you do not.

        Calls of this thread, or task, that are made inside go to the poll's log by that connection. Other threads see
        them once you have committed. The poll's row is locked from the first such call to the end of your transaction,
        so commit soon. Each block begins with a copy of the poll's state.

        Parameters
        ----------
        connection
            What has the open transaction, of the database of the poll's store: an SQLAlchemy connection or session, or
            Django's ``django.db.connection``.

        Raises
        ------
        InputError
            When the poll's store takes part in no transaction of others, as a file of SQLite does not.
        """
        bound = getattr(self._main.store, "bound", None)
        if bound is None:
            raise InputError(
                f"{self._main.store.name} takes part in no transaction of others; keep the poll in the database of "
                "your tables: copy_to(pairvote.poll.SQLStore(url, name=...)) brings it there"
            )
        log = self._main.inside(bound(connection))
        token = _WITHIN.set({**_WITHIN.get(), id(self._main): log})
        try:
            yield
        finally:
            log.store.close()
            try:
                _WITHIN.reset(token)
            except ValueError:
                raise StateError(
                    "the block of within was left in another task or thread than it was entered in, and calls between "
                    "went past the transaction; write it in the function that makes the calls"
                ) from None

    def close(self) -> None:
        """Let go of the file. Nothing is lost without this; a later call opens the file again."""
        with self._main.lock:
            self._main.store.close()


# The logs to which calls go inside `Poll.within`, by the poll's own.
_WITHIN: ContextVar[Mapping[int, Log]] = ContextVar("within", default=MappingProxyType({}))


class _FixedError(InputError, AttributeError):
    """Something was to be set on a poll."""


def _store_at(store: str | Path | EventStore) -> EventStore:
    if isinstance(store, str) and "://" in store:
        # Not the whole of it, which has a password.
        raise InputError(
            f"store is a URL of {shorten(store.partition('://')[0])}, and a text is the path of a file; pass "
            "pairvote.poll.SQLStore(url, name=...)"
        )
    if isinstance(store, (str, Path)):
        return SQLiteStore(store)
    return check_is_store(store)
