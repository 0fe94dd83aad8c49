"""Scores of many simulated votes at once, equal to those of the scorers one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.solver import KERNEL_PARAMETERS, WEAKEST_PRIOR
from pairvote._kernels import batch, davidson
from pairvote._kernels import elo as elo_kernel
from pairvote.errors import MissingUncertaintyError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._methods import rank, scorer_named
from pairvote.simulation._asking import Block, Workshop
from pairvote.votes._counts import NO_WEIGHTS

Floats = NDArray[np.float64]
Options = Mapping[str, Any]


class Scored(NamedTuple):
    """Scores of some repetitions: float64, shape (n, n_items), and their standard errors, where there are any.

    log_odds_per_unit: None where the scores are no log-odds. within: scores not further apart are level.
    """

    scores: Floats
    errors: Floats | None
    log_odds_per_unit: float | None
    within: float


class Scorer:
    """A method with its options, for block after block of one workshop.

    The first repetition's ranking by the scorer itself checks the options and says what the scores are.
    """

    def __init__(self, workshop: Workshop, method: str, options: Options, first: Block, *, errors: bool) -> None:
        self.workshop = workshop
        self.method = method
        self.options = dict(options)
        self.known = {**scorer_named(method).options, **options}
        ranking = self._rank(first, 0)
        self.log_odds_per_unit = ranking._log_odds_per_unit
        self.within = ranking._level_within
        self.errors = errors and _errors_of(ranking) is not None
        self._fill = self._filler()

    def __call__(self, block: Block) -> Scored:
        """The scores of a block."""
        shape = block.strengths.shape
        scores = np.empty(shape)
        errors = np.empty(shape) if self.errors else None
        self._fill(block, scores, errors)
        return Scored(scores, errors, self.log_odds_per_unit, self.within)

    def _filler(self) -> Callable[[Block, Floats, Floats | None], None]:
        """What scores a block: kernels where there are some for these options, else the scorer, one at a time."""
        by_kernel = _BY_KERNEL.get(self.method)
        several = any(self.known.get(name) is not None for name in ("criterion", "criteria"))
        if by_kernel is None or several or not by_kernel.applies(self):
            return self._one_by_one
        return partial(by_kernel.fill, self)

    def _rank(self, block: Block, r: int) -> Ranking:
        return rank(block.votes(r, self.workshop), self.method, **self.options)

    def _one_by_one(self, block: Block, scores: Floats, errors: Floats | None) -> None:
        for r in range(len(scores)):
            self._one(block, r, scores, errors)

    def _one(self, block: Block, r: int, scores: Floats, errors: Floats | None) -> None:
        ranking = self._rank(block, r)
        scores[r] = ranking.scores
        if errors is not None:
            errors[r] = ranking.standard_errors

    def _counts(self, block: Block, n_pairs: int) -> tuple[Floats, Floats]:
        n, n_items = block.strengths.shape
        totals, tables = np.zeros((n, n_items, 4)), np.zeros((n, n_pairs, 3))
        batch.count_votes(block.left, block.right, block.outcome, totals, tables)
        return totals, tables

    def _tally(self, block: Block, scores: Floats, errors: Floats | None) -> None:
        totals, _ = self._counts(block, 0)
        lost, tied, won, _ = np.moveaxis(totals, 2, 0)
        scores[:] = won + self.known["ties"] * tied
        if self.method == "win-rate":
            prior, asked = self.known["prior"], lost + tied + won
            if not prior and not asked.all():
                self._one_by_one(block, scores, errors)
                return
            scores += prior
            scores /= asked + 2.0 * prior

    def _elo(self, block: Block, scores: Floats, errors: Floats | None) -> None:
        k, slope = float(self.known["k"]), self.log_odds_per_unit
        scores[:] = float(self.known["initial"])
        for votes in zip(block.left, block.right, block.outcome, scores, strict=True):
            elo_kernel.record_votes(*votes[:3], NO_WEIGHTS, votes[3], k, slope)

    def _is_plain_fit(self) -> bool:
        """Whether the kernel fits it: few items, no sides, and a prior that is not too weak to hold the scores."""
        options, n_items = self.known, self.workshop.n_items
        plain = {"ties", "prior_sd", "tol", "max_iter", "uncertainty"}
        return (
            options["ties"] in ("davidson", "half", "drop")
            and options["uncertainty"] in ("model", "none")
            and all(name in plain or not option for name, option in self.options.items())
            and 1 < n_items < KERNEL_PARAMETERS
            and float(options["prior_sd"]) ** -2.0 * n_items >= WEAKEST_PRIOR * self.workshop.n_votes
        )

    def _bradley_terry(self, block: Block, scores: Floats, errors: Floats | None) -> None:
        n_items, ties = self.workshop.n_items, self.known["ties"]
        n_pairs = n_items * (n_items - 1) // 2
        _, tables = self._counts(block, n_pairs)
        numbers = tables.sum(axis=1)
        start, second = _all_pairs(n_items)
        spaces: dict[int, tuple[Floats, ...]] = {}
        for r, table in enumerate(tables):
            n_right, n_tied, n_left = numbers[r].tolist()
            has_ties = ties == "davidson" and n_tied > 0.0
            if (has_ties and not n_right + n_left) or (errors is not None and ties == "half" and n_tied):
                self._one(block, r, scores, errors)
                continue
            size = n_items + has_ties
            if size not in spaces:
                spaces[size] = (*_space(n_items, size), self._fit_options(has_ties))
            upper, scratch, sums, parameters, inverse, options = spaces[size]
            sums[:], parameters[:] = 0.0, 0.0
            if has_ties:
                parameters[n_items] = math.log(2.0 * n_tied / (n_right + n_left))
            if davidson.newton_steps(start, second, table, parameters, options, upper, scratch, sums) < 0:
                self._one(block, r, scores, errors)
                continue
            scores[r] = parameters[:n_items]
            if errors is not None:
                inverse[:] = 0.0
                davidson.invert_factored(upper, inverse)
                covariance = inverse.reshape(size, size)[:n_items, :n_items]
                means = covariance.mean(axis=0)
                # The centred scores' variances: S_ii less twice its row's mean plus the mean of all.
                errors[r] = covariance.diagonal() - 2.0 * means + means.mean()
                np.sqrt(errors[r], out=errors[r])
        scores -= scores.mean(axis=1, keepdims=True)

    def _fit_options(self, has_ties: bool) -> Floats:
        known = self.known
        return np.array(
            [float(known["prior_sd"]) ** -2.0, known["tol"], known["max_iter"], has_ties, 0.0, known["ties"] != "drop"]
        )


class _ByKernel(NamedTuple):
    """A faster way to the scores of a method, and whether it applies to a scorer's options."""

    fill: Callable[[Scorer, Block, Floats, Floats | None], None]
    applies: Callable[[Scorer], bool] = lambda scorer: True


_BY_KERNEL = {
    "tally": _ByKernel(Scorer._tally),
    "win-rate": _ByKernel(Scorer._tally),
    "elo": _ByKernel(Scorer._elo, lambda scorer: scorer.known["n_shuffles"] is None),
    "bradley-terry": _ByKernel(Scorer._bradley_terry, Scorer._is_plain_fit),
}


def _all_pairs(n_items: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """All pairs in compressed rows, whether anybody was asked about them or not."""
    each = np.arange(n_items - 1, -1, -1)
    return np.concatenate([[0], np.cumsum(each)]), np.triu_indices(n_items, 1)[1].astype(np.int32)


def _space(n_items: int, size: int) -> tuple[Floats, ...]:
    return (
        np.zeros((size, size)),
        np.empty((2, n_items * (n_items - 1) // 2)),
        np.zeros(3 * n_items + 10 + size),
        np.zeros(size),
        np.zeros(size * size),
    )


def _errors_of(ranking: Ranking) -> Floats | None:
    try:
        return ranking.standard_errors
    except MissingUncertaintyError:
        return None
