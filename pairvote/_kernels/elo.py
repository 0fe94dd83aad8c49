# cython: language_level=3, cdivision=True
"""The Elo recursion: votes one after another, in their order."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import exp2, fabs, tanh

    TANH_TABLE = cython.declare(cython.double[2561])
else:
    from math import exp2, fabs, tanh

    TANH_TABLE = [0.0] * 2561

COMPILED = cython.compiled


def _fill_table() -> None:
    """Tabulate tanh(t / 2) at t = -40, -40 + 1/32, ..., 40, odd to the bit."""
    step: cython.int
    for step in range(1281):
        TANH_TABLE[1280 + step] = tanh(step / 64.0)
        TANH_TABLE[1280 - step] = -tanh(step / 64.0)


_fill_table()


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _expected_lead(log_odds: cython.double) -> cython.double:
    """P(win) - P(loss) = tanh(log_odds / 2), an odd function to the bit, without a branch to mispredict.

    The nearest a = n/32 is found by adding 1.5 x 2^52, which rounds to whole numbers and halves to even. With r what
    is left, at most 1/64, tanh((a + r) / 2) = (A + R) / (1 + A R): A from the table, R = tanh(r / 2) by its series
    r/2 - r^3/24 + r^5/240, which is short of it by less than 1e-16. Past 40 the lead is 1 to the last bit.
    """
    if not fabs(log_odds) < 40.0:
        return 1.0 if log_odds > 0.0 else -1.0
    step: cython.double = (log_odds * 32.0 + 6755399441055744.0) - 6755399441055744.0
    r: cython.double = log_odds - step * 0.03125
    rr: cython.double = r * r
    rest: cython.double = r * (0.5 - rr * (1.0 / 24.0 - rr * (1.0 / 240.0)))
    near: cython.double = TANH_TABLE[cython.cast(cython.int, step) + 1280]
    return (near + rest) / (1.0 + near * rest)


def expected_score(log_odds: cython.double) -> float:
    """P(left is picked) at a difference of `log_odds`, as `record_votes` computes it."""
    return 0.5 + 0.5 * _expected_lead(log_odds)


def record_votes(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    ratings: cython.double[::1],
    k: cython.double,
    slope: cython.double,
) -> None:
    """Add every vote to `ratings` in place; `weight` is empty where every vote weighs one.

    r_left += k w (outcome / 2 - 1 / (1 + exp(-slope (r_left - r_right)))), and as much off r_right. Twice the
    bracket is outcome - 1, the lead, less the expected one.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    i: cython.int
    j: cython.int
    gain: cython.double
    half_k: cython.double = 0.5 * k
    with cython.nogil:
        for row in range(n_votes):
            if outcome[row] == 3:
                continue
            i = left[row]
            j = right[row]
            gain = half_k * ((outcome[row] - 1) - _expected_lead(slope * (ratings[i] - ratings[j])))
            if weighted:
                gain = gain * weight[row]
            ratings[i] += gain
            ratings[j] -= gain


def record_leads(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    lead: cython.const[cython.double][::1],
    weight: cython.const[cython.double][::1],
    ratings: cython.double[::1],
    k: cython.double,
    slope: cython.double,
) -> None:
    """Add graded votes to `ratings` in place, to the same bits as `record_votes` adds whole ones.

    lead: twice the left side's share less one, and nan for a skip.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    i: cython.int
    j: cython.int
    gain: cython.double
    half_k: cython.double = 0.5 * k
    with cython.nogil:
        for row in range(n_votes):
            if lead[row] != lead[row]:
                continue
            i = left[row]
            j = right[row]
            gain = half_k * (lead[row] - _expected_lead(slope * (ratings[i] - ratings[j])))
            if weighted:
                gain = gain * weight[row]
            ratings[i] += gain
            ratings[j] -= gain


def record_vote(
    ratings: cython.double[::1],
    left: cython.int,
    right: cython.int,
    outcome: cython.int,
    weight: cython.double,
    k: cython.double,
    slope: cython.double,
) -> None:
    """Add one vote to `ratings` in place, to the same bits as `record_votes` would."""
    if outcome == 3:
        return
    gain: cython.double = 0.5 * k * ((outcome - 1) - _expected_lead(slope * (ratings[left] - ratings[right])))
    gain = gain * weight
    ratings[left] += gain
    ratings[right] -= gain


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _faded(rating: cython.double, start: cython.double, gap: cython.double, half_life: cython.double) -> cython.double:
    """A rating after `gap`: what it is away from its start halves in every half-life; never where that is 0."""
    if half_life == 0.0:
        return rating
    return start + (rating - start) * exp2(-gap / half_life)


def record_rows(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    rows: cython.const[cython.double][:, ::1],
    ratings: cython.double[::1],
    table: cython.double[:, ::1],
    k_of_games: cython.const[cython.double][::1],
    history: cython.double[:, ::1],
    rule: cython.const[cython.double][::1],
) -> None:
    """Add votes to `ratings` in place where items differ in k, ratings fade, or the course is wanted.

    With one k and no half-life, to the same bits as `record_votes`.

    rows : of each vote the lead (twice the left side's share less one, nan for a skip), the weight and the time
    table : of each item its start, its k, the time of its last vote (-inf before the first) and its votes so far
    k_of_games : k by the votes so far, in place of the table's where it is not empty; the last for all after it
    history : of each vote the ratings of left and right before it and after it; empty where nobody asks
    rule : log-odds of a rating point, and half-life, 0 for none
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    last_k: cython.Py_ssize_t = k_of_games.shape[0] - 1
    kept: cython.bint = history.shape[0] > 0
    slope: cython.double = rule[0]
    half_life: cython.double = rule[1]
    row: cython.Py_ssize_t
    i: cython.int
    j: cython.int
    surprise: cython.double
    here: cython.double
    there: cython.double
    k_here: cython.double
    k_there: cython.double
    with cython.nogil:
        for row in range(n_votes):
            i = left[row]
            j = right[row]
            here = _faded(ratings[i], table[i, 0], rows[row, 2] - table[i, 2], half_life)
            there = _faded(ratings[j], table[j, 0], rows[row, 2] - table[j, 2], half_life)
            if kept:
                history[row, 0] = history[row, 2] = here
                history[row, 1] = history[row, 3] = there
            if rows[row, 0] != rows[row, 0] or rows[row, 1] == 0.0:
                continue
            k_here = table[i, 1]
            k_there = table[j, 1]
            if last_k >= 0:
                k_here = k_of_games[min(cython.cast(cython.Py_ssize_t, table[i, 3]), last_k)]
                k_there = k_of_games[min(cython.cast(cython.Py_ssize_t, table[j, 3]), last_k)]
            surprise = rows[row, 0] - _expected_lead(slope * (here - there))
            here = here + 0.5 * k_here * surprise * rows[row, 1]
            there = there - 0.5 * k_there * surprise * rows[row, 1]
            ratings[i] = here
            ratings[j] = there
            table[i, 2] = table[j, 2] = rows[row, 2]
            table[i, 3] += 1.0
            table[j, 3] += 1.0
            if kept:
                history[row, 2] = here
                history[row, 3] = there


def fade(
    ratings: cython.const[cython.double][::1],
    table: cython.const[cython.double][:, ::1],
    now: cython.double,
    half_life: cython.double,
    present: cython.double[::1],
) -> None:
    """Put into `present` what the ratings are now, by the table of `record_rows`."""
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(ratings.shape[0]):
            present[i] = ratings[i]
            if table[i, 2] < now:
                present[i] = _faded(ratings[i], table[i, 0], now - table[i, 2], half_life)
