"""Uncertainty of more items than a table of covariances holds, held against the table, formulas and closed forms."""

from __future__ import annotations

import itertools
import math
from typing import Any

import limited
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import Limits, voter_gradients
from pairvote._inference.many_items import ManyItems
from pairvote._inference.systems import dense_information

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
COMPILED = _kernels.davidson.COMPILED
MANY = 50
N_ITEMS = 300 if COMPILED else 120


# From here on 50 items are as many as 4,000.
FEW = Limits(table_items=MANY, dense_items=MANY, kernel_parameters=0)


def many_items(votes: pv.Votes, **options: Any) -> pv.Ranking:
    """The fit as that of many items."""
    return limited.bradley_terry(votes, FEW, **options)


def path(n_items: int) -> tuple[Ints, Ints]:
    return np.arange(n_items - 1), np.arange(1, n_items)


def band(n_items: int) -> tuple[Ints, Ints]:
    near, far = path(n_items)
    return np.concatenate([near, near[:-1]]), np.concatenate([far, far[1:]])


def tree(n_items: int) -> tuple[Ints, Ints]:
    return np.random.default_rng(1).integers(0, np.arange(1, n_items)), np.arange(1, n_items)


def mixed(n_items: int) -> tuple[Ints, Ints]:
    """Everyone with some 24 others."""
    rng = np.random.default_rng(2)
    left = np.repeat(np.arange(n_items), 12)
    return left, (left + rng.integers(1, n_items, size=len(left))) % n_items


GRAPHS = {"path": path, "band": band, "tree": tree, "mixed": mixed}
EXACT = ("path", "band", "tree")


def votes_on(
    name: str, *, n_items: int = N_ITEMS, n_each: int = 12, ties: float = 0.15, n_voters: int = 40
) -> pv.Votes:
    """Votes by strengths of spread one on every pair of a graph, sides at random, each pair won on both sides."""
    rng = np.random.default_rng(3)
    first, second = (np.repeat(side, n_each if name != "mixed" else 2) for side in GRAPHS[name](n_items))
    swapped = rng.random(len(first)) < 0.5
    left, right = np.where(swapped, second, first), np.where(swapped, first, second)
    strength = 0.6 * rng.normal(size=n_items)
    outcome = np.where(rng.random(len(left)) < 1 / (1 + np.exp(strength[right] - strength[left] - 0.2)), 2, 0)
    outcome[rng.random(len(left)) < ties] = 1
    # One win to each side of every pair, whatever chance says.
    left, right = np.concatenate([left, first, first]), np.concatenate([right, second, second])
    outcome = np.concatenate([outcome, np.repeat([0, 2], len(first))])
    return pv.Votes.from_codes(left, right, outcome, n_items=n_items, voter=rng.integers(n_voters, size=len(left)))


def whole_information(fit: pv.Fit) -> Floats:
    model = fit._posterior.model
    upper = np.triu(dense_information(model.counts, model.slopes(fit._posterior.solution.parameters), anchored=False))
    return upper + np.triu(upper, 1).T


def errors_of(fit: pv.Fit) -> list[float]:
    return [fit.tie_standard_error, fit.position_standard_error, *fit.coefficient_standard_errors.tolist()]


# --- where votes form chains and trees ---


@pytest.mark.slow
@pytest.mark.parametrize("prior_sd", [3.0, math.inf])
@pytest.mark.parametrize(
    ("ties", "position", "with_covariates"),
    [("drop", False, False), ("davidson", True, False), ("rao-kupper", True, False), ("davidson", True, True)],
)
@pytest.mark.parametrize("name", EXACT)
def test_chains_bands_and_trees_have_exact_errors(name, ties, position, with_covariates, prior_sd) -> None:
    votes = votes_on(name)
    covariates = np.random.default_rng(6).normal(size=(len(votes), 2)) if with_covariates else None
    options = {"ties": ties, "position": position, "prior_sd": prior_sd, "covariates": covariates}
    dense = pv.bradley_terry(votes, **options)
    expected, further = dense.standard_errors, errors_of(dense.fit)
    many = many_items(votes, **options)
    np.testing.assert_allclose(many.scores, dense.scores, rtol=0, atol=1e-8)
    np.testing.assert_allclose(many.standard_errors, expected, rtol=1e-6)
    np.testing.assert_allclose(errors_of(many.fit), further, rtol=1e-6)
    assert many.fit.approximation_error == 0.0
    low, high = many.confidence_interval(0.9)
    np.testing.assert_allclose(high - low, 2 * 1.6448536269514722 * expected, rtol=1e-6)
    scaled = many.on_elo_scale()
    np.testing.assert_allclose(scaled.standard_errors, expected * 400 / math.log(10), rtol=1e-6)


@pytest.mark.parametrize("n_items", [4_001, 50_000] if COMPILED else [4_001])
def test_a_long_path_has_its_closed_form(n_items) -> None:
    """Without a prior each gap has the variance 1 / won + 1 / lost of its own votes, independent of the others."""
    won, lost = np.random.default_rng(4).integers(2, 9, size=(2, n_items - 1)).astype(float)
    first, second = path(n_items)
    votes = pv.Votes.from_codes(
        np.tile(first, 2),
        np.tile(second, 2),
        np.repeat([2, 0], n_items - 1),
        n_items=n_items,
        weight=np.concatenate([won, lost]),
    )
    ranked = pv.bradley_terry(votes, prior_sd=math.inf)
    gap = 1 / won + 1 / lost
    # A centred score is the sum of the gaps below, each times the share of items above it, less those above.
    link = np.arange(1, n_items)
    above = np.concatenate([[0.0], np.cumsum(gap * (link / n_items) ** 2)])
    below = np.concatenate([np.cumsum((gap * (1 - link / n_items) ** 2)[::-1])[::-1], [0.0]])
    np.testing.assert_allclose(ranked.standard_errors, np.sqrt(above + below), rtol=1e-7)
    assert ranked.fit.approximation_error == 0.0
    assert ranked.fit.prior_share == 0.0
    for i, j in ((0, n_items - 1), (17, 18), (n_items // 2, 5)):
        expected = math.sqrt(gap[min(i, j) : max(i, j)].sum())
        assert ranked.difference(i, j).standard_error == pytest.approx(expected, rel=1e-7)


# --- where votes mix the items well ---


@pytest.mark.parametrize("prior_sd", [1.0, math.inf])
@pytest.mark.parametrize(("ties", "position"), [("drop", False), ("davidson", True), ("rao-kupper", True)])
def test_mixed_votes_have_errors_by_the_second_order_formula(ties, position, prior_sd) -> None:
    many = many_items(votes_on("mixed"), ties=ties, position=position, prior_sd=prior_sd)
    information = whole_information(many.fit)
    d = np.diag(information)
    expected = np.zeros(N_ITEMS)
    for i in range(N_ITEMS):
        expected[i] = 1 / d[i]
        for j in range(N_ITEMS):
            if j != i:
                expected[i] += information[i, j] ** 2 / (d[i] ** 2 * d[j])
    # What not knowing the further parameters adds, the level of the scores being fixed.
    anchor = np.zeros_like(information)
    anchor[:N_ITEMS, :N_ITEMS] = 1.0
    alone = np.linalg.inv((information + anchor)[:N_ITEMS, :N_ITEMS])
    together = np.linalg.inv(information + anchor)[:N_ITEMS, :N_ITEMS]
    expected += np.diag(together - alone)
    np.testing.assert_allclose(many.standard_errors**2, expected, rtol=1e-5)
    if ties == "drop" and not position:
        p = 1 / (1 + np.exp(many.scores - many.scores[:, None]))
        met = np.zeros((N_ITEMS, N_ITEMS))
        votes = votes_on("mixed")
        decided = votes.outcome != 1
        np.add.at(met, (votes.left[decided], votes.right[decided]), 1.0)
        weight = (met + met.T) * p * (1 - p)
        np.testing.assert_allclose(-information + np.diag(d), weight, atol=1e-9)


@pytest.mark.parametrize(("ties", "position", "prior_sd"), [("drop", False, math.inf), ("davidson", True, 3.0)])
def test_the_error_reported_is_that_of_thirty_items(ties, position, prior_sd, monkeypatch) -> None:
    votes = votes_on("mixed")
    options = {"ties": ties, "position": position, "prior_sd": prior_sd}
    exact = pv.bradley_terry(votes, **options).standard_errors
    many = many_items(votes, **options)
    off = np.abs(many.standard_errors / exact - 1)
    order = np.argsort(many.standard_errors, kind="stable")
    checked = order[np.linspace(0, N_ITEMS - 1, 30).astype(int)]
    solved = []
    original = ManyItems._solve
    monkeypatch.setattr(
        ManyItems, "_solve", lambda self, *task: solved.append(task[0].shape[1]) or original(self, *task)
    )
    assert many.fit.approximation_error == pytest.approx(off[checked].max(), abs=2e-4)
    assert sum(solved) == 30
    print(f"up to {off.max():.3%} off, {many.fit.approximation_error:.3%} reported")
    # Everyone met some 24 others: the third order, left out, is about their number's inverse squared.
    assert 1e-5 < many.fit.approximation_error <= off.max() + 2e-4
    assert off.max() < 0.02


def test_the_error_reported_grows_where_votes_mix_badly() -> None:
    """Two well mixed halves that few votes join: which is ahead is badly known, and no pair of an item says so."""
    half = votes_on("mixed", n_items=N_ITEMS // 2, ties=0.0)
    n_half = N_ITEMS // 2
    bridge = [0, 1, 0], [n_half, n_half + 1, n_half + 1], [2, 0, 0]
    left, right = (
        np.concatenate([side, side + n_half, ends])
        for side, ends in zip((half.left, half.right), bridge[:2], strict=True)
    )
    outcome = np.concatenate([half.outcome, half.outcome, bridge[2]])
    votes = pv.Votes.from_codes(left, right, outcome, n_items=2 * n_half)
    exact = pv.bradley_terry(votes, prior_sd=3.0).standard_errors
    many = many_items(votes, prior_sd=3.0)
    off = np.abs(many.standard_errors / exact - 1)
    assert 0.2 < off.min() < off.max() < 0.5
    assert many.fit.approximation_error == pytest.approx(off.max(), rel=0.05)


# --- differences and further parameters, exact everywhere ---


@pytest.mark.slow
@pytest.mark.parametrize("uncertainty", ["model", "sandwich", "by-voter"])
@pytest.mark.parametrize(("ties", "position", "prior_sd"), [("davidson", True, 3.0), ("drop", False, math.inf)])
@pytest.mark.parametrize("with_covariates", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_differences_are_exact_at_any_size(name, with_covariates, ties, position, prior_sd, uncertainty) -> None:
    votes = votes_on(name)
    covariates = np.random.default_rng(5).normal(size=(len(votes), 2)) if with_covariates else None
    options = {"ties": ties, "position": position, "prior_sd": prior_sd, "covariates": covariates}
    pairs = [(0, 1), (0, N_ITEMS - 1), (17, 40), (40, 3)]
    dense = pv.bradley_terry(votes, uncertainty=uncertainty, **options)
    expected = [dense.difference(*pair).standard_error for pair in pairs]
    further = errors_of(dense.fit)
    if uncertainty == "by-voter":
        # For many items gradients are corrected for few voters by one factor.
        posterior = dense.fit._posterior
        inverse = posterior._inverse
        gradients = voter_gradients(posterior.model, posterior.solution.parameters, posterior.rows).toarray()
        meat = gradients.T @ gradients * (len(gradients) / (len(gradients) - 1))
        meat += posterior.model.prior_products(np.eye(len(meat)))
        covariance = inverse @ meat @ inverse
        variances = np.diag(covariance)
        plain = [math.sqrt(variances[i] + variances[j] - 2 * covariance[i, j]) for i, j in pairs]
        # That is nearly the correction voter by voter, for as many.
        ratios = np.array(plain) / expected
        assert 0.75 < ratios.min() < ratios.max() < 1.1
        scale = np.concatenate([np.ones(len(variances) - len(dense.fit._scale)), dense.fit._scale])
        # A variance below half the model's is taken with a part of the model's, as of one voter more.
        missing = np.maximum(np.diag(inverse) - 2 * variances, 0.0)
        beside = np.sqrt(variances + missing / (len(gradients) + 1))[N_ITEMS:] / scale[N_ITEMS:]
        n_ties = int(ties == "davidson")
        expected = plain
        further = [beside[0] * dense.fit.tie_parameter if n_ties else 0.0, beside[n_ties] if position else 0.0]
        further += beside[n_ties + position :].tolist()
    many = many_items(votes, uncertainty=uncertainty, **options)
    found = [many.difference(*pair).standard_error for pair in pairs]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(errors_of(many.fit), further, rtol=1e-6)
    for pair, error in zip(pairs, expected, strict=True):
        low, high = many.difference(*pair).confidence_interval()
        reach = stats.t(many.fit.degrees_of_freedom).ppf(0.975) if uncertainty == "by-voter" else 1.959963984540054
        assert high - low == pytest.approx(2 * reach * error, rel=1e-6)
    if uncertainty == "by-voter" and math.isinf(prior_sd):
        assert many.fit.degrees_of_freedom == pytest.approx(dense.fit.degrees_of_freedom, rel=1e-9)


# --- how much the prior decides ---


@pytest.mark.slow
@pytest.mark.parametrize("prior_sd", [0.5, 3.0, 30.0])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_prior_share_is_the_largest_eigenvalues_to_a_hundredth(name, position, prior_sd) -> None:
    votes = votes_on(name)
    expected = pv.bradley_terry(votes, prior_sd=prior_sd, position=position).fit.prior_share
    many = many_items(votes, prior_sd=prior_sd, position=position)
    assert many.fit.prior_share == pytest.approx(expected, rel=0.01)
    assert many_items(votes, prior_sd=math.inf, position=position).fit.prior_share == 0.0


def test_prior_share_is_one_across_components() -> None:
    votes = votes_on("mixed")
    apart = pv.Votes.from_codes(
        np.concatenate([votes.left, votes.left + N_ITEMS]),
        np.concatenate([votes.right, votes.right + N_ITEMS]),
        np.tile(votes.outcome, 2),
        n_items=2 * N_ITEMS,
    )
    assert many_items(apart).fit.prior_share == pytest.approx(1.0, rel=0.01)


# --- what is refused ---


def test_tables_of_all_pairs_are_refused_above_four_thousand_items() -> None:
    n_items = 4_001
    votes = votes_on("mixed", n_items=n_items) if COMPILED else votes_on("path", n_items=n_items, n_each=1)
    ranked = pv.bradley_terry(votes)
    memory = "0.1 GiB"
    for ask in (lambda: ranked.covariance, lambda: ranked.top_k_probability(5), ranked.rank_interval):
        with pytest.raises(pv.MissingUncertaintyError, match=rf"covariance of 4,001 items would take {memory}; .*diff"):
            ask()
    with pytest.raises(
        pv.InputError, match=rf"probabilities of 4,001 items would take {memory}; .* expected_score\(\)"
    ):
        ranked.probability_matrix()
    assert 0.0 < ranked.expected_score(0, 1) < 1.0


def test_up_to_the_limit_nothing_is_refused() -> None:
    for n_items in (MANY, MANY + 1):
        ranked = many_items(votes_on("mixed", n_items=n_items))
        if n_items == MANY:
            assert ranked.covariance.shape == (MANY, MANY)
            assert ranked.top_k_probability(3, rng=0).sum() == pytest.approx(3)
            assert ranked.fit.approximation_error == 0.0
        else:
            with pytest.raises(pv.MissingUncertaintyError):
                ranked.covariance  # noqa: B018
            assert ranked.fit.approximation_error > 0.0


def test_errors_that_many_items_do_not_have_are_left_out_of_tables() -> None:
    given = (
        rf" of all items are given for up to {MANY} items, and these are {N_ITEMS} items; difference\(\) is exact .*"
    )
    for name, (uncertainty, kind) in itertools.product(
        ("mixed", "path"), {"by-voter": "standard errors between voters", "sandwich": "sandwich errors"}.items()
    ):
        ranked = many_items(votes_on(name), uncertainty=uncertainty)
        with pytest.raises(
            pv.MissingUncertaintyError, match=f"^{kind}{given}uncertainty='model' gives all by the model"
        ):
            ranked.standard_errors  # noqa: B018
        assert len(many_items(votes_on(name), uncertainty="model").standard_errors) == N_ITEMS
        assert ranked.difference(0, 9).standard_error > 0.0
        assert "interval" not in str(ranked)
        assert "standard_error" not in ranked.to_columns()
        assert "<table>" in ranked._repr_html_()
    with pytest.raises(pv.MissingUncertaintyError, match="and ties='davidson' gives all by the model"):
        many_items(votes_on("mixed"), ties="half").standard_errors  # noqa: B018
    assert "interval" in str(many_items(votes_on("mixed"), ties="davidson"))


def test_the_numbers_are_the_same_however_they_are_asked_for() -> None:
    votes = votes_on("mixed")
    for position in (False, True):
        once, again = (many_items(votes, position=position) for _ in range(2))
        once.difference(1, 2)
        assert once.fit.approximation_error == again.fit.approximation_error
        np.testing.assert_array_equal(once.standard_errors, again.standard_errors)
        with pytest.raises(ValueError, match="read-only"):
            once.standard_errors[0] = 1.0
