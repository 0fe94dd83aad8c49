"""What scores say of the next vote between two items."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote.errors import MissingUncertaintyError
from pairvote.ranking._chances import chances_of, check_table_size, damped, expected_scores
from pairvote.ranking._results import Fit, OutcomeProbabilities
from pairvote.ranking._standing import Standing, read_only
from pairvote.ranking._uncertainty import Uncertainty


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Forecast(Standing):
    """Scores with the model of a vote that they were fitted by, if there is one."""

    method: str
    fit: Fit | None = None
    _uncertainty: Uncertainty | None = None
    _log_odds_per_unit: float | None = None

    def _known_uncertainty(self) -> Uncertainty:
        if self._uncertainty is None:
            raise MissingUncertaintyError(
                f"this ranking by {self.method!r} of {plural(self.n_items, 'item')} has no standard errors",
                option="uncertainty",
                remedy="bradley_terry gives them (unless uncertainty='none'), and up to 4,000 items bootstrap for any "
                "scorer",
            )
        return self._uncertainty

    def expected_score(self, a: Hashable, b: Hashable) -> float:
        """The chance that `a` is picked over `b`, a tie as half; the two sides equally often where sides matter.

        For Glicko-2 ratings what is not known of the two moves it towards a half.

        Examples
        --------
        >>> import pairvote as pv
        >>> round(pv.elo(pv.Votes.from_wins(["ash"], ["birch"])).expected_score("ash", "birch"), 3)
        0.546
        """
        return float(self._expected(np.array(self._code(a)), np.array(self._code(b))))

    def probability_matrix(self) -> NDArray[np.float64]:
        """`expected_score` of every item over every other: float64, shape (n_items, n_items); 0.5 on the diagonal.

        An InputError for more than 4,000 items: it would fill the memory.
        """
        check_table_size(self.n_items)
        codes = np.arange(self.n_items)
        return read_only(self._expected(codes[:, None], codes))

    def _expected(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.float64]:
        return expected_scores(self._gaps(one, other), self._log_odds_per_unit, self.fit, self.method)

    def _gaps(self, one: NDArray[np.integer[Any]], other: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """How far items are ahead of others, as it counts for a chance."""
        gaps: NDArray[np.float64] = self.scores[one] - self.scores[other]
        if self.unit != "glicko" or self._log_odds_per_unit is None:
            return gaps
        variances = self._known_uncertainty().variances()
        return damped(gaps, variances[one] + variances[other], self._log_odds_per_unit)

    def outcome_probabilities(self, left: Hashable, right: Hashable) -> OutcomeProbabilities:
        """The chance of each outcome when `left` stands on the left and `right` on the right.

        Raises
        ------
        InputError
            Where the scorer has no model of ties although there are ties.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_labels(["ash"] * 4, ["birch"] * 4, ["left", "right", "tie", "tie"])
        >>> chances = pv.bradley_terry(votes, prior_sd=3.0).outcome_probabilities("ash", "birch")
        >>> round(chances.left, 6), round(chances.tie, 6), round(chances.right, 6)
        (0.25, 0.5, 0.25)
        """
        gap = float(self.scores[self._code(left)] - self.scores[self._code(right)])
        return chances_of(gap, self._log_odds_per_unit, self.fit, self.method, tied=bool(self.tied.any()))
