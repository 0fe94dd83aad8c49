"""Either link, through the public interface: the laws that scores obey, independent maxima, and published tables."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import outcome_models
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_ndtr
from scipy.stats import norm

import pairvote as pv

Floats = NDArray[np.float64]
LINKS = ("logistic", "probit")
N_ITEMS, N_VOTES = 5, 60
# Every model of both links with graded votes too, where answers have thresholds of their own.
MODELS = (*outcome_models.NAMES, "graded", "probit graded")
PRIORS = (1.5, math.inf, "learned")


def options_of(name: str) -> dict[str, Any]:
    known = outcome_models.options(name)
    return {**known, "ties": "cumulative"} if name.endswith("graded") else known


def columns(name: str, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    left = rng.integers(N_ITEMS, size=N_VOTES)
    right = (left + rng.integers(1, N_ITEMS, size=N_VOTES)) % N_ITEMS
    lead = 0.4 * (right - left) + 0.2 + rng.logistic(size=N_VOTES)
    answer = (lead[:, None] > np.array([-1.8, -0.5, 0.5, 1.8])).sum(axis=1)
    answer[:5] = range(5)
    if not name.endswith("graded"):
        answer = np.array([0, 0, 2, 4, 4])[answer]
    return {
        "left": left,
        "right": right,
        "answer": answer,
        "weight": rng.choice([0.5, 1.0, 2.0], size=N_VOTES),
        "voter": rng.integers(9, size=N_VOTES),
    }


def votes_of(data: dict[str, Any], items: Any = range(N_ITEMS)) -> pv.Votes:
    """Votes on a scale from 0, wholly for the right, to 4; without 1 and 3 a tie is a tie."""
    columns = {name: data[name] for name in ("weight", "voter", "criterion") if name in data}
    answer, sides = data["answer"], (data["left"], data["right"])
    if (answer % 2 == 0).all():
        names = np.array(["right", "tie", "left"])[answer // 2]
        return pv.Votes.from_labels(*sides, names, items=items, **columns)
    return pv.Votes.from_labels(*sides, answer / 4, outcomes="share", items=items, **columns)


def same(ranking: pv.Ranking, other: pv.Ranking, *, draws: bool) -> None:
    """Where draws are made of other last digits of a start, they may be other draws after a while."""
    slack = 0.06 if draws else 1e-7
    np.testing.assert_allclose(other.scores, ranking.scores, atol=slack)
    np.testing.assert_allclose(other.standard_errors, ranking.standard_errors, rtol=slack, atol=slack)
    np.testing.assert_allclose(other.fit.thresholds, ranking.fit.thresholds, atol=2 * slack)
    assert other.fit.position_effect == pytest.approx(ranking.fit.position_effect, abs=2 * slack)
    if not draws:
        assert other.fit.log_likelihood == pytest.approx(ranking.fit.log_likelihood, abs=1e-7)


@pytest.mark.parametrize("prior_sd", PRIORS)
@pytest.mark.parametrize("name", MODELS)
def test_laws(name, prior_sd) -> None:
    """Order of rows, sides, labels, votes of no weight and votes of weight two."""
    data, draws = columns(name), prior_sd == "learned"
    options = {**options_of(name), "prior_sd": prior_sd, "position": True}
    ranking = pv.bradley_terry(votes_of(data), **options)
    shuffled = {key: value[np.random.default_rng(2).permutation(N_VOTES)] for key, value in data.items()}
    same(ranking, pv.bradley_terry(votes_of(shuffled), **options), draws=draws)

    swapped = {**data, "left": data["right"], "right": data["left"], "answer": 4 - data["answer"]}
    mirrored = pv.bradley_terry(votes_of(swapped), **options)
    np.testing.assert_allclose(mirrored.scores, ranking.scores, atol=0.15 if draws else 1e-7)
    assert mirrored.fit.position_effect == pytest.approx(-ranking.fit.position_effect, abs=0.15 if draws else 1e-7)

    # Draws are in an order of votes and labels, so that other labels are other draws.
    named = pv.bradley_terry(votes_of(data, items=[4, 2, 0, 1, 3]), **options)
    np.testing.assert_allclose(named.scores[[2, 3, 1, 4, 0]], ranking.scores, atol=0.15 if draws else 1e-7)

    twice = {key: np.concatenate([value, value[:1]]) for key, value in data.items()}
    unheard = {**twice, "weight": np.append(data["weight"], 0.0), "answer": np.append(data["answer"], 2)}
    same(ranking, pv.bradley_terry(votes_of(unheard), **options), draws=draws)
    double = {**data, "weight": np.where(np.arange(N_VOTES) == 0, 2.0, 1.0)}
    repeated = {**twice, "weight": np.ones(N_VOTES + 1)}
    same(*(pv.bradley_terry(votes_of(each), **options) for each in (double, repeated)), draws=draws)


@pytest.mark.parametrize("uncertainty", ["sandwich", "by-voter"])
@pytest.mark.parametrize("name", MODELS)
def test_laws_of_other_errors(name, uncertainty) -> None:
    data = columns(name, seed=3)
    options = {**options_of(name), "prior_sd": 1.5, "uncertainty": uncertainty}
    ranking = pv.bradley_terry(votes_of(data), **options)
    order = np.random.default_rng(4).permutation(N_VOTES)
    turned = order % 2 == 0
    other = {key: value[order] for key, value in data.items()}
    other["left"], other["right"] = (
        np.where(turned, other[there], other[here]) for here, there in (("left", "right"), ("right", "left"))
    )
    other["answer"] = np.where(turned, 4 - other["answer"], other["answer"])
    # Sides do not matter without a position effect, and voters' names never do.
    other["voter"] = 8 - other["voter"]
    same(ranking, pv.bradley_terry(votes_of(other), **options), draws=False)
    assert (ranking.standard_errors > 0.0).all()


@pytest.mark.parametrize("prior_sd", PRIORS)
@pytest.mark.parametrize("name", outcome_models.NAMES)
def test_counts_and_chunks_are_the_votes(name, prior_sd) -> None:
    votes = votes_of(columns(name))
    options = {**options_of(name), "prior_sd": prior_sd}
    ranking = pv.bradley_terry(votes, **options)
    same(ranking, pv.bradley_terry(votes.counts(), **options), draws=False)
    first = np.arange(len(votes)) < 23
    same(ranking, pv.bradley_terry(votes.where(first) + votes.where(~first), **options), draws=False)


# --- independent maxima ---


def log_f(link: str, x: Floats) -> Floats:
    return log_ndtr(x) if link == "probit" else log_expit(x)


@pytest.mark.parametrize("prior_sd", [1.0, math.inf])
@pytest.mark.parametrize("link", LINKS)
def test_case_v_is_the_generalised_linear_model(link, prior_sd) -> None:
    """By iteratively reweighted least squares (McCullagh and Nelder 1989, section 2.5), +1 and -1 for the items."""
    rng = np.random.default_rng(5)
    left = rng.integers(6, size=300)
    right = (left + rng.integers(1, 6, size=300)) % 6
    z = rng.normal(size=300)
    won = rng.random(300) < norm.cdf(0.3 * (right - left) + 0.2 + 0.4 * z)
    rows = np.zeros((300, 8))
    rows[np.arange(300), left], rows[np.arange(300), right] = 1.0, -1.0
    rows[:, 6], rows[:, 7] = 1.0, z
    unit = math.sqrt(8 / math.pi) if link == "probit" else 1.0
    precision = np.zeros((8, 8))
    if math.isfinite(prior_sd):
        precision[range(6), range(6)] = prior_sd**-2
        precision[6:, 6:] = (unit / 3) ** 2 * rows[:, 6:].T @ rows[:, 6:] / 300
    else:
        precision[:6, :6] = 1.0
    beta = np.zeros(8)
    for _ in range(60):
        d = rows @ beta
        mean, density = (norm.cdf(d), norm.pdf(d)) if link == "probit" else (expit(d), expit(d) * expit(-d))
        weight = density**2 / (mean * (1 - mean))
        response = d + (won - mean) / density
        beta = np.linalg.solve(rows.T * weight @ rows + precision, rows.T @ (weight * response))
    votes = pv.Votes.from_codes(left, right, 2 * won, n_items=6)
    ranking = pv.bradley_terry(votes, link=link, prior_sd=prior_sd, position=True, covariates=z)
    np.testing.assert_allclose(ranking.scores, beta[:6] - beta[:6].mean(), atol=1e-8)
    fit = ranking.fit
    np.testing.assert_allclose([fit.position_effect, *fit.coefficients], beta[6:], atol=1e-8)
    assert fit.log_likelihood == pytest.approx(log_f(link, np.where(won, 1, -1) * (rows @ beta)).sum(), rel=1e-12)
    # The observed information at the maximum, not the expected one.
    d = rows @ beta
    s = np.where(won, 1, -1)
    slope = np.exp(norm.logpdf(d) - log_ndtr(s * d)) if link == "probit" else expit(-s * d)
    bend = slope * (slope + s * d) if link == "probit" else expit(d) * expit(-d)
    inverse = np.linalg.inv(rows.T * bend @ rows + precision)
    centring = np.eye(6) - 1 / 6
    np.testing.assert_allclose(ranking.covariance, centring @ inverse[:6, :6] @ centring, rtol=1e-6, atol=1e-10)
    assert fit.position_standard_error == pytest.approx(math.sqrt(inverse[6, 6]), rel=1e-6)


# --- published tables ---

# Guilford (1954), "Psychometric methods", as the data set `vegetables` of R's package psych has it: the proportion of
# people who prefer the vegetable of the column to that of the row, all of them parts of 148; and the scale values of
# case V, the means of columns' normal deviates.
VEGETABLES = ("turnips", "cabbage", "beets", "asparagus", "carrots", "spinach", "string beans", "peas", "corn")
PREFERRED = np.array(
    [
        [0.500, 0.818, 0.770, 0.811, 0.878, 0.892, 0.899, 0.892, 0.926],
        [0.182, 0.500, 0.601, 0.723, 0.743, 0.736, 0.811, 0.845, 0.858],
        [0.230, 0.399, 0.500, 0.561, 0.736, 0.676, 0.845, 0.797, 0.818],
        [0.189, 0.277, 0.439, 0.500, 0.561, 0.588, 0.676, 0.601, 0.730],
        [0.122, 0.257, 0.264, 0.439, 0.500, 0.493, 0.574, 0.709, 0.764],
        [0.108, 0.264, 0.324, 0.412, 0.507, 0.500, 0.628, 0.682, 0.628],
        [0.101, 0.189, 0.155, 0.324, 0.426, 0.372, 0.500, 0.527, 0.642],
        [0.108, 0.155, 0.203, 0.399, 0.291, 0.318, 0.473, 0.500, 0.628],
        [0.074, 0.142, 0.182, 0.270, 0.236, 0.372, 0.358, 0.372, 0.500],
    ]
)
SCALE_VALUES = [0.00, 0.52, 0.65, 0.98, 1.12, 1.14, 1.40, 1.44, 1.63]


def votes_on_vegetables() -> pv.Votes:
    first, second = np.triu_indices(9, 1)
    lost = np.round(148 * PREFERRED[first, second])
    return pv.Votes.from_codes(
        np.tile(first, 2),
        np.tile(second, 2),
        np.repeat([0, 2], len(first)),
        items=VEGETABLES,
        weight=np.concatenate([lost, 148 - lost]),
    )


def test_guilfords_vegetables_are_where_he_put_them() -> None:
    """His values are a least-squares solution, which the maximum of the likelihood is near: to 0.05."""
    deviates = norm.ppf(PREFERRED).mean(axis=0)
    np.testing.assert_allclose(deviates - deviates[0], SCALE_VALUES, atol=0.005)
    ranking = pv.bradley_terry(votes_on_vegetables(), link="probit", prior_sd=math.inf)
    assert ranking.order() == list(VEGETABLES)[::-1]
    np.testing.assert_allclose(ranking.scores - ranking.scores[0], SCALE_VALUES, atol=0.05)
    assert np.corrcoef(ranking.scores, SCALE_VALUES)[0, 1] > 0.9998

    def loss(scores: Floats) -> float:
        first, second = np.triu_indices(9, 1)
        d, lost = scores[first] - scores[second], np.round(148 * PREFERRED[first, second])
        return float(-(lost @ log_ndtr(-d)) - (148 - lost) @ log_ndtr(d) + scores.sum() ** 2)

    best = minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-6})
    np.testing.assert_allclose(ranking.scores, best.x, atol=1e-5)
    assert ranking.fit.log_likelihood == pytest.approx(-best.fun, abs=1e-6)


# Beaver and Gokhale (1975), Communications in Statistics 4: of 50 people who lifted one bottle first and another after,
# how many called the first one heavier, by grams of both; the data `heaviness` of the R package eba.
HEAVIER = {
    (90, 95): 14, (95, 90): 32, (90, 100): 6, (100, 90): 36, (90, 105): 2, (105, 90): 47, (90, 110): 1, (110, 90): 47,
    (95, 100): 14, (100, 95): 34, (95, 105): 7, (105, 95): 43, (95, 110): 2, (110, 95): 46, (100, 105): 12,
    (105, 100): 34, (100, 110): 5, (110, 100): 40, (105, 110): 10, (110, 105): 28,
}  # fmt: skip


def test_beaver_and_gokhales_weights_with_their_order() -> None:
    """Case V with an order effect, by a general optimiser on the published table; what is lifted second is heavier."""
    grams = [90, 95, 100, 105, 110]
    pairs, heavier = list(HEAVIER), np.array(list(HEAVIER.values()), float)
    left, right = (np.array([grams.index(pair[side]) for pair in pairs]) for side in (0, 1))
    weight = np.concatenate([heavier, 50 - heavier])
    outcome = np.repeat([2, 0], 20)
    votes = pv.Votes.from_codes(np.tile(left, 2), np.tile(right, 2), outcome, items=grams, weight=weight)
    found = {}
    for link in LINKS:
        ranking = pv.bradley_terry(votes, link=link, prior_sd=math.inf, position=True)

        def loss(at: Floats, link: str = link) -> float:
            d = at[left] - at[right] + at[5]
            return float(-heavier @ log_f(link, d) - (50 - heavier) @ log_f(link, -d) + at[:5].sum() ** 2)

        best = minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-6})
        np.testing.assert_allclose([*ranking.scores, ranking.fit.position_effect], best.x, atol=1e-5)
        assert ranking.fit.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
        found[link] = ranking
    assert found["probit"].order() == grams[::-1]
    assert found["probit"].fit.position_effect < -0.1
    # The two links tell the same story, one probit about 1.6 to 1.8 log-odds.
    ratio = found["logistic"].scores / found["probit"].scores
    assert ((ratio > 1.55) & (ratio < 1.85)).all()


# --- what else a ranking by the probit link does ---


def test_probit_starts_copies_and_tables() -> None:
    votes = votes_of(columns("probit glenn-david"))
    ranking = pv.bradley_terry(votes, link="probit", prior_sd=1.0)
    logistic = pv.bradley_terry(votes, prior_sd=1.0)
    assert (ranking.unit, ranking.fit.link, ranking.fit.ties) == ("probit", "probit", "glenn-david")
    assert (logistic.unit, logistic.fit.link) == ("log-odds", "logistic")
    assert pv.bradley_terry(votes, link="probit", prior_sd=1.0, start=ranking).fit.n_iter == 0
    for start in (logistic.scores, ranking.scores):
        again = pv.bradley_terry(votes, link="probit", prior_sd=1.0, start=start)
        np.testing.assert_allclose(again.scores, ranking.scores, atol=1e-8)
    for start in (logistic, ranking.on_jod_scale(), ranking.on_elo_scale()):
        with pytest.raises(pv.InputError, match=r"pass one by bradley_terry with link='probit', or its scores$"):
            pv.bradley_terry(votes, link="probit", start=start)
    for other in (pickle.loads(pickle.dumps(ranking)), copy.deepcopy(ranking)):
        assert other.to_columns() == ranking.to_columns()
        assert (other.fit.link, repr(other.fit)) == ("probit", repr(ranking.fit))
        np.testing.assert_array_equal(other.fit.thresholds, ranking.fit.thresholds)
    assert ranking.to_frame()["score"].tolist() == sorted(ranking.scores, reverse=True)
    assert "score (probit)" in str(ranking)
    assert pv.rank(votes, "bradley-terry", link="probit", prior_sd=1.0).order() == ranking.order()


@pytest.mark.parametrize("name", MODELS)
def test_criteria_sampling_weights_and_every_kind_of_errors(name) -> None:
    data = columns(name)
    votes = votes_of(data)
    both = {key: np.tile(value, 2) for key, value in data.items()}
    both["criterion"] = np.repeat(["one", "two"], N_VOTES)
    options = {**options_of(name), "prior_sd": 1.0}
    alone = pv.bradley_terry(votes, **options)
    mixed = pv.bradley_terry(votes_of(both), criteria={"one": 1, "two": 1}, **options)
    np.testing.assert_allclose(mixed.scores, alone.scores, atol=1e-9)
    np.testing.assert_allclose(mixed.standard_errors * math.sqrt(2), alone.standard_errors, rtol=1e-7)
    assert mixed.unit == alone.unit
    # Importance weights mean the same on any scale.
    weighed = {**data, "weight": 7.0 * data["weight"]}
    one, other = (pv.bradley_terry(votes_of(each), weights="sampling", **options) for each in (data, weighed))
    same(one, other, draws=False)


@pytest.mark.parametrize("ties", ["davidson", "half", "drop"])
@pytest.mark.parametrize("reliability", ["lapse", "slope"])
def test_voters_who_answer_at_random_are_found_by_the_probit_link_too(reliability, ties) -> None:
    rng = np.random.default_rng(6)
    strength = np.linspace(-1.2, 1.2, 8)
    left = rng.integers(8, size=900)
    right = (left + rng.integers(1, 8, size=900)) % 8
    voter = np.arange(900) % 12
    lead = strength[left] - strength[right] + rng.normal(size=900)
    outcome = np.where(np.abs(lead) < 0.15, 1, np.where(lead > 0, 2, 0))
    outcome[voter < 3] = rng.choice([0, 2], size=int((voter < 3).sum()))
    votes = pv.Votes.from_codes(left, right, outcome, n_items=8, voter=voter)
    options = {"ties": ties, "prior_sd": 1.0}
    found = pv.bradley_terry(votes, link="probit", reliability=reliability, **options)
    plain = pv.bradley_terry(votes, link="probit", **options)
    logistic = pv.bradley_terry(votes, reliability=reliability, **options)
    # Scores are no longer drawn together by votes that say nothing, and those of both links are alike.
    assert found.scores.std() > 1.15 * plain.scores.std()
    assert np.corrcoef(found.scores, logistic.scores)[0, 1] > 0.995
    flagged = set(found.voters.flags())
    assert flagged >= {0, 1, 2}
    assert len(flagged) <= 4


def test_a_simulation_holds_probits_against_strengths_in_log_odds() -> None:
    """Coverage and error are those of the other link, which the votes follow, but for how the two curves differ."""
    table = pv.simulate(n_items=6, n_voters=10, votes_each=30, repetitions=30, rng=1).evaluate(
        {
            "logistic": {"method": "bradley-terry", "prior_sd": 1.0},
            "probit": {"method": "bradley-terry", "link": "probit", "prior_sd": 1.0 / math.sqrt(8 / math.pi)},
        }
    )
    columns = table.to_columns()
    assert columns["rmse"][1] == pytest.approx(columns["rmse"][0], rel=0.1)
    assert columns["coverage"][1] == pytest.approx(columns["coverage"][0], abs=0.05)


def test_what_is_not_offered_is_refused_by_name() -> None:
    votes = votes_of(columns("drop"))
    refused = [
        ({"link": "cauchit"}, r"^link is 'cauchit'; use one of 'logistic', 'probit'$"),
        ({"link": None}, r"^link is None; use one of 'logistic', 'probit'$"),
        ({"link": ["probit"]}, r"^link is \['probit'\]; use one of 'logistic', 'probit'$"),
        ({"ties": "glenn-david"}, r"which has no such model; pass ties='rao-kupper', or link='probit'$"),
    ]
    for options, message in refused:
        with pytest.raises(pv.InputError, match=message):
            pv.bradley_terry(votes, **options)
    for options in ({"ties": "rao-kupper"}, {"ties": "glenn-david", "link": "probit"}):
        assert pv.bradley_terry(votes, prior_sd=1.0, **options).scores.shape == (N_ITEMS,)
    with pytest.raises(pv.InputError, match="start is a ranking in 'probit'"):
        pv.bradley_terry(votes, start=pv.bradley_terry(votes, link="probit", prior_sd=1.0))


@pytest.mark.parametrize("link", LINKS)
def test_other_names_for_ties_are_glenn_and_davids_by_the_probit_link(link) -> None:
    votes = votes_of(columns("davidson"))
    names = (
        ("davidson", "rao-kupper", "glenn-david", "cumulative") if link == "probit" else ("rao-kupper", "cumulative")
    )
    first, *others = (pv.bradley_terry(votes, ties=name, link=link, prior_sd=2.0) for name in names)
    for other in others:
        np.testing.assert_allclose(other.scores, first.scores, atol=1e-9)
        assert other.fit.tie_parameter == pytest.approx(first.fit.tie_parameter, abs=1e-9)
        assert other.fit.tie_standard_error == pytest.approx(first.fit.tie_standard_error, rel=1e-8)


@pytest.mark.parametrize("ties", ["glenn-david", "half"])
def test_sandwich_errors_of_no_items_say_nothing_on_the_terminal(ties, capfd) -> None:
    ranking = pv.bradley_terry(
        pv.Votes.from_labels([], [], [], items=[]), link="probit", ties=ties, prior_sd=1.0, uncertainty="sandwich"
    )
    assert ranking.covariance.shape == (0, 0)
    assert ranking.standard_errors.shape == (0,)
    assert capfd.readouterr() == ("", "")


def test_a_single_vote_is_no_plural() -> None:
    tie, win = (pv.Votes.from_labels(["a"], ["b"], [outcome]) for outcome in ("tie", "left"))
    with pytest.raises(pv.NotIdentifiedError, match=r"^the only vote is a tie"):
        pv.bradley_terry(tie, link="probit", prior_sd=math.inf)
    with pytest.raises(pv.NotIdentifiedError, match=r"^the left side won the only vote"):
        pv.bradley_terry(win, link="probit", prior_sd=math.inf, position=True)


def test_a_start_of_complex_numbers_is_refused() -> None:
    votes = pv.Votes.from_wins(["a", "b"], ["b", "a"])
    with pytest.raises(pv.InputError, match="one real number an item"):
        pv.bradley_terry(votes, link="probit", prior_sd=1.0, start=np.array([1j, 0.0]))


def test_labels_to_keep_are_a_list() -> None:
    with pytest.raises(pv.InputError, match="pass a list of labels"):
        pv.bradley_terry(pv.datasets.baseball(), link="probit", prior_sd=1.0).only(np.array("Boston"))


# Perez-Ortiz and Mantiuk (2017), arXiv:1712.03686, example 3 of its software pwcmp: 1,213 votes on seven ways to map
# the tones of videos, all scenes together, and the JOD that come with it. Its weak prior draws distances in a little.
OPERATORS = ("tmo_camera", "ferwerda96", "ronan12", "irawan05", "pattanaik00", "hateren06", "mantiuk08")
CHOSEN = {
    (0, 1): (46, 19), (0, 2): (34, 21), (0, 3): (17, 35), (0, 4): (47, 17), (0, 5): (44, 11), (0, 6): (28, 40),
    (1, 2): (26, 34), (1, 3): (16, 37), (1, 4): (43, 19), (1, 5): (45, 11), (1, 6): (17, 44), (2, 3): (15, 48),
    (2, 4): (41, 24), (2, 5): (55, 8), (2, 6): (20, 38), (3, 4): (40, 10), (3, 5): (35, 3), (3, 6): (43, 12),
    (4, 5): (54, 15), (4, 6): (6, 47), (5, 6): (5, 43),
}  # fmt: skip
JOD = [-0.368, 0.121, -0.036, -1.039, 0.567, 1.369, -0.615]


def test_tone_mapping_operators_have_the_published_jod() -> None:
    """To 0.025, since theirs is a maximum with a prior."""
    pairs = [(OPERATORS[one], OPERATORS[other], lost, won) for (one, other), (won, lost) in CHOSEN.items()]
    votes = pv.Votes.from_pairs(*zip(*pairs, strict=True))
    ranking = pv.bradley_terry(votes, link="probit", prior_sd=math.inf).on_jod_scale()
    assert ranking.n_items == 7
    found = [ranking.to_dict()[label] for label in OPERATORS]
    np.testing.assert_allclose(found, JOD, atol=0.025)
    assert np.corrcoef(found, JOD)[0, 1] > 0.9999


def test_three_votes_to_one_are_a_jod() -> None:
    """The first example of pwcmp: 75 of 100 for the second of two, and for the third over the second."""
    votes = pv.Votes.from_pairs(["a", "b"], ["b", "c"], [25, 25], [75, 75])
    for link in ("logistic", "probit"):
        ranking = pv.bradley_terry(votes, link=link, prior_sd=math.inf).on_jod_scale(anchor="a")
        np.testing.assert_allclose([ranking.to_dict()[label] for label in "abc"], [0, 1, 2], atol=1e-8)
