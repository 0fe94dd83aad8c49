"""Votes whose ties depend on the items or on the voter, and Davidson's log-likelihood of such."""

from __future__ import annotations

import math

import numpy as np

import pairvote as pv

OPTIONS = {"prior_sd": 1.0, "n_simulations": 99, "rng": 1}


def drawn(seed, *, by_item=0.0, by_voter=0.0, n_items=8, n_voters=20, each=25, more=0.0):
    """Votes whose log tie parameter is log 0.6 plus normal numbers of both items and of the voter, and `more` of each.

    more : a number, or one for each vote
    """
    rng = np.random.default_rng(seed)
    scores, items, voters = (
        rng.normal(size=n_items),
        by_item * rng.normal(size=n_items),
        by_voter * rng.normal(size=n_voters),
    )
    n = n_voters * each
    left = rng.integers(n_items, size=n)
    right = (left + rng.integers(1, n_items, size=n)) % n_items
    voter = np.repeat(np.arange(n_voters), each)
    ahead = scores[left] - scores[right]
    odds = np.stack(
        [np.exp(-ahead / 2), 0.6 * np.exp(items[left] + items[right] + voters[voter] + more), np.exp(ahead / 2)], 1
    )
    below = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    outcome = (rng.random(n)[:, None] > below).sum(axis=1)
    return pv.Votes.from_codes(left, right, outcome, n_items=n_items, voter=voter)


def log_likelihood(params, rows, z, n_items, position) -> float:
    """Davidson's, of scores, log nu, perhaps the effect of the side, and t, with the log tie parameter log nu + z t."""
    scores, eta = params[:n_items], params[n_items]
    side, t = (params[n_items + 1] if position else 0.0), params[n_items + 1 + position :]
    total = 0.0
    for (left, right, outcome, weight), own in zip(rows, z, strict=True):
        ahead = scores[left] - scores[right] + side
        terms = [-ahead / 2, eta + own @ t, ahead / 2]
        total += weight * (terms[outcome] - math.log(sum(math.exp(term) for term in terms)))
    return total
