"""What the votes agree on, what it makes of each vote, and the votes as the fitted model might have made them."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.labels import Codes
from pairvote._common.messages import plural, wrong_option
from pairvote._common.outcomes import Outcome
from pairvote._inference import DEFAULT_TIES, LIMITS, Model, Posterior, PriorOption, Ties, refit
from pairvote.errors import InputError, NotIdentifiedError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import count_votes
from pairvote.votes._votes import Votes

# The prior of every diagnostic unless another is asked for: that of `bradley_terry`.
PRIOR_SD: PriorOption = "learned"
# Where a prior is learned, votes are scored again under a normal one of its spread, of this at the least: of scores
# that are nearly level a refit would be as far off as its tolerance lets it.
LEAST_SD = 0.3
# Newton's last step squares what is left, by far less than what chance does; simulated votes may do with less.
TOL, SIMULATED_TOL, MAX_ITER = 1e-6, 1e-3, 100


@dataclass(frozen=True, eq=False, kw_only=True)
class Consensus:
    """Answered votes, and Bradley-Terry with Davidson's ties fitted to them, with a position effect where there is one.

    rows : the answered votes of positive weight
    ranking : their scores, as `bradley_terry` gives them
    fitted : the fit that others are compared with, under the ranking's prior, or where that was learned under a normal
        one of its spread, so that votes can be scored again by the thousand
    pair : (n_rows,), the entry of `counts` that each vote is in
    model, parameters : of these rows; after `simulated` no longer those of `fitted`
    """

    rows: Votes
    ranking: Ranking
    fitted: Posterior
    pair: NDArray[np.intp]
    model: Model
    parameters: NDArray[np.float64]

    @classmethod
    def of(cls, votes: Votes, criterion: Hashable | None, prior_sd: PriorOption) -> Consensus:
        """The consensus of votes; InputError for what cannot be checked."""
        rows = answered(check_votes(votes, criterion))
        counts = count_votes(rows)
        position = both_sides_won(counts.table)
        try:
            ranking = bradley_terry(counts, position=position, prior_sd=prior_sd)
        except NotIdentifiedError:
            if not position:
                raise
            ranking = bradley_terry(counts, prior_sd=prior_sd)
        fitted = known_prior(ranking, counts)
        keys = counts.left.astype(np.int64) * counts.n_items + counts.right
        pair = np.searchsorted(keys, rows.left.astype(np.int64) * counts.n_items + rows.right)
        return cls(
            rows=rows, ranking=ranking, fitted=fitted, pair=pair, model=fitted.model, parameters=fitted.parameters
        )

    @property
    def counts(self) -> PairCounts:
        """The rows by ordered pair."""
        return self.model.counts

    @property
    def n_items(self) -> int:
        """The number of items."""
        return self.rows.n_items

    @property
    def scores(self) -> NDArray[np.float64]:
        """In log-odds: float64, shape (n_items,)."""
        return self.parameters[: self.n_items]

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """The weight of each row."""
        return np.ones(len(self.rows)) if self.rows.weight is None else self.rows.weight

    @cached_property
    def log_odds(self) -> NDArray[np.float64]:
        """The log-odds of the left side of each pair: float64, shape (n_pairs,)."""
        scores = self.scores
        return scores[self.counts.left] - scores[self.counts.right] + self.model.position_effect(self.parameters)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """P(right), P(tie) and P(left) of each pair: float64, shape (n_pairs, 3)."""
        return self.probabilities_at(self.log_odds)

    @cached_property
    def spread_probabilities(self) -> NDArray[np.float64]:
        """P(right), P(tie) and P(left) of each pair, with scores as spread as the strengths are: shape (n_pairs, 3).

        Scores of posterior means spread less. With b the votes' part in a score, 1 - SE^2 / prior_sd^2, and v the
        variance of its estimate, SE^2 / b, scores have the variance b^2 (spread^2 + v).
        """
        side = self.model.position_effect(self.parameters)
        variance = float(self.scores.var(ddof=1)) if self.n_items > 1 else 0.0
        errors = self.fitted.variances()
        part = np.clip(1.0 - errors / self.model.prior_sd**2, 0.0, 1.0)
        spread = max(0.0, variance - float((part * errors).mean()))
        factor = math.sqrt(spread / (variance * float((part**2).mean()))) if spread > 0.0 else 0.0
        return self.probabilities_at(side + factor * (self.log_odds - side))

    @cached_property
    def _thresholds(self) -> NDArray[np.float64]:
        """A uniform number below the first is a vote for the right, one below the second a tie: shape (2, n_rows).

        Chances are those of scores as spread as the strengths, so that scores fitted to simulated votes spread as far
        as those at hand.
        """
        right, tie, _ = self.spread_probabilities.T
        return np.stack([right[self.pair], (right + tie)[self.pair]])

    def probabilities_at(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chances at other differences."""
        return self.model.probabilities(log_odds, self.parameters)

    def table_of(self, rows: NDArray[np.intp] | slice = slice(None), *, turned: bool = False) -> NDArray[np.float64]:
        """The weight of some rows by pair and outcome, or the opposite one: float64, shape (n_pairs, 3)."""
        outcome = self.rows.outcome[rows]
        cells = 3 * self.pair[rows] + (2 - outcome if turned else outcome)
        return added_up(cells, self.weight[rows], 3 * self.counts.n_pairs).reshape(-1, 3)

    def refitted(self, table: NDArray[np.float64], tol: float = TOL) -> Posterior:
        """The fit to other counts of the same pairs."""
        counts = self.fitted.model.counts._changed(table=table)
        return refit(self.fitted, counts, tol=tol, max_iter=MAX_ITER)

    def _determined(self, table: NDArray[np.float64], tol: float) -> Posterior:
        """The fit to other counts; NotIdentifiedError where only its prior keeps the position effect finite."""
        if self.model.layout.has_position and not both_sides_won(table):
            raise NotIdentifiedError("one side won all votes, so they do not determine the position effect")
        return self.refitted(table, tol)

    def scores_of(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores by other counts of the same pairs: float64, shape (n_items,)."""
        try:
            return self._determined(table, TOL).scores
        except NotIdentifiedError:
            # One side won them all, or all are ties: their scores are those without a position effect, or level.
            counts = self.fitted.model.counts._changed(table=table)
            ties: Ties = DEFAULT_TIES if table[:, [Outcome.RIGHT, Outcome.LEFT]].any() else "half"
            return bradley_terry(counts, ties=ties, prior_sd=self.model.prior_sd, uncertainty="none").scores

    def simulated(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Outcomes of the same questions, drawn from the fitted model: shape (n_rows,)."""
        below_tie, below_left = self._thresholds
        point = rng.random(len(self.pair))
        return np.add(point >= below_tie, point >= below_left, dtype=np.uint8)

    def answered_by(self, outcome: NDArray[np.uint8]) -> Consensus | None:
        """Questions with other outcomes, and the model fitted to them; None where they do not determine it."""
        drawn = replace(self, rows=self.rows._changed(outcome=outcome))
        try:
            found = self._determined(drawn.table_of(), SIMULATED_TOL)
        except NotIdentifiedError:
            return None
        return replace(drawn, model=found.model, parameters=found.parameters)


def both_sides_won(table: NDArray[np.float64]) -> bool:
    """Whether each side won a vote of a table by pair and outcome, so that votes can say what a side adds.

    Where one side won all, as where winners were written down first, a position effect would take from the scores what
    is theirs.
    """
    return bool(table[:, [Outcome.RIGHT, Outcome.LEFT]].any(axis=0).all())


def known_prior(ranking: Ranking, counts: PairCounts) -> Posterior:
    """The posterior of a ranking of counts, under a normal prior of about the same spread if its own was learned."""
    fitted = posterior_of(ranking)
    if fitted.learned is None:
        return fitted
    spread = max(fitted.learned.spread, LEAST_SD)
    position = fitted.model.layout.has_position
    return posterior_of(bradley_terry(counts, position=position, prior_sd=spread, start=ranking))


def posterior_of(ranking: Ranking) -> Posterior:
    """The posterior of a ranking by bradley_terry."""
    if ranking.fit is None:
        raise InputError(f"a ranking by {ranking.method!r} has no model of a vote; score with bradley_terry")
    return ranking.fit._posterior


def check_votes(votes: Votes, criterion: Hashable | None) -> Votes:
    """The votes on one criterion; InputError for anything that diagnostics cannot do with."""
    if not isinstance(votes, Votes):
        raise InputError(f"votes is a {type(votes).__name__}; diagnostics look at single votes, so pass Votes")
    votes = votes.select(criterion)
    if votes.share is not None:
        # Votes are held against models of whole ones: a graded vote is taken for the side that it leans to.
        votes = votes._changed(share=None)
    if votes.n_items > LIMITS.table_items:
        raise InputError(
            f"there are {votes.n_items:,} items; diagnostics take up to {LIMITS.table_items:,}, so leave out the least "
            "asked"
        )
    return votes


def answered(votes: Votes) -> Votes:
    """The rows that count; InputError where there are none."""
    counted = votes.outcome != Outcome.SKIP
    if votes.weight is not None:
        counted &= votes.weight > 0
    if not counted.any():
        raise InputError(
            f"there {'is' if len(votes) == 1 else 'are'} {plural(len(votes), 'vote')} and none of them is answered; "
            "pass votes with an outcome"
        )
    return votes.where(counted)


def known_voters(rows: Votes) -> tuple[Votes, Codes] | None:
    """The rows whose voter is known, and the voter of each; None where there are none."""
    if rows.voter is None:
        return None
    known = rows.voter >= 0
    return (rows.where(known), rows.voter[known]) if known.any() else None


def no_voters() -> InputError:
    """The error for votes of which no voter is known."""
    return InputError("these votes do not say who voted", option="voter", remedy="pass voter= when making them")


def pair_keys(votes: Votes) -> NDArray[np.int64]:
    """A number for the pair of each vote, whichever side its items stood on: shape (n_votes,)."""
    low, high = np.minimum(votes.left, votes.right), np.maximum(votes.left, votes.right)
    return low.astype(np.int64) * votes.n_items + high


def folded_outcomes(votes: Votes) -> NDArray[np.uint8]:
    """The outcome of each answered vote, as if the item of the lower code stood on the left: shape (n_votes,)."""
    return np.where(votes.left < votes.right, votes.outcome, 2 - votes.outcome)


def added_up(groups: NDArray[Any], values: NDArray[Any], n_groups: int) -> NDArray[np.float64]:
    """The sum of the values in each group."""
    return np.bincount(groups, values, n_groups).astype(np.float64, copy=False)


def check_rate(rate: float) -> None:
    """InputError unless it is a probability."""
    if not is_number(rate) or not 0.0 < rate < 1.0:
        raise wrong_option("rate", rate, "it is a probability between 0 and 1, such as 0.05")
