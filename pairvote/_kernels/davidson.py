# cython: language_level=3, cdivision=True
"""Derivatives of Davidson's log-likelihood over pairs, and Newton's steps up it for few items.

Pairs stand in compressed rows: row i holds entries start[i] to start[i + 1], `second` is the other item
of each, and `table` its weights of votes for the second item, ties and votes for the first.
`pairvote._inference.outcomes.davidson` derives what is computed here.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import exp, fabs, fmax, fmin, log1p, sqrt
else:
    from math import exp, fabs, log1p, sqrt

    fmax, fmin = max, min

COMPILED = cython.compiled


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _davidson(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    root_odds: cython.const[cython.double][::1],
    side_odds: cython.const[cython.double][::1],
    settings: cython.const[cython.double][::1],
    kept: cython.double[:, ::1],
    sums: cython.double[::1],
) -> cython.void:
    n_items: cython.Py_ssize_t = root_odds.shape[0]
    n_rows: cython.Py_ssize_t = start.shape[0] - 1
    tie: cython.double = settings[0]
    rooted: cython.bint = settings[1] == 1.0
    tie_weight: cython.double = settings[2]
    first_row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, settings[3])
    home: cython.double = side_odds[0]
    own_side: cython.bint = side_odds.shape[0] > 1
    crossed: cython.bint = kept.shape[0] > 1
    sloped: cython.bint = kept.shape[0] > 2
    # Bradley-Terry without sides, the common case, needs a third less arithmetic.
    plain: cython.bint = rooted and tie == 0.0 and home == 1.0 and not own_side and not crossed
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    j: cython.int
    own: cython.double
    own_weight: cython.double
    level: cython.double
    u: cython.double
    v: cython.double
    p_first: cython.double
    p_tie: cython.double
    p_second: cython.double
    scale: cython.double
    tied: cython.double
    decided: cython.double
    slope: cython.double
    weight: cython.double
    gradient_tie: cython.double = 0.0
    gradient_side: cython.double = 0.0
    information_tie: cython.double = 0.0
    information_side: cython.double = 0.0
    information_both: cython.double = 0.0
    for row in range(n_rows):
        i = first_row + row
        own = 0.0
        own_weight = 0.0
        level = root_odds[i]
        if plain:
            level = level * level
            for entry in range(start[row], start[row + 1]):
                j = second[entry]
                v = root_odds[j] * root_odds[j]
                scale = 1.0 / (level + v)
                p_first = level * scale
                p_second = v * scale
                tied = 0.5 * tie_weight * table[entry, 1]
                slope = (table[entry, 2] + tied) * p_second - (table[entry, 0] + tied) * p_first
                weight = (table[entry, 0] + table[entry, 2] + 2.0 * tied) * (p_first * p_second)
                own += slope
                own_weight += weight
                sums[j] -= slope
                sums[n_items + 5 + j] += weight
                kept[0, entry] = weight
            sums[i] += own
            sums[n_items + 5 + i] += own_weight
            gradient_side += own
            information_side += own_weight
            continue
        for entry in range(start[row], start[row + 1]):
            j = second[entry]
            if own_side:
                home = side_odds[entry]
            if rooted:
                u = level * home
                v = root_odds[j]
            else:
                scale = level - root_odds[j]
                u = home * (exp(0.5 * scale) if scale < 0.0 else 1.0)
                v = exp(-0.5 * scale) if scale > 0.0 else 1.0
            p_tie = tie * u * v
            u = u * u
            v = v * v
            scale = 1.0 / (u + v + p_tie)
            p_first = u * scale
            p_second = v * scale
            p_tie = p_tie * scale
            tied = tie_weight * table[entry, 1]
            decided = table[entry, 0] + table[entry, 2]
            slope = (
                table[entry, 2] * p_second
                - table[entry, 0] * p_first
                + 0.5 * (tied * (p_second - p_first) + p_tie * (table[entry, 2] - table[entry, 0]))
            )
            weight = (decided + tied) * (p_first * p_second + 0.25 * p_tie * (p_first + p_second))
            own += slope
            own_weight += weight
            sums[j] -= slope
            sums[n_items + 5 + j] += weight
            kept[0, entry] = weight
            gradient_side += slope
            if crossed:
                kept[1, entry] = 0.5 * (decided + tied) * p_tie * (p_second - p_first)
                gradient_tie += tied * (p_first + p_second) - decided * p_tie
                information_tie += (decided + tied) * p_tie * (p_first + p_second)
                information_both += kept[1, entry]
                if sloped:
                    kept[2, entry] = slope
        sums[i] += own
        sums[n_items + 5 + i] += own_weight
        information_side += own_weight
    sums[n_items] += gradient_tie
    sums[n_items + 1] += gradient_side
    sums[n_items + 2] += information_tie
    sums[n_items + 3] += information_side
    sums[n_items + 4] += information_both


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
    """Gradient and information of Davidson's model, entry by entry, over rows that may be some of all.

    root_odds (n_items): exp(score / 2) where settings[1] is 1, the scores themselves (any size) where it is 0.
    side_odds: exp(effect / 2) of what favours the first item beside the scores, one for each entry or one for all.
    settings: the tie parameter, that switch, what the weight of ties is multiplied by, and which row is the first.
    Without a tie parameter a tie pulls as half a win for each side.
    Fills in `kept`, as far as it has rows, the information d2/dd2 of each entry, d2/dd deta, and the gradient d/dd.
    Adds to `sums` (2 n_items + 5): the gradient by score, by log tie parameter and by an effect shared by all; the
    information of the log tie parameter, of that effect, and of both; and that of each score.
    """
    with cython.nogil:
        _davidson(start, second, table, root_odds, side_odds, settings, kept, sums)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _factor(matrix: cython.double[:, ::1]) -> cython.bint:
    """Cholesky: the upper triangle of `matrix` becomes U with U'U = matrix; False where it is singular to rounding."""
    size: cython.Py_ssize_t = matrix.shape[0]
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    pivot: cython.double
    whole: cython.double
    for k in range(size):
        pivot = matrix[k, k]
        whole = pivot
        for i in range(k):
            whole += matrix[i, k] * matrix[i, k]
        if not pivot > 1e-13 * whole:
            return False
        pivot = 1.0 / sqrt(pivot)
        for j in range(k, size):
            matrix[k, j] *= pivot
        for i in range(k + 1, size):
            pivot = matrix[k, i]
            for j in range(i, size):
                matrix[i, j] -= pivot * matrix[k, j]
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _solve_factored(
    matrix: cython.double[:, ::1], vector: cython.double[::1], offset: cython.Py_ssize_t, first: cython.Py_ssize_t
) -> cython.void:
    """Solve U'U x = v in place from entry `first` on, v the part of `vector` from `offset`, zero before `first`."""
    size: cython.Py_ssize_t = matrix.shape[0]
    k: cython.Py_ssize_t
    j: cython.Py_ssize_t
    value: cython.double
    for k in range(first, size):
        value = vector[offset + k] / matrix[k, k]
        vector[offset + k] = value
        for j in range(k + 1, size):
            vector[offset + j] -= value * matrix[k, j]
    for k in range(size - 1, first - 1, -1):
        value = vector[offset + k] / matrix[k, k]
        vector[offset + k] = value
        for j in range(first, k):
            vector[offset + j] -= value * matrix[j, k]


def invert_factored(matrix: cython.double[:, ::1], inverse: cython.double[::1]) -> None:
    """The inverse of U'U, U the upper triangle of `matrix`, row by row into `inverse`, which starts at zero."""
    size: cython.Py_ssize_t = matrix.shape[0]
    row: cython.Py_ssize_t
    k: cython.Py_ssize_t
    with cython.nogil:
        for row in range(size):
            inverse[row * size + row] = 1.0
            _solve_factored(matrix, inverse, row * size, row)
        for row in range(size):
            for k in range(row):
                inverse[row * size + k] = inverse[k * size + row]


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _scaled(gradient: cython.double, curvature: cython.double) -> cython.double:
    return fabs(gradient) / curvature if curvature > 0.0 else fabs(gradient)


def newton_steps(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    parameters: cython.double[::1],
    options: cython.const[cython.double][::1],
    matrix: cython.double[:, ::1],
    scratch: cython.double[:, ::1],
    sums: cython.double[::1],
) -> int:
    """Full Newton steps on Davidson's model for few items, as long as they are safe; return how many.

    parameters (size): where to begin, scores of mean zero; left at the maximum, or at the last safe point.
    options: the tolerance, the most steps, whether there is a tie parameter, whether there is a position effect, what
    the weight of ties is multiplied by, whether all scores have one prior; then the prior's precision of each
    parameter (size), and its centre (size).
    matrix (size, size): left at the information's upper factor. scratch (2, n_pairs). sums (2 n_items + 5 + n_items
    + size + 5).
    A negative number, -1 less the steps taken, says that the next step needs a line search, or that the
    information is not positive definite, or a score is out of bounds, or that rounding keeps gradients from vanishing.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    size: cython.Py_ssize_t = parameters.shape[0]
    tied: cython.bint = options[2] == 1.0
    sided: cython.bint = options[3] == 1.0
    common: cython.bint = options[5] == 1.0
    precisions: cython.const[cython.double][::1] = options[6 : 6 + size]
    centres: cython.const[cython.double][::1] = options[6 + size : 6 + 2 * size]
    tail: cython.Py_ssize_t = n_items
    side: cython.Py_ssize_t = size - 1
    kept: cython.double[:, ::1] = scratch[: 2 if tied else 1]
    sloping: cython.double[::1] = sums[: 2 * n_items + 5]
    root_odds: cython.double[::1] = sums[2 * n_items + 5 : 3 * n_items + 5]
    side_odds: cython.double[::1] = sums[3 * n_items + 5 : 3 * n_items + 6]
    settings: cython.double[::1] = sums[3 * n_items + 6 : 3 * n_items + 10]
    step: cython.double[::1] = sums[3 * n_items + 10 :]
    n_steps: cython.int = 0
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    error: cython.double = 0.0
    before: cython.double
    along: cython.double
    highest: cython.double
    lowest: cython.double
    reach: cython.double = 0.0
    anchor: cython.double
    safe: cython.bint
    with cython.nogil:
        while True:
            safe = True
            for i in range(n_items):
                if not fabs(parameters[i]) < 300.0:
                    safe = False
                root_odds[i] = exp(0.5 * parameters[i]) if safe else 1.0
            if tied and not fabs(parameters[tail]) < 100.0:
                safe = False
            if sided and not fabs(parameters[side]) < 100.0:
                safe = False
            settings[0] = exp(parameters[tail]) if tied and safe else 0.0
            side_odds[0] = exp(0.5 * parameters[side]) if sided and safe else 1.0
            settings[1] = 1.0
            settings[2] = options[4]
            settings[3] = 0.0
            for i in range(2 * n_items + 5):
                sloping[i] = 0.0
            _davidson(start, second, table, root_odds, side_odds, settings, kept, sloping)
            before = error
            error = 0.0
            along = 0.0
            for i in range(n_items):
                sloping[i] -= precisions[i] * (parameters[i] - centres[i])
                sloping[n_items + 5 + i] += precisions[i]
                along += sloping[i] * step[i]
                error = fmax(error, _scaled(sloping[i], sloping[n_items + 5 + i]))
            if tied:
                sloping[n_items] -= precisions[tail] * (parameters[tail] - centres[tail])
                sloping[n_items + 2] += precisions[tail]
                along += sloping[n_items] * step[tail]
                error = fmax(error, _scaled(sloping[n_items], sloping[n_items + 2]))
            if sided:
                sloping[n_items + 1] -= precisions[side] * (parameters[side] - centres[side])
                sloping[n_items + 3] += precisions[side]
                along += sloping[n_items + 1] * step[side]
                error = fmax(error, _scaled(sloping[n_items + 1], sloping[n_items + 3]))
            if not safe or (reach > 1.0 and not along >= 0.0):
                # Without a step to take back, `step` is still zero.
                for i in range(size):
                    parameters[i] -= step[i]
                n_steps = -n_steps if n_steps > 0 else -1
                break
            # After a short step an error that has not fallen is rounding, which the caller may tell.
            if error > options[0] and (
                n_steps >= options[1] or (n_steps > 0 and reach < 0.01 and error > 0.5 * before)
            ):
                n_steps = -1 - n_steps
                break
            for i in range(size):
                for j in range(i, size):
                    matrix[i, j] = 0.0
            for i in range(n_items):
                matrix[i, i] = sloping[n_items + 5 + i]
                for entry in range(start[i], start[i + 1]):
                    j = second[entry]
                    if i < j:
                        matrix[i, j] -= kept[0, entry]
                    else:
                        matrix[j, i] -= kept[0, entry]
                    if tied:
                        matrix[i, tail] += kept[1, entry]
                        matrix[j, tail] -= kept[1, entry]
                    if sided:
                        matrix[i, side] += kept[0, entry]
                        matrix[j, side] -= kept[0, entry]
            # A constant on all scores' entries fixes their mean, which the votes leave open and a prior says little of.
            # It changes no step if all have one prior: then the direction of all ones is an eigenvector.
            anchor = 0.0
            for i in range(n_items if common else 0):
                anchor += matrix[i, i] / n_items / n_items
            for i in range(n_items if common else 0):
                for j in range(i, n_items):
                    matrix[i, j] += anchor
            if tied:
                matrix[tail, tail] = sloping[n_items + 2]
            if sided:
                matrix[side, side] = sloping[n_items + 3]
            if tied and sided:
                matrix[tail, side] = sloping[n_items + 4]
            if not _factor(matrix):
                n_steps = -1 - n_steps
                break
            for i in range(n_items):
                step[i] = sloping[i]
            if tied:
                step[tail] = sloping[n_items]
            if sided:
                step[side] = sloping[n_items + 1]
            _solve_factored(matrix, step, 0, 0)
            for i in range(size):
                parameters[i] += step[i]
            highest = step[0]
            lowest = step[0]
            for i in range(n_items):
                highest = fmax(highest, step[i])
                lowest = fmin(lowest, step[i])
            reach = highest - lowest
            for i in range(n_items, size):
                reach += fabs(step[i])
            # The factor was needed anyway, so the last step cost next to nothing, and squared the error. It must be
            # short: where few votes join large groups, scores may be much further off than gradients say.
            if error <= options[0] and (reach <= 1e3 * options[0] or n_steps >= options[1]):
                break
            n_steps += 1
    return n_steps


def log_likelihood(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    scores: cython.const[cython.double][::1],
    effects: cython.const[cython.double][::1],
    tie: cython.double,
    log_tie: cython.double,
    tie_weight: cython.double,
) -> float:
    """The log-likelihood of Davidson's model; without a tie parameter a tie is half a win for each side.

    effects: what favours the first item beside the scores, one for each entry or one for all.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    i: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    d: cython.double
    half: cython.double
    own: cython.double
    own_effects: cython.bint = effects.shape[0] > 1
    total: cython.double = 0.0
    with cython.nogil:
        for i in range(n_items):
            own = 0.0
            for entry in range(start[i], start[i + 1]):
                d = scores[i] - scores[second[entry]] + effects[entry if own_effects else 0]
                half = 0.5 * fabs(d)
                own -= (table[entry, 0] + tie_weight * table[entry, 1] + table[entry, 2]) * log1p(
                    exp(-2.0 * half) + tie * exp(-half)
                )
                if d > 0.0:
                    own -= table[entry, 0] * d
                else:
                    own += table[entry, 2] * d
                own += tie_weight * table[entry, 1] * (log_tie - half)
            total += own
    return total
