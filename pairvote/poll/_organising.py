"""Methods of a poll that its organiser calls to change it."""

from __future__ import annotations

from types import EllipsisType
from typing import Literal

from pairvote._common.messages import shorten
from pairvote.errors import InputError
from pairvote.poll import _decisions
from pairvote.poll._imports import check_imported
from pairvote.poll._on_log import OnLog
from pairvote.poll._settings import Label, check_changes, check_label, check_voter
from pairvote.sampling._stream import Sampler
from pairvote.votes._votes import Votes


class Organising(OnLog):
    """The organiser's part of a `Poll`."""

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

        The log keeps what she did. A voter who was never asked anything is kept out from the first question on.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> poll.remove_voter("mallory"), poll.remove_voter("mallory")
        (True, False)
        """
        return self._log.did(_decisions.remove_voter, check_voter(voter))

    def set_group(self, voter: Label, group: Label | None) -> bool:
        """Note which group a voter belongs to, None for none; False when that is noted already.

        Parameters
        ----------
        voter : str, int or UUID
            Also one who was never asked anything.
        group : str, int, UUID or None

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> poll.set_group("anna", "business"), poll.set_group("anna", "business"), poll.groups()
        (True, False, {'anna': 'business'})
        """
        checked = None if group is None else check_label(group, "group")
        if checked == "":
            raise InputError("group is ''; pass a group's name, or None for no group")
        return self._log.did(_decisions.set_group, check_voter(voter), checked)

    def forget_voter(self, voter: Label, *, votes: Literal["keep", "drop"] = "keep") -> bool:
        """Take a voter's id out of the poll for good; False when there is no such voter, or not any more.

        The log has a seal in the id's place, from which nobody can find it without the salt that goes with it, so that
        `verify` passes as before. In a file of SQLite no byte of the id is left; a database has it until it cleans up,
        and copies that were made earlier have it. Who comes again under the id is another voter, with all votes to
        give, also where the one who was forgotten had been removed.

        Parameters
        ----------
        voter : str, int or UUID
        votes : "keep" or "drop"
            Whether her votes still count, as those of a voter who is called "forgotten-1" or so.

        Raises
        ------
        StorageError
            When others kept the file in use for too long to take the last bytes out of it. Call again then.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], rng=1)
        >>> poll.answer("anna@example.org", poll.ask("anna@example.org").id, "left")
        >>> noted = poll.verify()
        >>> poll.forget_voter("anna@example.org"), poll.forget_voter("anna@example.org")
        (True, False)
        >>> poll.votes().voters, len(poll.verify(noted))
        (('forgotten-1',), 64)
        """
        if not isinstance(votes, str) or votes not in ("keep", "drop"):
            raise InputError(f"votes is {shorten(votes)}; pass 'keep' or 'drop'")
        log = self._log
        did = log.did(_decisions.forget_voter, check_voter(voter), votes == "drop")
        # Also where she was forgotten before, but not to the last byte.
        purge = getattr(log.store, "purge", None)
        if purge is not None:
            with log.lock:
                purge()
        return did

    def import_votes(self, votes: Votes) -> int:
        """Take in votes that were cast elsewhere: on paper, in an earlier vote, on another site. Twice is twice.

        They count as answers given now, or at their own times where they have some: in `votes` and `counts`, in how
        often items and pairs were shown, and in their voters' quotas, which they may exceed. Votes without a voter
        count for nobody.

        Parameters
        ----------
        votes : Votes
            Of items that the poll has. Rows of several criteria belong to one answer where they have one question, or
            follow one another with the same voter and items. Weights and shares are refused.

        Returns
        -------
        int
            How many answers that made.

        Raises
        ------
        InputError
            When there is an item that the poll has not, or a row is no vote of such a poll.
        StateError
            When a voter was removed, or the vote has ended.

        Examples
        --------
        >>> import pairvote as pv
        >>> poll = pv.Poll(["ash", "birch"], votes_each=20, rng=1)
        >>> poll.import_votes(pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left", "tie"], voter=["anna", "bo"]))
        2
        >>> poll.remaining("anna"), len(poll.votes())
        (19, 2)
        """
        checked = check_imported(votes)
        self._log.decide(_decisions.import_votes, checked)
        return len(checked)

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
        self._log.decide(_decisions.end)

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
        self._log.decide(_decisions.reopen)

    def change_settings(
        self,
        *,
        votes_each: int | None = None,
        skips_each: int | None = None,
        expire_after: float | EllipsisType | None = ...,
        sampler: str | Sampler | None = None,
    ) -> None:
        """Change how the poll runs, from now on and for all voters; what is not passed stays as it is.

        Parameters
        ----------
        votes_each, skips_each : int, optional
            How many votes, and how many skips, every voter has. Votes that were cast stay, also where a voter has more
            than that; open questions of voters who have none left are given up.
        expire_after : float or None
            The seconds after which a question that was not answered is open no more; None for never.
        sampler : str or Sampler, optional
            Another of pairvote's strategies, which is told what was asked and answered so far.

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
        self._log.decide(_decisions.change_settings, check_changes(votes_each, skips_each, expire_after, sampler))
