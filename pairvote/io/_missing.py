"""Texts that stand for a missing value, in columns that have types of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote.io._arrow_text import Texts, place_of


def without(column: Any, na: tuple[str, ...]) -> Any:
    """The column in which these texts are missing; numbers and whatever else is no text stay as they are."""
    if not na or isinstance(column, np.ndarray):
        return column
    if not isinstance(column, Coded):
        return [None if isinstance(value, str) and value in na else value for value in column]
    codes, labels = column
    if isinstance(labels, range):
        return column
    if isinstance(labels, Texts):
        places = [place for text in na if (place := place_of(labels, text)) >= 0]
    else:
        places = [place for place, label in enumerate(labels) if isinstance(label, str) and label in na]
    return Coded(np.where(np.isin(codes, places), np.int32(-1), codes), labels) if places else column
