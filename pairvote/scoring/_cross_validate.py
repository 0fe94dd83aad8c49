"""Which scorer foretells votes best: each part of the votes is foretold from the others."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote._common.options import check_jobs
from pairvote._common.outcomes import Outcome
from pairvote._common.parallel import run_blocks
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError, PairvoteError
from pairvote.scoring._candidates import Candidate, CandidateOption, amounts_of, usual_candidates
from pairvote.scoring._cross_validation import Counted, CrossValidation
from pairvote.scoring._rows import counted_rows, lots_of, with_clusters
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
By = Literal["vote", "voter"] | ArrayLike
# Folds that are worked through in one piece, which may be another process.
FOLDS_A_BLOCK = 10
CANDIDATES_REMEDY = (
    "pass a dict, such as {'plain': {}, 'sides': {'position': True}}, or a list of scorers, such as "
    "['bradley-terry', 'elo']"
)


def cross_validate(
    votes: Votes,
    candidates: Mapping[str, CandidateOption] | Sequence[str] | None = None,
    *,
    by: By = "vote",
    folds: int = 10,
    outcomes: Counted | None = None,
    criterion: Hashable | None = None,
    rng: Rng = None,
    n_jobs: int = 1,
    progress: bool = False,
) -> CrossValidation:
    """Compare scorers by how well they foretell votes that they have not seen.

    The answered votes are dealt into parts at random. Each part is foretold by every candidate from the votes in the
    other parts; so all candidates see the same votes and foretell the same votes. An item without a vote in the other
    parts stands where the candidate puts it: at the prior's mean, or at Elo's initial rating.

    Parameters
    ----------
    votes : Votes
    candidates : mapping of name to candidate, or list of names of scorers, optional
        A list, such as ``["bradley-terry", "elo"]``, compares scorers as they are called without options. In a mapping
        a candidate is options of a scorer, such as ``{"ties": "rao-kupper"}`` or ``{"method": "elo", "k": 16}``, by
        default of `bradley_terry`; or the name of a scorer; or a function that takes `Votes` and gives a `Ranking`.
        ``covariates`` have a row for every row of `votes`. By default `bradley_terry` as it is called without options,
        with the other model of ties, with a position effect, Elo where nobody tied, and "level", for which all items
        are equal. A learned prior is learned from each training set, and the scores are the most likely ones under a
        normal prior of its spread.
    by : {"vote", "voter"} or array_like of labels, shape (n_votes,)
        What is held out. "vote": how well further votes of the same voters are foretold. "voter": the votes of other
        people. Labels, one for every row, are of other clusters that are held out whole, such as sessions.
    folds : int
        The number of parts, from 2; with fewer votes or voters each is a part of its own.
    outcomes : {"all", "decided"}, optional
        Which votes are foretold. "all": left, right and ties. "decided": votes that one side won, by the chances given
        that; ties are still seen in training. By default "all" where every candidate gave ties a chance, which neither
        Elo nor a fit to votes without ties does.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    rng : None, int or numpy.random.Generator
        For the parts. The same one gives the same parts, in whatever order the votes stand.
    n_jobs : int
        How many processes score, -1 for all cores; the answer is the same for any.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InputError
        For an option out of range, PairCounts, fewer than two votes or voters, votes whose voter is not known, and for
        a candidate that has no model of a vote, such as a tally.
    NotIdentifiedError
        Under ``prior_sd=math.inf``, where the votes in some of the parts do not determine the scores.

    Notes
    -----
    Standard errors are between the votes, voters or clusters that were held out. They take the losses for independent,
    although training sets overlap, and are too small for it (Bengio and Grandvalet 2004): little where candidates
    differ much, and by a factor of 1.4 to 2 where two curves that are nearly alike, such as those of two links, are
    fitted to some 50 votes an item. `pairvote.diagnostics.compare_models` tests such differences by simulated votes.

    References
    ----------
    Stone (1974), "Cross-validatory choice and assessment of statistical predictions", JRSS B 36. Good (1952), "Rational
    decisions", JRSS B 14, and Brier (1950), Monthly Weather Review 78, for the losses. Bengio and Grandvalet (2004),
    "No unbiased estimator of the variance of k-fold cross-validation", JMLR 5.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.baseball()
    >>> print(pv.cross_validate(votes, {"plain": {}, "home": {"position": True}, "Elo": "elo"}, rng=1))
    273 votes, each foretold from those in the other 9 of 10 parts
    candidate  log loss a vote  more than the best  Brier score
    home       0.6442 ± 0.0186                           0.4526
    plain      0.6532 ± 0.0169     0.0090 ± 0.0085       0.4609
    Elo        0.6599 ± 0.0220     0.0157 ± 0.0125       0.4674
    """
    if not isinstance(votes, Votes):
        raise InputError(
            f"votes is a {type(votes).__name__}, and single votes are held out",
            option="votes",
            remedy="pass the Votes that it was counted from",
        )
    rng = generator(rng)
    if not is_whole(folds) or folds < 2:
        raise wrong_option("folds", folds, "it is a whole number from 2, such as 10")
    if outcomes is not None and (not isinstance(outcomes, str) or outcomes not in ("all", "decided")):
        raise wrong_option("outcomes", outcomes, "use 'all' or 'decided'")
    check_jobs(n_jobs, progress)
    whole, what = votes, "cluster"
    if isinstance(by, str) or by is None:
        if by not in ("vote", "voter"):
            raise wrong_option("by", by, "use 'vote' or 'voter', or an array with one label for every vote")
        what = str(by)
    else:
        votes = with_clusters(votes, by, "by")
    rows = _rows_of(votes, criterion)
    votes = votes._take(rows)
    named = _named(usual_candidates(votes) if candidates is None else candidates)
    chosen = [candidate.among(whole, rows) for candidate in named]
    unit, n_units = _units(votes, what)
    if n_units < 2:
        raise InputError(f"the answered votes give {plural(n_units, what)} to hold out; pass votes with at least 2")
    n_folds = min(int(folds), n_units)
    fold = np.empty(n_units, np.intp)
    fold[rng.permutation(n_units)] = np.arange(n_units) % n_folds
    chances = _foretold(votes, chosen, fold[unit], n_folds, n_jobs=n_jobs, progress=progress)
    losses, counted = _losses(votes, chances, outcomes)
    weight = counted_weight(votes, counted)
    if not weight.any():
        raise InputError("no vote was won by either side, so there is nothing to foretell", option="outcomes")
    kept = weight > 0.0
    _, unit = np.unique(unit[kept], return_inverse=True)
    weight, losses = weight[kept], losses[:, :, kept]
    by_unit = np.array([[np.bincount(unit, weight * loss) for loss in measure] for measure in losses])
    return CrossValidation.of(
        tuple(candidate.name for candidate in chosen),
        by_unit,
        np.bincount(unit, weight).astype(np.float64),
        counted=counted,
        by=what,
        folds=n_folds,
    )


def _rows_of(votes: Votes, criterion: Hashable | None) -> NDArray[np.intp]:
    """The rows that are looked at: answered, of positive weight, and on the criterion."""
    votes.select(criterion)
    counted = counted_rows(votes)
    if criterion is not None and votes.criterion is not None:
        counted = counted & (votes.criterion == votes.criteria.index(criterion))
    return np.flatnonzero(counted)


def _named(candidates: object) -> list[Candidate]:
    if isinstance(candidates, (list, tuple)) and candidates and all(isinstance(each, str) for each in candidates):
        twice = next((name for number, name in enumerate(candidates) if name in candidates[:number]), None)
        if twice is not None:
            raise InputError(
                f"candidates names {shorten(twice)} twice",
                option="candidates",
                value=twice,
                remedy="leave one out, or pass a dict that gives each its options",
            )
        candidates = {name: name for name in candidates}
    if not isinstance(candidates, Mapping) or not candidates:
        raise wrong_option("candidates", candidates, CANDIDATES_REMEDY)
    for name in candidates:
        if not isinstance(name, str):
            raise wrong_option("the name of a candidate", name, "names are texts, such as 'with sides'")
    return [Candidate.of(name, given) for name, given in candidates.items()]


def _units(votes: Votes, what: str) -> tuple[NDArray[np.intp], int]:
    """The number of what each vote is held out with, in an order that does not hang on that of the rows."""
    voter = np.zeros(len(votes), np.intp)
    if votes.voter is not None:
        names = [shorten(label) for label in votes.voters]
        place = np.empty(len(names) + 1, np.intp)
        place[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        place[-1] = -1
        voter = place[votes.voter]
    if what != "vote":
        lots_of(votes, "voter")
        found, unit = np.unique(voter, return_inverse=True)
        return unit, len(found)
    keys: list[NDArray[Any]] = [voter, votes.outcome, votes.right, votes.left]
    keys = [each for each in (votes.weight, votes.share) if each is not None] + keys
    unit = np.empty(len(votes), np.intp)
    unit[np.lexsort(keys)] = np.arange(len(votes))
    return unit, len(votes)


def _foretold(
    votes: Votes, candidates: Sequence[Candidate], fold: NDArray[np.intp], n_folds: int, *, n_jobs: int, progress: bool
) -> Floats:
    """The chances that each candidate gives to each vote: float64, shape (n_candidates, n_votes, 3)."""
    several = [range(first, min(first + FOLDS_A_BLOCK, n_folds)) for first in range(0, n_folds, FOLDS_A_BLOCK)]
    blocks = [(candidate, some) for candidate in candidates for some in several]
    function = partial(_foretell, votes, fold)
    chances = np.empty((len(candidates), len(votes), 3))
    for (candidate, some), found in zip(
        blocks, run_blocks(function, blocks, n_jobs=n_jobs, progress=progress), strict=True
    ):
        for number, values in zip(some, found, strict=True):
            chances[candidates.index(candidate), fold == number] = values
    return chances


def _foretell(votes: Votes, fold: NDArray[np.intp], block: tuple[Candidate, range]) -> list[Floats]:
    """The chances of the votes in each of some parts, by a candidate and the votes in the others."""
    candidate, some = block
    found = []
    for number in some:
        held = fold == number
        try:
            found.append(candidate.chances(votes, np.flatnonzero(~held), np.flatnonzero(held)))
        except PairvoteError as failure:
            raise failure.at(f"candidate {candidate.name!r}, without part {number + 1}") from failure
    return found


def _losses(votes: Votes, chances: Floats, outcomes: Counted | None) -> tuple[Floats, Counted]:
    """The losses of each vote by each candidate, (n_measures, n_candidates, n_votes), and which votes count."""
    amounts = amounts_of(votes)
    tied = amounts[:, Outcome.TIE] > 0.0
    counted: Counted = outcomes or ("all" if (chances[:, tied, Outcome.TIE] > 0.0).all() else "decided")
    if counted == "decided":
        chances = chances[:, :, [Outcome.RIGHT, Outcome.LEFT]]
        amounts = amounts[:, [Outcome.RIGHT, Outcome.LEFT]]
        chances = chances / chances.sum(axis=2, keepdims=True)
    logs = np.log(chances, out=np.full_like(chances, -np.inf), where=chances > 0.0)
    terms = np.multiply(amounts, logs, out=np.zeros_like(logs), where=amounts > 0.0)
    return np.array([-terms.sum(axis=2), np.square(amounts - chances).sum(axis=2)]), counted


def counted_weight(votes: Votes, counted: Counted) -> Floats:
    """The weight of each vote, 0 where it is not foretold: float64, shape (n_votes,)."""
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    if counted == "all":
        return weight
    return np.where(amounts_of(votes)[:, Outcome.TIE] > 0.0, 0.0, weight)
