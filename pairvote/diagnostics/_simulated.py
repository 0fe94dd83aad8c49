"""Voters, items, triads and the choice of questions, held against votes simulated from the fitted model."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import wrong_option
from pairvote._common.options import check_jobs
from pairvote._common.parallel import each_answer
from pairvote._common.random import Rng, generator
from pairvote._inference import PriorOption
from pairvote.diagnostics._adaptivity import Adaptivity, Questions, adaptivity_of
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus, check_rate
from pairvote.diagnostics._residuals import Items, items_of, squares_of_items
from pairvote.diagnostics._suspicions import Groups, evidence, inattention
from pairvote.diagnostics._triads import Triads, count_triads, triads_of
from pairvote.diagnostics._voters import Voters, voters_of
from pairvote.errors import InputError
from pairvote.votes._votes import Votes

MOST_SIMULATIONS, FEWEST_SIMULATIONS, LEAST = 499, 199, 99
# A block of simulated votes, and the most single votes in it.
BLOCK, MOST_DRAWN = 50, 1_000_000
# So many times as many votes are drawn at most, where some do not determine the model.
MOST_REDRAWS = 50
# Votes and pairs of items simulated in all.
MOST_SIMULATED = 20_000_000

Statistic = Callable[[Consensus], Sequence[float]]


def simulate(
    consensus: Consensus,
    n_simulations: int | None,
    rng: np.random.Generator,
    statistics: Sequence[Statistic],
    *,
    n_jobs: int = 1,
    progress: bool = False,
) -> list[NDArray[np.float64]]:
    """What each statistic is in votes simulated from the consensus: float64, shape (n_simulations, its length).

    Votes that do not determine the model, such as where one side wins them all, are drawn again.
    """
    if n_simulations is None:
        n_simulations = MOST_SIMULATED // (len(consensus.rows) + consensus.n_items**2)
        n_simulations = min(max(n_simulations, FEWEST_SIMULATIONS), MOST_SIMULATIONS)
    size = min(max(MOST_DRAWN // len(consensus.rows), 1), BLOCK)
    function = partial(_statistics, consensus, statistics)
    found: list[list[Sequence[float]]] = []
    n_drawn = 0
    while len(found) < n_simulations:
        if n_drawn > MOST_REDRAWS * n_simulations:
            raise InputError(
                f"of {n_drawn:,} votes simulated from these only {len(found):,} determine the scores",
                option="votes",
                remedy="there are too few votes to hold them against simulated ones",
            )
        lacking = n_simulations - len(found)
        n_drawn += lacking
        sizes = [min(size, lacking - done) for done in range(0, lacking, size)]
        # Drawn here, one block after the other, so that any number of jobs sees the same votes.
        blocks = ([consensus.simulated(rng) for _ in range(n)] for n in sizes)
        for block in each_answer(function, blocks, n_jobs=n_jobs, progress=progress, n_blocks=len(sizes)):
            found += block
    return [np.array(values, np.float64) for values in zip(*found, strict=True)]


def _statistics(
    consensus: Consensus, statistics: Sequence[Statistic], block: Sequence[NDArray[np.uint8]]
) -> list[list[Sequence[float]]]:
    """The statistics of each draw in a block that determines the model."""
    drawn = [consensus.answered_by(outcome) for outcome in block]
    return [[statistic(votes) for statistic in statistics] for votes in drawn if votes is not None]


def check_simulation(n_simulations: int | None, prior_sd: object) -> None:
    """InputError for a number or a prior that votes cannot be simulated with."""
    if n_simulations is not None and (not is_whole(n_simulations) or n_simulations < LEAST):
        raise wrong_option("n_simulations", n_simulations, f"it is a whole number from {LEAST}, or None")
    learned = isinstance(prior_sd, str) and prior_sd == "learned"
    if not learned and (not is_number(prior_sd) or not 0.0 < prior_sd < np.inf):
        raise wrong_option("prior_sd", prior_sd, "simulated votes need 'learned', or a finite one above 0, such as 3")


def suspicions(groups: Groups) -> Statistic:
    """The largest evidence of each kind against a voter, and that against all of them together."""
    return partial(_suspicions, groups)


def _suspicions(groups: Groups, drawn: Consensus) -> Sequence[float]:
    found = evidence(drawn, groups)
    return *found.largest(), inattention(drawn, groups, found)


def largest_misfit(drawn: Consensus) -> tuple[float]:
    """The largest infit_t of an item."""
    return (float(np.nanmax(squares_of_items(drawn).infit_t)),)


def distance_of(questions: Questions) -> Statistic:
    """How close the items of a question were by the answers before it."""
    return partial(_distance, questions)


def _distance(questions: Questions, drawn: Consensus) -> tuple[float]:
    return (questions.distance(drawn.rows.outcome),)


def n_circular(drawn: Consensus) -> tuple[float]:
    """The number of circular triads."""
    return (float(count_triads(drawn.counts)[0]),)


def voters(
    votes: Votes,
    *,
    rate: float = 0.05,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> Voters:
    r"""Agreement, infit and outfit of each voter, and flags for straight-liners, random answerers and pushers.

    A suspicion is the log-likelihood ratio :math:`\sum \log P_s(x) / P(x)` of the voter's votes x. P is the fitted
    model; :math:`P_s` adds 3 log-odds to one side ("one side"), or to one item ("pushes"), or has all items level
    ("random"). Its p-value is the share of simulated votes in which the largest ratio of any voter is as large, times
    three, for three suspicions, and no less than that of all voters together: of the log-likelihood ratio of voters
    who are of these kinds with the chances that ``bradley_terry(votes, reliability="lapse")`` gives kinds before it
    sees the votes. So one test says whether some do not look, and the single ratios, at the scores of that fit, say
    who.

    Parameters
    ----------
    votes : Votes
    rate : float
        How often an honest vote may have anybody flagged, and all voters together look inattentive.
    n_simulations : int, optional
        From 99; by default 499, of large votes fewer, down to 199.
    rng : None, int or numpy.random.Generator
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`; finite.
    n_jobs : int
        How many processes simulate, -1 for all cores; the answer is the same for any.
    progress : bool
        Show a bar of the simulations.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, votes that do not say who voted, and for more than
        4,000 items.

    References
    ----------
    Neyman and Pearson (1933), Phil. Trans. R. Soc. A 231, for the ratio. Westfall and Young (1993), "Resampling-based
    Multiple Testing", for the largest of all. Wright and Masters (1982), "Rating Scale Analysis", for infit and outfit.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> left = pv.Votes.from_labels(votes.items[:20], votes.items[1:21], ["left"] * 20, voter=["eve"] * 20)
    >>> print(pv.diagnostics.voters(votes + left, rng=1))
    Voters
      31 voters with 20 to 20 answered questions
      they agree with the ranking in 60% to 90% of their votes, 75% on average (72% expected)
      infit 0.59 to 1.36, outfit to 1.86
      1 voter flagged; an honest vote has a flag with a chance of at most 5% (by 499 simulated votes)
      each is attentive with a chance of 0.00 to 1.00, so about 1.7 are not, more than chance explains (p = 0.002)
      voter  votes  left  agreement  infit  attentive  suspected of
      eve       20  100%        60%   1.36       0.00  one side only
    """
    check_rate(rate)
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, criterion, prior_sd)
    groups = Groups.needed(consensus)
    (simulated,) = simulate(
        consensus, n_simulations, generator(rng), [suspicions(groups)], n_jobs=n_jobs, progress=progress
    )
    graded = bool(votes.select(criterion).is_graded.any())
    return voters_of(consensus, groups, simulated, rate, graded=graded)


def items(
    votes: Votes,
    *,
    rate: float = 0.05,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> Items:
    """Infit and outfit of each item, and flags for items whose votes contradict each other.

    Parameters
    ----------
    votes : Votes
    rate : float
        How often an honest vote may have any item flagged.
    n_simulations, rng, criterion, prior_sd, n_jobs, progress
        As in `voters`.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    Wright and Masters (1982), "Rating Scale Analysis", chapter 5.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.items(pv.datasets.baseball(), rng=1))
    Items
      infit 0.88 to 1.05, outfit 0.87 to 1.05
    """
    check_rate(rate)
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, criterion, prior_sd)
    (largest,) = simulate(consensus, n_simulations, generator(rng), [largest_misfit], n_jobs=n_jobs, progress=progress)
    return items_of(consensus, largest[:, 0], rate)


def triads(
    votes: Votes,
    *,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> Triads:
    r"""Circular triads by the majority of each pair, against those of votes simulated from a single ranking.

    With B who beat whom by majority there are :math:`d = \mathrm{tr}(B^3) / 3` of them, and
    :math:`\zeta = 1 - 24 d / (n^3 - n)` for odd n, :math:`1 - 24 d / (n^3 - 4n)` for even n. Of one person's votes on
    all pairs it says how consistent that person is.

    Parameters
    ----------
    votes : Votes
    n_simulations, rng, criterion, prior_sd, n_jobs, progress
        As in `voters`.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    Kendall and Babington Smith (1940), "On the method of paired comparisons", Biometrika 31.

    Examples
    --------
    >>> import pairvote as pv
    >>> circle = pv.Votes.from_wins(["ash", "birch", "cedar"], ["birch", "cedar", "ash"])
    >>> found = pv.diagnostics.triads(circle, rng=1)
    >>> found.circular, found.complete, found.consistence
    (1, 1, 0.0)
    """
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, criterion, prior_sd)
    (circular,) = simulate(consensus, n_simulations, generator(rng), [n_circular], n_jobs=n_jobs, progress=progress)
    return triads_of(consensus, circular[:, 0])


def adaptivity(
    votes: Votes,
    *,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> Adaptivity:
    r"""Test whether questions were chosen by earlier answers, as adaptive samplers do.

    By the answers before question t, item i has the share :math:`s_{ti} = (w + 1) / (m + 2)` of its m answers, w of
    them won. Adaptive samplers ask about items of like standing, which makes small the mean of
    :math:`|s_{ti} - s_{tj}|` over the questions asked, compared with its mean over all pairs at those times. How small
    is too small, votes simulated from the fitted model say, on the same questions in the same order.

    Parameters
    ----------
    votes : Votes
        In the order in which they were cast; in another order the test finds little. A row is one question, whatever
        its weight.
    n_simulations, rng, criterion, prior_sd, n_jobs, progress
        As in `voters`.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    Bramley (2015), "Investigating the reliability of Adaptive Comparative Judgment", Cambridge Assessment research
    report, and Bramley and Vitello (2019), Assessment in Education 26, for what such questions do to reliability.
    Davison and Hinkley (1997), "Bootstrap Methods and their Application", section 4.2, for the test by simulation.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.adaptivity(pv.datasets.baseball(), rng=1))
    Choice of questions
      by earlier answers, the items of a question were 1.30 times as far apart as any two; 1.21 expected (p = 0.91)
      no sign that earlier answers chose the questions
    """
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, criterion, prior_sd)
    questions = Questions.of(consensus)
    (distances,) = simulate(
        consensus,
        n_simulations,
        generator(rng),
        [distance_of(questions)],
        n_jobs=n_jobs,
        progress=progress,
    )
    return adaptivity_of(consensus, questions, distances[:, 0])
