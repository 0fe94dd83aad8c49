"""The benchmarks run, their results are right, and the table and the JSON say the same. No timing is judged."""

from __future__ import annotations

import dataclasses
import json
import math
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pairvote as pv

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The benchmarks are not installed with the package; they are run from the repository."""
    monkeypatch.syspath_prepend(ROOT)


def test_table_and_json(tmp_path, capsys):
    from benchmarks.command import main

    path, page = tmp_path / "figures.json", tmp_path / "figures.md"
    assert (
        main(["elo", "small", "--quick", "--no-peers", "--repeats", "1", "--json", str(path), "--report", str(page)])
        == 0
    )
    printed = capsys.readouterr().out.splitlines()
    figures = json.loads(path.read_text(encoding="utf-8"))

    lines = page.read_text(encoding="utf-8").splitlines()
    assert "## small" in lines

    assert figures["size"] == "quick"
    assert figures["repeats"] == 1
    assert figures["machine"]["pairvote"] == pv.__version__
    assert {"kernels", "python", "numpy", "processor"} <= figures["machine"].keys()
    assert list(figures["parts"]) == ["elo", "small"]
    for groups in figures["parts"].values():
        for group in groups:
            heading = printed[printed.index(group["title"]) + 1]
            assert heading.split()[:2] == ["case", "votes"]
            names = [line.split("  ")[0] for line in printed]
            below = lines.index(f"**{group['title']}**") + 2
            assert lines[below].startswith("| case | votes | median |")
            assert [line.split(" | ")[0][2:] for line in lines[below + 2 :][: len(group["rows"])]] == [
                row["case"] for row in group["rows"]
            ]
            for row in group["rows"]:
                assert row["case"] in names
                assert row["library"] == "pairvote"
                assert row["status"] == "measured"
                assert len(row["seconds"]) == 1
                assert row["median"] == row["min"] == row["seconds"][0] > 0
                assert row["votes_per_second"] == pytest.approx(row["votes"] / row["median"])
                assert math.isfinite(row["checksum"])
                assert row["times_fastest_peer"] is None
                assert row["goal"] is None or row["goal"]["met"] is None

    elo = [row for group in figures["parts"]["elo"] for row in group["rows"]]
    assert len(elo) == 3
    assert all(row["off_by"] < 1e-9 for row in elo)
    assert all(row["peak_bytes"] is None or row["peak_bytes"] >= 0 for row in elo)
    assert len({row["checksum"] for row in elo}) == 1


def test_list_names_every_part(capsys):
    from benchmarks.command import main
    from benchmarks.parts import PARTS

    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(PARTS)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["chess"], "chess"),
        (["--repeats", "0"], "0"),
        (["--json", "nowhere/f.json"], "nowhere"),
        (["--beside", "nowhere"], "nowhere"),
    ],
)
def test_bad_arguments(arguments, named, capsys, monkeypatch, tmp_path):
    from benchmarks.command import main

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err


def test_every_case_runs_and_is_right_on_a_few_votes():
    from benchmarks.parts import PARTS, groups_of

    # Each case on a cluster starts one of its own, so few of them are run, below.
    for part in set(PARTS) - {"import", "cluster", "scale"}:
        for make_group in groups_of(part):
            group = make_group("tiny")
            assert len({case.name for case in group.cases}) == len(group.cases)
            for case in group.cases:
                if case.library == "pairvote" and case.scores is not None:
                    reference = case.reference or group.reference
                    scores = case.scores(case.fresh()())
                    assert np.isfinite(scores).all()
                    if reference is not None:
                        np.testing.assert_allclose(scores, reference(), rtol=0, atol=1e-8)


def test_forecasts_see_no_future_and_are_told(capsys):
    from benchmarks import forecasts
    from benchmarks.parts import ratings

    drawn = forecasts.still(300).draw(np.random.default_rng(1))
    half = np.arange(300) < 150
    for method in forecasts.OURS:
        chances = method.forecast(drawn.votes)
        assert chances.shape == (300,)
        assert ((chances > 0) & (chances < 1)).all()
        # What comes later changes no forecast.
        np.testing.assert_allclose(method.forecast(drawn.votes.where(half)), chances[half], rtol=1e-9)
    level = forecasts.losses(np.full(300, 0.5), drawn.votes)
    np.testing.assert_allclose(level, math.log(2))
    found = ratings.after("tiny", SimpleNamespace(peers=False, repetitions=None))
    assert [len(group["rows"]) for group, _ in found] == [7, 7, 6, 6]
    rows = {row["case"]: row for row in found[0][0]["rows"]}
    assert rows["the true chances"]["loss"]["value"] < rows["a coin"]["loss"]["value"] == math.log(2)
    assert rows["pairvote.elo"]["gain"] == {"value": 0.0, "error": 0.0}
    assert "pairvote.glicko2, deviation=200" in capsys.readouterr().out


def test_clusters_count_and_fit_a_few_votes():
    from benchmarks.parts import cluster

    case = cluster.fitted("tiny").cases[0]
    done = case.fresh()()
    np.testing.assert_allclose(case.scores(done), case.reference(), rtol=0, atol=1e-8)
    assert case.own_cost(done)[0] > 0
    with pytest.raises(RuntimeError, match="the process that was to fit with 0 workers failed"):
        cluster._run("fit", 0, dataclasses.replace(cluster.parts_of(20, 2000), folder=SimpleNamespace(name="nowhere")))


def test_the_model_of_costs_finds_costs_and_predicts_by_them(capsys):
    from benchmarks.parts import scale
    from benchmarks.parts.scale import Finished, Run

    run = Run(60, 8_000, 1)
    done = scale._run(run, scale.cluster.parts_of(60, 8_000))
    assert done.counting > 0
    assert done.fitting > 0
    assert 3_000 < done.n_pairs <= 60 * 59
    # Labels of parts: nearly all items in each, and of many items two for each vote.
    assert run.n_labels == pytest.approx(20 * 60, rel=1e-3)
    assert Run(10**7, 2_000, 1).n_labels == pytest.approx(2 * 2_000, rel=1e-3)
    known = {
        run: Finished(0.1 + 2e-8 * run.n_votes / run.n_workers, 5 * (0.01 + 1e-7 * run.n_items), 5, 1_000)
        for run in scale.FITTED_TO["full"] + scale.PREDICTED["full"]
    }
    try:
        scale._finished.clear()
        scale._finished.update({run: [finished] for run, finished in known.items()})
        scale.after("full")
    finally:
        scale._finished.clear()
    printed = capsys.readouterr().out
    assert "20 ns a vote, by all workers" in printed
    assert "100 ns an item" in printed
    for run, finished in known.items():
        line = next(line for line in printed.splitlines() if line.startswith(run.name))
        predicted, measured, *_ = line.removeprefix(run.name).replace(" s", "").split()
        assert float(predicted) == pytest.approx(float(measured), rel=0.01)
        assert float(measured) == pytest.approx(finished.counting, rel=0.01)


def test_published_simulations_run_and_their_criterion_is_right(capsys):
    from benchmarks import published
    from benchmarks.published import ASAP, HYBRID_MST, expected_information, lines

    for study, theirs in ((HYBRID_MST, "batches"), (ASAP, "one by one")):
        small = dataclasses.replace(study, n_items=6, trials=(1, 3))
        text = "\n".join(lines(small, 2))
        assert text.count("InformationGain") == 2
        assert f"their criterion, {theirs}" in text
    assert "swiss" in "\n".join(published.coin_flips(2, n_items=6, n_voters=3, votes_each=10))
    # The expected fall of the entropy of one answer's outcome, by draws of the difference.
    mean, covariance = np.array([0.8, 0.0]), np.array([[0.7, 0.1], [0.1, 0.4]])
    p = 1 / (1 + np.exp(-np.random.default_rng(1).normal(0.8, math.sqrt(0.9), 400_000)))
    entropies = [-x * np.log(x) - (1 - x) * np.log1p(-x) for x in (p.mean(), p)]
    found = expected_information(mean, covariance, np.array([0]), np.array([1]))
    np.testing.assert_allclose(found, entropies[0] - entropies[1].mean(), rtol=0.01)


def test_loops_with_the_peers_find_what_ours_finds():
    from benchmarks.parts import simulate

    for library in ("choix", "evalica"):
        tally, elo, bradley_terry = simulate._loop(library, 20)()
        for exact, overlap, regret, tau, rho in (tally, elo, bradley_terry):
            assert 0 <= exact <= 0.7
            assert 0.6 < overlap < 0.95
            assert 0 < regret < 0.4
            assert 0.6 < tau < rho < 1


@pytest.mark.parametrize("n_items", [23, 200, 1000])
def test_a_log_that_is_made_is_one_that_a_poll_could_have_written(n_items):
    """It opens, its digests are right, every voter has twenty pairs of her own, and items come about as often."""
    from collections import Counter

    from benchmarks.polls.made import log_of

    n_answers = 20 * n_items
    with pv.Poll.open(log_of(n_answers, n_items)) as poll:
        assert poll.verify() == pv.Poll.open(log_of(n_answers, n_items)).verify()
        assert poll.n_events == 2 * n_answers + 1
        votes = poll.votes()
        assert poll.remaining("voter-0@example.org") == poll.settings.votes_each - 20
    shown = Counter(votes.left.tolist() + votes.right.tolist())
    assert set(shown.values()) == {40}
    pairs = Counter(
        zip(votes.voter, np.minimum(votes.left, votes.right), np.maximum(votes.left, votes.right), strict=True)
    )
    assert len(votes) == len(pairs) == n_answers
    assert set(Counter(votes.voter.tolist()).values()) == {20}


def test_every_case_of_polls_says_what_it_cost():
    from benchmarks.parts import groups_of, poll
    from benchmarks.polls import life

    for make_group in (*groups_of("poll"), *life.MORE):
        for case in make_group("tiny").cases:
            if case.missing or "SQLStore" in case.name or "copy_to" in case.name:
                # Servers are for the tests of their stores.
                continue
            found = case.fresh()()
            if case.own_cost is not None:
                seconds, n_bytes = case.own_cost(found)
                assert 0 < seconds < 60, case.name
                assert n_bytes is None or n_bytes < 1e9, case.name
    assert poll.after("tiny", SimpleNamespace(large=False, beside=None)) == []


def test_another_checkout_is_timed_beside_this_one(tmp_path):
    from benchmarks.polls import beside

    assert 0 < beside.seconds_of("memory", ROOT, tmp_path / "poll.db") < 1
    with pytest.raises(RuntimeError, match=r"has no pairvote|No module named"):
        beside.seconds_of("memory", tmp_path, tmp_path / "poll.db")


def test_what_several_cases_share_is_run_once_a_turn():
    from benchmarks.polls.files import Run

    numbers = iter(range(10))
    run = Run(lambda: {"one": (float(next(numbers)), None), "other": (-1.0, None)})
    one, other = run.figure("one"), run.figure("other")
    assert [one()[0], other()[0], other()[0], one()[0], one()[0]] == [0.0, -1.0, -1.0, 1.0, 2.0]


def test_polls_that_fail_in_their_process_say_why(tmp_path):
    from benchmarks.polls import life, load

    with pytest.raises(RuntimeError, match=r"that was to open (.|\n)*is not there"):
        life._in_process("open", tmp_path / "none.db")
    with pytest.raises(pv.StorageError, match="is not there"):
        load.in_processes(load.vote_in_process, [(tmp_path / "none.db", "fast", 1, 0.1, "")])


def test_what_is_missing_is_not_run_what_fails_is_said_and_what_is_long_takes_fewer_turns():
    cases = (
        made_up("ours", own_cost=lambda result: (1.0, None), turns=2),
        made_up("elsewhere", missing="not there"),
        made_up("often", own_cost=lambda result: (1.0, None)),
        made_up("ended", answer=RuntimeError("no server"), own_cost=lambda result: (1.0, None), may_fail=True),
    )
    ours, elsewhere, often, ended = measured(cases)
    assert ended.status == "failed: RuntimeError: no server"
    assert (len(ours.seconds), len(elsewhere.seconds), len(often.seconds)) == (2, 0, 3)
    assert (elsewhere.status, elsewhere.measured) == ("not there", False)


def test_votes_are_seeded_and_the_same_in_every_holding():
    from benchmarks.cases import make_votes

    votes, again = make_votes(7, 500, 0.2), make_votes(7, 500, 0.2)
    assert votes.left.tolist() == again.left.tolist() != make_votes(7, 500, 0.2, seed=1).left.tolist()
    assert (votes.left != votes.right).all()
    held = votes.held()
    for lists in (votes.read_strings(), votes.repeated_strings()):
        made = pv.Votes.from_labels(*lists, items=votes.labels)
        assert made.left.tolist() == held.left.tolist() == votes.ints()[0]
        assert made.right.tolist() == held.right.tolist() == votes.ints()[1]
        assert made.outcome.tolist() == held.outcome.tolist() == votes.outcome.tolist()
    left, _, _ = votes.read_strings()
    assert len(set(map(id, left))) == len(left)


def test_reference_bradley_terry_by_hand():
    """Of two items where one wins 3.5 of 4, the log-odds of it are log 7."""
    from benchmarks import reference
    from benchmarks.cases import SeededVotes

    votes = SeededVotes(2, np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), np.array([2, 2, 0, 1], np.uint8))
    np.testing.assert_allclose(reference.bradley_terry(votes), [math.log(7) / 2, -math.log(7) / 2])


def test_reference_davidson_by_hand():
    """Of two items the log-odds are those of the wins, here 6 to 3, whatever the ties."""
    from benchmarks import reference
    from benchmarks.cases import SeededVotes

    # The first wins four and loses one on the left, wins two and loses two on the right.
    left, outcome = np.repeat([0, 1], [7, 4]), np.repeat([2, 0, 1, 0, 2], [4, 1, 2, 2, 2]).astype(np.uint8)
    votes = SeededVotes(2, left, 1 - left, outcome)
    np.testing.assert_allclose(reference.davidson(votes), [math.log(2) / 2, -math.log(2) / 2], rtol=1e-12)


def test_reference_sandwich_by_hand():
    """Of two items with 5 wins, 2 ties and 3 losses, 0.6 of 10 is won: the sum of squared residues is 2.22, and the
    information 2.4.
    """
    from benchmarks import reference
    from benchmarks.cases import SeededVotes

    left, outcome = np.zeros(10, np.int64), np.repeat([2, 1, 0], [5, 2, 3]).astype(np.uint8)
    votes = SeededVotes(2, left, 1 - left, outcome)
    errors = reference.sandwich(votes, reference.bradley_terry(votes))
    residues = 5 * 0.4**2 + 2 * 0.1**2 + 3 * 0.6**2
    np.testing.assert_allclose(errors, math.sqrt(residues) / 2.4 / 2, rtol=1e-12)


def test_references_for_few_and_for_many_items_agree():
    from benchmarks import reference
    from benchmarks.cases import make_votes

    votes = make_votes(40, 400)
    np.testing.assert_allclose(
        reference.bradley_terry_by_gradients(votes, 2.0), reference.bradley_terry(votes, 2.0), rtol=0, atol=1e-12
    )


def measured(cases, **options):
    from benchmarks.cases import Group
    from benchmarks.measure import measure

    group = Group(title="made up", cases=cases, reference=lambda: np.array([1.0, 2.0]))
    return measure(lambda size: group, "full", **{"repeats": 3, "with_peers": True, **options})[1]


def made_up(name, library="pairvote", answer=(1.0, 2.0), **options):
    from benchmarks.cases import Case

    def work():
        if isinstance(answer, Exception):
            raise answer
        return sum(range(1000)) and np.array(answer)

    return Case(name=name, library=library, fresh=lambda: work, n_votes=10, scores=np.asarray, **options)


def test_peers_that_are_missing_fail_or_are_wrong(monkeypatch):
    from benchmarks import peers, report
    from benchmarks.cases import Group

    monkeypatch.setattr(peers, "version", {"choix": "1.0", "evalica": "1.0", "riix": "1.0"}.get)
    cases = (
        made_up("ours"),
        made_up("not there", "arena-rank"),
        made_up("broken", "choix", answer=RuntimeError("no convergence")),
        made_up("wrong", "evalica", answer=(1.0, 3.0)),
        made_up("right", "riix"),
    )
    rows = {row.case.name: row for row in measured(cases)}
    assert rows["not there"].status == "not installed"
    assert rows["broken"].status == "failed: RuntimeError: no convergence"
    assert rows["wrong"].difference == 1.0
    assert rows["wrong"].times_fastest_peer is None
    assert rows["right"].times_fastest_peer == 1.0
    assert rows["ours"].times_fastest_peer == rows["right"].cost.per_vote / rows["ours"].cost.per_vote
    text = report.table(Group(title="made up", cases=cases), list(rows.values()), judged=True)
    assert "not installed" in text
    assert "no convergence" in text
    assert len(measured(cases, with_peers=False)) == 1


def test_ours_that_fails_is_an_error():
    with pytest.raises(pv.InputError):
        measured((made_up("ours", answer=pv.InputError("no")),))


def test_cases_take_turns_with_fresh_input():
    from benchmarks.cases import Case

    seen = []

    def fresh(name):
        mark = len(seen)
        return lambda: seen.append((name, mark)) or np.ones(2)

    cases = [
        Case(name=name, library="pairvote", fresh=partial(fresh, name), n_votes=1, scores=np.asarray) for name in "ab"
    ]
    measured(cases)
    warm_up, turns = seen[:2], seen[2:]
    assert sorted(name for name, _ in warm_up) == ["a", "b"]
    assert [name for name, _ in turns] == ["a", "b", "b", "a", "a", "b"]
    assert [mark for _, mark in seen] == list(range(8))


@pytest.mark.parametrize(
    ("goal", "figure", "met"),
    [
        ("Faster(4, 'peer')", "5 x", True),
        ("Faster(6, 'peer')", "5 x", False),
        ("Within(0.5)", "1.00 s", False),
        ("Within(2.0)", "1.00 s", True),
        ("Within(0.3, of='peer')", "0.4 x", False),
        ("Within(0.5, of='peer')", "0.4 x", True),
        ("Faster(4, 'not run')", None, None),
        ("Within(4, of='not run')", None, None),
        ("Beyond(0.5, of='quick')", "250 ms more", True),
        ("Beyond(0.2, of='quick')", "250 ms more", False),
        ("Beyond(0.2, of='peer')", "1.50 s less", True),
        ("Beyond(0.2, of='not run')", None, None),
        ("AtLeast(150)", "200 votes/s", True),
        ("AtLeast(1500)", "200 votes/s", False),
        ("Holds(100)", None, None),
    ],
)
def test_goals(goal, figure, met):
    from benchmarks import goals

    verdict = eval(goal, vars(goals)).judge(
        goals.Cost(1.0, 200), {"peer": goals.Cost(2.5, 100), "quick": goals.Cost(0.75, 0)}
    )
    assert verdict == (None if figure is None else (figure, met))


@pytest.mark.parametrize(
    ("seconds", "peak_bytes", "figure", "met"),
    [
        (2.0, 2**30, "2.00 s and 1 GiB", True),
        (2.0, 2**32, "2.00 s and 4 GiB", False),
        (4.0, 2**30, "4.00 s and 1 GiB", False),
        (2.0, None, None, None),
    ],
)
def test_a_goal_of_time_and_memory(seconds, peak_bytes, figure, met):
    from benchmarks import goals

    goal = goals.Fits(3.0, 3 * 2**30)
    assert goal.text == "at most 3.00 s and 3 GiB"
    assert goal.judge(goals.Cost(seconds, 1, peak_bytes), {}) == (None if figure is None else (figure, met))


def test_a_goal_of_little_memory():
    from benchmarks import goals

    assert goals.Fits(0.5, 100_000_000).text == "at most 500 ms and 100 MB"
    assert goals.Holds(100).judge(goals.Cost(1.0, 10, 990), {}) == ("99 bytes", True)
    assert goals.Holds(100).judge(goals.Cost(1.0, 10, 1010), {}) == ("101 bytes", False)


def test_a_call_in_a_process_of_its_own_says_what_it_cost():
    from benchmarks import goals

    costs = iter([(3.0, 700), (1.0, 500), (2.0, None)])
    case = made_up("ours", own_cost=lambda result: next(costs), goal=goals.Fits(2.0, 700))
    (row,) = measured((case,))
    assert (row.seconds, row.peak_bytes) == ([3.0, 1.0, 2.0], 700)
    assert row.verdict.met


def test_large_calls_that_fail_say_why():
    from benchmarks.parts import large

    with pytest.raises(RuntimeError, match=r"with -1 items failed:(.|\n)*Error"):
        large._run(-1, errors=False)


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.34, "12.3 s"), (0.0123, "12.3 ms"), (361e-6, "361 µs"), (8.7e-7, "870 ns")]
)
def test_seconds_text(seconds, text):
    from benchmarks.goals import seconds_text

    assert seconds_text(seconds) == text


def test_memory_counts_what_a_call_takes():
    """The process of `python -m benchmarks.memory`: a call that fills 64 MB takes about that."""
    import subprocess
    import sys

    program = (
        "import numpy as np\n"
        "from benchmarks import memory\n"
        "from benchmarks.cases import Case, Group\n"
        "case = Case(name='c', library='pairvote', fresh=lambda: lambda: np.ones(8_000_000))\n"
        "memory.groups_of = lambda part: [lambda size: Group(title='g', cases=[case])]\n"
        "memory.main('p', '0', 'c', 'full')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 50e6 < int(done.stdout) < 90e6


def test_truth_per_vote_is_the_same_for_any_number_of_jobs(tmp_path):
    from benchmarks import truth

    setting = {"n_items": 6, "n_voters": 4, "votes_each": 10, "top_k": 2, "n_open": 3}
    sampler = pv.sampling.Balanced()
    one, two = (truth.measure(setting, 30, samplers=sampler, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert str(one) == str(two)
    lines = list(truth.lines({"small": setting}, 30))
    assert lines[0] == "\nsmall: 6 items, 4 voters x 10, 30 repetitions"
    assert [line.split()[0] for line in lines[2:]] == list(truth.samplers(2))
    assert f"{one.mean('exact', method='tally'):.3f} +-" in lines[4]
    path = tmp_path / "truth.png"
    truth.draw(str(path), 4, setting={**setting, "top_k": 5, "votes_each": [2, 4]})
    assert path.stat().st_size > 5000


def simulated_by_hand(setting, n_repetitions, rng):
    """Exact top k and Kendall's tau by a loop of its own over votes, in plain Python; level strengths do not come."""
    n_items, n_voters, k = setting["n_items"], setting["n_voters"], setting["top_k"]
    found = []
    for _ in range(n_repetitions):
        strengths = rng.normal(0.0, setting["strength_sd"], n_items)
        stream = pv.sampling.Balanced().start(n_items, votes_each=setting["votes_each"], rng=rng)
        asked, waiting = [], []
        for voter in [voter for _ in range(setting["votes_each"]) for voter in range(n_voters)]:
            left, right = stream.propose(voter)
            stream.reserve(voter, left, right)
            chance = 1.0 / (1.0 + math.exp(strengths[right] - strengths[left]))
            won = rng.random() < (0.5 if rng.random() < setting["voters"].lapse else chance)
            asked.append((voter, left, right, "left" if won else "right"))
            waiting.append(asked[-1])
            if len(waiting) > setting["n_open"]:
                stream.record(*waiting.pop(0))
        voters, lefts, rights, outcomes = zip(*asked, strict=True)
        votes = pv.Votes.from_labels(lefts, rights, outcomes, items=range(n_items), voter=voters)
        scores = pv.bradley_terry(votes, ties="half", prior_sd=setting["strength_sd"], uncertainty="none").scores
        best = [set(np.argsort(-values)[:k].tolist()) for values in (strengths, scores)]
        order = [np.sign(np.subtract.outer(values, values)) for values in (strengths, scores)]
        found.append((best[0] == best[1], (order[0] * order[1]).sum() / (n_items * (n_items - 1))))
    return np.mean(found, axis=0), np.std(found, axis=0) / math.sqrt(n_repetitions)


def test_one_row_of_the_truth_per_vote_is_that_of_a_loop_by_hand():
    from benchmarks import truth

    setting = {"n_items": 8, "n_voters": 10, "votes_each": 8, "top_k": 2, "strength_sd": 1.0, "n_open": 4}
    setting["voters"] = pv.VoterModel(lapse=0.3)
    means, errors = simulated_by_hand(setting, 250, np.random.default_rng(1))
    table = truth.measure(setting, 1000, samplers=pv.sampling.Balanced())
    for mean, error, metric in zip(means, errors, ("exact", "kendall_tau"), strict=True):
        ours = table.mean(metric, method="bradley-terry")
        assert abs(mean - ours) < 3.0 * math.hypot(error, table.error(metric, method="bradley-terry"))
    # Without the lapses the difference would be seen.
    attentive = truth.measure({**setting, "voters": pv.VoterModel()}, 1000, samplers=pv.sampling.Balanced())
    assert attentive.mean("kendall_tau", method="bradley-terry") > means[1] + 3.0 * errors[1]
