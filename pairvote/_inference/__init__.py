"""The room in which models are fitted. Its door is `fit`; other rooms import from here, and nothing else of it."""

from pairvote._inference.anchored import AnchoredPosterior
from pairvote._inference.anchors import Anchors
from pairvote._inference.answers import Answers
from pairvote._inference.clustered import voter_gradients
from pairvote._inference.entries import AnswerCounts, sides
from pairvote._inference.features import Features, FeatureScores
from pairvote._inference.fitting import Start, fit, left_by_refits, refit, under_normal_prior
from pairvote._inference.graded import SIDES_AND_TIE, Answered, answer_counts, answered, as_whole
from pairvote._inference.identification import PRIOR_REMEDY, check_scores, decided, has_circle, no_scores
from pairvote._inference.lapses import ATTENTIVE, BIAS, PUSHES, RANDOM, SIDE
from pairvote._inference.layout import ParameterLayout
from pairvote._inference.limits import LIMITS, Limits
from pairvote._inference.models import Model
from pairvote._inference.no_remainder import NoRemainder
from pairvote._inference.outcomes import (
    CUMULATIVE,
    DEFAULT_TIES,
    MODELS_BY_LINK,
    OUTCOME_MODELS,
    Ties,
    outcome_model,
    outcome_probabilities,
)
from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.outcomes.links import LinkName
from pairvote._inference.posterior import Posterior, UncertaintyKind, centred
from pairvote._inference.prior import Prior, PriorOption
from pairvote._inference.solver import WEAKEST_PRIOR
from pairvote._inference.sums import NO_MOMENTS, NOTHING, Likelihood, LocalSums, PairSums, Slopes
from pairvote._inference.systems import inverse_of
from pairvote._inference.vote_rows import VoteRows, check_covariates, check_determined, single_votes, sums_of
from pairvote._inference.voter_kinds import VoterKinds
from pairvote._inference.workspace import NewtonWorkspace

__all__ = [
    "ATTENTIVE",
    "BIAS",
    "CUMULATIVE",
    "DEFAULT_TIES",
    "LIMITS",
    "MODELS_BY_LINK",
    "NOTHING",
    "NO_MOMENTS",
    "OUTCOME_MODELS",
    "PRIOR_REMEDY",
    "PUSHES",
    "RANDOM",
    "SIDE",
    "SIDES_AND_TIE",
    "WEAKEST_PRIOR",
    "AnchoredPosterior",
    "Anchors",
    "AnswerCounts",
    "Answered",
    "Answers",
    "FeatureScores",
    "Features",
    "Likelihood",
    "Limits",
    "LinkName",
    "LocalSums",
    "Model",
    "NewtonWorkspace",
    "NoRemainder",
    "OutcomeModel",
    "PairSums",
    "ParameterLayout",
    "Posterior",
    "Prior",
    "PriorOption",
    "Slopes",
    "Start",
    "Ties",
    "UncertaintyKind",
    "VoteRows",
    "VoterKinds",
    "answer_counts",
    "answered",
    "as_whole",
    "centred",
    "check_covariates",
    "check_determined",
    "check_scores",
    "decided",
    "fit",
    "has_circle",
    "inverse_of",
    "left_by_refits",
    "no_scores",
    "outcome_model",
    "outcome_probabilities",
    "refit",
    "sides",
    "single_votes",
    "sums_of",
    "under_normal_prior",
    "voter_gradients",
]
