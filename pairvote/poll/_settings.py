"""Settings of a poll: checked, written to its log and read back."""

from __future__ import annotations

import dataclasses
import json
import math
import uuid
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from pairvote._common.checks import is_number, is_whole
from pairvote._common.labels import MAX_ITEMS, check_items
from pairvote._common.messages import shorten
from pairvote._common.random import generator
from pairvote.errors import InputError, StorageError
from pairvote.poll._criteria import Criteria, check_criteria
from pairvote.poll._events import FORMAT
from pairvote.sampling._registry import SAMPLERS, sampler_named
from pairvote.sampling._saving import is_own
from pairvote.sampling._stream import Sampler

Label = str | int


@dataclass(frozen=True)
class Settings:
    """How a poll runs, as `Poll.settings` gives it: what it was begun with and what was changed since.

    Attributes
    ----------
    items : tuple of str or int
        All items' labels, retired ones too.
    votes_each, skips_each : int
        How many votes, and how many skips, every voter has.
    sampler : Sampler
        Which two next.
    seed : int
        The number from which, with what happened, all questions follow.
    expire_after : float or None
        The seconds after which an open question is given up; None for never.
    criteria : tuple of str or int
        What every pair is judged by; empty where it is one judgement.
    weights : tuple of float
        How much each criterion counts for the strategy.

    Examples
    --------
    >>> import pairvote as pv
    >>> settings = pv.Poll(["ash", "birch"], votes_each=5).settings
    >>> settings.votes_each, settings.skips_each, settings.expire_after
    (5, 5, None)
    """

    items: tuple[Label, ...]
    votes_each: int
    skips_each: int
    sampler: Sampler
    seed: int
    expire_after: float | None
    criteria: tuple[Label, ...] = ()
    weights: tuple[float, ...] = ()


def to_json(settings: Settings) -> str:
    """Settings as the first event holds them."""
    return json.dumps(
        {
            "format": FORMAT,
            "votes_each": settings.votes_each,
            "skips_each": settings.skips_each,
            "sampler": _written(settings.sampler),
            "seed": settings.seed,
            "expire_after": settings.expire_after,
            "criteria": settings.criteria,
            "weights": settings.weights,
            "items": settings.items,
        },
        default=lambda number: number.item(),
    )


def from_json(text: str, sampler: Sampler | None, name: str, *, any_sampler: bool = False) -> Settings:
    """Settings as the first event holds them; `sampler` is the strategy where it is none of pairvote's own.

    With `any_sampler` it stands for whatever strategy there was.
    """
    fields = json.loads(text)
    if fields.pop("format") != FORMAT:
        raise StorageError(f"{name} was written by another version of pairvote; open it with that one")
    seed = fields["seed"]
    if not is_whole(seed) or not 0 <= seed < 2**63:
        raise ValueError(f"seed is {shorten(seed)}")
    try:
        labels = _check_items(fields["items"])
        _check_numbers(fields["votes_each"], fields["skips_each"], fields["expire_after"])
        weights = dict(zip(fields["criteria"], fields["weights"], strict=True))
        criteria = check_criteria(weights or None, check_label)
    except InputError as error:
        # Nobody passed these in: they were changed in the log.
        raise ValueError(error.problem) from error
    return Settings(
        **fields
        | {
            "items": labels,
            "sampler": sampler if any_sampler else _read(fields["sampler"], sampler, name),
            "criteria": criteria.labels,
            "weights": criteria.weights,
        }
    )


def check_changes(votes_each: Any, skips_each: Any, expire_after: Any, sampler: Any) -> dict[str, Any]:
    """A user's changes by name; None, and for `expire_after` an ellipsis, leave a setting as it is."""
    expires = None if expire_after is ... else expire_after
    _check_numbers(1 if votes_each is None else votes_each, skips_each, expires)
    changes: dict[str, Any] = {}
    if votes_each is not None:
        changes["votes_each"] = int(votes_each)
    if skips_each is not None:
        changes["skips_each"] = int(skips_each)
    if expire_after is not ...:
        changes["expire_after"] = None if expires is None else float(expires)
    if sampler is not None:
        changes["sampler"] = sampler_named(sampler)
    if not changes:
        raise InputError(
            "change_settings was given nothing to change; pass votes_each, skips_each, expire_after or sampler"
        )
    return changes


def changes_to_json(changes: dict[str, Any]) -> str:
    """Changes as an event holds them."""
    return json.dumps({name: _written(value) if name == "sampler" else value for name, value in changes.items()})


def changed(settings: Settings, text: str, sampler: Sampler | None, name: str) -> Settings:
    """Settings after the changes that an event holds, as JSON."""
    changes = json.loads(text)
    if not changes or not set(changes) <= {"votes_each", "skips_each", "expire_after", "sampler"}:
        raise ValueError(f"the changes are {shorten(changes)}")
    if "sampler" in changes:
        changes["sampler"] = _read(changes["sampler"], sampler, name)
    after = dataclasses.replace(settings, **changes)
    try:
        _check_numbers(after.votes_each, after.skips_each, after.expire_after)
    except InputError as error:
        raise ValueError(error.problem) from error
    return after


def check_settings(
    items: Any, votes_each: Any, skips_each: Any, sampler: Any, rng: Any, expire_after: Any, criteria: Any
) -> Settings:
    """A user's choices, each refused where it cannot be meant."""
    labels = _check_items(items)
    _check_numbers(votes_each, skips_each, expire_after)
    judged: Criteria = check_criteria(criteria, check_label)
    return Settings(
        items=labels,
        votes_each=int(votes_each),
        skips_each=int(votes_each if skips_each is None else skips_each),
        sampler=sampler_named(sampler),
        seed=int(generator(rng).integers(2**63)),
        expire_after=None if expire_after is None else float(expire_after),
        criteria=judged.labels,
        weights=judged.weights,
    )


def _check_items(items: Any) -> tuple[Label, ...]:
    labels = tuple(check_label(label, f"items[{place}]") for place, label in enumerate(check_items(items)))
    # A UUID and its text are one label.
    check_items(labels)
    if len(labels) > MAX_ITEMS:
        raise InputError(f"items has {len(labels)} labels; pass at most {MAX_ITEMS:,}")
    return labels


def _check_numbers(votes_each: Any, skips_each: Any, expire_after: Any) -> None:
    if not is_whole(votes_each) or not 1 <= votes_each < 2**31:
        raise InputError(f"votes_each is {shorten(votes_each)}; pass a whole number from 1")
    if skips_each is not None and (not is_whole(skips_each) or not 0 <= skips_each < 2**31):
        raise InputError(f"skips_each is {shorten(skips_each)}; pass a whole number from 0, or None for votes_each")
    if expire_after is not None and (not is_number(expire_after) or not 0 < expire_after < math.inf):
        raise InputError(f"expire_after is {shorten(expire_after)}; pass a positive number of seconds, or None")


def check_voter(voter: Hashable) -> Label:
    """A voter as the log holds one; an empty text is refused, which is what a missing cookie often becomes."""
    checked = check_label(voter, "voter")
    if checked == "":
        raise InputError("voter is '', so that all who come without a name would be one voter; pass each voter's own")
    return checked


def check_label(label: Hashable, name: str) -> Label:
    """A label or voter that the log tells from all others: text, a whole number of 64 bits, or a UUID as its text."""
    if isinstance(label, uuid.UUID):
        label = str(label)
    if isinstance(label, str):
        try:
            label.encode()
        except UnicodeEncodeError:
            raise InputError(f"{name} is {shorten(label)}, which is no valid Unicode; pass text that is") from None
        # The text itself: str() of a text that is also an Enum is its member's name.
        return str.__str__(label)
    if not is_whole(label):
        raise InputError(f"{name} is {shorten(label)}; pass text or a whole number")
    if not -(2**63) <= label < 2**63:
        raise InputError(f"{name} is {shorten(label)}, which has more than 64 bits; pass it as text")
    return int(label)


class StrategyNeededError(InputError):
    """A log goes by a strategy that was not passed."""


def check_sampler(passed: Sampler | None, own: Sampler, name: str) -> None:
    """Refuse a strategy that was passed for a log which goes by another."""
    if passed is not None and passed != own:
        raise InputError(f"sampler is {passed!r}, and {name} goes by {own!r}; leave it out")


def _written(sampler: Sampler) -> dict[str, Any]:
    if is_own(sampler):
        return {"name": type(sampler).__name__, "options": dataclasses.asdict(sampler)}
    return {"name": type(sampler).__name__}


def _read(written: dict[str, Any], sampler: Sampler | None, name: str) -> Sampler:
    if sampler is not None and not isinstance(sampler, Sampler):
        raise InputError(
            f"sampler is {shorten(sampler)}; pass the object that the poll was begun with, or leave it out"
        )
    if "options" in written:
        return SAMPLERS[written["name"]](**written["options"])
    if sampler is None:
        raise StrategyNeededError(
            f"{name} goes by the strategy {written['name']}, which is not one of pairvote's own; "
            "pass the same to Poll.open(..., sampler=)"
        )
    if _written(sampler) != written:
        raise StrategyNeededError(f"sampler is {sampler!r}, and {name} goes by {written['name']}; pass that one")
    return sampler
