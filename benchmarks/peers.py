"""The other libraries, each called as its own documentation says and on the best input that it takes.

A peer's function here makes what a user of that library would hold already, and gives the call to time.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

import pairvote as pv
from benchmarks.cases import Case, Scores, SeededVotes, Work
from benchmarks.reference import fingerprint

PEERS = ("evalica", "choix", "crowd-kit", "arena-rank", "riix", "openskill", "elote", "glicko2")
SLOW_VOTES = 10_000
# By default it adds 1e-5 of all votes to the information's diagonal, though not to the fit's.
ARENA_RIDGE = 1e-9
ARENA_NOTE = f"; with its default hessian_reg its errors are too small, so it has {ARENA_RIDGE:g}"
WINNER = ("Y", "Draw", "X")
ARENA_WINNER = np.array(["model_b", "tie", "model_a"], object)


@cache
def version(library: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True)
class PeerCase:
    """A way to call a peer.

    `prepare` takes the votes and gives the call to time, `scores` the votes and the call's result.
    """

    name: str
    library: str
    prepare: Callable[[SeededVotes], Work]
    scores: Callable[[SeededVotes, Any], Scores]
    comparable: bool = True
    first_votes: int | None = None
    note: str = ""

    def case(self, votes: SeededVotes, *, repeatable: bool = False, memory: bool = True, single: bool = False) -> Case:
        """The case of these votes, or of the first of them where the peer is slow; `single`: seconds are for one."""
        if self.first_votes is not None:
            rows = slice(self.first_votes)
            votes = replace(votes, left=votes.left[rows], right=votes.right[rows], outcome=votes.outcome[rows])
        return Case(
            name=self.name,
            library=self.library,
            fresh=partial(self.prepare, votes),
            n_votes=1 if single else len(votes),
            operations=len(votes) if single else 1,
            scores=partial(self.scores, votes),
            comparable=self.comparable,
            repeatable=repeatable,
            memory=memory,
            note=self.note,
        )


def _centred(log_scores: Any) -> Scores:
    values = np.asarray(log_scores, np.float64)
    return values - values.mean()


# --- evalica: lists of labels or codes and a list of its Winner; arrays only together with index= ---


def _evalica_winners(votes: SeededVotes) -> list[Any]:
    winner = import_module("evalica").Winner
    members = [getattr(winner, name) for name in WINNER]
    return [members[code] for code in votes.outcome.tolist()]


def _evalica(method: str, holding: str, votes: SeededVotes) -> Work:
    function = getattr(import_module("evalica"), method)
    options: dict[str, Any] = {"k": 32.0, "initial": 1500.0} if method == "elo" else {}
    left: Any
    right: Any
    if holding == "strings as read":
        left, right, _ = votes.read_strings()
    elif holding == "strings repeated":
        left, right, _ = votes.repeated_strings()
    elif holding == "ints":
        left, right = votes.ints()
    else:
        left, right = votes.left, votes.right
        options["index"] = import_module("pandas").RangeIndex(votes.n_items)
    return partial(function, left, right, _evalica_winners(votes), **options)


def _evalica_elo_scores(votes: SeededVotes, result: Any) -> Scores:
    # By label, whose order is that of the codes; an item without votes is not in evalica's answer.
    return np.asarray(result.scores.sort_index(), np.float64)


def _evalica_log_scores(votes: SeededVotes, result: Any) -> Scores:
    return _centred(np.log(_evalica_elo_scores(votes, result)))


EVALICA_HOLDING = {
    "ints": "lists of ints",
    "arrays": "int arrays with index=",
    "strings as read": "lists of strings",
    "strings repeated": "lists of strings",
}


def _evalica_case(method: str, holding: str) -> PeerCase:
    return PeerCase(
        name=f"evalica.{method}, {EVALICA_HOLDING[holding]}",
        library="evalica",
        prepare=partial(_evalica, method, holding),
        scores=_evalica_elo_scores if method == "elo" else _evalica_log_scores,
    )


def _evalica_indexing(holding: str, votes: SeededVotes) -> Work:
    left, right, _ = votes.read_strings() if holding == "strings as read" else votes.repeated_strings()
    return partial(import_module("evalica").indexing, left, right)


def _evalica_indexed(votes: SeededVotes, result: Any) -> Scores:
    left, right, labels = result
    codes = np.array([int(label.split("-")[1]) for label in labels])
    return fingerprint(codes[left], codes[right], votes.outcome, votes.n_items)


def _evalica_indexing_case(holding: str) -> PeerCase:
    return PeerCase(
        name=f"evalica.indexing, {EVALICA_HOLDING[holding]}",
        library="evalica",
        prepare=partial(_evalica_indexing, holding),
        scores=_evalica_indexed,
        note="evalica.indexing numbers the two columns; it reads no outcomes and checks nothing",
    )


def _evalica_bootstrap(n_resamples: int, options: dict[str, Any], votes: SeededVotes) -> Work:
    evalica = import_module("evalica")
    left, right = votes.ints()
    winners, index = _evalica_winners(votes), import_module("pandas").RangeIndex(votes.n_items)
    return partial(
        evalica.bootstrap,
        evalica.bradley_terry,
        left,
        right,
        winners,
        index=index,
        n_resamples=n_resamples,
        random_state=1,
        **options,
    )


def bootstraps(n_resamples: int) -> Sequence[PeerCase]:
    """evalica's bootstrap of its Bradley-Terry scores: as it comes, and by the least work that it can be asked for."""
    return tuple(
        PeerCase(
            name=f"evalica.bootstrap, lists of ints with index={text}",
            library="evalica",
            prepare=partial(_evalica_bootstrap, n_resamples, options),
            scores=lambda votes, result: _evalica_log_scores(votes, result.result),
            note=note,
        )
        for text, options, note in (
            ("", {}, "evalica.bootstrap's default intervals (BCa) fit once more for every vote left out"),
            (", percentile", {"bootstrap_method": "percentile"}, ""),
        )
    )


# --- choix: a list of (winner, loser) codes; no ties ---


def _choix(function: str, votes: SeededVotes) -> Work:
    return partial(getattr(import_module("choix"), function), votes.n_items, list(zip(*_decided(votes), strict=True)))


def _decided(votes: SeededVotes) -> tuple[list[int], list[int]]:
    left_won, right_won = votes.outcome == 2, votes.outcome == 0
    winners = np.where(left_won, votes.left, votes.right)[left_won | right_won]
    losers = np.where(left_won, votes.right, votes.left)[left_won | right_won]
    return winners.tolist(), losers.tolist()


def _choix_case(function: str) -> PeerCase:
    return PeerCase(
        name=f"choix.{function}, list of pairs",
        library="choix",
        prepare=partial(_choix, function),
        scores=lambda votes, result: _centred(result),
    )


# --- crowd-kit: a pandas frame with the winner's label; no ties ---


def _crowd_kit(tol: float | None, votes: SeededVotes) -> Work:
    winners, losers = _decided(votes)
    frame = import_module("pandas").DataFrame({"left": winners, "right": losers, "label": winners})
    make = import_module("crowdkit.aggregation").BradleyTerry
    options = {} if tol is None else {"tol": tol}
    return lambda: make(n_iter=100, **options).fit_predict(frame)


def _crowd_kit_scores(votes: SeededVotes, result: Any) -> Scores:
    return _centred(np.log(np.asarray(result.sort_index(), np.float64)))


def noisy_frame(votes: pv.Votes) -> Any:
    """The votes as crowd-kit's NoisyBradleyTerry takes them: a pandas frame of worker, left, right and label."""
    winner = np.where(votes.outcome == pv.Outcome.LEFT, votes.left, votes.right)
    columns = {"worker": votes.voter, "left": votes.left, "right": votes.right, "label": winner}
    return import_module("pandas").DataFrame(columns)


def noisy_scores(frame: Any, n_items: int) -> Scores:
    """crowd-kit's NoisyBradleyTerry, as it comes: a score from 0 to 1 for every item, 0 without votes."""
    # It seeds numpy's global generator.
    state = np.random.get_state()  # noqa: NPY002
    try:
        found = import_module("crowdkit.aggregation").NoisyBradleyTerry().fit_predict(frame)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return np.asarray(found.reindex(range(n_items), fill_value=0.0), np.float64)


def evalica_scores(votes: pv.Votes) -> Scores:
    """evalica's Bradley-Terry scores of every item, without voters."""
    evalica, index = import_module("evalica"), import_module("pandas").RangeIndex(votes.n_items)
    members = [getattr(evalica.Winner, name) for name in WINNER]
    winners = [members[code] for code in votes.outcome.tolist()]
    left, right = votes.left.astype(np.int64), votes.right.astype(np.int64)
    return np.asarray(evalica.bradley_terry(left, right, winners, index=index).scores.sort_index(), np.float64)


# --- arena-rank: a pandas frame; every fit compiles its loop again, which no caller can avoid, so that is timed ---


def arena_frame(votes: SeededVotes, *, strings: bool = False) -> Any:
    """The votes as arena-rank takes them: a pandas frame of model_a, model_b and winner."""
    left, right = (np.array(votes.labels)[side] if strings else side for side in (votes.left, votes.right))
    columns = {"model_a": left, "model_b": right, "winner": ARENA_WINNER[votes.outcome]}
    return import_module("pandas").DataFrame(columns)


def _arena_rank(with_intervals: bool, strings: bool, votes: SeededVotes) -> Work:
    # Compiling writes long warnings to the terminal.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    make = import_module("arena_rank.models.bradley_terry").BradleyTerry
    read = import_module("arena_rank.utils.data_utils").PairDataset.from_pandas
    frame = arena_frame(votes, strings=strings)

    def work() -> Any:
        dataset = read(frame)
        if with_intervals:
            model = make(dataset.n_competitors, hessian_reg=ARENA_RIDGE)
            answer = model.compute_ratings_and_cis(dataset)
            # Reading the numbers waits until they are there.
            ratings, variances = np.asarray(answer["ratings"]), np.asarray(answer["variances"])
            return ratings / model.alpha, np.sqrt(variances) / model.alpha
        model = make(dataset.n_competitors)
        model.fit(dataset)
        return np.asarray(model.params["ratings"])

    return work


def _arena_rank_case(*, with_intervals: bool = False, strings: bool = False) -> PeerCase:
    return PeerCase(
        name=f"arena-rank, pandas {'strings' if strings else 'ints'}" + ", intervals" * with_intervals,
        library="arena-rank",
        prepare=partial(_arena_rank, with_intervals, strings),
        scores=_arena_intervals if with_intervals else lambda votes, result: _centred(result),
        note="arena-rank compiles its solver anew in every fit, so that is part of its seconds"
        + ARENA_NOTE * with_intervals,
    )


def _arena_intervals(votes: SeededVotes, result: Any) -> Scores:
    ratings, errors = result
    return np.concatenate([_centred(ratings), errors])


# --- riix and openskill: ratings that follow a stream, in Python ---


def _riix(votes: SeededVotes) -> Work:
    make = import_module("riix.models.elo").Elo
    matchups, outcomes = np.column_stack([votes.left, votes.right]), votes.outcome / 2

    def work() -> Any:
        system = make(votes.labels, k=32.0, initial_rating=1500.0)
        system.fit_batch(matchups, outcomes)
        return system.ratings

    return work


def _riix_single(votes: SeededVotes) -> Work:
    system = import_module("riix.models.elo").Elo(votes.labels, k=32.0, initial_rating=1500.0)
    matchups, outcomes = np.column_stack([votes.left, votes.right]), votes.outcome / 2

    def work() -> Any:
        for row in range(len(votes)):
            system.fit_batch(matchups[row : row + 1], outcomes[row : row + 1])
        return system.ratings

    return work


def _openskill(votes: SeededVotes) -> Work:
    model = import_module("openskill.models").BradleyTerryFull()
    rows = list(zip(votes.left.tolist(), votes.right.tolist(), (votes.outcome / 2).tolist(), strict=True))

    def work() -> Any:
        ratings = [model.rating() for _ in range(votes.n_items)]
        for left, right, score in rows:
            (rated_left,), (rated_right,) = model.rate([[ratings[left]], [ratings[right]]], scores=[score, 1.0 - score])
            ratings[left], ratings[right] = rated_left, rated_right
        return [rating.mu for rating in ratings]

    return work


def _as_they_are(votes: SeededVotes, result: Any) -> Scores:
    return np.array(result, np.float64)


RIIX = PeerCase("riix Elo.fit_batch, int arrays", "riix", _riix, _as_they_are)
RIIX_SINGLE = PeerCase("riix Elo.fit_batch, one vote at a time", "riix", _riix_single, _as_they_are, comparable=False)
OPENSKILL = PeerCase(
    "openskill BradleyTerryFull.rate",
    "openskill",
    _openskill,
    _as_they_are,
    comparable=False,
    first_votes=SLOW_VOTES,
    note=f"openskill's ratings are not Elo's but do the same work; it runs on the first {SLOW_VOTES:,} votes",
)

ELO_HELD: Sequence[PeerCase] = (_evalica_case("elo", "ints"), _evalica_case("elo", "arrays"), RIIX, OPENSKILL)
ELO_STRINGS = {holding: (_evalica_case("elo", holding),) for holding in ("strings as read", "strings repeated")}
SINGLE_VOTES = (RIIX_SINGLE, OPENSKILL)

BRADLEY_TERRY_HELD = (
    _evalica_case("bradley_terry", "ints"),
    _evalica_case("bradley_terry", "arrays"),
    _arena_rank_case(),
)
BRADLEY_TERRY_STRINGS = {
    "strings as read": (_evalica_case("bradley_terry", "strings as read"), _arena_rank_case(strings=True)),
    "strings repeated": (_evalica_case("bradley_terry", "strings repeated"),),
}
BRADLEY_TERRY_MANY = (_evalica_case("bradley_terry", "ints"), _evalica_case("bradley_terry", "arrays"))
DAVIDSON_MANY = (_evalica_case("newman", "arrays"),)
BRADLEY_TERRY_INTERVALS = (_arena_rank_case(with_intervals=True),)
BRADLEY_TERRY_DECIDED = (
    _choix_case("ilsr_pairwise"),
    _choix_case("mm_pairwise"),
    _choix_case("opt_pairwise"),
    PeerCase(
        "crowd-kit BradleyTerry, pandas",
        "crowd-kit",
        partial(_crowd_kit, None),
        _crowd_kit_scores,
        note="crowd-kit compares each step with itself and so stops after two; with tol=0 it takes all 100",
    ),
    PeerCase("crowd-kit BradleyTerry(tol=0), pandas", "crowd-kit", partial(_crowd_kit, 0.0), _crowd_kit_scores),
)
BRADLEY_TERRY_SMALL = (
    _evalica_case("bradley_terry", "ints"),
    _evalica_case("bradley_terry", "arrays"),
    _choix_case("ilsr_pairwise"),
    _arena_rank_case(with_intervals=True),
)
INDEXING = {holding: (_evalica_indexing_case(holding),) for holding in ("strings as read", "strings repeated")}
IMPORTS = {
    "evalica": "evalica",
    "choix": "choix",
    "crowd-kit": "crowdkit.aggregation",
    "arena-rank": "arena_rank.models.bradley_terry",
    "riix": "riix.models.elo",
    "openskill": "openskill.models",
}
