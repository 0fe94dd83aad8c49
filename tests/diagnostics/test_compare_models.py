"""The page that compares models of a vote: its numbers are those of fits, and its advice leans on evidence alone."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import pairvote as pv
from pairvote.diagnostics._compare_models import _gain
from pairvote.diagnostics._consensus import Consensus
from pairvote.scoring import _candidates

KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)
TIED = pv.simulate(n_items=6, n_voters=12, votes_each=20, voters=pv.VoterModel(tie_parameter=0.8), rng=3).votes(0)
OPTIONS = {"n_simulations": 99, "rng": 1}


def with_threshold(seed, tau, *, n=6_000, n_items=6):
    """Votes with Rao and Kupper's ties: P(left) = 1 / (1 + exp(tau - d)); scores spread so wide that models part."""
    rng = np.random.default_rng(seed)
    scores = np.linspace(-3, 3, n_items)
    left = rng.integers(n_items, size=n)
    right = (left + rng.integers(1, n_items, size=n)) % n_items
    ahead = scores[left] - scores[right]
    lost, won = 1 / (1 + np.exp(tau + ahead)), 1 / (1 + np.exp(tau - ahead))
    point = rng.random(n)
    outcome = np.where(point < lost, 0, np.where(point < 1 - won, 1, 2))
    return pv.Votes.from_codes(left, right, outcome, n_items=n_items)


def test_its_numbers_are_those_of_fits_and_of_held_out_votes() -> None:
    page = pv.diagnostics.compare_models(TIED, **OPTIONS)
    assert page.candidates == ("default", "rao-kupper", "probit", "position", "level")
    assert page.is_maximum
    options = {
        "default": {},
        "rao-kupper": {"ties": "rao-kupper"},
        "probit": {"link": "probit"},
        "position": {"position": True},
    }
    table = page.to_columns()
    for place, given in enumerate(options.values()):
        fit = pv.bradley_terry(TIED, prior_sd=math.inf, **given).fit
        for name in ("log_likelihood", "n_parameters", "aic", "bic"):
            assert table[name][place] == pytest.approx(getattr(fit, name), abs=1e-6)
    ties, n = int((TIED.outcome == 1).sum()), len(TIED)
    # All items level: a tie or, evenly, one of the sides.
    level = ties * math.log(ties / n) + (n - ties) * math.log((n - ties) / 2 / n)
    assert page.log_likelihood[-1] == pytest.approx(level, abs=0.1)
    held_out = pv.cross_validate(TIED, {**options, "level": {"prior_sd": 1e-6}}, by="voter", rng=1)
    assert table["log_loss"] == held_out.log_loss.tolist()
    assert table["difference"][1] == held_out.difference("rao-kupper", "default").estimate
    bias = pv.diagnostics.position_bias(TIED)
    assert (page.position.ratio, page.position.effect) == pytest.approx((bias.ratio, bias.effect), abs=1e-4)
    assert page.ties_by_item.labels == TIED.items
    assert page.ties_by_voter.by == "voter"
    assert set(page.p) == {"rao-kupper", "probit", "position"}
    assert page.p["position"] == page.position.ratio_p


def test_a_rival_is_ahead_by_the_log_likelihood_under_a_prior_of_one_spread() -> None:
    consensus = Consensus.of(TIED, None, 1.2)
    fit = {"position": True, "uncertainty": "none"}
    default = pv.bradley_terry(TIED, prior_sd=1.2, **fit).fit.log_likelihood
    # One probit is sqrt(8 / pi) log-odds at level scores, where both curves are as steep.
    for alternative, prior_sd in (({"ties": "rao-kupper"}, 1.2), ({"link": "probit"}, 1.2 / math.sqrt(8 / math.pi))):
        (gain,) = _gain(_candidates.Alternative(name="a", question="q", options=alternative), consensus)
        rival = pv.bradley_terry(TIED, prior_sd=prior_sd, **fit, **alternative).fit.log_likelihood
        assert gain == pytest.approx(rival - default, abs=1e-3)


def test_votes_that_do_not_tell_keep_the_default() -> None:
    page = pv.diagnostics.compare_models(KALMAR, **OPTIONS)
    assert page.options == {}
    assert page.recommendation.startswith("Keep bradley_terry(votes) as it is")
    assert any(reason.startswith("link: the votes do not tell the default from probit") for reason in page.reasons)
    assert page.p["probit"] > 0.05
    assert page.ties_by_item is None
    assert page.ties_by_voter is None
    assert "rao-kupper" not in page.candidates


def test_a_side_that_is_favoured_is_found_and_the_advice_can_be_followed() -> None:
    page = pv.diagnostics.compare_models(pv.datasets.baseball(), **OPTIONS)
    assert page.options == {"position": True}
    assert page.recommendation == "Score with bradley_terry(votes, position=True)."
    assert pv.bradley_terry(pv.datasets.baseball(), **page.options).fit.position_effect == pytest.approx(0.3, abs=0.05)
    assert any("the left side is favoured, by 0.30 log-odds" in reason for reason in page.reasons)


def test_a_model_of_ties_is_taken_where_votes_tell() -> None:
    page = pv.diagnostics.compare_models(with_threshold(1, 0.8), **OPTIONS)
    assert page.options == {"ties": "rao-kupper"}
    assert any(
        reason.startswith("ties: rao-kupper fits better than it would if the default were true")
        for reason in page.reasons
    )


def test_level_items_are_said_to_be() -> None:
    rng = np.random.default_rng(3)
    left = rng.integers(20, size=100)
    votes = pv.Votes.from_codes(left, (left + rng.integers(1, 20, size=100)) % 20, rng.choice([0, 2], 100))
    page = pv.diagnostics.compare_models(votes, **OPTIONS)
    assert any("no better than if all items were level" in reason for reason in page.reasons)


def test_without_a_maximum_likelihoods_are_under_a_learned_prior() -> None:
    # "a" won all its votes.
    votes = pv.Votes.from_wins(["a"] * 6 + ["b", "c"] * 4, ["b", "c"] * 3 + ["c", "b"] * 4)
    page = pv.diagnostics.compare_models(votes, **OPTIONS)
    assert not page.is_maximum
    assert np.isnan(page.bic).all()
    assert np.isfinite(page.aic).all()
    assert "BIC" not in str(page)
    assert "there is no maximum" in str(page)


def test_it_prints_and_gives_a_dict() -> None:
    page = pv.diagnostics.compare_models(TIED, **OPTIONS)
    lines = str(page).splitlines()
    assert lines[0] == "Which model"
    assert lines[1].strip() == page.recommendation
    table = [line.strip() for line in lines if line.strip().split()[0] in page.candidates]
    assert [line.split()[0] for line in table] == list(page.candidates)
    assert "<table>" in page._repr_html_()
    found = json.loads(json.dumps(page.to_dict()))
    assert found["options"] == page.options
    assert found["ties_by_item"]["p"] == page.ties_by_item.p
    assert found["log_loss"] == page.held_out.log_loss.tolist()


def test_the_answer_is_the_same_for_one_rng_and_any_order_of_rows() -> None:
    mixed = TIED._take(np.random.default_rng(1).permutation(len(TIED)))
    one, other = (pv.diagnostics.compare_models(votes, **OPTIONS) for votes in (TIED, mixed))
    np.testing.assert_allclose(one.held_out.log_loss, other.held_out.log_loss, rtol=1e-9)
    assert one.options == other.options


def test_one_more_alternative_is_one_more_entry(monkeypatch) -> None:
    more = _candidates.Alternative(name="cauchy", question="link", options={"link": "probit", "ties": "drop"})
    monkeypatch.setattr(_candidates, "ALTERNATIVES", (*_candidates.ALTERNATIVES, more))
    page = pv.diagnostics.compare_models(KALMAR, **OPTIONS)
    assert page.candidates == ("default", "probit", "position", "cauchy", "level")


@pytest.mark.parametrize(
    "votes",
    [
        pv.Votes.from_labels(["a", "b", "c"] * 4, ["b", "c", "a"] * 4, ["tie"] * 12),
        pv.Votes.from_wins(["a", "b", "c"] * 4, ["b", "c", "a"] * 4),
        pv.Votes.from_wins(["a", "b"], ["b", "a"], items=["a", "b", "c"]),
        pv.Votes.from_labels(["a", "b", "c"] * 4, ["b", "c", "a"] * 4, [0.2, 0.5, 0.9] * 4, outcomes="share"),
        pv.Votes.from_labels(
            ["a", "b", "c"] * 4, ["b", "c", "a"] * 4, ["left", "right", "tie"] * 4, weight=[0.25] * 12
        ),
        pv.Votes.from_labels(["a", "b"] * 6, ["b", "c"] * 6, ["left", "skip", "right"] * 4, voter=["x", None] * 6),
    ],
)
def test_odd_votes_have_a_page(votes) -> None:
    page = pv.diagnostics.compare_models(votes, **OPTIONS)
    assert page.recommendation
    assert str(page)
    json.dumps(page.to_dict())


@pytest.mark.parametrize(
    ("votes", "options", "match"),
    [
        (KALMAR.counts(), {}, "votes is a PairCounts"),
        (pv.Votes.from_labels(["a"], ["b"], ["skip"]), {}, "there is 1 vote and none of them is answered"),
        (pv.Votes.from_wins(["a"], ["b"]), {}, "give 1 vote to hold out"),
        (KALMAR, {"by": "judge"}, "by is 'judge'"),
        (KALMAR, {"folds": 0}, "folds is 0"),
        (KALMAR, {"rate": 0}, "rate is 0"),
        (KALMAR, {"n_simulations": 3}, "n_simulations is 3"),
        (KALMAR, {"criterion": "new"}, "there is no criterion"),
        (KALMAR, {"n_jobs": 0}, "n_jobs is 0"),
        (KALMAR, {"rng": -1}, "rng is -1"),
    ],
)
def test_what_cannot_be_compared_is_refused(votes, options, match) -> None:
    with pytest.raises(pv.InputError, match=match):
        pv.diagnostics.compare_models(votes, **options)


def test_shares_of_votes_are_not_asked_for_their_link() -> None:
    rng = np.random.default_rng(4)
    left = rng.integers(6, size=150)
    right = (left + rng.integers(1, 6, size=150)) % 6
    share = 1 / (1 + np.exp(-0.4 * (left - right))) * 0.8 + 0.1
    votes = pv.Votes.from_labels(left.tolist(), right.tolist(), share.tolist(), outcomes="share")
    page = pv.diagnostics.compare_models(votes, n_simulations=99, rng=1)
    assert page.candidates == ("default", "position", "level")
    assert not any(reason.startswith("link") for reason in page.reasons)
