"""Simulated votes, as many repetitions as wanted: `simulate`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.labels import MAX_ITEMS
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote.errors import InputError
from pairvote.ranking._results import normal_quantile
from pairvote.sampling._names import sampler_named
from pairvote.sampling._stream import Sampler
from pairvote.simulation import _metrics
from pairvote.simulation._asking import BLOCK, Block, Workshop, described, draw
from pairvote.simulation._batch import Scorer
from pairvote.simulation._table import Row, Table
from pairvote.simulation._voters import VoterModel
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
Methods = str | Sequence[str] | Mapping[str, Mapping[str, Any]]
KALMAR = ("tally", "elo", "bradley-terry")
# Votes that a simulation holds; more are drawn again whenever they are looked at.
MOST_HELD = 2**25
MOST_QUESTIONS = 10**7


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
    rng: int | np.random.Generator | None = None,
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
    number = np.random.default_rng(rng)
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


def workshop_of(
    *,
    n_items: int,
    n_voters: int,
    votes_each: int,
    strength_sd: float,
    strengths: Any,
    sampler: Sampler | str,
    voters: VoterModel,
    n_open: int,
    seed: int,
) -> Workshop:
    """A workshop of checked values."""
    for name, value, least in (
        ("n_items", n_items, 2),
        ("n_voters", n_voters, 1),
        ("votes_each", votes_each, 1),
        ("n_open", n_open, 0),
    ):
        if not is_whole(value) or value < least:
            raise wrong_option(name, value, f"pass a whole number from {least}")
    if n_items > MAX_ITEMS:
        raise InputError(f"n_items is {n_items:,}; there can be at most {MAX_ITEMS:,}, so simulate fewer")
    if n_voters * votes_each > MOST_QUESTIONS:
        raise InputError(
            f"n_voters is {n_voters:,} and votes_each is {votes_each:,}, more than {MOST_QUESTIONS:,} questions",
            option="n_voters",
            value=n_voters,
            remedy="simulate fewer",
        )
    if not is_number(strength_sd) or not 0 <= strength_sd < math.inf:
        raise InputError(f"strength_sd is {shorten(strength_sd)}; it is a number of log-odds, finite, from 0")
    if not isinstance(voters, VoterModel):
        raise InputError(f"voters is {shorten(voters)}; pass a VoterModel, and their number as n_voters")
    return Workshop(
        n_items=int(n_items),
        n_voters=int(n_voters),
        votes_each=int(votes_each),
        strength_sd=float(strength_sd),
        strengths=_checked_strengths(strengths, int(n_items)),
        sampler=sampler_named(sampler),
        voters=voters,
        n_open=int(n_open),
        seed=seed,
    )


def _checked_strengths(strengths: Any, n_items: int) -> Any:
    if strengths is None or callable(strengths):
        return strengths
    try:
        given = np.array(strengths, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"strengths cannot be made an array ({error}); pass one number an item") from None
    if given.shape != (n_items,) or not np.isfinite(given).all():
        raise InputError(
            f"strengths has shape {given.shape} and n_items is {n_items}; pass one finite number of log-odds an item, "
            "and n_items with them"
        )
    return given


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
    _held: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.repetitions * self.workshop.n_votes <= MOST_HELD:
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

        Those of `pairvote.rank` for each repetition, to 1e-9; votes won, Elo and Bradley-Terry without sides for up to
        127 items many times as fast.

        Parameters
        ----------
        method : str
            As in `pairvote.rank`.
        **options
            Those of the scorer.

        Examples
        --------
        >>> import numpy as np
        >>> import pairvote as pv
        >>> sim = pv.simulate(repetitions=30, rng=1)
        >>> one = pv.bradley_terry(sim.votes(7), prior_sd=1.0).scores
        >>> bool(np.allclose(sim.scores("bradley-terry", prior_sd=1.0)[7], one, rtol=0, atol=1e-9))
        True
        """
        scorer = Scorer(self.workshop, method, options, self._block(0), errors=False)
        scores = np.concatenate([scorer(block).scores for block in self._blocks()])
        scores.flags.writeable = False
        return scores

    def evaluate(self, methods: Methods = KALMAR, *, top_k: int = 5, level: float = 0.95) -> Table:
        """How well each method finds the strengths: see `Table` for what is counted.

        Parameters
        ----------
        methods : str, sequence of str, or mapping
            Names as in `pairvote.rank`; or a mapping of any label to a scorer's options, its name among them under
            "method", such as ``{"BT(1)": {"method": "bradley-terry", "prior_sd": 1.0}}``.
        top_k : int
            How many are to be found.
        level : float
            Of the intervals whose coverage is counted.

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
        check_evaluation(self.workshop, self.repetitions, top_k, level)
        named = methods_named(methods)
        first = self._block(0)
        scorers = [scorer_of(self.workshop, options, first) for options in named.values()]
        parts = [block_sums(block, scorers, int(top_k), level) for block in self._blocks()]
        sizes = block_sizes(self.repetitions)
        return Table(rows=tuple(_rows(named, sizes, np.array(parts))))

    def _n_in(self, block: int) -> int:
        return min(BLOCK, self.repetitions - block * BLOCK)

    def _block(self, block: int) -> Block:
        return self._held[block] if self._held else draw(self.workshop, block, self._n_in(block))

    def _blocks(self) -> Iterator[Block]:
        return iter(self._held) if self._held else self._drawn()

    def _drawn(self) -> Iterator[Block]:
        for block in range(-(-self.repetitions // BLOCK)):
            yield draw(self.workshop, block, self._n_in(block))


# --- what experiments share ---


def methods_named(methods: Methods) -> dict[str, dict[str, Any]]:
    """The options of each method by its label, its name among them."""
    if isinstance(methods, str):
        methods = (methods,)
    if not isinstance(methods, Mapping):
        if not isinstance(methods, Sequence) or not all(isinstance(name, str) for name in methods):
            raise InputError(f"methods is {shorten(methods)}; pass names, or a mapping of labels to options")
        methods = {name: {"method": name} for name in methods}
    for label, options in methods.items():
        if not isinstance(options, Mapping) or "method" not in options:
            raise InputError(
                f"methods[{label!r}] is {shorten(options)}; pass a mapping such as "
                '{"method": "bradley-terry", "prior_sd": 1.0}'
            )
    if not methods:
        raise InputError("methods is empty; name one or more, such as 'bradley-terry'")
    return {label: dict(options) for label, options in methods.items()}


def scorer_of(workshop: Workshop, options: Mapping[str, Any], first: Block) -> Scorer:
    """The scorer of these options, its name among them."""
    return Scorer(workshop, options["method"], {k: v for k, v in options.items() if k != "method"}, first, errors=True)


def check_evaluation(workshop: Workshop, repetitions: int, top_k: int, level: float) -> None:
    """InputError for what cannot be evaluated."""
    if not is_whole(top_k) or not 1 <= top_k <= workshop.n_items:
        raise wrong_option("top_k", top_k, f"pass a whole number from 1 to {workshop.n_items}, the items")
    if repetitions < 2:
        raise InputError(f"repetitions is {repetitions}; standard errors take two or more")
    normal_quantile(level)


def block_sums(block: Block, scorers: Sequence[Scorer], top_k: int, level: float) -> list[tuple[Floats, Floats]]:
    """The sums of each scorer's metrics over a block, and of their squares."""
    exposures = _metrics.exposure_range(block)
    return [_metrics.sums(block, scorer(block), exposures, top_k, level) for scorer in scorers]


def block_sizes(repetitions: int) -> NDArray[np.int64]:
    """How many repetitions each block has."""
    return np.minimum(BLOCK, repetitions - np.arange(0, repetitions, BLOCK))


def _rows(named: Mapping[str, Any], sizes: NDArray[np.int64], parts: Floats) -> Iterator[Row]:
    for place, label in enumerate(named):
        yield Row(setting={"method": label}, sizes=sizes, sums=parts[:, place, 0], squares=parts[:, place, 1])
