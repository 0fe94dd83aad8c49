"""All outcome models by one name each: a name of `ties`, with "probit " before it beside link="probit"."""

from __future__ import annotations

from typing import Any

from pairvote._inference import MODELS_BY_LINK, LinkName

# Names that are only another word for a model are left out.
NAMES = tuple(
    name if link == "logistic" else f"{link} {name}"
    for link, models in MODELS_BY_LINK.items()
    for name, model in models.items()
    if model.name == name
)
# Those that have a tie parameter where somebody ties, and those of them that have thresholds.
WITH_TIES = tuple(name for name in NAMES if not name.endswith(("half", "drop")))
WITH_THRESHOLDS = tuple(name for name in WITH_TIES if name != "davidson")


def link_of(name: str) -> LinkName:
    return "probit" if name.startswith("probit ") else "logistic"


def ties_of(name: str) -> str:
    return name.removeprefix("probit ")


def options(name: str) -> dict[str, Any]:
    """What to pass to `bradley_terry`, and to `fit`."""
    return {"ties": ties_of(name), "link": link_of(name)}
