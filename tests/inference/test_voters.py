"""Kinds of voters and the scores fitted beside them, held against loops over voters, kinds and votes."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import reference
from exact_sampler import data_of, from_prior, parts
from numpy.typing import NDArray
from scipy.special import beta, digamma, expit, gammaln

import pairvote as pv
from pairvote._inference import LIMITS, Answers, Model, Posterior, Prior, VoteRows
from pairvote._inference.lapses import Lapses
from pairvote._inference.learned import Effort, sample
from pairvote._inference.learned_voters import DrawnKinds
from pairvote._inference.slopes import NODES, Slopes
from pairvote._inference.solver import maximise
from pairvote._inference.weighing import weigh

Floats = NDArray[np.float64]
RIGHT, TIE, LEFT = 0, 1, 2
TIES = ("davidson", "rao-kupper", "half", "drop")
KINDS = ("attentive", "random", "left", "right")
N_ITEMS = 5
# Of a posterior with long tails and of voters who may be right or wrong, so that means are good to some 5%.
N_DRAWS = 20_000


class Table(NamedTuple):
    """Votes as columns; the voter of some is not known (-1)."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    outcome: NDArray[np.int64]
    weight: Floats
    voter: NDArray[np.int64]

    def votes(self) -> pv.Votes:
        voter = [None if code < 0 else code for code in self.voter.tolist()]
        columns = {"weight": self.weight, "voter": voter, "n_items": N_ITEMS}
        return pv.Votes.from_codes(self.left, self.right, self.outcome, **columns)

    @property
    def rows(self) -> list[reference.Row]:
        columns = (self.left, self.right, self.outcome, self.weight)
        return list(zip(*(column.tolist() for column in columns), strict=True))


def simulated(seed: int, *, n_voters: int = 6, n_each: int = 9, ties: float = 0.2, weighted: bool = False) -> Table:
    """Voters of whom the last flips a coin, and the one before takes the left side; a tenth of votes has no voter."""
    rng = np.random.default_rng(seed)
    n_votes = n_voters * n_each
    left = rng.integers(N_ITEMS, size=n_votes)
    right = (left + rng.integers(1, N_ITEMS, size=n_votes)) % N_ITEMS
    voter = np.repeat(np.arange(n_voters), n_each)
    lead = 0.7 * (right - left).astype(float)
    lead[voter == n_voters - 1], lead[voter == n_voters - 2] = 0.0, 3.0
    outcome = np.where(rng.random(n_votes) < expit(lead), LEFT, RIGHT)
    outcome[rng.random(n_votes) < ties] = TIE
    weight = rng.integers(1, 5, size=n_votes) / 2 if weighted else np.ones(n_votes)
    return Table(left, right, outcome, weight, np.where(rng.random(n_votes) < 0.1, -1, voter))


def answers_of(table: Table, *, position: bool = False) -> Answers:
    votes = table.votes()
    return Answers.of(VoteRows.of(votes), votes.items, votes.voters, folded=not position)


def model_of(answers: Answers, ties: str, position: bool, amounts: Floats, prior_sd: float = math.inf) -> Model:
    return Model.of(answers.sums(amounts), ties, Prior.of(prior_sd), position, LIMITS)


def some_parameters(model: Model, seed: int) -> Floats:
    """Scores of mean zero, a tie parameter and a position effect, of usual sizes."""
    parameters = 0.5 * np.random.default_rng(seed).normal(size=model.layout.size)
    parameters[model.layout.scores] -= parameters[model.layout.scores].mean()
    parameters[model.layout.nuisance] = 0.6
    return parameters


def log_chance(
    table: Table, number: int, ties: str, parameters: Floats, variance: Any, *, turned: bool = False
) -> float:
    """The mean log-probability of a vote, or of one turned, to second order in what is not known of d."""
    left, right, outcome = int(table.left[number]), int(table.right[number]), int(table.outcome[number])
    with_tie = reference.has_tie_parameter(table.rows, ties)
    tie = float(parameters[N_ITEMS]) if with_tie else None
    position = float(parameters[-1]) if len(parameters) > N_ITEMS + with_tie else 0.0
    d = float(parameters[left] - parameters[right]) + position
    outcome = LEFT - outcome if turned else outcome
    value = reference.log_probability(outcome, ties, d, tie).real
    if variance is not None:
        value += 0.5 * float(variance(left, right)) * reference.curvatures(outcome, ties, d, tie)[0]
    return value


def kinds_by_loops(
    table: Table, ties: str, parameters: Floats, log_shares: dict[str, float], tie_share: float, variance: Any = None
) -> tuple[list[dict[Any, float]], float]:
    """The chances of every kind of every voter, items that are pushed by number; and the log-likelihood of all."""
    with_tie, tie_weight = reference.has_tie_parameter(table.rows, ties), 0.0 if ties == "drop" else 1.0
    bias, found, total = expit(3.0), [], 0.0

    def inattentive(outcome: int, favoured: int | None) -> float:
        won, lost = (math.log(0.5),) * 2 if favoured is None else (math.log(bias), math.log(1 - bias))
        if outcome == TIE:
            return math.log(tie_share) if with_tie else tie_weight * (won + lost) / 2
        decided = math.log(1 - tie_share) if with_tie else 0.0
        return decided + (lost if favoured is not None and outcome != favoured else won)

    for voter in range(int(table.voter.max()) + 1):
        own = np.flatnonzero(table.voter == voter).tolist()
        kinds: list[Any] = list(KINDS)
        kinds += sorted({int(item) for number in own for item in (table.left[number], table.right[number])})
        logs = {}
        for kind in kinds:
            value = log_shares["pushes"] - math.log(N_ITEMS) if kind not in KINDS else log_shares[kind]
            for number in own:
                outcome, sides = int(table.outcome[number]), (table.left[number], table.right[number])
                if kind == "attentive" or (kind not in KINDS and kind not in sides):
                    each = log_chance(table, number, ties, parameters, variance)
                elif kind == "random":
                    each = inattentive(outcome, None)
                else:
                    favoured = {"left": LEFT, "right": RIGHT}.get(kind, LEFT if kind == sides[0] else RIGHT)
                    each = inattentive(outcome, favoured)
                value += table.weight[number] * each
            logs[kind] = value
        most = max(logs.values())
        whole = most + math.log(sum(math.exp(value - most) for value in logs.values()))
        found.append({kind: math.exp(value - whole) for kind, value in logs.items()})
        total += whole
    for number in np.flatnonzero(table.voter < 0).tolist():
        total += table.weight[number] * log_chance(table, number, ties, parameters, variance)
    return found, total


def first_shares(table: Table) -> tuple[dict[str, float], float]:
    """The logarithms of the prior's means, and the share of ties."""
    prior = dict(zip((*KINDS, "pushes"), (4.0, 0.7, 0.1, 0.1, 0.1), strict=True))
    known = table.voter >= 0
    tied = table.weight[known & (table.outcome == TIE)].sum()
    return {kind: math.log(each / 5.0) for kind, each in prior.items()}, (tied + 0.5) / (table.weight[known].sum() + 1)


def assert_kinds(voters: Lapses, chances: Any, expected: list[dict[Any, float]], atol: float = 1e-9) -> None:
    for number, name in enumerate(("attentive", "random")):
        np.testing.assert_allclose(chances[number], [kinds[name] for kinds in expected], rtol=0, atol=atol)
    for side, name in enumerate(("left", "right")):
        np.testing.assert_allclose(chances.sides[side], [kinds[name] for kinds in expected], rtol=0, atol=atol)
    cells = list(zip(voters.cell_voter.tolist(), voters.cell_item.tolist(), strict=True))
    assert len(cells) == sum(len(kinds) - len(KINDS) for kinds in expected)
    pushed = [expected[voter][item] for voter, item in cells]
    np.testing.assert_allclose(chances.pushes, pushed, rtol=0, atol=atol)


# --- chances ---


@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_chances_of_lapses_are_those_of_loops(ties, position, uncertain) -> None:
    table = simulated(1, weighted=True)
    answers = answers_of(table, position=position)
    model = model_of(answers, ties, position, answers.whole)
    voters, parameters = Lapses.of(answers, model.outcome), some_parameters(model, 2)

    def variance(left: int, right: int) -> float:
        return 0.1 + 0.03 * (left + right) if uncertain else 0.0

    shares = voters.first_shares()
    variances = np.array([variance(*ends) for ends in zip(answers.left, answers.right, strict=True)])
    chances = voters.chances(model, parameters, shares, variances if uncertain else None)
    log_shares, tie_share = first_shares(table)
    assert shares.tie == pytest.approx(tie_share, rel=1e-12)
    expected, total = kinds_by_loops(table, ties, parameters, log_shares, tie_share, variance if uncertain else None)
    assert_kinds(voters, chances, expected)
    assert chances.total == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_chances_of_slopes_are_those_of_loops(ties, position) -> None:
    table = simulated(3, weighted=True)
    answers = answers_of(table, position=position)
    model = model_of(answers, ties, position, answers.whole)
    voters, parameters = Slopes.of(answers, model.outcome), some_parameters(model, 4)
    chances = voters.chances(model, parameters, voters.first_shares())
    total = 0.0
    for voter in range(answers.n_voters):
        own = np.flatnonzero(table.voter == voter).tolist()
        values = []
        for share, prior in [(1.0, 0.8), *((node, 0.2 / 20) for node in (np.arange(20) + 0.5) / 20)]:
            value = math.log(prior)
            for number in own:
                ahead, against = (
                    math.exp(log_chance(table, number, ties, parameters, None, turned=turned))
                    for turned in (False, True)
                )
                value += table.weight[number] * math.log(share * ahead + (1 - share) * against)
            values.append(value)
        whole = math.log(sum(math.exp(value) for value in values))
        total += whole
        found = [chances.attentive[voter], *chances.nodes[voter]]
        np.testing.assert_allclose(found, np.exp(np.array(values) - whole), rtol=0, atol=1e-9)
    for number in np.flatnonzero(table.voter < 0).tolist():
        total += table.weight[number] * log_chance(table, number, ties, parameters, None)
    assert chances.total == pytest.approx(total, rel=1e-9)


def test_shares_are_expected_logarithms_of_a_dirichlet() -> None:
    table = simulated(5)
    answers = answers_of(table)
    model = model_of(answers, "davidson", False, answers.whole)
    voters = Lapses.of(answers, model.outcome)
    chances = voters.chances(model, some_parameters(model, 6), voters.first_shares())
    numbers = [chances.attentive, chances.random, chances.sides[0], chances.sides[1], chances.pushes]
    weights = np.array([4.0, 0.7, 0.1, 0.1, 0.1]) + [each.sum() for each in numbers]
    expected = digamma(weights) - digamma(weights.sum()) - math.log(N_ITEMS) * np.eye(5)[4]
    np.testing.assert_allclose(voters.shares(chances).log_chances, expected, rtol=1e-12)
    slopes = Slopes.of(answers, model.outcome)
    following = slopes.chances(model, some_parameters(model, 6), slopes.first_shares())
    weights = np.array([4.0 + following.attentive.sum(), 1.0 + (1.0 - following.attentive).sum()])
    np.testing.assert_allclose(slopes.shares(following), digamma(weights) - digamma(weights.sum()), rtol=1e-12)


def test_sides_are_not_judged_where_winners_were_written_first() -> None:
    table = simulated(7, ties=0.0)
    table = table._replace(outcome=np.full(len(table.left), LEFT))
    answers = answers_of(table)
    model = model_of(answers, "davidson", False, answers.whole)
    voters = Lapses.of(answers, model.outcome)
    chances = voters.chances(model, some_parameters(model, 8), voters.first_shares())
    assert not chances.sides.any()
    pushed = np.bincount(voters.cell_voter, chances.pushes)
    np.testing.assert_allclose(chances.attentive + chances.random + pushed, 1.0, rtol=1e-12)


# --- what is lost, and the fixed point ---


def hessian(function: Any, at: Floats, step: float = 1e-3) -> Floats:
    """Second derivatives by central differences, extrapolated to a step of nought (Richardson)."""
    n = len(at)
    found = np.zeros((2, n, n))
    for level, h in enumerate((step, 2 * step)):
        for i, j in itertools.combinations_with_replacement(range(n), 2):
            one, other = h * np.eye(n)[i], h * np.eye(n)[j]
            value = function(at + one + other) - function(at + one - other)
            value -= function(at - one + other) - function(at - one - other)
            found[level, i, j] = found[level, j, i] = value / (4 * h * h)
    return np.asarray((4 * found[0] - found[1]) / 3)


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half"])
@pytest.mark.parametrize("of_voters", [Lapses, Slopes])
def test_what_is_lost_is_the_marginal_information(of_voters, ties, position) -> None:
    """Louis (1982): the information of the votes whose kinds are not known is that of the weighed votes less this."""
    table = simulated(9, weighted=True, n_voters=5, n_each=6)
    answers = answers_of(table, position=position)
    model = model_of(answers, ties, position, answers.whole)
    voters, parameters = of_voters.of(answers, model.outcome), some_parameters(model, 10)
    shares = voters.first_shares()
    chances = voters.chances(model, parameters, shares)
    weighed = model_of(answers, ties, position, voters.amounts(chances))
    lost = voters.lost(model, parameters, chances, None)
    marginal = hessian(lambda at: voters.chances(model, at, shares).total, parameters)
    expected = marginal - hessian(weighed.log_likelihood, parameters)
    np.testing.assert_allclose(lost, expected, rtol=0, atol=1e-3 * np.abs(lost).max())
    assert np.linalg.eigvalsh(lost)[0] > -1e-9 * np.abs(lost).max()


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "drop"])
def test_scores_and_chances_satisfy_both_equations(ties, position) -> None:
    """The scores are those of votes weighed by the chances, and the chances those of the scores and their errors."""
    table = simulated(11, n_each=14)
    answers = answers_of(table, position=position)
    model = model_of(answers, ties, position, answers.whole, prior_sd=1.0)
    solution = maximise(model, model.start(), 1e-9, 100)
    weighed = weigh(answers, "lapse", model, solution, learns=False, tol=1e-9, max_iter=100)
    voters, chances = weighed.voters, weighed.chances
    pushes = {}
    for voter, item, chance in zip(voters.cell_voter, voters.cell_item, chances.pushes, strict=True):
        pushes[int(voter), int(item)] = float(chance)
    rows = []
    for number, (left, right, outcome, weight) in enumerate(table.rows):
        voter, counts = int(table.voter[number]), 1.0
        if voter >= 0:
            items = [item for pushing, item in pushes if pushing == voter]
            counts = chances.attentive[voter] + sum(pushes[voter, item] for item in items if item not in (left, right))
        rows.append((left, right, outcome, weight * float(counts)))
    expected = reference.bradley_terry(rows, N_ITEMS, ties, 1.0, position)
    scores = weighed.solution.parameters[:N_ITEMS]
    np.testing.assert_allclose(scores - scores.mean(), expected["scores"], rtol=0, atol=1e-3)

    inverse, parameters = expected["inverse_information"], expected["parameters"]

    def variance(left: int, right: int) -> float:
        along = np.zeros(len(inverse))
        along[[left, right]] = 1, -1
        if position:
            along[-1] = 1
        return float(along @ inverse @ along)

    numbers = [chances.attentive, chances.random, chances.sides[0], chances.sides[1], chances.pushes]
    weights = np.array([4.0, 0.7, 0.1, 0.1, 0.1]) + [each.sum() for each in numbers]
    log_shares = dict(zip((*KINDS, "pushes"), digamma(weights) - digamma(weights.sum()), strict=True))
    again, _ = kinds_by_loops(table, ties, parameters, log_shares, voters.shares(chances).tie, variance)
    assert_kinds(voters, chances, again, atol=2e-3)


# --- draws under a learned prior ---


class Few(NamedTuple):
    """A vote of three voters on three items, the last of whom goes against the others."""

    rows: list[reference.Row]
    voter: list[int]

    def votes(self) -> pv.Votes:
        left, right, outcome, _ = zip(*self.rows, strict=True)
        return pv.Votes.from_codes(left, right, outcome, n_items=3, voter=self.voter)


def few() -> Few:
    agreed = [(0, 1, LEFT, 1.0), (1, 2, LEFT, 1.0), (2, 0, RIGHT, 1.0), (1, 0, RIGHT, 1.0), (2, 1, RIGHT, 1.0)]
    other = [(0, 1, RIGHT, 1.0), (1, 2, RIGHT, 1.0), (2, 0, LEFT, 1.0), (1, 0, RIGHT, 1.0)]
    return Few(agreed + agreed[:4] + other, [0] * 5 + [1] * 4 + [2] * 4)


def weighted_mean(values: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """Mean over draws of relative mass, and the Monte Carlo error of it."""
    mass = mass / mass.sum()
    mean = mass @ values
    return mean, np.sqrt(np.square(mass) @ np.square(values - mean))


def batch_mean(draws: Floats, n_batches: int = 20) -> tuple[Floats, Floats]:
    """The mean of draws that follow each other, and its Monte Carlo error by means of batches."""
    size = len(draws) // n_batches
    means = draws[: size * n_batches].reshape(n_batches, size, -1).mean(axis=1)
    return means.mean(axis=0), means.std(axis=0, ddof=1) / math.sqrt(n_batches)


@pytest.mark.slow
@pytest.mark.parametrize("reliability", ["lapse", "slope"])
def test_draws_are_those_of_all_kinds_together(reliability) -> None:
    """Draws from the learned prior, weighed by the likelihood with the kinds of all voters and shares summed out."""
    given = few()
    rng = np.random.default_rng(12)
    data = data_of(given.rows, 3)
    theta = parts(data, from_prior(300_000, data, rng)).scores
    left, right, outcome, _ = (np.array(column) for column in zip(*given.rows, strict=True))
    voter = np.array(given.voter)
    d = (theta[:, left] - theta[:, right]) * (outcome - 1)
    ahead = expit(d)
    attentive = np.zeros((len(theta), 3))
    if reliability == "slope":
        kinds = np.empty((3, 2, len(theta)))
        for each in range(3):
            p = ahead[:, voter == each]
            kinds[each] = p.prod(axis=1), np.mean([(n * p + (1 - n) * (1 - p)).prod(axis=1) for n in NODES], axis=0)
        prior = {n: beta(4 + n, 1 + 3 - n) / beta(4, 1) for n in range(4)}
        numbers = [(combination, prior[3 - sum(combination)]) for combination in itertools.product((0, 1), repeat=3)]
    else:
        bias = expit(3.0)
        kinds = np.empty((3, 7, len(theta)))
        for each in range(3):
            own = np.flatnonzero(voter == each)
            kinds[each, 0], kinds[each, 1] = ahead[:, own].prod(axis=1), 0.5 ** len(own)
            for kind, side in ((2, LEFT), (3, RIGHT)):
                kinds[each, kind] = np.where(outcome[own] == side, bias, 1 - bias).prod()
            for item in range(3):
                pushed = (left[own] == item) | (right[own] == item)
                won = np.where(outcome[own] == LEFT, left[own], right[own]) == item
                kinds[each, 4 + item] = np.where(pushed, np.where(won, bias, 1 - bias), ahead[:, own]).prod(axis=1) / 3
        weights = np.array([4.0, 0.7, 0.1, 0.1, 0.1])

        def of_numbers(combination: tuple[int, ...]) -> float:
            n = np.bincount(np.minimum(combination, 4), minlength=5)
            return float(np.exp((gammaln(weights + n) - gammaln(weights)).sum() + gammaln(5.0) - gammaln(8.0)))

        numbers = [(each, of_numbers(each)) for each in itertools.product(range(7), repeat=3)]
    total = np.zeros(len(theta))
    for combination, prior_chance in numbers:
        part = prior_chance * np.prod([kinds[each, kind] for each, kind in enumerate(combination)], axis=0)
        total += part
        for each, kind in enumerate(combination):
            if kind == 0:
                attentive[:, each] += part
    centred = theta - theta.mean(axis=1, keepdims=True)
    mean, error = weighted_mean(centred, total)
    square, square_error = weighted_mean(np.square(centred - mean), total)
    chance, chance_error = weighted_mean(attentive / total[:, None], total)
    sd = np.sqrt(square)
    assert (error < 0.02 * sd).all()
    assert (square_error < 0.05 * square).all()
    assert (chance_error < 0.005).all()

    votes = given.votes()
    answers = Answers.of(VoteRows.of(votes), votes.items, votes.voters, folded=True)
    model = model_of(answers, "davidson", False, answers.whole, prior_sd=1.0)
    solution = maximise(model, model.start(), 1e-9, 100)
    weighed = weigh(answers, reliability, model, solution, learns=False, tol=1e-9, max_iter=100)
    changing = DrawnKinds(weighed, weighed.model)
    effort = Effort(least=(N_DRAWS, N_DRAWS), most=(N_DRAWS, N_DRAWS), enough=1.0)
    scores = sample(Posterior(weighed.model, weighed.solution), effort, changing=changing).parameters
    found, found_error = batch_mean(scores)
    assert (found_error < 0.08 * sd).all()
    assert (np.abs(found - mean) < 4 * np.hypot(found_error, error)).all()
    found, found_error = batch_mean(np.square(scores - mean))
    assert (found_error < 0.15 * square).all()
    assert (np.abs(found - square) < 4 * np.hypot(found_error, square_error)).all()
    chances = np.array(changing._attentive, dtype=np.float64)
    found, found_error = batch_mean(chances)
    np.testing.assert_allclose(changing.kinds().attentive, found, atol=1e-3)
    assert (found_error < 0.025).all()
    assert (np.abs(found - chance) < 4 * np.hypot(found_error, chance_error)).all()
