r"""Scores fitted together with how far each voter is to be believed, by fits of weighed votes.

By turns each vote counts for the scores as its voter's kind has it, and each voter's kind has the chance that the
scores give it (variational Bayes; `pairvote._inference.lapses` for the kinds). After every two rounds the next begins
where they lead to (SQUAREM: Varadhan and Roland 2008, "Simple and globally convergent methods for accelerating the
convergence of any EM algorithm", Scandinavian Journal of Statistics 35). With c the kinds and :math:`g_{vc}` the
gradient of voter v's answers by all parameters under each, the information that is left is

.. math:: I = H - \sum_v \mathrm{Cov}_c(g_{vc}),

H that of the weighed votes with the prior's precision (Louis 1982, "Finding the observed information matrix when using
the EM algorithm", JRSS B 44): what is not known of the voters makes the errors of the scores larger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.answers import Answers
from pairvote._inference.lapses import LEAST_WEIGHT, Lapses
from pairvote._inference.models import Model
from pairvote._inference.plug_in import NormalVotes, spread_of
from pairvote._inference.prior import Prior
from pairvote._inference.slopes import Slopes
from pairvote._inference.solver import Solution, maximise
from pairvote._inference.systems import inverse_without
from pairvote._inference.voter_kinds import VoterKinds
from pairvote.errors import ConvergenceError, NotIdentifiedError

Floats = NDArray[np.float64]
# No chance of a kind moves by more when it is found, and rounds in which it is.
CLOSE = 1e-5
MOST_ROUNDS = 1_000
# Rounds after which a learned spread stays.
LEARNING_ROUNDS = 25
FIT_TOLERANCE = 1e-6
# The fit begins with at most so many times the usual votes of each voter.
MOST_TIMES = 2.0
# The longest step of an extrapolation, in those of a round.
LONGEST = 16.0
# Voters whose errors are worked out together.
TOGETHER = 1_000
VOTER_MODELS: dict[str, type[Lapses] | type[Slopes]] = {"lapse": Lapses, "slope": Slopes}


class Voters(Protocol):
    """A model of how voters differ. `shares` are those of kinds, in whatever form the model has them."""

    @property
    def answers(self) -> Answers:
        """The votes by voter."""

    def first_shares(self) -> Any:
        """The shares before the votes are seen."""

    def shares(self, chances: Any) -> Any:
        """The shares given the chances of each voter."""

    def chances(self, model: Model, parameters: Floats, shares: Any, variances: Floats | None = None) -> Any:
        """The chances of kinds at these parameters; variances: (n_entries,), of the log-odds."""

    def amounts(self, chances: Any) -> Floats:
        """How much of each vote counts at each outcome: float64, shape (n_votes, 3)."""

    def drawn(self, chances: Any, model: Model, parameters: Floats, rng: np.random.Generator) -> Any:
        """Kinds drawn by their chances."""

    def drawn_shares(self, chances: Any, rng: np.random.Generator) -> Any:
        """Shares drawn given the kinds."""

    def lost(self, model: Model, parameters: Floats, chances: Any, variances: Floats | None) -> Floats:
        """The information that is lost by not knowing kinds: float64, shape (size, size)."""

    def kinds(self, chances: Any, *, errors: Floats | None = None, draws: Any = None) -> VoterKinds:
        """What is known of each voter."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Weighed:
    """A fit of weighed votes. amounts: (n_votes, 3), how much of each vote counts at each outcome."""

    voters: Voters
    model: Model
    solution: Solution
    chances: Any
    amounts: Floats
    lost: Floats
    kinds: VoterKinds


def weigh(
    answers: Answers,
    reliability: str,
    model: Model,
    solution: Solution,
    *,
    learns: bool,
    tol: float,
    max_iter: int,
) -> Weighed:
    """The fit of votes weighed by their voters' kinds, from a fit in which all are attentive.

    reliability: the name of a model of voters. learns: whether the spread of the normal prior is learned on the way.

    Raises
    ------
    ConvergenceError
        Where the chances of kinds have not settled.
    """
    voters: Voters = VOTER_MODELS[reliability].of(answers, model.outcome)
    shares, before, amounts = voters.first_shares(), np.ones(answers.n_voters), _evenly(answers)
    course = [amounts]
    if amounts is not answers.whole:
        model = _again(answers, model, amounts)
        solution = _fitted(model, solution, max(tol, FIT_TOLERANCE), max_iter)
    for n_rounds in range(MOST_ROUNDS):
        if learns and n_rounds < LEARNING_ROUNDS:
            model = replace(model, prior=Prior.of(spread_of(NormalVotes.of(model, solution))))
        variances = answers.variances(model, solution)
        chances = voters.chances(model, solution.parameters, shares, variances)
        moved = float(np.abs(chances.attentive - before).max(initial=0.0))
        before, shares, amounts = chances.attentive, voters.shares(chances), voters.amounts(chances)
        is_last = moved <= CLOSE and n_rounds > 1
        course.append(amounts)
        if len(course) == 3 and not is_last:
            amounts = _ahead(course, answers)
            course = [amounts]
        model = _again(answers, model, amounts)
        solution = _fitted(model, solution, tol if is_last else max(tol, FIT_TOLERANCE), max_iter)
        if is_last:
            break
    else:
        raise ConvergenceError(
            f"how far voters are to be believed has not settled after {MOST_ROUNDS:,} rounds",
            option="reliability",
            remedy="set a smaller prior_sd, or leave out reliability",
        )
    lost = voters.lost(model, solution.parameters, chances, variances)
    errors = _errors(answers, model, solution.parameters, lost)
    return Weighed(
        voters=voters,
        model=model,
        solution=solution,
        chances=chances,
        amounts=amounts,
        lost=lost,
        kinds=voters.kinds(chances, errors=errors),
    )


def _evenly(answers: Answers) -> Floats:
    """Votes of which no voter has more than twice as much weight as usual: one who never tires might be a machine."""
    each = answers.by_voter(answers.rows.weight)
    if not len(each):
        return answers.whole
    most = MOST_TIMES * float(np.median(each))
    if each.max() <= most:
        return answers.whole
    return np.asarray(answers.whole * answers.of_votes(np.minimum(1.0, most / each), 1.0)[:, None])


def _ahead(course: list[Floats], answers: Answers) -> Floats:
    """Where three rounds lead to, were each step as much shorter than the one before (squared extrapolation)."""
    # In parts of votes, so that large weights do not overflow.
    weight = answers.rows.weight[:, None]
    first, second, third = (amounts / weight for amounts in course)
    step, bend = second - first, third - 2.0 * second + first
    size = float(np.square(bend).sum())
    length = math.sqrt(float(np.square(step).sum()) / size) if size > 0.0 else 1.0
    length = min(max(length, 1.0), LONGEST)
    least = LEAST_WEIGHT * (answers.whole > 0.0)
    return np.asarray(np.clip(first + 2.0 * length * step + length**2 * bend, least, 1.0) * weight)


def _again(answers: Answers, model: Model, amounts: Floats) -> Model:
    """The model of other amounts of the same votes."""
    outcome = model.outcome
    options = (outcome.name, model.prior, model.layout.has_position, model.limits, outcome.link.name)
    return Model.of(answers.sums(amounts), *options)


def _fitted(model: Model, before: Solution, tol: float, max_iter: int) -> Solution:
    """The fit of other amounts of the same votes, from where an earlier one ended; its steps count on."""
    start = before.parameters.copy()
    if len(start) != model.layout.size:
        start = model.start()
        start[model.layout.scores] = before.parameters[: model.n_items]
    try:
        found = maximise(model, start, tol, max_iter)
    except ConvergenceError as error:
        if model.prior.is_finite:
            raise
        raise NotIdentifiedError(
            "the votes of those who are believed do not determine all scores",
            option="prior_sd",
            remedy="set a finite prior_sd, or leave out reliability",
        ) from error
    return replace(found, n_iter=before.n_iter + found.n_iter)


def _errors(answers: Answers, model: Model, parameters: Floats, lost: Floats) -> Floats:
    """The standard deviation of the log-likelihood of each voter's answers, by the scores': float64, (n_voters,)."""
    inverse = inverse_without(model, parameters, lost)
    gradients = answers.adder @ answers.gradients(model, parameters)
    errors = []
    for first in range(0, answers.n_voters, TOGETHER):
        some = gradients[first : first + TOGETHER]
        errors.append(np.sqrt(np.maximum(some.multiply(some @ inverse).sum(axis=1), 0.0)))
    return np.concatenate([*errors, np.empty(0)])
