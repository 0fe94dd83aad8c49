"""Scorers with options as candidates for the same votes, and the ones that are compared unless others are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import listed, shorten, wrong_option
from pairvote._common.outcomes import Outcome
from pairvote._inference import CUMULATIVE, LIMITS, check_covariates
from pairvote.errors import InputError
from pairvote.ranking._chances import vote_chances
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bradley_terry import bradley_terry, ranked
from pairvote.scoring._methods import rank, scorer_named
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
Options = Mapping[str, Any]
CandidateOption = str | Options | Callable[[Votes], Ranking]
# A learned prior is put in at its most likely value, which takes a tenth of the time.
WITHOUT_DRAWS = replace(LIMITS, sampled_items=0)
# Level items have a spread of 0, which no prior has.
LEAST_SPREAD = 1e-3
# Options that say which votes are scored, or go with rows in a way that a part of the votes would not have.
NOT_HERE = {
    "criterion": "pass criterion= beside the candidates",
    "criteria": "compare them on one criterion at a time, by criterion=",
    "clusters": "pass them as by=, so that each cluster is held out whole",
}


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Options of `bradley_terry` that answer a question otherwise than its defaults do.

    name : what tables call it
    question : what is asked, such as "which model of ties"
    options : those that differ from the defaults
    nested : whether the default is a special case of it, so that a likelihood ratio can be tested
    applies : whether votes can tell, from the weight of those with each outcome: right, tie and left
    """

    name: str
    question: str
    options: Options
    nested: bool = False
    applies: Callable[[Floats], bool] = lambda totals: True


def _has_ties(totals: Floats) -> bool:
    return bool(totals[Outcome.TIE] > 0.0)


def _has_sides(totals: Floats) -> bool:
    return bool(totals[Outcome.RIGHT] > 0.0 and totals[Outcome.LEFT] > 0.0)


DEFAULT_NAME = "default"
ALTERNATIVES: tuple[Alternative, ...] = (
    Alternative(name="rao-kupper", question="ties", options={"ties": "rao-kupper"}, applies=_has_ties),
    Alternative(name="probit", question="link", options={"link": "probit"}),
    Alternative(name="position", question="sides", options={"position": True}, nested=True, applies=_has_sides),
)
# Scores pressed to zero: all items level, with the tie parameter that fits.
LEVEL = {"prior_sd": 1e-6}


def alternatives_for(votes: Votes) -> list[Alternative]:
    """The alternatives that these votes can tell from the default."""
    amounts = amounts_of(votes)
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    totals = weight @ amounts
    return [alternative for alternative in ALTERNATIVES if alternative.applies(totals)]


def usual_candidates(votes: Votes) -> dict[str, CandidateOption]:
    """The default, its alternatives, Elo where nobody tied, and items that are all level."""
    found: dict[str, CandidateOption] = {DEFAULT_NAME: {}}
    found |= {alternative.name: alternative.options for alternative in alternatives_for(votes)}
    if not _has_ties(amounts_of(votes).sum(axis=0)):
        found["elo"] = "elo"
    return found | {"level": LEVEL}


def amounts_of(votes: Votes) -> Floats:
    """How much of each vote each outcome has, a share for each side of a graded one: float64, shape (n_votes, 3)."""
    amounts = np.zeros((len(votes), 3))
    if votes.share is None:
        amounts[np.arange(len(votes)), votes.outcome] = 1.0
        return amounts
    whole = np.flatnonzero(~votes.is_graded)
    amounts[whole, votes.outcome[whole]] = 1.0
    graded = np.flatnonzero(votes.is_graded)
    amounts[graded, Outcome.LEFT] = votes.share[graded]
    amounts[graded, Outcome.RIGHT] = 1.0 - votes.share[graded]
    return amounts


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate:
    """A way to score votes whose chances of other votes can be told.

    function : votes, and options by keyword, to a ranking
    covariates : (n_votes, n_covariates), of the votes that are to be scored or foretold
    """

    name: str
    function: Callable[..., Ranking]
    options: Options
    covariates: Floats | None = None

    @classmethod
    def of(cls, name: str, given: CandidateOption) -> Candidate:
        """A candidate from the name of a scorer, its options, or a function of votes."""
        if callable(given):
            return cls(name=name, function=given, options={})
        if not isinstance(given, (str, Mapping)):
            raise wrong_option(
                f"candidate {name!r}", given, "pass a scorer's name, a dict of its options, or a function of votes"
            )
        options: dict[str, Any] = {"method": given} if isinstance(given, str) else dict(given)
        scorer = scorer_named(options.pop("method", "bradley-terry"))
        for option, value in options.items():
            if option in NOT_HERE:
                raise InputError(
                    f"candidate {name!r} has the option {option!r}",
                    option=option,
                    value=value,
                    remedy=NOT_HERE[option],
                )
            if option not in scorer.options:
                raise InputError(
                    f"candidate {name!r} has the option {shorten(option)}",
                    option="candidates",
                    value=option,
                    remedy=f"{scorer.name!r} has {listed(scorer.options)}",
                )
        covariates = options.pop("covariates", None)
        if scorer.function is bradley_terry:
            return cls(name=name, function=for_prediction, options=options, covariates=covariates)
        return cls(name=name, function=_Ranked(scorer.name), options=options, covariates=covariates)

    def among(self, votes: Votes, rows: NDArray[np.intp]) -> Candidate:
        """The candidate with the covariates of the votes at `rows` of these."""
        if self.covariates is None:
            return self
        return replace(self, covariates=check_covariates(self.covariates, len(votes))[rows])

    def chances(self, votes: Votes, train: NDArray[np.intp], held: NDArray[np.intp]) -> Floats:
        """P(right), P(tie) and P(left) of the votes at `held`, by a fit to those at `train`: shape (n_held, 3)."""
        options, of_held = dict(self.options), None
        if options.get("ties") == CUMULATIVE and votes.is_graded.any():
            raise InputError(
                f"candidate {self.name!r} has ties='cumulative' and votes are graded: its chances are of answers, and "
                "those of others of sides",
                option="ties",
                value=CUMULATIVE,
                remedy="compare fits with ties='cumulative' by ranking.fit.aic",
            )
        if self.covariates is not None:
            options["covariates"], of_held = self.covariates[train], self.covariates[held]
        ranking = self.function(votes._take(train), **options)
        if not isinstance(ranking, Ranking) or ranking.items != votes.items:
            raise InputError(
                f"candidate {self.name!r} gave {shorten(ranking)}",
                option="candidates",
                remedy="let it return a Ranking of the items of the votes that it is given",
            )
        return vote_chances(ranking, votes.left[held], votes.right[held], of_held)


@dataclass(frozen=True)
class _Ranked:
    """A scorer by its name."""

    method: str

    def __call__(self, votes: Votes, **options: Any) -> Ranking:
        return rank(votes, self.method, **options)


def without_draws(votes: Votes, **options: Any) -> Ranking:
    """Bradley-Terry scores, a learned prior at its most likely value, without errors."""
    scorer = scorer_named("bradley-terry")
    given = {**scorer.options, "uncertainty": "none", **options}
    for option in ("criteria", "clusters"):
        del given[option]
    return ranked(votes, limits=WITHOUT_DRAWS, **given)


def for_prediction(votes: Votes, **options: Any) -> Ranking:
    """Bradley-Terry scores to foretell votes with: in place of a learned prior the normal one of its spread.

    Means under a learned prior, which has heavy tails, lie further out than chances of votes do: those should be
    averaged over draws. The most likely scores under a normal prior of the same spread foretell as well.
    """
    found = without_draws(votes, **options)
    if found.fit is None or not found.fit.prior_sd.learned:
        return found
    spread = max(float(found.fit.prior_sd), LEAST_SPREAD)
    return without_draws(votes, **{**options, "prior_sd": spread})
