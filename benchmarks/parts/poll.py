"""Running a vote: stores side by side, threads and processes at once, polls of many answers, and copies of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import report
from benchmarks.cases import Group, Size
from benchmarks.measure import measure
from benchmarks.polls import caller, copies, life, load

GROUPS = (*caller.GROUPS, *load.GROUPS, *life.GROUPS, *copies.GROUPS)


def after(size: Size, options: Any) -> list[tuple[dict[str, Any], str]]:
    """Another checkout beside this one, and the polls that take minutes, where they are asked for."""
    more: list[tuple[Callable[[Size], Group], int]] = []
    if options.beside is not None:
        more.append((partial(caller.beside, options.beside), options.repeats))
    if options.large:
        more += [(make_group, 1) for make_group in life.MORE]
    pages = []
    for make_group, repeats in more:
        group, rows = measure(make_group, size, repeats=repeats, with_peers=False)
        pages.append(report.shown("after", group, rows, judged=options.judged))
    return pages
