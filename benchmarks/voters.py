"""Unreliable voters: how many of the true best five each method ranks best, when some voters do not answer by them.

Each row is one kind of electorate at Kalmar's size, drawn many times. All methods score the same votes, and their
differences are taken workshop by workshop. The oracle is told what the methods have to find out, such as who answers at
random, and makes the best of it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks import noisy, peers
from benchmarks.honesty import COVERAGE, LEVEL, NOISE, OF_THE_BEST, SEED, TOP_K, Figure, mean_of

Floats = NDArray[np.float64]
N_VOTERS, VOTES_EACH = 30, 20
# The sharpness of voters where it varies: log-normal with median 1, and the same in every workshop.
SHARPNESS_SD = 0.75
KALMAR: Mapping[str, Any] = {"n_items": 23, "n_voters": N_VOTERS, "votes_each": VOTES_EACH, "sampler": "uniform"}
SPREAD = {"strength_sd": 1.0}
# Who is less likely than this to be attentive is flagged.
FLAGGED_BELOW = 0.5
# A gain of the oracle's smaller than so many standard errors has no shares.
CLEAR = 3.0
# Of the oracle's gain.
LEAST_SHARE = 0.5

Answer = Callable[[pv.Votes, Floats, np.random.Generator], pv.Votes]
Told = Callable[[pv.Votes, Mapping[str, Any]], Floats]


# What the voters who do not answer by the common scale do instead.


def against(last: int, votes: pv.Votes, strengths: Floats, rng: np.random.Generator) -> pv.Votes:
    """The last voters answer as those of the reversed scale would."""
    return answered(votes, np.where(_last(votes, last), -1.0, 1.0), strengths, rng)


def one_side(last: int, votes: pv.Votes, strengths: Floats, rng: np.random.Generator) -> pv.Votes:
    """The last voters always pick the left item."""
    return _with_outcomes(votes, np.where(_last(votes, last), pv.Outcome.LEFT, votes.outcome))


def sharper(slopes: Floats, votes: pv.Votes, strengths: Floats, rng: np.random.Generator) -> pv.Votes:
    """Each voter sees every lead in strength times a slope of the own."""
    return answered(votes, slopes[_voter(votes)], strengths, rng)


def answered(votes: pv.Votes, slopes: Floats, strengths: Floats, rng: np.random.Generator) -> pv.Votes:
    """The same questions with new answers, from the leads times one slope for each vote."""
    lead = slopes * (strengths[votes.left] - strengths[votes.right])
    left_wins = rng.random(len(votes)) < 1.0 / (1.0 + np.exp(-lead))
    return _with_outcomes(votes, np.where(left_wins, pv.Outcome.LEFT, pv.Outcome.RIGHT))


def slopes_of(n_voters: int) -> Floats:
    """Slopes at the middles of equal parts of the log-normal law, in an order that says nothing."""
    from scipy.special import ndtri

    return np.exp(SHARPNESS_SD * np.asarray(ndtri((np.arange(n_voters) + 0.5) / n_voters)))


def _with_outcomes(votes: pv.Votes, outcome: NDArray[Any]) -> pv.Votes:
    return pv.Votes.from_codes(
        votes.left, votes.right, outcome.astype(np.uint8), n_items=votes.n_items, voter=votes.voter
    )


def _voter(votes: pv.Votes) -> NDArray[np.int32]:
    if votes.voter is None:
        raise ValueError("simulated votes say whose they are")
    return votes.voter


def _last(votes: pv.Votes, n: int) -> NDArray[np.bool_]:
    voter = _voter(votes)
    return np.asarray(voter > voter.max() - n)


# What the oracle does with what it is told.


def nothing(votes: pv.Votes, options: Mapping[str, Any]) -> Floats:
    """Score all votes: there is nothing to tell."""
    return pv.bradley_terry(votes, **options).scores


def without(last: int, votes: pv.Votes, options: Mapping[str, Any]) -> Floats:
    """Score without the votes of the last voters."""
    return pv.bradley_terry(votes.where(~_last(votes, last)), **options).scores


def reversed_back(last: int, votes: pv.Votes, options: Mapping[str, Any]) -> Floats:
    """Score with the answers of the last voters reversed."""
    outcome = np.where(_last(votes, last), pv.Outcome.LEFT - votes.outcome, votes.outcome)
    return pv.bradley_terry(_with_outcomes(votes, outcome), **options).scores


def without_own(first: int, votes: pv.Votes, options: Mapping[str, Any]) -> Floats:
    """Score without the votes of the first voters on their own items: voter v's is item v."""
    voter = _voter(votes)
    own = (voter < first) & ((votes.left == voter) | (votes.right == voter))
    return pv.bradley_terry(votes.where(~own), **options).scores


def with_slopes(slopes: Floats, votes: pv.Votes, options: Mapping[str, Any]) -> Floats:
    """The scores that are most likely when each voter's slope is known, and the spread of strengths with it."""
    return noisy.with_slopes(votes, slopes[_voter(votes)], SPREAD["strength_sd"])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One row of the table.

    Attributes
    ----------
    name : str
    simulated : mapping
        Options of `pairvote.simulate` beside Kalmar's.
    answer : callable, optional
        What makes the votes of this row from the simulated ones.
    told : callable
        The oracle.
    off : range
        The voters, by number, who do not answer by the common scale.
    meant : tuple of str
        The methods that are made for such voters, which goals are about.
    targets : mapping of str to float
        The overlap of a trial, by method.
    """

    name: str
    simulated: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    told: Told = nothing
    off: range = range(0)
    meant: tuple[str, ...] = ("lapse",)
    targets: Mapping[str, float] = field(default_factory=dict)

    def is_off(self, n_voters: int) -> NDArray[np.bool_]:
        """Which voters do not answer by the common scale."""
        off = np.zeros(n_voters, bool)
        off[list(self.off)] = True
        return off


def settings() -> list[Setting]:
    """All rows of the table."""
    third, sixth, tenth = N_VOTERS // 3, N_VOTERS // 6, N_VOTERS // 10
    slopes = slopes_of(N_VOTERS)
    promoters = pv.VoterModel(self_promotion=3.0, promoters=0.1)

    def at_random(name: str, n: int, targets: tuple[float, float, float], **simulated: Any) -> Setting:
        voters = pv.VoterModel(random_voters=n / N_VOTERS)
        return Setting(
            name=name,
            simulated={**simulated, "voters": voters},
            told=partial(without, n),
            off=range(N_VOTERS - n, N_VOTERS),
            targets=dict(zip(("plain", "lapse", "oracle"), targets, strict=True)),
        )

    return [
        Setting(name="all attentive", targets={"plain": 0.827, "lapse": 0.823}, meant=("lapse", "slope")),
        at_random("a sixth at random", sixth, (0.785, 0.808, 0.807)),
        at_random("a third at random", third, (0.732, 0.765, 0.785)),
        at_random("a third at random, 60 votes each", third, (0.825, 0.860, 0.867), votes_each=60),
        Setting(
            name="a tenth against the scale",
            answer=partial(against, tenth),
            told=partial(reversed_back, tenth),
            off=range(N_VOTERS - tenth, N_VOTERS),
            meant=("slope",),
        ),
        Setting(
            name="a tenth promote their own",
            simulated={"voters": promoters},
            told=partial(without_own, tenth),
            off=range(tenth),
        ),
        Setting(
            name="a tenth on one side",
            answer=partial(one_side, tenth),
            told=partial(without, tenth),
            off=range(N_VOTERS - tenth, N_VOTERS),
        ),
        Setting(
            name="sharpness varies",
            answer=partial(sharper, slopes),
            told=partial(with_slopes, slopes),
            meant=("slope",),
        ),
    ]


class Found(NamedTuple):
    """What one method says of one workshop; what it does not say is None.

    overlap: the share of the true best five among the five ranked best. scores, best: the share of 95% intervals that
    hold the truth, of all and of the five ranked best. off, honest: the share of such voters that is flagged.
    """

    overlap: float
    scores: float | None = None
    best: float | None = None
    off: float | None = None
    honest: float | None = None


def look_at(
    votes: pv.Votes,
    strengths: Floats,
    setting: Setting,
    options: Mapping[str, Any],
    seed: Sequence[int],
    *,
    with_peers: bool = True,
) -> dict[str, Found]:
    """What each method says of one workshop, by the method's name."""
    if setting.answer is not None:
        votes = setting.answer(votes, strengths, np.random.default_rng(seed))
    truth = strengths - strengths.mean()
    found = {}
    with warnings.catch_warnings():
        # What users would be warned of is in the figures.
        warnings.simplefilter("ignore")
        for name, more in OURS.items():
            found[name] = _of_ranking(pv.bradley_terry(votes, **options, **more), truth, setting)
        found["oracle"] = Found(overlap(setting.told(votes, options), truth))
        for name, (library, scores) in PEERS.items():
            if with_peers and peers.version(library) is not None:
                found[name] = Found(overlap(scores(votes), truth))
    return found


def overlap(scores: Floats, truth: Floats) -> float:
    """The share of the true best five among the five ranked best; of level items the first."""
    ranked, best = (set(np.argsort(-values, kind="stable")[:TOP_K].tolist()) for values in (scores, truth))
    return len(ranked & best) / TOP_K


def _of_ranking(ranking: pv.Ranking, truth: Floats, setting: Setting) -> Found:
    low, high = ranking.confidence_interval(LEVEL)
    held = (low <= truth) & (truth <= high)
    best = np.argsort(-ranking.scores, kind="stable")[:TOP_K]
    off = honest = None
    if ranking.voters is not None:
        flagged = ranking.voters.attentive < FLAGGED_BELOW
        is_off = setting.is_off(len(flagged))
        off = float(flagged[is_off].mean()) if is_off.any() else None
        honest = float(flagged[~is_off].mean())
    return Found(overlap(ranking.scores, truth), float(held.mean()), float(held[best].mean()), off, honest)


def _crowd_kit(votes: pv.Votes) -> Floats:
    return peers.noisy_scores(peers.noisy_frame(votes), votes.n_items)


# Scores of votes without ties, by the name of the method, and the library that is needed.
PEERS: dict[str, tuple[str, Callable[[pv.Votes], Floats]]] = {
    "crowd-kit": ("crowd-kit", _crowd_kit),
    noisy.SOLVED: ("scipy", noisy.solved),
    "evalica": ("evalica", peers.evalica_scores),
}
OURS: dict[str, Mapping[str, Any]] = {
    "plain": {},
    "lapse": {"reliability": "lapse"},
    "slope": {"reliability": "slope"},
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was measured of one method in one row.

    Attributes
    ----------
    overlap : Figure
    gain : Figure
        How much more of the best five it finds than the plain call, workshop by workshop.
    share : Figure or None
        That gain as a share of the oracle's; None where the oracle's is not clear.
    scores, best, off, honest : Figure or None
    target : float or None
        The overlap that a trial had.
    """

    setting: Setting
    method: str
    repetitions: int
    overlap: Figure
    gain: Figure
    share: Figure | None
    scores: Figure | None
    best: Figure | None
    off: Figure | None
    honest: Figure | None
    target: float | None

    @property
    def verdict(self) -> str:
        """Which goals are missed and which are in doubt, of a method that is made for such voters."""
        if self.method not in self.setting.meant:
            return ""
        missed: list[str] = []
        doubtful: list[str] = []
        for what, figure, (low, high) in self._goals():
            by = max(low - figure.value, figure.value - high)
            if by > 0.0:
                (missed if by > NOISE * figure.error else doubtful).append(what)
        said = [f"NO: {', '.join(missed)}"] if missed else []
        said += [f"in doubt: {', '.join(doubtful)}"] if doubtful else []
        return "; ".join(said) or "yes"

    def _goals(self) -> Iterator[tuple[str, Figure, tuple[float, float]]]:
        if self.share is not None:
            yield "gain", self.share, (LEAST_SHARE, math.inf)
        else:
            yield "loss", self.gain, (0.0, math.inf)
        for what, figure, within in (("scores", self.scores, COVERAGE), ("best five", self.best, OF_THE_BEST)):
            if figure is not None:
                yield what, figure, within


def measure(
    setting: Setting, repetitions: int, *, prior_sd: Any = None, with_peers: bool = True, n_jobs: int = 2
) -> list[Row]:
    """Simulate a row and look at it by every method; the same numbers for any `n_jobs`."""
    from joblib import Parallel, delayed

    simulation = pv.simulate(**{**KALMAR, **SPREAD, **setting.simulated}, repetitions=repetitions, rng=SEED)
    options = {} if prior_sd is None else {"prior_sd": prior_sd}
    calls = (
        delayed(look_at)(simulation.votes(r), strengths, setting, options, (SEED, r), with_peers=with_peers)
        for r, strengths in enumerate(simulation.strengths)
    )
    return summary(setting, Parallel(n_jobs=n_jobs)(calls))


def summary(setting: Setting, workshops: Sequence[Mapping[str, Found]]) -> list[Row]:
    """The figures of each method, with standard errors over workshops."""
    overlaps = {name: np.array([one[name].overlap for one in workshops]) for name in workshops[0]}
    rows = []
    for name, values in overlaps.items():
        gains = values - overlaps["plain"]
        told = {what: _mean([getattr(one[name], what) for one in workshops]) for what in Found._fields[1:]}
        rows.append(
            Row(
                setting=setting,
                method=name,
                repetitions=len(workshops),
                overlap=mean_of(values.tolist()),
                gain=mean_of(gains.tolist()),
                share=None
                if name in ("plain", "oracle")
                else share_of_gain(gains, overlaps["oracle"] - overlaps["plain"]),
                target=setting.targets.get(name),
                **told,
            )
        )
    return rows


def _mean(values: Sequence[float | None]) -> Figure | None:
    said = [value for value in values if value is not None]
    return mean_of(said) if said else None


def share_of_gain(gains: Floats, oracle: Floats) -> Figure | None:
    """The ratio of two paired means, with its error by the delta method; None where the oracle's gain is not clear."""
    n, gain = len(oracle), mean_of(oracle.tolist())
    if gain.value <= CLEAR * gain.error:
        return None
    share = float(gains.mean() / gain.value)
    rest = gains - share * oracle
    return Figure(share, float(rest.std(ddof=1) / math.sqrt(n) / gain.value))
