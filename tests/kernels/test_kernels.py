"""Compiled and interpreted kernels give the same bits, and the choice between them is the user's."""

from __future__ import annotations

import decimal
import importlib
import inspect
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from both_kernels import bits, both

import pairvote as pv
from pairvote import _kernels

RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
NO_WEIGHTS = np.empty(0)
Arguments = list[Any]


def fresh(arguments: Arguments) -> Arguments:
    def writable(value: Any) -> bool:
        return isinstance(value, dict) or (isinstance(value, np.ndarray) and value.flags.writeable)

    return [value.copy() if writable(value) else value for value in arguments]


# --- votes and what is made of them, the steps in plain NumPy so that each kernel is fed by none of the others ---


def vote_cases() -> dict[str, tuple[int, list[np.ndarray]]]:
    """Name: number of items, and columns left, right, outcome, weight; read-only, as Votes hold them."""
    rng = np.random.default_rng(1)

    def drawn(n_items: int, n_votes: int, outcomes: list[int], weight: np.ndarray = NO_WEIGHTS) -> Any:
        left = rng.integers(n_items, size=n_votes).astype(np.int32)
        right = ((left + rng.integers(1, max(n_items, 2), size=n_votes)) % max(n_items, 2)).astype(np.int32)
        columns = [left, right, rng.choice(outcomes, size=n_votes).astype(np.uint8), np.asarray(weight, float)]
        for column in columns:
            column.flags.writeable = False
        return n_items, columns

    everything = [RIGHT, TIE, LEFT, SKIP]
    return {
        "random": drawn(9, 200, everything),
        "many items": drawn(60, 150, everything),
        "two items": drawn(2, 30, everything),
        "one item": drawn(1, 0, everything),
        "no items": drawn(0, 0, everything),
        "no votes": drawn(5, 0, everything),
        "all ties": drawn(6, 50, [TIE]),
        "skips only": drawn(6, 50, [SKIP]),
        "left always": drawn(6, 50, [LEFT]),
        "weights": drawn(7, 120, everything, rng.gamma(0.3, size=120)),
        "weights with zeros": drawn(7, 120, everything, rng.integers(3, size=120) / 4),
        "wild weights": drawn(7, 120, everything, 10.0 ** rng.uniform(-200, 200, size=120)),
    }


def pairs_of(n_items: int, columns: list[np.ndarray], *, folded: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compressed rows (start, second, table) of the votes."""
    left, right, outcome, weight = columns
    sums: dict[tuple[int, int], list[float]] = {}
    for row, (i, j, seen) in enumerate(zip(left.tolist(), right.tolist(), outcome.tolist(), strict=True)):
        w = float(weight[row]) if len(weight) else 1.0
        if seen == SKIP or not w:
            continue
        pair, seen_so = ((j, i), 2 - seen) if folded and i > j else ((i, j), seen)
        sums.setdefault(pair, [0.0, 0.0, 0.0])[seen_so] += w
    pairs = sorted(sums)
    firsts = np.array([i for i, _ in pairs], np.int64)
    start = np.searchsorted(firsts, np.arange(n_items + 1)).astype(np.int64)
    second = np.array([j for _, j in pairs], np.int32)
    table = np.array([sums[pair] for pair in pairs]).reshape(-1, 3)
    return start, second, table


VOTES = vote_cases()
GRAPHS = {
    (name, folded): (n_items, *pairs_of(n_items, columns, folded=folded))
    for name, (n_items, columns) in VOTES.items()
    for folded in (False, True)
    if name != "skips only"
}


def bucketed(n_items: int, columns: list[np.ndarray], mode: int) -> tuple[np.ndarray, ...]:
    """Votes by item of one side, in their order: stops, keys and weights, as `place_votes` should leave them."""
    left, right, outcome, weight = (column[columns[2] != SKIP] if len(column) else column for column in columns)
    swapped = (mode & 1 > 0) & (left > right)
    first, second = np.where(swapped, right, left), np.where(swapped, left, right)
    item, other = (second, first) if mode & 2 else (first, second)
    keys = (4 * other + np.where(swapped, 2 - outcome.astype(np.int64), outcome)).astype(np.int32)
    order = np.argsort(item, kind="stable")
    stops = np.cumsum(np.bincount(item, minlength=n_items)).astype(np.int64)
    return stops, keys[order], weight[order] if len(weight) else weight


def by_pair(n_items: int, columns: list[np.ndarray], mode: int) -> tuple[np.ndarray, ...]:
    """Votes by first and then second item: stops, keys and weights."""
    stops, keys, weights = bucketed(n_items, columns, mode)
    first = np.searchsorted(stops, np.arange(len(keys)), side="right")
    order = np.lexsort((keys >> 2, first))
    return stops, keys[order], weights[order] if len(weights) else weights


# --- the arguments of every kernel function ---


def for_votes(make: Callable[[int, list[np.ndarray]], Iterator[Arguments]]) -> Callable[[], Iterator[Arguments]]:
    def arguments() -> Iterator[Arguments]:
        for n_items, columns in VOTES.values():
            yield from make(n_items, columns)

    return arguments


def add_to_items(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    yield [*columns, np.zeros((n_items, 4))]


def count_sides(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for mode in range(4):
        yield [*columns[:3], mode, np.zeros(n_items, np.int64)]


def count_votes() -> Iterator[Arguments]:
    rng = np.random.default_rng(6)
    for n, n_items, n_votes in ((3, 5, 40), (2, 2, 9), (1, 9, 0)):
        left = rng.integers(n_items, size=(n, n_votes)).astype(np.int32)
        right = ((left + rng.integers(1, n_items, size=(n, n_votes))) % n_items).astype(np.int32)
        outcome = rng.integers(4, size=(n, n_votes)).astype(np.uint8)
        for n_pairs in (n_items * (n_items - 1) // 2, 0):
            yield [left, right, outcome, np.zeros((n, n_items, 4)), np.zeros((n, n_pairs, 3))]


def count_questions() -> Iterator[Arguments]:
    for left, right, outcome, totals, tables in count_votes():
        for r in range(len(left) if tables.shape[1] else 0):
            votes = np.column_stack([right[r], left[r], right[r], outcome[r].astype(np.int32)])
            yield [votes, tables[r].copy(), totals.shape[1], len(votes) // 3, len(votes)]


def compare() -> Iterator[Arguments]:
    rng = np.random.default_rng(7)
    for n_items in (1, 2, 7):
        truth = rng.normal(size=(6, n_items))
        truth[0] = np.round(truth[0])
        for scores in (truth + 0.5 * rng.normal(size=(6, n_items)), rng.integers(3, size=(6, n_items)) * 1.0):
            for k in {1, (n_items + 1) // 2, n_items}:
                yield [truth, scores, k, 1e-8, np.zeros((4, n_items), np.int32), np.zeros((6, 5))]


def begins(stops: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], stops[:-1]]).astype(np.int64) if len(stops) else stops.copy()


def place_votes(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    n_votes = len(columns[0])
    for mode in range(4):
        stops, _, _ = bucketed(n_items, columns, mode)
        # What the kernel leaves unwritten for skips starts out equal on both sides.
        yield [*columns, mode, begins(stops), np.zeros(n_votes, np.int32), np.zeros(len(columns[3]))]


def count_keys(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for mode in (2, 3):
        yield [bucketed(n_items, columns, mode)[1], np.zeros(n_items, np.int64)]


def place_keys(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for mode in (2, 3):
        stops, keys, weights = bucketed(n_items, columns, mode)
        places = begins(bucketed(n_items, columns, mode - 2)[0])
        for first_row in {0, n_items // 2}:
            yield [stops, keys, weights, first_row, places, np.zeros_like(keys), np.zeros_like(weights)]


def gather_rows(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for folded in (False, True):
        stops, keys, weights = bucketed(n_items, columns, int(folded))
        most = min(len(keys), n_items**2)
        start, second, table = np.zeros(n_items + 1, np.int64), np.zeros(most, np.int32), np.zeros((most, 3))
        yield [stops, keys, weights, folded, np.zeros((n_items, 3)), start, second, table]


def places_of(n_items: int, *, folded: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where the cells of a first item begin less those of second items before its own, and of a second item."""
    first = [4 * (sum(n_items - 1 - k for k in range(i)) - i - 1 if folded else i * n_items) for i in range(n_items)]
    return np.array(first, np.int32), 4 * np.arange(n_items, dtype=np.int32)


def n_cells(n_items: int, *, folded: bool) -> int:
    return 2 * n_items * (n_items - 1) if folded else 4 * n_items * n_items


def tabulate(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    outcomes = np.arange(4, dtype=np.int32)
    yield [*columns, *places_of(n_items, folded=False), outcomes, np.zeros(n_cells(n_items, folded=False))]


def tabulate_folded(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    yield [*columns, *places_of(n_items, folded=True), np.zeros(n_cells(n_items, folded=True))]


def gather_cells(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for folded, make in ((False, tabulate), (True, tabulate_folded)):
        *arguments, table = next(make(n_items, columns))
        function = _kernels.interpreted_module("cells").tabulate_folded if folded else _kernels.cells.tabulate
        function(*arguments, table)
        most = min(len(columns[0]), n_items**2)
        start, second, pairs = np.zeros(n_items + 1, np.int64), np.zeros(most, np.int32), np.zeros((most, 3))
        yield [table, folded, start, second, pairs, np.zeros(n_items)]


def reach_all(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for folded in (False, True):
        pairs = pairs_of(n_items, columns, folded=folded)
        for most_sweeps in (0, 1, 4) if n_items else ():
            yield [*pairs, most_sweeps, np.zeros(n_items, np.int32), np.zeros(n_items, np.int32)]


def code_rows() -> Iterator[Arguments]:
    one, other = ["ash", "birch", "ash", ("cedar", 1)], ["birch", 7, 7, True]
    for columns in ([one], [one, other], [[], []]):
        for table in ({}, {"birch": 0, 1: 1}):
            yield [columns, table, np.zeros((len(columns), len(columns[0])), np.int32)]


def number_rows() -> Iterator[Arguments]:
    rng = np.random.default_rng(6)
    for n_columns, n_rows, low, high in ((1, 0, 0, 0), (1, 50, -3, 9), (2, 50, -3, 9), (2, 400, 10**12, 10**12 + 60)):
        columns = rng.integers(low, high + 1, size=(n_columns, n_rows))
        columns.flags.writeable = False
        n_places = high - low + 1
        numbers, codes = np.full(n_places, -1, np.int32), np.zeros(columns.shape, np.int32)
        first, second = (*columns, np.empty(0, np.int64))[:2]
        yield [first, second, low, numbers, codes, np.zeros(n_places, np.int64)]


def number_texts() -> Iterator[Arguments]:
    texts = ["", "ash", "birch", "ash", "Ångström", "a", "", "ashen", *(f"item {n % 7}" for n in range(20))]
    for listed in (texts, texts[:1], []):
        encoded = [text.encode() for text in listed]
        offsets = np.concatenate([[0], np.cumsum([len(text) for text in encoded])]).astype(np.int32)
        data = np.frombuffer(b"".join(encoded), np.uint8)
        room, store = np.zeros(len(listed) + 2, np.int64), np.zeros(len(data), np.uint8)
        for most in (len(listed), 3):
            slots, codes = np.full(64, -1, np.int64), np.zeros(len(listed), np.int32)
            yield [offsets, data, slots, room.copy(), store.copy(), 0, most, codes]


def count_runs(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for mode in (0, 1):
        stops, keys, _ = by_pair(n_items, columns, mode)
        for first_row in {0, n_items // 2}:
            yield [stops, keys, first_row, np.zeros(n_items, np.int64)]


def gather_runs(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for folded in (False, True):
        stops, keys, weights = by_pair(n_items, columns, int(folded))
        first = np.searchsorted(stops, np.arange(len(keys)), side="right")
        pairs = sorted(set(zip(first.tolist(), (keys >> 2).tolist(), strict=True)))
        firsts = np.array([i for i, _ in pairs], np.int64)
        start = np.searchsorted(firsts, np.arange(n_items + 1)).astype(np.int64)
        for first_row in {0, n_items // 2}:
            yield [stops, keys, weights, first_row, start, np.zeros(len(pairs), np.int32), np.zeros((len(pairs), 3))]


def join_components(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    left, right, _, _ = columns
    for n_edges in {0, len(left) // 20, len(left)}:
        yield [left[:n_edges], right[:n_edges], np.zeros(n_items, np.int32)]


def add_and_join(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    yield [*columns, np.zeros((n_items, 4)), np.arange(n_items, dtype=np.int32)]
    asked, joined = np.ones((n_items, 4)), np.zeros(n_items, np.int32)
    yield [*columns, asked, joined]
    yield [*columns, asked, np.arange(n_items, dtype=np.int32) // 3 * 3]


def join_pairs(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    left, right, _, _ = columns
    order = np.lexsort((right, left))
    start = np.searchsorted(left[order], np.arange(n_items + 1)).astype(np.int64)
    yield [start, right[order], np.arange(n_items, dtype=np.int32)]


def record_votes(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    for k, slope, level in ((32.0, math.log(10) / 400, 1500.0), (1e3, 0.7, -3.0), (1e99, 1e-3, 0.0)):
        yield [*columns, np.full(n_items, level), k, slope]


def record_leads(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    left, right, outcome, weight = columns
    lead = np.where(outcome == SKIP, np.nan, np.linspace(-1.0, 1.0, len(outcome)))
    whole = np.where(outcome == SKIP, np.nan, outcome - 1.0)
    for leads in (lead, whole):
        yield from record_votes(n_items, [left, right, leads, weight])


def record_rows(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    left, right, outcome, weight = columns
    rows = np.zeros((len(left), 3))
    rows[:, 0] = np.where(outcome == SKIP, np.nan, outcome - 1.0)
    rows[:, 1] = np.minimum(weight, 1e50) if len(weight) else 1.0
    rows[:, 2] = np.floor(np.arange(len(left)) / 3.0)
    table = np.zeros((n_items, 4))
    table[:, 0], table[:, 1], table[:, 2] = 1500.0 + np.arange(n_items), 16.0 + np.arange(n_items), -np.inf
    for half_life, n_ks, kept in ((0.0, 0, 0), (7.3, 0, len(left)), (1e-300, 5, len(left)), (0.0, 40, 0)):
        rule = np.array([math.log(10) / 400, half_life])
        k_of_games = np.linspace(40.0, 0.0, n_ks) if n_ks else np.empty(0)
        yield [left, right, rows, table[:, 0].copy(), table.copy(), k_of_games, np.zeros((kept, 4)), rule]


def fade() -> Iterator[Arguments]:
    table = np.array([[1500.0, 32.0, -np.inf, 0.0], [1500.0, 32.0, 3.0, 2.0], [0.0, 32.0, 7.0, 1.0]])
    for now, half_life in ((7.0, 2.5), (7.0, 0.0), (-np.inf, 1.0), (1e300, 1e-300)):
        yield [np.array([1500.0, 1634.5, -20.25]), table, now, half_life, np.zeros(3)]


def rate_periods(n_items: int, columns: list[np.ndarray]) -> Iterator[Arguments]:
    left, right, outcome, weight = columns
    score = np.where(outcome == SKIP, np.nan, outcome / 2.0)
    weights = weight if len(weight) else np.ones(len(left))
    table = np.zeros((n_items, 7))
    table[:, 0], table[:, 1], table[:, 2], table[:, 6] = np.linspace(-1.0, 3.0, n_items), 2.0, 0.06, -1.0
    rows = np.arange(len(left), dtype=float)
    for period, grows, tau in (
        (rows, 0.0, 0.5),
        (np.floor(rows / 17), 1.0, 1.2),
        (0 * rows, 0.0, 0.3),
        (3 * rows, 1.0, 2.0),
    ):
        for kept in (0, len(left)):
            rule = np.array([tau, grows])
            yield [left, right, score, weights, period, table.copy(), np.zeros((kept, 6)), rule]


def record_vote() -> Iterator[Arguments]:
    for outcome in (RIGHT, TIE, LEFT, SKIP):
        for weight in (0.0, 1.0, 0.3, 1e9):
            for gap in (0.0, 100.0, -1234.5, 1e6, -1e300):
                yield [np.array([1500.0 + gap, 0.0, 1500.0]), 0, 2, outcome, weight, 32.0, math.log(10) / 400]


def expected_score() -> Iterator[Arguments]:
    grid = np.concatenate([np.linspace(-41, 41, 4001), 10.0 ** np.linspace(-320, 308, 300), [0.0, -0.0, 1e308, -1e308]])
    yield from ([float(x)] for x in grid)
    yield from ([x] for x in (math.inf, -math.inf, math.nan))


SIZES = (0.0, 1.0, 40.0, 299.0, 700.0, 1e5)


def graphs(*, sizes: tuple[float, ...] = SIZES) -> Iterator[tuple[np.random.Generator, tuple[Any, ...], np.ndarray]]:
    """Every comparison graph with scores of every size."""
    for seed, (n_items, start, second, table) in enumerate(GRAPHS.values()):
        rng = np.random.default_rng(seed)
        for size in sizes:
            yield rng, (start, second, table), size * rng.uniform(-1, 1, size=n_items)


def slopes(parameters: tuple[float, ...]) -> Iterator[Arguments]:
    for _, pairs, scores in graphs():
        n_items, n_pairs = len(scores), len(pairs[1])
        rooted = not n_items or float(np.abs(scores).max()) < 300
        levels = np.exp(0.5 * scores) if rooted else scores
        for parameter in parameters:
            for home in (1.0, 1.3, 1e-6):
                for tie_weight in (0.0, 1.0):
                    extra = np.array([parameter, rooted, tie_weight, 0.0])
                    # A tie parameter asks for the cross derivatives; without one they are left out.
                    bends, sums = np.zeros((2 if parameter else 1, n_pairs)), np.zeros(2 * n_items + 5)
                    yield [*pairs, levels, np.array([home]), extra, bends, sums]
            # Rows that are some of all, with effects of their own.
            start, second, table = pairs
            middle = n_items // 2
            homes = np.linspace(0.5, 2.0, n_pairs) if n_pairs > 1 else np.array([1.3])
            extra = np.array([parameter, rooted, 1.0, middle])
            yield [
                start[middle:],
                second,
                table,
                levels,
                homes,
                extra,
                np.zeros((3, n_pairs)),
                np.zeros(2 * n_items + 5),
            ]


def in_order(*, sloped: bool) -> Iterator[Arguments]:
    """Answers in order: of two sides with halves of ties, of three, of four without a middle, and of five."""
    rng = np.random.default_rng(8)
    for _, (start, second, outcomes), scores in graphs():
        n_items, n_pairs = len(scores), len(second)
        for link, n_answers, tie in ((1.0, 2, 1.0), (2.0, 2, 0.0), (2.0, 3, -1.0), (1.0, 4, -1.0), (2.0, 5, -1.0)):
            table = outcomes if n_answers <= 3 else rng.integers(0, 3, (n_pairs, n_answers)).astype(float)
            m = (n_answers - 1) // 2
            inner = [*range(-m, 0), *([0] if n_answers % 2 == 0 else []), *range(1, m + 1)]
            cuts = np.array([-1e300, *(0.4 * np.array(inner)), 1e300])
            marks = np.array([0, *inner, 0], float)
            for effects in (np.array([0.2]), np.linspace(-1, 1, n_pairs) if n_pairs > 1 else np.array([0.0])):
                if not sloped:
                    yield [start, second, table, scores, effects, cuts, link, tie]
                    continue
                places = max(m, 1)
                sums = np.zeros(2 * n_items + 2 + 2 * places + places**2 + 5 + places)
                middle = n_items // 2
                for first in {0, middle}:
                    settings = np.concatenate([[link, tie, first, m], cuts, marks])
                    kept = np.zeros((2 + places if len(effects) > 1 else 1 + m, n_pairs))
                    yield [start[first:], second, table, scores, effects, settings, kept, sums.copy()]


def newton_steps() -> Iterator[Arguments]:
    for _, pairs, scores in graphs(sizes=(0.0, 3.0, 60.0, 400.0)):
        n_items, n_pairs = len(scores), len(pairs[1])
        if not n_items:
            continue
        for tied, sided in ((False, False), (True, False), (False, True), (True, True)):
            if (tied and not pairs[2][:, TIE].any()) or (sided and not n_pairs):
                continue
            for precision in (1 / 9, 4.0) if n_items < 2 or not n_pairs else (1 / 9, 0.0):
                size = n_items + tied + sided
                parameters = np.concatenate([scores - scores.mean(), np.zeros(size - n_items)])
                scratch, sums = np.zeros((2, n_pairs)), np.zeros(3 * n_items + 10 + size)
                own = np.linspace(0.5, 1.5, size)
                for common, precisions, centres in (
                    (True, np.full(size, precision), np.zeros(size)),
                    (False, precision * own + 1e-3, own - 1.0),
                ):
                    options = np.concatenate([[1e-9, 30, tied, sided, 1.0, common], precisions, centres])
                    copies = (parameters.copy(), options, np.zeros((size, size)), scratch.copy(), sums.copy())
                    yield [*pairs, *copies]


def invert_factored() -> Iterator[Arguments]:
    rng = np.random.default_rng(3)
    for size in (0, 1, 2, 7, 30):
        root = rng.normal(size=(size, size + 2))
        yield [np.ascontiguousarray(np.linalg.cholesky(root @ root.T).T), np.zeros(size * size)]


def davidson_log_likelihood() -> Iterator[Arguments]:
    for _, pairs, scores in graphs():
        for log_tie, position, tie_weight in ((-2.0, 0.0, 1.0), (1.5, 0.4, 1.0), (0.0, -0.3, 0.0)):
            yield [*pairs, scores, np.array([position]), math.exp(log_tie), log_tie, tie_weight]
        yield [*pairs, scores, np.array([0.2]), 0.0, 0.0, 1.0]
        yield [*pairs, scores, np.linspace(-1.0, 2.0, max(len(pairs[1]), 1)), 0.4, math.log(0.4), 1.0]


def squares() -> Iterator[Arguments]:
    for _, pairs, scores in graphs():
        n_pairs, middle = len(pairs[1]), len(scores) // 2
        for tie, tie_weight in ((0.0, 1.0), (0.4, 1.0), (0.0, 0.0)):
            yield [*pairs, scores, np.array([0.3]), np.array([tie, tie_weight, 0.0]), np.zeros((2, n_pairs))]
        effects = np.linspace(-1.0, 2.0, max(n_pairs, 1))
        extra = np.array([0.4, 1.0, middle])
        yield [pairs[0][middle:], *pairs[1:], scores, effects, extra, np.zeros((2, n_pairs))]


def rao_kupper_log_likelihood() -> Iterator[Arguments]:
    for _, pairs, scores in graphs():
        for tau, position in ((0.1, 0.0), (2.0, 0.7)):
            yield [*pairs, scores, np.array([position]), tau]
        yield [*pairs, scores, np.linspace(-1.0, 2.0, max(len(pairs[1]), 1)), 0.5]


def add_differences() -> Iterator[Arguments]:
    for rng, (start, second, _), scores in graphs(sizes=(0.0,)):
        yield [start, second, rng.normal(size=len(second)), np.zeros(len(scores))]


def fill_laplacian() -> Iterator[Arguments]:
    for rng, (start, second, _), scores in graphs(sizes=(0.0,)):
        for n_further in (0, 2):
            yield [start, second, rng.gamma(1.0, size=len(second)), np.zeros((len(scores) + n_further,) * 2)]


def multiply_laplacian() -> Iterator[Arguments]:
    for rng, (start, second, _), scores in graphs(sizes=(0.0, 40.0)):
        weights = rng.gamma(1.0, size=len(second))
        for first in (0, len(scores) // 2):
            yield [start[first:], second, weights, scores, rng.normal(size=len(scores)), first]


def multiply_columns() -> Iterator[Arguments]:
    for rng, (start, second, _), scores in graphs(sizes=(0.0,)):
        weights = rng.gamma(1.0, size=len(second))
        for first, n_columns in ((0, 1), (0, 4), (len(scores) // 2, 3)):
            vectors, products = rng.normal(size=(2, len(scores), n_columns))
            yield [start[first:], second, weights, vectors, products, first]


def add_second_order() -> Iterator[Arguments]:
    for rng, (start, second, _), scores in graphs(sizes=(0.0,)):
        weights, diagonal = rng.gamma(1.0, size=len(second)), 0.5 + rng.gamma(1.0, size=len(scores))
        for first in (0, len(scores) // 2):
            yield [start[first:], second, weights, diagonal, rng.normal(size=len(scores)), first]


def factors() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Unit lower factors with the fill that elimination leaves, and their pivots."""
    rng = np.random.default_rng(5)
    for size, density in ((0, 0.0), (1, 0.0), (2, 1.0), (8, 0.0), (8, 0.3), (40, 0.05), (40, 0.2), (40, 1.0)):
        met = np.tril(rng.random((size, size)) < density, -1)
        for column in range(size):
            met |= np.tril(np.outer(met[:, column], met[:, column]), -1)
        yield np.eye(size) + met * rng.uniform(-0.5, 0.5, size=(size, size)), rng.uniform(0.5, 2.0, size=size)


def invert_on_pattern() -> Iterator[Arguments]:
    for lower, pivots in factors():
        size = len(pivots)
        columns, rows = np.nonzero(np.tril(lower, -1).T)
        start = np.searchsorted(columns, np.arange(size + 1)).astype(np.int64)
        entries = lower[rows, columns]
        places = np.full(size, -1, np.int32)
        yield [start, rows.astype(np.int32), entries, pivots, np.zeros(len(entries)), np.zeros(size), places]


def add_pairs_to_items() -> Iterator[Arguments]:
    for _, pairs, scores in graphs(sizes=(0.0,)):
        yield [*pairs, np.zeros((len(scores), 4))]


def transposed(n_items: int, pairs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs whose second item is lower, as rows of that item."""
    start, second, table = pairs
    first = np.repeat(np.arange(n_items), np.diff(start))
    lower = np.flatnonzero(second < first)
    order = lower[np.lexsort((first[lower], second[lower]))]
    turned = np.searchsorted(second[order], np.arange(n_items + 1)).astype(np.int64)
    return turned, first[order].astype(np.int32), np.ascontiguousarray(table[order][:, ::-1])


def transpose_lower() -> Iterator[Arguments]:
    for _, pairs, scores in graphs(sizes=(0.0,)):
        start, second, table = transposed(len(scores), pairs)
        yield [*pairs, start[:-1].copy(), np.zeros_like(second), np.zeros_like(table)]


def merge_rows() -> Iterator[Arguments]:
    for _, pairs, scores in graphs(sizes=(0.0,)):
        others = transposed(len(scores), pairs)
        most = len(pairs[1]) + len(others[1])
        yield [*pairs, *others, np.zeros(most, np.int32), np.zeros((most, 3))]


ARGUMENTS: dict[tuple[str, str], Callable[[], Iterator[Arguments]]] = {
    ("counting", "transpose_lower"): transpose_lower,
    ("counting", "merge_rows"): merge_rows,
    ("sandwich", "sum_squares"): squares,
    ("by_item", "add_pairs_to_items"): add_pairs_to_items,
    ("by_item", "add_to_items"): for_votes(add_to_items),
    ("counting", "count_sides"): for_votes(count_sides),
    ("counting", "place_votes"): for_votes(place_votes),
    ("counting", "count_keys"): for_votes(count_keys),
    ("counting", "place_keys"): for_votes(place_keys),
    ("counting", "gather_rows"): for_votes(gather_rows),
    ("cells", "tabulate"): for_votes(tabulate),
    ("cells", "tabulate_folded"): for_votes(tabulate_folded),
    ("cells", "gather_cells"): for_votes(gather_cells),
    ("counting", "count_runs"): for_votes(count_runs),
    ("counting", "gather_runs"): for_votes(gather_runs),
    ("by_item", "join_components"): for_votes(join_components),
    ("by_item", "add_and_join"): for_votes(add_and_join),
    ("by_item", "join_pairs"): for_votes(join_pairs),
    ("counting", "reach_all"): for_votes(reach_all),
    ("batch", "count_votes"): count_votes,
    ("batch", "count_questions"): count_questions,
    ("batch", "compare"): compare,
    ("elo", "expected_score"): expected_score,
    ("elo", "record_vote"): record_vote,
    ("elo", "record_votes"): for_votes(record_votes),
    ("elo", "record_leads"): for_votes(record_leads),
    ("elo", "record_rows"): for_votes(record_rows),
    ("elo", "fade"): fade,
    ("glicko", "rate_periods"): for_votes(rate_periods),
    ("davidson", "slopes"): lambda: slopes((0.0, 0.3, 25.0)),
    ("davidson", "newton_steps"): newton_steps,
    ("davidson", "invert_factored"): invert_factored,
    ("davidson", "log_likelihood"): davidson_log_likelihood,
    ("ordered", "slopes"): lambda: in_order(sloped=True),
    ("ordered", "log_likelihood"): lambda: in_order(sloped=False),
    ("rao_kupper", "slopes"): lambda: slopes((1.01, 3.0)),
    ("rao_kupper", "log_likelihood"): rao_kupper_log_likelihood,
    ("laplacian", "add_differences"): add_differences,
    ("laplacian", "fill_laplacian"): fill_laplacian,
    ("laplacian", "multiply_laplacian"): multiply_laplacian,
    ("laplacian", "multiply_columns"): multiply_columns,
    ("laplacian", "add_second_order"): add_second_order,
    ("laplacian", "invert_on_pattern"): invert_on_pattern,
    ("lookup", "code_rows"): code_rows,
    ("lookup", "number_rows"): number_rows,
    ("lookup", "number_texts"): number_texts,
}


# In test_pair_stream, test_adaptive and test_mixture, whose kernels keep a state from call to call.
HELD_ELSEWHERE = {
    ("mixture", "sample"),
    *(("exposure", function) for function in ("answer", "choose", "rehash", "run", "show", "times_shown")),
    *(("gaussian", function) for function in ("absorb", "choose", "learn", "run")),
}


def test_every_kernel_function_is_held_to_parity() -> None:
    there = {
        (name, function)
        for name in _kernels.NAMES
        for function, value in vars(_kernels.interpreted_module(name)).items()
        if inspect.isroutine(value)
    }
    assert there == set(ARGUMENTS) | HELD_ELSEWHERE


@pytest.mark.slow
@pytest.mark.parametrize(("name", "function"), ARGUMENTS, ids=[".".join(key) for key in ARGUMENTS])
def test_compiled_equals_interpreted_to_the_bit(name: str, function: str) -> None:
    compiled, interpreted = both(name)
    assert (compiled.COMPILED, interpreted.COMPILED) == (True, False)
    moved = False
    for arguments in ARGUMENTS[name, function]():
        ours, theirs = fresh(arguments), fresh(arguments)
        returned = getattr(compiled, function)(*ours), getattr(interpreted, function)(*theirs)
        assert bits(returned[0]) == bits(returned[1])
        for place, (before, one, other) in enumerate(zip(arguments, ours, theirs, strict=True)):
            assert bits(one) == bits(other), f"argument {place}"
            moved = moved or bits(one) != bits(before)
    # A kernel that did nothing on either side would be equal as well.
    assert moved or returned[0] is not None


@pytest.mark.parametrize("name", VOTES)
def test_kernels_count_what_numpy_counts(name: str) -> None:
    n_items, columns = VOTES[name]
    counting = _kernels.counting
    for mode in range(4):
        stops, keys, weights = bucketed(n_items, columns, mode)
        arguments = fresh(list(count_sides(n_items, columns))[mode])
        counting.count_sides(*arguments)
        np.testing.assert_array_equal(np.cumsum(arguments[-1]), stops)
        arguments = fresh(list(place_votes(n_items, columns))[mode])
        counting.place_votes(*arguments)
        assert_placed(arguments[5:], stops, keys, weights)
    for place, mode in enumerate((0, 1)):
        arguments = fresh([a for a in place_keys(n_items, columns) if a[3] == 0][place])
        counting.place_keys(*arguments)
        assert_placed(arguments[4:], *by_pair(n_items, columns, mode))


def assert_placed(found: Arguments, stops: np.ndarray, keys: np.ndarray, weights: np.ndarray) -> None:
    np.testing.assert_array_equal(found[0], stops)
    np.testing.assert_array_equal(found[1][: len(keys)], keys)
    np.testing.assert_array_equal(found[2][: len(weights)], weights)


@pytest.mark.parametrize("name", [name for name in VOTES if name != "weights with zeros"])
def test_kernels_add_up_every_pair(name: str) -> None:
    n_items, columns = VOTES[name]
    for place, folded in enumerate((False, True)):
        start, second, table = pairs_of(n_items, columns, folded=folded)
        by_cell = fresh(list(gather_cells(n_items, columns))[place])
        assert _kernels.cells.gather_cells(*by_cell) == len(second)
        by_row = fresh(list(gather_rows(n_items, columns))[place])
        n_pairs = _kernels.counting.gather_rows(*by_row)
        assert n_pairs == len(second)
        by_run = fresh([a for a in gather_runs(n_items, columns) if a[3] == 0][place])
        _kernels.counting.gather_runs(*by_run)
        counted = fresh([a for a in count_runs(n_items, columns) if a[2] == 0][place])
        _kernels.counting.count_runs(*counted)
        np.testing.assert_array_equal(counted[-1], np.diff(start))
        for found in (by_cell[2:], by_row[5:], by_run[4:]):
            np.testing.assert_array_equal(found[0], start)
            np.testing.assert_array_equal(found[1][:n_pairs], second)
            np.testing.assert_allclose(found[2][:n_pairs], table, rtol=1e-14)


def in_rows(start: np.ndarray, second: np.ndarray, first: int) -> Iterator[tuple[int, int, int]]:
    """Every pair of the rows from `first` on: its entry and its two items."""
    for row in range(len(start) - 1):
        for entry in range(start[row], start[row + 1]):
            yield entry, first + row, int(second[entry])


def dense_laplacian(start: np.ndarray, second: np.ndarray, weights: np.ndarray, n_items: int, first: int) -> np.ndarray:
    matrix = np.zeros((n_items, n_items))
    for entry, i, j in in_rows(start, second, first):
        matrix[[i, j], [i, j]] += weights[entry]
        matrix[[i, j], [j, i]] -= weights[entry]
    return matrix


def test_multiply_columns_is_the_laplacian_times_each() -> None:
    for arguments in multiply_columns():
        start, second, weights, vectors, before, first = fresh(arguments)
        products = before.copy()
        _kernels.laplacian.multiply_columns(start, second, weights, vectors, products, first)
        expected = before + dense_laplacian(start, second, weights, len(vectors), first) @ vectors
        np.testing.assert_allclose(products, expected, rtol=1e-12, atol=1e-12)
        for column in range(vectors.shape[1]):
            alone, vector = before[:, column].copy(), vectors[:, column].copy()
            _kernels.laplacian.multiply_laplacian(start, second, weights, vector, alone, first)
            np.testing.assert_allclose(products[:, column], alone, rtol=1e-12, atol=1e-12)


def test_add_second_order_is_its_formula() -> None:
    for arguments in add_second_order():
        start, second, weights, d, before, first = arguments
        sums = before.copy()
        _kernels.laplacian.add_second_order(start, second, weights, d, sums, first)
        expected = before.copy()
        for entry, i, j in in_rows(start, second, first):
            expected[[i, j]] += weights[entry] ** 2 / (d[i] * d[j])
        np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-12)


def test_invert_on_pattern_is_the_inverse() -> None:
    for arguments, (lower, pivots) in zip(invert_on_pattern(), factors(), strict=True):
        start, rows, entries, _, inverse, diagonal, places = arguments
        _kernels.laplacian.invert_on_pattern(start, rows, entries, pivots, inverse, diagonal, places)
        expected = np.linalg.inv(lower @ np.diag(pivots) @ lower.T)
        np.testing.assert_allclose(diagonal, np.diag(expected), rtol=1e-10)
        columns = np.repeat(np.arange(len(pivots)), np.diff(start))
        np.testing.assert_allclose(
            inverse, expected[rows, columns], rtol=1e-9, atol=1e-9 * np.abs(expected).max(initial=0)
        )
        assert (places == -1).all()


def test_looking_at_a_source_leaves_the_choice_alone() -> None:
    before = {name: getattr(_kernels, name) for name in _kernels.NAMES}
    for name in _kernels.NAMES:
        _kernels.interpreted_module(name)
        assert importlib.import_module(f"pairvote._kernels.{name}") is before[name]
    assert {name: getattr(_kernels, name) for name in _kernels.NAMES} == before


def test_newton_steps_refuses_what_lies_out_of_bounds() -> None:
    start, second, table = np.array([0, 1, 1]), np.array([1], np.int32), np.array([[3.0, 0.0, 5.0]])
    for far in (350.0, 1e200):
        parameters = np.array([far, -far])
        options = np.array([1e-9, 100, 0, 0, 1.0, 1, 1 / 9, 1 / 9, 0, 0])
        arguments = [start, second, table, parameters, options, np.zeros((2, 2)), np.zeros((2, 1)), np.zeros(18)]
        assert _kernels.davidson.newton_steps(*arguments) == -1
        assert parameters.tolist() == [far, -far]


def test_newton_steps_refuses_a_singular_information() -> None:
    # Two components and no prior: the pivot that should vanish is only rounding.
    start, second = np.array([0, 1, 1, 2, 2]), np.array([1, 3], np.int32)
    table = np.array([[1.0, 0.0, 3.0], [1.1, 0.0, 0.7]])
    options = np.concatenate([[1e-9, 100, 0, 0, 1.0, 1], np.zeros(8)])
    arguments = [start, second, table, np.zeros(4), options, np.zeros((4, 4)), np.zeros((2, 2)), np.zeros(26)]
    assert _kernels.davidson.newton_steps(*arguments) < 0


# --- Elo's own exp ---


def test_expected_score_is_right_to_the_last_bits() -> None:
    expected = _kernels.elo.expected_score
    grid = np.linspace(-41, 41, 164_001 if _kernels.elo.COMPILED else 16_401)
    ours = np.array([expected(x) for x in grid.tolist()])
    math_s = np.array([1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x)) for x in grid.tolist()])
    assert np.abs(ours - math_s).max() <= 4e-16
    assert np.diff(ours).min() >= -2.3e-16
    mirrored = np.array([expected(-x) for x in grid.tolist()])
    assert np.abs(ours + mirrored - 1).max() <= 2e-16


def test_expected_score_against_forty_digits() -> None:
    with decimal.localcontext(prec=40):
        for x in np.random.default_rng(5).uniform(-40, 40, size=2000).tolist():
            exact = 1 / (1 + (-decimal.Decimal(x)).exp())
            assert abs(decimal.Decimal(_kernels.elo.expected_score(x)) - exact) < decimal.Decimal("2.3e-16")


def test_expected_score_at_the_ends() -> None:
    expected = _kernels.elo.expected_score
    assert expected(0.0) == expected(-0.0) == 0.5
    for far in (40.0, 745.0, 1e10, 1e308, math.inf):
        assert (expected(far), expected(-far)) == (1.0, 0.0)
    assert 0.0 < expected(-36.0) < 1e-15
    # Ratings are finite wherever they come from; still, no number may lead outside the table.
    assert expected(math.nan) == 0.0


# --- which kernels run ---

BLOCKER = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""

FIT = """
import json
import pairvote as pv
from pairvote import _kernels
votes = pv.datasets.kalmar().simulated_votes(rng=3, ties=0.4)
fits = [
    pv.bradley_terry(votes, ties=ties, position=position, prior_sd=2.0, uncertainty="none").scores
    for ties in ("davidson", "half", "drop", "cumulative") for position in (False, True)
]
print(json.dumps({
    "kernels": [getattr(_kernels, name).COMPILED for name in _kernels.NAMES],
    "cython": "cython" in sys.modules,
    "scores": [score.hex() for scores in [*fits, pv.elo(votes).scores] for score in scores.tolist()],
}))
"""


def run(code: str, kernels: str | None, blocked: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PAIRVOTE_KERNELS"}
    environment["PYTHONPATH"] = str(Path(pv.__file__).parents[1])
    environment |= {} if kernels is None else {"PAIRVOTE_KERNELS": kernels}
    code = f"BLOCKED = {blocked!r}" + BLOCKER + code
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def answer(code: str, kernels: str | None, blocked: tuple[str, ...] = ()) -> Any:
    done = run(code, kernels, blocked)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_without_cython_the_shim_gives_the_same_bits() -> None:
    without = answer(FIT, "python", ("cython", "Cython"))
    assert without["kernels"] == [False] * len(_kernels.NAMES)
    assert not without["cython"]
    assert without["scores"] == answer(FIT, None)["scores"]
    with_cython = answer(FIT, "python")
    assert with_cython["scores"] == without["scores"]


def test_missing_binaries_are_interpreted_unless_asked_for() -> None:
    binaries = tuple(f"pairvote._kernels._c_{name}" for name in _kernels.NAMES)
    code = "import json, pairvote as pv\nprint(json.dumps(pv.show_config()))"
    assert answer(code, None, binaries)["kernels"] == "python"
    assert answer(code, "", binaries)["kernels"] == "python"
    refused = run("import pairvote._kernels", "compiled", binaries)
    assert refused.returncode == 1
    assert "ImportError: PAIRVOTE_KERNELS=compiled, but the kernel 'batch' is not compiled here" in refused.stderr
    assert "install a C compiler" in refused.stderr


def test_part_of_the_binaries_missing_is_reported() -> None:
    both("davidson")
    code = "import json, pairvote as pv\nprint(json.dumps(pv.show_config()))"
    reported = answer(code, None, ("pairvote._kernels._c_elo",))["kernels"]
    assert "elo python" in reported
    assert "davidson compiled" in reported


def test_an_unknown_choice_of_kernels_is_refused() -> None:
    refused = run("import pairvote._kernels", "nonsense")
    assert refused.returncode == 1
    assert "PAIRVOTE_KERNELS is 'nonsense'; set it to one of auto, compiled, python" in refused.stderr


def test_show_config_says_which_kernels_run(capsys: pytest.CaptureFixture[str]) -> None:
    config = pv.show_config()
    kinds = {bool(getattr(_kernels, name).COMPILED) for name in _kernels.NAMES}
    assert len(kinds) == 1
    assert config["kernels"] == ("compiled" if kinds == {True} else "python")
    assert config["pairvote"] == pv.__version__
    assert config["numpy"] == np.__version__
    printed = capsys.readouterr().out
    for name, value in config.items():
        assert f"{name:<10}  {value}" in printed


def test_the_environment_decides_which_kernels_run_here() -> None:
    forced = os.environ.get("PAIRVOTE_KERNELS") or "auto"
    running = {getattr(_kernels, name).COMPILED for name in _kernels.NAMES}
    if forced != "auto":
        assert running == {forced == "compiled"}
