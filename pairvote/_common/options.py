"""Options that many functions take, checked in one way."""

from __future__ import annotations

import numpy as np

from pairvote._common.checks import is_whole
from pairvote._common.messages import wrong_option

USUAL_TOP_K = 5


def check_flag(option: str, value: object) -> None:
    """InputError unless the value is True or False, Python's or numpy's."""
    if not isinstance(value, (bool, np.bool_)):
        raise wrong_option(option, value, "it is True or False")


def check_jobs(n_jobs: int, progress: bool) -> None:
    """InputError unless `n_jobs` is a whole number that joblib takes, any except 0, and `progress` True or False."""
    if not is_whole(n_jobs) or n_jobs == 0:
        raise wrong_option("n_jobs", n_jobs, "it is a whole number from 1, or -1 for all cores")
    check_flag("progress", progress)


def check_top_k(top_k: int, n_items: int, option: str = "top_k") -> None:
    """InputError unless the option is a whole number from 1 to the number of items."""
    if not is_whole(top_k) or not 1 <= top_k <= n_items:
        raise wrong_option(option, top_k, f"with {n_items} items it is a whole number from 1 to {n_items}")


def chosen_top_k(top_k: int | None, n_items: int) -> int:
    """How many of the best are meant: `top_k`, checked; None means 5, and of fewer than six items all except one."""
    chosen = max(min(USUAL_TOP_K, n_items - 1), 1) if top_k is None else top_k
    check_top_k(chosen, n_items)
    return int(chosen)
