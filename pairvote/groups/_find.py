"""Camps that are not known: how many there are, who is in them and what they think."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import wrong_option
from pairvote._common.options import check_flag
from pairvote._common.random import Rng, generator
from pairvote.groups._camps import NAMES, Camps
from pairvote.groups._find_cells import VoterCells
from pairvote.groups._find_mixture import Mixture
from pairvote.groups._find_number import SMALLEST_CAMP, held_out, mixtures
from pairvote.groups._map import map_of
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.votes._given import count_votes
from pairvote.votes._votes import Votes

# A chance of a camp below this is none, so that no votes of nothing are ranked.
LEAST_CHANCE = 1e-6


def find_groups(
    votes: Votes,
    *,
    max_groups: int = 4,
    position: bool = False,
    criterion: Hashable | None = None,
    rng: Rng = None,
) -> Camps:
    r"""Find camps of voters who see the items differently, or say that there is one camp.

    Each voter belongs to one of K camps, with scores of its own, or answers by a coin. Camps and who is in them are
    fitted together, as a mixture of Bradley-Terry models over voters. K is found by votes held out: a fifth of each
    voter's pairs is predicted from the others, five times. More camps are taken only if they make the held-out votes 20
    times as likely, and if the gain is more than two and a half standard errors between
    voters.

    30 voters with 20 votes each are enough for two camps whose scores of an item differ with a standard deviation of
    1.5 log-odds or more. Camps that differ less are missed.

    Parameters
    ----------
    votes : Votes
        Votes of unknown voters are left out.
    max_groups : int
        The most camps to try, from 1 to 10. A camp is of at least two voters.
    position : bool
        Whether standing on the left may add something, alike for all voters.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    rng : None, int or numpy.random.Generator
        Fits begin where the votes suggest, and at a few divisions by chance, which hardly matter.

    Returns
    -------
    Camps
        ``.n_groups``, ``.rankings``, ``.membership``, ``.groups``, ``.questions()`` and ``.map``. The rankings take as
        known how likely each voter is in each camp. The camps were made from these votes, so that a test on the same
        votes whether they agree, such as by `compare_groups`, says nothing.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, votes that do not say who voted, and for more than
        500 items.
    ConvergenceError
        For weights of which some are ever so many times as large as others.

    References
    ----------
    Croon and Luijkx (1993), "Latent structure models for ranking data", in: Fligner and Verducci, "Probability Models
    and Statistical Analyses for Ranking Data". Smyth (2000), "Model selection for probabilistic clustering using
    cross-validated likelihood", Statistics and Computing 10.

    Examples
    --------
    >>> import pairvote as pv
    >>> two = pv.VoterModel(clusters=2, cluster_sd=1.5)
    >>> votes = pv.simulate(votes_each=40, voters=two, repetitions=1, rng=1).votes(0)
    >>> camps = pv.find_groups(votes, rng=1)
    >>> camps.n_groups, [ranking.top(2) for ranking in camps.rankings]
    (2, [[13, 21], [14, 6]])
    >>> pv.find_groups(pv.datasets.kalmar().simulated_votes(rng=2014), rng=1).n_groups
    1
    """
    if not is_whole(max_groups) or not 1 <= max_groups <= len(NAMES):
        raise wrong_option("max_groups", max_groups, f"it is a whole number from 1 to {len(NAMES)}")
    check_flag("position", position)
    number = generator(rng)
    cells = VoterCells.of(votes, criterion, position=bool(position))
    most = max(min(int(max_groups), cells.n_voters // SMALLEST_CAMP), 1)
    held = held_out(cells, most, number)
    fitted = mixtures(cells, held.number(), number)[-1].largest_first()
    gains = [held.gain(groups) for groups in range(2, most + 1)]
    return Camps(
        items=cells.rows.items,
        voters=cells.voters,
        rankings=_rankings(cells, fitted, position=bool(position)),
        membership=fitted.chances,
        attentive=fitted.attentive,
        n_votes=np.bincount(cells.voter, minlength=cells.n_voters),
        log_likelihood=held.log_chances.sum(axis=1) / cells.n_votes,
        gain=np.array([0.0, *(gain for gain, _ in gains)]),
        gain_error=np.array([0.0, *(error for _, error in gains)]),
        map=map_of(cells),
    )


def _rankings(cells: VoterCells, fitted: Mixture, *, position: bool) -> tuple[Ranking, ...]:
    """A ranking for each camp."""
    if fitted.n_groups == 1:
        return (bradley_terry(cells.rows, position=position),)
    weight = np.ones(len(cells.rows)) if cells.rows.weight is None else cells.rows.weight
    return tuple(
        _weighted(cells.rows, weight * chance[cells.voter], position=position)
        for chance in fitted.chances.T * fitted.attentive
    )


def _weighted(rows: Votes, weight: NDArray[np.float64], *, position: bool) -> Ranking:
    """The ranking of votes that count for so much."""
    counted = weight > LEAST_CHANCE
    counts = count_votes(rows.where(counted)._changed(weight=weight[counted]), folded=not position)
    return bradley_terry(counts, position=position)
