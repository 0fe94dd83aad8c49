"""A vote being run: who is asked what, how often, once, and for good."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING

from pairvote._common.messages import plural, shorten
from pairvote._common.random import Rng
from pairvote.errors import InputError
from pairvote.poll import _decisions
from pairvote.poll._event_store import EventStore, check_is_store
from pairvote.poll._events import verify_chain
from pairvote.poll._log import Clock, Log
from pairvote.poll._memory_store import MemoryStore
from pairvote.poll._records import VoterProgress
from pairvote.poll._settings import Label, Settings, check_changes, check_label, check_settings, check_voter
from pairvote.poll._sqlite_store import SQLiteStore
from pairvote.poll._voting import Voting, progress
from pairvote.sampling._stream import Sampler
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

if TYPE_CHECKING:
    from pairvote.io._formats import Format


class Poll(Voting):
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
            changeable = name in ("votes_each", "skips_each", "expire_after")
            remedy = f"call change_settings({name}=...)" if changeable else "call one of the poll's methods"
            raise _FixedError(f"{name} of a poll cannot be set to {shorten(value)}, which would do nothing; {remedy}")
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

    # --- changing what is voted on, and by whom ---

    def add_item(self, label: Label) -> bool:
        """Let one more item be asked about from now on; False when there is such an item already.

        Raises
        ------
        StateError
            When there is an item of this label that is retired: `restore_item` lets it be asked about again.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> poll.add_item("cedar"), poll.add_item("cedar")
        (True, False)
        """
        return self._log.did(_decisions.add_item, check_label(label, "label"))

    def retire_item(self, label: Label) -> bool:
        """Ask about an item no more; False when it is retired already.

        Open questions about it are open no more. Votes that were cast stay.

        Raises
        ------
        InputError
            When there is no such item.
        """
        return self._log.did(_decisions.retire_item, check_label(label, "label"))

    def restore_item(self, label: Label) -> bool:
        """Ask about a retired item again, which goes on with its votes; False when it is not retired.

        Raises
        ------
        InputError
            When there is no such item.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch", "cedar"], rng=1)
        >>> poll.retire_item("ash"), poll.retired
        (True, ('ash',))
        >>> poll.restore_item("ash"), poll.retired
        (True, ())
        """
        return self._log.did(_decisions.restore_item, check_label(label, "label"))

    def rename_item(self, label: Label, new: Label) -> bool:
        """Give an item another label, also in the votes that were cast; False when it was renamed so already.

        Raises
        ------
        InputError
            When there is no such item, or another has the new label.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ahs", "birch"], rng=1)
        >>> poll.rename_item("ahs", "ash"), poll.items
        (True, ('ash', 'birch'))
        """
        return self._log.did(_decisions.rename_item, check_label(label, "label"), check_label(new, "new"))

    def remove_voter(self, voter: Label) -> bool:
        """Take all of a voter's votes out of the count, and refuse her from now on; False when she is removed already.

        The log keeps what she did.

        Raises
        ------
        InputError
            When the voter was never asked anything.
        """
        return self._log.did(_decisions.remove_voter, check_voter(voter))

    def end(self) -> None:
        """End the vote: from now on no answer is taken, `ask` gives None, and open questions are given up.

        What an organiser does, such as `remove_voter`, is still done. To end a vote twice changes nothing.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> question = poll.ask("anna")
        >>> poll.end()
        >>> poll.ended, poll.ask("anna")
        (True, None)
        >>> try:
        ...     poll.answer("anna", question.id, "left")
        ... except pv.StateError as error:
        ...     print(error)
        the vote has ended and no answer is taken; call reopen to go on with it
        """
        with self._log.deciding(_decisions.end):
            pass

    def reopen(self) -> None:
        """Go on with a vote that was ended. For a vote that was not, it changes nothing.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> poll.end()
        >>> poll.reopen()
        >>> poll.ask("anna").number
        1
        """
        with self._log.deciding(_decisions.reopen):
            pass

    def change_settings(
        self,
        *,
        votes_each: int | None = None,
        skips_each: int | None = None,
        expire_after: float | EllipsisType | None = ...,
    ) -> None:
        """Change how the poll runs, from now on and for all voters; what is not passed stays as it is.

        Parameters
        ----------
        votes_each, skips_each : int, optional
            How many votes, and how many skips, every voter has. Votes that were cast stay, also where a voter has more
            than that; open questions of voters who have none left are given up.
        expire_after : float or None
            The seconds after which a question that was not answered is open no more; None for never.

        Raises
        ------
        InputError
            When a value cannot be used, or nothing is passed.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], votes_each=20)
        >>> poll.change_settings(votes_each=30, expire_after=3600)
        >>> poll.remaining("anna"), poll.settings.expire_after
        (30, 3600.0)
        """
        with self._log.deciding(_decisions.change_settings, check_changes(votes_each, skips_each, expire_after)):
            pass

    # --- what came of it ---

    @property
    def ended(self) -> bool:
        """Whether the vote was ended, by `end`, and not reopened since."""
        with self._log.reading() as state:
            return state.ended

    @property
    def settings(self) -> Settings:
        """How the poll runs: `votes_each`, `skips_each`, `expire_after` and more. They are read only."""
        with self._log.reading() as state:
            return dataclasses.replace(state.settings, items=state.items)

    def voters(self) -> list[VoterProgress]:
        """All voters who were asked something, removed ones too, with how far each is.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], votes_each=3, rng=1)
        >>> poll.answer("anna", poll.ask("anna").id, "skip")
        >>> poll.voters()
        [VoterProgress(voter='anna', votes=0, skips=1, remaining=3, removed=False)]
        """
        with self._log.reading() as state:
            return [progress(state, voter) for voter in state.voters]

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
