"""Strategies by name, for whoever takes `sampler="balanced"`."""

from __future__ import annotations

from typing import Any

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.sampling._adaptive import InformationGain
from pairvote.sampling._exposure import Balanced, CatchUp, Swiss, Uniform
from pairvote.sampling._stream import Sampler

NAMED: dict[str, type[Sampler]] = {
    "uniform": Uniform,
    "balanced": Balanced,
    "catch-up": CatchUp,
    "swiss": Swiss,
    "information-gain": InformationGain,
}


def sampler_named(sampler: Any) -> Sampler:
    """A strategy, or the one of that name; InputError for anything else."""
    if isinstance(sampler, Sampler):
        return sampler
    if isinstance(sampler, str) and sampler in NAMED:
        return NAMED[sampler]()
    raise InputError(
        f"sampler is {shorten(sampler)}; use one of {listed(NAMED)}, or an object such as pairvote.sampling.TopK(5)"
    )
