"""How well ratings forecast the next vote: every method says who will win it, and then learns from it."""

from __future__ import annotations

import datetime as dt
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks import peers
from benchmarks.honesty import SEED, Figure

Chances = NDArray[np.float64]
N_ITEMS = 100
# A refit of Bradley-Terry after so many votes, and then whenever there are so many times as many.
FIRST_FIT, GROWTH = 50, 1.2


class Drawn(NamedTuple):
    """Votes, and the true chance of each that left is picked, where it is known."""

    votes: pv.Votes
    truth: Chances | None


@dataclass(frozen=True)
class Setting:
    """Votes to forecast: `draw` makes them from a generator."""

    name: str
    draw: Callable[[np.random.Generator], Drawn]


@dataclass(frozen=True)
class Method:
    """A way to forecast votes; `kind` says which methods do the same work, and so whose speeds are compared."""

    name: str
    library: str
    kind: str
    forecast: Callable[[pv.Votes], Chances]


@dataclass
class Row:
    """What a method did with the votes of one setting.

    loss : mean log loss of a vote, in nats, with its standard error over repetitions
    gain : how much lower than that of `pairvote.elo` as it comes, in thousandths of a nat, on the same votes
    microseconds : of one vote, forecast and update; the fastest repetition
    times_ours : how many times as long that is as ours of the same kind
    """

    name: str
    loss: Figure | None = None
    gain: Figure | None = None
    microseconds: float | None = None
    times_ours: float | None = None
    losses: list[float] = field(default_factory=list, repr=False)


# --- votes ---


def still(n_votes: int) -> Setting:
    """Strengths that stay."""
    return Setting(
        f"still: {n_votes:,} votes on {N_ITEMS} items, strengths N(0, 1)", lambda rng: _drawn(rng, n_votes, 0.0)
    )


def walking(n_votes: int) -> Setting:
    """Strengths that walk, by 0.05 between one vote for every item and the next."""
    return Setting(
        f"walking: the same, and strengths walk by 0.05 every {N_ITEMS} votes", lambda rng: _drawn(rng, n_votes, 0.05)
    )


def _drawn(rng: np.random.Generator, n_votes: int, step: float) -> Drawn:
    left = rng.integers(N_ITEMS, size=n_votes)
    right = (left + rng.integers(1, N_ITEMS, size=n_votes)) % N_ITEMS
    turns = -(-n_votes // N_ITEMS)
    strength = rng.normal(size=N_ITEMS) + np.cumsum(step * rng.normal(size=(turns, N_ITEMS)), axis=0)
    turn = np.arange(n_votes) // N_ITEMS
    truth = 1.0 / (1.0 + np.exp(strength[turn, right] - strength[turn, left]))
    outcome = np.where(rng.random(n_votes) < truth, 2, 0)
    return Drawn(pv.Votes.from_codes(left, right, outcome, n_items=N_ITEMS), truth)


def _in_any_order(votes: pv.Votes, rng: np.random.Generator) -> Drawn:
    order = rng.permutation(len(votes))
    swapped = rng.random(len(votes)) < 0.5
    left, right, outcome = votes.left[order], votes.right[order], votes.outcome[order].astype(np.int64)
    decided = np.where(swapped & (outcome != pv.Outcome.SKIP), 2 - outcome, outcome)
    one, other = np.where(swapped, right, left), np.where(swapped, left, right)
    return Drawn(pv.Votes.from_codes(one, other, decided, n_items=votes.n_items), None)


def baseball() -> Setting:
    """Real games."""
    votes = pv.datasets.baseball()
    name = f"baseball: {len(votes):,} games of {votes.n_items} teams in 1987, in an order drawn at random"
    return Setting(name, lambda rng: _in_any_order(votes, rng))


def citations() -> Setting:
    """Real citations."""
    votes = pv.datasets.citations()
    name = f"citations: {len(votes):,} between {votes.n_items} journals, in an order drawn at random"
    return Setting(name, lambda rng: _in_any_order(votes, rng))


# --- ours ---


def fide(games: NDArray[np.int64]) -> NDArray[np.int64]:
    """FIDE's k without its 10 for ratings of 2400: 40 for the first thirty games, 20 from then on."""
    return np.where(games < 30, 40, 20)


def _expected(ranking: pv.Ranking) -> Chances:
    if ranking.history is None:
        raise TypeError("the ranking has no history")
    return ranking.history.expected


def _elo(votes: pv.Votes) -> Chances:
    return _expected(pv.elo(votes, history=True))


def _elo_fide(votes: pv.Votes) -> Chances:
    return _expected(pv.elo(votes, k=fide, history=True))


def _glicko(votes: pv.Votes) -> Chances:
    return _expected(pv.glicko2(votes, history=True))


def _glicko_200(votes: pv.Votes) -> Chances:
    return _expected(pv.glicko2(votes, deviation=200, history=True))


def _refits(votes: pv.Votes) -> Chances:
    """Bradley-Terry of the votes so far, fitted anew whenever they are a fifth more."""
    chances, known, row = np.full(len(votes), 0.5), 0, np.arange(len(votes))
    while known < len(votes):
        end = min(max(FIRST_FIT, math.ceil(known * GROWTH)), len(votes))
        if known:
            table = pv.bradley_terry(votes.where(row < known)).probability_matrix()
            chances[known:end] = table[votes.left[known:end], votes.right[known:end]]
        known = end
    return chances


# --- peers ---


def _rows(votes: pv.Votes) -> list[tuple[int, int, float]]:
    return list(zip(votes.left.tolist(), votes.right.tolist(), (votes.outcome / 2).tolist(), strict=True))


def _elote_elo(votes: pv.Votes) -> Chances:
    make = import_module("elote").EloCompetitor
    players = [make(initial_rating=1500, k_factor=32) for _ in range(votes.n_items)]
    return _elote(votes, players, {})


def _elote_glicko(votes: pv.Votes) -> Chances:
    make = import_module("elote").Glicko2Competitor
    # All at one time, so that deviations do not grow between votes.
    return _elote(votes, [make() for _ in range(votes.n_items)], {"match_time": dt.datetime(2024, 1, 1)})


def _elote(votes: pv.Votes, players: list[Any], options: dict[str, Any]) -> Chances:
    chances = []
    for left, right, score in _rows(votes):
        one, other = players[left], players[right]
        chances.append(one.expected_score(other))
        (one.beat if score == 1.0 else one.lost_to if score == 0.0 else one.tied)(other, **options)
    return np.array(chances)


def _glicko2_package(votes: pv.Votes) -> Chances:
    make = import_module("glicko2").Player
    players = [make() for _ in range(votes.n_items)]
    chances = []
    for left, right, score in _rows(votes):
        one, other = players[left], players[right]
        # It has no forecast; this is Glickman's.
        spread = math.hypot(one.rd, other.rd) * math.log(10) / 400
        gap = (one.rating - other.rating) * math.log(10) / 400
        chances.append(1 / (1 + math.exp(-gap / math.sqrt(1 + 3 * (spread / math.pi) ** 2))))
        mine, theirs = ([one.rating], [one.rd]), ([other.rating], [other.rd])
        one.update_player(*theirs, [score])
        other.update_player(*mine, [1 - score])
    return np.array(chances)


def _openskill(model_name: str, votes: pv.Votes) -> Chances:
    model = getattr(import_module("openskill.models"), model_name)()
    players = [model.rating() for _ in range(votes.n_items)]
    chances = []
    for left, right, score in _rows(votes):
        teams = [[players[left]], [players[right]]]
        chances.append(model.predict_win(teams)[0])
        (players[left],), (players[right],) = model.rate(teams, scores=[score, 1 - score])
    return np.array(chances)


OURS = (
    Method("pairvote.elo", "pairvote", "elo", _elo),
    Method("pairvote.elo, FIDE's k", "pairvote", "", _elo_fide),
    Method("pairvote.glicko2", "pairvote", "uncertain", _glicko),
    Method("pairvote.glicko2, deviation=200", "pairvote", "", _glicko_200),
    Method("pairvote.bradley_terry, refits", "pairvote", "", _refits),
)
THEIRS = (
    Method("elote EloCompetitor", "elote", "elo", _elote_elo),
    Method("elote Glicko2Competitor", "elote", "uncertain", _elote_glicko),
    Method("glicko2 Player", "glicko2", "uncertain", _glicko2_package),
    Method("openskill BradleyTerryFull", "openskill", "uncertain", partial(_openskill, "BradleyTerryFull")),
    Method("openskill ThurstoneMostellerFull", "openskill", "uncertain", partial(_openskill, "ThurstoneMostellerFull")),
)


def losses(chances: Chances, votes: pv.Votes) -> NDArray[np.float64]:
    """The log loss of each answered vote, a tie as half a win and half a loss: float64, in nats."""
    answered = votes.outcome != pv.Outcome.SKIP
    score, chance = votes.outcome[answered] / 2.0, chances[answered]
    return np.asarray(-(score * np.log(chance) + (1.0 - score) * np.log1p(-chance)))


def measured(setting: Setting, n_repetitions: int, *, with_peers: bool) -> Iterator[Row]:
    """The rows of a table: what the truth would lose, then every method."""
    drawn = [setting.draw(np.random.default_rng([SEED, number])) for number in range(n_repetitions)]
    known = [float(losses(one.truth, one.votes).mean()) for one in drawn if one.truth is not None]
    if known:
        yield Row("the true chances", loss=_figure(known))
    yield Row("a coin", loss=Figure(math.log(2.0), 0.0))
    first: list[float] = []
    fastest: dict[str, float] = {}
    for method in (*OURS, *(THEIRS if with_peers else ())):
        if method.library != "pairvote" and peers.version(method.library) is None:
            yield Row(f"{method.name} (not installed)")
            continue
        row = _run(method, drawn)
        first = first or row.losses
        row.gain = _figure([1000.0 * (plain - own) for plain, own in zip(first, row.losses, strict=True)])
        if method.library == "pairvote":
            fastest[method.kind] = row.microseconds or math.nan
        else:
            row.times_ours = (row.microseconds or math.nan) / fastest[method.kind]
        yield row


def _run(method: Method, drawn: list[Drawn]) -> Row:
    row, seconds = Row(method.name), []
    # Imports and what is set up on first use are not timed.
    method.forecast(drawn[0].votes.where(np.arange(len(drawn[0].votes)) < 60))
    for one in drawn:
        # Few votes are over so soon that chance has a part in their time.
        for _ in range(max(1, min(50, 10_000 // len(one.votes))) if method.kind else 1):
            begun = time.perf_counter()
            chances = method.forecast(one.votes)
            seconds.append((time.perf_counter() - begun) / len(one.votes))
        row.losses.append(float(losses(chances, one.votes).mean()))
    row.loss, row.microseconds = _figure(row.losses), 1e6 * min(seconds)
    return row


def _figure(values: list[float]) -> Figure:
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Figure(statistics.fmean(values), error)
