r"""Fits in which some scores are known, on whose scale the others are found.

The parameters are those of `pairvote._inference.anchors`: :math:`\theta = (u, \psi, m, z, 1)` with :math:`u_A = 0`, and
the scores :math:`T \theta`. Under a normal prior :math:`u_i \sim N(0, sd^2)`, :math:`z \sim N(0, I)`, and weak priors
of m and of what else stands beside the scores, Newton's steps lead to the maximum, and the inverse information C of the
parameters that are free to the covariance :math:`T C T'`. It is not centred: the scale has an origin of its own.
Without a prior m is 0 and u is free. Under a learned prior there are draws, as without anchors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference.anchors import Anchors
from pairvote._inference.clustered import ClusterSizes, corrected_gradients
from pairvote._inference.dispersion import MOST_ROUNDS, SAME_DISPERSION, dispersion
from pairvote._inference.entries import AnswerCounts, SingleVotes
from pairvote._inference.held import climb, inverse_over
from pairvote._inference.identification import check_beside
from pairvote._inference.learned import can_sample, sample
from pairvote._inference.limits import Limits
from pairvote._inference.models import Model
from pairvote._inference.outcomes.links import LinkName
from pairvote._inference.plug_in import FIRST_SD, NormalVotes, errors_of, is_honest, spread_error, spread_of
from pairvote._inference.posterior import Learned, Posterior, UncertaintyKind
from pairvote._inference.prior import CENTRAL_ODDS, Prior, PriorOption
from pairvote._inference.robust import LEAST_SHARE, least_freedom, times
from pairvote._inference.solver import Solution
from pairvote._inference.sums import LocalSums, PairSums
from pairvote._inference.systems import dense_information, symmetric
from pairvote._inference.vote_rows import VoteRows
from pairvote.errors import NotIdentifiedError
from pairvote.votes._counts import PairCounts

Floats = NDArray[np.float64]


def fit_anchored(
    anchors: Anchors,
    votes: PairCounts | PairSums,
    ties: str,
    position: bool,
    limits: Limits,
    link: LinkName,
    prior_sd: PriorOption,
    uncertainty: UncertaintyKind,
    rows: VoteRows | None,
    squares: PairSums | None,
    tol: float,
    max_iter: int,
) -> AnchoredPosterior:
    """The fit of votes whose design has the columns of the anchors.

    Raises
    ------
    NotIdentifiedError
        Where no vote joins items to known ones; without a prior where some score has no finite estimate.
    ConvergenceError
        After `max_iter` steps.
    """
    if not isinstance(votes, LocalSums):
        raise TypeError("known scores are for votes in this memory")
    model = Model.of(votes, ties, Prior(precision=0.0), position, limits, link)
    _check(model, anchors, flat=prior_sd == math.inf)
    first = FIRST_SD / model.unit if isinstance(prior_sd, str) else float(prior_sd)
    fitted = _fitted(model, anchors, first, model.start(), tol, max_iter)
    rows = rows if uncertainty in ("by-voter", "clustered") else None
    squared = None if squares is None else replace(model, sums=squares)
    fitted = replace(fitted, uncertainty=uncertainty, rows=rows, squared=squared)
    if votes.spread is not None:
        fitted = _dispersed(fitted, votes, tol, max_iter)
    return _learnt(fitted, tol, max_iter) if isinstance(prior_sd, str) else fitted


def _check(model: Model, anchors: Anchors, *, flat: bool) -> None:
    """NotIdentifiedError where the others have no place on the scale; flat: whether they have no prior."""
    counts, known = model.counts, anchors.is_known
    asked = counts.table @ [1.0, model.outcome.tie_weight, 1.0] > 0.0
    joins = asked & (known[counts.left] != known[counts.right])
    if not known.all() and not joins.any():
        raise NotIdentifiedError(
            "no vote joins an item of known score with one whose score is not known, so the others have no place on "
            "that scale",
            option="known_scores",
            remedy="add such votes, give the scores of items that were asked about, or leave known_scores out",
        )
    if not flat:
        return
    check_beside(*model.likelihood, model.n_decided, model.n_ties, model.sums.sides_won)
    if counts.n_pairs:
        merged = _with_one_known(counts, known)
        LocalSums(merged).check_maximum(model.likelihood.over(merged.n_items), model.n_ties)


def _with_one_known(counts: PairCounts, known: NDArray[np.bool_]) -> PairCounts:
    """The counts as if all known items were one: how far these are apart cannot grow."""
    codes = np.where(known, 0, np.cumsum(~known))
    left = codes[counts.left]
    order = np.argsort(left, kind="stable")
    n_items = 1 + int((~known).sum())
    others = tuple(label for label, is_known in zip(counts.items, known.tolist(), strict=True) if not is_known)
    options = {
        "items": ("the known items", *others),
        "start": np.searchsorted(left[order], np.arange(n_items + 1)).astype(np.int64),
        "right": codes[counts.right][order].astype(np.int32),
        "table": counts.table[order],
        "skipped": np.zeros(n_items),
    }
    if isinstance(counts, AnswerCounts):
        return AnswerCounts._unchecked(**options, answers=counts.answers[order])
    return SingleVotes._unchecked(**options)


def _fitted(model: Model, anchors: Anchors, sd: float, start: Floats, tol: float, max_iter: int) -> AnchoredPosterior:
    """The maximum under a normal prior of this standard deviation."""
    layout, (level, roots, offset) = model.layout, anchors.places(model.layout)
    free = np.zeros(layout.size, bool)
    free[: layout.n_items] = ~anchors.is_known
    free[layout.n_items : offset] = True
    free[level] = not math.isinf(sd) and not anchors.is_known.all()
    precision, centre = np.zeros((layout.size, layout.size)), np.zeros(layout.size)
    if not math.isinf(sd):
        weak, own = Prior.weak_precision(model.outcome), slice(layout.nuisance.stop, level)
        np.fill_diagonal(precision[layout.scores, layout.scores], sd**-2.0)
        np.fill_diagonal(precision[layout.nuisance, layout.nuisance], weak)
        centre[layout.nuisance] = model.outcome.start(CENTRAL_ODDS)
        precision[level, level] = weak
        first = 0 if layout.has_position else 1
        n_own = own.stop - own.start
        # Without votes there are no moments, and of a position effect only the prior speaks.
        moments = model.sums.covariate_moments() if model.counts.table.any() else np.eye(1 + model.layout.n_covariates)
        precision[own, own] = weak * moments[first : first + n_own, first : first + n_own]
    np.fill_diagonal(precision[roots, roots], 1.0)
    start = start.copy()
    start[offset] = 1.0
    places = np.flatnonzero(free)
    chosen = np.ix_(places, places)
    solution = climb(model, start, places, precision[chosen], centre[places], tol, max_iter)
    return AnchoredPosterior(model, solution, anchors=anchors, free=places, precision=precision[chosen], sd=sd)


def _dispersed(fitted: AnchoredPosterior, sums: LocalSums, tol: float, max_iter: int) -> AnchoredPosterior:
    """The posterior of graded votes whose weights are divided by their dispersion."""
    model, known, found = fitted.model, 1.0, fitted
    for _ in range(MOST_ROUNDS):
        now = dispersion(sums, model.likelihood, found.parameters)
        if abs(now - known) <= SAME_DISPERSION * known:
            break
        known = now
        model = replace(model, sums=sums.divided(known))
        totals = model.sums.item_totals()
        n_decided, n_ties = float(totals[:, Outcome.RIGHT].sum()), fitted.model.n_ties / known
        model = replace(model, totals=totals, n_decided=n_decided, n_ties=n_ties)
        found = _fitted(model, fitted.anchors, fitted.sd, found.parameters, tol, max_iter)
    squares = sums if fitted.squared is None else fitted.squared.sums
    if not isinstance(squares, LocalSums):
        raise TypeError("the squares of votes in this memory are elsewhere")
    return replace(
        found,
        uncertainty=fitted.uncertainty,
        rows=None if fitted.rows is None else fitted.rows.divided(known),
        squared=replace(model, sums=squares.divided(known**2)),
        dispersion=known,
    )


@dataclass(frozen=True, eq=False)
class AnchoredPosterior(Posterior):
    """A normal approximation at the maximum, of scores on the scale of known ones.

    free: the places of the parameters that do not stay. precision: of their prior. sd: of the other scores' prior.
    """

    anchors: Anchors = field(kw_only=True)
    free: NDArray[np.intp] = field(kw_only=True)
    precision: Floats = field(kw_only=True)
    sd: float = field(kw_only=True)

    @cached_property
    def to_scores(self) -> Floats:
        """T: float64, shape (n_items, size)."""
        return self.anchors.to_scores(self.model.layout)

    @property
    def scores(self) -> Floats:
        """The scores on the scale of the known ones: float64, shape (n_items,)."""
        return np.asarray(self.to_scores @ self.parameters + self.anchors.origin)

    @property
    def n_known(self) -> int:
        """The number of items of known score."""
        return int(self.anchors.is_known.sum())

    @property
    def prior_sd(self) -> float:
        """The standard deviation of the other scores' prior around their centre."""
        return self.sd

    @property
    def is_posterior(self) -> bool:
        """Whether the other scores have a prior."""
        return not math.isinf(self.sd)

    @property
    def _dense(self) -> bool:
        return True

    @cached_property
    def _inverse(self) -> Floats:
        size = self.model.layout.size
        inverse = np.zeros((size, size))
        chosen = np.ix_(self.free, self.free)
        inverse[chosen] = inverse_over(self.model, self.parameters, self.free, self.precision)
        return inverse

    @cached_property
    def _middle(self) -> tuple[Floats, float, ClusterSizes]:
        """B of the free parameters, the number of votes or clusters that it is a sum over, and their sizes."""
        model, chosen = self.model, np.ix_(self.free, self.free)
        if self.rows is None:
            of = model if self.squared is None else self.squared
            slopes = of.sums.squares(of.likelihood, self.parameters)
            middle = symmetric(dense_information(of.counts, slopes, anchored=False))
            return middle[chosen], 0.5 * float(model.totals[:, :3].sum()), ClusterSizes(math.inf, 1.0)
        gradients = corrected_gradients(model, self.parameters, self.rows, self._inverse)[:, self.free]
        sizes = ClusterSizes.of(model, self.parameters, self.rows)
        return (gradients.T @ gradients).toarray(), float(gradients.shape[0]), sizes

    @cached_property
    def _covariance(self) -> Floats:
        """The covariance of all parameters: C, or C (B + D) C, with up to one vote more as the model has it.

        That vote keeps B from being too small by chance, as in `pairvote._inference.robust`. Here no direction is left
        out, since the scale has an origin.
        """
        if not self.is_robust or not len(self.free):
            return self._inverse
        chosen = np.ix_(self.free, self.free)
        inverse = self._inverse[chosen]
        middle, n_pieces, sizes = self._middle
        of_all = len(inverse) - float((inverse * self.precision).sum())
        of_votes = float((inverse * middle).sum()) / sizes.weight
        part = sizes.weight * max(0.0, 1.0 - 2.0 * of_votes / of_all) / (n_pieces + 1.0) if of_all > 0.0 else 0.0
        whole = np.zeros_like(self._inverse)
        whole[chosen] = inverse @ times(middle + (1.0 - part) * self.precision, inverse) + part * inverse
        return whole

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Degrees of freedom of the t distribution of intervals, on average over the scores."""
        if self.rows is None or not self.is_robust:
            return math.inf
        total = float(self.variances().sum())
        inverse = self.to_scores[:, self.free] @ self._inverse[np.ix_(self.free, self.free)]
        share = 1.0 - float(((inverse @ self.precision) * inverse).sum()) / total if total > 0.0 else 1.0
        return least_freedom(self._middle[2].effective) / max(share, LEAST_SHARE) ** 2

    def covariance(self) -> Floats:
        """Float64, shape (n_items, n_items)."""
        return np.asarray(self.to_scores @ self._covariance @ self.to_scores.T)

    def variances(self) -> Floats:
        """Float64, shape (n_items,)."""
        return np.asarray(((self.to_scores @ self._covariance) * self.to_scores).sum(axis=1))

    def contrast_variance(self, contrast: Floats) -> float:
        """The variance of contrast @ scores, or of contrast @ parameters where it is as long as these."""
        whole = contrast if len(contrast) == self.model.layout.size else self.to_scores.T @ contrast
        return float(whole @ self._covariance @ whole)

    def prior_share(self) -> float:
        """The largest part that the prior has in a difference of others' scores: their variance over the prior's."""
        others = np.flatnonzero(~self.anchors.is_known)
        if not self.is_posterior or len(others) < 2:
            return 0.0
        inverse = self._inverse[np.ix_(others, others)]
        inverse = inverse - inverse.mean(axis=0)
        inverse -= inverse.mean(axis=1, keepdims=True)
        return float(min(np.linalg.eigvalsh(inverse)[-1] / self.sd**2, 1.0))


@dataclass(frozen=True, eq=False)
class AnchoredDraws(AnchoredPosterior):
    """Means, covariances and quantiles of draws on the scale of known scores, `drawn` (n_draws, size).

    The solution holds the means of the draws. Errors without the model are those of the normal approximation, each
    multiplied by what the standard deviation of the draws is to that by the model.
    """

    drawn: NDArray[np.float32] = field(kw_only=True)

    @cached_property
    def _of_scores(self) -> Floats:
        return np.asarray(self.drawn.astype(np.float64) @ self.to_scores.T)

    @property
    def samples(self) -> Floats | None:
        """The draws of the scores: float64, shape (n_draws, n_items); None beside errors without the model."""
        return None if self.is_robust else self._of_scores + self.anchors.origin

    @cached_property
    def _normal(self) -> AnchoredPosterior:
        """The normal approximation at the means of the draws."""
        return AnchoredPosterior(
            self.model,
            self.solution,
            self.uncertainty,
            self.rows,
            self.squared,
            anchors=self.anchors,
            free=self.free,
            precision=self.precision,
            sd=self.sd,
        )

    @cached_property
    def _of_all_scores(self) -> Floats:
        covariance = np.atleast_2d(np.cov(self._of_scores, rowvar=False))
        # What rounding leaves of scores that are known.
        covariance[self.anchors.is_exact] = covariance[:, self.anchors.is_exact] = 0.0
        if not self.is_robust:
            return covariance
        by_model = replace(self._normal, uncertainty="model").variances()
        return _in_units_of(np.diag(covariance), by_model, self._normal.covariance())

    @cached_property
    def _covariance(self) -> Floats:
        covariance = np.atleast_2d(np.cov(self.drawn.astype(np.float64), rowvar=False))
        if not self.is_robust:
            return covariance
        return _in_units_of(np.diag(covariance), np.diag(self._normal._inverse), self._normal._covariance)

    def covariance(self) -> Floats:
        """Float64, shape (n_items, n_items)."""
        return self._of_all_scores.copy()

    def variances(self) -> Floats:
        """Float64, shape (n_items,)."""
        return np.diag(self._of_all_scores).copy()

    def contrast_variance(self, contrast: Floats) -> float:
        """The variance of contrast @ scores, or of a contrast of what is beside them, as long as all parameters."""
        whole = self._covariance if len(contrast) == self.model.layout.size else self._of_all_scores
        return float(contrast @ whole @ contrast)


def _in_units_of(variances: Floats, by_model: Floats, covariance: Floats) -> Floats:
    """A covariance without the model, multiplied by what the standard deviations are to those by the model."""
    unit = np.sqrt(np.divide(variances, by_model, out=np.ones(len(by_model)), where=by_model > 0.0))
    return np.asarray(unit[:, None] * covariance * unit)


@dataclass(frozen=True, eq=False, kw_only=True)
class _AnchoredModel(Model):
    """The model under a normal prior, as the sampler asks for it: what stays, and the prior beside the scores."""

    stays: NDArray[np.bool_]
    beside: Floats

    @property
    def fixed(self) -> NDArray[np.bool_]:
        return self.stays

    @cached_property
    def precision_beside(self) -> Floats:
        return self.beside


def _learnt(fitted: AnchoredPosterior, tol: float, max_iter: int) -> AnchoredPosterior:
    """The posterior under a prior of the others that is learned."""
    model, anchors = fitted.model, fitted.anchors
    others = np.flatnonzero(~anchors.is_known)
    if not len(others):
        return replace(fitted, sd=math.nan)
    votes = NormalVotes.of(_for_sampler(fitted), fitted.solution)
    votes = replace(
        votes, means=votes.means[others], information=votes.information[others], skewness=votes.skewness[others]
    )
    spread = spread_of(votes)
    normal = _fitted(model, anchors, spread, fitted.parameters, tol, max_iter)
    normal = replace(fitted, solution=normal.solution, free=normal.free, precision=normal.precision, sd=spread)
    if not (model.limits.can_draw(model.n_items, model.sums.n_pairs) and can_sample(model)):
        factor = math.exp(min(1.96 * spread_error(votes, spread), 700.0))
        honest = is_honest(errors_of(votes, spread, Prior.of(spread)))
        return replace(normal, learned=Learned(spread, spread / factor, spread * factor, honest))
    draws = sample(Posterior(_for_sampler(normal), normal.solution))
    drawn, n_items = draws.parameters, model.n_items
    # Scores that stay at 0 are where they were before all were centred, if they have votes.
    voted = model.counts.table @ [1.0, model.outcome.tie_weight, 1.0] > 0.0
    asked = np.zeros(n_items, bool)
    asked[model.counts.left[voted]] = asked[model.counts.right[voted]] = True
    drawn[:, :n_items] -= drawn[:, [int(np.flatnonzero(anchors.is_known & asked)[0])]]
    drawn[:, :n_items][:, anchors.is_known] = 0.0
    low, middle, high = np.quantile(draws.spreads(), [0.025, 0.5, 0.975]).tolist()
    learned = Learned(middle, low, high)
    solution = Solution(parameters=drawn.mean(axis=0), n_iter=normal.solution.n_iter)
    if fitted.uncertainty == "none":
        return replace(normal, solution=solution, sd=middle, learned=learned)
    return AnchoredDraws(
        model,
        solution,
        fitted.uncertainty,
        fitted.rows,
        fitted.squared,
        learned,
        fitted.dispersion,
        anchors=anchors,
        free=normal.free,
        precision=normal.precision,
        sd=middle,
        drawn=drawn.astype(np.float32),
    )


def _for_sampler(fitted: AnchoredPosterior) -> _AnchoredModel:
    """The model with the prior of the fit."""
    model, layout = fitted.model, fitted.model.layout
    stays = np.ones(layout.size, bool)
    stays[fitted.free] = False
    whole = np.zeros((layout.size, layout.size))
    whole[np.ix_(fitted.free, fitted.free)] = fitted.precision
    return _AnchoredModel(
        sums=model.sums,
        likelihood=model.likelihood,
        prior=Prior.of(fitted.sd),
        totals=model.totals,
        n_decided=model.n_decided,
        n_ties=model.n_ties,
        limits=model.limits,
        stays=stays,
        beside=whole[layout.beside, layout.beside],
    )
