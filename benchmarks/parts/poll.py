"""Running a vote: stores side by side, threads and processes at once, polls of many answers, and copies of them."""

from __future__ import annotations

from typing import Any

from benchmarks import report
from benchmarks.cases import Size
from benchmarks.measure import measure
from benchmarks.polls import caller, copies, life, load

GROUPS = (*caller.GROUPS, *load.GROUPS, *life.GROUPS, *copies.GROUPS)


def after(size: Size, options: Any) -> list[tuple[dict[str, Any], str]]:
    """The polls that take minutes, where they are asked for."""
    more = life.MORE if options.large else ()
    return [
        report.shown(
            make_group.__name__, *measure(make_group, size, repeats=1, with_peers=False), judged=options.judged
        )
        for make_group in more
    ]
