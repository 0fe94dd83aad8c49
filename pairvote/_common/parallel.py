"""Work on many blocks: in several processes if asked for, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import TypeVar

Block = TypeVar("Block")
Answer = TypeVar("Answer")


def run_blocks(
    function: Callable[[Block], Answer], blocks: Sequence[Block], *, n_jobs: int, progress: bool
) -> list[Answer]:
    """What `function` makes of each block, in their order; see `each_answer`."""
    return list(each_answer(function, blocks, n_jobs=n_jobs, progress=progress))


def each_answer(
    function: Callable[[Block], Answer],
    blocks: Iterable[Block],
    *,
    n_jobs: int,
    progress: bool,
    n_blocks: int | None = None,
) -> Iterator[Answer]:
    """What `function` makes of each block, in their order, as soon as it is there.

    Blocks may come from a generator, which is asked for a few at a time; `n_blocks` is then their number, for the bar.

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
    yield from with_bar(answers, progress, unit="block", total=len(blocks) if isinstance(blocks, Sized) else n_blocks)


def with_bar(values: Iterable[Answer], progress: bool, *, unit: str, total: int | None = None) -> Iterable[Answer]:
    """The values as they come, with a bar that moves by one for each when `progress` is True."""
    if not progress:
        return values
    from tqdm import tqdm

    bar: Iterable[Answer] = tqdm(values, total=total, unit=unit)
    return bar


def _alone(function: Callable[[Block], Answer], block: Block) -> Answer:
    """With one thread for linear algebra: several would add up in another order, and wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return function(block)
