"""Truth per vote: in how many simulated workshops a strategy finds exactly the true top k.

Strengths are normal; voters answer by Bradley-Terry; the final score is Bradley-Terry with the prior that the strengths
have. Strengths and answers are the same for every strategy, so that their differences are of pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pairvote as pv

SEED = 2014
KALMAR = {"n_items": 23, "n_voters": 30, "votes_each": 20, "top_k": 5, "strength_sd": 1.0}
# What is different from Kalmar, by title.
SETTINGS: dict[str, Mapping[str, Any]] = {
    "one after another": {},
    "ten votes each": {"votes_each": 10},
    "forty votes each": {"votes_each": 40},
    "thirty at once": {"n_open": 30},
    "10% random answers": {"voters": pv.VoterModel(lapse=0.1)},
    "strengths N(0, 0.5)": {"strength_sd": 0.5},
    "100 items, top 10": {"n_items": 100, "n_voters": 100, "top_k": 10},
}
# The figures of a line: the heading, the metric, the method, and how many digits are shown.
COLUMNS = (
    ("top {} exact", "exact", "bradley-terry", 3),
    ("by votes won", "exact", "tally", 3),
    ("tau", "kendall_tau", "bradley-terry", 4),
)


def samplers(top_k: int) -> dict[str, pv.sampling.Sampler]:
    """The strategies by name."""
    return {
        "Uniform": pv.sampling.Uniform(),
        "CatchUp": pv.sampling.CatchUp(),
        "Balanced": pv.sampling.Balanced(),
        "Swiss": pv.sampling.Swiss(),
        "InformationGain": pv.sampling.InformationGain(),
        f"TopK({top_k})": pv.sampling.TopK(top_k),
    }


def measure(
    setting: Mapping[str, Any], repetitions: int, *, samplers: Any, n_jobs: int = 1, progress: bool = False
) -> pv.simulation.Table:
    """Simulate a setting; the same numbers for any `n_jobs`."""
    options = {**KALMAR, **setting}
    scored = {"ties": "half", "prior_sd": options["strength_sd"], "uncertainty": "none"}
    methods = {"bradley-terry": {"method": "bradley-terry", **scored}, "tally": {"method": "tally"}}
    return pv.experiment(
        **options,
        samplers=samplers,
        methods=methods,
        repetitions=repetitions,
        rng=SEED,
        n_jobs=n_jobs,
        progress=progress,
    )


def lines(settings: Mapping[str, Mapping[str, Any]], repetitions: int, *, n_jobs: int = 1) -> Iterator[str]:
    """The table, a line at a time."""
    for title, setting in settings.items():
        size = {**KALMAR, **setting}
        yield (
            f"\n{title}: {size['n_items']} items, {size['n_voters']} voters x {size['votes_each']}, "
            f"{repetitions:,} repetitions"
        )
        headings = [heading.format(size["top_k"]) for heading, *_ in COLUMNS]
        yield f"{'':<16} {headings[0]:>14} {headings[1]:>14} {headings[2]:>16}"
        for name, sampler in samplers(size["top_k"]).items():
            table = measure(setting, repetitions, samplers=sampler, n_jobs=n_jobs)
            cells = [
                f"{table.mean(metric, method=method):.{digits}f} +-{table.error(metric, method=method):.{digits}f}"
                for _, metric, method, digits in COLUMNS
            ]
            yield f"{name:<16} {cells[0]:>14} {cells[1]:>14} {cells[2]:>16}"


def draw(path: str, repetitions: int, *, setting: Mapping[str, Any] | None = None, n_jobs: int = 1) -> None:
    """A picture of the exact top k against the number of votes of each voter."""
    from matplotlib.figure import Figure

    size = {"votes_each": [10, 20, 40], **(setting or {})}
    table = measure(size, repetitions, samplers=list(samplers(5).values()), n_jobs=n_jobs)
    rows = tuple(row for row in table.rows if row.setting["method"] == "bradley-terry")
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    pv.plotting.plot_experiment(pv.simulation.Table(rows=rows), x="votes_each", metric="exact", ax=figure.subplots())
    figure.savefig(path, dpi=150)
