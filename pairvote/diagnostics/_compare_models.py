"""Which model of a vote: ties, link and sides on one page, with a recommendation."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.options import check_jobs
from pairvote._common.outcomes import Outcome
from pairvote._common.random import Rng, generator
from pairvote._inference import outcome_model
from pairvote.diagnostics._consensus import PRIOR_SD, TOL, Consensus, answered, check_rate, check_votes
from pairvote.diagnostics._page import Block, Part, Table, chance
from pairvote.diagnostics._residuals import tail
from pairvote.diagnostics._sides import PositionBias, position_of
from pairvote.diagnostics._simulated import Statistic, check_simulation, simulate
from pairvote.diagnostics._tie_test import Readiness, TieTest, by_item, by_voter, statistic_of, tie_test_of
from pairvote.errors import InputError, NotIdentifiedError
from pairvote.ranking._results import Fit
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.scoring._candidates import DEFAULT_NAME, LEVEL, Alternative, alternatives_for, without_draws
from pairvote.scoring._cross_validate import By, cross_validate
from pairvote.scoring._cross_validation import CrossValidation, decimals_of, with_error
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
# Votes are held out by voter where there are so many that a standard error between them says something.
ENOUGH_VOTERS = 10
LEVEL_NAME = "level"


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelComparison(Part):
    """Models of a vote side by side, and which of them the votes speak for.

    Attributes
    ----------
    candidates : tuple of str
        "default", the alternatives that the votes can tell from it, and "level", for which all items are equal. Of
        graded votes, which are shares and no outcomes, only sides are asked about.
    options : dict
        What to pass to `bradley_terry`, empty where its defaults are to be kept.
    recommendation : str
        What to do, in a sentence.
    reasons : tuple of str
        What the votes say of each question, in sentences.
    log_likelihood, n_parameters, aic, bic : float64 arrays, shape (n_candidates,)
        Of fits by maximum likelihood, or where there is none of fits under a learned prior, which have no BIC; nan
        where there is no such number, as of graded votes.
    is_maximum : bool
        Whether these are by maximum likelihood.
    p : dict of str to float
        For each alternative the chance that it fits so much better where the default is true; of a position effect that
        of the likelihood ratio.
    held_out : CrossValidation
        How well each candidate foretells votes that were held out.
    position : PositionBias
        The test of a position effect.
    ties_by_item, ties_by_voter : TieTest or None
        Whether one tie parameter is enough; None where nobody tied, or nobody is known.
    rate : float
        How often each test finds what is not there.

    Examples
    --------
    >>> import pairvote as pv
    >>> page = pv.diagnostics.compare_models(pv.datasets.baseball(), rng=1)
    >>> page.options, page.candidates
    ({'position': True}, ('default', 'probit', 'position', 'level'))
    """

    title = "Which model"

    candidates: tuple[str, ...]
    options: dict[str, Any]
    recommendation: str
    reasons: tuple[str, ...]
    log_likelihood: Floats
    n_parameters: Floats
    aic: Floats
    bic: Floats
    is_maximum: bool
    p: dict[str, float]
    held_out: CrossValidation
    position: PositionBias
    ties_by_item: TieTest | None
    ties_by_voter: TieTest | None
    rate: float

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each candidate, in the order of `candidates`.

        Columns: candidate, log_likelihood, n_parameters, aic, bic, log_loss and its standard_error, difference from the
        default and difference_error.
        """
        behind = [self.held_out.difference(name, DEFAULT_NAME) for name in self.candidates]
        return {
            "candidate": list(self.candidates),
            **{name: getattr(self, name).tolist() for name in ("log_likelihood", "n_parameters", "aic", "bic")},
            "log_loss": self.held_out.log_loss.tolist(),
            "standard_error": self.held_out.log_loss_errors.tolist(),
            "difference": [difference.estimate for difference in behind],
            "difference_error": [difference.standard_error for difference in behind],
        }

    def to_dict(self) -> dict[str, Any]:
        """What was found, as plain numbers, strings and lists by name; labels as they are."""
        tests = {"ties_by_item": self.ties_by_item, "ties_by_voter": self.ties_by_voter, "position": self.position}
        return {
            "options": self.options,
            "recommendation": self.recommendation,
            "reasons": list(self.reasons),
            **self.to_columns(),
            "is_maximum": self.is_maximum,
            "p": self.p,
            "counted": self.held_out.counted,
            "by": self.held_out.by,
            "folds": self.held_out.folds,
            **{name: None if test is None else test.to_dict() for name, test in tests.items()},
        }

    def _blocks(self) -> Iterator[Block]:
        yield self.recommendation
        for reason in self.reasons:
            yield f"- {reason}"
        columns = self.to_columns()
        errors = [error for error in columns["difference_error"] if error > 1e-9]
        decimals = decimals_of(min(errors, default=0.001))
        rows = []
        for place, name in enumerate(self.candidates):
            numbers = [columns[key][place] for key in ("log_likelihood", "n_parameters", "aic", "bic")]
            loss = with_error(columns["log_loss"][place], columns["standard_error"][place], decimals)
            behind = with_error(columns["difference"][place], columns["difference_error"][place], decimals)
            rows.append([name, *map(_number, numbers), loss, "" if name == DEFAULT_NAME else behind])
        headings = ["model", "log-likelihood", "parameters", "AIC", "BIC", "log loss held out", "more than the default"]
        if not self.is_maximum:
            headings.remove("BIC")
            rows = [[*row[:4], *row[5:]] for row in rows]
        yield Table(headings, rows)
        yield f"held out: {self.held_out._heading()}"
        if not self.is_maximum:
            yield "likelihoods are those under a learned prior: there is no maximum, as where an item won all its votes"


def compare_models(
    votes: Votes,
    *,
    by: By | None = None,
    folds: int = 10,
    rate: float = 0.05,
    n_simulations: int = 199,
    rng: Rng = None,
    criterion: Hashable | None = None,
    n_jobs: int = 1,
    progress: bool = False,
) -> ModelComparison:
    r"""Which model of ties, which link, position or not: one page, with a recommendation that leans on evidence alone.

    `bradley_terry` as it is called without options is held against each alternative. Models that are no special cases
    of each other, of ties and of links, are compared by their log-likelihoods: an alternative is recommended where it
    is further ahead than it would be if the default were true, as votes simulated from the default say, each scored by
    both. (Which of two has the larger likelihood says less: where items have few votes, that of the probit link is
    mostly larger whatever the truth is.) A position effect is one parameter more, and its likelihood ratio is tested.
    Where the votes do not tell, the default is kept. Whether ties differ by item or by voter is tested too, and how
    well each model foretells votes that were held out stands beside.

    Parameters
    ----------
    votes : Votes
    by : {"vote", "voter"} or array_like of labels, shape (n_votes,), optional
        What is held out, as in `pairvote.cross_validate`; by default "voter" where at least ten voters are known and
        none is unknown, else "vote".
    folds : int
        The number of parts.
    rate : float
        How often each test may find what is not there.
    n_simulations : int
        From 99.
    rng : None, int or numpy.random.Generator
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    n_jobs : int
        How many processes work, -1 for all cores; the answer is the same for any.
    progress : bool
        Show bars on standard error.

    Returns
    -------
    ModelComparison

    Raises
    ------
    InputError
        For an option out of range, PairCounts, fewer than two answered votes, and for more than 4,000 items.

    References
    ----------
    Akaike (1974), IEEE Trans. Automatic Control 19. Schwarz (1978), Annals of Statistics 6. Stone (1974), JRSS B 36.
    Cox (1962), "Further results on tests of separate families of hypotheses", JRSS B 24, and Williams (1970),
    "Discrimination between regression models to determine the pattern of enzyme synthesis in synchronous cell
    cultures", Biometrics 26, for models that are no special cases of each other.

    Examples
    --------
    >>> import pairvote as pv
    >>> page = pv.diagnostics.compare_models(pv.datasets.baseball(), rng=1)
    >>> print(page.recommendation, *page.reasons, sep="\n")
    Score with bradley_terry(votes, position=True).
    link: the votes do not tell the default from probit (log-likelihood +0.0, p = 0.34)
    sides: the left side is favoured, by 0.30 log-odds, likelihood ratio 5.2, p = 0.023
    """
    check_rate(rate)
    check_simulation(n_simulations, PRIOR_SD)
    check_jobs(n_jobs, progress)
    rng = generator(rng)
    rows = answered(check_votes(votes, criterion))
    of_question = votes.select(criterion)
    told = of_question.where(of_question.outcome != Outcome.SKIP)
    alternatives = alternatives_for(told)
    if told.is_graded.any():
        # Shares have no likelihood by which links could be told apart.
        alternatives = [each for each in alternatives if each.nested]
    named: dict[str, Any] = {DEFAULT_NAME: {}, **{each.name: each.options for each in alternatives}, LEVEL_NAME: LEVEL}
    held_out = cross_validate(
        votes,
        named,
        by=_held_out_by(rows) if by is None else by,
        folds=folds,
        criterion=criterion,
        rng=rng,
        n_jobs=n_jobs,
        progress=progress,
    )
    consensus = Consensus.of(votes, criterion, PRIOR_SD)
    position = position_of(consensus.ranking, consensus.fitted)
    rivals = [each for each in alternatives if not each.nested]
    asked = _asked_of_ties(consensus)
    statistics = [*(rival_of(each) for each in rivals), *(statistic_of(each) for each in asked)]
    drawn = simulate(consensus, n_simulations, rng, statistics, n_jobs=n_jobs, progress=progress) if statistics else []
    p = {each.name: position.ratio_p for each in alternatives if each.nested}
    for each, values in zip(rivals, drawn, strict=False):
        p[each.name] = float(tail(np.array(_gain(each, consensus)), values[:, 0])[0])
    tests = [
        tie_test_of(consensus, each, values[:, 0], rate)
        for each, values in zip(asked, drawn[len(rivals) :], strict=True)
    ]
    fits, is_maximum = _fits(of_question, named)
    found = {name: _numbers(fits, name) for name in ("log_likelihood", "n_parameters", "aic", "bic")}
    options, reasons = _verdicts(alternatives, p, found["log_likelihood"], position, rate)
    reasons += [*_on_scores(held_out, rate), *_on_ties(tests)]
    return ModelComparison(
        candidates=held_out.candidates,
        options=options,
        recommendation=_recommended(options, alternatives),
        reasons=tuple(reasons),
        **found,
        is_maximum=is_maximum,
        p=p,
        held_out=held_out,
        position=position,
        ties_by_item=tests[0] if tests else None,
        ties_by_voter=tests[1] if len(tests) > 1 else None,
        rate=rate,
    )


def _held_out_by(rows: Votes) -> By:
    if rows.voter is None or (rows.voter < 0).any() or len(np.unique(rows.voter)) < ENOUGH_VOTERS:
        return "vote"
    return "voter"


def _fits(votes: Votes, named: dict[str, Any]) -> tuple[list[Fit | None], bool]:
    """The fits of the candidates, by maximum likelihood where all have one; level items are fitted as they are."""
    try:
        found = [without_draws(votes, **{"prior_sd": math.inf, **options}) for options in named.values()]
    except NotIdentifiedError:
        return [without_draws(votes, **options).fit for options in named.values()], False
    return [ranking.fit for ranking in found], True


def _numbers(fits: list[Fit | None], name: str) -> Floats:
    values = np.full(len(fits), math.nan)
    for place, fit in enumerate(fits):
        with suppress(InputError):
            values[place] = getattr(fit, name)
    return values


def _asked_of_ties(consensus: Consensus) -> list[Readiness]:
    """By what ties may differ: by item, and by voter where some are known; by nothing where nobody tied."""
    if not (consensus.rows.outcome == Outcome.TIE).any():
        return []
    voters = by_voter(consensus)
    return [by_item(consensus)] if voters is None else [by_item(consensus), voters]


def rival_of(alternative: Alternative) -> Statistic:
    """How much better an alternative fits simulated votes than the default."""
    return partial(_gain, alternative)


def _gain(alternative: Alternative, drawn: Consensus) -> tuple[float]:
    """The log-likelihood of an alternative less that of the default, both under a prior of the same spread."""
    model = drawn.model
    options: dict[str, Any] = {"position": model.layout.has_position, **alternative.options}
    unit = outcome_model(options.get("ties", model.outcome.name), options.get("link", "logistic")).link.unit
    ranking = bradley_terry(model.counts, prior_sd=model.prior_sd / unit, uncertainty="none", tol=TOL, **options)
    known = 0.0 if ranking.fit is None else ranking.fit.log_likelihood
    return (known - model.log_likelihood(drawn.parameters),)


# --- what the votes say ---


def _verdicts(
    alternatives: list[Alternative], p: dict[str, float], log_likelihood: Floats, position: PositionBias, rate: float
) -> tuple[dict[str, Any], list[str]]:
    """The options to take, and a reason for each question."""
    options: dict[str, Any] = {}
    reasons, better = [], []
    for place, each in enumerate(alternatives, start=1):
        if each.nested:
            found, reason = _on_sides(each, position, rate)
            options |= found
            reasons.append(reason)
            continue
        gain = float(log_likelihood[place] - log_likelihood[0])
        if p[each.name] <= rate:
            reasons.append(
                f"{each.question}: {each.name} fits better than it would if the default were true (log-likelihood "
                f"{gain:+.1f}, {chance(p[each.name])})"
            )
            better.append((-gain, each.name, each.options))
        else:
            reasons.append(
                f"{each.question}: the votes do not tell the default from {each.name} (log-likelihood {gain:+.1f}, "
                f"{chance(p[each.name])})"
            )
    if better:
        # A link brings its own model of ties, so that only one of them can be taken.
        options |= min(better)[2]
    return options, reasons


def _on_sides(each: Alternative, position: PositionBias, rate: float) -> tuple[dict[str, Any], str]:
    effect = f"{abs(position.effect):.2f} log-odds, likelihood ratio {position.ratio:.1f}, {chance(position.ratio_p)}"
    if position.ratio_p <= rate and math.isfinite(position.effect):
        side = "left" if position.effect > 0 else "right"
        return dict(each.options), f"sides: the {side} side is favoured, by {effect}"
    return {}, f"sides: no clear sign that one is favoured ({chance(position.ratio_p)})"


def _on_scores(held_out: CrossValidation, rate: float) -> Iterator[str]:
    gain = held_out.difference(LEVEL_NAME, DEFAULT_NAME)
    if math.isfinite(gain.standard_error) and gain.confidence_interval(1.0 - rate).low <= 0.0:
        yield "scores foretell held-out votes no better than if all items were level, as far as these votes tell"


def _on_ties(tests: list[TieTest]) -> Iterator[str]:
    for test in tests:
        if test.differs:
            yield (
                f"ties: some {test.by}s go with more of them than one tie parameter says ({chance(test.p)}); scores "
                "hardly change by it, chances of ties do"
            )


def _recommended(options: dict[str, Any], alternatives: list[Alternative]) -> str:
    if options:
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        return f"Score with bradley_terry(votes, {given})."
    if not alternatives:
        return "Keep bradley_terry(votes) as it is: these votes tell it from no other model."
    return "Keep bradley_terry(votes) as it is: the votes speak for no other model."


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f}"
