"""A model whose pairs lie on a cluster, for the solver that fits any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote._common.threads import Parts
from pairvote._inference.identification import PRIOR_REMEDY, no_scores
from pairvote._inference.models import NOTHING, Model, Slopes
from pairvote.distributed import _shards
from pairvote.distributed._counts import DistributedCounts
from pairvote.distributed._engine import Delayed, added, kept, result, sent, task
from pairvote.distributed._shards import Kind, Links
from pairvote.errors import NotIdentifiedError
from pairvote.votes._counts import PairCounts

# Each goes once over all pairs; where votes mix the items, a few are enough.
MOST_ROUNDS = 500


@dataclass(frozen=True, eq=False, kw_only=True)
class RemoteSlopes(Slopes):
    """Derivatives whose weights of pairs stay where the pairs are; each is made again if its worker dies."""

    held: list[Delayed]


@dataclass(frozen=True, eq=False, kw_only=True)
class RemoteModel(Model):
    """A log-posterior that has every sum over pairs made where they lie: vectors over items go there and come back."""

    at_hand: ClassVar[bool] = False

    @classmethod
    def over(cls, counts: DistributedCounts, **options: Any) -> RemoteModel:
        """The model of these counts, which have items and totals as any others, but no pairs to look at."""
        model = cls.of(cast("PairCounts", counts), **options)
        return cast("RemoteModel", model)

    @property
    def _counts(self) -> DistributedCounts:
        return cast("DistributedCounts", self.counts)

    @property
    def _kind(self) -> Kind:
        return Kind(self.ties, self.position, self.has_ties, self._counts.n_items)

    @property
    def _shards(self) -> list[Delayed]:
        return self._counts.shards

    @cached_property
    def parts(self) -> Parts:
        """No threads here: there is nothing for them to do."""
        return Parts([(0, 0)])

    def room(self) -> NDArray[np.float64]:
        """None here."""
        return NOTHING

    def _sums(self, function: Callable[..., Any], held: list[tuple[Delayed, ...]], *vectors: Delayed) -> list[Any]:
        """What the function makes of each shard, of what it holds and of vectors sent to all, added up."""
        made = [
            task(function)(shard, self._kind, *own, *vectors) for shard, own in zip(self._shards, held, strict=True)
        ]
        return cast("list[Any]", result(added(made, _shards.add_arrays)))

    def _alone(self) -> list[tuple[Delayed, ...]]:
        return [()] * len(self._shards)

    def _bent(self, function: Callable[..., Any], parameters: NDArray[np.float64]) -> tuple[list[Delayed], list[Any]]:
        """The weights that the function gives pairs, kept where they are, and the sums that it makes, added up here."""
        there = sent(parameters)
        bent = [task(function, n_values=2)(shard, self._kind, there) for shard in self._shards]
        *held, sums = kept([*(weights for weights, _ in bent), added([sums for _, sums in bent], _shards.add_arrays)])
        return held, result(sums)

    def log_likelihood(self, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood, without the prior."""
        return float(self._sums(_shards.log_likelihood, self._alone(), sent(parameters))[0])

    def slopes(self, parameters: NDArray[np.float64], room: NDArray[np.float64] | None = None) -> Slopes:
        """Gradient and information of the log-posterior."""
        held, (columns, further) = self._bent(_shards.slopes, parameters)
        n_items, n_extra, precision = self._counts.n_items, self.n_extra, self.prior_precision
        gradient = columns[:, 0] - precision * parameters[:n_items]
        return RemoteSlopes(
            gradient=np.concatenate([gradient, further[:n_extra]]),
            weights=NOTHING,
            diagonal=columns[:, 1] + precision,
            border=columns[:, 2:],
            corner=further[n_extra:].reshape(n_extra, n_extra),
            ridge=precision,
            held=held,
        )

    def meat(self, parameters: NDArray[np.float64]) -> Slopes:
        """The sum over votes of the outer product of each vote's own gradient, in the shape of an information."""
        held, (border, corner) = self._bent(_shards.meat, parameters)
        return RemoteSlopes(
            gradient=NOTHING,
            weights=NOTHING,
            diagonal=NOTHING,
            border=border,
            corner=corner,
            ridge=self.prior_precision,
            held=held,
        )

    def add_products(self, slopes: Slopes, vectors: NDArray[np.float64], products: NDArray[np.float64]) -> None:
        """Add the Laplacian of the pairs' weights times each column of `vectors` (n_items, n) to `products`."""
        products += self._sums(_shards.products, _held(slopes), sent(vectors))[0]

    def second_order(self, slopes: Slopes) -> NDArray[np.float64]:
        """As of any model, but for the cross terms of a pair that stands in several _shards."""
        return np.asarray(self._sums(_shards.second_order, _held(slopes), sent(slopes.diagonal))[0])

    def sides_won(self) -> tuple[float, float]:
        """The weight of votes that the right and the left side won."""
        made = [task(_shards.sides_won)(shard) for shard in self._shards]
        right, left = result(added(made, _shards.add_arrays))[0].tolist()
        return right, left

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item: int32, shape (n_items,)."""
        return self._counts.components()

    def check_maximum(self, most_rounds: int = MOST_ROUNDS) -> None:
        """NotIdentifiedError where maximum-likelihood scores do not exist, or where it cannot be told from here.

        Scores do by Ford's condition, as of any model. For a tie parameter and a position effect it is enough that
        decided votes, and those that each side won, lead in a circle somewhere, and that is all that is looked for.
        Each round goes once over all pairs.
        """
        if self.prior_precision or not self._counts.n_items:
            return
        tied = self.tie_weight > 0
        above, below = self._reached("beat", tied, most_rounds)
        if not (above.all() and below.all()):
            totals = self.totals.copy()
            totals[:, Outcome.TIE] *= self.tie_weight
            # Those that are not reached were never beaten by the others, or else those that reach the first item.
            best = np.flatnonzero(above if below.all() else below == 0)
            components = self._counts.components_by(tied=tied)
            raise no_scores(self._counts.items, totals, components, best, **PRIOR_REMEDY)
        if self.has_ties and not self._circles("beat", tied=False, most_rounds=most_rounds):
            raise _untold("the tie parameter", "decided votes")
        # A tie stands against both sides where the model has no other place for it.
        level = bool(self.n_ties) and not self.has_ties
        sides: tuple[Links, Links] = ("right won", "left won")
        for side in sides:
            if self.position and not self._circles(side, tied=level, most_rounds=most_rounds):
                raise _untold("the position effect", f"votes that the {side.partition(' ')[0]} side won")

    def _circles(self, links: Links, *, tied: bool, most_rounds: int) -> bool:
        """Whether some shard has a circle of such links, or all items are in one."""
        found = [task(_shards.circle)(shard, links, tied) for shard in self._shards]
        if result(added(found, _shards.any_of)):
            return True
        above, below = self._reached(links, tied, most_rounds)
        return bool(above.all() and below.all())

    def _reached(self, links: Links, tied: bool, most_rounds: int) -> tuple[Codes, Codes]:
        """Which items lead to the first by such links, and which it leads to: 1 for each, shape (n_items,)."""
        known = np.zeros((2, self._counts.n_items), np.int32)
        known[:, 0] = 1
        for _ in range(most_rounds):
            above, below = sent(known[0]), sent(known[1])
            made = [task(_shards.reach)(shard, links, tied, above, below) for shard in self._shards]
            reached = np.maximum(known, result(added(made, _shards.either)))
            if (reached == known).all():
                return known[0], known[1]
            known = reached
        raise NotIdentifiedError(
            f"whether maximum-likelihood scores exist cannot be told after {most_rounds} rounds over all partitions, "
            "as where votes join the items in long chains",
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
