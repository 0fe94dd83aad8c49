"""What every scorer returns: a score for each item, with its uncertainty and its fit."""

from pairvote.ranking._agreement import Agreement
from pairvote.ranking._features import ItemFeatures, PredictedScores
from pairvote.ranking._history import RatingHistory
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import Difference, Fit, Interval, OutcomeProbabilities, PriorSd
from pairvote.ranking._voters import VoterReliability

__all__ = [
    "Agreement",
    "Difference",
    "Fit",
    "Interval",
    "ItemFeatures",
    "OutcomeProbabilities",
    "PredictedScores",
    "PriorSd",
    "Ranking",
    "RatingHistory",
    "VoterReliability",
]
