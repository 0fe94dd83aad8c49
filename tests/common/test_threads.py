"""Parts of large arrays, worked on in turn or at the same time."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest

import pairvote as pv
from pairvote._common.threads import LEAST_SHARED, MOST_PARTS, Parts, at_once, n_usable
from pairvote.votes._counts import CountingLimits
from pairvote.votes._given import count_votes


@pytest.mark.parametrize("n_rows", [0, 1, 5, 99_999, 250_000, 10**7])
def test_equal_parts_cover_every_row_once(n_rows: int) -> None:
    bounds = Parts.equal(n_rows).bounds
    assert bounds[0][0] == 0
    assert bounds[-1][1] == n_rows
    assert all(before[1] == after[0] for before, after in pairwise(bounds))
    assert np.ptp([last - first for first, last in bounds]) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_rows_are_about_as_much_work_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    work = rng.integers(0, 2_000, size=1_000)
    stops = np.concatenate([[0], np.cumsum(work)])
    bounds = Parts.of_rows(stops).bounds
    assert len(bounds) == MOST_PARTS
    assert [first for first, _ in bounds] == [0, *(last for _, last in bounds[:-1])]
    assert bounds[-1][1] == 1_000
    shares = [stops[last] - stops[first] for first, last in bounds]
    assert max(shares) - min(shares) <= 2 * work.max()


def test_one_row_of_all_the_work_is_one_part_with_work() -> None:
    bounds = Parts.of_rows(np.array([0, 0, 10**6, 10**6])).bounds
    assert sum(last - first for first, last in bounds) == 3
    assert bounds[-1][1] == 3


def in_parts(n_threads: int) -> Parts:
    return Parts(Parts.equal(10**6).bounds, n_threads)


def test_threads_run_at_the_same_time_and_results_keep_their_order() -> None:
    parts = in_parts(2)
    both = threading.Barrier(2, timeout=30)

    def work(number: int, first: int, last: int) -> tuple[int, str]:
        if number in (0, 1):
            both.wait()
        return number, threading.current_thread().name

    with parts:
        results = parts.run(work)
    assert [number for number, _ in results] == list(range(len(parts)))
    assert results[0][1] != results[1][1]
    assert [number for number, _ in parts.run(lambda number, first, last: (number, 0))] == list(range(len(parts)))


def test_an_error_in_a_part_comes_out() -> None:
    def work(number: int, first: int, last: int) -> None:
        if number == 2:
            raise ValueError("part 2")

    with in_parts(3) as parts, pytest.raises(ValueError, match="part 2"):
        parts.run(work)


def test_sums_are_alike_for_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=10**6) * 10.0 ** rng.uniform(-9, 9, size=10**6)
    found = []
    for n_threads in (1, 2, 4):
        sums = np.array([1.0])
        with in_parts(n_threads) as parts:
            parts.add_up(lambda first, last, own: own.__iadd__(values[first:last].sum()), sums)
        found.append(sums.tobytes())
    assert len(set(found)) == 1


def test_the_environment_can_ask_for_fewer_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    most = n_usable()
    assert most >= 1
    for asked, expected in (("1", 1), ("0", most), ("", most), ("many", most), ("1000000", most)):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert n_usable() == expected


def test_a_fit_is_the_same_to_the_bit_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    # Enough votes, and over 600 items enough pairs, for several parts.
    n_votes = 5 * LEAST_SHARED
    for n_items in (60, 600):
        left = rng.integers(n_items, size=n_votes)
        right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
        votes = pv.Votes.from_codes(left, right, rng.integers(4, size=n_votes), n_items=n_items)
        assert n_items == 60 or votes.counts().n_pairs >= 2 * LEAST_SHARED
        found = []
        for n_threads in (1, 2, 3):
            monkeypatch.setenv("OMP_NUM_THREADS", str(n_threads))
            counts = votes.counts()
            scores = pv.bradley_terry(votes, position=True).scores
            found.append((counts.table.tobytes(), counts.right.tobytes(), scores.tobytes()))
        assert len(set(found)) == 1


def test_parts_change_no_count() -> None:
    rng = np.random.default_rng(2)
    left = rng.integers(700, size=30_000)
    right = (left + rng.integers(1, 700, size=30_000)) % 700
    weight = rng.gamma(1.0, size=30_000)
    votes = pv.Votes.from_codes(left, right, rng.integers(3, size=30_000), n_items=700, weight=weight)
    for crowded in (0.0, 100.0):
        whole = count_votes(votes, limits=CountingLimits(crowded=crowded))
        parts = count_votes(votes, limits=CountingLimits(crowded=crowded, least_shared=2_000))
        assert parts.table.tobytes() == whole.table.tobytes()
        assert parts.right.tobytes() == whole.right.tobytes()


@pytest.mark.parametrize("work", [0, 10**7])
def test_two_functions_run_at_once_where_there_is_work_enough(work: int) -> None:
    ran = []
    at_once(
        lambda: ran.append(("one", threading.get_ident())), lambda: ran.append(("other", threading.get_ident())), work
    )
    idents = dict(ran)
    assert set(idents) == {"one", "other"}
    assert idents["one"] == threading.get_ident()
    assert (idents["other"] != idents["one"]) == (work > 0 and n_usable() > 1)
