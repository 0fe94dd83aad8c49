"""The benchmark of voters counts right: against loops by hand, and on votes whose answer is known."""

from __future__ import annotations

import json
import math
from functools import partial
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


def workshop(**options):
    size = {"n_items": 8, "n_voters": 10, "votes_each": 12, "sampler": "uniform"}
    simulation = pv.simulate(**{**size, **options}, repetitions=1, rng=3)
    return simulation.votes(0), simulation.strengths[0]


def row(name):
    from benchmarks import voters

    return next(one for one in voters.settings() if one.name == name)


def test_crowd_kits_likelihood_and_its_gradient():
    from benchmarks import noisy

    votes, _ = workshop()
    x = np.random.default_rng(1).normal(size=1 + 8 + 2 * 10)
    value, gradient = noisy.log_likelihood(x, votes, 10, ridge=0.01)
    by_hand = 0.0
    for left, right, outcome, voter in zip(votes.left, votes.right, votes.outcome, votes.voter, strict=True):
        attentive, beta = 1 / (1 + math.exp(-x[19 + voter])), 1 / (1 + math.exp(-x[9 + voter]))
        chance = attentive / (1 + math.exp(x[1 + right] - x[1 + left])) + (1 - attentive) * beta
        by_hand += math.log(chance if outcome == 2 else 1 - chance)
    for i in range(8):
        by_hand -= 0.01 * (math.log1p(math.exp(x[0] - x[1 + i])) + math.log1p(math.exp(x[1 + i] - x[0])))
    assert value == pytest.approx(by_hand, rel=1e-12)
    for place in range(len(x)):
        step = 1e-6 * np.eye(len(x))[place]
        up, down = (noisy.log_likelihood(x + sign * step, votes, 10, ridge=0.01)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_crowd_kit_is_called_as_it_comes():
    crowd_kit = pytest.importorskip("crowdkit.aggregation")
    from benchmarks import noisy, peers

    votes, _ = workshop()
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    frame = peers.noisy_frame(votes)
    scores = peers.noisy_scores(frame, 8)
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    assert frame.label.tolist() == [
        left if outcome == 2 else right
        for left, right, outcome in zip(votes.left, votes.right, votes.outcome, strict=True)
    ]
    assert dict(enumerate(scores)) == crowd_kit.NoisyBradleyTerry().fit(frame).scores_.to_dict()
    # The likelihood is theirs; their gradient of the last score is not the one of it.
    theirs = crowd_kit.NoisyBradleyTerry
    data = frame[["left", "right", "label"]].to_numpy() + 1
    x = np.random.default_rng(2).normal(size=1 + 8 + 20)
    arguments = (x, data, votes.voter, 8, 10, 0.0)
    value, gradient = noisy.log_likelihood(x, votes, 10, ridge=0.0)
    assert value == pytest.approx(-theirs._compute_log_likelihood(*arguments), rel=1e-12)
    np.testing.assert_allclose(gradient[1:8], -theirs._compute_gradient(*arguments)[1:8], rtol=1e-9)
    assert abs(gradient[8] + theirs._compute_gradient(*arguments)[8]) > 0.01


def test_known_slopes():
    from benchmarks import noisy

    votes, _ = workshop()
    plain = pv.bradley_terry(votes, prior_sd=0.8).scores
    np.testing.assert_allclose(noisy.with_slopes(votes, np.ones(len(votes)), 0.8), plain, atol=1e-8)
    # Nothing is learned from those of slope 0, and the opposite from those of slope -1.
    some = votes.voter < 4
    without = pv.bradley_terry(votes.where(~some), prior_sd=0.8).scores
    np.testing.assert_allclose(noisy.with_slopes(votes, np.where(some, 0.0, 1.0), 0.8), without, atol=1e-8)
    outcome = np.where(some, 2 - votes.outcome, votes.outcome).astype(np.uint8)
    turned = pv.Votes.from_codes(votes.left, votes.right, outcome, n_items=8)
    scores = noisy.with_slopes(votes, np.where(some, -1.0, 1.0), 0.8)
    np.testing.assert_allclose(scores, pv.bradley_terry(turned, prior_sd=0.8).scores, atol=1e-8)


def test_answers_that_are_not_by_the_common_scale():
    from benchmarks import voters

    strengths = np.linspace(-40.0, 40.0, 8)
    votes, _ = workshop(strengths=strengths)
    rng = np.random.default_rng(1)
    ahead = np.where(strengths[votes.left] > strengths[votes.right], 2, 0)
    last = votes.voter >= 8
    assert voters.against(2, votes, strengths, rng).outcome.tolist() == np.where(last, 2 - ahead, ahead).tolist()
    assert voters.one_side(2, votes, strengths, rng).outcome.tolist() == np.where(last, 2, ahead).tolist()
    slopes = np.where(np.arange(10) < 3, 0.0, 1.0)
    sharper = voters.sharper(slopes, votes, strengths, rng)
    careless = votes.voter < 3
    assert (sharper.outcome[~careless] == ahead[~careless]).all()
    assert 8 <= np.count_nonzero(sharper.outcome[careless] == ahead[careless]) <= 28
    assert sharper.voter.tolist() == votes.voter.tolist()
    assert np.median(voters.slopes_of(31)) == pytest.approx(1.0)


def test_oracles_use_what_they_are_told():
    from benchmarks import voters

    votes, _ = workshop()
    options = {"prior_sd": 0.7}
    rows = list(zip(votes.left, votes.right, votes.outcome, votes.voter, strict=True))

    def by_hand(kept):
        left, right, outcome, _ = np.array(kept).T
        made = pv.Votes.from_codes(left, right, outcome.astype(np.uint8), n_items=8)
        return pv.bradley_terry(made, **options).scores

    told = {
        voters.nothing: rows,
        partial(voters.without, 3): [one for one in rows if one[3] < 7],
        partial(voters.without_own, 3): [one for one in rows if one[3] >= 3 or one[3] not in one[:2]],
        partial(voters.reversed_back, 3): [(i, j, o if v < 7 else 2 - o, v) for i, j, o, v in rows],
    }
    for oracle, kept in told.items():
        np.testing.assert_allclose(oracle(votes, options), by_hand(kept), atol=1e-9)


def test_the_rows_that_are_promised():
    from benchmarks import voters

    names = [one.name for one in voters.settings()]
    assert len(set(names)) == len(names) == 8
    third = row("a third at random")
    assert third.is_off(30).tolist() == [False] * 20 + [True] * 10
    assert third.targets == {"plain": 0.732, "lapse": 0.765, "oracle": 0.785}
    assert row("a tenth promote their own").is_off(30).tolist() == [True] * 3 + [False] * 27
    assert not row("all attentive").is_off(30).any()
    votes = pv.simulate(**{**voters.KALMAR, **third.simulated}, repetitions=1, rng=1).votes(0)
    assert (len(votes), votes.n_items) == (600, 23)
    assert row("a third at random, 60 votes each").simulated["votes_each"] == 60


def test_shares_of_a_gain():
    from benchmarks.voters import share_of_gain

    rng = np.random.default_rng(5)
    oracle = rng.normal(1.0, 1.0, 400)
    gains = 0.6 * oracle + rng.normal(0.0, 0.5, 400)
    found = share_of_gain(gains, oracle)
    assert found.value == pytest.approx(gains.sum() / oracle.sum())
    drawn = rng.integers(400, size=(2000, 400))
    again = gains[drawn].sum(axis=1) / oracle[drawn].sum(axis=1)
    assert found.error == pytest.approx(again.std(), rel=0.1)
    assert share_of_gain(gains - gains.mean(), oracle).value == pytest.approx(0.0)
    assert share_of_gain(gains, oracle - 0.95) is None


def test_goals_of_a_method():
    from benchmarks import voters
    from benchmarks.voters import Found

    third, attentive = row("a third at random"), row("all attentive")

    def rows(setting, lapse, covered=0.95, n=40):
        one = {"plain": Found(0.6, 0.7, 0.6), "oracle": Found(0.8)}
        noisy = [{**one, "lapse": Found(lapse + 0.02 * (r % 2), covered, covered, 0.5, 0.01)} for r in range(n)]
        return {found.method: found for found in voters.summary(setting, noisy)}

    good = rows(third, 0.72)
    assert good["lapse"].share.value == pytest.approx(0.65)
    assert good["lapse"].gain.value == pytest.approx(0.13)
    assert (good["lapse"].off.value, good["plain"].off) == (0.5, None)
    assert good["lapse"].verdict == "yes"
    assert (good["plain"].verdict, good["oracle"].share) == ("", None)
    assert rows(third, 0.66, 0.8)["lapse"].verdict == "NO: gain, scores, best five"
    assert rows(third, 0.688)["lapse"].verdict == "in doubt: gain"
    flat = [{"plain": Found(0.8), "lapse": Found(0.79 + 0.02 * (r % 3)), "oracle": Found(0.8)} for r in range(9)]
    assert {one.method: one.verdict for one in voters.summary(attentive, flat)}["lapse"] == "yes"
    lost = [{"plain": Found(0.8), "lapse": Found(0.7), "oracle": Found(0.8)} for _ in range(9)]
    assert {one.method: one.verdict for one in voters.summary(attentive, lost)}["lapse"] == "NO: loss"


def test_one_workshop_by_every_method():
    from benchmarks import voters

    setting = row("a third at random")
    strengths = np.linspace(2.0, -2.0, 23)
    voters_of = setting.simulated["voters"]
    votes = pv.simulate(**voters.KALMAR, strengths=strengths, voters=voters_of, repetitions=1, rng=1).votes(0)
    found = voters.look_at(votes, strengths, setting, {"prior_sd": 1.0}, (1,))
    assert {"plain", "lapse", "slope", "oracle"} <= set(found)
    ranking = pv.bradley_terry(votes, prior_sd=1.0)
    assert found["plain"].overlap == len({*ranking.top(5)} & {0, 1, 2, 3, 4}) / 5
    low, high = ranking.confidence_interval(0.95)
    assert found["plain"].scores == pytest.approx(np.mean((low <= strengths) & (strengths <= high)))
    assert found["plain"].off is None
    attentive = pv.bradley_terry(votes, prior_sd=1.0, reliability="lapse").voters.attentive
    assert found["lapse"].off == pytest.approx(np.mean(attentive[20:] < 0.5))
    assert found["lapse"].honest == pytest.approx(np.mean(attentive[:20] < 0.5))
    alone = voters.look_at(votes, strengths, setting, {"prior_sd": 1.0}, (1,), with_peers=False)
    assert set(alone) == {"plain", "lapse", "slope", "oracle"}
    setting = row("a tenth on one side")
    one, two = (voters.measure(setting, 2, prior_sd=1.0, with_peers=False, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert one == two


def test_live_votes_meet_the_same_voters_under_every_belief():
    from benchmarks import voters_live

    nobody = {name: voters_live.run(belief, voters_live.Vote(0, (1,))) for name, belief in voters_live.BELIEFS.items()}
    assert len(nobody["told"]) == 600
    # Where nobody answers at random, to be told so changes nothing.
    for name in ("left", "right", "outcome"):
        assert getattr(nobody["told"], name).tolist() == getattr(nobody["everybody"], name).tolist()
    third = {name: voters_live.Vote(10, (2,)) for name in ("everybody", "told")}
    votes = {name: voters_live.run(voters_live.BELIEFS[name], vote) for name, vote in third.items()}
    assert third["told"].strengths.tolist() == third["everybody"].strengths.tolist()
    assert votes["told"].left.tolist() != votes["everybody"].left.tolist()
    is_random = third["told"].is_random[votes["told"].voter]
    lead = third["told"].strengths[votes["told"].left] - third["told"].strengths[votes["told"].right]
    agreed = (lead > 0) == (votes["told"].outcome == 2)
    assert abs(agreed[is_random].mean() - 0.5) < 0.15
    assert agreed[~is_random].mean() > 0.6
    overlaps = [{"everybody": dict.fromkeys(("plain", "lapse", "oracle"), 0.6 + 0.2 * r)} for r in range(2)]
    for one in overlaps:
        one["told"] = {by: value + 0.1 for by, value in one["everybody"].items()}
    told = voters_live.summary(voters_live.settings()[2], overlaps)[1]
    assert (told.belief, told.plain.value) == ("told", pytest.approx(0.8))
    assert told.gain == pytest.approx((0.1, 0.0), abs=1e-12)


def test_the_level_and_the_difference_that_is_found():
    from benchmarks import voters_groups

    none, *_ = voters_groups.settings()

    def row_of(setting, n_found, n=200):
        found = [voters_groups.Found(r < n_found, r < 2 * n_found, False) for r in range(n)]
        return voters_groups.summary(setting, found)

    assert row_of(none, 9).verdict == "yes"
    assert row_of(none, 12).verdict == "in doubt"
    assert row_of(none, 30).verdict == "NO"
    assert row_of(none, 9).likelihood_ratio.value == pytest.approx(0.09)
    differing = [one for one in voters_groups.settings() if one.difference and not one.taste_sd]
    rows = [row_of(setting, n) for setting, n in zip(differing, (20, 60, 140, 180, 200), strict=True)]
    needed = voters_groups.needed(rows, 0.0)
    # From 70% at 0.7 to 90% at 0.9.
    assert needed.value == pytest.approx(0.8)
    assert 0.01 < needed.error < 0.1
    assert voters_groups.needed(rows, 0.5) is None
    assert voters_groups.needed(rows[:2], 0.0) is None
    assert differing[0].simulated["voters"].cluster_sd == differing[0].difference / 2


def test_two_groups_are_told_apart():
    from benchmarks import voters_groups

    far = voters_groups.Setting(name="far apart", difference=3.0)
    assert voters_groups.measure(far, 2, prior_sd=1.0, n_jobs=1).reassigned.value == 1.0


def test_voters_in_the_wrong_camp():
    from benchmarks import voters_camps

    assert voters_camps.wrong(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])) == 0.0
    assert voters_camps.wrong(np.array([1, 1, 1, 0]), np.array([0, 0, 1, 1])) == 0.25
    assert voters_camps.wrong(np.array([2, 0, 1]), np.array([0, 1, 2])) == 0.0
    one, two = (next(s for s in voters_camps.settings() if s.camps == n and "40 votes" in s.name) for n in (1, 2))
    whole = [voters_camps.Found(1, None)] * 39 + [voters_camps.Found(2, None)]
    assert voters_camps.summary(one, whole).verdict == "yes"
    assert voters_camps.summary(one, [voters_camps.Found(3, None)] * 9).verdict == "NO"
    found = voters_camps.summary(two, [voters_camps.Found(2, 0.1), voters_camps.Found(2, 0.2)] * 9)
    assert (found.verdict, found.wrong.value) == ("yes", pytest.approx(0.15))
    assert voters_camps.summary(two, [voters_camps.Found(1, None)] * 9).wrong is None


def test_camps_that_are_far_apart():
    from benchmarks import voters_camps

    far = pv.VoterModel(clusters=2, cluster_sd=4.0)
    setting = voters_camps.Setting(name="far apart", camps=2, simulated={"voters": far})
    row = voters_camps.measure(setting, 2, n_jobs=1)
    assert (row.two.value, row.wrong.value) == (1.0, 0.0)


def test_the_command_prints_and_writes_the_tables(tmp_path, capsys, monkeypatch):
    from benchmarks.command import main
    from benchmarks.parts import voters

    # The times are run in tests/test_benchmarks.py.
    monkeypatch.setattr(voters, "GROUPS", ())
    path, page = tmp_path / "figures.json", tmp_path / "figures.md"
    options = ["--repetitions", "2", "--prior", "1", "--jobs", "1", "--no-peers", "--json", str(path)]
    rows = ["A TENTH AGAINST", "no difference, tastes 1", "one scale, 20", "live, a tenth"]
    assert main(["voters", *options, "--report", str(page), "--rows", *rows]) == 0
    printed = capsys.readouterr().out
    tables = json.loads(path.read_text(encoding="utf-8"))["parts"]["voters"]
    assert [one["group"] for one in tables] == ["reliability", "groups", "camps", "live"]
    reliability = tables[0]["rows"]
    assert [one["method"] for one in reliability] == ["plain", "lapse", "slope", "oracle"]
    for one in reliability:
        line = next(line for line in printed.splitlines() if line.startswith(one["case"]) and one["method"] in line)
        cell = f"{one['overlap']['value']:.3f} ±{one['overlap']['error']:.3f}"
        assert cell in line
        assert cell in page.read_text(encoding="utf-8")
    assert "found" not in tables[1]["rows"][0]
    assert main(["voters", "--no-peers", "--rows", "no such row"]) == 0
    assert "no row's name" in capsys.readouterr().out
