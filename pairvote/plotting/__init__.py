"""Pictures of votes and of rankings. Needs matplotlib.

Each function draws on the axes it is given, or on a figure of its own, and returns the axes. Items stand best first;
colours are those of Okabe and Ito, which the colour-blind tell apart.
"""

from pairvote.plotting._course import plot_certainty, plot_course
from pairvote.plotting._curves import plot_experiment
from pairvote.plotting._exposed import plot_exposure
from pairvote.plotting._graph import plot_comparisons
from pairvote.plotting._map import plot_opinion_map
from pairvote.plotting._matrix import plot_probabilities
from pairvote.plotting._ranking import plot_ranking, save_ranking
from pairvote.plotting._slopes import plot_slopes

__all__ = [
    "plot_certainty",
    "plot_comparisons",
    "plot_course",
    "plot_experiment",
    "plot_exposure",
    "plot_opinion_map",
    "plot_probabilities",
    "plot_ranking",
    "plot_slopes",
    "save_ranking",
]
