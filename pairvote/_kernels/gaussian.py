# cython: language_level=3, cdivision=True
"""A normal posterior of the scores, kept up question by question, and which pair to ask next.

posterior (n_items + 1, n_items): the covariance S, and under it the mean m; `pairvote.sampling._adaptive` derives the
rules. board (n_items + 2, n_items): zeros, to mark a voter's pairs on; under them how many times more often each item
stood on the left than on the right, which only `run` looks at; and last the items that may be asked about, ascending. A
pair is one integer, the higher item times 2^24 plus the lower; `seen` is that of the kernel `exposure`.
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


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _chance(log_odds: cython.double) -> cython.double:
    """1 / (1 + exp(-log_odds)), of which nothing overflows."""
    odds: cython.double = exp(-fabs(log_odds))
    return 1.0 / (1.0 + odds) if log_odds >= 0.0 else odds / (1.0 + odds)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _absorb(
    posterior: cython.double[:, ::1], scratch: cython.double[:, ::1], i: cython.Py_ssize_t, j: cython.Py_ssize_t
) -> cython.void:
    n_items: cython.Py_ssize_t = posterior.shape[1]
    column: cython.Py_ssize_t = scratch.shape[0] - 1
    row: cython.Py_ssize_t
    other: cython.Py_ssize_t
    expected: cython.double = _chance(posterior[n_items, i] - posterior[n_items, j])
    weight: cython.double = expected * (1.0 - expected)
    pull: cython.double
    for row in range(n_items):
        scratch[column, row] = posterior[i, row] - posterior[j, row]
    weight = weight / (1.0 + weight * (scratch[column, i] - scratch[column, j]))
    for row in range(n_items):
        pull = weight * scratch[column, row]
        for other in range(n_items):
            posterior[row, other] -= pull * scratch[column, other]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _learn(
    posterior: cython.double[:, ::1], i: cython.Py_ssize_t, j: cython.Py_ssize_t, share: cython.double
) -> cython.void:
    n_items: cython.Py_ssize_t = posterior.shape[1]
    row: cython.Py_ssize_t
    surprise: cython.double = share - _chance(posterior[n_items, i] - posterior[n_items, j])
    for row in range(n_items):
        posterior[n_items, row] += (posterior[i, row] - posterior[j, row]) * surprise


def absorb(
    posterior: cython.double[:, ::1],
    gains: cython.double[:, ::1],
    left: cython.Py_ssize_t,
    right: cython.Py_ssize_t,
) -> None:
    """Take off the covariance what an answer to a question will tell; the mean stays. `gains` is scratch.

    S <- S - (S c)(S c)' w / (1 + w c'S c), c = e_left - e_right, w = p (1 - p) at the mean: the inverse of
    S^-1 + w c c' (Sherman and Morrison 1950).
    """
    with cython.nogil:
        _absorb(posterior, gains, left, right)


def learn(
    posterior: cython.double[:, ::1], left: cython.Py_ssize_t, right: cython.Py_ssize_t, share: cython.double
) -> None:
    """Move the mean by an answer that has been absorbed: a Newton step, m <- m + S c (share - p).

    share: what of the vote went to the left, 0, 0.5 or 1.
    """
    with cython.nogil:
        _learn(posterior, left, right, share)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _add_four(gains: cython.double[:, ::1], n_items: cython.Py_ssize_t) -> cython.void:
    """Add up four of the products that `_aim` adds up, in their order, with M read and written once for all."""
    u: cython.Py_ssize_t = n_items
    v: cython.Py_ssize_t = n_items + 4
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    a: cython.double
    b: cython.double
    c: cython.double
    d: cython.double
    for i in range(n_items):
        a = gains[v, i]
        b = gains[v + 1, i]
        c = gains[v + 2, i]
        d = gains[v + 3, i]
        for j in range(i + 1):
            gains[i, j] = (
                gains[i, j] + a * gains[u, j] + b * gains[u + 1, j] + c * gains[u + 2, j] + d * gains[u + 3, j]
            )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _aim(
    posterior: cython.double[:, ::1],
    gains: cython.double[:, ::1],
    board: cython.int[:, ::1],
    n_active: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    uniform: cython.double,
) -> cython.void:
    """Fill `gains` with M = sum over items q of exp(-z_q^2 / 2) / v_q (S c_q)(S c_q)', on and below the diagonal.

    c_q is q less the midpoint of the k-th item and the next, or for these two their difference; v_q = c_q'S c_q and
    z_q = c_q'm / sqrt(v_q). Level means are told apart by their places, counted from a random one.
    """
    n_items: cython.Py_ssize_t = posterior.shape[1]
    listed: cython.Py_ssize_t = n_items + 1
    held: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t
    offset: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, uniform * n_active)
    a: cython.Py_ssize_t
    b: cython.Py_ssize_t
    q: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    ahead: cython.Py_ssize_t
    last_in: cython.Py_ssize_t = board[listed, 0]
    first_out: cython.Py_ssize_t = board[listed, 0]
    of_the_cut: cython.bint
    own: cython.double
    lead: cython.double
    variance: cython.double
    weight: cython.double
    pull: cython.double
    for a in range(n_active):
        ahead = 0
        own = posterior[n_items, board[listed, a]]
        for b in range(n_active):
            lead = posterior[n_items, board[listed, b]] - own
            if lead > 0.0 or (lead == 0.0 and (b + offset) % n_active < (a + offset) % n_active):
                ahead += 1
        if ahead == k - 1:
            last_in = board[listed, a]
        elif ahead == k:
            first_out = board[listed, a]
    # Items that may not be asked about stay in, so that the loops run over memory as it lies.
    for i in range(n_items):
        for j in range(i + 1):
            gains[i, j] = 0.0
    for a in range(n_active):
        q = board[listed, a]
        of_the_cut = q in (last_in, first_out)
        row = n_items + held
        for i in range(n_items):
            own = posterior[last_in, i]
            lead = posterior[first_out, i]
            gains[row, i] = own - lead if of_the_cut else posterior[q, i] - 0.5 * (own + lead)
        if of_the_cut:
            lead = posterior[n_items, last_in] - posterior[n_items, first_out]
            variance = gains[row, last_in] - gains[row, first_out]
        else:
            lead = posterior[n_items, q] - 0.5 * (posterior[n_items, last_in] + posterior[n_items, first_out])
            variance = gains[row, q] - 0.5 * (gains[row, last_in] + gains[row, first_out])
        # Under e^-15 a weight is lost beside those of the cut's own two, whose z is small.
        if not lead * lead < 30.0 * variance:
            continue
        weight = exp(-0.5 * lead * lead / variance) / variance
        for i in range(n_items):
            gains[row + 4, i] = weight * gains[row, i]
        held += 1
        if held == 4:
            _add_four(gains, n_items)
            held = 0
    for row in range(n_items, n_items + held):
        for i in range(n_items):
            pull = gains[row + 4, i]
            for j in range(i + 1):
                gains[i, j] += pull * gains[row, j]


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _worth(
    posterior: cython.double[:, ::1],
    gains: cython.double[:, ::1],
    i: cython.Py_ssize_t,
    j: cython.Py_ssize_t,
    aimed: cython.bint,
    share: cython.double,
    best: cython.double,
) -> cython.double:
    """w v, or aimed at the cut w g / (1 + w v) + share log(1 + w v), with g = (e_i - e_j)'M(e_i - e_j).

    w = p (1 - p) = 1 / (r + 1 / r)^2 with r^2 the odds, so that only r needs an exp, and that once for every item: the
    last row but one of `gains` holds exp(m / 2), the last exp(-m / 2). What is less than `best` may come out as less
    than it is worth.
    """
    top: cython.Py_ssize_t = gains.shape[0] - 2
    odds: cython.double = gains[top, i] * gains[top + 1, j] + gains[top + 1, i] * gains[top, j]
    weight: cython.double = 1.0 / (odds * odds)
    value: cython.double = weight * (posterior[i, i] + posterior[j, j] - 2.0 * posterior[i, j])
    if aimed:
        odds = weight * (gains[i, i] + gains[j, j] - 2.0 * gains[i, j]) / (1.0 + value)
        # The logarithm takes longer than all else, and is at most its argument.
        if (odds + share * value) * (1.0 + 1e-12) < best:
            return -1.0
        return odds + share * log1p(value)
    return value


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _choose(
    posterior: cython.double[:, ::1],
    gains: cython.double[:, ::1],
    board: cython.int[:, ::1],
    least: cython.int,
    n_active: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    share: cython.double,
    tie: cython.double,
) -> cython.longlong:
    """The pair worth most of those that the board marks at most `least` times, at random among equals."""
    n_items: cython.Py_ssize_t = posterior.shape[1]
    listed: cython.Py_ssize_t = n_items + 1
    top: cython.Py_ssize_t = gains.shape[0] - 2
    aimed: cython.bint = 0 < k < n_active
    a: cython.Py_ssize_t
    b: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    first: cython.Py_ssize_t = board[listed, 0]
    second: cython.Py_ssize_t = board[listed, 0]
    value: cython.double
    best: cython.double = -2.0
    highest: cython.double = posterior[n_items, board[listed, 0]]
    n_equal: cython.longlong = 0
    wanted: cython.longlong
    if aimed:
        _aim(posterior, gains, board, n_active, k, tie)
    for a in range(n_active):
        highest = max(highest, posterior[n_items, board[listed, a]])
    for a in range(n_active):
        i = board[listed, a]
        gains[top, i] = exp(0.5 * (posterior[n_items, i] - highest))
        gains[top + 1, i] = exp(0.5 * (highest - posterior[n_items, i]))
    for a in range(n_active):
        i = board[listed, a]
        for b in range(a):
            j = board[listed, b]
            if board[i, j] > least:
                continue
            value = _worth(posterior, gains, i, j, aimed, share, best)
            if value > best:
                best = value
                n_equal = 1
                first = i
                second = j
            elif value == best:
                n_equal += 1
    if n_equal > 1:
        # Equals are many only at the very start; they are found again and counted off.
        wanted = cython.cast(cython.longlong, tie * n_equal)
        for a in range(n_active):
            i = board[listed, a]
            for b in range(a):
                j = board[listed, b]
                if board[i, j] <= least and _worth(posterior, gains, i, j, aimed, share, best) == best:
                    if wanted == 0:
                        first = i
                        second = j
                    wanted -= 1
    return first * 16777216 + second


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _least_marked(board: cython.int[:, ::1], n_active: cython.Py_ssize_t) -> cython.int:
    listed: cython.Py_ssize_t = board.shape[1] + 1
    a: cython.Py_ssize_t
    b: cython.Py_ssize_t
    least: cython.int = board[board[listed, 1], board[listed, 0]]
    for a in range(n_active):
        for b in range(a):
            least = min(least, board[board[listed, a], board[listed, b]])
    return least


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _choose_for(
    posterior: cython.double[:, ::1],
    gains: cython.double[:, ::1],
    board: cython.int[:, ::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    options: cython.const[cython.double][::1],
    tie: cython.double,
) -> cython.longlong:
    n_active: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, options[2])
    k: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, options[0])
    own: cython.Py_ssize_t
    least: cython.int = 0
    choice: cython.longlong
    for own in range(1, seen[voter, 0] + 1):
        board[seen[voter, own] >> 24, seen[voter, own] & 16777215] += 1
    if seen[voter, 0] >= n_active * (n_active - 1) // 2:
        least = _least_marked(board, n_active)
    choice = _choose(posterior, gains, board, least, n_active, k, options[1], tie)
    for own in range(1, seen[voter, 0] + 1):
        board[seen[voter, own] >> 24, seen[voter, own] & 16777215] = 0
    return choice


def choose(
    posterior: cython.double[:, ::1],
    gains: cython.double[:, ::1],
    board: cython.int[:, ::1],
    seen: cython.longlong[:, ::1],
    uniform: cython.double,
    options: cython.const[cython.double][::1],
) -> int:
    """The pair worth most to ask the voter of the only row of `seen`, of those that this voter was shown least often.

    gains (n_items + 10, n_items) is scratch: M, four contrasts, the same by their weights, and two rows for the odds.
    `uniform` decides between equals. options: k, or 0 for information about all scores; the share of that information
    in what counts beside the cut; and how many items may be asked about, at least two.
    """
    return _choose_for(posterior, gains, board, seen, 0, options, uniform)


def run(
    posterior: cython.double[:, ::1],
    gains: cython.double[:, ::1],
    board: cython.int[:, ::1],
    seen: cython.longlong[:, ::1],
    strengths: cython.const[cython.double][:, ::1],
    draws: cython.const[cython.double][:, ::1],
    votes: cython.int[:, ::1],
    options: cython.const[cython.double][::1],
) -> int:
    """Ask and answer some questions of a simulated vote; the number of the one after the last asked.

    seen, strengths, draws (n_questions, 6 or 7) and votes (n_questions, 4) as in `exposure.run`. options: as in
    `choose`, then the first question, the one after the last, and how many others are open when a question is answered.
    If there is a seventh, the last answer is left to the fit that follows. Nothing more is asked after a skip: the
    variance that was taken for its answer must be given back by a fit.
    """
    may_skip: cython.bint = draws.shape[1] > 6
    n_items: cython.Py_ssize_t = posterior.shape[1]
    last: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, options[4])
    fitted: cython.bint = options.shape[0] > 6
    n_open: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, options[5])
    one_for_all: cython.bint = strengths.shape[0] == 1
    row: cython.Py_ssize_t
    answered: cython.Py_ssize_t
    voter: cython.Py_ssize_t
    own: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    pair: cython.longlong
    lead: cython.double
    with cython.nogil:
        for row in range(cython.cast(cython.Py_ssize_t, options[3]), last):
            voter = votes[row, 0]
            pair = _choose_for(posterior, gains, board, seen, voter, options, draws[row, 0])
            i = pair >> 24
            j = pair & 16777215
            if board[n_items, i] > board[n_items, j] or (
                board[n_items, i] == board[n_items, j] and draws[row, 3] < 0.5
            ):
                i = j
                j = pair >> 24
            board[n_items, i] += 1
            board[n_items, j] -= 1
            own = seen[voter, 0] + 1
            seen[voter, 0] = own
            seen[voter, own] = pair
            lead = strengths[0 if one_for_all else voter, i] - strengths[0 if one_for_all else voter, j]
            votes[row, 1] = cython.cast(cython.int, i)
            votes[row, 2] = cython.cast(cython.int, j)
            votes[row, 3] = 2 if lead > draws[row, 4] else 0 if lead < draws[row, 5] else 1
            if may_skip and fabs(lead) < draws[row, 6]:
                votes[row, 3] = 3
            _absorb(posterior, gains, i, j)
            answered = row - n_open
            if answered >= 0:
                if votes[answered, 3] == 3:
                    last = row + 1
                    break
                if not (fitted and row + 1 == last):
                    _learn(posterior, votes[answered, 1], votes[answered, 2], 0.5 * votes[answered, 3])
    return last
