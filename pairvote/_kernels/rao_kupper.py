# cython: language_level=3, cdivision=True
"""Derivatives of Rao and Kupper's log-likelihood over pairs; `pairvote._inference.outcomes.rao_kupper` derives them.

Pairs stand in compressed rows: row i holds entries start[i] to start[i + 1], `second` is the other item
of each, and `table` its weights of votes for the second item, ties and votes for the first.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import exp, fabs, log1p
else:
    from math import exp, fabs, log1p

COMPILED = cython.compiled


def slopes(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    root_odds: cython.const[cython.double][::1],
    side_odds: cython.const[cython.double][::1],
    settings: cython.const[cython.double][::1],
    kept: cython.double[:, ::1],
    sums: cython.double[::1],
) -> None:
    """As `slopes` of Davidson's model, with settings[0] the threshold's theta = exp(tau).

    The terms in tau alone, sum of ties x log(theta^2 - 1), are left to the caller.
    """
    n_items: cython.Py_ssize_t = root_odds.shape[0]
    n_rows: cython.Py_ssize_t = start.shape[0] - 1
    theta: cython.double = settings[0]
    rooted: cython.bint = settings[1] == 1.0
    first_row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, settings[3])
    home: cython.double = side_odds[0]
    own_side: cython.bint = side_odds.shape[0] > 1
    sloped: cython.bint = kept.shape[0] > 2
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    j: cython.int
    own: cython.double
    own_weight: cython.double
    level: cython.double
    u: cython.double
    v: cython.double
    gap: cython.double
    lost_first: cython.double
    lost_second: cython.double
    pull_first: cython.double
    pull_second: cython.double
    curvature_first: cython.double
    curvature_second: cython.double
    gradient_tie: cython.double = 0.0
    gradient_side: cython.double = 0.0
    information_side: cython.double = 0.0
    information_both: cython.double = 0.0
    with cython.nogil:
        for row in range(n_rows):
            i = first_row + row
            own = 0.0
            own_weight = 0.0
            level = root_odds[i]
            for entry in range(start[row], start[row + 1]):
                j = second[entry]
                if own_side:
                    home = side_odds[entry]
                if rooted:
                    u = level * home
                    v = root_odds[j]
                else:
                    gap = level - root_odds[j]
                    u = home * (exp(0.5 * gap) if gap < 0.0 else 1.0)
                    v = exp(-0.5 * gap) if gap > 0.0 else 1.0
                u = u * u
                v = v * v
                lost_first = theta * v / (u + theta * v)
                lost_second = theta * u / (v + theta * u)
                pull_first = (table[entry, 2] + table[entry, 1]) * lost_first
                pull_second = (table[entry, 0] + table[entry, 1]) * lost_second
                curvature_first = pull_first * u / (u + theta * v)
                curvature_second = pull_second * v / (v + theta * u)
                own += pull_first - pull_second
                sums[j] -= pull_first - pull_second
                kept[0, entry] = curvature_first + curvature_second
                kept[1, entry] = curvature_second - curvature_first
                if sloped:
                    kept[2, entry] = pull_first - pull_second
                gradient_tie -= pull_first + pull_second
                gradient_side += pull_first - pull_second
                own_weight += kept[0, entry]
                sums[n_items + 5 + j] += kept[0, entry]
                information_both += curvature_second - curvature_first
            sums[i] += own
            sums[n_items + 5 + i] += own_weight
            information_side += own_weight
        sums[n_items] += gradient_tie
        sums[n_items + 1] += gradient_side
        sums[n_items + 2] += information_side
        sums[n_items + 3] += information_side
        sums[n_items + 4] += information_both


def log_likelihood(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    scores: cython.const[cython.double][::1],
    effects: cython.const[cython.double][::1],
    tau: cython.double,
) -> float:
    """The log-likelihood of Rao and Kupper's model, less the sum of ties x log(exp(2 tau) - 1).

    effects: as for Davidson's model.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    i: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    d: cython.double
    own: cython.double
    own_effects: cython.bint = effects.shape[0] > 1
    total: cython.double = 0.0
    with cython.nogil:
        for i in range(n_items):
            own = 0.0
            for entry in range(start[i], start[i + 1]):
                d = scores[i] - scores[second[entry]] + effects[entry if own_effects else 0] - tau
                own += (table[entry, 2] + table[entry, 1]) * ((d if d < 0.0 else 0.0) - log1p(exp(-fabs(d))))
                d = -d - 2.0 * tau
                own += (table[entry, 0] + table[entry, 1]) * ((d if d < 0.0 else 0.0) - log1p(exp(-fabs(d))))
            total += own
    return total
