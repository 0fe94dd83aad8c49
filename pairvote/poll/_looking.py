"""Methods of a poll that say what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.poll._cast import cast_in
from pairvote.poll._on_log import OnLog
from pairvote.poll._records import VoterProgress
from pairvote.poll._settings import Label, Settings
from pairvote.poll._voting import progress
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

if TYPE_CHECKING:
    from pairvote.io._formats import Format


class Looking(OnLog):
    """The part of a `Poll` that only looks."""

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
        """All voters who came, removed ones too and without those who were forgotten, with how far each is.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], votes_each=3, rng=1)
        >>> poll.answer("anna", poll.ask("anna").id, "skip")
        >>> poll.voters()
        [VoterProgress(voter='anna', votes=0, skips=1, remaining=3, removed=False)]
        """
        with self._log.reading() as state:
            return progress(state)

    def groups(self) -> dict[Label, Label]:
        """The voters' groups, of those who have one."""
        with self._log.reading() as state:
            return {voter: state.book.groups[code] for voter, code in state.book.named() if code in state.book.groups}

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
        """The answers that count, skips too, in the order in which they were given.

        Each row has the time of the answer and the question's id. In a poll with criteria an answer has a row for each.
        A voter who was forgotten is called "forgotten-1" or so.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], criteria=["useful", "new"], rng=1, clock=lambda: 5.0)
        >>> poll.answer("anna", poll.ask("anna").id, {"useful": "left", "new": "tie"})
        >>> votes = poll.votes()
        >>> votes
        Votes(2 votes, 2 items, 1 voter: 1 left, 0 right, 1 tie, 0 skip)
        >>> votes.criteria, votes.time.tolist(), votes.question.tolist()
        (('useful', 'new'), [5.0, 5.0], [2, 2])
        """
        with self._log.reading() as state:
            cast = cast_in(state)
        return cast.votes()

    def counts(self, criterion: Label | None = None) -> PairCounts:
        """The counts of `votes`, kept current: what came since the last call is added to them.

        Parameters
        ----------
        criterion : label, optional
            The criterion whose votes are counted, in a poll that has some; by default those of all, added up.

        Raises
        ------
        InputError
            When there is no such criterion.
        """
        with self._log.reading() as state:
            labels = state.criteria.labels
            if criterion is not None and (not isinstance(criterion, Hashable) or criterion not in labels):
                known = f"pass one of {listed(labels)}" if labels else "the poll has none; leave it out"
                raise InputError(f"criterion is {shorten(criterion)}, which is none; {known}")
            counts = state.tally.counts(state.book, state.items)
            return sum(counts[1:], counts[0]) if criterion is None else counts[labels.index(criterion)]

    @property
    def n_events(self) -> int:
        """How many events the log has. While it is the same, so is all that can be computed from the poll.

        An answer that this process is just storing may be counted a moment before it is in this number.

        Examples
        --------
        What is shown to many readers is computed once for each state of the vote:

        >>> import functools
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> @functools.lru_cache(maxsize=1)
        ... def standing(n_events):
        ...     return pv.win_rate(poll.counts()).order()
        >>> standing(poll.n_events)
        ['ash', 'birch']
        """
        return self._log.n_committed

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
            if expected is not None and len(expected) != 32:
                raise ValueError
        except (TypeError, ValueError):
            raise InputError(f"digest is {shorten(digest)}; pass what verify returned earlier") from None
        return self._log.verify(expected).hex()
