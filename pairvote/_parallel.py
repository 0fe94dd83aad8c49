"""The same work on many blocks: in several processes if asked for, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from pairvote._checks import is_whole
from pairvote.errors import InputError

Block = TypeVar("Block")
Answer = TypeVar("Answer")


def check_jobs(n_jobs: int, progress: bool) -> None:
    """InputError unless `n_jobs` is what joblib takes, a whole number but 0, and `progress` True or False."""
    if not is_whole(n_jobs) or n_jobs == 0:
        raise InputError(f"n_jobs is {n_jobs!r}; it is a whole number from 1, or -1 for all cores")
    if not isinstance(progress, bool):
        raise InputError(f"progress is {progress!r}; it is True or False")


def run_blocks(
    function: Callable[[Block], Answer], blocks: Sequence[Block], *, n_jobs: int, progress: bool
) -> list[Answer]:
    """What `function` makes of each block, in their order.

    All that an answer depends on, random numbers included, comes with its block, so that any `n_jobs` gives the
    same. Processes, since the loops here spend too much of their time in the interpreter for threads to gain by
    (two threads took longer than one); `function` and the blocks are pickled.
    """
    answers: Iterable[Answer] = (_alone(function, block) for block in blocks)
    if n_jobs != 1:
        from joblib import Parallel, delayed

        answers = Parallel(n_jobs=int(n_jobs), return_as="generator")(
            delayed(_alone)(function, block) for block in blocks
        )
    if progress:
        from tqdm import tqdm

        answers = tqdm(answers, total=len(blocks), unit="block")
    return list(answers)


def _alone(function: Callable[[Block], Answer], block: Block) -> Answer:
    """With one thread for linear algebra: several would add up in another order, and wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return function(block)
