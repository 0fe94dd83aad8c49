# cython: language_level=3, cdivision=True
"""Draws from the posterior of scores whose prior is a mixture of three normals of unknown places, widths and shares.

The model, and why these moves, stand in `pairvote._inference.learned`, which lays out the arrays:

start (n_items + 1), entries (2, n_entries): the rows of each item; of each entry the other item, and twice its row
plus 1 if the item stands on the right there. ends (2, n_rows): the left and the right item of each row; (4, n_rows)
where answers are in order: then the lower and the upper cut of the row's answer, k for the effect k - 1, -k for its
negative, 0 for 0, and without one beyond n_effects. amounts (1 + n_effects, n_rows): the weight of votes, and what each
effect adds to the log-odds of the left side.
lines (n_lines + 2 n_items, size), size = n_items + n_effects + 1: directions of moves of scores, effects and log tie
parameter; then the axes of the normal likelihood, as columns and again as rows.
state: the parameters (size); what multiplies each in the log-likelihood (size); information and pull, along each axis,
of a normal likelihood much like the votes' (2 n_items); the centres of the priors beside the scores (n_effects + 1) and
their precision (its square); eleven numbers of the prior (scale, places, widths, shares, and the origin of places less
that of the scores); the component of each item (n_items), 3 for one whose score stays 0; four options (whether there
is a tie parameter, the weight of ties that the last effect stretches, the precision of the scores' mean, and of answers
in order their link: 1 for the logistic, 2 for the probit, its unit that of log-odds at level scores); and scratch.
randoms: for all sweeps 4 n_items + 38 + n_lines normals each, then n_items + 13 + n_lines exponentials, then n_items
uniforms. draws (n_sweeps + 2, size + 11): the parameters, scores of mean zero, and the prior's numbers, the origin less
these scores', after each sweep; the last two rows are scratch.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import erfc, exp, expm1, fabs, fmax, log, log1p, sqrt
else:
    from math import erfc, exp, expm1, fabs, log, log1p, sqrt

    fmax = max

COMPILED = cython.compiled


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _visit_items(
    start: cython.const[cython.longlong][::1],
    entries: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    parameters: cython.double[::1],
    points: cython.double[::1],
    prior: cython.double[::1],
    component: cython.double[::1],
    root: cython.double[::1],
    tilt: cython.double[::1],
    kept: cython.double[::1],
    options: cython.double[::1],
    normals: cython.const[cython.double][::1],
    exponentials: cython.const[cython.double][::1],
) -> cython.int:
    """A Newton proposal for each score in turn, given its component; how many were taken.

    The log-likelihood is the sum of points times scores less the votes' log(x^2 + y^2 + nu x y), x and y the roots of
    the odds of the two. options: the tie parameter, the precision of the mean, and the sum of the scores, kept up.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    tilted: cython.bint = tilt.shape[0] > 1
    tie: cython.double = options[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    row: cython.Py_ssize_t
    taken: cython.int = 0
    votes: cython.double
    own: cython.double
    x: cython.double
    y: cython.double
    total: cython.double
    p_win: cython.double
    p_tie: cython.double
    expected: cython.double
    gradient: cython.double
    curvature: cython.double
    centre: cython.double
    precision: cython.double
    slope: cython.double
    ridge: cython.double
    ahead: cython.double
    value: cython.double
    product: cython.double
    flat: cython.double
    for i in range(n_items):
        k = cython.cast(cython.Py_ssize_t, component[i])
        if k > 2:
            continue
        centre = prior[0] * prior[1 + k] - prior[10]
        precision = 1.0 / (prior[0] * prior[4 + k])
        precision = precision * precision
        slope = points[i] - precision * (parameters[i] - centre) - options[1] * options[2] / n_items / n_items
        ridge = precision + options[1] / n_items / n_items
        own = root[i]
        gradient = slope
        curvature = ridge
        for entry in range(start[i], start[i + 1]):
            row = entries[1, entry] >> 1
            votes = amounts[0, row]
            x = own
            y = root[entries[0, entry]]
            if tilted:
                if entries[1, entry] & 1:
                    y *= tilt[row]
                else:
                    x *= tilt[row]
            total = 1.0 / (x * x + y * y + tie * x * y)
            kept[entry - start[i]] = total
            p_win = x * x * total
            p_tie = tie * x * y * total
            expected = p_win + 0.5 * p_tie
            gradient -= votes * expected
            curvature += votes * (p_win + 0.25 * p_tie - expected * expected)
        ahead = gradient / curvature + normals[i] / sqrt(curvature)
        if not fabs(parameters[i] + ahead) < 300.0:
            continue
        own = exp(0.5 * (parameters[i] + ahead))
        value = ahead * (slope - 0.5 * ridge * ahead) + 0.5 * normals[i] * normals[i]
        flat = curvature
        product = 1.0
        gradient = slope - ridge * ahead
        curvature = ridge
        for entry in range(start[i], start[i + 1]):
            row = entries[1, entry] >> 1
            votes = amounts[0, row]
            x = own
            y = root[entries[0, entry]]
            if tilted:
                if entries[1, entry] & 1:
                    y *= tilt[row]
                else:
                    x *= tilt[row]
            total = x * x + y * y + tie * x * y
            slope = _power(total * kept[entry - start[i]], votes)
            if slope > 0.0:
                product *= slope
                if not 1e-100 < product < 1e100:
                    value -= log(product)
                    product = 1.0
            else:
                value -= votes * log(total * kept[entry - start[i]])
            total = 1.0 / total
            p_win = x * x * total
            p_tie = tie * x * y * total
            expected = p_win + 0.5 * p_tie
            gradient -= votes * expected
            curvature += votes * (p_win + 0.25 * p_tie - expected * expected)
        total = ahead + gradient / curvature
        value += 0.5 * (log(curvature / (flat * product * product)) - curvature * total * total)
        if value > -exponentials[i]:
            parameters[i] += ahead
            options[2] += ahead
            root[i] = own
            taken += 1
    return taken


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _power(base: cython.double, votes: cython.double) -> cython.double:
    """base^votes where that is soon found and surely in range, else -1."""
    times: cython.int
    found: cython.double = base
    if votes == 0.0:
        return 1.0
    if votes == 1.0:
        return base if 1e-30 < base < 1e30 else -1.0
    if not votes < 9.0 or not 1e-10 < base < 1e10:
        return -1.0
    times = cython.cast(cython.int, votes)
    if times != votes:
        return -1.0
    while times > 1:
        found *= base
        times -= 1
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _log_totals(
    ends: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    root: cython.double[::1],
    tilt: cython.double[::1],
    tie: cython.double,
) -> cython.double:
    """The sum over votes of log(x^2 + y^2 + nu x y)."""
    tilted: cython.bint = tilt.shape[0] > 1
    row: cython.Py_ssize_t
    x: cython.double
    y: cython.double
    product: cython.double = 1.0
    found: cython.double = 0.0
    for row in range(ends.shape[1]):
        x = root[ends[0, row]]
        y = root[ends[1, row]]
        if tilted:
            x *= tilt[row]
        x = x * x + y * y + tie * x * y
        y = _power(x, amounts[0, row])
        if y > 0.0:
            product *= y
            if not 1e-150 < product < 1e150:
                found += log(product)
                product = 1.0
        else:
            found += amounts[0, row] * log(x)
    return found + log(product)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _less_of_mills(x: cython.double) -> cython.double:
    """What Mills' ratio times -x is less than 1 far below 0."""
    square: cython.double = 1.0 / (x * x)
    return square * (1.0 - square * (3.0 - square * (15.0 - square * (105.0 - square * 945.0))))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _log_normal(x: cython.double) -> cython.double:
    """The logarithm of the normal distribution at x <= 0; far out by the series of Mills' ratio."""
    if x > -30.0:
        return log(0.5 * erfc(-0.7071067811865476 * x))
    return -0.5 * x * x - 0.9189385332046727 - log(-x) + log1p(-_less_of_mills(x))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _log_logistic(x: cython.double) -> cython.double:
    """The logarithm of the logistic distribution."""
    return -log1p(exp(-x)) if x > 0.0 else x - log1p(exp(x))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _log_ratio(low: cython.double, high: cython.double) -> cython.double:
    """The logarithm of the normal distribution at `low` over that at `high`, both at most 0, low < high."""
    if high > -30.0:
        return _log_normal(low) - _log_normal(high)
    return (
        0.5 * (high - low) * (high + low) - log(low / high) + log1p(-_less_of_mills(low)) - log1p(-_less_of_mills(high))
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _log_chance(link: cython.double, low: cython.double, high: cython.double) -> cython.double:
    """log(F(high) - F(low)); an end beyond 1e99 is infinite. -1e300 if there is nothing between the two."""
    value: cython.double
    if not low < high:
        return -1e300
    if link == 1.0:
        value = 0.0
        if high < 1e99:
            value += _log_logistic(high)
        if low > -1e99:
            value += _log_logistic(-low)
            if high < 1e99:
                value += log(-expm1(low - high))
        return value
    low *= 0.6266570686577501
    high *= 0.6266570686577501
    if low > 0.0:
        # In the lower tail, where the distribution keeps its digits.
        value = low
        low = -high
        high = -value
    if high > 0.0:
        value = 0.0
        if high < 1e98:
            value += 0.5 * erfc(0.7071067811865476 * high)
        if low > -1e98:
            value += 0.5 * erfc(-0.7071067811865476 * low)
        return log1p(-value)
    value = _log_normal(high)
    if low > -1e98:
        low = _log_ratio(low, high)
        return value + log(-expm1(low)) if low < 0.0 else -1e300
    return value


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _slopes(
    link: cython.double, low: cython.double, high: cython.double, chance: cython.double, found: cython.double[::1]
) -> cython.void:
    """Derivatives of the logarithm of a chance: by either end, and the information of both, in `found` (5)."""
    x: cython.double
    below: cython.double = 0.0
    above: cython.double = 0.0
    stiff: cython.double = 0.0
    ratio: cython.double
    place: cython.Py_ssize_t
    turned: cython.bint
    for place in range(5):
        found[place] = 0.0
    if not low < high:
        # Nothing is between ends that rounding has made one, which the chance says.
        return
    if link == 1.0:
        if high < 1e99:
            x = exp(-fabs(high))
            above = (x if high > 0.0 else 1.0) / (1.0 + x)
        if low > -1e99:
            x = exp(-fabs(low))
            below = (1.0 if low > 0.0 else x) / (1.0 + x)
        found[2] = below * (1.0 - below)
        found[4] = above * (1.0 - above)
        if low > -1e99 and high < 1e99:
            x = exp(low - high)
            stiff = x / -expm1(low - high)
            above += stiff
            below += stiff
            stiff = stiff / -expm1(low - high)
            found[2] += stiff
            found[4] += stiff
        found[0] = -below
        found[1] = above
        found[3] = -stiff
        return
    low *= 0.6266570686577501
    high *= 0.6266570686577501
    turned = low > 0.0
    if turned:
        x = low
        low = -high
        high = -x
    if high > 0.0:
        # Neither end is in the tail on its own side.
        if high < 1e98:
            above = exp(-0.5 * high * high - 0.9189385332046727 - chance)
            found[4] = above * (above + high)
        if low > -1e98:
            below = exp(-0.5 * low * low - 0.9189385332046727 - chance)
            found[2] = below * (below - low)
    else:
        ratio = 0.0
        if low > -1e98:
            ratio = exp(_log_ratio(low, high))
            if not ratio < 1.0:
                return
            below = (
                exp(-0.5 * low * low - 0.9189385332046727 - _log_normal(low))
                if low > -30.0
                else (-low / (1.0 - _less_of_mills(low)))
            )
            below *= ratio / (1.0 - ratio)
            found[2] = fmax(below * (below - low), 0.0)
        # The density over the distribution at the upper end, and what it is more than the end is below 0.
        if high > -30.0:
            above = exp(-0.5 * high * high - 0.9189385332046727 - _log_normal(high))
            x = above + high
        else:
            x = _less_of_mills(high)
            above = -high / (1.0 - x)
            x *= above
        found[4] = fmax(above * (x - high * ratio), 0.0) / (1.0 - ratio) / (1.0 - ratio)
        above /= 1.0 - ratio
    found[0] = -below
    found[1] = above
    found[3] = -below * above
    if turned:
        found[0] = -above
        found[1] = below
        x = found[2]
        found[2] = found[4]
        found[4] = x
    found[0] *= 0.6266570686577501
    found[1] *= 0.6266570686577501
    for place in range(2, 5):
        found[place] *= 0.39269908169872414


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _visit_in_order(
    start: cython.const[cython.longlong][::1],
    entries: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    parameters: cython.double[::1],
    prior: cython.double[::1],
    component: cython.double[::1],
    edges: cython.double[::1],
    kept: cython.double[::1],
    options: cython.double[::1],
    normals: cython.const[cython.double][::1],
    exponentials: cython.const[cython.double][::1],
) -> cython.int:
    """A Newton proposal for each score in turn where answers are in order; how many were taken.

    options: the link, the precision of the mean, and the sum of the scores, kept up.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    n_rows: cython.Py_ssize_t = amounts.shape[1]
    found: cython.double[::1] = kept[2 * n_rows : 2 * n_rows + 5]
    link: cython.double = options[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    row: cython.Py_ssize_t
    taken: cython.int = 0
    side: cython.double
    d: cython.double
    own: cython.double
    chance: cython.double
    gradient: cython.double
    curvature: cython.double
    precision: cython.double
    slope: cython.double
    ridge: cython.double
    ahead: cython.double
    value: cython.double
    flat: cython.double
    for i in range(n_items):
        k = cython.cast(cython.Py_ssize_t, component[i])
        if k > 2:
            continue
        precision = 1.0 / (prior[0] * prior[4 + k])
        precision = precision * precision
        slope = -precision * (parameters[i] - prior[0] * prior[1 + k] + prior[10])
        slope -= options[1] * options[2] / n_items / n_items
        ridge = precision + options[1] / n_items / n_items
        gradient = slope
        curvature = ridge
        value = 0.0
        own = parameters[i]
        for entry in range(start[i], start[i + 1]):
            row = entries[1, entry] >> 1
            side = -1.0 if entries[1, entry] & 1 else 1.0
            d = side * (own - parameters[entries[0, entry]])
            chance = _log_chance(link, edges[2 * row] - d, edges[2 * row + 1] - d)
            _slopes(link, edges[2 * row] - d, edges[2 * row + 1] - d, chance, found)
            value -= amounts[0, row] * chance
            gradient -= amounts[0, row] * side * (found[0] + found[1])
            curvature += amounts[0, row] * (found[2] + 2.0 * found[3] + found[4])
        ahead = gradient / curvature + normals[i] / sqrt(curvature)
        if not fabs(parameters[i] + ahead) < 300.0:
            continue
        own = parameters[i] + ahead
        value += ahead * (slope - 0.5 * ridge * ahead) + 0.5 * normals[i] * normals[i]
        flat = curvature
        gradient = slope - ridge * ahead
        curvature = ridge
        for entry in range(start[i], start[i + 1]):
            row = entries[1, entry] >> 1
            side = -1.0 if entries[1, entry] & 1 else 1.0
            d = side * (own - parameters[entries[0, entry]])
            chance = _log_chance(link, edges[2 * row] - d, edges[2 * row + 1] - d)
            _slopes(link, edges[2 * row] - d, edges[2 * row + 1] - d, chance, found)
            value += amounts[0, row] * chance
            gradient -= amounts[0, row] * side * (found[0] + found[1])
            curvature += amounts[0, row] * (found[2] + 2.0 * found[3] + found[4])
        d = ahead + gradient / curvature
        value += 0.5 * (log(curvature / flat) - curvature * d * d)
        if value > -exponentials[i]:
            parameters[i] = own
            options[2] += ahead
            taken += 1
    return taken


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _set_edges(
    ends: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    parameters: cython.const[cython.double][::1],
    edges: cython.double[::1],
    n_items: cython.Py_ssize_t,
) -> cython.void:
    """Cuts less effects: between which of these the difference of scores and noise lies, of each row.

    Of a direction in the place of parameters, how fast these move; infinite ends stay.
    """
    n_effects: cython.Py_ssize_t = amounts.shape[0] - 1
    row: cython.Py_ssize_t
    k: cython.Py_ssize_t
    end: cython.Py_ssize_t
    effect: cython.double
    for row in range(amounts.shape[1]):
        effect = 0.0
        for k in range(n_effects):
            effect += amounts[1 + k, row] * parameters[n_items + k]
        for end in range(2):
            k = ends[2 + end, row]
            if k > n_effects:
                edges[2 * row + end] = 1e300
            elif k < -n_effects:
                edges[2 * row + end] = -1e300
            elif k > 0:
                edges[2 * row + end] = parameters[n_items + k - 1] - effect
            elif k < 0:
                edges[2 * row + end] = -parameters[n_items - k - 1] - effect
            else:
                edges[2 * row + end] = -effect


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _log_chances(
    ends: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    scores: cython.double[::1],
    edges: cython.double[::1],
    link: cython.double,
) -> cython.double:
    """The sum over votes of the logarithms of their chances, where answers are in order."""
    row: cython.Py_ssize_t
    d: cython.double
    found: cython.double = 0.0
    for row in range(amounts.shape[1]):
        d = scores[ends[0, row]] - scores[ends[1, row]]
        found += amounts[0, row] * _log_chance(link, edges[2 * row] - d, edges[2 * row + 1] - d)
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _along_in_order(
    ends: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    parameters: cython.double[::1],
    line: cython.const[cython.double][::1],
    edges: cython.double[::1],
    kept: cython.double[::1],
    numbers: cython.double[::1],
    n_items: cython.Py_ssize_t,
) -> cython.double:
    """How far to go along a line, by a Newton proposal, where answers are in order; 0 if it is not taken.

    kept: how fast each row's edges move, then room for derivatives. numbers: the link, 0, slope and curvature of the
    prior along the line, a normal and an exponential.
    """
    n_rows: cython.Py_ssize_t = ends.shape[1]
    size: cython.Py_ssize_t = parameters.shape[0]
    found: cython.double[::1] = kept[2 * n_rows : 2 * n_rows + 5]
    link: cython.double = numbers[0]
    row: cython.Py_ssize_t
    k: cython.Py_ssize_t
    turn: cython.int
    d: cython.double
    low: cython.double
    high: cython.double
    of_low: cython.double
    of_high: cython.double
    chance: cython.double
    gradient: cython.double = 0.0
    curvature: cython.double = 0.0
    step: cython.double = 0.0
    value: cython.double = 0.0
    _set_edges(ends, amounts, line, kept, n_items)
    for turn in range(2):
        gradient = numbers[2] - numbers[3] * step
        curvature = numbers[3]
        for row in range(n_rows):
            d = line[ends[0, row]] - line[ends[1, row]]
            of_low = kept[2 * row] - d if kept[2 * row] > -1e99 else 0.0
            of_high = kept[2 * row + 1] - d if kept[2 * row + 1] < 1e99 else 0.0
            if of_low == 0.0 and of_high == 0.0:
                continue
            d = parameters[ends[0, row]] - parameters[ends[1, row]]
            low = edges[2 * row] - d + step * of_low
            high = edges[2 * row + 1] - d + step * of_high
            chance = _log_chance(link, low, high)
            if not chance > -1e299:
                return 0.0
            _slopes(link, low, high, chance, found)
            value += amounts[0, row] * (chance if turn == 1 else -chance)
            gradient += amounts[0, row] * (found[0] * of_low + found[1] * of_high)
            curvature += amounts[0, row] * (
                found[2] * of_low * of_low + 2.0 * found[3] * of_low * of_high + found[4] * of_high * of_high
            )
        if not curvature > 0.0:
            return 0.0
        if turn == 0:
            step = gradient / curvature + numbers[4] / sqrt(curvature)
            for k in range(size):
                if not fabs(parameters[k] + step * line[k]) < 300.0:
                    return 0.0
            value += step * (numbers[2] - 0.5 * numbers[3] * step)
            value += 0.5 * numbers[4] * numbers[4] - 0.5 * log(curvature)
    d = step + gradient / curvature
    value += 0.5 * log(curvature) - 0.5 * curvature * d * d
    return step if value > -numbers[5] else 0.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _carry(
    parameters: cython.double[::1],
    points: cython.double[::1],
    likely: cython.double[::1],
    lines: cython.const[cython.double][:, ::1],
    axes: cython.Py_ssize_t,
    prior: cython.double[::1],
    ahead: cython.double[::1],
    component: cython.double[::1],
    moved: cython.double[::1],
    work: cython.double[:, ::1],
    at: cython.Py_ssize_t,
    options: cython.double[::1],
) -> cython.double:
    """Carry the scores along as the prior goes to `ahead`, by what a normal likelihood would have it.

    Along each axis of that likelihood a score keeps its deviation from the mean that it would have, in standard
    deviations, under a normal prior with the present components' mean precision. Filled: `moved` and options[3], their
    sum. The change of everything but the likelihood's log totals, with the Jacobian's.
    """
    n_items: cython.Py_ssize_t = component.shape[0]
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    before: cython.double
    after: cython.double
    along: cython.double
    ridge_before: cython.double = 0.0
    ridge_after: cython.double = 0.0
    off: cython.double
    value: cython.double = 0.0
    for i in range(n_items):
        k = cython.cast(cython.Py_ssize_t, component[i])
        moved[i] = 0.0
        if k > 2:
            continue
        before = 1.0 / (prior[0] * prior[4 + k])
        after = 1.0 / (ahead[0] * ahead[4 + k])
        ridge_before += before * before / n_items
        ridge_after += after * after / n_items
    for j in range(n_items):
        work[at, j] = 0.0
        work[at + 1, j] = likely[n_items + j]
        work[at + 2, j] = likely[n_items + j]
    for i in range(n_items):
        k = cython.cast(cython.Py_ssize_t, component[i])
        along = parameters[i]
        before = ridge_before * (prior[0] * prior[1 + k] - prior[10])
        after = ridge_after * (ahead[0] * ahead[1 + k] - ahead[10])
        for j in range(n_items):
            work[at, j] += lines[axes + i, j] * along
            work[at + 1, j] += lines[axes + i, j] * before
            work[at + 2, j] += lines[axes + i, j] * after
    along = 1.0
    for j in range(n_items):
        before = likely[j] + ridge_before
        after = likely[j] + ridge_after
        along *= before / after
        if not 1e-150 < along < 1e150:
            value += 0.5 * log(along)
            along = 1.0
        work[at, j] = (work[at, j] - work[at + 1, j] / before) * sqrt(before / after) + work[at + 2, j] / after
    value += 0.5 * log(along)
    for j in range(n_items):
        along = work[at, j]
        for i in range(n_items):
            moved[i] += along * lines[axes + n_items + j, i]
    for k in range(3):
        work[at + 1, k] = log(prior[0] * prior[4 + k] / (ahead[0] * ahead[4 + k]))
    options[3] = 0.0
    for i in range(n_items):
        k = cython.cast(cython.Py_ssize_t, component[i])
        if k > 2:
            continue
        before = 1.0 / (prior[0] * prior[4 + k])
        after = 1.0 / (ahead[0] * ahead[4 + k])
        value += work[at + 1, k]
        off = (parameters[i] - prior[0] * prior[1 + k] + prior[10]) * before
        value += points[i] * (moved[i] - parameters[i]) + 0.5 * off * off
        off = (moved[i] - ahead[0] * ahead[1 + k] + ahead[10]) * after
        value -= 0.5 * off * off
        options[3] += moved[i]
    if n_items > 0:
        value -= 0.5 * options[1] / n_items / n_items * (options[3] * options[3] - options[2] * options[2])
    return value


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _along(
    ends: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    parameters: cython.double[::1],
    pull: cython.double[::1],
    line: cython.const[cython.double][::1],
    kept: cython.double[::1],
    numbers: cython.double[::1],
    n_items: cython.Py_ssize_t,
) -> cython.double:
    """How far to go along a line, by a Newton proposal; 0 if it is not taken.

    numbers: whether there is a tie parameter, the weight of ties that the last effect stretches, slope and curvature of
    the prior along the line, a normal and an exponential.
    """
    n_rows: cython.Py_ssize_t = ends.shape[1]
    n_effects: cython.Py_ssize_t = amounts.shape[0] - 1
    size: cython.Py_ssize_t = parameters.shape[0]
    tied: cython.bint = numbers[0] == 1.0
    stretched: cython.double = numbers[1]
    row: cython.Py_ssize_t
    k: cython.Py_ssize_t
    slope: cython.double = 0.0
    gradient: cython.double
    curvature: cython.double
    change: cython.double
    by_tie: cython.double = line[size - 1] if tied else 0.0
    by_last: cython.double = 0.0
    log_odds: cython.double
    tie: cython.double = exp(parameters[size - 1]) if tied else 0.0
    x: cython.double
    y: cython.double
    total: cython.double
    mean: cython.double
    step: cython.double
    value: cython.double
    beyond: cython.double
    for k in range(size):
        slope += pull[k] * line[k]
    gradient = slope + numbers[2]
    curvature = numbers[3]
    for row in range(n_rows):
        log_odds = parameters[ends[0, row]] - parameters[ends[1, row]]
        change = line[ends[0, row]] - line[ends[1, row]]
        for k in range(n_effects):
            log_odds += amounts[1 + k, row] * parameters[n_items + k]
            change += amounts[1 + k, row] * line[n_items + k]
        kept[2 * row] = change
        if change == 0.0 and by_tie == 0.0:
            continue
        x = exp(0.5 * log_odds)
        y = 1.0 / x
        total = 1.0 / (x + y + tie)
        kept[2 * row + 1] = x
        mean = (0.5 * change * (x - y) + by_tie * tie) * total
        gradient -= amounts[0, row] * mean
        curvature += amounts[0, row] * (
            (0.25 * change * change * (x + y) + by_tie * by_tie * tie) * total - mean * mean
        )
    if stretched > 0.0:
        by_last = line[size - 2]
        beyond = expm1(2.0 * parameters[size - 2])
        gradient += 2.0 * stretched * by_last / beyond
        curvature += 4.0 * stretched * by_last * by_last * (1.0 + 1.0 / beyond) / beyond
    if not curvature > 0.0:
        return 0.0
    step = gradient / curvature + numbers[4] / sqrt(curvature)
    for k in range(size):
        if not fabs(parameters[k] + step * line[k]) < 300.0:
            return 0.0
    if stretched > 0.0 and not parameters[size - 2] + step * by_last > 0.0:
        return 0.0
    value = step * (slope + numbers[2] - 0.5 * numbers[3] * step)
    value += 0.5 * numbers[4] * numbers[4] - 0.5 * log(curvature)
    gradient = slope + numbers[2] - numbers[3] * step
    curvature = numbers[3]
    beyond = tie * exp(step * by_tie)
    for row in range(n_rows):
        change = kept[2 * row]
        if change == 0.0 and by_tie == 0.0:
            continue
        x = kept[2 * row + 1]
        total = x + 1.0 / x + tie
        x *= exp(0.5 * step * change)
        y = 1.0 / x
        value -= amounts[0, row] * log((x + y + beyond) / total)
        total = 1.0 / (x + y + beyond)
        mean = (0.5 * change * (x - y) + by_tie * beyond) * total
        gradient -= amounts[0, row] * mean
        curvature += amounts[0, row] * (
            (0.25 * change * change * (x + y) + by_tie * by_tie * beyond) * total - mean * mean
        )
    if stretched > 0.0:
        value -= stretched * log(-expm1(-2.0 * parameters[size - 2]))
        value += stretched * log(-expm1(-2.0 * (parameters[size - 2] + step * by_last)))
        beyond = expm1(2.0 * (parameters[size - 2] + step * by_last))
        gradient += 2.0 * stretched * by_last / beyond
        curvature += 4.0 * stretched * by_last * by_last * (1.0 + 1.0 / beyond) / beyond
    x = step + gradient / curvature
    value += 0.5 * log(curvature) - 0.5 * curvature * x * x
    return step if value > -numbers[5] else 0.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _learn_shape(
    parameters: cython.double[::1],
    prior: cython.double[::1],
    component: cython.double[::1],
    normals: cython.const[cython.double][::1],
    exponentials: cython.const[cython.double][::1],
    uniforms: cython.const[cython.double][::1],
) -> cython.void:
    """Gibbs steps for components, shares, places and widths, then steps of the scale, given the scores.

    normals: 3 n_items + 29; exponentials: 5.
    """
    n_items: cython.Py_ssize_t = component.shape[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    j: cython.Py_ssize_t
    used: cython.Py_ssize_t = 0
    members: cython.int
    scale: cython.double = prior[0]
    x: cython.double
    best: cython.double
    total: cython.double
    first: cython.double
    second: cython.double
    third: cython.double
    by_two: cython.double
    by_one: cython.double
    step: cython.double
    change: cython.double
    # Components, given the prior's numbers.
    by_one = log(prior[7] / prior[4])
    by_two = log(prior[8] / prior[5])
    change = log(prior[9] / prior[6])
    for i in range(n_items):
        x = (parameters[i] + prior[10]) / scale
        first = (x - prior[1]) / prior[4]
        second = (x - prior[2]) / prior[5]
        third = (x - prior[3]) / prior[6]
        first = by_one - 0.5 * first * first
        second = by_two - 0.5 * second * second
        third = change - 0.5 * third * third
        best = fmax(first, fmax(second, third))
        first = exp(first - best)
        second = first + exp(second - best)
        third = second + exp(third - best)
        x = uniforms[i] * third
        component[i] = 3.0 if component[i] > 2.0 else (0.0 if x < first else (1.0 if x < second else 2.0))
    # Shares: gammas of half-integer shape are half sums of squared normals.
    total = 0.0
    for k in range(3):
        members = 0
        for i in range(n_items):
            if component[i] == k:
                members += 1
        x = 0.0
        for j in range(2 * members + 1):
            x += normals[used + j] * normals[used + j]
        used += 2 * members + 1
        prior[7 + k] = fmax(x, 1e-200)
        total += prior[7 + k]
    for k in range(3):
        prior[7 + k] /= total
    # Places, then widths.
    for k in range(3):
        members = 0
        total = 0.0
        for i in range(n_items):
            if component[i] == k:
                members += 1
                total += (parameters[i] + prior[10]) / scale
        x = 1.0 / (prior[4 + k] * prior[4 + k])
        best = 1.0 / (members * x + 1.0 / 2.25)
        prior[1 + k] = best * total * x + sqrt(best) * normals[used]
        used += 1
        total = 0.0
        for i in range(n_items):
            if component[i] == k:
                x = (parameters[i] + prior[10]) / scale - prior[1 + k]
                total += x * x
        best = 0.0
        for j in range(6 + members):
            best += normals[used + j] * normals[used + j]
        used += 6 + members
        prior[4 + k] = sqrt((1.0 + 0.5 * total) / (0.5 * best))
    # The scale given the scores: its logarithm by random walks.
    by_two = 0.0
    by_one = 0.0
    members = 0
    for i in range(n_items):
        k = cython.cast(cython.Py_ssize_t, component[i])
        if k > 2:
            continue
        members += 1
        x = (parameters[i] + prior[10]) / prior[4 + k]
        by_two += x * x
        by_one += x * prior[1 + k] / prior[4 + k]
    step = 2.4 / sqrt(2.0 * n_items + 2.0)
    for j in range(4):
        change = scale * exp(step * normals[used])
        used += 1
        x = (members - 1.0) * log(scale / change)
        x -= 0.5 * by_two * (1.0 / (change * change) - 1.0 / (scale * scale))
        x += by_one * (1.0 / change - 1.0 / scale) - 0.125 * (change * change - scale * scale)
        if x > -exponentials[j]:
            scale = change
    # Scale against places and widths, which leaves the prior of the scores as it is.
    change = exp(0.5 * normals[used])
    by_one = 0.0
    by_two = 0.0
    for k in range(3):
        by_one += prior[1 + k] * prior[1 + k]
        by_two += 1.0 / (prior[4 + k] * prior[4 + k])
    # Of each width squared the log density is -4 log r^2 - 1 / r^2, in log r -6 log r - 1 / r^2; of each place, in its
    # own unit, 1 / change each; and of the logarithm of the scale.
    x = log(change) * (1.0 - 3.0 + 18.0) - 0.125 * scale * scale * (change * change - 1.0)
    x -= by_one / 4.5 * (1.0 / (change * change) - 1.0) + by_two * (change * change - 1.0)
    if x > -exponentials[4]:
        scale *= change
        for k in range(3):
            prior[1 + k] /= change
            prior[4 + k] /= change
    prior[0] = scale


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _set_roots(parameters: cython.double[::1], root: cython.double[::1]) -> cython.void:
    i: cython.Py_ssize_t
    for i in range(root.shape[0]):
        root[i] = exp(0.5 * parameters[i])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _set_tilts(
    amounts: cython.const[cython.double][:, ::1],
    parameters: cython.double[::1],
    tilt: cython.double[::1],
    n_items: cython.Py_ssize_t,
) -> cython.void:
    n_effects: cython.Py_ssize_t = amounts.shape[0] - 1
    row: cython.Py_ssize_t
    k: cython.Py_ssize_t
    effect: cython.double
    for row in range(amounts.shape[1] if n_effects > 0 else 0):
        effect = 0.0
        for k in range(n_effects):
            effect += amounts[1 + k, row] * parameters[n_items + k]
        tilt[row] = exp(0.5 * effect)


def sample(
    start: cython.const[cython.longlong][::1],
    entries: cython.const[cython.int][:, ::1],
    ends: cython.const[cython.int][:, ::1],
    amounts: cython.const[cython.double][:, ::1],
    lines: cython.const[cython.double][:, ::1],
    state: cython.double[::1],
    randoms: cython.const[cython.double][::1],
    draws: cython.double[:, ::1],
) -> int:
    """Fill `draws`, one for each sweep, going on from `state`; return how many moves of single scores were taken."""
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    n_effects: cython.Py_ssize_t = amounts.shape[0] - 1
    n_lines: cython.Py_ssize_t = lines.shape[0] - 2 * n_items
    n_rows: cython.Py_ssize_t = ends.shape[1]
    n_sweeps: cython.Py_ssize_t = draws.shape[0] - 2
    size: cython.Py_ssize_t = n_items + n_effects + 1
    place: cython.Py_ssize_t = 2 * size + 2 * n_items
    parameters: cython.double[::1] = state[:size]
    pull: cython.double[::1] = state[size : 2 * size]
    likely: cython.double[::1] = state[2 * size : place]
    n_beside: cython.Py_ssize_t = n_effects + 1
    centre: cython.double[::1] = state[place : place + n_beside]
    firm: cython.double[::1] = state[place + n_beside : place + n_beside + n_beside * n_beside]
    first: cython.Py_ssize_t = place + n_beside + n_beside * n_beside
    prior: cython.double[::1] = state[first : first + 11]
    component: cython.double[::1] = state[first + 11 : first + 11 + n_items]
    settings: cython.double[::1] = state[first + 11 + n_items : first + 15 + n_items]
    scratch: cython.double[::1] = state[first + 15 + n_items :]
    link: cython.double = settings[3]
    points: cython.double[::1] = scratch[:n_items]
    root: cython.double[::1] = scratch[n_items : 2 * n_items]
    moved: cython.double[::1] = scratch[2 * n_items : 3 * n_items]
    other: cython.double[::1] = scratch[3 * n_items : 4 * n_items]
    line: cython.double[::1] = scratch[4 * n_items : 4 * n_items + size]
    numbers: cython.double[::1] = scratch[4 * n_items + size : 4 * n_items + size + 6]
    options: cython.double[::1] = scratch[4 * n_items + size + 6 : 4 * n_items + size + 10]
    ahead: cython.double[::1] = scratch[4 * n_items + size + 10 : 4 * n_items + size + 21]
    # Without effects one number, which says that there are none.
    n_tilts: cython.Py_ssize_t = n_rows + 1 if n_effects else 1
    tilt: cython.double[::1] = scratch[4 * n_items + size + 21 : 4 * n_items + size + 21 + n_tilts]
    kept: cython.double[::1] = scratch[4 * n_items + size + 22 + n_rows : 4 * n_items + size + 27 + 3 * n_rows]
    edges: cython.double[::1] = scratch[4 * n_items + size + 27 + 3 * n_rows :]
    # Where the randoms of a sweep begin.
    n_normals: cython.Py_ssize_t = 4 * n_items + 38 + n_lines
    n_exponentials: cython.Py_ssize_t = n_items + 13 + n_lines
    z: cython.Py_ssize_t
    e: cython.Py_ssize_t
    u: cython.Py_ssize_t
    sweep: cython.Py_ssize_t
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    move: cython.Py_ssize_t
    taken: cython.int = 0
    step: cython.double
    value: cython.double
    log_totals: cython.double
    ahead_totals: cython.double
    mean: cython.double
    precision: cython.double
    with cython.nogil:
        for i in range(n_items):
            points[i] = pull[i]
        for k in range(n_rows if link == 0.0 else 0):
            points[ends[0, k]] += 0.5 * amounts[0, k]
            points[ends[1, k]] += 0.5 * amounts[0, k]
        _set_roots(parameters[:n_items], root)
        _set_tilts(amounts, parameters, tilt, n_items)
        if link > 0.0:
            _set_edges(ends, amounts, parameters, edges, n_items)
        options[1] = settings[2]
        for sweep in range(n_sweeps):
            z = sweep * n_normals
            e = n_sweeps * n_normals + sweep * n_exponentials
            u = n_sweeps * (n_normals + n_exponentials) + sweep * n_items
            options[0] = exp(parameters[size - 1]) if settings[0] == 1.0 else 0.0
            options[2] = 0.0
            for i in range(n_items):
                options[2] += parameters[i]
            if link > 0.0:
                options[0] = link
                taken += _visit_in_order(
                    start,
                    entries,
                    amounts,
                    parameters,
                    prior,
                    component,
                    edges,
                    kept,
                    options,
                    randoms[z : z + n_items],
                    randoms[e : e + n_items],
                )
            else:
                taken += _visit_items(
                    start,
                    entries,
                    amounts,
                    parameters,
                    points,
                    prior,
                    component,
                    root,
                    tilt,
                    kept,
                    options,
                    randoms[z : z + n_items],
                    randoms[e : e + n_items],
                )
            z += n_items
            e += n_items
            _learn_shape(
                parameters,
                prior,
                component,
                randoms[z : z + 3 * n_items + 29],
                randoms[e : e + 5],
                randoms[u : u + n_items],
            )
            z += 3 * n_items + 29
            e += 5
            # The prior's numbers by random walks, the scores going with them.
            if link > 0.0:
                log_totals = -_log_chances(ends, amounts, parameters[:n_items], edges, link)
            else:
                log_totals = _log_totals(ends, amounts, root, tilt, options[0])
            for move in range(8):
                if n_items > 40 and move > 1 and move - 2 != sweep % 6:
                    # Of many items the prior is better known, and to carry them along costs more.
                    continue
                for i in range(11):
                    ahead[i] = prior[i]
                step = randoms[z + move]
                if move < 2:
                    # All places, and the widths with them or not, about the mean place.
                    mean = prior[7] * prior[1] + prior[8] * prior[2] + prior[9] * prior[3]
                    value = exp(0.6 * step)
                    if move == 0:
                        ahead[0] = prior[0] * value
                        for k in range(3):
                            ahead[1 + k] = prior[1 + k] + mean * (1.0 / value - 1.0)
                        value = 0.125 * (prior[0] * prior[0] - ahead[0] * ahead[0])
                    else:
                        for k in range(3):
                            ahead[1 + k] = mean + value * (prior[1 + k] - mean)
                        # Of three places with a given mean two are free.
                        value = 1.2 * step
                    for k in range(3):
                        value += (prior[1 + k] * prior[1 + k] - ahead[1 + k] * ahead[1 + k]) / 4.5
                elif move < 5:
                    # By turns a short way and a long one.
                    ahead[move - 1] = prior[move - 1] + prior[2 + move] * step * (1 + 2 * (sweep & 1))
                    value = (prior[move - 1] * prior[move - 1] - ahead[move - 1] * ahead[move - 1]) / 4.5
                else:
                    ahead[move - 1] = prior[move - 1] * exp(0.6 * step)
                    value = -3.6 * step + 1.0 / (prior[move - 1] * prior[move - 1])
                    value -= 1.0 / (ahead[move - 1] * ahead[move - 1])
                value += _carry(
                    parameters[:n_items],
                    points,
                    likely,
                    lines,
                    n_lines,
                    prior,
                    ahead,
                    component,
                    moved,
                    draws,
                    sweep,
                    options,
                )
                for i in range(n_items):
                    if not fabs(moved[i]) < 300.0:
                        value = -1e300
                    other[i] = exp(0.5 * moved[i]) if fabs(moved[i]) < 300.0 else 1.0
                if link > 0.0:
                    ahead_totals = -_log_chances(ends, amounts, moved, edges, link)
                else:
                    ahead_totals = _log_totals(ends, amounts, other, tilt, options[0])
                if value + log_totals - ahead_totals > -randoms[e + move]:
                    log_totals = ahead_totals
                    options[2] = options[3]
                    for i in range(n_items):
                        parameters[i] = moved[i]
                        root[i] = other[i]
                    for i in range(11):
                        prior[i] = ahead[i]
            z += 8
            e += 8
            numbers[0] = link if link > 0.0 else settings[0]
            numbers[1] = settings[1]
            for move in range(n_lines):
                numbers[2] = 0.0
                numbers[3] = 0.0
                mean = 0.0
                for i in range(size):
                    line[i] = lines[move, i]
                for i in range(n_items):
                    mean += line[i]
                    if line[i] != 0.0:
                        k = cython.cast(cython.Py_ssize_t, component[i])
                        precision = 1.0 / (prior[0] * prior[4 + k])
                        precision = precision * precision * line[i]
                        numbers[2] += precision * (prior[0] * prior[1 + k] - prior[10] - parameters[i])
                        numbers[3] += precision * line[i]
                if n_items > 0:
                    precision = settings[2] / n_items / n_items * mean
                    numbers[2] -= precision * options[2]
                    numbers[3] += precision * mean
                for i in range(n_beside):
                    for k in range(n_beside):
                        precision = line[n_items + i] * firm[i * n_beside + k]
                        numbers[2] += precision * (centre[k] - parameters[n_items + k])
                        numbers[3] += precision * line[n_items + k]
                numbers[4] = randoms[z + move]
                numbers[5] = randoms[e + move]
                if link > 0.0:
                    step = _along_in_order(ends, amounts, parameters, line, edges, kept, numbers, n_items)
                else:
                    step = _along(ends, amounts, parameters, pull, line, kept, numbers, n_items)
                if step != 0.0:
                    for i in range(size):
                        parameters[i] += step * line[i]
                    options[2] += step * mean
                    if link > 0.0:
                        _set_edges(ends, amounts, parameters, edges, n_items)
                    else:
                        _set_roots(parameters[:n_items], root)
                        _set_tilts(amounts, parameters, tilt, n_items)
            # All places and their origin, of which no vote speaks.
            step = -(prior[1] + prior[2] + prior[3]) / 3.0 + sqrt(0.75) * randoms[z + n_lines]
            for k in range(3):
                prior[1 + k] += step
            prior[10] += prior[0] * step
            mean = options[2] / n_items if n_items > 0 else 0.0
            for i in range(size):
                draws[sweep, i] = parameters[i] - mean if i < n_items else parameters[i]
            for k in range(10):
                draws[sweep, size + k] = prior[k]
            draws[sweep, size + 10] = prior[10] + mean
    return taken
