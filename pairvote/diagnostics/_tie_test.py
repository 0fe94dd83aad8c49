r"""Whether all items, or all voters, tie alike, as Davidson's one tie parameter has it.

Let a vote's tie parameter be :math:`\nu e^{z t}` in place of :math:`\nu`: with :math:`z = e_i + e_j` each item has a
readiness to tie of its own, :math:`\log \nu_{ij} = \log \nu + t_i + t_j`; with :math:`z = e_v` each voter; or z are
covariates of the vote. In :math:`(d, \log \nu_{ij})` Davidson's model is an exponential family, so at t = 0 the score
of t is what ties there are beyond those expected, and its information is that of the log tie parameter:

.. math:: U = \sum z (y - p_t), \quad I_{tt} = \sum z z'\, p_t (1 - p_t), \quad
    I_{t\psi} = \sum z \left(\mathrm{Cov}(x, y)\, \tfrac{\partial d}{\partial \psi}, p_t (1 - p_t)\right),

y being 1 for a tie and :math:`\psi` all other parameters, whose fit leaves :math:`V = I_{tt} - I_{t\psi} C I_{\psi t}`
of the variance, C their covariance. Of many items or voters, t is taken for scatter with a variance :math:`\tau^2`;
then the derivative of the likelihood by :math:`\tau^2` at 0 is :math:`(U'U - \mathrm{tr} V) / 2`, so that the
statistic is U'U, and :math:`E[UU'] \approx V + \tau^2 V V` gives
:math:`\hat\tau^2 = (U'U - \mathrm{tr} V) / \mathrm{tr}(V V)`. Of few covariates the statistic is Rao's
:math:`U' V^{-1} U`. How large either is by chance, votes simulated from the fit say, each fitted anew.

References
----------
Davidson (1970), JASA 65, for the model. Rao (1948), Proc. Cambridge Phil. Soc. 44, for the score test. Liang (1987), "A
locally most powerful test for homogeneity with many strata", Biometrika 74, and le Cessie and van Houwelingen (1995),
"Testing the fit of a regression model via score tests in random effects models", Biometrics 51, for that of scatter.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.messages import plural, wrong_option
from pairvote._common.options import check_jobs
from pairvote._common.outcomes import Outcome
from pairvote._common.random import Rng, generator
from pairvote._inference import PriorOption, check_covariates
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus, check_rate, no_voters
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, chance, named
from pairvote.diagnostics._residuals import tail
from pairvote.diagnostics._simulated import Statistic, check_simulation, simulate
from pairvote.errors import InputError
from pairvote.scoring._rows import counted_rows
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
TiesBy = Literal["item", "voter"] | ArrayLike
# Covariates that differ by less of their size are constant; those as large or as small are in an odd unit.
LEAST_SPREAD, LARGEST = 1e-10, 1e100


@dataclass(frozen=True, eq=False, kw_only=True)
class TieTest(Part):
    """Whether ties gather on some items, voters or values of a covariate, beyond what one tie parameter explains.

    Attributes
    ----------
    by : {"item", "voter", "covariates"}
    labels : tuple of labels
        The items or the voters who are known; the numbers of covariates.
    tied, expected : float64 arrays, shape (n_labels,)
        The weight of the ties of each, and how many are expected; of a covariate sums of its values over them.
    p : float
        The chance that votes with one tie parameter have so large a statistic, by simulation.
    spread : float
        For items and voters an estimate of the standard deviation of their log tie parameters; 0 where ties gather no
        more than expected, nan for covariates.
    rate : float
        With a `p` of at most this the tie parameter differs.

    Examples
    --------
    >>> import pairvote as pv
    >>> voters = pv.VoterModel(tie_parameter=0.7)
    >>> votes = pv.simulate(n_items=8, n_voters=12, votes_each=20, voters=voters, rng=2).votes(0)
    >>> found = pv.diagnostics.tie_test(votes, by="voter", rng=1)
    >>> found.p > 0.05, found.differs
    (True, False)
    """

    title = "Ties"

    by: str
    labels: tuple[Hashable, ...]
    tied: Floats
    expected: Floats
    p: float
    spread: float
    rate: float

    @property
    def differs(self) -> bool:
        """Whether the votes say that one tie parameter is not enough."""
        return self.p <= self.rate

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each item or voter, those with most ties beyond the expected first: label, tied and expected."""
        order = np.argsort(self.expected - self.tied, kind="stable")
        return {
            "label": [self.labels[place] for place in order.tolist()],
            "tied": self.tied[order].tolist(),
            "expected": self.expected[order].tolist(),
        }

    def _blocks(self) -> Iterator[Block]:
        claim = "ties depend on them" if self.by == "covariates" else "ties gather on some"
        verdict = claim if self.differs else f"no sign that {claim}"
        spread = "" if math.isnan(self.spread) else f"; log tie parameters scatter by {self.spread:.2f}"
        noun = self.by.removesuffix("s")
        yield f"{plural(len(self.labels), noun)}: {verdict} ({chance(self.p)} by simulated votes{spread})"
        if self.differs and self.by != "covariates":
            columns = self.to_columns()
            rows = [
                (named(label), f"{tied:.6g}", f"{expected:.1f}")
                for label, tied, expected in zip(*columns.values(), strict=True)
            ]
            most = MOST_ROWS // 2
            shown = rows if len(rows) <= MOST_ROWS else [*rows[:most], *rows[-most:]]
            yield Table((self.by, "ties", "expected"), shown)

    def _concerns(self) -> Iterator[str]:
        if self.differs:
            what = "how readily votes tie depends on the covariates"
            if self.by != "covariates":
                what = f"some {self.by}s go with more ties than others"
            yield f"{what} ({chance(self.p)}), which one tie parameter does not say"


@dataclass(frozen=True, eq=False, kw_only=True)
class Readiness:
    """What may make votes readier to tie.

    by : what it is called
    labels : those of the columns
    columns : sparse or dense, (n_rows, n_columns), the z of each answered vote
    centre, unit : (n_columns,), of covariates, of which `columns` are (value - centre) / unit; None for scatter
    inverse : the inverse of V, (n_columns, n_columns), for Rao's statistic; None for scatter
    """

    by: str
    labels: tuple[Hashable, ...]
    columns: Any
    centre: Floats | None = None
    unit: Floats | None = None
    inverse: Floats | None = None

    @property
    def noun(self) -> str:
        """What one column is of."""
        return self.by.removesuffix("s")

    def totals(self, consensus: Consensus) -> tuple[Floats, Floats]:
        """The ties that there are and those that are expected, or of covariates the sums of their values over them."""
        tied, expected = self.scores(consensus)
        if self.centre is None or self.unit is None:
            return tied, expected
        weight = consensus.weight
        n_tied = float(weight[consensus.rows.outcome == Outcome.TIE].sum())
        n_expected = float(weight @ consensus.probabilities[consensus.pair, Outcome.TIE])
        return self.unit * tied + self.centre * n_tied, self.unit * expected + self.centre * n_expected

    def scores(self, consensus: Consensus) -> tuple[Floats, Floats]:
        """The ties that there are and those that are expected, times z: two of shape (n_columns,)."""
        tied = (consensus.rows.outcome == Outcome.TIE) * consensus.weight
        expected = consensus.probabilities[consensus.pair, Outcome.TIE] * consensus.weight
        return np.asarray(self.columns.T @ tied), np.asarray(self.columns.T @ expected)

    def statistic(self, consensus: Consensus) -> float:
        """U'U, or U' V^-1 U."""
        tied, expected = self.scores(consensus)
        score = tied - expected
        return float(score @ score if self.inverse is None else score @ self.inverse @ score)

    def spread(self, consensus: Consensus) -> float:
        """The standard deviation of log tie parameters, by moments; nan of covariates."""
        if self.inverse is not None:
            return math.nan
        variance = self.variance(consensus)
        beyond = self.statistic(consensus) - float(np.trace(variance))
        return math.sqrt(max(beyond, 0.0) / max(float(np.square(variance).sum()), np.finfo(float).tiny))

    def variance(self, consensus: Consensus) -> Floats:
        """V: float64, shape (n_columns, n_columns)."""
        from scipy.sparse import csr_array

        model, pair = consensus.model, consensus.pair
        layout, counts = model.layout, consensus.counts
        right, tie, left = consensus.probabilities.T
        by_tie = (tie * (1.0 - tie))[pair] * consensus.weight
        by_both = (0.5 * tie * (right - left))[pair] * consensus.weight
        n_rows = len(pair)
        columns = csr_array(self.columns)
        within = (columns * by_tie[:, None]).T @ columns
        ends = (np.repeat(np.arange(n_rows), 2), np.stack([counts.left[pair], counts.right[pair]], axis=1).ravel())
        difference = csr_array((np.tile([1.0, -1.0], n_rows), ends), shape=(n_rows, layout.n_items))
        across = np.zeros((columns.shape[1], layout.size))
        across[:, layout.scores] = ((columns * by_both[:, None]).T @ difference).toarray()
        across[:, layout.nuisance] = np.asarray(columns.T @ by_tie)[:, None]
        if layout.has_position:
            across[:, layout.position] = np.asarray(columns.T @ by_both)[:, None]
        return np.asarray(within.toarray() - across @ consensus.fitted._inverse @ across.T)


def tie_test(
    votes: Votes,
    *,
    by: TiesBy = "item",
    rate: float = 0.05,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> TieTest:
    """Test whether items, or voters, differ in how readily they tie, beyond how close the scores are.

    Davidson's model has one tie parameter. Items that are much alike in kind, or voters who shun decisions, may tie
    more often than it says. Then scores change little, but chances of ties are wrong for them.

    Parameters
    ----------
    votes : Votes
    by : {"item", "voter"} or array_like of float, shape (n_votes,) or (n_votes, n_covariates)
        What ties may depend on. Votes of unknown voters stand for themselves and say nothing. An array holds covariates
        of each vote, whose coefficients in the log tie parameter are tested together.
    rate : float
        How often votes with one tie parameter are said to have several.
    n_simulations : int, optional
        From 99; by default 499, of large votes fewer, down to 199.
    rng : None, int or numpy.random.Generator
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`; finite.
    n_jobs : int
        How many processes simulate, -1 for all cores; the answer is the same for any.
    progress : bool
        Show a bar of the simulations.

    Returns
    -------
    TieTest

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered or of which none is a tie, votes that do not say who
        voted with ``by="voter"``, constant covariates, and for more than 4,000 items.

    References
    ----------
    Davidson (1970), JASA 65. Rao (1948), Proc. Cambridge Phil. Soc. 44. Liang (1987), Biometrika 74.

    Examples
    --------
    >>> import pairvote as pv
    >>> voters = pv.VoterModel(tie_parameter=0.7)
    >>> votes = pv.simulate(n_items=8, n_voters=12, votes_each=20, voters=voters, rng=1).votes(0)
    >>> print(pv.diagnostics.tie_test(votes, rng=1))
    Ties
      8 items: no sign that ties gather on some (p = 0.76 by simulated votes; log tie parameters scatter by 0.00)
    """
    check_rate(rate)
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, criterion, prior_sd)
    if not (consensus.rows.outcome == Outcome.TIE).any():
        raise InputError("nobody tied, so nothing is known of who ties", option="votes")
    asked = readiness_of(votes, consensus, criterion, by)
    (drawn,) = simulate(
        consensus, n_simulations, generator(rng), [statistic_of(asked)], n_jobs=n_jobs, progress=progress
    )
    return tie_test_of(consensus, asked, drawn[:, 0], rate)


def statistic_of(readiness: Readiness) -> Statistic:
    """The statistic of a test, of simulated votes."""
    return partial(_statistic, readiness)


def _statistic(readiness: Readiness, drawn: Consensus) -> tuple[float]:
    return (readiness.statistic(drawn),)


def tie_test_of(consensus: Consensus, readiness: Readiness, drawn: Floats, rate: float) -> TieTest:
    """The test, given its statistic in simulated votes."""
    tied, expected = readiness.totals(consensus)
    found = np.array([readiness.statistic(consensus)])
    return TieTest(
        by=readiness.by,
        labels=readiness.labels,
        tied=tied,
        expected=expected,
        p=float(tail(found, drawn)[0]),
        spread=readiness.spread(consensus),
        rate=rate,
    )


def readiness_of(votes: Votes, consensus: Consensus, criterion: Hashable | None, by: TiesBy) -> Readiness:
    """What votes may be ready to tie by."""
    if not isinstance(by, str) and by is not None:
        return _by_covariates(consensus, _design(votes, criterion, by))
    if by == "item":
        return by_item(consensus)
    if by == "voter":
        found = by_voter(consensus)
        if found is None:
            raise no_voters()
        return found
    raise wrong_option("by", by, "use 'item' or 'voter', or covariates with a row for every vote")


def by_item(consensus: Consensus) -> Readiness:
    """Each item ties more or less readily."""
    from scipy.sparse import csr_array

    rows = consensus.rows
    ends = (np.repeat(np.arange(len(rows)), 2), np.stack([rows.left, rows.right], axis=1).ravel())
    columns = csr_array((np.ones(2 * len(rows)), ends), shape=(len(rows), rows.n_items))
    return Readiness(by="item", labels=rows.items, columns=columns)


def by_voter(consensus: Consensus) -> Readiness | None:
    """Each voter who is known ties more or less readily; None where nobody is."""
    from scipy.sparse import csr_array

    rows = consensus.rows
    if rows.voter is None or not (rows.voter >= 0).any():
        return None
    known = np.flatnonzero(rows.voter >= 0)
    codes, place = np.unique(rows.voter[known], return_inverse=True)
    columns = csr_array((np.ones(len(known)), (known, place)), shape=(len(rows), len(codes)))
    return Readiness(by="voter", labels=tuple(rows.voters[code] for code in codes.tolist()), columns=columns)


def _by_covariates(consensus: Consensus, design: Floats) -> Readiness:
    """Ties depend on covariates of votes, one coefficient each."""
    for number, column in enumerate(design.T):
        largest = float(np.abs(column).max())
        if np.ptp(column) <= LEAST_SPREAD * largest:
            raise InputError(
                f"covariate {number} is {column[0]:g} in every answered vote",
                option="by",
                remedy="leave it out: that is what the tie parameter says already",
            )
        if not 1.0 / LARGEST < largest < LARGEST:
            raise InputError(
                f"covariate {number} has values up to {largest:g}",
                option="by",
                value=largest,
                remedy=f"measure it in a unit that makes them {1.0 / LARGEST:g} to {LARGEST:g}",
            )
    # Beside the log tie parameter a constant says nothing, and rounding would: years are all near 2000.
    centre = consensus.weight @ design / consensus.weight.sum()
    design = design - centre
    unit = np.abs(design).max(axis=0)
    labels = tuple(range(design.shape[1]))
    readiness = Readiness(by="covariates", labels=labels, columns=design / unit, centre=centre, unit=unit)
    inverse = np.asarray(np.linalg.pinv(readiness.variance(consensus), hermitian=True), np.float64)
    return replace(readiness, inverse=inverse)


def _design(votes: Votes, criterion: Hashable | None, by: ArrayLike) -> Floats:
    """The covariates of the answered votes."""
    design = check_covariates(by, len(votes))
    counted = counted_rows(votes)
    if criterion is not None and votes.criterion is not None:
        counted = counted & (votes.criterion == votes.criteria.index(criterion))
    return design[counted]
