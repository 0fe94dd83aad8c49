"""What `check` says of labels that look like mistakes, and of graded votes."""

from __future__ import annotations

import pytest

import pairvote as pv


def concerns(items: list[str], voters: list[str] | None = None) -> list[str]:
    """Those of a round robin that the first item wins, and so on down."""
    pairs = [(i, j) for i in range(len(items)) for j in range(len(items)) if i < j] * 3
    left, right = ([items[pair[side]] for pair in pairs] for side in (0, 1))
    voter = None if voters is None else [voters[n % len(voters)] for n in range(len(pairs))]
    votes = pv.Votes.from_labels(left, right, ["left", "right", "left"] * (len(pairs) // 3), voter=voter)
    return list(pv.diagnostics.check(votes, rng=1, n_simulations=99).concerns)


@pytest.mark.parametrize("twin", ["ash ", " ash", "Ash", "a\u200bsh", "ash\ufeff", "ASH"], ids=ascii)
def test_items_that_print_alike_are_said(twin: str) -> None:
    said = [concern for concern in concerns(["ash", "birch", twin, "cedar"]) if "print alike" in concern]
    assert len(said) == 1
    assert f"('ash', {twin!r})" in said[0]
    assert "normalise=True" in said[0]


def test_composed_and_decomposed_letters_print_alike() -> None:
    assert any("print alike" in concern for concern in concerns(["bj\u00f6rk", "birch", "bjo\u0308rk", "cedar"]))


@pytest.mark.parametrize("word", ["NA", "N/A", "#N/A", "nan", "null", "None"])
def test_words_for_a_missing_value_are_said(word: str) -> None:
    said = [concern for concern in concerns(["ash", word, "birch"]) if "missing value" in concern]
    assert len(said) == 1
    assert said[0].startswith(f"1 item is called {word!r}")
    of_voters = concerns(["ash", "oak", "birch"], ["anna", word, "bo"])
    assert any(concern.startswith(f"1 voter is called {word!r}") for concern in of_voters)


def test_labels_without_a_fault_are_passed_over() -> None:
    for concern in concerns(["ash", "birch", "ash tree"], ["anna", "bo"]):
        assert "print alike" not in concern
        assert "missing value" not in concern


def test_graded_votes_are_looked_at_by_the_side_they_lean_to() -> None:
    shares = [0.9, 0.2, 0.5, 0.6, 0.3, 0.8] * 4
    left, right = [*"abcabc"] * 4, [*"bcabca"] * 4
    graded = pv.Votes.from_labels(left, right, shares, outcomes="share")
    names = ["left" if share > 0.5 else "right" if share < 0.5 else "tie" for share in shares]
    whole = pv.Votes.from_labels(left, right, names)
    reports = [pv.diagnostics.check(votes, rng=1, n_simulations=99) for votes in (graded, whole)]
    assert reports[0].ranking.scores.tolist() == reports[1].ranking.scores.tolist()
    assert reports[0].position.left_won == reports[1].position.left_won
    extra = set(reports[0].concerns) - set(reports[1].concerns)
    assert [concern.startswith("24 votes are graded") for concern in extra] == [True]
