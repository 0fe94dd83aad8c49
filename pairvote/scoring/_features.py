"""Features of items, as users give them, and rankings whose scores follow them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.messages import plural, shorten
from pairvote._inference import Features, FeatureScores, LocalSums, PairSums, PriorOption, VoteRows
from pairvote.errors import InputError
from pairvote.ranking._features import ItemFeatures, feature_rows, named_rows
from pairvote.ranking._ranking import Ranking
from pairvote.votes._counts import PairCounts

# A row for each item in their order, or one by label; of names and numbers, of numbers, or of one number.
ItemCovariates = ArrayLike | Mapping[Any, Any]
OPTION = "item_covariates"
# Features in larger units, or smaller than its inverse, have coefficients whose squares overflow.
LARGEST_UNIT = 1e100


def features_of(
    item_covariates: ItemCovariates | None,
    items: tuple[Hashable, ...],
    prior_sd: PriorOption,
    reliability: str | None,
) -> Features | None:
    """The features of the items, if there are any; InputError for what cannot be, or be beside other options."""
    if item_covariates is None:
        return None
    if isinstance(item_covariates, Mapping):
        names, table = _by_label(item_covariates, items)
    else:
        names, table = feature_rows(item_covariates, OPTION)
        if len(table) != len(items):
            raise InputError(
                f"{OPTION} has {plural(len(table), 'row')} and the votes have {plural(len(items), 'item')}",
                option=OPTION,
                remedy="pass one row for each of votes.items in their order, or a mapping of each label to its row",
            )
    if reliability is not None:
        raise InputError(
            f"{OPTION} is given and reliability is {reliability!r}; voters are not yet weighed where scores follow "
            "features",
            option="reliability",
            value=reliability,
            remedy=f"leave out reliability, or {OPTION}",
        )
    if not isinstance(prior_sd, str | bool) and prior_sd == math.inf:
        raise InputError(
            f"prior_sd is inf and {OPTION} is given: without a prior of what the features leave, scores of any kind "
            "fit as well with every coefficient",
            option="prior_sd",
            value=prior_sd,
            remedy="leave prior_sd out, so that the remainder's spread is learned; or set it to 0, for scores that "
            "are sums over features alone, by maximum likelihood",
        )
    features = Features.of(names, table)
    wrong = (features.scale > LARGEST_UNIT) | (table.any(axis=0) & (features.scale < 1.0 / LARGEST_UNIT))
    if wrong.any():
        name, scale = features.names[int(np.argmax(wrong))], float(features.scale[int(np.argmax(wrong))])
        raise InputError(
            f"{OPTION} has numbers about {scale:.1g} apart of feature {shorten(name)}, too far from 1",
            option=OPTION,
            value=scale,
            remedy="measure it in another unit",
        )
    return features


def _by_label(rows: Mapping[Any, Any], items: tuple[Hashable, ...]) -> tuple[Sequence[str], NDArray[np.float64]]:
    known = set(items)
    unknown = [label for label in rows if label not in known]
    if unknown:
        raise InputError(
            f"{OPTION} has a row for {shorten(unknown[0])}, which is no item of these votes",
            option=OPTION,
            value=unknown[0],
            remedy="name it in items= when the votes are made, and it is ranked by its features; or leave it out",
        )
    missing = [label for label in items if label not in rows]
    if missing:
        raise InputError(
            f"{OPTION} has no row for {shorten(missing[0])}"
            + (f" and {len(missing) - 1:,} more items" if len(missing) > 1 else ""),
            option=OPTION,
            value=missing[0],
            remedy="pass the features of every item of the votes",
        )
    return named_rows([rows[label] for label in items], items, OPTION)


def with_features(
    features: Features,
    counts: PairCounts | PairSums,
    squares: PairSums | None,
    rows: VoteRows | None,
    position: bool,
) -> tuple[LocalSums, LocalSums | None, VoteRows | None]:
    """As `with_columns`; NotIdentifiedError where the votes do not determine a coefficient."""
    sums, squares, rows = with_columns(features, counts, squares, rows)
    features.check(sums, position=position)
    return sums, squares, rows


def with_columns(
    features: Features, counts: PairCounts | PairSums, squares: PairSums | None, rows: VoteRows | None
) -> tuple[LocalSums, LocalSums | None, VoteRows | None]:
    """Sums over votes, over those of squared weights, and single votes, each with the features of the items."""
    if not isinstance(counts, PairCounts | LocalSums) or not isinstance(squares, LocalSums | None):
        raise TypeError("features are for votes in this memory")
    squared = None if squares is None else features.sums(squares)
    return features.sums(counts), squared, None if rows is None else features.beside(rows)


def ranking_by_features(ranking: Ranking, features: Features) -> Ranking:
    """The ranking of scores that follow features, given that of their remainders."""
    if ranking.fit is None:
        raise TypeError("this ranking was not fitted")
    found = FeatureScores(ranking.fit._posterior, features)
    fitted = ItemFeatures(
        names=features.names,
        coefficients=found.coefficients / features.scale,
        unit=ranking.unit,
        remainder_sd=ranking.fit.prior_sd,
        _fitted=found,
        _has_errors=ranking._uncertainty is not None,
    )
    uncertainty = None if ranking._uncertainty is None else found
    return replace(ranking, scores=found.scores, features=fitted, _uncertainty=uncertainty)
