"""Fits by `bradley_terry` that take another way from other sizes on."""

from __future__ import annotations

from typing import Any

import pairvote as pv
from pairvote._inference import Limits
from pairvote.scoring._bradley_terry import ranked

LEFT_OUT = ("criteria", "clusters")
OPTIONS = {name: value for name, value in pv.bradley_terry.__kwdefaults__.items() if name not in LEFT_OUT}


def bradley_terry(votes: pv.Votes | pv.PairCounts, limits: Limits, **options: Any) -> pv.Ranking:
    """`pv.bradley_terry` with other limits."""
    return ranked(votes, limits=limits, **{**OPTIONS, **options})
