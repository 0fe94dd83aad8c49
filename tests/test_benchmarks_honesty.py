"""The honesty benchmark counts right: against loops by hand, and on rows whose answer is known."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import pairvote as pv

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The benchmarks are not installed with the package; they are run from the repository."""
    monkeypatch.syspath_prepend(ROOT)


def row(name):
    from benchmarks import honesty

    return next(one for one in honesty.settings() if one.name == name)


def test_the_rows_that_are_promised():
    from benchmarks import honesty

    names = [one.name for one in honesty.settings()]
    assert len(set(names)) == len(names)
    for sampler in ("Uniform", "Balanced", "Swiss", "CatchUp", "TopK(5)", "InformationGain"):
        for sd in ("0", "0.3", "1", "2.5"):
            assert row(f"{sampler}, sd {sd}").simulated["strength_sd"] == float(sd)
    sizes = {}
    for name in ("sd 1, 60 votes", "sd 1, 200 votes", "sd 0.3, 200 votes", "sd 1, 2,400 votes", "200 items, 800 votes"):
        simulation = pv.simulate(**row(f"Uniform, {name}").simulated, repetitions=1, rng=1)
        sizes[name] = len(simulation.votes(0))
    assert list(sizes.values()) == [60, 200, 200, 2400, 800]
    tied = pv.simulate(**row("Uniform, 30% ties").simulated, repetitions=20, rng=1)
    share = np.mean([(tied.votes(r).outcome == pv.Outcome.TIE).mean() for r in range(20)])
    assert abs(share - 0.28) < 0.03
    assert row("tastes, 4 voters x 150").scored == {"uncertainty": "by-voter"}


def test_one_workshop_is_counted_as_by_hand():
    from benchmarks import honesty

    simulation = pv.simulate(n_items=9, n_voters=4, votes_each=20, repetitions=3, rng=5)
    options = {"prior_sd": 0.7}
    for r in range(3):
        votes, true = simulation.votes(r), simulation.strengths[r]
        found = honesty.look_at(votes, true, options, (1, r))
        ranking = pv.bradley_terry(votes, **options)
        true = true - sum(true) / 9
        held = [abs(ranking.scores[i] - true[i]) <= 1.959964 * ranking.standard_errors[i] for i in range(9)]
        assert found.scores == pytest.approx(sum(held) / 9)
        assert found.best == pytest.approx(sum(held[i] for i in np.argsort(-ranking.scores)[:5]) / 5)
        assert found.square == pytest.approx(sum((ranking.scores - true) ** 2) / 9)
        errors = [
            abs(ranking.scores[i] - ranking.scores[j] - true[i] + true[j])
            / math.sqrt(ranking.covariance[i, i] + ranking.covariance[j, j] - 2 * ranking.covariance[i, j])
            for i in range(9)
            for j in range(i)
        ]
        assert found.differences == pytest.approx(np.mean(np.array(errors) <= 1.959964))
        rank = [1 + sum(true > true[i]) for i in range(9)]
        # The draws differ, by which a set may be a rank longer.
        for joint, width, share in ((False, found.width, found.one_by_one), (True, found.width_at_once, None)):
            low, high = ranking.rank_interval(simultaneous=joint, rng=9)
            assert width == pytest.approx(np.mean(high - low + 1), abs=0.4)
            inside = np.mean((low <= rank) & (rank <= high))
            assert found.all_at_once == (inside == 1.0) if share is None else abs(share - inside) < 0.12
        said = ranking.top_k_probability(5, rng=9)
        for (low, high), (n, stated, came) in zip(honesty.BINS, found.chances, strict=True):
            codes = [i for i in range(9) if low <= said[i] < high]
            assert abs(n - len(codes)) <= 1
            if n == len(codes):
                assert stated == pytest.approx(sum(said[codes]), abs=0.05)
                assert came == sum(rank[i] <= 5 for i in codes)


def test_level_items_share_places_and_ranks():
    from benchmarks import honesty

    assert honesty.places(np.array([2.0, 1.0, 1.0, 1.0, 0.0]), 3).tolist() == pytest.approx([1, 2 / 3, 2 / 3, 2 / 3, 0])
    assert honesty.places(np.zeros(23), 5).sum() == pytest.approx(5.0)
    assert honesty.places(np.arange(4.0), 1).tolist() == [0, 0, 0, 1]
    # Sets of a single rank each hold the lot of one item in six, on average.
    better, worse = np.triu_indices(6, 1)
    votes = pv.Votes.from_codes(better, worse, np.full(15, pv.Outcome.LEFT), n_items=6, weight=np.full(15, 2000.0))
    found = [honesty.look_at(votes, np.zeros(6), {"prior_sd": 3.0}, (r,)) for r in range(100)]
    assert {one.width for one in found} == {1.0}
    assert abs(np.mean([one.one_by_one for one in found]) - 1 / 6) < 0.08


def test_the_scores_of_voters_with_tastes():
    """Their chances summed over opponents are those of the scores: the equations of maximum likelihood."""
    from scipy.integrate import quad

    from benchmarks import honesty

    strengths, taste_sd = np.array([1.5, 0.2, -0.4, -1.3]), 0.8
    scores = honesty.population_scores(strengths, taste_sd)
    spread = math.sqrt(2.0) * taste_sd

    def chance(lead):
        return quad(lambda z: math.exp(-z * z / 2) / (1 + math.exp(-lead - spread * z)), -9, 9)[0] / math.sqrt(
            2 * math.pi
        )

    for i in range(4):
        others = [j for j in range(4) if j != i]
        fitted = sum(1 / (1 + math.exp(scores[j] - scores[i])) for j in others)
        assert fitted == pytest.approx(sum(chance(strengths[i] - strengths[j]) for j in others), abs=1e-6)
    assert np.allclose(honesty.population_scores(strengths, 0.0), strengths, rtol=0, atol=1e-6)


def workshop(**changes):
    from benchmarks import honesty

    plain = dict.fromkeys(honesty.Workshop._fields[:-1], 0.96)
    chances = ((40, 4.0, 4.0), (0, 0.0, 0.0), (50, 33.0, 30.0), (9, 8.0, 5.0))
    return honesty.Workshop(**{**plain, "all_at_once": 1.0, "chances": chances, **changes})


def test_goals_that_are_met_missed_and_in_doubt():
    from benchmarks import honesty

    setting = row("Uniform, sd 1")
    failed = workshop(all_at_once=0.0)
    good = honesty.summary(setting, [workshop() for _ in range(38)] + [failed, failed])
    # The last bin is off by 0.33, the third by 0.06 in every workshop.
    assert good.missed == ("P 0.5-0.8", "P 0.8-0.98")
    assert good.doubtful == ()
    assert good.figures["rmse"].value == pytest.approx(math.sqrt(0.96))
    assert good.figures["all_at_once"].value == pytest.approx(0.95)
    assert good.chances[1] is None
    assert good.chances[2][:3] == pytest.approx((2000, 0.66, 0.6))
    level = honesty.summary(row("Uniform, sd 0"), [workshop(all_at_once=r != 0) for r in range(20)])
    assert (level.missed, level.doubtful) == ((), ())
    low = honesty.summary(setting, [workshop(scores=0.8 + 0.01 * (r % 3), best=0.6 + 0.5 * (r % 2)) for r in range(9)])
    assert "scores" in low.missed
    assert "best five" in low.doubtful
    assert "ranks at once" in low.doubtful
    # Few chances say nothing: nine workshops have 81 in the last bin.
    assert "P 0.8-0.98" not in (*low.missed, *low.doubtful)
    few = honesty.summary(row("TopK(5), a few good ones"), [workshop(best=0.85, all_at_once=0.0) for _ in range(9)])
    assert not {"best five", "ranks at once"} & {*few.missed, *few.doubtful}


def test_a_right_prior_is_honest_and_a_wide_one_is_not():
    from benchmarks import honesty

    right = honesty.measure(row("Uniform, sd 1"), 40, prior_sd=1.0, n_jobs=1)
    for name in ("scores", "best", "differences"):
        figure = right.figures[name]
        assert abs(figure.value - 0.95) < 4.0 * figure.error
    wide = honesty.measure(row("TopK(5), sd 0.3"), 20, prior_sd=3.0, n_jobs=2)
    assert {"scores", "best five"} <= set(wide.missed)
    assert wide.figures["best"].value < 0.5
    # Any number of processes counts the same.
    assert wide == honesty.measure(row("TopK(5), sd 0.3"), 20, prior_sd=3.0, n_jobs=1)


def test_a_vote_that_is_clear_ends_at_once():
    from benchmarks import stopping

    strengths = np.where(np.arange(23) < 5, 30.0, 0.0)
    votes = pv.simulate(strengths=strengths, n_voters=60, sampler=pv.sampling.TopK(5), repetitions=1, rng=1).votes(0)
    one = stopping.run(votes, strengths, {"prior_sd": 10.0}, (1,))
    assert one.right is True
    assert one.at < 400
    assert one.at % stopping.EVERY == 0
    assert one.fixed[-1] is True
    level = pv.simulate(strength_sd=0.0, n_voters=60, repetitions=1, rng=1)
    never = stopping.run(level.votes(0), level.strengths[0], {"prior_sd": 0.1}, (1,))
    assert (never.at, never.right) == (None, None)


def test_what_stopping_saves():
    from benchmarks import stopping

    n_fixed = len(stopping.FIXED)
    # Eight are right from 300 votes on, two never; the rule ends eight, at 400 votes, one of them wrong.
    late = tuple(n_votes >= 300 for n_votes in stopping.FIXED)
    runs = [stopping.Run(400, True, late)] * 7 + [stopping.Run(400, False, (False,) * n_fixed)]
    runs += [stopping.Run(None, None, late), stopping.Run(None, None, (False,) * n_fixed)]
    found = stopping.summary("made up", runs)
    assert found.ended.value == pytest.approx(0.8)
    assert found.right.value == pytest.approx(7 / 8)
    assert found.verdict == "in doubt"
    assert found.votes_600.value == pytest.approx(0.8 * 400 + 0.2 * 600)
    assert found.votes_1200.value == pytest.approx(0.8 * 400 + 0.2 * 1200)
    assert found.right_600.value == found.right_1200.value == found.all_600.value == pytest.approx(0.8)
    assert found.same.value == pytest.approx(300, abs=1e-3)
    none = stopping.summary("made up", [stopping.Run(None, None, (True,) * n_fixed)] * 3)
    # All are right from the first look on, so that no number of votes is the least.
    assert (none.right, none.same, none.verdict) == (None, None, "none ended")


def test_the_command_prints_and_writes_the_table(tmp_path, capsys):
    from benchmarks.command import main

    path, page = tmp_path / "figures.json", tmp_path / "figures.md"
    options = ["--repetitions", "2", "--prior", "3", "--jobs", "1", "--no-peers", "--json", str(path)]
    assert main(["honesty", *options, "--report", str(page), "--rows", "SWISS, SD 2.5", "sd 0.3, 200"]) == 0
    printed = capsys.readouterr().out
    table = json.loads(path.read_text(encoding="utf-8"))["parts"]["honesty"][0]
    assert "prior_sd=3.0, 2 workshops a row" in table["title"]
    names = ["Swiss, sd 2.5", "Uniform, sd 0.3, 200 votes", "TopK(5), sd 0.3, 200 votes"]
    assert [one["case"] for one in table["rows"]] == names
    for one in table["rows"]:
        line = next(line for line in printed.splitlines() if line.startswith(f"{one['case']} "))
        cell = f"{100 * one['figures']['scores']['value']:.1f} ±{100 * one['figures']['scores']['error']:.1f}"
        assert cell in line
        assert f"| {one['case']} | " in page.read_text(encoding="utf-8")
    assert "median and min" not in printed
    assert main(["honesty", "--no-peers", "--rows", "no such row"]) == 0
    assert "no row's name" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["honesty", "--repetitions", "1"])
    assert "--repetitions is 1" in capsys.readouterr().err
