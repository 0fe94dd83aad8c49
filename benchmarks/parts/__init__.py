"""One module a part. Each holds ``GROUPS``: functions from a size to a Group, one table each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from benchmarks.cases import Group, Size

PARTS = {
    "elo": "elo",
    "ratings": "ratings",
    "bradley-terry": "bradley_terry",
    "votes": "votes",
    "small": "small",
    "large": "large",
    "streams": "streams",
    "cluster": "cluster",
    "scale": "scale",
    "bootstrap": "bootstrap",
    "sampling": "sampling",
    "poll": "poll",
    "simulate": "simulate",
    "published": "published",
    "honesty": "honesty",
    "voters": "voters",
    "import": "import_time",
}


def groups_of(part: str) -> Sequence[Callable[[Size], Group]]:
    """The groups of a part."""
    groups: Sequence[Callable[[Size], Group]] = _module(part).GROUPS
    return groups


def after(part: str, size: Size, options: Any) -> list[tuple[dict[str, Any], str]]:
    """What a part prints beside its tables, if anything; what JSON and the report keep of it."""
    print_more = getattr(_module(part), "after", None)
    return (print_more(size, options) or []) if print_more is not None else []


def summary_of(part: str) -> str:
    """What a part measures, in one line."""
    return (_module(part).__doc__ or "").splitlines()[0]


def _module(part: str) -> ModuleType:
    return import_module(f"{__name__}.{PARTS[part]}")
