# cython: language_level=3, cdivision=True
"""Many small votes at once: each counted by item and pair, and its scores compared with the truth.

Row r of every array is repetition r. A pair (i, j), i < j, of n items has the place i (2n - i - 1) / 2 + j - i - 1.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import sqrt
else:
    from math import sqrt

COMPILED = cython.compiled


def count_votes(
    left: cython.const[cython.int][:, ::1],
    right: cython.const[cython.int][:, ::1],
    outcome: cython.const[cython.uchar][:, ::1],
    totals: cython.double[:, :, ::1],
    tables: cython.double[:, :, ::1],
) -> None:
    """Add the votes to `totals` (n_repetitions, n_items, 4): lost, tied, won, skipped; and but for skips to `tables`.

    tables (n_repetitions, n_pairs, 3): right, tie, left as if the lower item had stood on the left; or of no pairs.
    """
    n_votes: cython.Py_ssize_t = left.shape[1]
    n_items: cython.Py_ssize_t = totals.shape[1]
    by_pair: cython.bint = tables.shape[1] > 0
    r: cython.Py_ssize_t
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    with cython.nogil:
        for r in range(left.shape[0]):
            for row in range(n_votes):
                i = left[r, row]
                j = right[r, row]
                seen = outcome[r, row]
                totals[r, i, seen] += 1.0
                totals[r, j, (2 - seen) & 3] += 1.0
                if by_pair and seen != 3:
                    if i > j:
                        i = j
                        j = left[r, row]
                        seen = 2 - seen
                    tables[r, i * (2 * n_items - i - 1) // 2 + j - i - 1, seen] += 1.0


def count_questions(
    votes: cython.const[cython.int][:, ::1],
    table: cython.double[:, ::1],
    n_items: cython.Py_ssize_t,
    first: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Add the answers from `first` to before `last` to `table` (n_pairs, 3); how many of them are none, but skips.

    votes (n_questions, 4): voter, left, right and outcome.
    """
    n_skips: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    with cython.nogil:
        for row in range(first, last):
            i = votes[row, 1]
            j = votes[row, 2]
            seen = votes[row, 3]
            if seen == 3:
                n_skips += 1
                continue
            if i > j:
                i = j
                j = votes[row, 1]
                seen = 2 - seen
            table[i * (2 * n_items - i - 1) // 2 + j - i - 1, seen] += 1.0
    return n_skips


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _share(n_above: cython.Py_ssize_t, n_level: cython.Py_ssize_t, k: cython.Py_ssize_t) -> cython.double:
    """How much of a place among the best k an item has, so many being above it, and level with it, itself included."""
    vacant: cython.double = cython.cast(cython.double, k - n_above)
    if n_above >= k:
        return 0.0
    return 1.0 if n_level <= k - n_above else vacant / n_level


def compare(
    truth: cython.const[cython.double][:, ::1],
    scores: cython.const[cython.double][:, ::1],
    k: cython.Py_ssize_t,
    within: cython.double,
    places: cython.int[:, ::1],
    found: cython.double[:, ::1],
) -> None:
    """Fill `found` (n_repetitions, 5): exact top k, overlap, regret, Kendall's tau-b, Spearman's rho.

    Scores not more than `within` apart are level; whoever is level at the k-th place shares the places left, as if
    drawn by lot. places (4, n_items) is scratch. Where all are level, correlations are 0.
    """
    n_items: cython.Py_ssize_t = truth.shape[1]
    r: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    a: cython.int
    b: cython.int
    gap: cython.double
    both: cython.double
    ours: cython.double
    theirs: cython.double
    in_truth: cython.double
    in_scores: cython.double
    exact: cython.double
    needed: cython.Py_ssize_t
    free: cython.Py_ssize_t
    level: cython.Py_ssize_t
    vacant: cython.Py_ssize_t
    with cython.nogil:
        for r in range(truth.shape[0]):
            # Rows: of the truth, the items below less those above, and those level; and the same of the scores.
            for i in range(n_items):
                places[0, i] = 0
                places[1, i] = 1
                places[2, i] = 0
                places[3, i] = 1
            both = 0.0
            ours = 0.0
            theirs = 0.0
            for i in range(n_items):
                for j in range(i):
                    gap = truth[r, i] - truth[r, j]
                    a = (gap > 0.0) - (gap < 0.0)
                    gap = scores[r, i] - scores[r, j]
                    b = (gap > within) - (gap < -within)
                    both += a * b
                    ours += a * a
                    theirs += b * b
                    places[0, i] += a
                    places[0, j] -= a
                    places[1, i] += 1 - a * a
                    places[1, j] += 1 - a * a
                    places[2, i] += b
                    places[2, j] -= b
                    places[3, i] += 1 - b * b
                    places[3, j] += 1 - b * b
            found[r, 3] = both / sqrt(ours * theirs) if ours * theirs > 0.0 else 0.0
            both = 0.0
            ours = 0.0
            theirs = 0.0
            found[r, 1] = 0.0
            found[r, 2] = 0.0
            exact = 1.0
            needed = 0
            free = 0
            level = 0
            vacant = k
            for i in range(n_items):
                a = places[0, i]
                b = places[2, i]
                # Midranks are (n + 1 - place) / 2.
                both += cython.cast(cython.double, a) * b
                ours += cython.cast(cython.double, a) * a
                theirs += cython.cast(cython.double, b) * b
                # below + above + level = n, and below - above = place.
                in_truth = _share((n_items - places[1, i] - a) // 2, places[1, i], k)
                in_scores = _share((n_items - places[3, i] - b) // 2, places[3, i], k)
                found[r, 1] += min(in_truth, in_scores) / k
                found[r, 2] += (in_truth - in_scores) * truth[r, i] / k
                if in_scores == 1.0:
                    vacant -= 1
                    if in_truth == 0.0:
                        exact = 0.0
                elif in_scores == 0.0:
                    if in_truth == 1.0:
                        exact = 0.0
                else:
                    level += 1
                    if in_truth == 1.0:
                        needed += 1
                    elif in_truth > 0.0:
                        free += 1
            found[r, 4] = both / sqrt(ours * theirs) if ours * theirs > 0.0 else 0.0
            # By lot, `vacant` of those level: all that are needed, and the others of those whom the truth leaves free.
            if needed > vacant or free < vacant - needed:
                exact = 0.0
            for i in range(vacant):
                exact *= (i + 1.0) / (level - i)
            for i in range(vacant - needed):
                exact *= (free - i) / (i + 1.0)
            found[r, 0] = exact
