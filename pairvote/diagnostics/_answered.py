"""How questions were answered: ties and skips by pair."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._common.outcomes import Outcome
from pairvote._inference import PriorOption
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus, added_up, check_votes, pair_keys
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, chance, named
from pairvote.votes._votes import Votes

UNLIKELY = 0.01
MUCH_SKIPPED = 0.2


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers(Part):
    """Ties and skips, by pair whichever side its items stood on; the most skipped pairs first, then the most tied.

    Attributes
    ----------
    pairs : tuple of pairs of labels, length n_pairs
    shown, tied, skipped : int64 arrays, shape (n_pairs,)
        Questions, and those of them that were answered with a tie, and skipped.
    expected_ties : float64 array, shape (n_pairs,)
        By Davidson's model: close pairs tie more often.
    skip_p, tie_p : float
        The chance that skips, and ties beyond what the model expects, gather so much on single pairs.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.answers(pv.datasets.baseball()))
    Ties and skips
      0 ties and 0 skips in 273 questions (0.0% and 0.0%)
    """

    title = "Ties and skips"

    pairs: tuple[tuple[Hashable, Hashable], ...]
    shown: NDArray[np.int64]
    tied: NDArray[np.int64]
    skipped: NDArray[np.int64]
    expected_ties: NDArray[np.float64]
    skip_p: float
    tie_p: float

    def _blocks(self) -> Iterator[Block]:
        n_shown, n_tied, n_skipped = (int(counts.sum()) for counts in (self.shown, self.tied, self.skipped))
        yield (
            f"{plural(n_tied, 'tie')} and {plural(n_skipped, 'skip')} in {plural(n_shown, 'question')} "
            f"({n_tied / n_shown:.1%} and {n_skipped / n_shown:.1%})"
        )
        if n_tied:
            yield f"ties on single pairs: {chance(self.tie_p)} that the model scatters them so unevenly"
        if n_skipped:
            yield f"skips on single pairs: {chance(self.skip_p)} that chance scatters them so unevenly"
        unusual = [
            place for place in range(min(len(self.pairs), MOST_ROWS)) if self.skipped[place] + self.tied[place] > 1
        ]
        if unusual and min(self.skip_p if n_skipped else 1.0, self.tie_p if n_tied else 1.0) < UNLIKELY:
            yield Table(
                ("pair", "", "questions", "ties", "expected", "skips"),
                [
                    (
                        *map(named, self.pairs[place]),
                        f"{self.shown[place]}",
                        f"{self.tied[place]}",
                        f"{self.expected_ties[place]:.1f}",
                        f"{self.skipped[place]}",
                    )
                    for place in unusual
                ],
                text_columns=(0, 1),
            )

    def _concerns(self) -> Iterator[str]:
        share = self.skipped.sum() / self.shown.sum()
        if share > MUCH_SKIPPED:
            yield f"{share:.0%} of all questions were skipped, and what the voters thought of them is not known"
        if self.skip_p < UNLIKELY:
            yield f"skips gather on some pairs ({chance(self.skip_p)}); those pairs may be hard to understand"


def answers(votes: Votes, *, criterion: Hashable | None = None, prior_sd: PriorOption = PRIOR_SD) -> Answers:
    r"""Ties and skips by pair, and whether they gather on some.

    Skips are held against one share for all pairs, ties against what Davidson's model expects of each, both by
    :math:`\sum (x_p - E_p)^2 / E_p (1 - E_p / n_p)` over pairs, with the mean and the variance that it has where
    votes are independent and E is known, and a normal tail.

    Parameters
    ----------
    votes : Votes
        A row is one question, whatever its weight.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`.

    Raises
    ------
    InputError
        For votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    Davidson (1970), JASA 65, equation 2.3. McCullagh (1985), "On the asymptotic distribution of Pearson's statistic
    in linear exponential-family models", Int. Stat. Rev. 53, for sparse tables.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels(["ash"] * 4, ["birch"] * 4, ["left", "right", "tie", "skip"])
    >>> found = pv.diagnostics.answers(votes)
    >>> found.shown.tolist(), found.tied.tolist(), found.skipped.tolist(), found.expected_ties.round(2).tolist()
    ([4], [1], [1], [1.07])
    """
    votes = check_votes(votes, criterion)
    return answers_of(votes, Consensus.of(votes, None, prior_sd))


def answers_of(votes: Votes, consensus: Consensus) -> Answers:
    """Answers by a fit at hand."""
    keys = pair_keys(votes)
    pairs, pair = np.unique(keys, return_inverse=True)
    chances = added_up(
        np.searchsorted(pairs, pair_keys(consensus.rows)),
        consensus.probabilities[consensus.pair, Outcome.TIE],
        len(pairs),
    )
    shown, tied, skipped = (
        np.bincount(pair, mask, len(pairs)).astype(np.int64)
        for mask in (None, votes.outcome == Outcome.TIE, votes.outcome == Outcome.SKIP)
    )
    order = np.lexsort((-tied, -skipped))
    low, high = np.divmod(pairs[order], votes.n_items)
    labels = tuple((votes.items[i], votes.items[j]) for i, j in zip(low.tolist(), high.tolist(), strict=True))
    return Answers(
        pairs=labels,
        shown=shown[order],
        tied=tied[order],
        skipped=skipped[order],
        expected_ties=chances[order],
        skip_p=_scatter_p(skipped, shown, np.full(len(pairs), skipped.sum() / len(votes))),
        tie_p=_scatter_p(tied, shown - skipped, chances / np.maximum(shown - skipped, 1)),
    )


def _scatter_p(found: NDArray[np.int64], n: NDArray[np.int64], share: NDArray[np.float64]) -> float:
    """The upper tail of Pearson's statistic of binomial counts, by its own mean and variance."""
    from scipy.stats import norm

    some = (n > 0) & (share > 0) & (share < 1)
    if not some.any():
        return 1.0
    found, n, share = found[some], n[some], share[some]
    variance = n * share * (1 - share)
    statistic = ((found - n * share) ** 2 / variance).sum()
    # Each term has mean 1 and, for a binomial count, this variance.
    spread = (2.0 + (1.0 - 6.0 * share * (1.0 - share)) / variance).sum()
    return float(norm.sf((statistic - len(n)) / math.sqrt(max(spread, 1e-300))))
