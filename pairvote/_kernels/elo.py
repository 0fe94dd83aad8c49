# cython: language_level=3, cdivision=True
"""The Elo recursion: votes one after another, in their order."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import fabs, tanh

    TANH_TABLE = cython.declare(cython.double[2561])
else:
    from math import fabs, tanh

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
