"""Bradley-Terry and its kin: the scores that make the votes most likely."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.labels import as_array
from pairvote._common.messages import wrong_option
from pairvote._common.options import check_flag
from pairvote._inference import (
    CUMULATIVE,
    LIMITS,
    MODELS_BY_LINK,
    NOTHING,
    SIDES_AND_TIE,
    Answered,
    Limits,
    LinkName,
    LocalSums,
    PairSums,
    Posterior,
    PriorOption,
    Start,
    Ties,
    UncertaintyKind,
    answer_counts,
    answered,
    as_whole,
    check_determined,
    fit,
    outcome_model,
    single_votes,
    sums_of,
)
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import Fit
from pairvote.ranking._units import UNIT_OF_LINK
from pairvote.scoring._criteria import combine
from pairvote.scoring._features import ItemCovariates, features_of, ranking_by_features, with_columns, with_features
from pairvote.scoring._known_scores import KnownScores, anchors_of
from pairvote.scoring._reliability import RELIABILITIES, Reliability, answers_of, voters_of
from pairvote.scoring._rows import WEIGHTS, Weights, check_clusters, counted_rows, squared, with_sampling_weights
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import Elsewhere, as_counts, as_counts_or_votes, summed
from pairvote.votes._votes import Votes

# Newton's method finds back from anywhere in between, but further out sums of squares overflow.
LARGEST_START = 1e6
MOST_STEPS = 2**31 - 1
SMALLEST_PRIOR_SD = 1e-100
LEARNED = "learned"
UNCERTAINTIES: tuple[UncertaintyKind, ...] = get_args(UncertaintyKind)


def bradley_terry(
    votes: Votes | PairCounts,
    *,
    ties: Ties = "davidson",
    link: LinkName = "logistic",
    prior_sd: PriorOption = "learned",
    position: bool = False,
    covariates: ArrayLike | None = None,
    uncertainty: UncertaintyKind | None = None,
    clusters: ArrayLike | None = None,
    weights: Weights = "counts",
    start: Ranking | ArrayLike | None = None,
    tol: float = 1e-9,
    max_iter: int = 100,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
    reliability: Reliability | None = None,
    item_covariates: ItemCovariates | None = None,
    known_scores: KnownScores | None = None,
) -> Ranking:
    r"""Rank by Bradley-Terry scores: :math:`\log(P(i) / P(j)) = s_i - s_j` for any two items.

    By default the scores are posterior means under a prior whose spread and shape are learned from the votes. With a
    number for `prior_sd` they maximise the log-likelihood of the votes less
    :math:`\sum_i s_i^2 / (2\,prior\_sd^2)`. Their mean is zero. Both priors and the models of ties are derived on the
    documentation's page of equations.

    Parameters
    ----------
    votes : Votes or PairCounts
    ties : {"davidson", "rao-kupper", "glenn-david", "cumulative", "half", "drop"}
        What a tie says. "davidson": the scores are close, by a fitted tie parameter; exactly Bradley-Terry where
        nobody tied. "rao-kupper": the same by a threshold of what can be told apart. "glenn-david": that threshold
        beside the probit link, which has this one model of ties and takes the other two names for it. "half": half a
        vote for each side, with sandwich errors, since that is no likelihood. "drop": nothing. "cumulative": answers
        are graded, such as on a scale of five points, and each has a threshold of its own,
        ``ranking.fit.thresholds``; without it a graded vote is parts of two. With three answers it is the threshold
        model.
    link : {"logistic", "probit"}
        What a difference of scores says of a vote. "logistic": Bradley-Terry, scores in log-odds. "probit":
        Thurstone's case V, :math:`P(i) = \Phi(s_i - s_j)`, scores in standard deviations of a noticed difference.
        The two tell the same story: one probit is 1.6 to 1.7 log-odds. `prior_sd` is in the unit of the scores.
    prior_sd : float or "learned"
        "learned": the prior is a mixture of normals whose spread and shape are learned, and what is not known of them
        is part of the errors, so that intervals hold for narrow and wide strengths, and whatever chose the pairs. It
        takes draws, some 10 to 100 ms for up to 100 items. ``ranking.fit.prior_sd`` says what was learned. A number:
        the standard deviation of a normal prior on each score, which is a hundred times as fast.
        `math.inf`: maximum likelihood.
    position : bool
        Fit what standing on the left adds, as ``ranking.fit.position_effect`` in the unit of the scores.
    covariates : array_like of float, shape (n_votes, n_covariates), optional
        What else may sway a vote, such as how much longer the left text is: each adds its coefficient times its value
        to the left side's score, ``ranking.fit.coefficients``. The scores are those at covariates of zero.
    uncertainty : {"model", "sandwich", "by-voter", "clustered", "none"}, optional
        By default "model", and "sandwich" where votes are graded: that is no likelihood of a share. "model": the
        inverse information. "sandwich": holds also where the model does not, if votes are independent.
        "by-voter": holds also where one voter's votes resemble each other, as where tastes differ; the votes must say
        whose they are. "clustered": the same with `clusters` in the place of voters. Intervals of these two are by a t
        distribution with ``ranking.fit.degrees_of_freedom``. All are worked out when first asked for. Beside a learned
        prior the scores are the same under each; the errors go out from those of the posterior, and with these three
        statements on ranks come from a normal distribution in place of the posterior's draws.
    clusters : array_like of labels, shape (n_votes,), optional
        What votes share that may make them resemble each other, such as the prompt or the session: one label for
        every row of `votes`, for ``uncertainty="clustered"``.
    weights : {"counts", "sampling"}
        What the weights of votes mean. "counts": a row of weight w is w votes. "sampling": importance weights, such as
        one over the chance that a vote was asked for; only their ratios matter. They are multiplied by their sum over
        the sum of their squares, so that they add up to Kish's effective number of votes, and what the votes say
        balances the prior as it would if so many votes were unweighted. Standard errors by "model" are then sandwich
        errors, with squared weights.
    start : Ranking or array_like of float, shape (n_items,), optional
        Scores to begin at, such as an earlier ranking; its labels are matched. Scores by draws, and on the scale
        of known ones, begin where votes say.
    tol : float
        The fit has converged when every gradient is at most `tol` of its curvature, and the last step short beside it.
    max_iter : int
        The most Newton steps.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.
    reliability : {"lapse", "slope"}, optional
        Weigh each voter by how far the votes bear them out; ``ranking.voters`` says what was found. The votes must say
        whose they are; those of unknown voters count in full. "lapse": a voter is attentive, or answers by a coin, by
        the side, or for one item whatever stands beside it. "slope": a voter follows the scores in a part of the
        answers and goes against them in the others. Either is fitted together with the scores, and errors include what
        is not known of the voters; so `uncertainty` may not be "by-voter" or "clustered". With `criteria` each is
        weighed by itself, and what is found of voters is not kept. Of 600 votes it takes some 15 ms with a number for
        `prior_sd`, and 0.2 to 0.6 s by draws.
    item_covariates : array_like, shape (n_items, n_features), or mapping of label to features, optional
        Features of the items, such as the length of a text: scores are sums over features, each times a coefficient,
        plus a remainder, which has the prior of `prior_sd`; ``ranking.features`` says what was found. Rows stand in the
        order of ``votes.items``; a mapping has for each label a number, a row, or a mapping of the features' names to
        numbers. Scores of items without votes follow from their features. With ``prior_sd=0`` there is no remainder,
        and coefficients are by maximum likelihood; `math.inf` is not for features.
    known_scores : Ranking, or mapping of label to float or (float, float), optional
        Scores from an earlier vote on the same scale, which the others are put on. A number is taken as exact, and
        (score, standard_error) as a normal prior. A Ranking gives those of its items that are here, with their
        covariance. The prior of the others is around a centre of its own, of which little is known. The scores are
        then not centred, and neither are their errors: the origin is that of the known scores. Votes that these come
        from must not be among `votes`.

    Returns
    -------
    Ranking
        In natural log-odds, or by the probit link in probits; mean zero over all items.

    Raises
    ------
    InputError
        For an option out of range, and for votes on several criteria without choosing one.
    NotIdentifiedError
        Under ``prior_sd=math.inf``, where the votes do not determine the scores, the tie parameter (every vote is a
        tie), the position effect (one side always won) or a coefficient, naming the items or the covariate; and always
        for a covariate that is constant or follows from others.
    ConvergenceError
        After `max_iter` steps.

    References
    ----------
    Bradley and Terry (1952), Biometrika 39. Davidson (1970), JASA 65. Rao and Kupper (1967), JASA 62. Dawid and Skene
    (1979), Applied Statistics 28, and Chen et al. (2013), WSDM, for voters who differ. Thurstone (1927), Psychological
    Review 34, Glenn and David (1960), Biometrics 16, and Agresti (1992), Applied Statistics 41, for the probit link and
    graded answers.

    Examples
    --------
    >>> import pairvote as pv
    >>> ranking = pv.bradley_terry(pv.datasets.baseball())
    >>> ranking.top(3), ranking.fit.prior_sd.learned
    (['Milwaukee', 'Detroit', 'Toronto'], True)
    >>> votes = pv.Votes.from_wins(["ash", "ash", "birch", "cedar"], ["birch", "cedar", "cedar", "ash"])
    >>> known = pv.bradley_terry(votes, prior_sd=3.0)
    >>> known.order(), known.scores.round(3).tolist(), known.standard_errors.round(2).tolist()
    (['ash', 'birch', 'cedar'], [0.381, 0.0, -0.381], [0.78, 0.89, 0.78])
    >>> thurstone = pv.bradley_terry(votes, prior_sd=3.0, link="probit")
    >>> thurstone.unit, round(thurstone.to_dict()["ash"], 3)
    ('probit', 0.246)
    >>> graded = pv.Votes.from_labels(["ash"] * 5, ["birch"] * 5, [5, 4, 4, 2, 3], outcomes="1-5")
    >>> pv.bradley_terry(graded, prior_sd=3.0, ties="cumulative").fit.thresholds.round(2).tolist()
    [0.49, 2.46]
    >>> voters = pv.VoterModel(random_voters=0.25)
    >>> votes = pv.simulate(n_voters=8, votes_each=150, voters=voters, repetitions=1, rng=1).votes(0)
    >>> pv.bradley_terry(votes, prior_sd=1.0, reliability="lapse").voters.flags()
    {6: 'random', 7: 'random'}
    """
    if uncertainty is not None:
        check_choice("uncertainty", uncertainty, UNCERTAINTIES)
    votes = check_clusters(votes, clusters, uncertainty)
    if criteria is not None:
        if covariates is not None:
            raise InputError("covariates is given with criteria=; score one criterion at a time, by criterion=")
        return combine(
            votes,
            criteria,
            criterion,
            ranked,
            ties=ties,
            link=link,
            prior_sd=prior_sd,
            position=position,
            covariates=None,
            uncertainty=uncertainty,
            weights=weights,
            start=start,
            tol=tol,
            max_iter=max_iter,
            reliability=reliability,
            item_covariates=item_covariates,
            known_scores=known_scores,
        )
    return ranked(
        votes,
        ties=ties,
        link=link,
        prior_sd=prior_sd,
        position=position,
        covariates=covariates,
        uncertainty=uncertainty,
        weights=weights,
        start=start,
        tol=tol,
        max_iter=max_iter,
        criterion=criterion,
        reliability=reliability,
        item_covariates=item_covariates,
        known_scores=known_scores,
    )


def ranked(
    votes: Votes | PairCounts,
    *,
    ties: Ties,
    prior_sd: PriorOption,
    position: bool,
    covariates: ArrayLike | None,
    uncertainty: UncertaintyKind | None,
    link: LinkName = "logistic",
    start: Ranking | ArrayLike | None,
    tol: float,
    max_iter: int,
    criterion: Hashable | None,
    weights: Weights = "counts",
    limits: Limits = LIMITS,
    reliability: Reliability | None = None,
    item_covariates: ItemCovariates | None = None,
    known_scores: KnownScores | None = None,
) -> Ranking:
    """The ranking of votes on one criterion, clusters in the place of voters.

    limits: sizes from which the fit takes another way.
    """
    given = source = as_counts_or_votes(votes, criterion)
    check_models(ties, link)
    answers_in_order: Answered | None = None
    graded = isinstance(source, Votes) and bool((source.is_graded & counted_rows(source)).any())
    if graded and isinstance(source, Votes) and ties == CUMULATIVE:
        answers_in_order, graded = answered(source), False
        if answers_in_order.n_answers <= SIDES_AND_TIE:
            source, answers_in_order = as_whole(source, answers_in_order), None
    if uncertainty is None:
        uncertainty = "sandwich" if graded else "model"
    features = features_of(item_covariates, source.items, prior_sd, reliability)
    check_options(prior_sd, position, uncertainty, tol, max_iter, alone=features is not None)
    anchors = anchors_of(known_scores, source.items, UNIT_OF_LINK[link], features, reliability)
    check_choice("weights", weights, WEIGHTS)
    if reliability is not None:
        check_choice("reliability", reliability, RELIABILITIES)
    n_votes = int(counted_rows(source).sum()) if isinstance(source, Votes) else None
    sampled = weights == "sampling"
    if sampled:
        source = with_sampling_weights(source, outcome_model(ties, link).tie_weight)
    rows, scale = None, NOTHING
    clustered = uncertainty in ("by-voter", "clustered")
    if covariates is not None or clustered:
        rows = single_votes(votes, source, covariates, criterion, uncertainty, answers_in_order)
    if rows is not None and clustered:
        rows.clusters()
    counts: PairCounts | PairSums
    squares: PairSums | None = None
    if rows is not None and rows.design is not None:
        check_determined(rows, position, prior=prior_sd != math.inf)
        rows, scale = rows.scaled()
        counts = rows.sums(source.items)
        squares = rows.squared().sums(source.items) if sampled else None
    elif answers_in_order is not None and isinstance(source, Votes):
        counts = LocalSums(answer_counts(source, answers_in_order, folded=not position))
        if sampled:
            squares = LocalSums(answer_counts(squared(source), answers_in_order, folded=not position))
    else:
        # Votes are as soon counted folded; to fold counts takes as long as a fit may, but not as long as draws take,
        # which are then the same to the bit.
        draws = isinstance(source, PairCounts) and limits.can_draw(source.n_items, source.n_pairs)
        folded = not position and (isinstance(source, Votes) or (draws and isinstance(prior_sd, str)))
        if sampled and isinstance(source, Votes):
            squares = sums_of(squared(source), as_counts(squared(source), folded=folded), folded=folded)
        counts = as_counts(source, folded=folded)
        given = counts if isinstance(source, Votes) and not sampled else given
        if isinstance(source, Votes) and source.share is not None:
            counts = sums_of(source, counts, folded=folded)
    if features is not None:
        counts, squares, rows = with_features(features, counts, squares, rows, position)
    if anchors is not None:
        counts, squares, rows = with_columns(anchors.features, counts, squares, rows)
    answers = None
    if reliability is not None:
        if answers_in_order is not None:
            raise InputError(
                f"reliability is {reliability!r} and ties is 'cumulative' with graded answers",
                option="reliability",
                value=reliability,
                remedy="leave one of them out",
            )
        answers = answers_of(votes, source, reliability, uncertainty, criterion, covariates, position=position)
    posterior = fit(
        counts,
        ties=ties,
        prior_sd="learned" if isinstance(prior_sd, str) else float(prior_sd),
        position=bool(position),
        uncertainty=uncertainty,
        rows=rows,
        squares=squares,
        start=start_at(start, source.items, ties, link, scale),
        tol=tol,
        max_iter=max_iter,
        limits=limits,
        answers=answers,
        reliability=reliability or RELIABILITIES[0],
        link=link,
        anchors=anchors,
    )
    ranking = ranking_of(posterior, given, scale, n_votes, weights)
    if features is not None:
        ranking = ranking_by_features(ranking, features)
    return ranking if answers is None else replace(ranking, voters=voters_of(ranking, posterior, answers, source))


def ranking_of(
    posterior: Posterior,
    source: Votes | PairCounts | Elsewhere,
    scale: NDArray[np.float64] = NOTHING,
    n_votes: int | None = None,
    weights: Weights = "counts",
) -> Ranking:
    """The ranking at the maximum; scale: what the covariates were divided by. n_votes: the number of rows, if known.

    Where the outcome model is no likelihood, or weights are importance weights, errors are those of a sandwich.
    """
    by_model = posterior.model.is_likelihood and weights == "counts"
    if posterior.uncertainty == "model" and not by_model:
        posterior = replace(posterior, uncertainty="sandwich")
    totals, first = summed(source) if isinstance(source, Votes | PairCounts) else (source.item_totals(), source)
    return Ranking(
        items=posterior.model.items,
        scores=posterior.scores,
        unit=UNIT_OF_LINK[posterior.model.outcome.link.name],
        method="bradley-terry",
        fit=Fit(
            converged=True,
            n_iter=posterior.solution.n_iter,
            ties=cast("Ties", posterior.model.outcome.name),
            tie_parameter=posterior.tie_parameter,
            position_effect=posterior.position_effect,
            coefficients=posterior.coefficients[: len(scale)] / scale,
            uncertainty=posterior.uncertainty,
            weights=weights,
            dispersion=posterior.dispersion,
            n_votes=n_votes,
            _scale=scale,
            _posterior=posterior,
        ),
        _totals=totals,
        _first=first,
        _uncertainty=None if posterior.uncertainty == "none" else posterior,
        _log_odds_per_unit=1.0,
    )


def start_at(
    start: Ranking | ArrayLike | None,
    items: tuple[Hashable, ...],
    ties: str,
    link: LinkName,
    scale: NDArray[np.float64] = NOTHING,
) -> Start | None:
    """Where to begin, from a user's `start`."""
    if start is None:
        return None
    if isinstance(start, Ranking):
        if start.unit != UNIT_OF_LINK[link]:
            raise InputError(
                f"start is a ranking in {start.unit!r}; pass one by bradley_terry with link={link!r}, or its scores"
            )
        known = start.to_dict()
        scores = [known.get(label, 0.0) for label in items]
        if start.fit is None:
            return Start(scores)
        coefficients = start.fit.coefficients
        return Start(
            scores,
            tie_parameter=start.fit.tie_parameter if start.fit.ties == outcome_model(ties, link).name else None,
            position_effect=start.fit.position_effect,
            coefficients=coefficients * scale if len(coefficients) == len(scale) else NOTHING,
            thresholds=start.fit.thresholds,
        )
    given = as_array(start, "start")
    if given.dtype.kind == "c":
        raise wrong_option("start", start, "pass a Ranking or one real number an item")
    try:
        array = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"start cannot be made an array of scores ({error}); pass a Ranking or one number an item"
        ) from None
    if array.shape != (len(items),):
        raise InputError(f"start has shape {array.shape}; pass one score for each of the {len(items)} items")
    far = ~(np.abs(array) <= LARGEST_START)
    if far.any():
        code = int(np.argmax(far))
        raise InputError(f"start[{code}] is {array[code]:g}; scores are finite, here up to {LARGEST_START:,.0f}")
    return Start(array)


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """InputError unless the value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise wrong_option(option, value, f"use one of {', '.join(map(repr, choices))}")


def check_models(ties: str, link: LinkName) -> None:
    """InputError unless there is such a link, and it has such a model of ties."""
    check_choice("link", link, tuple(MODELS_BY_LINK))
    known = MODELS_BY_LINK[link]
    if isinstance(ties, str) and ties not in known and any(ties in models for models in MODELS_BY_LINK.values()):
        raise InputError(
            f"ties is {ties!r} and link is {link!r}, which has no such model",
            option="ties",
            value=ties,
            remedy="pass ties='rao-kupper', or link='probit'",
        )
    check_choice("ties", ties, tuple(known))


def check_options(
    prior_sd: float | str, position: bool, uncertainty: str, tol: float, max_iter: int, *, alone: bool = False
) -> None:
    """InputError for an option out of range; alone: whether features may be all that scores follow."""
    check_choice("uncertainty", uncertainty, UNCERTAINTIES)
    check_flag("position", position)
    if not is_number(tol) or not tol > 0:
        raise wrong_option("tol", tol, "it is a number above 0")
    if isinstance(prior_sd, str) and prior_sd == LEARNED:
        pass
    elif not is_number(prior_sd) or not (prior_sd > 0 or (alone and prior_sd == 0)):
        raise wrong_option("prior_sd", prior_sd, "it is 'learned', or a number above 0")
    elif 0 < prior_sd < SMALLEST_PRIOR_SD:
        raise InputError(
            f"prior_sd is {prior_sd!r}, so small that all scores are level",
            option="prior_sd",
            value=prior_sd,
            remedy="it is usually 1 to 5",
        )
    if not is_whole(max_iter) or not 1 <= max_iter <= MOST_STEPS:
        raise wrong_option("max_iter", max_iter, f"it is a whole number from 1 to {MOST_STEPS:,}")
