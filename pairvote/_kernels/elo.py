# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The Elo recursion: votes one after another, in their order."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import copysign, exp, fabs

    EXP_TABLE = cython.declare(cython.double[1281])
else:
    from math import copysign, exp, fabs

    EXP_TABLE = [0.0] * 1281

COMPILED = cython.compiled


def _fill_table() -> None:
    """Tabulate exp(-t) at t = 0, 1/32, ..., 40."""
    step: cython.int
    for step in range(1281):
        EXP_TABLE[step] = exp(-step / 32.0)


_fill_table()


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _expected_score(log_odds: cython.double) -> cython.double:
    """1 / (1 + exp(-log_odds)), without overflow and without a branch to mispredict.

    exp(-t) is its tabulated value at the nearest 1/32, times the Taylor series of the rest (at most
    1/64 in size); past 40 the score is 0 or 1 to the last bit. Faster than the C library's exp(),
    and the same on every platform.
    """
    t: cython.double = fabs(log_odds)
    if not t < 40.0:
        return 1.0 if log_odds > 0.0 else 0.0
    step: cython.int = cython.cast(cython.int, t * 32.0 + 0.5)
    r: cython.double = step * 0.03125 - t
    rr: cython.double = r * r
    series: cython.double = (1.0 + r) + rr * (
        (0.5 + r * (1.0 / 6.0)) + rr * ((1.0 / 24.0 + r * (1.0 / 120.0)) + rr * (1.0 / 720.0))
    )
    smaller: cython.double = EXP_TABLE[step] * series
    return 0.5 + copysign(0.5 * (1.0 - smaller) / (1.0 + smaller), log_odds)


def expected_score(log_odds: cython.double) -> float:
    """P(left is picked) at a difference of `log_odds`, as `record_votes` computes it."""
    return _expected_score(log_odds)


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

    r_left += k w (outcome / 2 - 1 / (1 + exp(-slope (r_left - r_right)))), and as much off r_right.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    i: cython.int
    j: cython.int
    gain: cython.double
    with cython.nogil:
        for row in range(n_votes):
            if outcome[row] == 3:
                continue
            i = left[row]
            j = right[row]
            gain = k * (0.5 * outcome[row] - _expected_score(slope * (ratings[i] - ratings[j])))
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
    gain: cython.double = k * (0.5 * outcome - _expected_score(slope * (ratings[left] - ratings[right])))
    gain = gain * weight
    ratings[left] += gain
    ratings[right] -= gain
