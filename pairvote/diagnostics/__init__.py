"""Is this vote to be trusted? `check` looks at everything; each part can be had by itself."""

from pairvote.diagnostics._adaptivity import Adaptivity
from pairvote.diagnostics._answered import Answers, answers
from pairvote.diagnostics._asked import Connectivity, Exposure, connectivity, exposure
from pairvote.diagnostics._border import Cut, cut
from pairvote.diagnostics._compare_models import ModelComparison, compare_models
from pairvote.diagnostics._consistency import Consistency, consistency
from pairvote.diagnostics._groups import GroupAgreement
from pairvote.diagnostics._influence import Influence, influence
from pairvote.diagnostics._pair_residuals import PairResiduals, residuals
from pairvote.diagnostics._progress import Progress, progress
from pairvote.diagnostics._reliability import Separation, SplitHalf, separation, split_half
from pairvote.diagnostics._repeats import Repeats, repeats
from pairvote.diagnostics._report import Report, check
from pairvote.diagnostics._residuals import Items
from pairvote.diagnostics._sides import PositionBias, position_bias
from pairvote.diagnostics._simulated import adaptivity, items, triads, voters
from pairvote.diagnostics._tie_parameters import TieParameters, tie_parameters
from pairvote.diagnostics._tie_test import TieTest, tie_test
from pairvote.diagnostics._triads import Triads
from pairvote.diagnostics._voter_agreement import VoterAgreement, voter_agreement
from pairvote.diagnostics._voters import Voters

__all__ = [
    "Adaptivity",
    "Answers",
    "Connectivity",
    "Consistency",
    "Cut",
    "Exposure",
    "GroupAgreement",
    "Influence",
    "Items",
    "ModelComparison",
    "PairResiduals",
    "PositionBias",
    "Progress",
    "Repeats",
    "Report",
    "Separation",
    "SplitHalf",
    "TieParameters",
    "TieTest",
    "Triads",
    "VoterAgreement",
    "Voters",
    "adaptivity",
    "answers",
    "check",
    "compare_models",
    "connectivity",
    "consistency",
    "cut",
    "exposure",
    "influence",
    "items",
    "position_bias",
    "progress",
    "repeats",
    "residuals",
    "separation",
    "split_half",
    "tie_parameters",
    "tie_test",
    "triads",
    "voter_agreement",
    "voters",
]
