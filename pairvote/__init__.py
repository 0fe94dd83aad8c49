"""Run and score votes in which people pick one of two."""

import importlib

_HOMES = {
    "errors": (
        "PairvoteError",
        "InputError",
        "StateError",
        "StorageError",
        "NotIdentifiedError",
        "ConvergenceError",
        "MissingUncertaintyError",
    ),
    "votes": ("Votes", "Outcome"),
    "counts": ("PairCounts",),
    "chunked": ("count_pairs",),
    "ranking": ("Ranking", "Interval", "Fit", "Agreement"),
    "scoring.tally": ("tally", "win_rate"),
    "scoring.elo": ("elo", "EloRatings"),
    "scoring.bradley_terry": ("bradley_terry",),
    "scoring.luce": ("luce",),
    "scoring.bootstrap": ("bootstrap",),
    "scoring.methods": ("rank",),
    "poll.poll": ("Poll", "Question"),
    "io": ("read_votes", "write_votes"),
    "_scan": ("scan_votes", "VoteScan"),
    "simulation.simulate": ("simulate",),
    "simulation.experiment": ("experiment",),
    "simulation.how_many": ("how_many",),
    "simulation.voters": ("VoterModel",),
    "_config": ("show_config",),
}
_MODULES = ("datasets", "diagnostics", "distributed", "errors", "plotting", "sampling", "simulation")
_NAMES = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = ["__version__", *_NAMES, *_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
