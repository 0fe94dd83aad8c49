"""How many voters are needed agrees with a grid of all numbers, and the plan prints it."""

from __future__ import annotations

import numpy as np
import pytest

import pairvote as pv
from pairvote import _kernels
from pairvote.cli._main import main
from pairvote.cli._plan import plan

COMPILED = _kernels.exposure.COMPILED
SMALL = {"n_items": 8, "top_k": 2, "votes_each": 6, "repetitions": 200 if COMPILED else 25, "rng": 3}
MOST = 40 if COMPILED else 25


TARGETS = [("overlap", 0.75), ("exact", 0.4), ("regret", 0.15), ("rmse", 0.6)]


@pytest.mark.slow
@pytest.mark.parametrize(("metric", "target"), TARGETS if COMPILED else [("overlap", 0.6), ("regret", 0.3)])
def test_bisection_agrees_with_a_grid(metric, target) -> None:
    needed = pv.how_many(metric=metric, target=target, **SMALL)
    grid = pv.experiment(
        samplers="balanced",
        methods="bradley-terry",
        n_voters=range(1, MOST),
        **{**SMALL, "rng": np.random.default_rng(int(np.random.default_rng(3).integers(2**63)))},
    )
    means, errors = (
        np.array([getattr(grid, kind)(metric, n_voters=n) for n in range(1, MOST)]) for kind in ("mean", "error")
    )
    sign = -1 if metric in ("regret", "rmse") else 1
    enough = sign * (means - target) >= 0
    n = needed.n_voters
    assert enough[n - 1]
    assert n == 1 or not enough[n - 2]
    # The curve is nearly without noise: all numbers that are clearly too few or enough are on their sides.
    clear = np.abs(means - target) > 2 * errors
    assert not enough[: n - 1][clear[: n - 1]].any()
    assert enough[n:][clear[n:]].all()
    assert needed.low <= n <= needed.high
    assert needed.low < needed.high
    assert (sign * (means - target) + 1.96 * errors)[needed.low - 1] >= 0
    assert (sign * (means - target) - 1.96 * errors)[needed.high - 1] >= 0
    for row in needed.curve.rows:
        np.testing.assert_array_equal(row.sums, grid.row(n_voters=row.setting["n_voters"]).sums)
    assert str(needed).startswith(f"{n} voter")
    assert f"{metric} of {'at most' if sign < 0 else 'at least'} {target}" in str(needed)


def test_the_fewest_are_one_and_the_most_are_said() -> None:
    assert pv.how_many(target=0.0, **SMALL).n_voters == 1
    with pytest.raises(pv.InputError, match=r"target is 2; it is a number that overlap can reach"):
        pv.how_many(target=2, **SMALL)
    with pytest.raises(pv.InputError, match=r"overlap is 0\.\d+ with 3 voters, short of the target 0.99; lower target"):
        pv.how_many(target=0.99, most=3, **SMALL)
    assert pv.how_many(target=0.5, most=7, **SMALL).high <= 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "coverage"}, "metric is 'coverage'; use one of 'exact'"),
        ({"target": "high"}, "target is 'high'"),
        ({"most": 0}, "most is 0"),
        ({"level": 2}, "level is 2"),
        ({"metric": "rmse", "method": "tally", "target": 0.5}, "'tally' gives no log-odds"),
        ({"repetitions": 1}, "standard errors take two or more"),
        ({"method": "borda"}, "method is 'borda'"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.how_many(**{**SMALL, "repetitions": 20, **options})


@pytest.fixture
def titles(tmp_path):
    path = tmp_path / "titles.txt"
    path.write_text("\n".join("ABCDEFGH"), encoding="utf-8")
    return path


def test_a_plan_says_what_the_vote_will_find(titles, capsys) -> None:
    ballots, found = plan(str(titles), 4, 6, "-", 1, 2, repetitions=30 if COMPILED else 5)
    assert ballots.splitlines()[0] == "voter,question,left,right,outcome"
    assert "of the best 2 are found on average, all of them in" in found
    assert "voters (95% interval" in found
    assert "80%" in found
    assert main(["plan", "--items", str(titles), "--voters", "4", "--votes", "6", "--seed", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ballots
    assert "found on average" not in printed.err


def test_without_voters_a_plan_says_how_many(titles) -> None:
    ballots, found = plan(str(titles), None, 6, "-", 1, 2, repetitions=30 if COMPILED else 5)
    assert ballots == ""
    assert "voters (95% interval" in found


@pytest.mark.slow
@pytest.mark.skipif(not COMPILED, reason="a quarter of a minute where the kernels are interpreted")
def test_what_the_vote_will_find_is_printed(titles, capsys) -> None:
    assert main(["plan", "--items", str(titles), "--votes", "6", "--seed", "1", "--top", "2"]) == 0
    printed = capsys.readouterr()
    assert printed.out == plan(str(titles), None, 6, "-", 1, 2)[1]
    assert printed.err == ""


def test_why_no_number_of_voters_does_is_said_without_the_remedy(titles, monkeypatch) -> None:
    def too_few(**options):
        raise pv.InputError("overlap is 0.5 with 9 voters", remedy="lower target", option="target")

    monkeypatch.setattr("pairvote.cli._plan.how_many", too_few)
    found = plan(str(titles), None, 6, "-", 1, 2)[1]
    assert found.splitlines()[0] == "overlap is 0.5 with 9 voters"


def test_answers_are_the_same_for_any_number_of_jobs(capsys) -> None:
    options = {"n_items": 6, "top_k": 2, "votes_each": 6, "target": 0.6, "repetitions": 30, "rng": 1}
    one = pv.how_many(**options)
    two = pv.how_many(**options, n_jobs=2, progress=np.True_)
    assert (str(one), one.curve.to_columns()) == (str(two), two.curve.to_columns())
    assert "100%" in capsys.readouterr().err
    with pytest.raises(pv.InputError, match="progress is 1; it is True or False"):
        pv.how_many(**options, progress=1)


@pytest.mark.slow
def test_what_would_take_long_is_not_simulated(titles, capsys) -> None:
    command = ["plan", "--items", str(titles), "--votes", "6", "--top", "2", "--voters", "10000"]
    assert main(command) == 0
    assert "up to 100 items and 50,000 questions only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "--voters is not given; pass it, or --top K to be told how many are needed"),
        (["--top", "9"], "--top is 9 and there are 8 items"),
        (["--top", "2", "--out", "ballots.csv"], "--out is given without --voters"),
    ],
)
def test_a_plan_of_nothing_is_refused(titles, more, message, capsys) -> None:
    assert main(["plan", "--items", str(titles), *more]) == 2
    assert message in capsys.readouterr().err
