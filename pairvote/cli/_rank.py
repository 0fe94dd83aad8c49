"""The command ``pairvote rank``: a file at once, or chunk by chunk where it is large, and what is said of it."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pairvote._common.messages import plural
from pairvote._inference import outcome_probabilities
from pairvote.cli._parser import columns_named
from pairvote.io._formats import FORMATS, of_suffix
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import Fit
from pairvote.scoring._methods import scorer_named
from pairvote.votes._chunks import CodedSource, CodedVotes, Criterion
from pairvote.votes._running import count_pairs
from pairvote.votes._votes import Outcome, Votes

COLUMNS = ("rank", "item", "score", "standard_error", "low", "high", "won", "tied", "asked", "skipped")
COUNTS = ("won", "tied", "asked", "skipped")


@dataclass
class Summary:
    """What the votes were, in a line; how many voted is not known where votes came chunk by chunk."""

    n_votes: int = 0
    n_ties: int = 0
    n_skips: int = 0
    n_voters: int | None = None

    @classmethod
    def of(cls, votes: Votes) -> Summary:
        """The summary of all votes."""
        summary = cls()
        summary.add(votes.outcome, np.arange(4))
        if votes.voter is not None:
            summary.n_voters = len(np.unique(votes.voter[votes.voter >= 0]))
        return summary

    def add(self, codes: Any, numbers: Any) -> None:
        """Take in outcomes: codes into numbers of outcomes."""
        times = np.bincount(codes, minlength=len(numbers))
        self.n_votes += len(codes)
        self.n_ties += int(times[numbers == Outcome.TIE].sum())
        self.n_skips += int(times[numbers == Outcome.SKIP].sum())

    def text(self, ranking: Ranking) -> str:
        """The line."""
        voters = "" if self.n_voters is None else f" by {plural(self.n_voters, 'voter')}"
        return (
            f"{plural(self.n_votes, 'vote')}{voters} on {plural(ranking.n_items, 'item')}, "
            f"{plural(self.n_ties, 'tie')} and {plural(self.n_skips, 'skip')} among them, scored by {ranking.method}"
        )


def is_large(source: str, format: str | None) -> bool:
    """Whether to read it chunk by chunk: a large file, or a directory of files."""
    path = Path(source)
    if source == "-" or not path.exists():
        return False
    file_format = of_suffix(path.suffix.lower()) if format is None else FORMATS[format]
    return path.is_dir() or (file_format is not None and path.stat().st_size >= file_format.large_bytes)


def rank_chunks(
    scan: CodedSource, method: str, criterion: str | None, options: dict[str, Any]
) -> tuple[Ranking, Summary]:
    """The ranking of votes that come chunk by chunk, on the criterion that is spelt so."""
    watched = _Watched(scan, criterion)
    scorer = scorer_named(method)
    chunks = watched if criterion is None else iter(watched)
    ranking = scorer.function(watched if scorer.uses_order else count_pairs(chunks), **options)
    if watched.chosen is not None:
        watched.chosen.check()
    return ranking, watched.summary


class _Watched:
    """Chunks of votes that are summed up as they go by."""

    def __init__(self, scan: CodedSource, criterion: str | None) -> None:
        self._scan = scan
        self.summary = Summary()
        self.chosen = None if criterion is None else Criterion(criterion, spelt=True)

    def coded(self, *, voters: bool) -> Iterator[CodedVotes]:
        """As the files have them."""
        for chunk in self._read(voters=voters):
            self.summary.add(*chunk.outcome)
            yield chunk

    def __iter__(self) -> Iterator[Votes]:
        for chunk in self._read(voters=False):
            votes = chunk.votes() if self.chosen is None else self.chosen.of(chunk.votes())
            self.summary.add(votes.outcome, np.arange(4))
            yield votes

    def _read(self, *, voters: bool) -> Iterator[CodedVotes]:
        with columns_named():
            yield from self._scan.coded(voters=voters)


def describe(summary: Summary, ranking: Ranking, n_rows: int, level: float, format: str) -> str:
    """The best `n_rows` of a ranking, as "table", "csv" or "json"."""
    return {"table": _as_table, "csv": _as_csv, "json": _as_json}[format](summary, ranking, n_rows, level)


def as_json(report: dict[str, Any]) -> str:
    """The report, in Unicode where the output can hold it."""
    text = json.dumps(report, ensure_ascii=False, allow_nan=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(report, allow_nan=False, indent=2)
    return text + "\n"


def _as_table(summary: Summary, ranking: Ranking, n_rows: int, level: float) -> str:
    parts = [summary.text(ranking), ranking._table(n_rows, level).text(), *_fitted(ranking)]
    return "\n".join(parts) + "\n"


def _fitted(ranking: Ranking) -> list[str]:
    """What else was fitted than scores, in words."""
    fit, lines = ranking.fit, []
    if fit is not None and fit.has_tie_parameter:
        chance = outcome_probabilities(np.array(0.0), fit.tie_parameter, fit.ties)[1]
        lines.append(
            f"tie parameter ({fit.ties}) {fit.tie_parameter:.3g}: two equal items tie with probability {chance:.2f}"
        )
    if fit is not None and fit.position_effect:
        lines.append(f"position effect: standing on the left adds {fit.position_effect:.3g} log-odds")
    return lines


def _rows(ranking: Ranking, n_rows: int, level: float) -> list[dict[str, Any]]:
    """A mapping of all `COLUMNS` for each item, best first; None where the ranking has no such number."""
    table = ranking.to_columns(level)
    for name in COUNTS:
        table[name] = [int(count) if count.is_integer() else count for count in table[name]]
    return [{name: table[name][row] if name in table else None for name in COLUMNS} for row in range(n_rows)]


def _as_csv(summary: Summary, ranking: Ranking, n_rows: int, level: float) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows(ranking, n_rows, level))
    return text.getvalue()


def _as_json(summary: Summary, ranking: Ranking, n_rows: int, level: float) -> str:
    rows = _rows(ranking, n_rows, level)
    for row in rows:
        if not isinstance(row["item"], (str, int)):
            row["item"] = str(row["item"])
    fit = ranking.fit
    names = (
        "converged",
        "n_iter",
        "ties",
        "tie_parameter",
        "position_effect",
        "uncertainty",
        "log_likelihood",
    )
    report: dict[str, Any] = {
        "method": ranking.method,
        "unit": ranking.unit,
        "level": level,
        "n_votes": summary.n_votes,
        "n_items": ranking.n_items,
        "fit": None if fit is None else {name: getattr(fit, name) for name in names},
        "ranking": rows,
    }
    if fit is not None:
        report["fit"] |= _prior(fit)
    if fit is not None and ranking._uncertainty is not None:
        report["fit"]["prior_share"] = fit.prior_share
    return as_json(report)


def _prior(fit: Fit) -> dict[str, Any]:
    """The spread of the prior and the ends of its interval, None for an infinite one; and whether it was learned."""
    spread = fit.prior_sd
    low, sd, high = (
        value if math.isfinite(value) else None for value in (spread.interval.low, float(spread), spread.interval.high)
    )
    return {"prior_sd": sd, "prior_sd_low": low, "prior_sd_high": high, "prior_learned": spread.learned}
