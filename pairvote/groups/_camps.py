"""Camps of voters that were found, for people and for programs."""

from __future__ import annotations

import html
import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole, restore
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote._inference import OUTCOME_MODELS
from pairvote.errors import InputError
from pairvote.groups._find_number import LEAST_ERRORS, LEAST_GAIN
from pairvote.groups._map import OpinionMap
from pairvote.ranking._ranking import Ranking

Floats = NDArray[np.float64]
# Camps have letters for names, so that nobody counts them from 0 or from 1.
NAMES = "ABCDEFGHIJ"
LABEL_WIDTH, MOST_ITEMS, MOST_QUESTIONS, MOST_BEST = 32, 5, 3, 3
# Who is in a camp with this chance is surely in it, as far as a table says.
SURELY = 0.95

Table = tuple[Sequence[str], Sequence[Sequence[str]], tuple[int, ...]]


class TellingQuestion(NamedTuple):
    """A question whose answer tells camps apart; `Camps.questions` gives it.

    Attributes
    ----------
    left, right : labels
        The two items.
    bits : float
        What an answer is expected to say of the voter's camp, in bits; 1 would tell two camps of one size for sure.
    chances : tuple of float, length n_groups
        The chance that a voter of each camp picks the left item over the right one, if either is picked.

    Examples
    --------
    >>> import pairvote as pv
    >>> two = pv.VoterModel(clusters=2, cluster_sd=1.5)
    >>> votes = pv.simulate(votes_each=40, voters=two, repetitions=1, rng=1).votes(0)
    >>> question = pv.find_groups(votes, rng=1).questions(1)[0]
    >>> isinstance(question, pv.groups.TellingQuestion), question.bits > 0.5
    (True, True)
    """

    left: Hashable
    right: Hashable
    bits: float
    chances: tuple[float, ...]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Camps:
    """Camps of voters, or one camp where the votes speak for no more; `find_groups` gives it.

    Attributes
    ----------
    items : tuple of labels
    voters : tuple of labels, length n_voters
        Who is known and answered a question.
    names : tuple of str, length n_groups
        "A", "B" and so on, the largest camp first.
    rankings : tuple of Ranking, length n_groups
        The ranking of each camp, in which a voter's votes count as much as the voter is likely to be in it. Of one camp
        it is that of `bradley_terry`.
    membership : float64 array, shape (n_voters, n_groups)
        The chance of each camp, given that a voter is in one; rows add up to 1.
    attentive : float64 array, shape (n_voters,)
        The chance that a voter is in any camp, and does not answer by a coin.
    n_votes : int64 array, shape (n_voters,)
        Answered votes.
    log_likelihood : float64 array, shape (n_tried,)
        The mean log-chance of a vote that was held out, under 1, 2, ... camps.
    gain, gain_error : float64 arrays, shape (n_tried,)
        How much likelier all held-out votes are than under one camp, as the logarithm of the ratio, and its standard
        error between voters; 0 for one camp.
    map : OpinionMap
        Voters and items in two dimensions.

    Examples
    --------
    >>> import pairvote as pv
    >>> two = pv.VoterModel(clusters=2, cluster_sd=1.5)
    >>> votes = pv.simulate(votes_each=40, voters=two, repetitions=1, rng=1).votes(0)
    >>> camps = pv.find_groups(votes, rng=1)
    >>> camps.n_groups, camps.group_of(0) == camps.group_of(2), camps.group_of(0) == camps.group_of(1)
    (2, True, False)
    """

    items: tuple[Hashable, ...]
    voters: tuple[Hashable, ...]
    rankings: tuple[Ranking, ...]
    membership: Floats
    attentive: Floats
    n_votes: NDArray[np.int64]
    log_likelihood: Floats
    gain: Floats
    gain_error: Floats
    map: OpinionMap

    __setstate__ = restore

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def n_groups(self) -> int:
        """The number of camps."""
        return len(self.rankings)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the camps: "A", "B" and so on, the largest first."""
        return tuple(NAMES[: self.n_groups])

    @cached_property
    def groups(self) -> dict[Hashable, str]:
        """The likeliest camp of each voter, without voters who likelier answer by a coin."""
        likeliest = self.membership.argmax(axis=1)
        return {
            voter: NAMES[camp]
            for voter, camp, attentive in zip(self.voters, likeliest.tolist(), self.attentive.tolist(), strict=True)
            if attentive >= 0.5
        }

    def group_of(self, voter: Hashable) -> str | None:
        """The likeliest camp of a voter; None for a voter who likelier answers by a coin.

        Raises
        ------
        InputError
            For a label that is not among `voters`.
        """
        self._place(voter)
        return self.groups.get(voter)

    def _place(self, voter: Hashable) -> int:
        try:
            return self._places[voter]
        except (KeyError, TypeError):
            raise InputError(
                f"there is no voter {shorten(voter)}",
                option="voter",
                value=voter,
                remedy="pass one of .voters, who are those with an answered vote",
            ) from None

    @cached_property
    def _places(self) -> dict[Hashable, int]:
        return {voter: place for place, voter in enumerate(self.voters)}

    def questions(self, n: int = 5, *, voter: Hashable | None = None) -> tuple[TellingQuestion, ...]:
        r"""The questions whose answers would best tell in which camp a voter is, the best first.

        With :math:`\pi_k` the share of camp k, or the chance that `voter` is in it, and :math:`p_{ko}` the chance that
        one of its voters gives answer o, an answer is expected to say

        .. math:: I = \sum_k \pi_k \sum_o p_{ko} \log_2 \frac{p_{ko}}{\sum_l \pi_l p_{lo}}

        bits of the camp: its mutual information with the answer. Scores are taken as known.

        Parameters
        ----------
        n : int
            How many, at most; there are none where there is one camp.
        voter : label, optional
            Whose camp is to be told; by default that of somebody new.

        Raises
        ------
        InputError
            For an option out of range.

        References
        ----------
        Lindley (1956), "On a measure of the information provided by an experiment", Annals of Mathematical Statistics
        27.
        """
        if not is_whole(n) or n < 1:
            raise wrong_option("n", n, "it is a whole number from 1")
        prior = self._shares if voter is None else self.membership[self._place(voter)]
        if self.n_groups == 1 or len(self.items) < 2:
            return ()
        left, right = np.triu_indices(len(self.items), 1)
        chances = np.stack([_outcome_chances(ranking, left, right) for ranking in self.rankings])
        bits = _information(prior, chances)
        best = np.argsort(-bits, kind="stable")[: int(n)]
        picked = chances[:, best, 2] / (chances[:, best, 0] + chances[:, best, 2])
        return tuple(
            TellingQuestion(self.items[left[pair]], self.items[right[pair]], float(bits[pair]), tuple(of_camps))
            for pair, of_camps in zip(best.tolist(), picked.T.tolist(), strict=True)
        )

    @property
    def _shares(self) -> Floats:
        sizes = (self.membership * self.attentive[:, None]).sum(axis=0)
        return np.asarray(sizes / sizes.sum() if sizes.sum() > 0.0 else np.full(self.n_groups, 1.0 / self.n_groups))

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each voter: the camp, the chance of each, how surely attentive, votes, and the place on the map."""
        columns: dict[str, list[Any]] = {
            "voter": list(self.voters),
            "group": [self.groups.get(voter) for voter in self.voters],
        }
        for name, chances in zip(self.names, self.membership.T, strict=True):
            columns[f"chance_{name}"] = chances.tolist()
        return columns | {
            "attentive": self.attentive.tolist(),
            "votes": self.n_votes.tolist(),
            "x": self.map.voter_places[:, 0].tolist(),
            "y": self.map.voter_places[:, 1].tolist(),
        }

    # --- for people ---

    def __repr__(self) -> str:
        return f"Camps({plural(self.n_groups, 'camp')} of {plural(len(self.voters), 'voter')})"

    def __str__(self) -> str:
        lines = []
        for block in self._blocks():
            lines += [f"  {block}"] if isinstance(block, str) else [f"  {line}" for line in text_lines(*block)]
        return "\n".join(["Camps of voters", *lines])

    def _repr_html_(self) -> str:
        parts = [
            f"<p>{html.escape(block)}</p>" if isinstance(block, str) else html_table(*block) for block in self._blocks()
        ]
        return "".join(["<h4>Camps of voters</h4>", *parts])

    def _blocks(self) -> Iterator[str | Table]:
        yield self._verdict()
        coins = [voter for voter in self.voters if voter not in self.groups]
        if coins:
            named = ", ".join(as_label(voter, LABEL_WIDTH) for voter in coins[:MOST_ITEMS])
            more = f" and {len(coins) - MOST_ITEMS} more" if len(coins) > MOST_ITEMS else ""
            yield f"in no camp, since they likelier answer by a coin: {named}{more}"
        if self.n_groups == 1:
            return
        sure = (self.membership >= SURELY) & (self.attentive >= 0.5)[:, None]
        in_each = list(self.groups.values())
        yield (
            ("camp", "voters", f"surely ({SURELY:.0%})", "first"),
            [
                (
                    name,
                    f"{in_each.count(name)}",
                    f"{sure[:, camp].sum()}",
                    ", ".join(as_label(label, LABEL_WIDTH) for label in ranking.top(min(MOST_BEST, len(self.items)))),
                )
                for camp, (name, ranking) in enumerate(zip(self.names, self.rankings, strict=True))
            ],
            (0, 3),
        )
        scores = np.stack([ranking.scores for ranking in self.rankings])
        apart = np.argsort(-np.ptp(scores, axis=0), kind="stable")[:MOST_ITEMS]
        yield (
            ("most divisive", *(f"score {name}" for name in self.names)),
            [(as_label(self.items[i], LABEL_WIDTH), *(f"{score:+.1f}" for score in scores[:, i])) for i in apart],
            (0,),
        )
        yield (
            ("what would tell", "bits", *(f"{name} picks the first" for name in self.names)),
            [
                (
                    " or ".join(as_label(label, LABEL_WIDTH // 2) for label in (question.left, question.right)),
                    f"{question.bits:.2f}",
                    *(f"{chance:.0%}" for chance in question.chances),
                )
                for question in self.questions(MOST_QUESTIONS)
            ],
            (0,),
        )

    def _verdict(self) -> str:
        who = f"{plural(self.n_groups, 'camp')} of {plural(len(self.voters), 'voter')}"
        n_tried = len(self.gain)
        if n_tried == 1:
            return f"{who}; no more were tried"
        other = self.n_groups - 1 if self.n_groups > 1 else 1 + int(np.argmax(self.gain[1:]))
        gain, error = float(self.gain[other]), float(self.gain_error[other])
        factor = gain / math.log(10.0)
        if self.n_groups > 1:
            return (
                f"{who}: votes held out are 10^{factor:.0f} times likelier than under one camp "
                f"(log-likelihood {gain:+.1f}, standard error {error:.1f})"
            )
        return (
            f"{who}: held-out votes speak too little for {other + 1} (log-likelihood {gain:+.1f}, standard error "
            f"{error:.1f}; it takes {LEAST_GAIN:+.1f} and {LEAST_ERRORS:.1f} standard errors)"
        )


def _outcome_chances(ranking: Ranking, left: NDArray[np.intp], right: NDArray[np.intp]) -> Floats:
    """P(right), P(tie) and P(left) of pairs, whichever side an item stands on: shape (n_pairs, 3)."""
    tie = 0.0 if ranking.fit is None else ranking.fit.tie_parameter
    return OUTCOME_MODELS["davidson"].probabilities(ranking.scores[left] - ranking.scores[right], tie)


def _information(prior: Floats, chances: Floats) -> Floats:
    """Mutual information of camp and answer in bits: (n_pairs,), of chances (n_groups, n_pairs, n_outcomes)."""
    mixed = np.tensordot(prior, chances, axes=1)
    ratio = np.divide(chances, mixed, out=np.ones_like(chances), where=(chances > 0.0) & (mixed > 0.0))
    return np.asarray(np.tensordot(prior, (chances * np.log2(ratio)).sum(axis=-1), axes=1))
