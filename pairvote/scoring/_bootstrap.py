"""Standard errors for any scorer: score the votes again as they might have been."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote._common.options import check_jobs
from pairvote._common.outcomes import Outcome
from pairvote._common.parallel import run_blocks
from pairvote._common.random import Rng, generator
from pairvote._inference import (
    CUMULATIVE,
    LIMITS,
    SIDES_AND_TIE,
    AnswerCounts,
    Answered,
    Posterior,
    answer_counts,
    answered,
    as_whole,
    left_by_refits,
    refit,
    sides,
    under_normal_prior,
)
from pairvote.errors import InputError, NotIdentifiedError, PairvoteError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._uncertainty import Known, symmetric_root
from pairvote.scoring._criteria import shares_of, votes_on
from pairvote.scoring._methods import Need, rank, scorer_named
from pairvote.scoring._rows import lots_of, with_clusters, with_sampling_weights
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import count_votes
from pairvote.votes._votes import Votes

By = Literal["vote", "voter"] | ArrayLike
Draw = Callable[[np.random.Generator], Any]
Score = Callable[[Any, np.random.Generator], NDArray[np.float64]]
# Each block has random numbers of its own: its size has a part in the result, the number of jobs has none.
BLOCK_SIZE = 50
# For each resample that is wanted.
MOST_DRAWS = 20
MANY_ALIKE = 8
# Newton's last step squares what is left, and chance has moved the scores by far more.
NEARBY_TOL = 1e-6


def bootstrap(
    votes: Votes,
    method: str = "bradley-terry",
    *,
    n_resamples: int = 1000,
    by: By = "vote",
    rng: Rng = None,
    criterion: Hashable | None = None,
    n_jobs: int = 1,
    progress: bool = False,
    **options: Any,
) -> Ranking:
    """Rank by any scorer, with standard errors from resampling the votes.

    The scores are the scorer's own. The covariance is that of the centred scores of `n_resamples` sets of
    votes, each as large as the real one and drawn from it with replacement; `Ranking.top_k_probability` is
    the share of these sets in which an item is among the best k. Drawn votes keep their time order, which
    matters to Elo. What the scorer does not count is not drawn: skips, votes of weight zero, and ties under
    ``ties="drop"``. A vote of weight 2 is drawn as one vote.

    Under a learned prior, resamples are scored under a normal prior of the learned spread. Scores that a prior draws
    together vary less than they are uncertain. So what the posterior's covariance has beside the variance of such
    scores, where the model holds, is added to each resample as a normal deviation.

    A resample may leave out all votes on an item, or all that lead from some items to the others. What a scorer
    then says of it is the prior's, or Elo's initial rating, and no estimate; so resamples are drawn again until
    their votes connect all items (for the win rate: until every item is asked about; a tally of nothing is 0, as
    it should be). A resample that has no scores, such as one of ties alone, or under ``prior_sd=math.inf`` one in which
    an item won every vote, is drawn again too. That makes the draws conditional: of an item with m votes,
    m / (1 - exp(-m)) are drawn on average instead of m. With 5 votes that is 0.7% more, with 2 votes 16%, so standard
    errors of items with one or two votes are somewhat too small.

    Parameters
    ----------
    votes : Votes
    method : str
        The scorer, by its name in `pairvote.rank`.
    n_resamples : int
        From 2. The standard error of a standard error is about its size / sqrt(2 n_resamples).
    by : {"vote", "voter"} or array_like of labels, shape (n_votes,)
        What is drawn: single votes, or voters with all their votes. "voter" holds also where one person's
        votes resemble each other more than those of two people. Labels, one for every row of `votes`, are of other
        clusters that are drawn whole, such as prompts or sessions.
    rng : None, int or numpy.random.Generator
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    n_jobs : int
        How many processes score resamples, as joblib counts: -1 for one on each core. The result is the same,
        from about 128 items on up to rounding (1e-15), which depends on how many threads the linear algebra has.
    progress : bool
        Show a bar on standard error.
    **options
        Options of the scorer.

    Returns
    -------
    Ranking
        As the scorer gives it, with the standard errors of the bootstrap in place of its own.

    Raises
    ------
    InputError
        For an option out of range, for PairCounts, for covariates, for fewer than two votes, voters or clusters to
        draw from, for more than 4,000 items, and for votes whose voter or cluster is not known.
    NotIdentifiedError
        Where the votes do not connect all items, or fewer than about one resample in 20 can be scored.

    References
    ----------
    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", algorithm 6.1. By voter, the cluster
    bootstrap: Davison and Hinkley (1997), "Bootstrap Methods and their Application", section 3.8.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash"] * 30 + ["birch"] * 20, ["birch"] * 30 + ["ash"] * 20)
    >>> ranking = pv.bootstrap(votes, "tally", rng=0)
    >>> ranking.scores.tolist(), ranking.standard_errors.round(1).tolist()
    ([30.0, 20.0], [3.5, 3.5])
    >>> float(ranking.top_k_probability(1)[0]) > 0.8
    True
    """
    rng = generator(rng)
    scorer = scorer_named(method)
    if not isinstance(votes, Votes):
        raise InputError(f"votes is a {type(votes).__name__}; a bootstrap draws single votes, so pass Votes")
    if not is_whole(n_resamples) or n_resamples < 2:
        raise InputError(f"n_resamples is {shorten(n_resamples)}; it is a whole number from 2, such as 1000")
    if isinstance(by, str) or by is None:
        if by not in ("vote", "voter"):
            raise wrong_option("by", by, "use 'vote' or 'voter', or an array with one label for every vote")
        what = str(by)
    else:
        # Clusters stand in the place of voters, so that they are chosen with their votes.
        votes, what = with_clusters(votes, by, "by"), "cluster"
    check_jobs(n_jobs, progress)
    if votes.n_items > LIMITS.table_items:
        raise InputError(
            f"there are {votes.n_items:,} items; a bootstrap takes up to {LIMITS.table_items:,}, so score fewer"
        )
    not_drawn = ("covariates", "item_covariates", "known_scores")
    beside = next((name for name in not_drawn if options.get(name) is not None), None)
    if beside is not None:
        raise InputError(
            f"{beside} is given, which a bootstrap does not draw with the votes; take the standard errors of "
            "bradley_terry with uncertainty='sandwich' or 'by-voter'"
        )
    if options.get("clusters") is not None:
        raise InputError(
            "clusters is given, and a bootstrap draws what by= says", option="clusters", remedy="pass them as by="
        )
    if "rng" in scorer.options:
        options["rng"] = rng
    estimate = rank(votes, method, **options, **({} if criterion is None else {"criterion": criterion}))
    options = {**scorer.options, **options}
    criteria, given = options.get("criteria"), votes
    votes = _counted(votes.select(criterion) if criteria is None else votes_on(votes, criteria), options)
    if options.get("weights") == "sampling" and criteria is None:
        # In the units of all votes; a resample's own would be as long.
        votes = with_sampling_weights(votes, 0.0 if options["ties"] == "drop" else 1.0)
    lot, n_lots = lots_of(votes, what)
    if n_lots < 2:
        raise InputError(f"the answered votes give {plural(n_lots, what)} to draw from; a bootstrap needs at least 2")
    whole = _Whole(scorer.needs, tuple(criteria or ()))
    whole.check(votes)

    answers = _answers(votes, options)
    if answers is not None and answers.n_answers <= SIDES_AND_TIE and criteria is None:
        votes, answers = as_whole(votes, answers), None
    draw: Draw = _InOrder(votes, lot, n_lots)
    if not scorer.uses_order and criteria is None:
        draw = _AddedUp.of(votes, lot, what, answers, folded=not options.get("position"))
    fits = _Fits.of(estimate, given, options)
    score: Score = partial(_score, scorer.function, options) if fits is None else fits
    function = partial(_score_block, draw, whole, score)
    scored = run_blocks(function, _blocks(int(n_resamples), rng), n_jobs=n_jobs, progress=progress)
    samples = _samples(scored, int(n_resamples))
    if fits is not None:
        samples += fits.left(len(samples), rng.spawn(1)[0])
    fit = None if estimate.fit is None else replace(estimate.fit, uncertainty="bootstrap")
    return replace(estimate, fit=fit, _uncertainty=Known.of_samples(samples))


def _counted(votes: Votes, options: Mapping[str, Any]) -> Votes:
    """The votes that a scorer counts."""
    counted = votes.outcome != Outcome.SKIP
    if options.get("ties") == "drop":
        counted &= ~votes._tied
    if votes.weight is not None:
        counted &= votes.weight > 0
    return votes.where(counted)


def _answers(votes: Votes, options: Mapping[str, Any]) -> Answered | None:
    """The answers of graded votes, where these have thresholds of their own."""
    return answered(votes) if options.get("ties") == CUMULATIVE and votes.is_graded.any() else None


@dataclass(frozen=True, eq=False)
class _InOrder:
    """Draws votes, each lot with all its votes, in time order."""

    votes: Votes
    lot: NDArray[np.intp]
    n_lots: int

    def __call__(self, rng: np.random.Generator) -> Votes:
        times_drawn = np.bincount(rng.integers(self.n_lots, size=self.n_lots), minlength=self.n_lots)
        return self.votes._take(np.repeat(np.arange(len(self.votes)), times_drawn[self.lot]))


@dataclass(frozen=True, eq=False)
class _AddedUp:
    """Draws votes and adds them up by pair.

    Lots of one kind are alike, so it only matters how often each kind is drawn, and the table is linear in that.

    counts : those of all votes
    content : sparse, shape (n_answers n_pairs, n_kinds); what a lot of each kind adds to their table
    kind : shape (n_lots,); that of each lot
    many_alike : from so many lots of a kind on, drawing how often each kind comes up costs less than drawing every lot
    """

    counts: PairCounts
    content: Any
    kind: NDArray[np.intp]
    many_alike: int = MANY_ALIKE

    @classmethod
    def of(
        cls, votes: Votes, lot: NDArray[np.intp], what: str, answers: Answered | None = None, *, folded: bool
    ) -> _AddedUp:
        """Two votes are alike if their pair, outcome, share and weight are the same; no two voters are."""
        from scipy.sparse import csr_array

        left, right = votes.left.astype(np.int64), votes.right
        # The part of each vote that its outcome gets; the other side gets the rest.
        part = np.ones(len(votes))
        counts: PairCounts
        if answers is not None:
            counts, outcome, n_answers = answer_counts(votes, answers, folded=folded), answers.answer, answers.n_answers
        else:
            counts, outcome, n_answers = count_votes(votes, folded=folded), votes.outcome, 3
        if votes.share is not None and answers is None:
            part = np.where(votes.is_graded, votes.share, part)
            outcome = np.where(votes.is_graded, np.uint8(Outcome.LEFT), outcome)
        if folded:
            swapped = left > right
            left, right = np.where(swapped, right, left), np.where(swapped, left, right)
            outcome = np.where(swapped, n_answers - 1 - outcome, outcome)
        pairs = counts.left.astype(np.int64) * counts.n_items + counts.right
        cell = n_answers * np.searchsorted(pairs, left * counts.n_items + right) + outcome
        weight = np.ones(len(votes)) if votes.weight is None else votes.weight
        if what != "vote":
            kind, holder = np.arange(lot.max() + 1), lot
        else:
            alike, code = np.unique(weight, return_inverse=True)
            if votes.share is not None:
                parts, of_part = np.unique(part, return_inverse=True)
                alike, code = np.unique(code * len(parts) + of_part, return_inverse=True)
            _, first, kind = np.unique(cell * len(alike) + code, return_index=True, return_inverse=True)
            holder, cell, weight, part = np.arange(len(first)), cell[first], weight[first], part[first]
        shape = (n_answers * counts.n_pairs, int(holder.max()) + 1)
        rest = part < 1.0
        entries = np.concatenate([weight * part, (weight - weight * part)[rest]])
        # The opposite outcome stands in the same group of three.
        places = np.concatenate([cell, (2 * (cell - cell % 3) + 2 - cell)[rest]]), np.append(holder, holder[rest])
        return cls(counts, csr_array((entries, places), shape=shape), kind)

    def __call__(self, rng: np.random.Generator) -> PairCounts:
        n_lots, n_kinds = len(self.kind), self.content.shape[1]
        if n_lots > self.many_alike * n_kinds:
            times_drawn = rng.multinomial(n_lots, self._shares)
        else:
            times_drawn = np.bincount(self.kind[rng.integers(n_lots, size=n_lots)], minlength=n_kinds)
        counts = self.counts
        n_answers = counts.n_answers if isinstance(counts, AnswerCounts) else 3
        table = (self.content @ times_drawn).reshape(-1, n_answers)
        met = table @ np.ones(n_answers) > 0.0
        n_before, table = np.concatenate([[0], np.cumsum(met)]), table.compress(met, axis=0)
        own = {"start": n_before[counts.start], "right": counts.right[met]}
        if isinstance(counts, AnswerCounts):
            return counts._changed(table=sides(table), answers=table, **own)
        return counts._changed(table=table, **own)

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        return np.bincount(self.kind) / len(self.kind)


def _score(
    function: Callable[..., Ranking], options: Mapping[str, Any], votes: Votes | PairCounts, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The scores of a resample."""
    return function(votes, **({**options, "rng": rng} if "rng" in options else options)).scores


@dataclass(frozen=True, eq=False)
class _Fits:
    """Scores resamples by the models that were fitted to all votes: one, or one for each criterion."""

    fitted: tuple[Posterior, ...]
    options: Mapping[str, Any]
    shares: tuple[NDArray[np.float64] | None, ...] = ()

    @classmethod
    def of(cls, estimate: Ranking, votes: Votes, options: Mapping[str, Any]) -> _Fits | None:
        """Those of an estimate; None where nothing is fitted."""
        if estimate.fit is not None:
            return cls((estimate.fit._posterior,), options)
        criteria = options.get("criteria")
        if criteria is None or estimate.method != "bradley-terry":
            return None
        alone = {name: value for name, value in options.items() if name not in ("criteria", "criterion")}
        rankings = [rank(votes, estimate.method, criterion=label, **alone) for label in criteria]
        answers = [_answers(_counted(votes.select(label), options), options) for label in criteria]
        shares = tuple(None if own is None else own.shares for own in answers)
        return cls(tuple(ranking.fit._posterior for ranking in rankings if ranking.fit is not None), options, shares)

    @cached_property
    def _normal(self) -> tuple[Posterior, ...]:
        return tuple(map(under_normal_prior, self.fitted))

    @property
    def _weights(self) -> NDArray[np.float64]:
        return shares_of(self.options["criteria"]) if self.options["criteria"] else np.ones(1)

    def __call__(self, resample: Votes | PairCounts, rng: np.random.Generator) -> NDArray[np.float64]:
        """The scores of a resample."""
        tol, max_iter = max(self.options["tol"], NEARBY_TOL), self.options["max_iter"]
        scores = [
            refit(normal, counts, tol=tol, max_iter=max_iter).scores
            for normal, counts in zip(self._normal, self._counts(resample), strict=True)
        ]
        return np.asarray(self._weights @ scores)

    def _counts(self, resample: Votes | PairCounts) -> list[PairCounts]:
        if isinstance(resample, PairCounts):
            return [resample]
        parts = [resample.select(label) for label in self.options["criteria"]]
        if self.options["weights"] == "sampling":
            parts = [with_sampling_weights(part, 0.0 if self.options["ties"] == "drop" else 1.0) for part in parts]
        folded = not self.options["position"]
        return [
            count_votes(part, folded=folded)
            if shares is None
            else count_votes(as_whole(part, answered(part, shares)), folded=folded)
            if len(shares) <= SIDES_AND_TIE
            else answer_counts(part, answered(part, shares), folded=folded)
            for part, shares in zip(parts, self.shares, strict=True)
        ]

    def left(self, n_resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """What scores may differ by, beside what resamples do, under learned priors: (n_resamples, n_items) or 0."""
        left = [
            weight**2 * left_by_refits(fitted)
            for weight, fitted in zip(self._weights, self.fitted, strict=True)
            if fitted.learned is not None
        ]
        if not left:
            return np.zeros(1)
        root = symmetric_root(np.sum(left, axis=0))
        return rng.standard_normal((n_resamples, len(root))) @ root


@dataclass(frozen=True, eq=False)
class _Whole:
    """Whether votes say something of every item, on each of several criteria, so that no prior need speak for one."""

    needs: Need
    criteria: tuple[Hashable, ...]

    def __call__(self, votes: Votes | PairCounts) -> bool:
        return not any(self.needs.unknown(part).any() for part in self._parts(votes))

    def check(self, votes: Votes) -> None:
        """NotIdentifiedError where the votes themselves do not."""
        for part in self._parts(votes):
            unknown = np.flatnonzero(self.needs.unknown(part))
            if len(unknown):
                item, first = (shorten(votes.items[code]) for code in (unknown[0], 0))
                raise NotIdentifiedError(
                    f"{self.needs.gap.format(item=item, first=first)}, which no resampling makes up for; leave out "
                    "items without votes, and bootstrap each component by itself"
                )

    def _parts(self, votes: Votes | PairCounts) -> list[Votes | PairCounts]:
        if isinstance(votes, PairCounts) or not self.criteria:
            return [votes]
        return [votes.select(label) for label in self.criteria]


class _Block(NamedTuple):
    """So many resamples, and random numbers of their own."""

    size: int
    rng: np.random.Generator


def _blocks(n_resamples: int, rng: np.random.Generator) -> list[_Block]:
    firsts = range(0, n_resamples, BLOCK_SIZE)
    return [
        _Block(min(BLOCK_SIZE, n_resamples - first), child)
        for first, child in zip(firsts, rng.spawn(len(firsts)), strict=True)
    ]


class _Scored(NamedTuple):
    """What became of a block; the first error of a resample that was whole and had no scores."""

    scores: list[NDArray[np.float64]]
    n_drawn: int
    failure: PairvoteError | None


def _score_block(draw: Draw, whole: _Whole, score: Score, block: _Block) -> _Scored:
    """Draw until as many whole resamples are scored as the block is to have."""
    scores: list[NDArray[np.float64]] = []
    failure: PairvoteError | None = None
    n_drawn = 0
    while len(scores) < block.size and n_drawn < MOST_DRAWS * block.size:
        resample = draw(block.rng)
        n_drawn += 1
        if whole(resample):
            try:
                scores.append(score(resample, block.rng))
            except PairvoteError as error:
                failure = error if failure is None else failure
    return _Scored(scores, n_drawn, failure)


def _samples(scored: Sequence[_Scored], n_resamples: int) -> NDArray[np.float64]:
    """The scores of all resamples: shape (n_resamples, n_items)."""
    samples = [scores for block in scored for scores in block.scores]
    if len(samples) == n_resamples:
        return np.array(samples)
    n_drawn = sum(block.n_drawn for block in scored)
    failure = next((block.failure for block in scored if block.failure is not None), None)
    if failure is None:
        raise NotIdentifiedError(
            f"only {len(samples):,} of {n_drawn:,} resamples have votes enough to compare all items, too few to speak "
            "for all of them; collect more votes, or take the standard errors of bradley_terry"
        )
    raise type(failure)(
        f"only {len(samples):,} of {n_drawn:,} resamples can be scored, too few to speak for all of them, the first "
        f"not since {failure}"
    ) from failure
