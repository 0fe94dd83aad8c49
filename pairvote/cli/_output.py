"""Where the command's answers go: standard output, standard error and pictures."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from typing import TYPE_CHECKING

from pairvote.errors import InputError

if TYPE_CHECKING:
    from pairvote.ranking._ranking import Ranking


def save_picture(ranking: Ranking, path: str, *, level: float = 0.95, top_k: int | None = None) -> None:
    """Save the picture of a ranking; what matplotlib warns of becomes one line on stderr."""
    from pairvote.plotting._ranking import save_ranking

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            save_ranking(ranking, path, level=level, top_k=top_k)
        except OSError as error:
            raise InputError(
                f"the picture cannot be saved as {path!r} ({error.strerror or error}); choose another --plot"
            ) from error
    if caught:
        more = f" (and {len(caught) - 1} more of the kind)" if len(caught) > 1 else ""
        tell(f"warning: {path}: {caught[0].message}{more}")


def write(text: str) -> None:
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again, with a traceback, when Python flushes it at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise InputError(f"the output cannot be written ({error.strerror}); send it elsewhere") from error


def tell(line: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print("pairvote: " + " ".join(line.splitlines()), file=sys.stderr)
