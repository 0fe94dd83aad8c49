"""How far each voter agrees with their own answers: pairs asked again, and circles."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._inference import PriorOption
from pairvote.diagnostics._alike import Floats, Retest
from pairvote.diagnostics._circles import Circles
from pairvote.diagnostics._consensus import (
    PRIOR_SD,
    Consensus,
    added_up,
    answered,
    check_votes,
    known_voters,
    no_voters,
)
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, beside, named
from pairvote.diagnostics._repeats import alike, asked_again
from pairvote.errors import ConvergenceError, NotIdentifiedError
from pairvote.ranking._results import Interval, check_level
from pairvote.votes._votes import Votes


@dataclass(frozen=True, eq=False, kw_only=True)
class Consistency(Part):
    """How far each voter agrees with their own answers: test-retest reliability, and circles.

    What is expected is that of a voter who follows the common scores and answers each question anew: such a voter
    contradicts earlier answers too, mostly on close pairs.

    Attributes
    ----------
    n_repeated : int
        Answers on a pair that the voter had answered before, whichever side its items stood on.
    alike : float
        Test-retest reliability: the share of them that are like the answer before. nan without any.
    by_chance : float
        What it would be by chance, if all of these answers were shuffled.
    expected : float
        What the fitted model expects of it; nan where votes do not determine the model.
    alpha : float
        Krippendorff's alpha of answer and answer before: 1 where all are alike, 0 where no more than by chance. nan
        where all are ties.
    alike_interval, alpha_interval : Interval
        Both ends at `level`, for other voters like these; for a single voter, for other questions.
    level : float
    voters : tuple of labels, length n_voters
        Those who could contradict themselves: who answered a pair again, or all three pairs of three items. Who did so
        most comes first.
    repeated, changed : int64 arrays, shape (n_voters,)
        Answers on a pair that the voter had answered before, and those that differ from the answer before.
    expected_changed : float64 array, shape (n_voters,)
        How many the fitted model expects to differ; nan where votes do not determine the model.
    triads, circular : int64 arrays, shape (n_voters,)
        Threes of items of which the voter answered all three pairs without a tie, each pair by its first answer; and
        those that go in a circle: a beats b, b beats c, c beats a.
    expected_circular : float64 array, shape (n_voters,)
        How many circles the fitted model expects of such questions; nan where votes do not determine the model. A
        coin's are a quarter of the triads.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins([*"abca"], [*"bcab"], voter=["eve"] * 4)
    >>> found = pv.diagnostics.consistency(votes)
    >>> found.voters, found.circular.tolist(), found.triads.tolist(), found.repeated.tolist(), found.changed.tolist()
    (('eve',), [1], [1], [1], [0])
    """

    title = "Voters and their own answers"

    n_repeated: int
    alike: float
    by_chance: float
    expected: float
    alpha: float
    alike_interval: Interval
    alpha_interval: Interval
    level: float
    voters: tuple[Hashable, ...]
    repeated: NDArray[np.int64]
    changed: NDArray[np.int64]
    expected_changed: NDArray[np.float64]
    triads: NDArray[np.int64]
    circular: NDArray[np.int64]
    expected_circular: NDArray[np.float64]

    def _sentences(self) -> Iterator[str]:
        if self.n_repeated:
            yield (
                f"{plural(self.n_repeated, 'answer')} on a pair that the voter had answered before: {self.alike:.0%} "
                f"as before ({self._ends(self.alike_interval, '.0%')}), {self.by_chance:.0%} by chance"
                f"{self._modelled(self.expected, '.0%')}"
            )
        else:
            yield "no voter answered a pair more than once, so nothing is known of test and retest"
        if self.n_repeated and not math.isnan(self.alpha):
            yield f"test-retest alpha {self.alpha:.2f} ({self._ends(self.alpha_interval, '.2f')})"
        n_triads = int(self.triads.sum())
        if n_triads:
            yield (
                f"{self.circular.sum():,} of {plural(n_triads, 'triad')} within a voter's answers "
                f"{'is' if self.circular.sum() == 1 else 'are'} circular, {n_triads / 4:,.1f} by chance"
                f"{self._modelled(float(self.expected_circular.sum()), ',.1f')}"
            )

    def _blocks(self) -> Iterator[Block]:
        yield from self._sentences()
        most = int(((self.changed + self.circular)[:MOST_ROWS] > 0).sum())
        if most:
            yield Table(
                ("voter", "repeated", "changed (expected)", "triads", "circular (expected)"),
                [
                    (
                        named(self.voters[v]),
                        f"{self.repeated[v]:,}",
                        beside(self.changed[v], self.expected_changed[v]),
                        f"{self.triads[v]:,}",
                        beside(self.circular[v], self.expected_circular[v]),
                    )
                    for v in range(most)
                ],
            )
            more = int((self.changed + self.circular > 0).sum()) - most
            if more:
                yield f"and {plural(more, 'more voter')} with a contradiction"

    def _ends(self, interval: Interval, form: str) -> str:
        return f"{self.level:.0%} interval {interval.low:{form}} to {interval.high:{form}}"

    def _modelled(self, value: float, form: str) -> str:
        return "" if math.isnan(value) else f", {value:{form}} expected of voters who follow the scores"


def consistency(
    votes: Votes, *, level: float = 0.95, criterion: Hashable | None = None, prior_sd: PriorOption = PRIOR_SD
) -> Consistency:
    r"""How far each voter agrees with their own answers: pairs asked again, and circles.

    Of each answer on a pair that the voter had answered before, whichever side its items stood on: is it like the
    answer before? A voter by the fitted model, with the chances :math:`p_c` of the outcomes c then and now, answers
    alike with :math:`\sum_c p_c p'_c`. With W the chance that one item beats another, on the pairs that a voter was
    asked about, :math:`\mathrm{tr}(W^3) / 3` circles are expected.

    More alike than expected means that voters remember, or have tastes or a carefulness of their own: a repeated
    answer then says less than one of another voter. Less alike means that their answers are worth less the second time.

    Parameters
    ----------
    votes : Votes
        In the order in which they were cast. A row is one answer, whatever its weight. Answers of unknown voters have a
        part in the fit alone.
    level : float
        Of the intervals.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`, for what is expected.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, votes that do not say who voted, and for more than
        4,000 items.

    Notes
    -----
    The answers of one voter hang together, so the intervals are Wilson's with the variance between voters and a
    quantile of t. Of a single voter they take answers for independent.

    References
    ----------
    Krippendorff (2011), "Computing Krippendorff's alpha-reliability", for alpha. Kendall and Babington Smith (1940),
    "On the method of paired comparisons", Biometrika 31, for circles. Wilson (1927), JASA 22, and Korn and Graubard
    (1998), Survey Methodology 24, for the interval.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.simulate(n_items=6, n_voters=3, votes_each=30, repetitions=1, rng=1).votes(0)
    >>> found = pv.diagnostics.consistency(votes)
    >>> found.n_repeated, round(found.alike, 2), [round(end, 2) for end in found.alike_interval]
    (45, 0.62, [0.32, 0.85])
    >>> found.triads.tolist(), found.circular.tolist()
    ([20, 20, 20], [6, 4, 4])
    """
    check_level(level)
    return consistency_of(answered(check_votes(votes, criterion)), level, prior_sd)


def consistency_of(rows: Votes, level: float, prior_sd: PriorOption = PRIOR_SD) -> Consistency:
    """The consistency of answered votes, some of whose voters are known."""
    known = known_voters(rows)
    if known is None or rows.voter is None:
        raise no_voters()
    votes, who = known
    n_voters = len(votes.voters)
    before, later, changed = asked_again(votes, who)
    first = np.ones(len(votes), bool)
    first[later] = False
    circles = Circles.of(votes.where(first), who[first])
    n_triads, n_circular = (np.rint(circles.by_voter(found, n_voters)).astype(np.int64) for found in circles.counted())
    n_repeated, n_changed = (np.bincount(who[some], minlength=n_voters) for some in (later, later[changed]))
    some = np.flatnonzero((n_repeated > 0) | (n_triads > 0))
    some = some[np.argsort(-(n_changed + n_circular)[some], kind="stable")]
    expected, expected_changed, expected_circular = math.nan, np.full(n_voters, np.nan), np.full(n_voters, np.nan)
    chances = _chances(rows, prior_sd)
    if chances is not None:
        chances = chances[rows.voter >= 0]
        same = alike(votes, chances, before, later)
        expected = float(same.mean()) if len(same) else math.nan
        expected_changed = added_up(who[later], 1.0 - same, n_voters)
        expected_circular = circles.by_voter(circles.expected(chances[first]), n_voters)
    retest = Retest.of(votes, who, before, later)
    return Consistency(
        n_repeated=len(later),
        alike=retest.all.observed,
        by_chance=retest.all.expected,
        expected=expected,
        alpha=retest.all.alpha,
        alike_interval=retest.interval(level, of_alpha=False),
        alpha_interval=retest.interval(level, of_alpha=True),
        level=float(level),
        voters=tuple(votes.voters[code] for code in some.tolist()),
        repeated=n_repeated[some],
        changed=n_changed[some],
        expected_changed=expected_changed[some],
        triads=n_triads[some],
        circular=n_circular[some],
        expected_circular=expected_circular[some],
    )


def _chances(rows: Votes, prior_sd: PriorOption) -> Floats | None:
    """P(right), P(tie) and P(left) of each row by the fitted model, (n_rows, 3); None where votes determine none."""
    try:
        consensus = Consensus.of(rows, None, prior_sd)
    except (NotIdentifiedError, ConvergenceError):
        return None
    return consensus.spread_probabilities[consensus.pair]
