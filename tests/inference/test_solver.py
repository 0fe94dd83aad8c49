"""Every way through the solver leads to the same maximum, on graphs that are hard as well."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace

import limited
import numpy as np
import outcome_models
import pytest
import reference
from numpy.typing import ArrayLike, NDArray
from strategies import Sample

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import LIMITS, Limits, Model, NewtonWorkspace, Prior, outcome_model, solver
from pairvote._inference.solver import maximise
from pairvote._inference.systems import dense_information

TIES = outcome_models.NAMES
Floats = NDArray[np.float64]
COMPILED = _kernels.davidson.COMPILED
MODELS = list(itertools.product(TIES, (False, True), (1.5, math.inf)))
NO_KERNEL = Limits(kernel_parameters=0)
# The limits by which a way of solving is taken, and the classes whose steps it then consists of.
WAYS = {
    "kernel": (LIMITS, set()),
    "dense": (NO_KERNEL, {"Dense"}),
    "gradients": (Limits(kernel_parameters=0, dense_items=0), {"Gradients"}),
    "gradients, then dense": (Limits(kernel_parameters=0, dense_items=0, most_products=3), {"Gradients", "Dense"}),
    "gradients, then sparse": (
        Limits(kernel_parameters=0, dense_items=0, most_products=3, table_items=0, few_pairs=99.0),
        {"Gradients", "Sparse"},
    ),
}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many times each class solved, and how many values a line search looked at."""
    seen: Counter[str] = Counter()

    def count(owner: type, method: str, name: str) -> None:
        original = getattr(owner, method)

        def counting(self, *arguments):
            seen[name] += 1
            return original(self, *arguments)

        monkeypatch.setattr(owner, method, counting)

    count(solver.Dense, "solve", "Dense")
    count(solver.Gradients, "solve", "Gradients")
    count(solver.Sparse, "solve", "Sparse")
    count(Model, "log_posterior", "values")
    return seen


def votes_on(left: ArrayLike, right: ArrayLike, n_items: int, seed: int, *, ties: float = 0.0) -> pv.Votes:
    """Votes on these pairs by strengths of spread 0.7."""
    rng = np.random.default_rng(seed)
    left, right = np.asarray(left), np.asarray(right)
    strength = 0.7 * rng.normal(size=n_items)
    outcome = np.where(rng.random(len(left)) < 1 / (1 + np.exp(strength[right] - strength[left])), 2, 0)
    outcome[rng.random(len(left)) < ties] = 1
    swapped = rng.random(len(left)) < 0.5
    return pv.Votes.from_codes(
        np.where(swapped, right, left),
        np.where(swapped, left, right),
        np.where(swapped, 2 - outcome, outcome),
        n_items=n_items,
    )


def random_pairs(n_items: int, n_votes: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    return left, (left + rng.integers(1, n_items, size=n_votes)) % n_items


FORTY = votes_on(*random_pairs(40, 360, 1), 40, 2, ties=0.2)
FORTY_ROWS = [
    (i, j, o, 1.0) for i, j, o in zip(FORTY.left.tolist(), FORTY.right.tolist(), FORTY.outcome.tolist(), strict=True)
]
EXPECTED: dict[tuple[str, bool, float], dict] = {}


def expected(ties: str, position: bool, prior_sd: float) -> dict:
    key = (ties, position, prior_sd)
    if key not in EXPECTED:
        EXPECTED[key] = reference.bradley_terry(FORTY_ROWS, 40, *key[:1], prior_sd=prior_sd, position=position)
    return EXPECTED[key]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ties", "position", "prior_sd"), MODELS)
def test_every_way_leads_to_the_same_maximum(ties, position, prior_sd, way, steps) -> None:
    limits, classes = WAYS[way]
    known = outcome_models.options(ties)
    options = {**known, "position": position, "prior_sd": prior_sd, "uncertainty": "none"}
    ranking = limited.bradley_terry(FORTY, limits, **options)
    # Models of thresholds have no kernel of their own, so their steps are dense.
    expected_classes = {"Dense"} if way == "kernel" and not outcome_model(**known).by_kernel else classes
    assert {name for name in steps if name != "values"} == expected_classes
    there = expected(ties, position, prior_sd)
    np.testing.assert_allclose(ranking.scores, there["scores"], rtol=0, atol=1e-8)
    if there["tie"] is not None:
        assert ranking.fit.tie_parameter == pytest.approx(there["tie"], abs=1e-8)
    if position:
        assert ranking.fit.position_effect == pytest.approx(there["position"], abs=1e-8)
    assert ranking.fit.log_likelihood == pytest.approx(there["log_likelihood"], abs=1e-9)
    assert abs(ranking.scores.mean()) < 1e-14
    # Steps that are less exact still converge about as fast.
    exact = limited.bradley_terry(FORTY, NO_KERNEL, **options)
    assert ranking.fit.n_iter <= exact.fit.n_iter + 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("ties", "position"),
    [
        ("davidson", True),
        ("rao-kupper", False),
        ("half", False),
        ("cumulative", True),
        ("probit glenn-david", True),
        ("probit half", False),
        ("probit drop", False),
    ],
)
def test_every_way_gives_the_same_standard_errors(ties, position, way) -> None:
    limits = replace(WAYS[way][0], table_items=LIMITS.table_items)
    there = expected(ties, position, 1.5)
    for kind, name in (("model", "covariance"), ("sandwich", "sandwich_covariance")):
        if ties.endswith("half") and kind == "model":
            continue
        options = {**outcome_models.options(ties), "position": position, "prior_sd": 1.5, "uncertainty": kind}
        ranking = limited.bradley_terry(FORTY, limits, **options)
        np.testing.assert_allclose(ranking.covariance, there[name], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(ranking.standard_errors**2, np.diag(there[name]), rtol=1e-6)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("way", WAYS)
def test_rao_kupper_and_davidson_without_ties_are_bradley_terry_on_every_way(way, ties) -> None:
    limits, _ = WAYS[way]
    decided = FORTY.where(FORTY.outcome != 1)
    for kind in ("model", "sandwich"):
        options = {"uncertainty": kind, "position": True, "prior_sd": 3.0}
        known = outcome_models.options(ties)
        ours = limited.bradley_terry(decided, limits, **known, **options)
        plain = limited.bradley_terry(decided, limits, **{**known, "ties": "drop"}, **options)
        # The cumulative model is the same by another path.
        slack = 1e-7 if ties == "cumulative" else 0.0
        np.testing.assert_allclose(ours.scores, plain.scores, rtol=0, atol=slack)
        assert ours.fit.log_likelihood == pytest.approx(plain.fit.log_likelihood, rel=slack, abs=0.0)
        if limits.table_items:
            np.testing.assert_allclose(ours.covariance, plain.covariance, rtol=0, atol=slack)


# --- far starts, line search ---


@pytest.mark.parametrize("far", [3.0, 50.0, 299.0, 350.0, 1e4, 1e6])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("ties", "position"),
    [
        ("davidson", True),
        ("rao-kupper", True),
        ("half", False),
        ("cumulative", True),
        ("probit glenn-david", True),
        ("probit half", False),
    ],
)
def test_far_starts_come_back(ties, position, way, far) -> None:
    limits, _ = WAYS[way]
    start = far * (-1.0) ** np.arange(40)
    options = {"position": position, "prior_sd": 1.5, "uncertainty": "none", "start": start}
    ranking = limited.bradley_terry(FORTY, limits, **outcome_models.options(ties), **options)
    np.testing.assert_allclose(ranking.scores, expected(ties, position, 1.5)["scores"], rtol=0, atol=1e-8)


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "cumulative", "probit glenn-david", "probit half"])
@pytest.mark.parametrize("far", [10.0, 50.0, 400.0, 1e5])
def test_far_starts_come_back_without_a_prior(ties, far) -> None:
    """From saturated votes nothing leads back; level scores do."""
    n_items = 510
    votes = votes_on(*random_pairs(n_items, 12_000 if COMPILED else 6_000, 12), n_items, 13, ties=0.1)
    options = {**outcome_models.options(ties), "position": True, "prior_sd": math.inf, "uncertainty": "none"}
    level = pv.bradley_terry(votes, **options)
    for start in (far * (-1.0) ** np.arange(n_items), far * np.linspace(-1, 1, n_items)):
        ranking = pv.bradley_terry(votes, start=start, **options)
        np.testing.assert_allclose(ranking.scores, level.scores, rtol=0, atol=1e-8)
        assert ranking.fit.position_effect == pytest.approx(level.fit.position_effect, abs=1e-8)


@pytest.mark.parametrize("way", WAYS)
def test_the_line_search_is_needed_and_used(way, steps, monkeypatch) -> None:
    """From saturated scores a full step overshoots; without halving, Newton's method would run away."""
    limits, _ = WAYS[way]
    halved: list[float] = []
    original = solver._advance

    def advance(model, parameters, slopes, step, workspace):
        ahead, slopes_ahead = original(model, parameters, slopes, step, workspace)
        halved.append(float(np.abs(ahead - parameters).max() / np.abs(step).max()))
        return ahead, slopes_ahead

    monkeypatch.setattr(solver, "_advance", advance)
    start = np.where(np.arange(40) < 20, 8.0, -8.0)
    ranking = limited.bradley_terry(FORTY, limits, prior_sd=math.inf, uncertainty="none", start=start)
    np.testing.assert_allclose(ranking.scores, expected("davidson", False, math.inf)["scores"], rtol=0, atol=1e-8)
    assert steps["values"] > 1
    assert min(halved) <= 0.5 + 1e-12
    assert ranking.fit.n_iter >= len(halved)


def test_the_kernel_stops_before_an_unsafe_step() -> None:
    model = Model.of(FORTY.counts().folded(), "drop", math.inf, False)
    start = np.where(np.arange(40) < 20, 8.0, -8.0)
    stopped = solver._few(model, start, 1e-9, 100)
    assert stopped.upper is None
    np.testing.assert_array_equal(start, np.where(np.arange(40) < 20, 8.0, -8.0))
    arrived = solver._few(model, np.zeros(40), 1e-9, 100)
    assert arrived.upper is not None
    np.testing.assert_allclose(maximise(model, start, 1e-9, 100).parameters, arrived.parameters, atol=1e-8)


def test_a_workspace_refuses_what_the_kernel_would_write_beyond() -> None:
    counts = FORTY.counts().folded()
    model = Model.of(counts, "davidson", 3.0, False)
    options = {"prior": Prior.of(1.0), "tol": 1e-9, "max_iter": 100}
    workspace = NewtonWorkspace(model.likelihood, counts.n_pairs, **options)
    rows = [counts.start, counts.right, counts.table, model.start()]
    assert workspace.climb(*rows) > 0
    for place in range(4):
        short = [*rows[:place], rows[place][:-1], *rows[place + 1 :]]
        with pytest.raises(ValueError, match="do not fit this workspace"):
            workspace.climb(*short)
    with pytest.raises(ValueError, match="do not fit this workspace"):
        NewtonWorkspace(model.likelihood, counts.n_pairs - 1, **options).climb(*rows)
    with pytest.raises(ValueError, match="inverse does not fit"):
        workspace.invert(np.zeros(40 * 40))
    thresholds = Model.of(counts, "rao-kupper", 3.0, False).likelihood
    with pytest.raises(ValueError, match="does not fit 'rao-kupper'"):
        NewtonWorkspace(thresholds, counts.n_pairs, **options)


@pytest.mark.parametrize("way", WAYS)
def test_too_few_steps_raise(way) -> None:
    limits, _ = WAYS[way]
    for ties in ("davidson", "rao-kupper"):
        with pytest.raises(pv.ConvergenceError, match=r"not converged after 1 steps .* raise max_iter"):
            limited.bradley_terry(FORTY, limits, ties=ties, max_iter=1)
    needed = limited.bradley_terry(FORTY, limits, prior_sd=3.0).fit.n_iter
    assert needed > 2
    assert limited.bradley_terry(FORTY, limits, prior_sd=3.0, max_iter=needed).fit.n_iter == needed
    with pytest.raises(pv.ConvergenceError):
        limited.bradley_terry(FORTY, limits, prior_sd=3.0, max_iter=needed - 1)


@pytest.mark.parametrize("way", WAYS)
def test_a_start_at_the_maximum_takes_no_step(way) -> None:
    limits, _ = WAYS[way]
    for ties in ("davidson", "rao-kupper"):
        ranking = limited.bradley_terry(FORTY, limits, ties=ties, position=True, prior_sd=3.0)
        again = limited.bradley_terry(FORTY, limits, ties=ties, position=True, prior_sd=3.0, start=ranking)
        assert again.fit.n_iter == 0
        np.testing.assert_allclose(again.scores, ranking.scores, rtol=0, atol=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_a_start_off_centre_is_centred(way) -> None:
    limits, _ = WAYS[way]
    for prior_sd in (100.0, math.inf):
        ranking = limited.bradley_terry(FORTY, limits, prior_sd=prior_sd, start=np.full(40, 25.0))
        assert abs(ranking.scores.mean()) < 1e-13
        np.testing.assert_allclose(
            ranking.scores, limited.bradley_terry(FORTY, limits, prior_sd=prior_sd).scores, atol=1e-8
        )


# --- hard graphs with a known answer: where the graph is a tree, each pair's gap is the log-odds of its own votes ---


def weighted(edges: list[tuple[int, int]], won: ArrayLike, lost: ArrayLike, n_items: int) -> pv.Votes:
    """Votes of these weights: the first of each edge won and lost so often."""
    first, second = np.array(edges).T
    won, lost = (np.broadcast_to(np.asarray(times, float), len(edges)) for times in (won, lost))
    return pv.Votes.from_codes(
        np.concatenate([first, first]),
        np.concatenate([second, second]),
        np.repeat([2, 0], len(edges)),
        n_items=n_items,
        weight=np.concatenate([won, lost]),
    )


def chain(n_items: int) -> list[tuple[int, int]]:
    return [(i, i + 1) for i in range(n_items - 1)]


def assert_chain(ranking: pv.Ranking, gaps: ArrayLike, tolerance: float) -> None:
    np.testing.assert_allclose(-np.diff(ranking.scores), np.broadcast_to(gaps, ranking.n_items - 1), atol=tolerance)
    assert abs(ranking.scores.mean()) < 1e-9 * max(1.0, np.abs(ranking.scores).max())


@pytest.mark.parametrize("n_items", [2, 60, 130, 600, 2000 if COMPILED else 800])
def test_chain_has_its_closed_form(n_items) -> None:
    votes = weighted(chain(n_items), 3.0, 2.0, n_items)
    ranking = pv.bradley_terry(votes, prior_sd=math.inf, uncertainty="none")
    assert_chain(ranking, math.log(1.5), 1e-8)


def test_chain_of_unequal_links() -> None:
    rng = np.random.default_rng(3)
    won, lost = rng.integers(1, 50, size=(2, 699)).astype(float)
    ranking = pv.bradley_terry(weighted(chain(700), won, lost, 700), prior_sd=math.inf, uncertainty="none")
    assert_chain(ranking, np.log(won / lost), 1e-8)


def test_long_chain_is_factored_sparsely(steps) -> None:
    n_items = 20_000 if COMPILED else 3_000
    won = np.random.default_rng(4).integers(3, 9, size=n_items - 1)
    votes = weighted(chain(n_items), won, 5.0, n_items)
    ranking = limited.bradley_terry(votes, Limits(table_items=100), prior_sd=math.inf, uncertainty="none")
    assert steps["Sparse"] > 0
    assert_chain(ranking, np.log(won / 5.0), 1e-7)


@pytest.mark.parametrize("prior_sd", [3.0, "learned"])
def test_chain_with_a_prior_equals_the_dense_answer(prior_sd) -> None:
    votes = weighted(chain(600), 3.0, 2.0, 600)
    ours = pv.bradley_terry(votes, prior_sd=prior_sd, uncertainty="none")
    dense = limited.bradley_terry(votes, Limits(dense_items=600), prior_sd=prior_sd, uncertainty="none")
    # What a prior is learned from is solved to four digits.
    np.testing.assert_allclose(ours.scores, dense.scores, atol=1e-8 if prior_sd == 3.0 else 1e-3)


@pytest.mark.parametrize("n_items", [5, 100, 1500])
def test_star_has_its_closed_form(n_items) -> None:
    rng = np.random.default_rng(5)
    won, lost = rng.integers(1, 30, size=(2, n_items - 1)).astype(float)
    edges = [(leaf, 0) for leaf in range(1, n_items)]
    ranking = pv.bradley_terry(weighted(edges, won, lost, n_items), prior_sd=math.inf, uncertainty="none")
    np.testing.assert_allclose(ranking.scores[1:] - ranking.scores[0], np.log(won / lost), atol=1e-8)


@pytest.mark.parametrize("n_items", [40, 600])
@pytest.mark.parametrize("bridge", [(1.0, 1.0), (2.0, 7.0), (500.0, 1.0)])
@pytest.mark.parametrize("weight", [1.0, 1e5])
@pytest.mark.parametrize("prior_sd", [100.0, math.inf])
def test_two_clusters_and_a_bridge(n_items, bridge, weight, prior_sd) -> None:
    """Of the bridge the gradients say next to nothing, yet the gap across it is that of its own votes."""
    half = n_items // 2
    left, right = random_pairs(half, 20 * half, 6)
    both = np.concatenate([left, left + half]), np.concatenate([right, right + half])
    inside = votes_on(*both, n_items, 7)
    heavy = pv.Votes.from_codes(
        inside.left, inside.right, inside.outcome, n_items=n_items, weight=np.full(len(inside), weight)
    )
    votes = heavy + weighted([(0, half)], *bridge, n_items)
    ranking = pv.bradley_terry(votes, prior_sd=prior_sd, uncertainty="none")
    limits = Limits(kernel_parameters=0, dense_items=n_items)
    dense = limited.bradley_terry(votes, limits, prior_sd=prior_sd, uncertainty="none", tol=1e-12)
    np.testing.assert_allclose(ranking.scores, dense.scores, rtol=0, atol=1e-8)
    if math.isinf(prior_sd):
        assert ranking.scores[0] - ranking.scores[half] == pytest.approx(math.log(bridge[0] / bridge[1]), abs=1e-8)


@pytest.mark.parametrize("prior_sd", [3.0, math.inf])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_bands_equal_the_dense_answer(width, position, prior_sd) -> None:
    n_items, times = 550, 40 if COMPILED else 15
    rng = np.random.default_rng(8)
    left = rng.integers(n_items, size=times * n_items)
    votes = votes_on(left, (left + rng.integers(1, width + 1, size=len(left))) % n_items, n_items, 9, ties=0.1)
    options = {"prior_sd": prior_sd, "position": position, "uncertainty": "none"}
    ours = pv.bradley_terry(votes, **options)
    dense = limited.bradley_terry(votes, Limits(dense_items=n_items), **options)
    np.testing.assert_allclose(ours.scores, dense.scores, rtol=0, atol=1e-8)
    assert ours.fit.position_effect == pytest.approx(dense.fit.position_effect, abs=1e-9)
    assert ours.fit.tie_parameter == pytest.approx(dense.fit.tie_parameter, abs=1e-9)


@pytest.mark.parametrize("sparse", [False, True])
def test_three_regular_random_graph_equals_the_dense_answer(sparse, steps) -> None:
    n_items, times = 1000 if COMPILED else 520, 6
    rng = np.random.default_rng(10)
    matchings = [rng.permutation(n_items).reshape(-1, 2) for _ in range(3)]
    edges = np.tile(np.concatenate(matchings), (times, 1))
    votes = votes_on(*edges.T, n_items, 11)
    limits = Limits(most_products=5, table_items=100) if sparse else LIMITS
    ours = limited.bradley_terry(votes, limits, uncertainty="none", prior_sd=3.0)
    assert steps["Sparse" if sparse else "Gradients"] > 0
    assert not steps["Dense"]
    dense = limited.bradley_terry(votes, Limits(dense_items=n_items), uncertainty="none", prior_sd=3.0)
    np.testing.assert_allclose(ours.scores, dense.scores, rtol=0, atol=1e-8)


# --- extreme data ---


@pytest.mark.parametrize("odds", [1e3, 1e6, 1e12])
def test_extreme_odds(odds) -> None:
    ranking = pv.bradley_terry(weighted(chain(3), odds, 1.0, 3), prior_sd=math.inf)
    assert_chain(ranking, math.log(odds), 1e-9 * math.log(odds))
    # The variance of a log-odds: 1 / won + 1 / lost.
    assert ranking.difference(0, 1).standard_error == pytest.approx(math.sqrt(1 + 1 / odds), rel=1e-6)


@pytest.mark.parametrize("weight", [1e-200, 1e-9, 1e9, 1e200])
def test_the_scale_of_the_weights_drops_out_of_the_likelihood(weight) -> None:
    base, scaled = (weighted(chain(4), [3.0 * w, w, 2.0 * w], w, 4) for w in (1.0, weight))
    expected_scores = pv.bradley_terry(base, prior_sd=math.inf)
    ranking = pv.bradley_terry(scaled, prior_sd=math.inf)
    np.testing.assert_allclose(ranking.scores, expected_scores.scores, atol=1e-9)
    np.testing.assert_allclose(ranking.standard_errors * math.sqrt(weight), expected_scores.standard_errors, rtol=1e-6)


@pytest.mark.parametrize("prior_sd", [1e-50, 1e-3, 1e5, 1e10, 1e100])
def test_priors_of_any_width_determine_connected_votes(prior_sd) -> None:
    votes = weighted(chain(4), 3.0, 2.0, 4)
    ranking = pv.bradley_terry(votes, prior_sd=prior_sd)
    if prior_sd > 1e4:
        assert_chain(ranking, math.log(1.5), 1e-8)
    else:
        # A narrow prior leaves the gradient at level scores times its variance.
        np.testing.assert_allclose(
            ranking.scores, prior_sd**2 * np.array([0.5, 0, 0, -0.5]), rtol=1e-5, atol=1e-5 * prior_sd**2
        )


def two_heavy_components(seed: int) -> pv.Votes:
    rng = np.random.default_rng(seed)
    left, right = random_pairs(20, 200, seed)
    return pv.Votes.from_codes(
        np.concatenate([left, left + 20]),
        np.concatenate([right, right + 20]),
        rng.choice([0, 2], size=400),
        n_items=40,
        weight=10.0 ** rng.uniform(4, 6, size=400),
    )


@pytest.mark.parametrize("way", ["kernel", "dense"])
def test_what_rounding_would_decide_raises(way) -> None:
    """How far apart two components may lie is the prior's to say, which is lost beside votes so heavy."""
    limits, _ = WAYS[way]
    for seed in range(20):
        with pytest.raises(pv.ConvergenceError, match="singular"):
            limited.bradley_terry(two_heavy_components(seed), limits, prior_sd=1e5)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("start", [0.0, 5.0])
@pytest.mark.parametrize("prior_sd", [1.0, 100.0, 3000.0])
def test_each_component_has_mean_zero(prior_sd, start, way) -> None:
    """The prior alone places the components, each around zero, however little it weighs."""
    limits, _ = WAYS[way]
    offset = np.repeat([start, -start], 20)
    ranking = limited.bradley_terry(
        two_heavy_components(0), limits, prior_sd=prior_sd, start=offset, uncertainty="none"
    )
    tolerance = 1e-12 if prior_sd > 10 else 1e-7
    np.testing.assert_allclose(ranking.scores.reshape(2, 20).mean(axis=1), 0.0, atol=tolerance)


@pytest.mark.parametrize("prior_sd", [3.0, "learned"])
def test_nothing_to_maximise(prior_sd) -> None:
    for n_items in (0, 1, 3):
        for way in WAYS:
            ranking = limited.bradley_terry(Sample([], n_items, False).votes(), WAYS[way][0], prior_sd=prior_sd)
            assert ranking.scores.tolist() == pytest.approx([0.0] * n_items, abs=0.0 if prior_sd == 3.0 else 1e-12)
            assert ranking.fit.log_likelihood == 0.0
    one = pv.bradley_terry(Sample([], 1, False).votes(), prior_sd=math.inf)
    assert (one.scores.tolist(), one.standard_errors.tolist()) == ([0.0], [0.0])


@pytest.mark.parametrize("tol", [1e-6, 1e-9])
@pytest.mark.parametrize(("ties", "position", "prior_sd"), MODELS)
def test_a_step_that_is_sure_to_arrive_does(ties, position, prior_sd, tol, steps, monkeypatch) -> None:
    """The last step is not always looked at, so its gradient must hold what was promised."""
    limits, _ = WAYS["gradients"]
    promised: list[bool] = []
    certain = solver._arrives

    def arrives(*arguments) -> bool:
        promised.append(certain(*arguments))
        return promised[-1]

    monkeypatch.setattr(solver, "_arrives", arrives)
    for seed in range(4):
        votes = votes_on(*random_pairs(60, 4000, seed), 60, seed, ties=0.2)
        counts, known = votes.counts() if position else votes.counts().folded(), outcome_models.options(ties)
        model = Model.of(counts, known["ties"], prior_sd, position, limits, known["link"])
        solution = maximise(model, model.start(), tol, 100)
        assert solver._scaled_gradient(model.slopes(solution.parameters)) <= tol
    assert any(promised) is model.outcome.self_concordant


def test_the_bound_on_what_a_step_leaves_holds_step_by_step() -> None:
    """Whatever the step, the gradient after it is within reach^2 / 8 of votes of what the step was solved for."""
    rng = np.random.default_rng(5)
    for ties, position in itertools.product(("davidson", "half", "drop"), (False, True)):
        model = Model.of(FORTY.counts() if position else FORTY.counts().folded(), ties, 3.0, position)
        n_items, n_votes = 40, model.totals[:, :3] @ [1.0, model.outcome.tie_weight, 1.0]
        bound = np.concatenate([n_votes, np.full(model.layout.n_beside, model.n_decided + model.n_ties)])
        for size in (1e-3, 0.1, 1.0):
            at, step = rng.normal(size=model.layout.size), size * rng.normal(size=model.layout.size)
            here, there = model.slopes(at), model.slopes(at + step)
            information = dense_information(model.counts, here, anchored=False)
            information += np.triu(information, 1).T
            remainder = np.abs(there.gradient - (here.gradient - information @ step))
            assert (remainder <= solver._reach(step, n_items) ** 2 / 8 * bound + 1e-9).all()
