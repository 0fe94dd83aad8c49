# cython: language_level=3, cdivision=True
"""The middle of the sandwich: the squares of single votes' gradients.

Pairs stand in compressed rows, as for `davidson`.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import exp, fabs
else:
    from math import exp, fabs

COMPILED = cython.compiled


def sum_squares(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    scores: cython.const[cython.double][::1],
    effects: cython.const[cython.double][::1],
    settings: cython.const[cython.double][::1],
    kept: cython.double[:, ::1],
) -> float:
    """The sums over votes of the squares of each vote's own gradient, entry by entry.

    effects: what favours the first item beside the scores, one for each entry or one for all. settings: the tie
    parameter, what the weight of ties is multiplied by, and which row is the first. Fills `kept`, as far as it has
    rows, with the squares of the gradient by d and its products with that by the log tie parameter, whose squares' sum
    is returned.
    """
    n_rows: cython.Py_ssize_t = start.shape[0] - 1
    tie: cython.double = settings[0]
    tie_weight: cython.double = settings[1]
    first_row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, settings[2])
    own_effects: cython.bint = effects.shape[0] > 1
    crossed: cython.bint = kept.shape[0] > 1
    row: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    here: cython.double
    d: cython.double
    away: cython.double
    p_tie: cython.double
    ahead: cython.double
    behind: cython.double
    won: cython.double
    lost: cython.double
    level: cython.double
    tied: cython.double
    decided: cython.double
    total: cython.double = 0.0
    with cython.nogil:
        for row in range(n_rows):
            here = scores[first_row + row]
            for entry in range(start[row], start[row + 1]):
                d = here - scores[second[entry]] + effects[entry if own_effects else 0]
                away = exp(-0.5 * fabs(d))
                p_tie = tie * away
                away = away * away
                ahead = 1.0 / (1.0 + away + p_tie)
                behind = away * ahead
                p_tie = p_tie * ahead
                if d < 0.0:
                    away = ahead
                    ahead = behind
                    behind = away
                # What a vote won, lost and tied by the first item says of d.
                won = behind + 0.5 * p_tie
                lost = ahead + 0.5 * p_tie
                level = 0.5 * (behind - ahead)
                tied = tie_weight * table[entry, 1]
                decided = table[entry, 0] + table[entry, 2]
                kept[0, entry] = table[entry, 2] * won * won + table[entry, 0] * lost * lost + tied * level * level
                if not crossed:
                    continue
                kept[1, entry] = p_tie * (table[entry, 0] * lost - table[entry, 2] * won) + tied * level * (1.0 - p_tie)
                total += decided * p_tie * p_tie + tied * (1.0 - p_tie) * (1.0 - p_tie)
    return total
