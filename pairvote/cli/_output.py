"""Where the command's answers go: standard output, standard error and pictures, as text for people or as data."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pairvote
from pairvote._common.cells import in_json, printable
from pairvote._common.messages import shorten
from pairvote.errors import LONGEST_MESSAGE, InputError, cut_inside

if TYPE_CHECKING:
    from pairvote.ranking._ranking import Ranking

# The version of what JSON holds: it changes when a key goes or changes its meaning.
JSON_VERSION = 1
LONGEST_LINE = 900
# What a CSV cell may not begin or end with, or hold, without quotes. A carriage return alone ends a row as well.
_QUOTED = re.compile(r'[",\r\n]|^\s|\s$|^$')


def terminal_width() -> int | None:
    """How many cells a line of the terminal has, or COLUMNS says; None where output goes to no terminal."""
    try:
        if not sys.stdout.isatty():
            return None
    except (AttributeError, ValueError):
        # There is no standard output, or it is closed.
        return None
    return max(shutil.get_terminal_size().columns, 1)


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV that every reader reads back: None is an empty cell, and what may end a row is quoted."""
    return "".join(",".join(map(_cell, row)) + "\n" for row in rows)


def as_json(report: dict[str, Any]) -> bytes:
    """A report as JSON, with the versions of what it holds and of pairvote."""
    versions = {"version": JSON_VERSION, "pairvote": pairvote.__version__}
    return as_data(in_json(json.dumps(versions | report, ensure_ascii=False, allow_nan=False, indent=2)) + "\n")


def as_data(text: str) -> bytes:
    """Text for programs: in UTF-8, whatever the terminal's encoding; halves of surrogate pairs as escapes."""
    return text.encode("utf-8", "backslashreplace")


def save_picture(ranking: Ranking, path: str, *, level: float = 0.95, top_k: int | None = None) -> list[str]:
    """Save the picture of a ranking; what is to be said of it, in a sentence or none."""
    from pairvote.plotting._ranking import save_ranking

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            save_ranking(ranking, path, level=level, top_k=top_k)
        except OSError as error:
            reason = error.strerror or error
            problem = f"the picture cannot be saved as {shorten(path, 300)} ({reason})"
            raise InputError(problem, option="path", value=path, remedy="choose another --plot") from error
    if not caught:
        return []
    more = f" (and {len(caught) - 1} more of the kind)" if len(caught) > 1 else ""
    return [f"warning: {path}: {caught[0].message}{more}"]


def write(answer: str | bytes) -> None:
    """Print text in the terminal's encoding, and data as they are."""
    if sys.stdout is None:
        return
    try:
        if isinstance(answer, str):
            sys.stdout.write(answer)
        elif hasattr(sys.stdout, "buffer"):
            sys.stdout.flush()
            sys.stdout.buffer.write(answer)
        else:
            sys.stdout.write(answer.decode())
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again, with a traceback, when Python flushes it at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise InputError(f"the output cannot be written ({error.strerror}); send it elsewhere") from error


def tell(line: str) -> None:
    """Say it on standard error, in one line."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print("pairvote: " + printable(" ".join(line.splitlines())), file=sys.stderr)


def tell_all(text: str) -> None:
    """Say it on standard error, in its own lines, on no more than a screen."""
    if sys.stderr is not None:
        lines = [cut_inside(printable(line), LONGEST_LINE) for line in text.split("\n")]
        with contextlib.suppress(OSError):
            print("pairvote: " + cut_inside("\n".join(lines), LONGEST_MESSAGE), file=sys.stderr)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
