"""Sums over pairs that lie on a cluster, for the solver that fits any others."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote._inference import NO_MOMENTS, NOTHING, PRIOR_REMEDY, Likelihood, Slopes, no_scores
from pairvote.distributed import _shards
from pairvote.distributed._counts import DistributedCounts
from pairvote.distributed._engine import Delayed, added, kept, result, sent, task
from pairvote.distributed._shards import Links
from pairvote.errors import NotIdentifiedError

# Each goes once over all pairs; where votes mix the items, a few are enough.
MOST_ROUNDS = 500


@dataclass(frozen=True, eq=False, kw_only=True)
class RemoteSlopes(Slopes):
    """Derivatives whose weights of pairs stay where the pairs are; each is made again if its worker dies."""

    held: list[Delayed]


@dataclass(frozen=True, eq=False)
class RemoteSums:
    """Sums over pairs that are made where the pairs lie: vectors over items go there and come back.

    most_rounds: maximum number of times that all pairs are looked at to see whether scores exist.
    """

    counts: DistributedCounts
    most_rounds: int = MOST_ROUNDS

    @property
    def items(self) -> tuple[Hashable, ...]:
        """The labels."""
        return self.counts.items

    @property
    def pairs(self) -> None:
        """None: there is none in this memory."""
        return None

    @property
    def n_pairs(self) -> int:
        """The number of pairs; one that lies in several places counts in each."""
        return self.counts.n_pairs

    @property
    def n_covariates(self) -> int:
        """None: single votes are not kept."""
        return 0

    @property
    def n_answers(self) -> int:
        """Left, right and neither."""
        return 3

    def covariate_moments(self) -> NDArray[np.float64]:
        """Nothing: there are no covariates."""
        return NO_MOMENTS

    def item_totals(self) -> NDArray[np.float64]:
        """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""
        return self.counts.item_totals()

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item: int32, shape (n_items,)."""
        return self.counts.components()

    def threads(self) -> AbstractContextManager[Any]:
        """There is nothing for threads to do here."""
        return nullcontext()

    def effects(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """What favours the left beside the scores, in log-odds: float64, one for all pairs, or nothing."""
        return parameters[likelihood.layout.position]

    def workspace(self, likelihood: Likelihood) -> NDArray[np.float64]:
        """Nothing here."""
        return NOTHING

    def _sums(self, function: Callable[..., Any], held: list[tuple[Delayed, ...]], *sent_to_all: Any) -> list[Any]:
        """What the function makes of each shard, of what it holds and of values sent to all, added up."""
        made = [task(function)(shard, *own, *sent_to_all) for shard, own in zip(self.counts.shards, held, strict=True)]
        return cast("list[Any]", result(added(made, _shards.add_arrays)))

    def _kept(
        self, function: Callable[..., Any], likelihood: Likelihood, parameters: NDArray[np.float64]
    ) -> tuple[list[Delayed], list[Any]]:
        """What the function makes of each pair, kept where it is, and the sums that it makes, added up here."""
        there = sent(parameters)
        made = [task(function, n_values=2)(shard, likelihood, there) for shard in self.counts.shards]
        *held, sums = kept([*(weights for weights, _ in made), added([sums for _, sums in made], _shards.add_arrays)])
        return held, result(sums)

    def log_likelihood(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood without what ties add through the nuisance parameters alone."""
        alone: list[tuple[Delayed, ...]] = [()] * len(self.counts.shards)
        return float(self._sums(_shards.log_likelihood, alone, likelihood, sent(parameters))[0])

    def slopes(
        self, likelihood: Likelihood, parameters: NDArray[np.float64], workspace: NDArray[np.float64] | None = None
    ) -> Slopes:
        """The derivatives of that."""
        held, (columns, beside) = self._kept(_shards.slopes, likelihood, parameters)
        n_beside = likelihood.layout.n_beside
        return RemoteSlopes(
            gradient=np.concatenate([columns[:, 0], beside[:n_beside]]),
            weights=NOTHING,
            diagonal=columns[:, 1].copy(),
            border=columns[:, 2:],
            corner=beside[n_beside:].reshape(n_beside, n_beside),
            held=held,
        )

    def squares(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> Slopes:
        """The sum over votes of the outer product of each vote's own gradient, in the shape of an information."""
        held, (border, corner) = self._kept(_shards.squares, likelihood, parameters)
        return RemoteSlopes(
            gradient=NOTHING, weights=NOTHING, diagonal=NOTHING, border=border, corner=corner, held=held
        )

    def add_products(self, slopes: Slopes, vectors: NDArray[np.float64], products: NDArray[np.float64]) -> None:
        """Add the Laplacian of the pairs' weights times each column of `vectors` (n_items, n) to `products`."""
        products += self._sums(_shards.products, _held(slopes), sent(vectors))[0]

    def second_order(self, slopes: Slopes) -> NDArray[np.float64]:
        """The sum of w^2 / (d_i d_j) over each item's pairs; a pair in several shards lacks their cross terms."""
        return np.asarray(self._sums(_shards.second_order, _held(slopes), sent(slopes.diagonal))[0])

    def third_order(
        self, slopes: Slopes, likelihood: Likelihood, parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The third derivative of the likelihood by each score: float64, shape (n_items,)."""
        return np.asarray(self._sums(_shards.third_order, _held(slopes), likelihood, sent(parameters))[0])

    def sides_won(self) -> tuple[float, float]:
        """The weight of votes that the right and the left side won."""
        made = [task(_shards.sides_won)(shard) for shard in self.counts.shards]
        right, left = result(added(made, _shards.add_arrays))[0].tolist()
        return right, left

    def check_maximum(self, likelihood: Likelihood, n_ties: float) -> None:
        """NotIdentifiedError where maximum-likelihood scores do not exist, or where it cannot be told from here.

        Scores do by Ford's condition, as for any model. For a tie parameter and a position effect it is enough that
        decided votes, and those that each side won, lead in a circle somewhere, and that is all that is looked for.
        Each round goes once over all pairs.
        """
        if not self.items:
            return
        outcome, layout = likelihood
        tied = outcome.tie_weight > 0
        above, below = self._reached("beat", tied)
        if not (above.all() and below.all()):
            totals = self.item_totals().copy()
            totals[:, Outcome.TIE] *= outcome.tie_weight
            # Those that are not reached were never beaten by the others, or else those that reach the first item.
            best = np.flatnonzero(above if below.all() else below == 0)
            components = self.counts.components_by(tied=tied)
            raise no_scores(self.items, totals, components, best, **PRIOR_REMEDY)
        if layout.n_nuisance and not self._circles("beat", tied=False):
            raise _untold("the tie parameter", "decided votes")
        # A tie stands against both sides where the model has no other place for it.
        level = bool(n_ties) and not layout.n_nuisance
        sides: tuple[Links, Links] = ("right won", "left won")
        for side in sides:
            if layout.has_position and not self._circles(side, tied=level):
                raise _untold("the position effect", f"votes that the {side.partition(' ')[0]} side won")

    def _circles(self, links: Links, *, tied: bool) -> bool:
        """Whether some shard has a circle of such links, or all items are in one."""
        found = [task(_shards.circle)(shard, links, tied) for shard in self.counts.shards]
        if result(added(found, _shards.any_of)):
            return True
        above, below = self._reached(links, tied)
        return bool(above.all() and below.all())

    def _reached(self, links: Links, tied: bool) -> tuple[Codes, Codes]:
        """Which items lead to the first by such links, and which it leads to: 1 for each, shape (n_items,)."""
        known = np.zeros((2, len(self.items)), np.int32)
        known[:, 0] = 1
        for _ in range(self.most_rounds):
            above, below = sent(known[0]), sent(known[1])
            made = [task(_shards.reach)(shard, links, tied, above, below) for shard in self.counts.shards]
            reached = np.maximum(known, result(added(made, _shards.either)))
            if (reached == known).all():
                return known[0], known[1]
            known = reached
        raise NotIdentifiedError(
            f"whether maximum-likelihood scores exist cannot be told after {self.most_rounds} rounds over all "
            "partitions, as where votes join the items in long chains",
            option="prior_sd",
            remedy="set a finite prior_sd, or gather() the counts and fit those",
        )


def _held(slopes: Slopes) -> list[tuple[Delayed, ...]]:
    return [(weights,) for weights in cast("RemoteSlopes", slopes).held]


def _untold(parameter: str, votes: str) -> NotIdentifiedError:
    return NotIdentifiedError(
        f"whether {parameter} has a finite maximum-likelihood estimate cannot be told where the pairs lie apart: no "
        f"partition's {votes} lead in a circle, nor do all of them join all items",
        option="prior_sd",
        remedy="set a finite prior_sd, or gather() the counts and fit those",
    )
