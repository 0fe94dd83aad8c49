# cython: language_level=3, cdivision=True
"""Glicko-2: ratings, their deviations and volatilities, one rating period after another."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import exp, fabs, log, sqrt
else:
    from math import exp, fabs, log, sqrt

COMPILED = cython.compiled


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _damping(deviation: cython.double) -> cython.double:
    """Glickman's g(phi) = 1 / sqrt(1 + 3 phi^2 / pi^2)."""
    return 1.0 / sqrt(1.0 + 0.3039635509270133 * deviation * deviation)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _chance(log_odds: cython.double) -> cython.double:
    """1 / (1 + exp(-x)), which overflows at neither end."""
    small: cython.double = exp(-fabs(log_odds))
    return 1.0 / (1.0 + small) if log_odds >= 0.0 else small / (1.0 + small)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _slope_at(
    x: cython.double, a: cython.double, excess: cython.double, variance: cython.double, tau: cython.double
) -> cython.double:
    """The f(x) of step 5; excess = delta^2 - phi^2 - v and variance = phi^2 + v, of which exp(x) is a part."""
    grown: cython.double = exp(x)
    whole: cython.double = variance + grown
    return 0.5 * grown * (excess - grown) / (whole * whole) - (x - a) / (tau * tau)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _volatility(
    sigma: cython.double, delta: cython.double, phi: cython.double, v: cython.double, tau: cython.double
) -> cython.double:
    """The new volatility by step 5: the root of f in x = log sigma^2, by the Illinois algorithm.

    Where delta^2 <= phi^2 + v, f falls all the way, and what it has beside -(x - a) / tau^2 is negative and falls too:
    so its root is between a + tau^2 f(a) and a; a little more allows for rounding. Elsewhere the bracket is Glickman's.
    """
    a: cython.double = 2.0 * log(sigma)
    variance: cython.double = phi * phi + v
    excess: cython.double = delta * delta - variance
    low: cython.double = a
    at_low: cython.double = _slope_at(low, a, excess, variance, tau)
    high: cython.double = log(excess) if excess > 0.0 else a + 1.01 * tau * tau * at_low
    at_high: cython.double = _slope_at(high, a, excess, variance, tau)
    steps: cython.int = 0
    middle: cython.double
    at_middle: cython.double
    while fabs(high - low) > 1e-10 and at_high != at_low and steps < 200:
        steps += 1
        middle = low + (low - high) * at_low / (at_high - at_low)
        at_middle = _slope_at(middle, a, excess, variance, tau)
        if at_middle * at_high <= 0.0:
            low = high
            at_low = at_high
        else:
            at_low = 0.5 * at_low
        high = middle
        at_high = at_middle
    return exp(0.5 * low)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _deviation_in(
    table: cython.double[:, ::1], i: cython.Py_ssize_t, period: cython.double, grows: cython.double
) -> cython.double:
    """An item's deviation at the beginning of a period, after those that it was idle in (step 6)."""
    if table[i, 3] != 0.0 or grows == 0.0 or table[i, 6] < 0.0:
        return table[i, 1]
    return sqrt(table[i, 1] * table[i, 1] + (period - table[i, 6] - 1.0) * table[i, 2] * table[i, 2])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _begin(
    table: cython.double[:, ::1], i: cython.Py_ssize_t, period: cython.double, grows: cython.double
) -> cython.void:
    """Open an item's period."""
    if table[i, 3] == 0.0:
        table[i, 1] = _deviation_in(table, i, period, grows)
        table[i, 3] = 1.0
        table[i, 4] = table[i, 5] = 0.0
        table[i, 6] = period


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _end(table: cython.double[:, ::1], i: cython.Py_ssize_t, tau: cython.double) -> cython.void:
    """Steps 3 to 7 for an item whose votes of the period are added up."""
    if table[i, 3] == 0.0:
        return
    table[i, 3] = 0.0
    phi: cython.double = table[i, 1]
    v: cython.double
    if table[i, 4] > 0.0:
        v = 1.0 / table[i, 4]
        table[i, 2] = _volatility(table[i, 2], v * table[i, 5], phi, v, tau)
    # The inverse of 1 / (phi^2 + sigma^2) + 1 / v.
    spread: cython.double = phi * phi + table[i, 2] * table[i, 2]
    spread = spread / (1.0 + spread * table[i, 4])
    table[i, 1] = sqrt(spread)
    table[i, 0] += spread * table[i, 5]


def rate_periods(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    score: cython.const[cython.double][::1],
    weight: cython.const[cython.double][::1],
    period: cython.const[cython.double][::1],
    table: cython.double[:, ::1],
    history: cython.double[:, ::1],
    rule: cython.const[cython.double][::1],
) -> None:
    """Rate votes in place, period by period.

    score : of each vote the left side's share, nan for a vote that does not count
    period : of each vote, a whole number from 0; never falling
    table : of each item mu, phi, sigma, whether its period is open, the sum of g^2 E (1 - E), the sum of g (s - E),
        and the period of its last vote, -1 before the first
    history : of each vote mu of left and right and phi of left and right before the period, and mu of both after it;
        empty where nobody asks
    rule : tau, and 1 if deviations grow in periods without votes, 0 if not
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    kept: cython.bint = history.shape[0] > 0
    tau: cython.double = rule[0]
    grows: cython.double = rule[1]
    begin: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    row: cython.Py_ssize_t
    i: cython.int
    j: cython.int
    _side: cython.int
    damping: cython.double
    chance: cython.double
    share: cython.double
    with cython.nogil:
        while begin < n_votes:
            end = begin
            while end < n_votes and period[end] == period[begin]:
                if score[end] == score[end]:
                    _begin(table, left[end], period[end], grows)
                    _begin(table, right[end], period[end], grows)
                end += 1
            for row in range(begin, end):
                i = left[row]
                j = right[row]
                if kept:
                    history[row, 0] = table[i, 0]
                    history[row, 1] = table[j, 0]
                    history[row, 2] = _deviation_in(table, i, period[row], grows)
                    history[row, 3] = _deviation_in(table, j, period[row], grows)
                share = score[row]
                if score[row] != score[row]:
                    continue
                for _side in range(2):
                    damping = _damping(table[j, 1])
                    chance = _chance(damping * (table[i, 0] - table[j, 0]))
                    table[i, 4] += weight[row] * damping * damping * chance * (1.0 - chance)
                    table[i, 5] += weight[row] * damping * (share - chance)
                    i = right[row]
                    j = left[row]
                    share = 1.0 - share
            for row in range(begin, end):
                _end(table, left[row], tau)
                _end(table, right[row], tau)
            if kept:
                for row in range(begin, end):
                    history[row, 4] = table[left[row], 0]
                    history[row, 5] = table[right[row], 0]
            begin = end
