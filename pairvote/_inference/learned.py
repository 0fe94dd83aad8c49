r"""Scores under a prior whose spread and shape are learned, and what is not known of them carried through.

With :math:`d` the log-odds of the left side and the outcome model of `pairvote._inference.outcomes`,

.. math::
    \theta_i = s\,x_i, \qquad x_i \sim \sum_{k=1}^{3} w_k\, N(u_k, r_k^2), \qquad w \sim Dirichlet(1/2, 1/2, 1/2),

    u_k \sim N(0, 1.5^2), \qquad r_k^2 \sim InverseGamma(3, 1), \qquad s \sim |N(0, 2^2)|,

a mixture of normals (Escobar and West 1995) with a scale of its own (a half-normal one: Gelman 2006), so that level
items, a few good ones among many, and two groups are each a prior that the votes can lead to. The parameters beside the
scores have the weak priors of `pairvote._inference.prior`. All is integrated out by a Markov chain, one sweep of which
is, in the kernel `mixture`:

1. Each score in turn, given its component: a proposal from the normal with Newton's step from the present score as mean
   and the inverse information as variance, taken by Metropolis and Hastings' rule (Gamerman 1997).
2. The prior's numbers by random walks, the scores going with them: in the axes of a normal likelihood much like the
   votes', each keeps its deviation in standard deviations from the mean that this likelihood and the prior would give
   it. So scores that votes say little of follow the prior, the others stay (partly non-centred: Papaspiliopoulos,
   Roberts and Skold 2007).
3. Components, shares, places and widths by Gibbs steps, and the scale by random walks, given the scores.
4. The parameters beside the scores, and the directions in which steps of single scores are slow, by Newton proposals
   along lines.
5. The origin of all places, of which no vote speaks. The scores' own mean, of which none speaks either, is
   :math:`N(0, 1/n)`, which changes no difference of two.

References
----------
Escobar and West (1995), "Bayesian density estimation and inference using mixtures", JASA 90. Gelman (2006), "Prior
distributions for variance parameters in hierarchical models", Bayesian Analysis 1. Gamerman (1997), "Sampling from the
posterior distribution in generalized linear mixed models", Statistics and Computing 7. Papaspiliopoulos, Roberts and
Skold (2007), "A general framework for the parametrization of hierarchical models", Statistical Science 22.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import shorten
from pairvote._common.outcomes import Outcome
from pairvote._inference.entries import AnswerCounts
from pairvote._inference.models import Model
from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.outcomes.davidson import Davidson
from pairvote._inference.outcomes.ordered import LINK_NUMBERS, Ordered
from pairvote._inference.outcomes.rao_kupper import RaoKupper
from pairvote._inference.posterior import Posterior
from pairvote._inference.prior import WEAK_SD
from pairvote._inference.sums import LocalSums
from pairvote._inference.systems import dense_information
from pairvote._kernels import mixture

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
# The default call repeats itself to the bit.
SEED = 20_141_126
N_NUMBERS = 11
N_COMPONENTS = 3
# The component of a score that stays where it is, and the information of its normal likelihood.
HELD, FIRM = 3, 1e300
# Of the information scaled to ones on its diagonal: directions with less are slow for steps of single scores.
SLOW = 0.15
# Scores, and logarithms of their information, that differ by less are the same.
SAME = 1e-6
# Numbers drawn at once at most, so that memory is not filled.
MOST_RANDOMS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long the chain runs.

    burn_in: sweeps before the first draw. least, most: how many draws there are, each between two numbers, according to
    what as many would cost: `usual` and `longest` in units of one pair of two items in one sweep, about 16 ns each.
    enough: the number of independent draws, on average over the items, with which it may end; it is looked at after
    each `more` draws.
    """

    burn_in: int = 150
    least: tuple[int, int] = (500, 1_500)
    more: int = 250
    most: tuple[int, int] = (2_000, 6_000)
    usual: float = 0.65e6
    longest: float = 6.0e6
    enough: float = 350.0

    def numbers(self, n_items: int, n_entries: int) -> tuple[int, int]:
        """The least and the greatest number of draws."""
        cost = 100.0 + 20.0 * n_items + n_entries + 0.1 * n_items * n_items
        least, most = np.clip(self.usual / cost, *self.least), np.clip(self.longest / cost, *self.most)
        return int(least), int(most)


EFFORT = Effort()


@dataclass(frozen=True, eq=False, kw_only=True)
class Draws:
    """Draws from the posterior.

    parameters: (n_draws, size) in the order of the model's layout, scores of mean zero. numbers: (n_draws, 11), the
    prior's scale, places, widths and shares, and the origin of places less that of the scores. independent:
    about how many independent draws would tell as much of means and variances, on average over the items.
    """

    parameters: Floats
    numbers: Floats
    independent: float

    def spreads(self) -> Floats:
        """The standard deviation of the prior in each draw, in log-odds: float64, shape (n_draws,)."""
        scale, places, widths, shares, _ = np.split(self.numbers, [1, 4, 7, 10], axis=1)
        means = (shares * places).sum(axis=1, keepdims=True)
        return np.asarray(scale[:, 0] * np.sqrt((shares * (widths**2 + (places - means) ** 2)).sum(axis=1)))


def can_sample(model: Model) -> bool:
    """Whether the kernel knows the outcome model, and the pairs lie in this memory."""
    return isinstance(model.sums, LocalSums) and isinstance(model.outcome, Davidson | RaoKupper | Ordered)


def table_of(model: Model) -> Floats:
    """The votes of each pair by answer: (n_pairs, 3), or as many columns as there are answers."""
    counts = model.counts
    return counts.answers if isinstance(counts, AnswerCounts) else counts.table


class Changing(Protocol):
    """Votes that are drawn anew between sweeps, such as those of voters who are now believed and now not."""

    sweeps: int

    def begin(self) -> None:
        """Forget what was drawn on the way to the first draw."""

    def table(self, parameters: Floats, rng: np.random.Generator) -> Floats:
        """The votes of each entry given the parameters, of which items without votes are nan: (n_entries, 3)."""


def sample(posterior: Posterior, effort: Effort = EFFORT, *, changing: Changing | None = None) -> Draws:
    """Draws under the learned prior, beginning at a fit under a normal prior of about the scores' spread.

    changing: votes that are drawn anew on the way, of the same pairs as those of `posterior`.
    """
    chain = _Chain(posterior)
    rng = np.random.Generator(np.random.PCG64(SEED))

    def run(n_sweeps: int) -> Floats:
        if changing is None:
            return chain.run(n_sweeps, rng)
        runs = []
        for _ in range(-(-n_sweeps // changing.sweeps)):
            runs.append(chain.run(changing.sweeps, rng))
            chain.change(changing.table(chain.parameters(runs[-1])[-1], rng))
        return np.concatenate(runs)

    run(effort.burn_in)
    if changing is not None:
        changing.begin()
    n_voted = len(chain.voted)
    least, most = effort.numbers(n_voted, chain.n_entries)
    found = run(least)
    while (independent := _independent(found[:, :n_voted])) < effort.enough and len(found) < most:
        found = np.concatenate([found, run(effort.more)])
    numbers, parameters = found[:, -N_NUMBERS:], chain.parameters(found)
    numbers[:, [0, -1]] /= posterior.model.unit
    if not n_voted:
        # There is no mean that the origin could be less than, and of a position effect only the prior speaks.
        numbers[:, -1] = 0.0
        parameters[:, posterior.model.layout.position] = (
            WEAK_SD / posterior.model.unit * rng.standard_normal((len(found), 1))
        )
    scores, voted = parameters[:, : posterior.model.n_items], np.isin(np.arange(posterior.model.n_items), chain.voted)
    if not voted.all():
        scores[:, ~voted] = unvoted(numbers, int((~voted).sum()), rng)
        means = scores.mean(axis=1)
        scores -= means[:, None]
        numbers[:, -1] += means
    _make_alike(scores, chain.kinds)
    return Draws(parameters=parameters, numbers=numbers, independent=independent)


def _make_alike(scores: Floats, kinds: NDArray[np.intp]) -> None:
    """Give items of one kind, of which the votes say the same, one mean, in place."""
    sizes = np.bincount(kinds)
    if sizes.max(initial=0) > 1:
        means = scores.mean(axis=0)
        scores += np.bincount(kinds, means)[kinds] / sizes[kinds] - means


def unvoted(numbers: Floats, n_items: int, rng: np.random.Generator) -> Floats:
    """Scores of items without a vote, of which only the prior speaks: float64, shape (n_draws, n_items)."""
    scale, places, widths, shares, origin = np.split(numbers, [1, 4, 7, 10], axis=1)
    drawn = rng.random((len(numbers), n_items))[:, :, None]
    component = (drawn > np.cumsum(shares, axis=1)[:, None, : N_COMPONENTS - 1]).sum(axis=2)
    x = np.take_along_axis(places, component, 1) + np.take_along_axis(widths, component, 1) * rng.standard_normal(
        component.shape
    )
    return scale * x - origin


def _independent(scores: Floats, n_batches: int = 10) -> float:
    """How many independent draws would tell as much of means and of variances, by means of batches."""
    size = len(scores) // n_batches
    off = scores - scores.mean(axis=0)
    longest = 1.0
    for values in (off, np.square(off)):
        batches = values[: size * n_batches].reshape(n_batches, size, -1).mean(axis=1)
        between, within = batches.var(axis=0, ddof=1), values.var(axis=0, ddof=1)
        moving = within > 0.0
        if moving.any():
            longest = max(longest, float(np.mean(size * between[moving] / within[moving])))
    return len(scores) / longest


@dataclass(frozen=True, eq=False, kw_only=True)
class _Rows:
    """Votes as rows of a Bradley-Terry model, Davidson's tie parameter aside, or of answers in order.

    ends: (2, n), left and right; of answers in order (4, n), with the lower and the upper cut of each answer. votes:
    the weight of each row; ahead: half of what of it the left side won more than the right. effects: (n_effects, n),
    what each effect adds to the left side's log-odds; thresholds are effects that add nothing.
    """

    ends: Ints
    votes: Floats
    ahead: Floats
    effects: Floats

    @classmethod
    def of(cls, model: Model) -> _Rows:
        """The rows of a model's votes."""
        counts, layout = model.counts, model.layout
        design = model.sums.design if isinstance(model.sums, LocalSums) else None
        effects = np.ones((int(layout.has_position), counts.n_pairs))
        if design is not None:
            effects = np.concatenate([effects, design.T])
        ends = np.stack([counts.left, counts.right]).astype(np.int32)
        if isinstance(model.outcome, RaoKupper):
            threshold = np.repeat([-1.0, 1.0], counts.n_pairs)
            ends, effects = np.tile(ends, 2), np.vstack([np.tile(effects, 2), threshold])
        if isinstance(model.outcome, Ordered):
            ends, effects = cls._in_order(model.outcome, ends, effects)
        votes, ahead = cls.amounts(model.outcome, table_of(model))
        rows = cls(ends=ends, votes=votes, ahead=ahead, effects=effects)
        return rows._without_empty() if len(ends) > 2 or len(rows.effects) else rows._folded(model.n_items)

    @staticmethod
    def _in_order(outcome: Ordered, ends: Ints, effects: Floats) -> tuple[Ints, Floats]:
        """Ends and effects of a row for each answer and pair, and the thresholds as the last effects."""
        n_answers, m, n_pairs = outcome.n_answers, outcome.n_nuisance, ends.shape[1]
        n_before, cuts = len(effects), outcome.bounds
        # A cut that is no threshold is beyond all effects.
        cuts = np.where(cuts == 0, 0, np.sign(cuts) * (np.abs(cuts) + n_before)).astype(np.int32)
        ends = np.vstack([np.tile(ends, n_answers), np.repeat(cuts, n_pairs, axis=1)])
        return ends, np.vstack([np.tile(effects, n_answers), np.zeros((m, n_answers * n_pairs))])

    @staticmethod
    def amounts(outcome: OutcomeModel, table: Floats) -> tuple[Floats, Floats]:
        """The weight of each row and half of what the left side won more of it, of votes by pair: (n_pairs, 3).

        Rao and Kupper's tie is a win of each side against the threshold tau: log P is that of a win at d - tau and of a
        loss at d + tau, plus log(exp(2 tau) - 1). So a pair has a row of wins and ties with the effect -tau, and one of
        losses and ties with tau.
        """
        if isinstance(outcome, Ordered) and table.shape[1] == outcome.n_answers:
            return table.T.ravel(), np.zeros(table.size)
        table = table * np.array([1.0, outcome.tie_weight, 1.0])
        if isinstance(outcome, Ordered):
            halves = table[:, [Outcome.RIGHT, Outcome.LEFT]] + 0.5 * table[:, [Outcome.TIE]]
            return halves.T.ravel(), np.zeros(halves.size)
        lost, tied, won = (table[:, each] for each in (Outcome.RIGHT, Outcome.TIE, Outcome.LEFT))
        if isinstance(outcome, RaoKupper):
            return np.concatenate([won + tied, lost + tied]), 0.5 * np.concatenate([won + tied, -lost - tied])
        return table.sum(axis=1), 0.5 * (won - lost)

    def _without_empty(self) -> _Rows:
        voted = self.votes > 0.0
        return _Rows(
            ends=np.ascontiguousarray(self.ends[:, voted]),
            votes=self.votes[voted],
            ahead=self.ahead[voted],
            effects=np.ascontiguousarray(self.effects[:, voted]),
        )

    def _folded(self, n_items: int) -> _Rows:
        """One row for each two items, whichever stood on the left."""
        left, right = self.ends.astype(np.int64)
        turned = left > right
        pairs, place = np.unique(np.where(turned, right * n_items + left, left * n_items + right), return_inverse=True)
        votes = np.zeros(len(pairs))
        ahead = np.zeros(len(pairs))
        np.add.at(votes, place, self.votes)
        np.add.at(ahead, place, np.where(turned, -self.ahead, self.ahead))
        ends = np.stack(np.divmod(pairs, max(n_items, 1))).astype(np.int32)
        return _Rows(ends=ends, votes=votes, ahead=ahead, effects=np.empty((0, len(pairs))))._without_empty()


class _Chain:
    """The kernel's arrays, which a run goes on from.

    voted: the items that have votes, which alone are in the chain. kinds: a number for each of all items, the same for
    those of which the votes say the same. places: which parameters of the model those of the chain are; order: where
    each of them stands in the kernel's. All that is in the kernel is in log-odds, or what is as much by another link.
    """

    def __init__(self, posterior: Posterior) -> None:
        model, layout, rows = posterior.model, posterior.model.layout, _Rows.of(posterior.model)
        self._model, self._effects = model, rows.effects
        slopes = model.slopes(posterior.solution.parameters)
        self.kinds = kinds = _kinds(posterior.scores, slopes.diagonal)
        # Scores that stay where they are, at 0, are no kind of their own.
        kinds[model.fixed[layout.scores]] += len(kinds)
        # In an order that votes and labels have, whichever of them came first.
        voted = sorted(np.unique(rows.ends[:2]).tolist(), key=lambda item: (kinds[item], shorten(model.items[item])))
        self.voted = np.array(voted, np.intp)
        self.places = np.concatenate([self.voted, np.arange(layout.n_items, layout.size)])
        place = np.empty(layout.n_items, np.int32)
        place[self.voted] = np.arange(len(voted))
        self._ends = np.vstack([place[rows.ends[:2]], rows.ends[2:]])
        n_items, n_rows, n_effects = len(self.voted), len(rows.votes), len(rows.effects)
        self._size = size = n_items + n_effects + 1
        self.width = size + N_NUMBERS
        item, other = np.concatenate([self._ends[:2], self._ends[1::-1]], axis=1)
        code = np.concatenate([2 * np.arange(n_rows), 2 * np.arange(n_rows) + 1])
        by_item = np.argsort(item, kind="stable")
        self._start = np.concatenate([[0], np.cumsum(np.bincount(item, minlength=n_items))]).astype(np.int64)
        self._entries = np.stack([other[by_item], code[by_item]]).astype(np.int32)
        self._amounts = np.vstack([rows.votes, rows.effects])
        # The kernel has the nuisance parameters last: as the last effects, or as the log tie parameter behind them.
        stretched, in_order = isinstance(model.outcome, RaoKupper), isinstance(model.outcome, Ordered)
        thresholds = stretched or in_order
        self.order = order = np.arange(len(self.places))
        kernel = np.empty(layout.n_beside, np.intp)
        kernel[: layout.n_nuisance] = size - thresholds - layout.n_nuisance + np.arange(layout.n_nuisance)
        kernel[layout.n_nuisance :] = np.arange(n_items, n_items + layout.n_beside - layout.n_nuisance)
        order[n_items:] = kernel
        first, centres = np.zeros(size), np.zeros(size)
        information, firm = np.zeros((size, size)), np.zeros((size, size))
        chosen = np.ix_(self.places, self.places)
        first[order] = model.unit * posterior.solution.parameters[self.places]
        centres[order] = model.unit * model.prior_centres[self.places]
        firm[np.ix_(order, order)] = model.unit**-2.0 * model.prior_products(np.eye(layout.size))[chosen]
        whole = dense_information(model.counts, slopes, anchored=False)
        information[np.ix_(order, order)] = model.unit**-2.0 * (np.triu(whole) + np.triu(whole, 1).T)[chosen]
        pull = self._pull(rows.ahead, model.n_ties)
        stays = np.zeros(size, bool)
        stays[order] = model.fixed[self.places]
        information[stays] = information[:, stays] = 0.0
        scores, held = slice(0, n_items), stays[:n_items]
        alone = (information - firm)[scores, scores]
        free = np.flatnonzero(~held)
        axes, vectors = np.full(n_items, FIRM), np.zeros((n_items, n_items))
        chosen = np.ix_(free, free)
        axes[free], vectors[chosen] = np.linalg.eigh(alone[chosen] + 1.0 / max(n_items, 1))
        # At the maximum the votes pull as much as the prior.
        normal_pull = alone @ first[scores] + firm[scores, scores] @ (first - centres)[scores]
        normal_pull[held] = 0.0
        moving = np.concatenate([free, np.arange(n_items, size)])
        slow = _slow_lines(information[np.ix_(moving, moving)], len(free))
        lines = np.zeros((len(slow), size))
        lines[:, moving] = slow
        self._n_lines = len(lines)
        lines = np.vstack([lines, np.zeros((2 * n_items, size))])
        lines[self._n_lines : self._n_lines + n_items, scores] = vectors
        lines[self._n_lines + n_items :, scores] = vectors.T
        self._lines = np.ascontiguousarray(lines)
        spread = max(float(first[free].std()), 0.1) if len(free) else 1.0
        n_beside = size - n_items
        self._at_ties = 2 * size + 2 * n_items + n_beside + n_beside**2 + N_NUMBERS + n_items + 1
        self._kept = _Rows.amounts(model.outcome, table_of(model))[0] > 0.0
        link = LINK_NUMBERS[model.outcome.link.name] if in_order else 0.0
        self._state = np.concatenate(
            [
                first,
                pull,
                np.maximum(axes, 0.0),
                vectors.T @ normal_pull,
                centres[n_items:],
                firm[n_items:, n_items:].ravel(),
                [spread, -1.0, 0.0, 1.0, 1.0, 1.0, 1.0, *np.full(N_COMPONENTS, 1.0 / N_COMPONENTS), 0.0],
                np.where(held, HELD, np.arange(n_items) % N_COMPONENTS),
                [float(layout.n_nuisance > 0 and not thresholds), model.n_ties if stretched else 0.0, n_items, link],
                np.zeros(4 * n_items + size + 30 + (6 if in_order else 4) * n_rows),
            ]
        )

    def _pull(self, ahead: Floats, n_ties: float) -> Floats:
        """What multiplies each parameter in the log-likelihood: float64, shape (size,)."""
        n_items, pull = len(self.voted), np.zeros(self._size)
        if isinstance(self._model.outcome, Ordered):
            return pull
        pull[:n_items] = np.bincount(self._ends[0], ahead, n_items) - np.bincount(self._ends[1], ahead, n_items)
        pull[n_items : self._size - 1] = self._effects @ ahead
        if self._model.layout.n_nuisance:
            stretched = isinstance(self._model.outcome, RaoKupper)
            pull[self._size - 1 - stretched] += 2.0 * n_ties if stretched else n_ties
        return pull

    def change(self, table: Floats) -> None:
        """Go on with other votes of the pairs that the chain has, in the order of the model's: (n_pairs, 3)."""
        outcome = self._model.outcome
        votes, ahead = _Rows.amounts(outcome, table)
        self._amounts[0], ahead = votes[self._kept], ahead[self._kept]
        n_ties = outcome.tie_weight * float(table[:, Outcome.TIE].sum())
        self._state[self._size : 2 * self._size] = self._pull(ahead, n_ties)
        if isinstance(outcome, RaoKupper):
            # The threshold stays above 0, as it is where there are ties, though none of them counts just now.
            self._state[self._at_ties] = max(n_ties, np.finfo(float).tiny)

    def parameters(self, draws: Floats) -> Floats:
        """Draws in the order of the model's parameters, nan for items without votes: shape (n_draws, size)."""
        parameters = np.full((len(draws), self._model.layout.size), np.nan)
        parameters[:, self.places] = draws[:, : self.width - N_NUMBERS][:, self.order] / self._model.unit
        return parameters

    @property
    def n_entries(self) -> int:
        """The number of rows of all items together."""
        return self._entries.shape[1]

    def run(self, n_sweeps: int, rng: np.random.Generator) -> Floats:
        """Draws after so many more sweeps: float64, shape (n_sweeps, width)."""
        n_items, n_lines = len(self.voted), self._n_lines
        n_each = (4 * n_items + 38 + n_lines, n_items + 13 + n_lines, n_items)
        most = max(1, MOST_RANDOMS // sum(n_each))
        runs = []
        for first in range(0, n_sweeps, most):
            n = min(most, n_sweeps - first)
            randoms = np.empty(n * sum(n_each))
            normals, exponentials, uniforms = np.split(randoms, np.cumsum(n_each[:2]) * n)
            rng.standard_normal(out=normals)
            rng.standard_exponential(out=exponentials)
            rng.random(out=uniforms)
            draws = np.empty((n + 2, self.width))
            rows = (self._start, self._entries, self._ends, self._amounts)
            mixture.sample(*rows, self._lines, self._state, randoms, draws)
            runs.append(draws[:n])
        return runs[0] if len(runs) == 1 else np.concatenate(runs)


def _kinds(scores: Floats, information: Floats) -> NDArray[np.intp]:
    """A number for each item, the same for those with the same score and information under the normal prior."""
    table = np.stack([scores, np.log(information)], axis=1)
    return np.unique(np.round(table / SAME), axis=0, return_inverse=True)[1].reshape(-1)


def _slow_lines(information: Floats, n_items: int) -> Floats:
    """Directions of moves: of the parameters beside the scores, and those in which steps of single scores are slow."""
    size = len(information)
    scores, used = slice(0, n_items), np.flatnonzero(information.diagonal()[n_items:] > 0.0) + n_items
    lines = []
    block = information[scores, scores]
    if len(used):
        # Each with the scores as they follow it, and the parameters so turned that none follows another.
        following = -np.linalg.solve(block, information[scores, used])
        beside = information[np.ix_(used, used)] + information[used, scores] @ following
        scale = beside.diagonal() ** -0.5
        turned = scale[:, None] * np.linalg.eigh(scale * beside * scale[:, None])[1]
        moves = np.zeros((len(used), size))
        moves[:, used], moves[:, scores] = turned.T, (following @ turned).T
        lines.append(moves)
    root = block.diagonal() ** 0.5
    along = root / np.linalg.norm(root)
    values, vectors = np.linalg.eigh(block / root / root[:, None] + 2.0 * np.outer(along, along))
    slow = values < SLOW
    moves = np.zeros((int(slow.sum()), size))
    moves[:, scores] = vectors[:, slow].T / root
    lines.append(moves)
    moves = np.vstack(lines)
    # Either way along a line is the same move: rounding is not to choose between the two.
    largest = np.take_along_axis(moves, np.abs(moves).argmax(axis=1)[:, None], axis=1)
    return moves * np.sign(largest)
