r"""Strategies that look at the answers so far, to ask where the next one is worth most.

The scores have a normal posterior with mean :math:`m` and covariance :math:`S`. An answer to the pair :math:`(i, j)`,
with :math:`c = e_i - e_j`, chance :math:`p = \sigma(c'm)` and information :math:`w = p(1 - p)`, turns the precision
:math:`S^{-1}` into :math:`S^{-1} + w\,cc'`, so with :math:`v = c'Sc`

.. math:: S \leftarrow S - \frac{w}{1 + wv}\,(Sc)(Sc)', \qquad m \leftarrow m + Sc\,(y - p).

The posterior's entropy falls by :math:`\frac12 \log(1 + wv)`: the expected information (Lindley 1956) of the answer in
the normal approximation. A contrast :math:`u'\theta` loses the variance :math:`w (u'Sc)^2 / (1 + wv)`.

References
----------
Lindley (1956), "On a measure of the information provided by an experiment", Annals of Mathematical Statistics 27(4).
Chaloner and Verdinelli (1995), "Bayesian experimental design: a review", Statistical Science 10(3).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import shorten
from pairvote._kernels import batch, exposure, gaussian
from pairvote.errors import InputError
from pairvote.sampling._belief import LARGEST_COVARIANCE, N_SCRATCH_ROWS, Belief, DiagonalBelief, WholeBelief
from pairvote.sampling._board import Board, Ints, Longs
from pairvote.sampling._checks import check_positive
from pairvote.sampling._stream import PairStream, Sampler, WholeVote
from pairvote.sampling._whole_vote import check_shapes, check_uniforms, empty_votes

__all__ = ["InformationGain", "TopK"]

# Items that are weighed against each other where there are too many for all pairs.
N_CANDIDATES = 64
EVERY_PAIR_ALIKE = np.zeros(4)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _ByBelief(Sampler):
    """A rule over the posterior."""

    uniforms_used: ClassVar[int] = 1

    def choose(self, stream: PairStream, voter: Hashable, uniforms: Floats) -> tuple[int, int]:
        """The pair that is worth most."""
        belief, seen = stream.state, stream._board.seen_by(voter)
        if isinstance(belief, WholeBelief):
            pair = gaussian.choose(belief.posterior, belief.gains, belief.board, seen, uniforms[0], belief.options)
            return pair >> 24, pair & 0xFFFFFF
        return self._of_many(cast(DiagonalBelief, belief), stream._board, seen, uniforms)

    def whole_vote(self, n_items: int, turns: Ints, *, votes_each: int, n_open: int) -> WholeVote | None:
        """Prepare a whole vote, in one call of the kernel from one exact fit to the next; None for many items."""
        belief = self.begin(n_items)
        if not isinstance(belief, WholeBelief):
            return None
        votes, n_voters = empty_votes(n_items, turns)
        n_votes = len(votes)
        seen = np.zeros((n_voters, int(np.bincount(votes[:, 0]).max()) + 1), np.int64)
        prior = np.diag(np.full(n_items, belief.prior_sd**2))
        options = np.append(belief.options, [0.0, 0.0, n_open, 1.0])

        def vote(strengths: Floats, draws: Floats) -> Ints:
            check_shapes(votes, n_voters, n_items, strengths, draws)
            check_uniforms(draws, self.uniforms_used)
            seen[:, 0] = 0
            belief.forget(prior)
            row = n_counted = 0
            while row < n_votes:
                options[3], options[4] = row, min(n_votes, n_counted + n_open + belief.refit_every)
                row = gaussian.run(belief.posterior, belief.gains, belief.board, seen, strengths, draws, votes, options)
                n_answered = max(row - n_open, 0)
                batch.count_questions(votes, belief.table, n_items, n_counted, n_answered)
                n_counted = n_answered
                if row < n_votes:
                    belief.refit()
                    for _, left, right, _ in votes[n_answered:row].tolist():
                        belief.absorb(left, right)
            return votes

        return vote

    def begin(self, n_items: int) -> Belief:
        """Make the posterior of the scores before any answer."""
        raise NotImplementedError

    def _of_many(self, belief: DiagonalBelief, board: Board, seen: Longs, uniforms: Floats) -> tuple[int, int]:
        candidates, options = self._candidates(belief, board.active, uniforms)
        n_candidates, n_pairs = len(candidates), board.n_active * (board.n_active - 1) // 2
        local = _seen_among(candidates, seen)
        if seen[0, 0] >= n_pairs or local[0, 0] >= n_candidates * (n_candidates - 1) // 2:
            # Whoever has seen as much as that is shown what is left.
            pair = exposure.choose(board.items, board.levels, board.pairs, seen, uniforms[None], EVERY_PAIR_ALIKE)
            return pair >> 24, pair & 0xFFFFFF
        posterior = np.zeros((n_candidates + 1, n_candidates))
        posterior.flat[: n_candidates**2 : n_candidates + 1] = 1.0 / belief.precision[candidates]
        posterior[-1] = belief.mean[candidates]
        places = np.zeros((n_candidates + 2, n_candidates), np.int32)
        places[-1] = np.arange(n_candidates)
        gains = np.empty((n_candidates + N_SCRATCH_ROWS, n_candidates))
        pair = gaussian.choose(posterior, gains, places, local, uniforms[0], options)
        return int(candidates[pair >> 24]), int(candidates[pair & 0xFFFFFF])

    def _candidates(self, belief: DiagonalBelief, active: Ints, uniforms: Floats) -> tuple[Ints, Floats]:
        """Which of many items to weigh against each other, ascending, and the kernel's options for them."""
        n_active = len(active)
        stride = 1 + int(uniforms[2] * ((n_active - 1) // N_CANDIDATES))
        places = (int(uniforms[1] * n_active) + stride * np.arange(min(n_active, N_CANDIDATES))) % n_active
        return active[np.sort(places)], np.array([0.0, 0.0, len(places)])


@dataclass(frozen=True)
class InformationGain(_ByBelief):
    """The pair whose answer is expected to say most about the scores.

    That with the largest w v, of those that this voter was shown least often; see the equations above. Open questions
    count as answered in the covariance, so that many voters at once do not all get the same pair.
    Up to 300 items all pairs are weighed, with the covariance of all scores. Of more, 64 items are, evenly spaced from
    a random one on, as if their scores were independent.

    Parameters
    ----------
    prior_sd : float, default 1.0
        The standard deviation of the normal prior on each score, in log-odds.
    refit_every : int, optional
        How many answers apart the posterior is fitted exactly; a quarter of n_items, but at least 5, and n_items where
        there are more than 300.

    Raises
    ------
    InputError
        Where one of them is not positive and finite.

    References
    ----------
    Li, Mantiuk, Wang, Ling and Le Callet (2018), "Hybrid-MST: a hybrid active sampling strategy for pairwise preference
    aggregation", NeurIPS 31, and Mikhailiuk, Wilmot, Perez-Ortiz, Yue and Mantiuk (2021), "Active sampling for
    pairwise comparisons via approximate message passing and information gain maximization", ICPR, for the criterion.

    Examples
    --------
    >>> import pairvote as pv
    >>> stream = pv.sampling.InformationGain().start(5, rng=1)
    >>> for voter in ["anna", "bo"]:
    ...     stream.reserve(voter, *stream.propose(voter))
    >>> sorted(stream.shown.tolist())
    [0, 1, 1, 1, 1]
    """

    prior_sd: float = 1.0
    refit_every: int | None = None

    def __post_init__(self) -> None:
        _check_belief(self.prior_sd, self.refit_every)

    def begin(self, n_items: int) -> Belief:
        return _new_belief(n_items, self.prior_sd, self.refit_every)


@dataclass(frozen=True)
class TopK(_ByBelief):
    r"""The pair whose answer takes most variance out of what decides which k items are the best.

    With a and b the items now k-th and next, :math:`c_q` the contrast of item q with the midpoint of a and b (for a and
    b their difference), :math:`v_q` its variance and :math:`z_q` its mean over its standard deviation, the pair with
    the largest

    .. math:: \frac{w}{1 + wv}\, c' M c + s \log(1 + wv), \qquad
       M = \sum_q \frac{e^{-z_q^2 / 2}}{v_q} (S c_q)(S c_q)'

    of those that this voter was shown least often: the relative variance that it takes off every contrast, weighed by
    how much the contrast is in doubt, and s times the information about all scores. Otherwise as `InformationGain`; of
    more than 300 items the 64 most in doubt are weighed.

    Counting votes won means nothing after this: score by `bradley_terry`.

    Parameters
    ----------
    k : int
        How many items are to be found.
    prior_sd, refit_every
        As in `InformationGain`.
    information_share : float, default 0.05
        The s above.

    Raises
    ------
    InputError
        Where k is not a whole number from 1, or another is not positive and finite.

    Examples
    --------
    >>> import pairvote as pv
    >>> stream = pv.sampling.TopK(5).start(23, rng=1)
    >>> left, right = stream.propose("anna")
    >>> stream.record("anna", left, right, "tie")
    >>> stream.n_asked
    1
    """

    k: int
    prior_sd: float = 1.0
    refit_every: int | None = None
    information_share: float = 0.05

    def __post_init__(self) -> None:
        if not is_whole(self.k) or self.k < 1:
            raise InputError(f"k is {shorten(self.k)}; pass how many items are to be found, a whole number from 1")
        _check_belief(self.prior_sd, self.refit_every)
        if not is_number(self.information_share) or not 0 <= self.information_share < math.inf:
            raise InputError(
                f"information_share is {shorten(self.information_share)}; pass a number from 0, such as 0.05"
            )

    def begin(self, n_items: int) -> Belief:
        return _new_belief(n_items, self.prior_sd, self.refit_every, int(self.k), float(self.information_share))

    def _candidates(self, belief: DiagonalBelief, active: Ints, uniforms: Floats) -> tuple[Ints, Floats]:
        n_active, k = len(active), int(self.k)
        if k >= n_active:
            return super()._candidates(belief, active, uniforms)
        # Level means are told apart by their places, counted from a random one.
        turned = np.roll(active, -int(uniforms[1] * n_active))
        best_first = turned[np.argsort(-belief.mean[turned], kind="stable")]
        variances = 1.0 / belief.precision[best_first]
        leads = belief.mean[best_first] - 0.5 * (belief.mean[best_first[k - 1]] + belief.mean[best_first[k]])
        doubt = leads**2 / (variances + 0.25 * (variances[k - 1] + variances[k]))
        doubt[k - 1 : k + 1] = -1.0
        places = np.argsort(doubt, kind="stable")[:N_CANDIDATES]
        options = np.array([np.count_nonzero(places < k), self.information_share, len(places)])
        return np.sort(best_first[places]), options


def _seen_among(candidates: Ints, seen: Longs) -> Longs:
    """A voter's pairs of candidates, each once, in a row for the kernel, as pairs of places among the candidates."""
    pairs = np.unique(seen[0, 1 : 1 + seen[0, 0]])
    high, low = pairs >> 24, pairs & 0xFFFFFF
    both = np.isin(high, candidates) & np.isin(low, candidates)
    places = (np.searchsorted(candidates, high[both]) << 24) + np.searchsorted(candidates, low[both])
    return np.concatenate([[len(places)], places]).astype(np.int64)[None]


def _new_belief(
    n_items: int, prior_sd: float, refit_every: int | None, k: int = 0, information_share: float = 0.0
) -> Belief:
    if n_items > LARGEST_COVARIANCE:
        return DiagonalBelief(n_items, prior_sd, refit_every)
    return WholeBelief(n_items, prior_sd, refit_every, k, information_share)


def _check_belief(prior_sd: float, refit_every: int | None) -> None:
    check_positive(prior_sd, "prior_sd", "pass a positive number of log-odds, such as 1")
    if refit_every is not None and (not is_whole(refit_every) or refit_every < 1):
        raise InputError(f"refit_every is {shorten(refit_every)}; pass a whole number from 1, or None")
