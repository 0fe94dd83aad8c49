"""What an experiment has found so far, in a file of JSON Lines: one line for every part that is done."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import shorten
from pairvote.errors import InputError, StorageError
from pairvote.simulation._asking import BLOCK, Workshop

Floats = NDArray[np.float64]
FORMAT = 1


class Records:
    """A file that parts are added to as they are done, and read from when the same is asked for again.

    A last line without its end is what an interruption left, and is taken off.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._found: dict[str, Floats] = {}
        try:
            self._read(self.path.read_bytes() if self.path.exists() else b"")
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read ({error.strerror}); name another store") from error

    def _read(self, text: bytes) -> None:
        whole = text[: text.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                record = json.loads(line)
                if record["part"]["format"] != FORMAT:
                    raise KeyError("format")
                numbers = [[[[_number(x) for x in y] for y in z] for z in w] for w in record["sums"]]
                self._found[_key(record["part"])] = np.array(numbers, np.float64)
            except (ValueError, KeyError, TypeError) as error:
                raise StorageError(
                    f"line {number} of {self.path} is no part of an experiment ({shorten(error)}); "
                    "name another store, or remove the line"
                ) from None
        if len(whole) < len(text):
            os.truncate(self.path, len(whole))

    def get(self, part: Mapping[str, Any]) -> Floats | None:
        """What was found for a part, if it is there."""
        return self._found.get(_key(part))

    def add(self, part: Mapping[str, Any], sums: Floats) -> None:
        """Keep what was found: on disk before anything else is done."""
        numbers = [[[[_or_null(x) for x in y] for y in z] for z in w] for w in sums.tolist()]
        line = json.dumps({"part": part, "sums": numbers}, allow_nan=False, ensure_ascii=False) + "\n"
        try:
            with self.path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written ({error.strerror}); name another store") from error
        self._found[_key(part)] = sums


def part_of(
    workshop: Workshop, methods: Mapping[str, Any], top_k: int, level: float, first: int, repetitions: int
) -> dict[str, Any]:
    """All that a part's sums follow from, in words and numbers.

    Raises
    ------
    InputError
        Where something has no name by which it could be known again.
    """
    strengths: Any = workshop.strengths
    if callable(strengths):
        strengths = f"{getattr(strengths, '__module__', '')}.{getattr(strengths, '__qualname__', repr(strengths))}"
    elif strengths is not None:
        strengths = strengths.tolist()
    part = {
        "format": FORMAT,
        "sampler": repr(workshop.sampler),
        "voters": repr(workshop.voters),
        "strengths": strengths,
        **{name: getattr(workshop, name) for name in ("n_items", "n_voters", "votes_each", "strength_sd", "n_open")},
        "seed": workshop.seed,
        "methods": methods,
        "top_k": top_k,
        "level": level,
        "first": first,
        "repetitions": repetitions,
        "block": BLOCK,
    }
    for name in ("sampler", "strengths"):
        if isinstance(part[name], str) and (" at 0x" in part[name] or "<lambda>" in part[name]):
            raise InputError(
                f"{name} is {part[name]}, which a store cannot tell from another; use a function or a dataclass that "
                "has a name, or leave store out"
            )
    try:
        json.dumps(part, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"an option of methods is no JSON ({error}); use plain numbers and words, or no store"
        ) from None
    return part


def _key(part: Mapping[str, Any]) -> str:
    return json.dumps(part, sort_keys=True)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
