"""The workshop that pairvote comes from, and small published tables to try things on.

Each function makes its table anew from numbers in this file; nothing is read or downloaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.messages import shorten
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError

if TYPE_CHECKING:
    from pairvote.votes._votes import Votes

__all__ = ["Workshop", "baseball", "citations", "kalmar"]

_KALMAR_TITLES = (
    "Mer fokus på behovsanalys",
    "Satsa på fler testbäddar",
    "Utlys tävlingar online och ordna workshops i kreativa miljöer",
    "Nära dialog mellan företagare och upphandlare",
    "Innovationschef i kommunen",
    "Digital mötesplats med incitament",
    "Interna processer + incitament + öppenhet",
    "Ökad omvärldskunskap och behovsfokus",
    "Öppen innovation genom mötesplats",
    "Bjuda in till miljö för att testa och utveckla valda utmaningar",
    "Regionala budgetpottar för innovationsupphandling",
    "Upphandla genom öppen innovationstävling",
    "Handbok om innovationsupphandling",
    "Innovationsbudget där pengarna brinner inne",
    "Allmänna Bestämmelser för Innovationer ABI15",
    "Gemensamt ansvar för folkhälsan genom innovationssluss",
    "Lokal visionsplattform",
    "Näringslivet utvecklar upphandlingsunderlag",
    "Gemensamma mål",
    "Mätinstrument för kvalitet i vården för rättvisa upphandlingar",
    "Tillåta rörliga priser",
    "Samverkan Migrationsverket och Arbetsförmedlingen",
    "En-väg-in",
)
_KALMAR_SOURCE = (
    "Workshop of IVA, the Royal Swedish Academy of Engineering Sciences, in Kalmar, Sweden, 2014. Its report "
    "gives the proposals and the five winners; the individual votes were never published."
)

_TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
# Row: home team. Column: visitors. Wins of the home team, then of the visitors.
_HOME_WINS = (
    (0, 4, 4, 4, 6, 4, 6),
    (3, 0, 4, 4, 6, 6, 4),
    (2, 4, 0, 2, 4, 4, 6),
    (3, 5, 2, 0, 4, 4, 6),
    (5, 2, 3, 4, 0, 5, 6),
    (2, 3, 3, 4, 4, 0, 2),
    (2, 1, 1, 2, 1, 3, 0),
)
_AWAY_WINS = (
    (0, 3, 2, 3, 1, 2, 0),
    (3, 0, 2, 3, 0, 1, 3),
    (5, 3, 0, 4, 3, 2, 0),
    (3, 1, 5, 0, 3, 2, 1),
    (1, 5, 3, 2, 0, 2, 0),
    (5, 3, 4, 3, 2, 0, 4),
    (5, 5, 6, 4, 6, 4, 0),
)

_JOURNALS = ("Biometrika", "Comm Statist", "JASA", "JRSS-B")
# Row: the journal cited. Column: the journal that cites it.
_CITATIONS = (
    (0, 730, 498, 221),
    (33, 0, 68, 17),
    (320, 813, 0, 142),
    (284, 276, 325, 0),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Workshop:
    """A workshop that voted two proposals at a time: what was published of it.

    Attributes
    ----------
    titles : tuple of str
        The proposals, in the order of the report's numbers.
    winners : tuple of str
        The proposals that were taken forward, best first.
    n_voters : int
        How many people took part, at most.
    votes_each : int
        Votes that each of them had.
    n_winners : int
        How many proposals were to be taken forward.
    source : str
        Where this comes from, and what is not known.
    """

    titles: tuple[str, ...]
    winners: tuple[str, ...]
    n_voters: int
    votes_each: int
    n_winners: int
    source: str

    def simulated_votes(self, *, rng: Rng = None, ties: float = 0.0) -> Votes:
        """Votes made up by a random generator to stand in for the real ones, which were never published.

        Strengths, in log-odds, are drawn from Normal(0, 1), and the highest are given to the winners in their
        order. Each vote shows two different proposals drawn uniformly at random, which was the workshop's own
        rule, and is answered with P(left) : P(right) : P(tie) = e^(d/2) : e^(-d/2) : ties, where d is the
        left strength less the right: Davidson's (1970) model, which without ties is that of Bradley and
        Terry (1952). Everybody's first vote comes first, then everybody's second, and so on.

        Parameters
        ----------
        rng : None, int or numpy.random.Generator
            The source of randomness; the same seed gives the same votes.
        ties : float
            Davidson's tie parameter: two equally strong proposals tie with probability ties / (2 + ties).

        Returns
        -------
        Votes
            n_voters x votes_each votes, with voters 1 to n_voters.

        Raises
        ------
        InputError
            If `ties` is negative or not finite.

        References
        ----------
        Bradley, R. A. and Terry, M. E. (1952). Rank analysis of incomplete block designs: I. The method of
        paired comparisons. Biometrika 39, 324-345.

        Davidson, R. R. (1970). On extending the Bradley-Terry model to accommodate ties in paired comparison
        experiments. Journal of the American Statistical Association 65, 317-328.

        Examples
        --------
        >>> import pairvote as pv
        >>> len(pv.datasets.kalmar().simulated_votes(rng=2014))
        600
        """
        from pairvote._common.outcomes import Outcome
        from pairvote.votes._votes import Votes

        rng = generator(rng)
        if not (isinstance(ties, Real) and 0 <= ties < math.inf):
            raise InputError(f"ties is {shorten(ties)}; pass Davidson's tie parameter, a finite number from 0 up")
        n_items, n_votes = len(self.titles), self.n_voters * self.votes_each

        drawn = rng.normal(size=n_items)
        best = np.argsort(-drawn)[: len(self.winners)]
        winners = [self.titles.index(title) for title in self.winners]
        strengths = np.empty(n_items)
        strengths[winners] = drawn[best]
        strengths[np.delete(np.arange(n_items), winners)] = np.delete(drawn, best)

        left = rng.integers(n_items, size=n_votes)
        right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
        difference = strengths[left] - strengths[right]
        left_wins, right_wins = np.exp(difference / 2), np.exp(-difference / 2)
        # One uniform number a vote: right wins below the first bound, left wins above the second.
        point = rng.random(n_votes) * (left_wins + right_wins + ties)
        outcome = np.full(n_votes, Outcome.TIE, np.uint8)
        outcome[point < right_wins] = Outcome.RIGHT
        outcome[point >= right_wins + ties] = Outcome.LEFT
        voter = np.tile(np.arange(1, self.n_voters + 1), self.votes_each)
        return Votes.from_codes(left, right, outcome, items=self.titles, voter=voter)


def kalmar() -> Workshop:
    """The Kalmar workshop of 2014: 23 written proposals, at most 30 people, twenty votes each, five winners.

    The titles are in Swedish. The individual votes were never published; `Workshop.simulated_votes` makes
    some up.

    Returns
    -------
    Workshop
        Titles, winners and rules.

    References
    ----------
    IVA, Royal Swedish Academy of Engineering Sciences (2014). Workshop in Kalmar, Sweden.

    Examples
    --------
    >>> import pairvote as pv
    >>> workshop = pv.datasets.kalmar()
    >>> len(workshop.titles), workshop.n_voters, workshop.votes_each
    (23, 30, 20)
    >>> workshop.winners[0]
    'Mer fokus på behovsanalys'
    """
    return Workshop(
        titles=_KALMAR_TITLES,
        winners=_KALMAR_TITLES[:5],
        n_voters=30,
        votes_each=20,
        n_winners=5,
        source=_KALMAR_SOURCE,
    )


def baseball() -> Votes:
    """The games among seven baseball teams of the American League's Eastern division in the 1987 season.

    Left is the home team and right the visitors, so a position effect is the advantage of playing at home.
    The table has counts, not dates: rows stand pair by pair, and their order means nothing.

    Returns
    -------
    Votes
        273 games, one row each, among 7 items; no ties.

    References
    ----------
    Agresti, A. (2002). Categorical Data Analysis, 2nd edition, section 10.6. Wiley.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.baseball()
    >>> len(votes), votes.n_items
    (273, 7)
    """
    return _votes_from_counts(_HOME_WINS, _AWAY_WINS, _TEAMS)


def citations() -> Votes:
    """Citations between four journals of statistics, each a vote for the journal cited over the one citing.

    Citations of a journal by itself are left out. The table has counts, not dates: rows stand pair by pair,
    of each pair the journal first in the alphabet on the left, and their order means nothing.

    Returns
    -------
    Votes
        3,727 citations, one row each, among 4 items; no ties.

    References
    ----------
    Stigler, S. M. (1994). Citation patterns in the journals of statistics and probability. Statistical
    Science 9, 94-108. The four are those in Agresti, A. (2002). Categorical Data Analysis, p. 448. Wiley.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.citations()
    >>> len(votes), votes.items
    (3727, ('Biometrika', 'Comm Statist', 'JASA', 'JRSS-B'))
    """
    cited = np.array(_CITATIONS)
    return _votes_from_counts(np.triu(cited), np.triu(cited.T), _JOURNALS)


def _votes_from_counts(left_wins: ArrayLike, right_wins: ArrayLike, items: Sequence[str]) -> Votes:
    """One row for each win; entry (i, j) of the counts, of shape (n_items, n_items), has i on the left."""
    from pairvote._common.outcomes import Outcome
    from pairvote.votes._votes import Votes

    counts: NDArray[np.intp] = np.stack([left_wins, right_wins], axis=-1).astype(np.intp)
    left, right, side = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0).T
    outcome = np.where(side == 0, Outcome.LEFT, Outcome.RIGHT).astype(np.uint8)
    return Votes.from_codes(left, right, outcome, items=items)
