"""Whether standing on the left helps."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pairvote._common.outcomes import Outcome
from pairvote._inference import Posterior, PriorOption
from pairvote.diagnostics._consensus import PRIOR_SD, answered, both_sides_won, check_votes, known_prior, posterior_of
from pairvote.diagnostics._page import Block, Part, chance
from pairvote.errors import NotIdentifiedError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.votes._given import count_votes
from pairvote.votes._votes import Votes

UNLIKELY = 0.01


@dataclass(frozen=True, eq=False, kw_only=True)
class PositionBias(Part):
    """What standing on the left adds, and whether chance explains it.

    Attributes
    ----------
    effect : float
        In log-odds; infinite where one side won every vote, 0 where all votes are ties.
    standard_error : float
        By the model; infinite where neither or only one side won a vote.
    left_won, right_won : float
        The weight of votes that each side won.
    wald_p : float
        Two-sided, of the effect over its standard error; 1 where these are infinite, for which it is no test.
    ratio : float
        Twice the log-posterior with the effect less that without: about chi-squared with one degree of freedom. Where
        one side won every vote, at least so much.
    ratio_p : float
        The tail of that.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.position_bias(pv.datasets.baseball()))
    Position
      the left side won 154 of 273 decided votes (56.4%)
      standing on the left adds 0.30 log-odds (standard error 0.13; likelihood ratio 5.2, p = 0.023: no clear sign)
    """

    title = "Position"

    effect: float
    standard_error: float
    left_won: float
    right_won: float
    wald_p: float
    ratio: float
    ratio_p: float

    def _blocks(self) -> Iterator[Block]:
        decided = self.left_won + self.right_won
        if not decided:
            yield "no vote was won by either side, so nothing is known of sides"
            return
        share = self.left_won / decided
        yield f"the left side won {self.left_won:,.10g} of {decided:,.10g} decided votes ({share:.1%})"
        yield (
            f"standing on the left adds {self.effect:.2f} log-odds (standard error {self.standard_error:.2f}; "
            f"likelihood ratio {self.ratio:.1f}, {chance(self.ratio_p)}{self._verdict()})"
        )

    def _verdict(self) -> str:
        return "" if self.ratio_p < UNLIKELY else ": no clear sign"

    def _concerns(self) -> Iterator[str]:
        side = "left" if self.effect > 0 else "right"
        if math.isinf(self.effect):
            yield (
                f"the {side} side won every decided vote; if they were written down winner first, nothing is known of "
                "sides, and position=True would take for an effect of the side what is the items'"
            )
        elif self.ratio_p < UNLIKELY:
            yield (
                f"the {side} side is favoured, by {abs(self.effect):.2f} log-odds ({chance(self.ratio_p)}); score with "
                "position=True"
            )


def position_bias(votes: Votes, *, criterion: Hashable | None = None, prior_sd: PriorOption = PRIOR_SD) -> PositionBias:
    """The fitted position effect with its Wald and likelihood-ratio tests.

    Parameters
    ----------
    votes : Votes
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`; with `math.inf` the ratio is that of maximum likelihoods, and with "learned" that under a
        normal prior of the learned spread.

    Raises
    ------
    InputError
        For votes none of which is answered, and for more than 4,000 items.
    NotIdentifiedError
        As `bradley_terry`, but for the position effect.

    References
    ----------
    Davidson and Beaver (1977), Biometrics 33, for the effect. Wilks (1938), Ann. Math. Statist. 9, for the ratio.
    Baseball's home advantage: Agresti (2002), "Categorical Data Analysis", section 10.6.4.

    Examples
    --------
    >>> import math
    >>> import pairvote as pv
    >>> found = pv.diagnostics.position_bias(pv.datasets.baseball(), prior_sd=math.inf)
    >>> round(found.effect, 3), round(found.standard_error, 3), round(found.ratio, 2)
    (0.302, 0.131, 5.41)
    """
    rows = answered(check_votes(votes, criterion))
    counts = count_votes(rows)
    ranking = None
    if both_sides_won(counts.table):
        with suppress(NotIdentifiedError):
            ranking = bradley_terry(counts, prior_sd=prior_sd, position=True)
    if ranking is None:
        ranking = bradley_terry(counts, prior_sd=prior_sd)
    return position_of(ranking, known_prior(ranking, counts))


def position_of(ranking: Ranking, fitted: Posterior) -> PositionBias:
    """The effect of a ranking, and the ratio of a fit under a normal prior; where they have none, one side won all."""
    from scipy.special import xlogy
    from scipy.stats import chi2, norm

    counts, fit = fitted.model.counts, ranking.fit
    without = fitted
    if fitted.model.layout.has_position:
        known = bradley_terry(counts, prior_sd=fitted.model.prior_sd, uncertainty="none")
        without = posterior_of(known)
    level = without.model.log_posterior(without.solution.parameters)
    votes = counts.table.sum(axis=0)
    left, right = float(votes[Outcome.LEFT]), float(votes[Outcome.RIGHT])
    if fit is None or without is fitted:
        # As the effect grows, what is left is who tied: of level scores it has at least this likelihood.
        best = float(xlogy(votes, votes / votes.sum()).sum())
        effect = math.copysign(math.inf, left - right) if left != right else 0.0
        error, wald, ratio = math.inf, 1.0, 2.0 * (best - level) if left != right else 0.0
    else:
        effect, error = fit.position_effect, fit.position_standard_error
        wald = float(2.0 * norm.sf(abs(effect) / error))
        ratio = 2.0 * (fitted.model.log_posterior(fitted.solution.parameters) - level)
    return PositionBias(
        effect=effect,
        standard_error=error,
        left_won=left,
        right_won=right,
        wald_p=wald,
        ratio=max(float(ratio), 0.0),
        ratio_p=float(chi2.sf(max(float(ratio), 0.0), 1)),
    )
