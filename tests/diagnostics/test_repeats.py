"""Repeated answers of one voter, and weights that make votes count for next to nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from strategies import samples

import pairvote as pv

KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)


@given(samples(min_items=2, max_items=5, min_votes=1, max_votes=40))
def test_repeats_are_counted_by_voter_and_pair(sample) -> None:
    voter = [row % 3 or None for row in range(len(sample.rows))]
    counted = [
        (who, frozenset((left, right)), left if outcome == 2 else right if outcome == 0 else None)
        for (left, right, outcome, weight), who in zip(sample.rows, voter, strict=True)
        if who is not None and outcome != 3 and weight > 0
    ]
    votes = sample.votes(voter=voter)
    if not counted:
        with pytest.raises(pv.InputError, match=r"do not say who voted|none of them is answered"):
            pv.diagnostics.repeats(votes)
        return
    before: dict[object, object] = {}
    repeated, changed = defaultdict(int), defaultdict(int)
    for who, pair, winner in counted:
        if (who, pair) in before:
            repeated[who] += 1
            changed[who] += before[who, pair] != winner
        before[who, pair] = winner
    found = pv.diagnostics.repeats(votes)
    assert dict(zip(found.voters, found.repeated.tolist(), strict=True)) == dict(repeated)
    assert dict(zip(found.voters, found.changed.tolist(), strict=True)) == {who: changed[who] for who in repeated}
    assert found.n_votes == len(counted)
    assert found.repeated.tolist() == sorted(found.repeated.tolist(), reverse=True)


def test_the_number_by_chance_is_that_of_random_pairs() -> None:
    rng = np.random.default_rng(1)
    left = rng.integers(12, size=20_000)
    right = (left + rng.integers(1, 12, size=20_000)) % 12
    votes = pv.Votes.from_codes(left, right, np.full(20_000, 2), n_items=12, voter=np.repeat(np.arange(1000), 20))
    found = pv.diagnostics.repeats(votes)
    assert found.repeated.sum() == pytest.approx(found.expected, rel=0.05)
    assert not found.concerns()


def test_votes_that_were_sent_twice_are_a_concern_and_those_by_chance_are_none() -> None:
    usual = pv.diagnostics.repeats(KALMAR)
    assert usual.repeated.sum() > 0
    assert not usual.concerns()
    twice = KALMAR + KALMAR.where(KALMAR.voter < 5)
    found = pv.diagnostics.repeats(twice)
    assert found.repeated.sum() >= 100
    (concern,) = found.concerns()
    assert concern.startswith(f"{found.repeated.sum()} of 700 answers are on a pair")
    report = pv.diagnostics.check(twice, n_simulations=99, rng=1)
    assert concern in report.concerns
    assert "Repeated questions" in str(report)
    # What it names as a remedy helps: errors between voters do not take them for new ones.
    assert "by-voter" in concern
    pv.bradley_terry(twice, uncertainty="by-voter")


def test_somebody_of_two_minds_is_counted() -> None:
    votes = pv.Votes.from_labels([*"bcb"], [*"cbc"], ["left", "left", "left"], voter=["u"] * 3)
    found = pv.diagnostics.repeats(votes)
    assert (found.voters, found.repeated.tolist(), found.changed.tolist()) == (("u",), [2], [2])
    assert "2 of them with another answer" in str(found)
    assert found._repr_html_().startswith("<h4>Repeated questions")


def test_weights_that_add_up_to_little_are_a_concern_until_they_are_scaled() -> None:
    weight = np.random.default_rng(2).random(len(KALMAR))

    def said(weight: np.ndarray | None) -> list[str]:
        report = pv.diagnostics.check(replace(KALMAR, weight=weight), n_simulations=99, rng=1)
        assert report.total_weight == pytest.approx(600.0 if weight is None else weight.sum())
        return [concern for concern in report.concerns if "weights of" in concern]

    (concern,) = said(weight / weight.sum())
    assert concern.startswith("the weights of 600 answered votes add up to 1, so that they count as 1 vote:")
    assert not said(weight / weight.mean())
    assert not said(None)


def test_check_names_who_repeats_and_contradicts() -> None:
    """A file of few votes too: eve answers one pair both ways, and bo says one thing twice."""
    left, right = ["ash", "birch", "ash", "ash", "birch", "ash"], ["birch", "ash", "cedar", "birch", "cedar", "birch"]
    votes = pv.Votes.from_labels(left, right, ["left"] * 6, voter=["eve", "eve", "eve", "bo", "bo", "bo"])
    report = pv.diagnostics.check(votes, rng=1, n_simulations=99)
    assert report.repeats is not None
    found = dict(
        zip(report.repeats.voters, zip(report.repeats.repeated, report.repeats.changed, strict=True), strict=True)
    )
    assert found == {"eve": (1, 1), "bo": (1, 0)}
    rows = str(report).partition("Repeated questions")[2].splitlines()[2:5]
    # Beside what is found stands what the scores make likely: close pairs are answered otherwise by anybody.
    assert rows[0].split() == ["voter", "repeated", "changed", "(expected)"]
    assert [row.split()[:3] for row in rows[1:]] == [["eve", "1", "1"], ["bo", "1", "0"]]
    found = pv.diagnostics.consistency(votes)
    expected = dict(zip(found.voters, found.expected_changed, strict=True))
    assert dict(zip(report.repeats.voters, report.repeats.expected_changed, strict=True)) == pytest.approx(expected)
