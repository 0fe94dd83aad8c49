"""Items by their labels and by their scores: codes, ranks, and the best k."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import shorten, wrong_option
from pairvote.errors import InputError


def code_of(label: Hashable, items: Sequence[Hashable], codes: Mapping[Hashable, int]) -> int:
    """The item's code; InputError for a label that is not there."""
    try:
        return codes[label]
    except (KeyError, TypeError, ValueError):
        listed = ", ".join(map(repr, items[:5])) + (", ..." if len(items) > 5 else "")
        raise InputError(f"{shorten(label)} is not among the items ({listed}); check its spelling") from None


def chosen_codes(
    labels: Iterable[Hashable], items: Sequence[Hashable], codes: Mapping[Hashable, int]
) -> NDArray[np.intp]:
    """The codes of these labels; InputError for one that is not there, or is there twice."""
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable) or getattr(labels, "ndim", 1) == 0:
        raise wrong_option("labels", labels, "pass a list of labels")
    chosen: dict[int, None] = {}
    for label in labels:
        code = code_of(label, items, codes)
        if code in chosen:
            problem = f"labels has {shorten(label)} twice"
            raise InputError(problem, option="labels", value=label, remedy="pass each label once")
        chosen[code] = None
    return np.fromiter(chosen, np.intp, len(chosen))


def first_of_each(components: NDArray[np.int32]) -> NDArray[np.int32]:
    """The place of the first item of each item's component: int32, shape (n_items,)."""
    _, first, number = np.unique(components, return_index=True, return_inverse=True)
    return first.astype(np.int32)[number]


def ranks_of(scores: NDArray[np.float64], within: float) -> NDArray[np.int64]:
    """The rank of each score, 1 for the highest: int64, shape (n_items,).

    Scores at most `within` below the next higher one share its rank.
    """
    order = np.argsort(-scores, kind="stable")
    drops = -np.diff(scores[order])
    first = np.concatenate([[True], drops > within])[: len(scores)]
    ranks = np.empty(len(scores), np.int64)
    ranks[order] = np.flatnonzero(first)[np.cumsum(first) - 1] + 1
    return ranks


def n_best(ranks: NDArray[np.int64], k: int) -> tuple[int, NDArray[np.intp]]:
    """How many items are among the best k or level with the k-th; and the codes of those that share its place."""
    last = np.partition(ranks, k - 1)[k - 1]
    return int((ranks <= last).sum()), np.flatnonzero(ranks == last)


def place_shares(ranks: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """How much of a place among the best k each item has: 1, 0, or an even part where it is level at the k-th."""
    last = np.partition(ranks, k - 1)[k - 1]
    above, level = ranks < last, ranks == last
    return np.asarray(above + level * ((k - above.sum()) / level.sum()))


def sample_shares(samples: NDArray[np.float64], k: int, within: float) -> NDArray[np.float64]:
    """The share of samples that have each item among the best k; items level at the k-th place share it evenly.

    samples : shape (n_samples, n_items). Scores at most `within` apart are level.
    """
    last = np.partition(samples, -k, axis=1)[:, [-k]]
    above = samples > last + within
    level = ~above & (samples >= last - within)
    vacant = k - above.sum(axis=1, keepdims=True)
    return np.asarray((above + level * (vacant / level.sum(axis=1, keepdims=True))).mean(axis=0))
