"""How well Elo, Glicko-2 and Bradley-Terry forecast the next vote, and how fast, beside elote, glicko2, openskill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import forecasts
from benchmarks.cases import Group, Size
from benchmarks.tables import Table, decimals, printed

# Tables of accuracy, none of a single call's times.
GROUPS: tuple[Callable[[Size], Group], ...] = ()
N_VOTES: dict[Size, int] = {"full": 20_000, "quick": 2_000, "tiny": 200}
REPETITIONS: dict[Size, int] = {"full": 5, "quick": 3, "tiny": 2}
TIMES = 20.0
LEGEND = f"""\
log loss: the mean of -log(the chance that was forecast of what happened), in nats, with standard errors over
repetitions; gain: how much lower it is than that of pairvote.elo as it comes, on the same votes, in thousandths. Every
method forecasts a vote, and then learns from it; microseconds are those of both, for one vote. times ours: how many
times as long a peer takes as pairvote.elo (elote's Elo) or pairvote.glicko2 (all others); the goal is {TIMES:g}."""
ROWS = Table(
    [
        ("method", 34, lambda row: row.name),
        ("log loss", 14, lambda row: decimals(4, row.loss)),
        ("gain", 12, lambda row: decimals(1, row.gain)),
        ("microseconds", 12, lambda row: "-" if row.microseconds is None else f"{row.microseconds:,.2f}"),
        ("times ours", 10, lambda row: "-" if row.times_ours is None else f"{row.times_ours:,.0f}"),
        ("goal met", 8, lambda row: "-" if row.times_ours is None else "yes" if row.times_ours >= TIMES else "NO"),
    ]
)


def after(size: Size, options: Any = None) -> list[tuple[dict[str, Any], str]]:
    """Print a table for each kind of votes."""
    with_peers = options is None or options.peers
    n_repetitions = REPETITIONS[size]
    if options is not None and options.repetitions is not None:
        n_repetitions = options.repetitions
    n_votes = N_VOTES[size]
    settings = (forecasts.still(n_votes), forecasts.walking(n_votes), forecasts.baseball(), forecasts.citations())
    return [
        printed(
            "ratings", setting.name, ROWS, forecasts.measured(setting, n_repetitions, with_peers=with_peers), LEGEND
        )
        for setting in settings
    ]
