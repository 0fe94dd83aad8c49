"""What ``pairvote rank`` prints: a table for people, CSV and JSON for programs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pairvote._common.messages import plural
from pairvote._inference import outcome_probabilities
from pairvote.cli._output import as_csv, as_data, as_json
from pairvote.cli._rank import Summary
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import Fit

COLUMNS = ("rank", "item", "score", "standard_error", "low", "high", "won", "tied", "asked", "skipped")
COUNTS = ("won", "tied", "asked", "skipped")
FIT = ("converged", "n_iter", "ties", "tie_parameter", "position_effect", "uncertainty", "log_likelihood")
# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def remarks_on(ranking: Ranking, n_rows: int, top: int | None) -> list[str]:
    """What to say on standard error of a ranking of which so many rows are shown."""
    remarks = []
    if top is not None and n_rows > top:
        remarks.append(f"note: {n_rows} items are shown, not {top}, since place {top} is shared")
    n_components = _n_components(ranking)
    if n_components > 1:
        by_features = "by features alone" if ranking.features is not None else "not the voters'"
        remarks.append(
            f"warning: the items fall into {n_components:,} components that no vote connects; "
            f"their order across components is {by_features}"
        )
    if ranking.method == "bradley-terry" and ranking._uncertainty is None:
        remarks.append(f"note: standard errors are not given for as many as {ranking.n_items:,} items")
    return remarks


def table(summary: Summary, ranking: Ranking, n_rows: int, level: float, width: int | None = None) -> str:
    """The best `n_rows` for people, on lines of so many cells of a terminal."""
    parts = [_summed_up(summary, ranking), ranking._table(n_rows, level).text(width), *_fitted(ranking)]
    if ranking.features is not None:
        parts += ["", str(ranking.features)]
    if ranking.voters is not None:
        parts += ["", str(ranking.voters)]
    if summary.groups is not None:
        parts += ["", summary.groups._text(width)]
    return "\n".join(parts) + "\n"


def table_as_csv(ranking: Ranking, n_rows: int, level: float, *, safe: bool = False) -> bytes:
    """The best `n_rows` as CSV; if it is to be safe, no spreadsheet takes a label for a formula."""
    rows = _rows(ranking, n_rows, level)
    if safe:
        for row in rows:
            if str(row["item"]).startswith(FORMULA):
                row["item"] = f"'{row['item']}"
    return as_data(as_csv([COLUMNS, *(row.values() for row in rows)]))


def table_as_json(summary: Summary, ranking: Ranking, n_rows: int, level: float) -> bytes:
    """The best `n_rows` as JSON, with what the votes were, how they were fitted, and the warnings."""
    rows = _rows(ranking, n_rows, level)
    for row in rows:
        if not isinstance(row["item"], (str, int)):
            row["item"] = str(row["item"])
    report: dict[str, Any] = {
        "method": ranking.method,
        "unit": ranking.unit,
        "level": level,
        "n_votes": summary.n_votes,
        "n_ties": summary.n_ties,
        "n_skips": summary.n_skips,
        "n_voters": summary.n_voters,
        "n_items": ranking.n_items,
        "n_components": _n_components(ranking),
        "columns": summary.columns,
        "skipped_rows": {"n": summary.n_bad_rows, "first": summary.bad_rows},
        "warnings": summary.warnings,
        "fit": _fit(ranking),
        "ranking": rows,
    }
    if ranking.features is not None:
        features = ranking.features.to_columns(level)
        report["features"] = [dict(zip(features, row, strict=True)) for row in zip(*features.values(), strict=True)]
    if ranking.voters is not None:
        columns = ranking.voters.to_columns(level)
        columns["voter"] = [str(label) for label in columns["voter"]]
        columns["agreement"] = [None if math.isnan(share) else share for share in columns["agreement"]]
        by_voter = zip(*columns.values(), strict=True)
        report["voters"] = [dict(zip(columns, row, strict=True)) for row in by_voter]
    if summary.groups is not None:
        from pairvote.cli._groups import as_dict

        report["groups"] = as_dict(summary.groups)
    return as_json(report)


def check_safe(safe: bool, format: str) -> None:
    """InputError where CSV is to be safe and there will be none."""
    if safe and format != "csv":
        problem = "--safe-csv is given without --format csv"
        raise InputError(problem, option="safe_csv", value=format, remedy="pass both, or leave it out")


def _n_components(ranking: Ranking) -> int:
    return int(ranking.components.max(initial=-1)) + 1


def _summed_up(summary: Summary, ranking: Ranking) -> str:
    voters = "" if summary.n_voters is None else f" by {plural(summary.n_voters, 'voter')}"
    return (
        f"{plural(summary.n_votes, 'vote')}{voters} on {plural(ranking.n_items, 'item')}, "
        f"{plural(summary.n_ties, 'tie')} and {plural(summary.n_skips, 'skip')} among them, scored by {ranking.method}"
    )


def _fitted(ranking: Ranking) -> list[str]:
    """What else was fitted than scores, in words."""
    fit, lines = ranking.fit, []
    if fit is not None and fit.has_tie_parameter:
        chance = outcome_probabilities(np.array(0.0), fit.tie_parameter, fit.ties, fit.link)[1]
        lines.append(
            f"tie parameter ({fit.ties}) {fit.tie_parameter:.3g}: two equal items tie with probability {chance:.2f}"
        )
    if fit is not None and fit.position_effect:
        lines.append(f"position effect: standing on the left adds {fit.position_effect:.3g} {ranking.unit}")
    return lines


def _rows(ranking: Ranking, n_rows: int, level: float) -> list[dict[str, Any]]:
    """A mapping of all `COLUMNS` for each item, best first; None where the ranking has no such number."""
    table = ranking.to_columns(level)
    for name in COUNTS:
        # Shares add up to whole numbers but for rounding.
        counts = [round(count, 9) for count in table[name]]
        table[name] = [int(count) if count.is_integer() else count for count in counts]
    return [{name: table[name][row] if name in table else None for name in COLUMNS} for row in range(n_rows)]


def _fit(ranking: Ranking) -> dict[str, Any] | None:
    fit = ranking.fit
    if fit is None:
        return None
    told: dict[str, Any] = {name: getattr(fit, name) for name in FIT} | _prior(fit)
    if ranking._uncertainty is not None:
        told["prior_share"] = fit.prior_share
    return told


def _prior(fit: Fit) -> dict[str, Any]:
    """The spread of the prior and the ends of its interval, None for an infinite one; and whether it was learned."""
    spread = fit.prior_sd
    low, sd, high = (
        value if math.isfinite(value) else None for value in (spread.interval.low, float(spread), spread.interval.high)
    )
    return {"prior_sd": sd, "prior_sd_low": low, "prior_sd_high": high, "prior_learned": spread.learned}
