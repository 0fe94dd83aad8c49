"""Voters weighed by how far the votes bear them out: laws, hard votes, options, bad input, and what is gained by it."""

from __future__ import annotations

import math
import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

import pairvote as pv
from pairvote import _kernels

Floats = NDArray[np.float64]
RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
COMPILED = _kernels.davidson.COMPILED
RELIABILITIES = ("lapse", "slope")
TIES = ("davidson", "rao-kupper", "half", "drop")
N_ITEMS, N_VOTERS, N_EACH = 6, 8, 15
# Chances of kinds are found to 1e-5 a round.
CLOSE = {"rtol": 0, "atol": 2e-4}


class Columns(NamedTuple):
    """Votes as columns."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    outcome: NDArray[np.int64]
    weight: Floats
    voter: NDArray[np.int64]

    def votes(self, n_items: int = N_ITEMS, **options: Any) -> pv.Votes:
        voter = [None if code < 0 else int(code) for code in self.voter]
        given: dict[str, Any] = {"weight": self.weight, "voter": voter, "n_items": n_items, **options}
        return pv.Votes.from_codes(self.left, self.right, self.outcome, **given)

    def take(self, order: Any) -> Columns:
        return Columns(*(column[order] for column in self))

    def and_then(self, other: Columns) -> Columns:
        return Columns(*(np.concatenate(both) for both in zip(self, other, strict=True)))


def simulated(
    seed: int = 0, *, n_voters: int = N_VOTERS, n_each: int = N_EACH, ties: float = 0.15, skips: float = 0.05
) -> Columns:
    """Votes of which the last quarter of the voters answer by a coin."""
    rng = np.random.default_rng(seed)
    n_votes = n_voters * n_each
    left = rng.integers(N_ITEMS, size=n_votes)
    right = (left + rng.integers(1, N_ITEMS, size=n_votes)) % N_ITEMS
    voter = np.repeat(np.arange(n_voters), n_each)
    lead = np.where(voter < 0.75 * n_voters, 0.8 * (right - left), 0.0)
    outcome = np.where(rng.random(n_votes) < expit(lead), LEFT, RIGHT)
    outcome[rng.random(n_votes) < ties] = TIE
    outcome[rng.random(n_votes) < skips] = SKIP
    return Columns(left, right, outcome, np.ones(n_votes), voter)


def ranked(votes: pv.Votes | pv.PairCounts, reliability: Any = "lapse", **options: Any) -> pv.Ranking:
    return pv.bradley_terry(votes, **{"prior_sd": 1.0, "reliability": reliability, **options})


def assert_sound(ranking: pv.Ranking) -> None:
    """Finite numbers that are chances, and what prints."""
    voters = ranking.voters
    assert voters is not None
    assert np.isfinite(ranking.scores).all()
    assert np.isfinite(ranking.standard_errors).all()
    for chances in (voters.attentive, voters.following):
        assert ((chances >= 0.0) & (chances <= 1.0 + 1e-9)).all()
    low, high = voters.confidence_interval()
    assert ((low >= 0.0) & (low <= high) & (high <= 1.0)).all()
    assert (
        voters.following >= 0.0 if voters.reliability == "slope" else voters.following >= voters.attentive - 1e-9
    ).all()
    assert len(str(voters).splitlines()) >= 2
    columns = voters.to_columns()
    assert {len(column) for column in columns.values()} == {len(voters.voters)}


# --- laws ---


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_swapped_sides_are_the_same_vote(reliability, ties, position) -> None:
    given = simulated()
    turned = np.where(given.outcome == SKIP, SKIP, LEFT - given.outcome)
    swapped = given._replace(left=given.right, right=given.left, outcome=turned)
    options = {"ties": ties, "position": position}
    one, other = (ranked(each.votes(), reliability, **options) for each in (given, swapped))
    np.testing.assert_allclose(other.scores, one.scores, **CLOSE)
    np.testing.assert_allclose(other.standard_errors, one.standard_errors, rtol=1e-3)
    np.testing.assert_allclose(other.voters.attentive, one.voters.attentive, **CLOSE)
    np.testing.assert_allclose(other.voters.following, one.voters.following, **CLOSE)
    assert other.fit.position_effect == pytest.approx(-one.fit.position_effect, abs=2e-4)


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_names_and_the_order_of_votes_are_nothing(reliability) -> None:
    given, rng = simulated(1), np.random.default_rng(2)
    items, people = rng.permutation(N_ITEMS), rng.permutation(N_VOTERS)
    renamed = given._replace(left=items[given.left], right=items[given.right], voter=people[given.voter])
    order = rng.permutation(len(given.left))
    one, other = ranked(given.votes(), reliability), ranked(renamed.take(order).votes(), reliability)
    np.testing.assert_allclose(other.scores[items], one.scores, **CLOSE)
    np.testing.assert_allclose(other.covariance[np.ix_(items, items)], one.covariance, rtol=0, atol=1e-3)
    found = dict(zip(other.voters.voters, other.voters.attentive.tolist(), strict=True))
    expected = dict(zip((int(people[each]) for each in one.voters.voters), one.voters.attentive.tolist(), strict=True))
    assert found == pytest.approx(expected, abs=2e-4)
    assert dict(zip(other.voters.voters, other.voters.n_votes.tolist(), strict=True)) == {
        int(people[voter]): n for voter, n in zip(one.voters.voters, one.voters.n_votes.tolist(), strict=True)
    }


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_draws_do_not_depend_on_the_order_of_votes(reliability) -> None:
    given = simulated(3, n_voters=6, n_each=8)
    order = np.random.default_rng(4).permutation(len(given.left))
    one, other = (pv.bradley_terry(each.votes(), reliability=reliability) for each in (given, given.take(order)))
    np.testing.assert_allclose(other.scores, one.scores, atol=1e-9)
    np.testing.assert_allclose(other.standard_errors, one.standard_errors, rtol=1e-9)
    again = pv.bradley_terry(given.votes(), reliability=reliability)
    assert (again.scores == one.scores).all()
    assert (again.voters.attentive == one.voters.attentive).all()


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_weights_are_numbers_of_votes(reliability) -> None:
    given = simulated(5)
    weight = np.random.default_rng(6).integers(0, 3, size=len(given.left))
    weighted = ranked(given._replace(weight=weight.astype(float)).votes(), reliability)
    repeated = ranked(given.take(np.repeat(np.arange(len(weight)), weight)).votes(), reliability)
    np.testing.assert_allclose(weighted.scores, repeated.scores, **CLOSE)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=0, atol=1e-3)
    np.testing.assert_allclose(weighted.voters.attentive, repeated.voters.attentive, **CLOSE)


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_votes_of_no_weight_and_skips_change_nothing(reliability) -> None:
    given = simulated(7)
    more = simulated(8)._replace(weight=np.zeros(len(given.left)))
    skipped = simulated(9)._replace(outcome=np.full(len(given.left), SKIP))
    one, other = ranked(given.votes(), reliability), ranked(given.and_then(more).and_then(skipped).votes(), reliability)
    np.testing.assert_allclose(other.scores, one.scores, rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.voters.attentive, one.voters.attentive, rtol=0, atol=1e-9)
    assert (other.voters.n_votes == one.voters.n_votes).all()
    assert one.voters.n_votes.sum() == (given.outcome != SKIP).sum()


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_votes_of_unknown_voters_count_in_full(reliability) -> None:
    """With nobody to doubt but one voter of one vote, the scores are all but those of a plain fit."""
    given = simulated(10)
    unknown = given._replace(voter=np.where(np.arange(len(given.left)) == np.argmax(given.outcome != SKIP), 0, -1))
    plain, weighed = ranked(unknown.votes(), None), ranked(unknown.votes(), reliability)
    assert weighed.voters.n_votes.tolist() == [1]
    np.testing.assert_allclose(weighed.scores, plain.scores, rtol=0, atol=0.03)
    np.testing.assert_allclose(weighed.standard_errors, plain.standard_errors, rtol=0.02)
    known = ranked(given.votes(), reliability)
    assert np.abs(known.scores - plain.scores).max() > 0.05


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_nothing_is_changed_where_all_agree(reliability) -> None:
    given = simulated(11, n_voters=6, n_each=60, ties=0.0)
    sure = given.outcome.copy()
    sure[:] = np.where(given.left < given.right, LEFT, RIGHT)
    flips = np.random.default_rng(12).random(len(sure)) < expit(-1.2 * np.abs(given.left - given.right))
    given = given._replace(outcome=np.where(flips, LEFT - sure, sure))
    plain, weighed = ranked(given.votes(), None), ranked(given.votes(), reliability)
    assert weighed.voters.attentive.min() > 0.9
    np.testing.assert_allclose(weighed.scores, plain.scores, rtol=0, atol=0.05)
    np.testing.assert_allclose(weighed.standard_errors, plain.standard_errors, rtol=0.08)
    assert weighed.voters.flags() == {}


# --- who voters are ---


def with_voter(lead: Any, *, seed: int = 13, n_votes: int = 60) -> pv.Votes:
    """Seven attentive voters, and an eighth who sees each pair with a lead of the left by `lead(left, right)`."""
    given = simulated(seed, n_voters=8, n_each=n_votes, ties=0.0, skips=0.0)
    rng = np.random.default_rng(seed)
    own = np.where(given.voter == 7, lead(given.left, given.right), 0.9 * (given.right - given.left))
    return given._replace(outcome=np.where(rng.random(len(own)) < expit(own), LEFT, RIGHT)).votes()


@pytest.mark.parametrize(
    ("lead", "what"),
    [
        (lambda left, right: 0.0 * left, "random"),
        (lambda left, right: 3.0 + 0.0 * left, "left"),
        (lambda left, right: -3.0 + 0.0 * left, "right"),
        (lambda left, right: 9.0 * ((left == 5) * 1.0 - (right == 5)) + 0.9 * (right - left), "pushes 5"),
    ],
)
def test_lapses_are_named(lead, what) -> None:
    voters = ranked(with_voter(lead)).voters
    assert voters.flags() == {7: what}
    assert voters.flags(chance=0.0) == {}
    assert what in str(voters)
    assert voters.attentive[:7].min() > 0.5 > voters.attentive[7]


def test_one_who_goes_against_the_scale_speaks_for_it() -> None:
    """Crowd-BT: the votes of one who always picks the worse say which is the better."""
    votes = with_voter(lambda left, right: -0.9 * (right - left))
    slope, lapse, plain = (ranked(votes, each) for each in ("slope", "lapse", None))
    assert slope.voters.following[7] < 0.1
    assert slope.voters.following[:7].min() > 0.8
    assert slope.voters.flags()[7].startswith("follows ")
    low, high = slope.voters.confidence_interval()
    assert low[7] == 0.0
    assert high[7] < 0.5
    assert slope.voters.agreement[7] < 0.4
    assert np.ptp(slope.scores) > np.ptp(plain.scores)
    assert slope.standard_errors.mean() < lapse.standard_errors.mean()


def test_agreement_is_a_count() -> None:
    given = simulated(14)
    ranking = ranked(given.votes())
    for place, voter in enumerate(ranking.voters.voters):
        own = np.flatnonzero((given.voter == voter) & (given.outcome != TIE) & (given.outcome != SKIP))
        agreed = [
            (ranking.scores[given.left[each]] > ranking.scores[given.right[each]]) == (given.outcome[each] == LEFT)
            for each in own
        ]
        assert ranking.voters.agreement[place] == pytest.approx(np.mean(agreed))


# --- hard votes ---


HARD = {
    "no votes": simulated().take(slice(0, 0)),
    "one vote": simulated().take(slice(0, 1)),
    "one voter": simulated(n_voters=1),
    "two voters": simulated(n_voters=2),
    "a vote each": simulated(n_voters=40, n_each=1),
    "all ties": simulated(ties=1.1, skips=0.0),
    "no ties": simulated(ties=0.0),
    "all skips": simulated(skips=1.1),
    "left won all": simulated()._replace(outcome=np.full(N_VOTERS * N_EACH, LEFT)),
    "winners first": simulated(ties=0.0, skips=0.0),
    "light": simulated()._replace(weight=np.full(N_VOTERS * N_EACH, 1e-300)),
    "heavy": simulated()._replace(weight=np.full(N_VOTERS * N_EACH, 1e9)),
    "no weight": simulated()._replace(weight=np.zeros(N_VOTERS * N_EACH)),
}
HARD["winners first"] = HARD["winners first"]._replace(
    left=np.where(HARD["winners first"].outcome == LEFT, HARD["winners first"].left, HARD["winners first"].right),
    right=np.where(HARD["winners first"].outcome == LEFT, HARD["winners first"].right, HARD["winners first"].left),
    outcome=np.full(N_VOTERS * N_EACH, LEFT),
)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", sorted(HARD))
@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_hard_votes_have_answers(reliability, name, ties) -> None:
    assert_sound(ranked(HARD[name].votes(n_items=N_ITEMS + 2), reliability, ties=ties))


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", ["no votes", "one voter", "a vote each", "all ties"])
@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_hard_votes_have_draws(reliability, name, ties) -> None:
    votes = HARD[name].take(slice(0, 30)).votes(n_items=N_ITEMS + 1)
    assert_sound(ranked(votes, reliability, ties=ties, prior_sd="learned"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
@pytest.mark.parametrize("n_votes", [50, 600])
def test_ties_that_one_voter_alone_made_leave_a_tie_parameter(n_votes, ties) -> None:
    rng = np.random.default_rng(15)
    left = rng.integers(N_ITEMS, size=n_votes)
    ones = np.ones(n_votes)
    own = Columns(left, (left + 1) % N_ITEMS, np.full(n_votes, TIE), ones, np.full(n_votes, 90))
    ranking = ranked(simulated(ties=0.0).and_then(own).votes(), ties=ties)
    assert_sound(ranking)
    assert ranking.voters.flags()[90] == "random"
    assert ranking.fit.tie_parameter > {"davidson": 0.0, "rao-kupper": 1.0}[ties]


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_a_machine_does_not_outvote_people(reliability) -> None:
    """Coins of one voter who never tires are most of the votes, and are found."""
    people, rng = simulated(28, n_voters=6, n_each=40, ties=0.0), np.random.default_rng(29)
    people = people._replace(outcome=np.where(rng.random(240) < expit(people.right - people.left), LEFT, RIGHT))
    left = rng.integers(N_ITEMS, size=3_000)
    outcome = rng.choice([LEFT, RIGHT], size=3_000)
    machine = Columns(
        left, (left + rng.integers(1, N_ITEMS, size=3_000)) % N_ITEMS, outcome, np.ones(3_000), left * 0 + 9
    )
    alone, weighed = ranked(people.votes(), reliability), ranked(people.and_then(machine).votes(), reliability)
    assert list(weighed.voters.flags()) == [9]
    np.testing.assert_allclose(weighed.scores, alone.scores, rtol=0, atol=0.3)


def test_winners_written_first_accuse_nobody_of_sides() -> None:
    rng = np.random.default_rng(16)
    pairs = [rng.permutation(N_ITEMS)[:2].tolist() for _ in range(160)]
    votes = pv.Votes.from_wins(*zip(*[sorted(pair) for pair in pairs], strict=True), voter=np.arange(160) % 8)
    voters = ranked(votes).voters
    assert voters.flags() == {}
    assert voters.attentive.min() > 0.9


# --- options ---


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_criteria_are_weighed_one_by_one(reliability) -> None:
    given = simulated(17, n_voters=6, n_each=30)
    criterion = np.array(["useful", "new"])[np.arange(len(given.left)) % 2]
    votes = given.votes(criterion=criterion)
    parts = [ranked(votes, reliability, criterion=label) for label in ("useful", "new")]
    for part, own in zip(parts, (criterion == "useful", criterion == "new"), strict=True):
        alone = ranked(given.take(own).votes(), reliability)
        np.testing.assert_allclose(part.scores, alone.scores, rtol=0, atol=1e-9)
        np.testing.assert_allclose(part.voters.attentive, alone.voters.attentive, rtol=0, atol=1e-9)
    both = ranked(votes, reliability, criteria={"useful": 2, "new": 1})
    np.testing.assert_allclose(both.scores, (2 * parts[0].scores + parts[1].scores) / 3, rtol=0, atol=1e-9)
    assert both.voters is None


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_every_way_to_ask_has_an_answer(reliability) -> None:
    given = simulated(18)
    votes, rng = given.votes(), np.random.default_rng(19)
    usual = ranked(votes, reliability)
    by_name = pv.rank(votes, "bradley-terry", prior_sd=1.0, reliability=reliability)
    np.testing.assert_array_equal(by_name.scores, usual.scores)
    np.testing.assert_array_equal(by_name.voters.attentive, usual.voters.attentive)
    covariates = rng.normal(size=(len(votes), 2))
    with_covariates = ranked(votes, reliability, covariates=covariates, position=True)
    assert_sound(with_covariates)
    assert with_covariates.fit.coefficients.shape == (2,)
    np.testing.assert_allclose(with_covariates.scores, usual.scores, rtol=0, atol=0.5)
    for options in ({"weights": "sampling"}, {"uncertainty": "sandwich"}, {"start": usual}):
        assert_sound(ranked(votes, reliability, **options))
    none = ranked(votes, reliability, uncertainty="none")
    np.testing.assert_allclose(none.scores, usual.scores, **CLOSE)
    np.testing.assert_allclose(none.voters.attentive, usual.voters.attentive, **CLOSE)


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_covariates_of_nought_are_none(reliability) -> None:
    """An effect that nobody felt: a covariate of both signs alike on every pair has a coefficient of about nought."""
    given = simulated(20)
    twice = given.and_then(given)
    signs = np.concatenate([np.ones(len(given.left)), -np.ones(len(given.left))])
    ranking = ranked(twice.votes(), reliability, covariates=signs)
    expected = ranked(twice.votes(), reliability)
    np.testing.assert_allclose(ranking.scores, expected.scores, rtol=0, atol=2e-3)
    assert ranking.fit.coefficients[0] == pytest.approx(0.0, abs=2e-3)


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_maximum_likelihood_needs_no_prior(reliability) -> None:
    given = simulated(21, n_voters=8, n_each=60)
    ranking = ranked(given.votes(), reliability, prior_sd=math.inf)
    assert_sound(ranking)
    near = ranked(given.votes(), reliability, prior_sd=50.0)
    np.testing.assert_allclose(ranking.scores, near.scores, rtol=0, atol=0.02)
    with pytest.raises(pv.errors.NotIdentifiedError) as caught:
        ranked(given.votes(n_items=N_ITEMS + 1), reliability, prior_sd=math.inf)
    assert str(N_ITEMS) in str(caught.value)


def test_voters_are_kept_beside_the_ranking() -> None:
    ranking = ranked(simulated(22).votes())
    voters = ranking.voters
    for array in (voters.attentive, voters.following, voters.agreement, voters.n_votes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    again = pickle.loads(pickle.dumps(ranking)).voters
    assert again.voters == voters.voters
    assert again.flags() == voters.flags()
    np.testing.assert_array_equal(again.attentive, voters.attentive)
    np.testing.assert_array_equal(again.confidence_interval(), voters.confidence_interval())
    with pytest.raises(ValueError, match="read-only"):
        again.attentive[0] = 0
    # Voters are those of all the votes, whatever is shown of the ranking.
    assert ranking.only(ranking.order()[:3]).voters is voters
    assert ranking.on_elo_scale().voters is voters
    assert ranked(simulated(22).votes(), None).voters is None


def test_levels_widen_intervals() -> None:
    voters = ranked(simulated(23).votes()).voters
    narrow, wide = voters.confidence_interval(0.5), voters.confidence_interval(0.95)
    assert (wide.low <= narrow.low).all()
    assert (wide.high >= narrow.high).all()
    assert (wide.high - wide.low > narrow.high - narrow.low).any()
    for level in (0.0, 1.0, "x"):
        with pytest.raises(pv.errors.InputError):
            voters.confidence_interval(level)
    for chance in (-0.1, 1.1, "x", None):
        with pytest.raises(pv.errors.InputError, match="chance"):
            voters.flags(chance)


@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_voters_can_be_drawn_again(reliability) -> None:
    votes = simulated(24).votes()
    found = pv.bootstrap(votes, n_resamples=8, by="voter", rng=1, prior_sd=1.0, reliability=reliability)
    np.testing.assert_allclose(found.scores, ranked(votes, reliability).scores, rtol=0, atol=1e-9)
    assert np.isfinite(found.standard_errors).all()
    assert (found.standard_errors > 0).all()


# --- bad input, and remedies followed ---


def test_unknown_kinds_of_reliability() -> None:
    for value in ("x", 1, True, ["lapse"]):
        with pytest.raises(pv.errors.InputError, match="lapse") as caught:
            ranked(simulated().votes(), value)
        assert caught.value.option == "reliability"


@pytest.mark.parametrize("uncertainty", ["by-voter", "clustered"])
def test_errors_between_voters_are_not_both(uncertainty) -> None:
    votes = simulated().votes()
    clusters = np.arange(len(votes)) % 10 if uncertainty == "clustered" else None
    with pytest.raises(pv.errors.InputError, match="leave uncertainty out") as caught:
        ranked(votes, uncertainty=uncertainty, clusters=clusters)
    assert caught.value.option == "uncertainty"
    assert_sound(ranked(votes))
    assert ranked(votes, None, uncertainty=uncertainty, clusters=clusters).voters is None


def test_counts_do_not_say_who_voted() -> None:
    votes = simulated().votes()
    with pytest.raises(pv.errors.InputError, match="pass the Votes"):
        ranked(pv.count_pairs(votes))
    assert_sound(ranked(votes))


def test_votes_without_voters() -> None:
    given = simulated()
    for votes in (given.votes(voter=None), given._replace(voter=np.full(len(given.left), -1)).votes()):
        with pytest.raises(pv.errors.InputError, match="pass voter=") as caught:
            ranked(votes)
        assert caught.value.option == "voter"
    assert_sound(ranked(given.votes()))


def test_graded_votes() -> None:
    votes = pv.Votes.from_labels(
        ["ash", "birch", "ash", "cedar"], ["birch", "cedar", "cedar", "ash"], [0.7, 1.0, 0.2, 0.0], outcomes="share",
        voter=["anna", "anna", "bo", "bo"],
    )  # fmt: skip
    with pytest.raises(pv.errors.InputError, match="graded") as caught:
        ranked(votes)
    assert caught.value.option == "reliability"
    whole = votes.where(~votes.is_graded)
    assert len(whole) == 0
    assert_sound(ranked(whole))
    assert ranked(votes, None).voters is None


def test_more_items_than_a_table_holds() -> None:
    votes = pv.Votes.from_codes([0, 1], [1, 2], [2, 2], n_items=4_001, voter=[0, 1])
    with pytest.raises(pv.errors.InputError, match="4,000") as caught:
        ranked(votes)
    assert caught.value.option == "reliability"
    assert ranked(votes, None).voters is None


# --- what is gained ---


def overlap(scores: Floats, strengths: Floats, k: int = 5) -> float:
    return len({*np.argsort(-scores)[:k].tolist()} & {*np.argsort(-strengths)[:k].tolist()}) / k


def mean_and_error(values: Any) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def correlations(reliability: str, share: float, seed: int, repetitions: int) -> tuple[Floats, Floats]:
    """Correlation with the truth, and overlap of the best five, of a plain fit, a weighed one, and one that was told
    which voters flip coins: two of (repetitions, 3), at 30 voters of 20 votes.
    """
    model = pv.VoterModel(random_voters=share)
    sim, found = pv.simulate(voters=model, repetitions=repetitions, rng=seed), []
    for each in range(repetitions):
        votes, strengths = sim.votes(each), sim.strengths[each]
        told = ranked(votes.where(votes.voter < 30 - model.n_random(30)), None)
        rankings = (ranked(votes, None), ranked(votes, reliability), told)
        found.append([(np.corrcoef(r.scores, strengths)[0, 1], overlap(r.scores, strengths)) for r in rankings])
    by_correlation, by_overlap = np.moveaxis(np.array(found), 2, 0)
    return by_correlation, by_overlap


@pytest.mark.slow
@pytest.mark.parametrize(("reliability", "part", "seed"), [("lapse", 0.5, 1), ("slope", 0.25, 2)])
def test_much_is_gained_of_what_an_oracle_gains(reliability, part, seed) -> None:
    """Where a third flip coins "lapse" gains more than half, paired by workshop, and "slope" about half.

    The correlation moves more evenly than the overlap of the best five, which must not be worse.
    """
    (plain, weighed, told), (before, after, _) = (each.T for each in correlations(reliability, 1 / 3, seed, 150))
    more, error = mean_and_error(weighed - plain - part * (told - plain))
    assert more > 2 * error
    gained, error = mean_and_error(after - before)
    assert gained > -2 * error


@pytest.mark.slow
@pytest.mark.parametrize("reliability", RELIABILITIES)
def test_nothing_is_lost_where_nobody_flips_coins(reliability) -> None:
    (plain, weighed, told), _ = (each.T for each in correlations(reliability, 0.0, 4, 60))
    assert (plain == told).all()
    lost, error = mean_and_error(plain - weighed)
    # A third of coins costs some .06.
    assert lost + 2 * error < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(("reliability", "share", "least"), [("lapse", 0.0, 0.93), ("lapse", 1 / 3, 0.89)])
def test_intervals_hold(reliability, share, least) -> None:
    """At the true prior; without weighing, a third of coins leaves 70% of intervals right."""
    repetitions = 120
    sim = pv.simulate(voters=pv.VoterModel(random_voters=share), repetitions=repetitions, rng=3)
    inside = []
    for each in range(repetitions):
        true = sim.strengths[each] - sim.strengths[each].mean()
        low, high = ranked(sim.votes(each), reliability).confidence_interval()
        inside.append(np.mean((low <= true) & (true <= high)))
    mean, error = mean_and_error(inside)
    assert mean - 2 * error > least - 0.02
    assert mean + 2 * error > least


def test_voters_may_be_more_than_draws() -> None:
    voters = pv.VoterModel(random_voters=0.25)
    votes = pv.simulate(n_items=5, n_voters=2_000, votes_each=2, voters=voters, repetitions=1, rng=1).votes(0)
    found = pv.bradley_terry(votes, reliability="lapse").voters
    assert found is not None
    low, high = found.confidence_interval()
    assert found.voters == votes.voters
    assert len(low) == len(high) == 2_000
    assert (low <= high).all()
    assert found.attentive[:1_500].mean() > found.attentive[1_500:].mean()
