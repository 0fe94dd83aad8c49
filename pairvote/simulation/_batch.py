"""Scores of many simulated votes at once, equal to those of the scorers one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._inference import (
    LIMITS,
    OUTCOME_MODELS,
    WEAKEST_PRIOR,
    Likelihood,
    NewtonWorkspace,
    OutcomeModel,
    ParameterLayout,
    Prior,
    outcome_model,
)
from pairvote._kernels import batch
from pairvote._kernels import elo as elo_kernel
from pairvote.errors import MissingUncertaintyError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import normal_quantile
from pairvote.scoring._methods import rank, scorer_named
from pairvote.simulation._asking import Block, Workshop
from pairvote.votes._counts import NO_WEIGHTS

Floats = NDArray[np.float64]
Options = Mapping[str, Any]
# The prior of Bradley-Terry unless another is asked for. It is known, since a kernel then makes 10,000 fits in seconds.
PRIOR_SD = 3.0


class Scored(NamedTuple):
    """Scores of some repetitions: float64, shape (n, n_items).

    ends: the ends of their intervals, where there are any: float64, shape (2, n, n_items). log_odds_per_unit: None
    where the scores are no log-odds. within: scores not further apart are level.
    """

    scores: Floats
    ends: Floats | None
    log_odds_per_unit: float | None
    within: float


class Scorer:
    """A method with its options, for block after block of one workshop.

    The first repetition's ranking by the scorer itself checks the options and says what the scores are.

    level: of the intervals; None for scores without any.
    """

    def __init__(
        self, workshop: Workshop, method: str, options: Options, first: Block, *, level: float | None = None
    ) -> None:
        self.workshop = workshop
        self.method = method
        self.options = {"prior_sd": PRIOR_SD, **options} if method == "bradley-terry" else dict(options)
        self.known = {**scorer_named(method).options, **self.options}
        ranking = self._rank(first, 0)
        self.log_odds_per_unit = _log_odds_per_unit(ranking)
        self.within = ranking._level_within
        self.level = level if level is not None and _has_errors(ranking) else None
        self._fill = self._filler()

    def __call__(self, block: Block) -> Scored:
        """The scores of a block."""
        shape = block.strengths.shape
        scores = np.empty(shape)
        ends = None if self.level is None else np.empty((2, *shape))
        self._fill(block, scores, ends)
        return Scored(scores, ends, self.log_odds_per_unit, self.within)

    def _filler(self) -> Callable[[Block, Floats, Floats | None], None]:
        """What scores a block: kernels where there are some for these options, else the scorer, one at a time."""
        by_kernel = _BY_KERNEL.get(self.method)
        several = any(self.known.get(name) is not None for name in ("criterion", "criteria"))
        if by_kernel is None or several or not by_kernel.applies(self):
            return self._one_by_one
        return partial(by_kernel.fill, self)

    def _rank(self, block: Block, r: int) -> Ranking:
        return rank(block.votes(r, self.workshop), self.method, **self.options)

    def _one_by_one(self, block: Block, scores: Floats, ends: Floats | None) -> None:
        for r in range(len(scores)):
            self._one(block, r, scores, ends)

    def _one(self, block: Block, r: int, scores: Floats, ends: Floats | None) -> None:
        ranking = self._rank(block, r)
        scores[r] = ranking.scores
        if ends is not None and self.level is not None:
            ends[:, r] = ranking.confidence_interval(self.level)

    def _counts(self, block: Block, n_pairs: int) -> tuple[Floats, Floats]:
        n, n_items = block.strengths.shape
        totals, tables = np.zeros((n, n_items, 4)), np.zeros((n, n_pairs, 3))
        batch.count_votes(block.left, block.right, block.outcome, totals, tables)
        return totals, tables

    def _tally(self, block: Block, scores: Floats, ends: Floats | None) -> None:
        totals, _ = self._counts(block, 0)
        lost, tied, won, _ = np.moveaxis(totals, 2, 0)
        scores[:] = won + self.known["ties"] * tied
        if self.method == "win-rate":
            prior, asked = self.known["prior"], lost + tied + won
            if not prior and not asked.all():
                self._one_by_one(block, scores, ends)
                return
            scores += prior
            scores /= asked + 2.0 * prior

    def _elo(self, block: Block, scores: Floats, ends: Floats | None) -> None:
        k, slope = float(self.known["k"]), self.log_odds_per_unit
        scores[:] = float(self.known["initial"])
        for votes in zip(block.left, block.right, block.outcome, scores, strict=True):
            elo_kernel.record_votes(*votes[:3], NO_WEIGHTS, votes[3], k, slope)

    def _is_plain_elo(self) -> bool:
        """Whether one k moves all ratings, all begin at one, and their own order is taken once."""
        known = self.known
        usual = not known["history"] and known["n_shuffles"] is None and known["half_life"] is None
        return usual and is_number(known["k"]) and is_number(known["initial"])

    def _is_plain_fit(self) -> bool:
        """Whether the kernel fits it: few items, no sides, and a prior that is not too weak to hold the scores."""
        options, n_items = self.known, self.workshop.n_items
        plain = {"ties", "prior_sd", "tol", "max_iter", "uncertainty"}
        return (
            outcome_model(options["ties"], options["link"]).by_kernel
            and options["uncertainty"] in ("model", "none")
            and not isinstance(options["prior_sd"], str)
            and all(name in plain or not option for name, option in self.options.items())
            and 1 < n_items < LIMITS.kernel_parameters
            and float(options["prior_sd"]) ** -2.0 * n_items >= WEAKEST_PRIOR * self.workshop.n_votes
        )

    def _bradley_terry(self, block: Block, scores: Floats, ends: Floats | None) -> None:
        n_items, recipe = self.workshop.n_items, OUTCOME_MODELS[self.known["ties"]]
        _, tables = self._counts(block, n_items * (n_items - 1) // 2)
        numbers = tables.sum(axis=1)
        start, second = _all_pairs(n_items)
        fits: dict[bool, _Fits] = {}
        reach = 0.0 if self.level is None else normal_quantile(self.level)
        for r, table in enumerate(tables):
            n_right, n_tied, n_left = numbers[r].tolist()
            n_ties = recipe.tie_weight * n_tied
            sandwich = ends is not None and n_ties and not recipe.is_likelihood
            if sandwich or (n_ties and recipe.n_nuisance and not n_right + n_left):
                self._one(block, r, scores, ends)
                continue
            tied = n_ties > 0.0
            if tied not in fits:
                fits[tied] = _Fits(recipe, n_items, n_ties, self.known)
            fit = fits[tied]
            fit.begin(n_ties, n_right + n_left)
            if fit.workspace.climb(start, second, table, fit.parameters) < 0:
                self._one(block, r, scores, ends)
                continue
            scores[r] = fit.parameters[:n_items] - fit.parameters[:n_items].mean()
            if ends is not None:
                covariance = fit.covariance()
                means = covariance.mean(axis=0)
                # The centred scores' variances: S_ii less twice its row's mean plus the mean of all.
                errors = np.sqrt(covariance.diagonal() - 2.0 * means + means.mean())
                ends[0, r], ends[1, r] = scores[r] - reach * errors, scores[r] + reach * errors


class _Fits:
    """Memory for fits of many repetitions of one workshop, with ties or without."""

    def __init__(self, recipe: OutcomeModel, n_items: int, n_ties: float, options: Options) -> None:
        self.outcome = recipe.given(n_ties)
        self.layout = ParameterLayout(n_items, self.outcome.n_nuisance)
        self.workspace = NewtonWorkspace(
            Likelihood(self.outcome, self.layout),
            n_items * (n_items - 1) // 2,
            prior=Prior.of(options["prior_sd"]),
            tol=options["tol"],
            max_iter=options["max_iter"],
        )
        self.parameters = np.zeros(self.layout.size)
        self._inverse = np.zeros(self.layout.size**2)

    def begin(self, n_ties: float, n_decided: float) -> None:
        """Start at level scores."""
        self.parameters.fill(0.0)
        if self.layout.n_nuisance:
            self.parameters[self.layout.nuisance] = self.outcome.start(n_ties / n_decided)

    def covariance(self) -> Floats:
        """The covariance of the scores, not centred: float64, shape (n_items, n_items)."""
        self.workspace.invert(self._inverse)
        size, n_items = self.layout.size, self.layout.n_items
        return self._inverse.reshape(size, size)[:n_items, :n_items]


class _ByKernel(NamedTuple):
    """A faster way to the scores of a method, and whether it applies to a scorer's options."""

    fill: Callable[[Scorer, Block, Floats, Floats | None], None]
    applies: Callable[[Scorer], bool] = lambda scorer: True


_BY_KERNEL = {
    "tally": _ByKernel(Scorer._tally),
    "win-rate": _ByKernel(Scorer._tally, lambda scorer: scorer.known["average"] == "votes"),
    "elo": _ByKernel(Scorer._elo, Scorer._is_plain_elo),
    "bradley-terry": _ByKernel(Scorer._bradley_terry, Scorer._is_plain_fit),
}


def _all_pairs(n_items: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """All pairs in compressed rows, whether anybody was asked about them or not."""
    each = np.arange(n_items - 1, -1, -1)
    return np.concatenate([[0], np.cumsum(each)]), np.triu_indices(n_items, 1)[1].astype(np.int32)


def _log_odds_per_unit(ranking: Ranking) -> float | None:
    """What scores are multiplied by to be held against strengths in log-odds; probits by what they are when level."""
    slope = ranking._log_odds_per_unit
    return slope if slope is None or ranking.fit is None else slope * ranking.fit._posterior.model.unit


def _has_errors(ranking: Ranking) -> bool:
    try:
        ranking.standard_errors  # noqa: B018
    except MissingUncertaintyError:
        return False
    return True
