"""The same work on many blocks: in several processes if asked for, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

Block = TypeVar("Block")
Answer = TypeVar("Answer")


def run_blocks(
    function: Callable[[Block], Answer], blocks: Sequence[Block], *, n_jobs: int, progress: bool
) -> list[Answer]:
    """What `function` makes of each block, in their order; see `each_answer`."""
    return list(each_answer(function, blocks, n_jobs=n_jobs, progress=progress))


def each_answer(
    function: Callable[[Block], Answer], blocks: Sequence[Block], *, n_jobs: int, progress: bool
) -> Iterator[Answer]:
    """What `function` makes of each block, in their order, as soon as it is there.

    All that an answer depends on, random numbers included, comes with its block, so that any `n_jobs` gives the
    same. Processes, unless joblib's `parallel_config` says otherwise, since the loops here spend too much of their time
    in the interpreter for threads to gain by (two threads took longer than one); `function` and the blocks are pickled.
    """
    answers: Iterable[Answer] = (_alone(function, block) for block in blocks)
    if n_jobs != 1:
        from joblib import Parallel, delayed
        from joblib.parallel import get_active_backend

        # A backend that cannot give answers one by one gives them all at the end.
        one_by_one = getattr(get_active_backend()[0], "supports_return_generator", False)
        answers = Parallel(n_jobs=int(n_jobs), return_as="generator" if one_by_one else "list")(
            delayed(_alone)(function, block) for block in blocks
        )
    if progress:
        from tqdm import tqdm

        answers = tqdm(answers, total=len(blocks), unit="block")
    yield from answers


def _alone(function: Callable[[Block], Answer], block: Block) -> Answer:
    """With one thread for linear algebra: several would add up in another order, and wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return function(block)
