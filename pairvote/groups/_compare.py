"""Groups that are known: a ranking of each, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import shorten, wrong_option
from pairvote._common.random import Rng, generator
from pairvote._inference import DEFAULT_TIES, PriorOption, Ties, fit, sums_of
from pairvote.errors import InputError, NotIdentifiedError
from pairvote.groups._comparison import GroupComparison, GroupScores, differences_of
from pairvote.groups._evidence import likelihood_ratio, reassigned, score_test
from pairvote.groups._joint import Joint, fit_jointly
from pairvote.groups._known import Grouped, Groups
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import PriorSd, check_level
from pairvote.ranking._uncertainty import Known, Uncertainty, stretches, symmetric_root
from pairvote.scoring._bradley_terry import bradley_terry, check_models, check_options
from pairvote.votes._given import count_votes, summed
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
# Scores of all groups together that are fitted at once.
MOST_SCORES = 2_000
# Scores are not taken to be more alike than this, in log-odds: where all are level, groups may differ all the same.
LEAST_SPREAD = 0.3
SMALLEST_SD, LARGEST_SD = 1e-3, 1e3
DIFFERENCE_SD = f"it is a number of log-odds, from {SMALLEST_SD} to {LARGEST_SD:,.0f}"
FEWEST_REASSIGNMENTS = 99
# Draws of scores by maximum likelihood.
N_DRAWS = 10_000


def compare_groups(
    votes: Votes,
    groups: Groups,
    *,
    ties: Ties = DEFAULT_TIES,
    prior_sd: PriorOption = "learned",
    difference_sd: float | Literal["learned"] = "learned",
    position: bool = False,
    level: float = 0.95,
    n_reassignments: int = 9_999,
    rng: Rng = None,
    criterion: Hashable | None = None,
) -> GroupComparison:
    r"""Rank by each group of voters on one scale, test whether the groups agree, and say where they do not.

    Item i has the score :math:`s_i + \delta_{gi}` in group g; both parts are normal, and how far the groups differ is
    learned from the votes, so that scores of a small group are drawn to what all groups share. The votes of one voter
    resemble each other, and count for less where they do. The documentation's page on groups has the equations, how
    often differences are found, and how often found where there are none.

    Parameters
    ----------
    votes : Votes
        They must say who voted.
    groups : mapping of voter to group, or array_like of labels, shape (n_votes,)
        Such as ``poll.groups()``; or the group of each row of `votes`, the same in all rows of one voter. Voters whose
        group is not given, or None, are left out, and the result says how many votes that are.
    ties : {"davidson", "rao-kupper", "half", "drop"}
        As in `bradley_terry`. All groups have one tie parameter.
    prior_sd : float or "learned"
        The standard deviation of scores, in log-odds; learned from the votes by default. `math.inf`: maximum likelihood
        of each group by itself, with a tie parameter and a position effect of its own, and errors between voters.
    difference_sd : float or "learned"
        The standard deviation of the difference between two groups' scores of an item, in log-odds.
    position : bool
        Fit what standing on the left adds, for all groups alike.
    level : float
        With which all intervals of differences hold at once.
    n_reassignments : int
        How often voters are dealt out to groups anew, from 99. The least p-value is one over one more than this. Of
        more than 2,000 voters it is fewer, down to 999.
    rng : None, int or numpy.random.Generator
        None: the same draws at every call.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Returns
    -------
    GroupComparison
        ``.rankings["business"]`` is the ranking by one group.

    Raises
    ------
    InputError
        For votes that do not say who voted, a voter in two groups, a group of fewer than two voters with answered
        votes, fewer than two groups, an option out of range, and more than 2,000 scores (items times groups).
    NotIdentifiedError
        Under ``prior_sd=math.inf``, where the votes of a group do not determine its scores.

    Examples
    --------
    >>> import pairvote as pv
    >>> sim = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
    >>> votes = sim.votes(0)
    >>> groups = {voter: ("public", "business")[voter % 2] for voter in votes.voters}
    >>> found = pv.compare_groups(votes, groups)
    >>> found.p_value, found.shared_top(5), found.divisive(2)
    (0.0001, [2, 18, 14], [13, 8])
    >>> found.rankings["business"].top(3)
    [2, 16, 14]
    """
    check_models(ties, "logistic")
    check_options(prior_sd, position, "model", 1e-9, 100)
    _check(prior_sd, difference_sd, n_reassignments)
    check_level(level)
    rng = generator(0 if rng is None else rng)
    grouped = Grouped.of(votes, groups, criterion)
    _check_size(grouped)
    position = bool(position)
    spread = float(prior_sd) if _is_known(prior_sd) else _spread(grouped.votes, ties, position)
    p_value, n_done = reassigned(grouped, spread, ties, position, int(n_reassignments), rng)
    if prior_sd == math.inf:
        found = _apart(grouped, ties, position, rng)
    else:
        sigma = float(prior_sd) if _is_known(prior_sd) else _spread(grouped.apart(), ties, position)
        tau = None if isinstance(difference_sd, str) else float(difference_sd) / math.sqrt(2.0)
        joint, wide = fit_jointly(grouped, sigma, tau, ties, position, rng)
        found = _together(grouped, joint, wide, learned=tau is None)
    items, names = grouped.votes.items, grouped.names
    return GroupComparison(
        items=items,
        groups=names,
        rankings=found.rankings,
        overall=_ranking(grouped.asked, found.shrunken.scores.mean(axis=0), found.overall),
        n_voters=tuple(grouped.n_voters.tolist()),
        n_votes=tuple(np.bincount(grouped.group, minlength=grouped.n_groups).tolist()),
        n_left_out=grouped.n_left_out,
        p_value=p_value,
        n_reassignments=n_done,
        likelihood_ratio=likelihood_ratio(grouped, ties, position),
        score_test=score_test(grouped, ties, position),
        differences=differences_of(items, names, found.shrunken, found.unshrunken, level),
        difference_sd=found.difference_sd,
        design_effect=found.design_effect,
        level=float(level),
        _draws=found.shrunken.draws,
    )


class _Found(NamedTuple):
    """What was found of all groups' scores.

    shrunken: the estimates, where groups are small drawn to what all share. unshrunken: what intervals of differences
    are made of. overall: the uncertainty of the groups' mean.
    """

    rankings: dict[Hashable, Ranking]
    shrunken: GroupScores
    unshrunken: GroupScores
    overall: Uncertainty
    difference_sd: PriorSd
    design_effect: float


def _together(grouped: Grouped, joint: Joint, wide: Joint, *, learned: bool) -> _Found:
    """What a joint fit says of each group."""
    n_groups, n_items = joint.scores.shape
    table = joint.covariance.reshape(n_groups, n_items, n_groups, n_items)
    middle, low, high = (math.sqrt(2.0) * tau for tau in joint.tau)
    return _Found(
        rankings={
            name: _ranking(
                grouped.asked.where(grouped.asked_group == group),
                joint.scores[group],
                Known(np.ascontiguousarray(table[group, :, group]), joint.draws[:, group], is_posterior=True),
            )
            for group, name in enumerate(grouped.names)
        },
        shrunken=_scores_of(joint),
        unshrunken=_scores_of(wide),
        overall=Known(table.mean(axis=(0, 2)), joint.draws.mean(axis=1), is_posterior=True),
        difference_sd=PriorSd(middle, low, high) if learned else PriorSd(middle),
        design_effect=joint.design_effect,
    )


def _scores_of(joint: Joint) -> GroupScores:
    n_groups, n_items = joint.scores.shape
    between = np.einsum("gihi->ghi", joint.covariance.reshape(n_groups, n_items, n_groups, n_items))
    own = np.einsum("ggi->gi", between)
    return GroupScores(joint.scores, np.maximum(own[:, None] + own - 2.0 * between, 0.0), joint.draws)


def _apart(grouped: Grouped, ties: Ties, position: bool, rng: np.random.Generator) -> _Found:
    """What each group's votes say by maximum likelihood, with errors between voters."""
    rankings: dict[Hashable, Ranking] = {}
    for group, name in enumerate(grouped.names):
        votes = grouped.asked.where(grouped.asked_group == group)
        try:
            rankings[name] = bradley_terry(
                votes, ties=ties, prior_sd=math.inf, position=position, uncertainty="by-voter"
            )
        except NotIdentifiedError as error:
            raise NotIdentifiedError(
                f"by group {shorten(name)} alone {error.problem}",
                option="prior_sd",
                value=math.inf,
                remedy="use prior_sd='learned', or leave out what the group was not asked about",
            ) from error
    scores = np.array([ranking.scores for ranking in rankings.values()])
    own = np.array([np.square(ranking.standard_errors) for ranking in rankings.values()])
    draws = np.empty((N_DRAWS, *scores.shape))
    freedom = []
    for group, ranking in enumerate(rankings.values()):
        known = ranking._known_uncertainty()
        freedom.append(known.degrees_of_freedom)
        normals = rng.standard_normal((N_DRAWS, scores.shape[1])) @ symmetric_root(ranking.covariance)
        draws[:, group] = scores[group] + stretches(known.degrees_of_freedom, N_DRAWS, rng)[:, None] * normals
    covariance = np.asarray(sum(ranking.covariance for ranking in rankings.values())) / len(rankings) ** 2
    found = GroupScores(scores, own[:, None] + own, draws)
    return _Found(
        rankings=rankings,
        shrunken=found,
        unshrunken=found,
        overall=Known(covariance, degrees_of_freedom=min(freedom)),
        difference_sd=PriorSd(math.inf),
        design_effect=math.nan,
    )


def _ranking(votes: Votes, scores: Floats, uncertainty: Uncertainty) -> Ranking:
    """Scores of these votes as a ranking."""
    totals, first = summed(votes)
    return Ranking(
        items=votes.items,
        scores=scores,
        unit="log-odds",
        method="bradley-terry",
        _totals=totals,
        _first=first,
        _uncertainty=uncertainty,
        _log_odds_per_unit=1.0,
    )


def _spread(votes: Votes, ties: Ties, position: bool) -> float:
    """The spread that scores have by these votes, as a learned prior has it, in log-odds."""
    counts = count_votes(votes, folded=not position)
    sums = sums_of(votes, counts, folded=not position)
    if not any(sums.sides_won()):
        # Nobody preferred anything, so that scores have no spread to be learned.
        return LEAST_SPREAD
    posterior = fit(sums, ties=ties, prior_sd="learned", position=position)
    return LEAST_SPREAD if posterior.learned is None else max(posterior.learned.spread, LEAST_SPREAD)


def _is_known(prior_sd: PriorOption) -> bool:
    return not isinstance(prior_sd, str) and math.isfinite(prior_sd)


def _check(prior_sd: PriorOption, difference_sd: object, n_reassignments: int) -> None:
    """InputError for an option out of range."""
    if isinstance(difference_sd, str):
        if difference_sd != "learned":
            raise wrong_option("difference_sd", difference_sd, f"{DIFFERENCE_SD}, or 'learned'")
    elif not is_number(difference_sd) or not SMALLEST_SD <= difference_sd <= LARGEST_SD:
        raise wrong_option("difference_sd", difference_sd, f"{DIFFERENCE_SD}, or 'learned'")
    elif prior_sd == math.inf:
        raise InputError(
            f"difference_sd is {difference_sd:g} and prior_sd is infinite, which fits each group by itself",
            option="difference_sd",
            value=difference_sd,
            remedy="leave it out, or set a finite prior_sd",
        )
    if not isinstance(prior_sd, str) and math.isfinite(prior_sd) and not SMALLEST_SD <= prior_sd <= LARGEST_SD:
        raise wrong_option(
            "prior_sd", prior_sd, f"it is from {SMALLEST_SD} to {LARGEST_SD:,.0f}, math.inf for none, or 'learned'"
        )
    if not is_whole(n_reassignments) or n_reassignments < FEWEST_REASSIGNMENTS:
        raise wrong_option(
            "n_reassignments", n_reassignments, f"it is a whole number from {FEWEST_REASSIGNMENTS}, such as 9999"
        )


def _check_size(grouped: Grouped) -> None:
    """InputError for more scores than are fitted at once."""
    n_scores = grouped.n_groups * grouped.n_items
    if n_scores > MOST_SCORES:
        raise InputError(
            f"there are {grouped.n_items:,} items and {grouped.n_groups} groups, which makes {n_scores:,} scores; up "
            f"to {MOST_SCORES:,} are compared",
            option="groups",
            value=n_scores,
            remedy="compare fewer groups, or votes on fewer items",
        )
