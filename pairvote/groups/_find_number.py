r"""How many camps there are, by votes held out.

Each voter's pairs are dealt into five parts. A mixture is fitted to the votes in four of them, which also say how
likely each voter is in each camp, and predicts the votes in the fifth. With :math:`\lambda_{vK}` the log-chance of
voter v's held-out votes under K camps, over all parts, K camps are preferred to J if

.. math:: G = \sum_v (\lambda_{vK} - \lambda_{vJ}) > \log 20 \qquad\text{and}\qquad G > 2.5\,\mathrm{SE}(G),

the standard error being that of a sum over voters. Were the parts predicted one after the other, :math:`e^G` would be
an e-value, which exceeds 20 with a chance of at most 5% where J camps are the truth (Markov's inequality). The second
condition asks that a gain is not that of one or two voters.

References
----------
Smyth (2000), "Model selection for probabilistic clustering using cross-validated likelihood", Statistics and Computing
10. Grünwald, de Heide and Koolen (2024), "Safe testing", JRSS B 86, for e-values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote.groups._find_cells import VoterCells
from pairvote.groups._find_mixture import MOST_ITERATIONS, Common, Mixture, fit_mixture, leading

Floats = NDArray[np.float64]
N_FOLDS = 5
LEAST_GAIN, LEAST_ERRORS = math.log(20.0), 2.5
# A camp is of at least two voters.
SMALLEST_CAMP = 2
# Starts by chance, beside those that the votes suggest; tolerances in log-likelihood, and the most iterations.
HELD_STARTS, HELD_TOL, HELD_ITERATIONS = 4, 0.02, 60
LAST_STARTS, LAST_TOL = 20, 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldOut:
    """Held-out log-chances of each voter's votes: (most, n_voters), in row K - 1 those under K camps."""

    log_chances: Floats

    def gain(self, groups: int, others: int = 1) -> tuple[float, float]:
        """What so many camps gain over others, and its standard error between voters."""
        gains = self.log_chances[groups - 1] - self.log_chances[others - 1]
        n_voters = len(gains)
        if n_voters < 2:
            return float(gains.sum()), math.inf
        return float(gains.sum()), float(gains.std(ddof=1) * math.sqrt(n_voters))

    def number(self) -> int:
        """The number of camps that is preferred."""
        best = 1
        for groups in range(2, len(self.log_chances) + 1):
            gain, error = self.gain(groups, best)
            if gain > LEAST_GAIN and gain > LEAST_ERRORS * error:
                best = groups
        return best


def held_out(cells: VoterCells, most: int, rng: np.random.Generator) -> HeldOut:
    """The log-chances of held-out votes under 1 to `most` camps."""
    found = np.zeros((most, cells.n_voters))
    for fitted, held in cells.folds(N_FOLDS):
        several = mixtures(fitted, most, rng, HELD_STARTS, HELD_TOL, HELD_ITERATIONS)
        for groups, mixture in enumerate(several):
            found[groups] += mixture.predicted(held)
    return HeldOut(log_chances=found)


def mixtures(
    cells: VoterCells,
    most: int,
    rng: np.random.Generator,
    n_random: int = LAST_STARTS,
    tol: float = LAST_TOL,
    max_iter: int = MOST_ITERATIONS,
) -> list[Mixture]:
    """The best mixtures of 1 to `most` camps, each begun by splitting a camp of the one before, and by chance."""
    one = one_camp(cells, tol, max_iter)
    common, found = Common.of(one), [one]
    pooled = Common.pooled(cells)
    coordinates, _, _ = leading(cells.departures(pooled.scores, pooled.sigma), 2)
    for groups in range(2, most + 1):
        labels = [*_splits(cells, found[-1], common), _sectors(coordinates, groups)]
        labels += list(rng.integers(groups, size=(n_random, cells.n_voters)))
        found.append(fit_mixture(cells, common, np.array(labels), groups, tol=tol, max_iter=max_iter))
    return found


def one_camp(cells: VoterCells, tol: float = LAST_TOL, max_iter: int = MOST_ITERATIONS) -> Mixture:
    """The mixture of a single camp."""
    alike = np.zeros((1, cells.n_voters), np.intp)
    return fit_mixture(cells, Common.level(cells), alike, 1, tol=tol, max_iter=max_iter)


def _splits(cells: VoterCells, mixture: Mixture, common: Common) -> list[NDArray[np.intp]]:
    """A start for each camp of a mixture, split along the leading direction of its voters' departures."""
    labels, found = mixture.of_each(), []
    departures = cells.departures(mixture.scores[labels], common.sigma)
    for camp in range(mixture.n_groups):
        members = np.flatnonzero(labels == camp)
        if len(members) >= SMALLEST_CAMP:
            coordinates, _, _ = leading(departures[members], 1)
            split = labels.copy()
            split[members[coordinates[:, 0] > 0.0]] = mixture.n_groups
            found.append(split)
    return found


def _sectors(coordinates: Floats, groups: int) -> NDArray[np.intp]:
    """Voters by their direction in the plane of the first two principal components: two camps above and below."""
    turns = np.arctan2(coordinates[:, 1], coordinates[:, 0]) / (2.0 * np.pi) % 1.0
    return np.minimum((turns * groups).astype(np.intp), groups - 1)
