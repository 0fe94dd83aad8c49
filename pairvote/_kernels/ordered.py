# cython: language_level=3, cdivision=True
"""Answers in order, by thresholds: log-likelihood and slopes, over pairs in compressed rows.

The model stands in `pairvote._inference.outcomes.ordered`. Chances and their derivatives are written as in the kernel
`mixture`, whose unit is another: a compiled kernel can call no function of another one.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import erfc, exp, expm1, fabs, fmax, log, log1p
else:
    from math import erfc, exp, expm1, fabs, log, log1p

    fmax = max

COMPILED = cython.compiled


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
    if low > 0.0:
        # In the lower tail, where the distribution keeps its digits.
        value = low
        low = -high
        high = -value
    if high > 0.0:
        value = 0.0
        if high < 1e99:
            value += 0.5 * erfc(0.7071067811865476 * high)
        if low > -1e99:
            value += 0.5 * erfc(-0.7071067811865476 * low)
        return log1p(-value)
    value = _log_normal(high)
    if low > -1e99:
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
        # Informations of the smaller of two chances, so that those of a certain answer keep their digits.
        if high < 1e99:
            x = exp(-fabs(high))
            above = (x if high > 0.0 else 1.0) / (1.0 + x)
            found[4] = x / ((1.0 + x) * (1.0 + x))
        if low > -1e99:
            x = exp(-fabs(low))
            below = (1.0 if low > 0.0 else x) / (1.0 + x)
            found[2] = x / ((1.0 + x) * (1.0 + x))
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
    turned = low > 0.0
    if turned:
        x = low
        low = -high
        high = -x
    if high > 0.0:
        # Neither end is in the tail on its own side.
        if high < 1e99:
            above = exp(-0.5 * high * high - 0.9189385332046727 - chance)
            found[4] = above * (above + high)
        if low > -1e99:
            below = exp(-0.5 * low * low - 0.9189385332046727 - chance)
            found[2] = below * (below - low)
    else:
        ratio = 0.0
        if low > -1e99:
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


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _weight(
    table: cython.const[cython.double][:, ::1], entry: cython.Py_ssize_t, answer: cython.Py_ssize_t, tie: cython.double
) -> cython.double:
    """The weight of votes with an answer; of the two sides, where tie >= 0, with half of that of the ties times it."""
    if tie < 0.0:
        return table[entry, answer]
    return table[entry, 2 * answer] + 0.5 * tie * table[entry, 1]


def log_likelihood(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    scores: cython.const[cython.double][::1],
    effects: cython.const[cython.double][::1],
    cuts: cython.const[cython.double][::1],
    link: cython.double,
    tie: cython.double,
) -> float:
    """The log-likelihood.

    table: the weight of votes of each entry by answer; the three outcomes where `tie`, what the weight of a tie is
    multiplied by, is not negative, and there are two answers. effects: what favours the first item beside the scores,
    one for each entry or one for all. cuts (n_answers + 1): in rising order, the first and the last beyond 1e99. link:
    1 for the logistic, 2 for the probit.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    n_answers: cython.Py_ssize_t = cuts.shape[0] - 1
    own_effects: cython.bint = effects.shape[0] > 1
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    d: cython.double
    weight: cython.double
    own: cython.double
    total: cython.double = 0.0
    with cython.nogil:
        for i in range(n_items):
            own = 0.0
            for entry in range(start[i], start[i + 1]):
                d = scores[i] - scores[second[entry]] + effects[entry if own_effects else 0]
                for k in range(n_answers):
                    weight = _weight(table, entry, k, tie)
                    if weight > 0.0:
                        own += weight * _log_chance(link, cuts[k] - d, cuts[k + 1] - d)
            total += own
    return total


def slopes(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    scores: cython.const[cython.double][::1],
    effects: cython.const[cython.double][::1],
    settings: cython.const[cython.double][::1],
    kept: cython.double[:, ::1],
    sums: cython.double[::1],
) -> None:
    """Gradient and information, entry by entry, over rows that may be some of all.

    table, effects: see `log_likelihood`. settings: the link, what the weight of ties is multiplied by, which row is the
    first, the number of thresholds; then the cuts (n_answers + 1); then for each cut the place of its threshold, from 1
    on, less than 0 for its negative, and 0 for none (n_answers + 1).
    Fills in `kept`, as far as it has rows, the information d2/dd2 of each entry, then by d and each threshold, and in
    the last row, if there is one more, the gradient d/dd. Adds to `sums`, with p the number of thresholds or 1: the
    gradient by score (n_items), by threshold (p), by an effect shared by all; the information of thresholds (p, p), of
    that effect, of it and each threshold (p), and of each score (n_items). The last 5 + p of `sums` are scratch.
    """
    n_rows: cython.Py_ssize_t = start.shape[0] - 1
    n_items: cython.Py_ssize_t = scores.shape[0]
    m: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, settings[3])
    places: cython.Py_ssize_t = m if m > 1 else 1
    n_answers: cython.Py_ssize_t = (settings.shape[0] - 4) // 2 - 1
    first: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, settings[2])
    cuts: cython.const[cython.double][::1] = settings[4 : 5 + n_answers]
    marks: cython.const[cython.double][::1] = settings[5 + n_answers :]
    effect: cython.Py_ssize_t = n_items + places
    diagonal: cython.Py_ssize_t = effect + 2 + places * places + places
    found: cython.double[::1] = sums[diagonal + n_items : diagonal + n_items + 5]
    crossed: cython.double[::1] = sums[diagonal + n_items + 5 :]
    own_effects: cython.bint = effects.shape[0] > 1
    last: cython.Py_ssize_t = kept.shape[0] - 1
    sloped: cython.bint = last > m
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    at: cython.Py_ssize_t
    other: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    d: cython.double
    weight: cython.double
    low: cython.double
    high: cython.double
    sign: cython.double
    other_sign: cython.double
    slope: cython.double
    twice: cython.double
    with cython.nogil:
        for row in range(n_rows):
            i = first + row
            for entry in range(start[row], start[row + 1]):
                j = second[entry]
                d = scores[i] - scores[j] + effects[entry if own_effects else 0]
                slope = 0.0
                twice = 0.0
                for at in range(m):
                    crossed[at] = 0.0
                for k in range(n_answers):
                    weight = _weight(table, entry, k, settings[1])
                    if not weight > 0.0:
                        continue
                    low = cuts[k] - d
                    high = cuts[k + 1] - d
                    _slopes(settings[0], low, high, _log_chance(settings[0], low, high), found)
                    slope -= weight * (found[0] + found[1])
                    twice += weight * (found[2] + 2.0 * found[3] + found[4])
                    at = cython.cast(cython.Py_ssize_t, fabs(marks[k])) - 1
                    other = cython.cast(cython.Py_ssize_t, fabs(marks[k + 1])) - 1
                    sign = 1.0 if marks[k] > 0.0 else -1.0
                    other_sign = 1.0 if marks[k + 1] > 0.0 else -1.0
                    if at >= 0:
                        sums[n_items + at] += weight * sign * found[0]
                        crossed[at] -= weight * sign * (found[2] + found[3])
                        sums[effect + 1 + at * places + at] += weight * found[2]
                    if other >= 0:
                        sums[n_items + other] += weight * other_sign * found[1]
                        crossed[other] -= weight * other_sign * (found[3] + found[4])
                        sums[effect + 1 + other * places + other] += weight * found[4]
                    if at >= 0 and other >= 0:
                        sign = weight * sign * other_sign * found[3]
                        sums[effect + 1 + at * places + other] += sign
                        sums[effect + 1 + other * places + at] += sign
                kept[0, entry] = twice
                for at in range(m):
                    kept[1 + at, entry] = crossed[at]
                    sums[effect + 2 + places * places + at] += crossed[at]
                if sloped:
                    kept[last, entry] = slope
                sums[i] += slope
                sums[j] -= slope
                sums[effect] += slope
                sums[effect + 1 + places * places] += twice
                sums[diagonal + i] += twice
                sums[diagonal + j] += twice
