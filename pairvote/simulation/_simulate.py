"""Simulated votes, as many repetitions as wanted: `simulate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import plural, shorten
from pairvote._common.options import check_jobs
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError
from pairvote.sampling._stream import Sampler
from pairvote.simulation._asking import BLOCK, Block, Workshop, described, draw, workshop_of
from pairvote.simulation._batch import Scorer
from pairvote.simulation._evaluation import BLOCKS, KALMAR, Cell, Methods, evaluate_cells, methods_named
from pairvote.simulation._table import Table
from pairvote.simulation._voters import VoterModel
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
# Votes that a simulation holds; more are drawn again whenever they are looked at.
MOST_HELD = 2**25


def simulate(
    *,
    n_items: int = 23,
    n_voters: int = 30,
    votes_each: int = 20,
    strength_sd: float = 1.0,
    strengths: ArrayLike | Callable[[np.random.Generator, tuple[int, int]], Floats] | None = None,
    sampler: Sampler | str = "balanced",
    voters: VoterModel | None = None,
    n_open: int = 0,
    repetitions: int = 10_000,
    rng: Rng = None,
) -> Simulation:
    """Simulate a vote many times: strengths drawn, pairs chosen, questions answered.

    Strengths, answers and choices of pairs have random streams of their own, so that of one seed two strategies meet
    the same items and the same voters, and what they differ by is their pairs.

    Parameters
    ----------
    n_items, n_voters, votes_each : int
        The Kalmar workshop's by default.
    strength_sd : float
        The strengths are Normal(0, strength_sd) in log-odds.
    strengths : array_like of float, shape (n_items,), or callable, optional
        The strengths of every repetition; or what draws those of some: called with a numpy.random.Generator and a shape
        (n_repetitions, n_items), it returns an array of that shape.
    sampler : Sampler or str
        Which two next: one of `pairvote.sampling`, or "uniform", "balanced", "catch-up", "swiss", "information-gain".
    voters : VoterModel, optional
        How they answer; by Bradley-Terry without more by default.
    n_open : int
        How many other questions are open when one is answered; 0 for one after another.
    repetitions : int
    rng : None, int or numpy.random.Generator, keyword-only

    Raises
    ------
    InputError
        For a value out of range.

    Examples
    --------
    >>> import pairvote as pv
    >>> sim = pv.simulate(repetitions=50, rng=2014)
    >>> sim
    Simulation(23 items, 30 voters x 20, Balanced(), VoterModel(), 50 repetitions)
    >>> round(sim.evaluate("tally").mean("overlap"), 2)
    0.8
    """
    number = generator(rng)
    if not is_whole(repetitions) or repetitions < 1:
        raise InputError(f"repetitions is {shorten(repetitions)}; pass a whole number from 1")
    workshop = workshop_of(
        n_items=n_items,
        n_voters=n_voters,
        votes_each=votes_each,
        strength_sd=strength_sd,
        strengths=strengths,
        sampler=sampler,
        voters=VoterModel() if voters is None else voters,
        n_open=n_open,
        seed=int(number.integers(2**63)),
    )
    return Simulation(workshop=workshop, repetitions=int(repetitions))


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Simulation:
    """Simulated votes of one kind, as many repetitions as were asked for.

    Up to 33 million votes are held, in 9 bytes each. More are drawn again, block by block, whenever they are looked at,
    so that any number of repetitions can be evaluated in the same memory.

    Attributes
    ----------
    workshop : Workshop
    repetitions : int

    Examples
    --------
    >>> import pairvote as pv
    >>> sim = pv.simulate(n_items=5, n_voters=4, votes_each=6, repetitions=50, rng=1)
    >>> sim.strengths.shape, sim.scores("elo").shape
    ((50, 5), (50, 5))
    >>> sim.votes(49)
    Votes(24 votes, 5 items, 4 voters: 13 left, 11 right, 0 tie, 0 skip)
    """

    workshop: Workshop
    repetitions: int
    most_held: InitVar[int] = MOST_HELD
    _held: list[Block] = field(default_factory=list)

    def __post_init__(self, most_held: int) -> None:
        if self.repetitions * self.workshop.n_votes <= most_held:
            self._held.extend(self._drawn())

    def __repr__(self) -> str:
        repetitions = plural(self.repetitions, "repetition")
        return f"Simulation({described(self.workshop)}, {self.workshop.voters!r}, {repetitions})"

    @property
    def strengths(self) -> Floats:
        """The true strengths in log-odds: float64, shape (repetitions, n_items), read-only."""
        n_blocks = -(-self.repetitions // BLOCK)
        strengths = np.concatenate([self.workshop.strengths_of(block) for block in range(n_blocks)])[: self.repetitions]
        strengths.flags.writeable = False
        return strengths

    def votes(self, r: int) -> Votes:
        """The votes of repetition r, from 0, with voters; items and voters are numbers.

        Raises
        ------
        InputError
            Where there is no such repetition.
        """
        if not is_whole(r) or not 0 <= r < self.repetitions:
            raise InputError(f"r is {shorten(r)}; the repetitions are 0 to {self.repetitions - 1}")
        number, place = divmod(int(r), BLOCK)
        return self._block(number).votes(place, self.workshop)

    def scores(self, method: str = "bradley-terry", **options: Any) -> Floats:
        """The scores of all repetitions: float64, shape (repetitions, n_items), read-only.

        Those of `pairvote.rank` for each repetition, to 1e-9, Bradley-Terry's under ``prior_sd=3.0`` unless another is
        asked for; votes won, Elo and Bradley-Terry without sides for up to 127 items many times as fast.

        Parameters
        ----------
        method : str
            As in `pairvote.rank`.
        **options
            Those of the scorer. ``prior_sd="learned"`` is the prior of `pairvote.bradley_terry` by default, which takes
            some 20 ms for every repetition of the Kalmar workshop.

        Examples
        --------
        >>> import numpy as np
        >>> import pairvote as pv
        >>> sim = pv.simulate(repetitions=30, rng=1)
        >>> one = pv.bradley_terry(sim.votes(7), prior_sd=1.0).scores
        >>> bool(np.allclose(sim.scores("bradley-terry", prior_sd=1.0)[7], one, rtol=0, atol=1e-9))
        True
        """
        scorer = Scorer(self.workshop, method, options, self._block(0))
        scores = np.concatenate([scorer(block).scores for block in self._blocks()])
        scores.flags.writeable = False
        return scores

    def evaluate(
        self,
        methods: Methods = KALMAR,
        *,
        top_k: int = 5,
        level: float = 0.95,
        n_jobs: int = 1,
        progress: bool = False,
    ) -> Table:
        """How well each method finds the strengths: see `Table` for what is counted.

        Parameters
        ----------
        methods : str, sequence of str, or mapping
            Names as in `pairvote.rank`; or a mapping of any label to a scorer's options, its name among them under
            "method", such as ``{"BT(1)": {"method": "bradley-terry", "prior_sd": 1.0}}``. Bradley-Terry has
            ``prior_sd=3.0`` unless another is asked for; "learned", the default of `pairvote.bradley_terry`, takes some
            20 ms for every repetition of the Kalmar workshop.
        top_k : int
            How many are to be found.
        level : float
            Of the intervals whose coverage is counted.
        n_jobs : int
            How many processes, -1 for all cores; the answer is the same for any.
        progress : bool
            Show a bar.

        Returns
        -------
        Table
            One row a method.

        Raises
        ------
        InputError
            For an unknown method or option, or fewer than two repetitions, of which no standard error can be told.

        Examples
        --------
        >>> import pairvote as pv
        >>> table = pv.simulate(repetitions=50, rng=1).evaluate(top_k=5)
        >>> [f"{name} {mean:.2f}" for name, mean in zip(table.to_columns()["method"], table.to_columns()["overlap"])]
        ['tally 0.80', 'elo 0.81', 'bradley-terry 0.80']
        """
        check_jobs(n_jobs, progress)
        named = methods_named(methods)
        cell = Cell(self.workshop, named, top_k, level, self.repetitions, in_grid=False, held=self._held)
        # At once, unless there is something to share out or to show.
        together = -(-self.repetitions // BLOCK) if n_jobs == 1 and not progress else BLOCKS
        return evaluate_cells([cell], n_jobs=n_jobs, progress=progress, together=together)

    def _n_in(self, block: int) -> int:
        return min(BLOCK, self.repetitions - block * BLOCK)

    def _block(self, block: int) -> Block:
        return self._held[block] if self._held else draw(self.workshop, block, self._n_in(block))

    def _blocks(self) -> Iterator[Block]:
        return iter(self._held) if self._held else self._drawn()

    def _drawn(self) -> Iterator[Block]:
        for block in range(-(-self.repetitions // BLOCK)):
            yield draw(self.workshop, block, self._n_in(block))
