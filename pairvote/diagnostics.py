"""Is this vote to be trusted? `check` looks at everything; each part can be had by itself."""

from pairvote._diagnostics.answered import Answers, answers
from pairvote._diagnostics.asked import Connectivity, Exposure, connectivity, exposure
from pairvote._diagnostics.border import Cut, cut
from pairvote._diagnostics.influence import Influence, influence
from pairvote._diagnostics.progress import Progress, progress
from pairvote._diagnostics.reliability import Separation, SplitHalf, separation, split_half
from pairvote._diagnostics.report import Report, check
from pairvote._diagnostics.residuals import Items
from pairvote._diagnostics.sides import PositionBias, position_bias
from pairvote._diagnostics.simulated import items, triads, voters
from pairvote._diagnostics.triads import Triads
from pairvote._diagnostics.voters import Voters

__all__ = [
    "Answers",
    "Connectivity",
    "Cut",
    "Exposure",
    "Influence",
    "Items",
    "PositionBias",
    "Progress",
    "Report",
    "Separation",
    "SplitHalf",
    "Triads",
    "Voters",
    "answers",
    "check",
    "connectivity",
    "cut",
    "exposure",
    "influence",
    "items",
    "position_bias",
    "progress",
    "separation",
    "split_half",
    "triads",
    "voters",
]
