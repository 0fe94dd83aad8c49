"""The chance of each outcome at a difference in log-odds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def outcome_probabilities(log_odds: NDArray[np.float64], tie_parameter: float, ties: str) -> NDArray[np.float64]:
    """P(right), P(tie) and P(left) at differences in log-odds: float64, shape (..., 3)."""
    if ties == "rao-kupper":
        tau = math.log(tie_parameter)
        right, left = _sigmoid(-log_odds - tau), _sigmoid(log_odds - tau)
        return np.stack([right, (tie_parameter**2 - 1) * left * right, left], axis=-1)
    away = np.exp(-np.abs(log_odds))
    tie = tie_parameter * np.sqrt(away)
    total = 1.0 + away + tie
    ahead = log_odds > 0
    right, left = np.where(ahead, away, 1.0) / total, np.where(ahead, 1.0, away) / total
    return np.stack([right, tie / total, left], axis=-1)


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    smaller = np.exp(-np.abs(x))
    return np.where(x > 0, 1.0, smaller) / (1.0 + smaller)
