"""pairvote's own strategies: what a poll can write into its log, and what `sampler="balanced"` means."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.sampling import _adaptive, _exposure
from pairvote.sampling._stream import Sampler

# By the name of the class. What a module of strategies names in `__all__` is here and in `pairvote.sampling`.
SAMPLERS: dict[str, type[Sampler]] = {
    name: getattr(module, name) for module in (_exposure, _adaptive) for name in module.__all__
}


def _needs_nothing(kind: type[Sampler]) -> bool:
    return all(
        field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        for field in dataclasses.fields(kind)
    )


# Strategies that need no options, by the words of their names: "catch-up" is CatchUp().
NAMED: dict[str, type[Sampler]] = {
    re.sub("(?<!^)(?=[A-Z])", "-", name).lower(): kind
    for name, kind in sorted(SAMPLERS.items())
    if _needs_nothing(kind)
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
