"""Scores that are known from an earlier vote, as users give them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from pairvote._common.checks import is_number
from pairvote._common.messages import plural, shorten
from pairvote._inference import LIMITS, Anchors, Features
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking

# A score, exact or with its standard error, of each label; or an earlier ranking.
KnownScores = Ranking | Mapping[Any, Any]
OPTION = "known_scores"
# Chances of items further apart than this are 0 or 1.
LARGEST_GAP = 80.0


def anchors_of(
    known_scores: KnownScores | None,
    items: tuple[Hashable, ...],
    unit: str,
    features: Features | None,
    reliability: str | None,
) -> Anchors | None:
    """The known scores of the items, if there are any; InputError for what cannot be, or be beside other options."""
    if known_scores is None:
        return None
    for option, given in (("item_covariates", features), ("reliability", reliability)):
        if given is not None:
            raise InputError(
                f"{OPTION} is given and so is {option}, which do not yet go together",
                option=option,
                remedy=f"leave out {option}, or {OPTION}",
            )
    if len(items) > LIMITS.table_items:
        raise InputError(
            f"these votes have {len(items):,} items, and {OPTION} is for up to {LIMITS.table_items:,}",
            option=OPTION,
            remedy=f"leave out {OPTION}, or items",
        )
    codes = {label: code for code, label in enumerate(items)}
    if isinstance(known_scores, Ranking):
        return _of_ranking(known_scores, codes, unit)
    if not isinstance(known_scores, Mapping) or not known_scores:
        raise InputError(
            f"{OPTION} is {shorten(known_scores)}",
            option=OPTION,
            value=known_scores,
            remedy="pass a mapping of label to score, or to (score, standard_error); or an earlier Ranking",
        )
    scores, errors = [], []
    for label, given in known_scores.items():
        if label not in codes:
            raise InputError(
                f"{OPTION} has a score of {shorten(label)}, which is no item of these votes",
                option=OPTION,
                value=label,
                remedy="leave it out, or name it in items= when the votes are made",
            )
        score, error = _number(label, given)
        scores.append(score)
        errors.append(error)
    return _anchors(codes, list(known_scores), np.array(scores), np.diag(np.square(errors)))


def _number(label: Hashable, given: Any) -> tuple[float, float]:
    """A score and its standard error."""
    parts = tuple(given) if isinstance(given, tuple | list | np.ndarray) else (given, 0.0)
    if len(parts) != 2 or not all(is_number(part) and math.isfinite(part) for part in parts) or parts[1] < 0:
        raise InputError(
            f"the known score of {shorten(label)} is {shorten(given)}",
            option=OPTION,
            value=given,
            remedy="pass a finite number, or (score, standard_error) with a standard error from 0",
        )
    return float(parts[0]), float(parts[1])


def _of_ranking(ranking: Ranking, codes: dict[Hashable, int], unit: str) -> Anchors:
    """The scores of an earlier ranking's items that are here, with their covariance."""
    if ranking.unit != unit:
        raise InputError(
            f"{OPTION} is a ranking in {ranking.unit!r}, and these scores are in {unit!r}",
            option=OPTION,
            remedy="pass one by bradley_terry with the same link, before it is put on another scale",
        )
    if ranking._uncertainty is None:
        raise InputError(
            f"{OPTION} is a ranking without standard errors",
            option=OPTION,
            remedy="pass ranking.to_dict() to take its scores as exact, or rank the earlier votes with errors",
        )
    here = [(place, label) for place, label in enumerate(ranking.items) if label in codes]
    if not here:
        raise InputError(
            f"none of the {plural(ranking.n_items, 'item')} of the ranking in {OPTION} is an item of these votes",
            option=OPTION,
            remedy="pass a ranking that shares items with these votes",
        )
    places = np.array([place for place, _ in here])
    covariance = ranking.covariance[np.ix_(places, places)]
    return _anchors(codes, [label for _, label in here], ranking.scores[places], covariance)


def _anchors(codes: dict[Hashable, int], labels: list[Any], scores: Any, covariance: Any) -> Anchors:
    gap, error = float(np.ptp(scores)), float(np.sqrt(np.diag(covariance)).max())
    if max(gap, error) > LARGEST_GAP:
        raise InputError(
            f"{OPTION} are {gap:.3g} apart" if gap > LARGEST_GAP else f"{OPTION} have a standard error of {error:.3g}",
            option=OPTION,
            value=max(gap, error),
            remedy=f"they are in the unit of the scores, in which {LARGEST_GAP:g} is beyond all chance",
        )
    return Anchors.of(len(codes), np.array([codes[label] for label in labels], np.intp), scores, covariance)
