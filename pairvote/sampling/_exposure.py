"""Strategies that look at how often items and pairs were shown, not at what was answered but for Swiss."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import exposure
from pairvote.sampling._board import Board, Ints, empty_table
from pairvote.sampling._checks import check_positive
from pairvote.sampling._stream import PairStream, Sampler, WholeVote
from pairvote.sampling._whole_vote import check_shapes, check_uniforms, empty_votes

__all__ = ["Balanced", "CatchUp", "Swiss", "Uniform"]

Floats = NDArray[np.float64]
UNIFORM, LEVEL, LEVEL_BY_SCORE, CATCH_UP = range(4)


@lru_cache
def _kernel_options(*options: float) -> Floats:
    """Options as the kernel takes them, made once and not for every question; nobody writes to them."""
    return np.array(options, np.float64)


@dataclass(frozen=True)
class _ByExposure(Sampler):
    """A rule of the kernel."""

    _rule: ClassVar[int]
    uniforms_used: ClassVar[int] = 2

    def choose(self, stream: PairStream, voter: Hashable, uniforms: Floats) -> tuple[int, int]:
        """The pair that the rule chooses."""
        board = stream._board
        pair = exposure.choose(
            board.items,
            board.levels,
            board.pairs,
            board.seen_by(voter),
            uniforms[None],
            self._options(stream.votes_each),
        )
        return pair >> 24, pair & 0xFFFFFF

    def whole_vote(self, n_items: int, turns: Ints, *, votes_each: int, n_open: int) -> WholeVote:
        """Prepare a whole vote in one call of the kernel."""
        votes, n_voters = empty_votes(n_items, turns)
        blank = Board(n_items, levelled=self.levelled)
        items, fresh_items = blank.items.copy(), blank.items
        # One place a level, and room for an item shown every time.
        fresh_levels = np.full(len(votes) + 5, n_items, np.int64) if self.levelled else blank.levels
        fresh_levels[1:2] = 0
        levels = fresh_levels.copy()
        n_pairs = min(n_items * (n_items - 1) // 2, len(votes))
        table = empty_table(1 << (2 * n_pairs).bit_length())
        seen = np.zeros((n_voters, int(np.bincount(votes[:, 0]).max()) + 1), np.int64)
        options = np.append(self._options(votes_each), float(n_open))

        def vote(strengths: Floats, draws: Floats) -> Ints:
            check_shapes(votes, n_voters, n_items, strengths, draws)
            check_uniforms(draws, self.uniforms_used)
            items[:], levels[:], table[0], seen[:, 0] = fresh_items, fresh_levels, -1, 0
            exposure.run(items, levels, table, seen, strengths, draws, votes, options)
            return votes

        return vote

    def _options(self, votes_each: int) -> Floats:
        """What the kernel asks for: the rule, votes_each, and what else a rule has."""
        return _kernel_options(self._rule, votes_each, 0.0, 0.0)


@dataclass(frozen=True)
class Uniform(_ByExposure):
    """Any two items at random, the Kalmar workshop's own rule.

    Every pair that the voter was shown least often has the same chance. Exposures then scatter like those of draws
    from a hat, which is unfair to whoever counts votes won: see `Balanced`.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.sampling.Uniform().start(23, rng=1).propose("anna")
    (22, 0)
    """

    _rule: ClassVar[int] = UNIFORM
    uniforms_used: ClassVar[int] = 1


@dataclass(frozen=True)
class Balanced(_ByExposure):
    """The items shown least often, in the pairing shown least often: the strategy to take without reasons for another.

    The first item is one of those shown least often, at random; the second, of those shown least often of the rest,
    one that was shown with the first least often, at random. How often items were shown differs by at most 2 at any
    time, as long as voters have pairs to choose from. A voter is shown no item more than ceil(2 votes_each / n) + 1
    times while there is another choice, so that an item that comes late catches up through many voters.
    Where more than 64 items were shown least often, 64 of them are looked at, from a random one on.

    Examples
    --------
    >>> import pairvote as pv
    >>> stream = pv.sampling.Balanced().start(5, rng=1)
    >>> for voter in ["anna", "bo", "cia", "dan", "eva"]:
    ...     stream.reserve(voter, *stream.propose(voter))
    >>> stream.shown.tolist()
    [2, 2, 2, 2, 2]
    """

    levelled: ClassVar[bool] = True
    _rule: ClassVar[int] = LEVEL


@dataclass(frozen=True)
class CatchUp(_ByExposure):
    """All Our Ideas' rule: pairs that were shown seldom have the better chance.

    A pair shown c times before is drawn with a chance in proportion to min((c + 1)^-exponent, cap), of the pairs that
    this voter was shown least often. Of more than 512 pairs, those from 33 items on, 512 evenly spaced ones
    from a random one on are weighed: about the same chances, at a cost that does not grow.

    Parameters
    ----------
    exponent : float, default 1.0
    cap : float, default 0.05
        A pair shown less than cap^(-1 / exponent) times has no better chance for it: at 0.05 all pairs shown less
        than 20 times are alike.

    Raises
    ------
    InputError
        Where one of them is not positive and finite.

    References
    ----------
    Salganik and Levy (2015), "Wiki surveys: open and quantifiable social data collection", PLoS ONE 10(5), e0123483,
    for the method; the weight is that of the code of All Our Ideas.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.sampling.CatchUp(cap=1.0).start(23, rng=1).propose("anna")
    (17, 4)
    """

    exponent: float = 1.0
    cap: float = 0.05
    _rule: ClassVar[int] = CATCH_UP
    uniforms_used: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_positive(self.exponent, "exponent", "pass a positive number, such as 1")
        check_positive(self.cap, "cap", "pass a positive number, such as 0.05")

    def _options(self, votes_each: int) -> Floats:
        return _kernel_options(self._rule, votes_each, self.exponent, self.cap)


@dataclass(frozen=True)
class Swiss(_ByExposure):
    """The items shown least often, against the nearest in score of those they met least often.

    As in a Swiss tournament everybody plays about as often, nobody meets an opponent again while there are others, and
    opponents are about as good. The score is (wins + 1) / (answers + 2), a tie as half a win. As `Balanced` it
    keeps exposures within 2 of each other and looks at no more than 64 items at a time.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.sampling.Swiss().start(23, rng=1).propose("anna")
    (22, 0)
    """

    levelled: ClassVar[bool] = True
    _rule: ClassVar[int] = LEVEL_BY_SCORE
