"""Tables of figures that are no times: printed line by line, as Markdown, and as JSON has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from benchmarks.honesty import Chances, Figure

Column = tuple[str, int, Callable[[Any], str]]


class Table(NamedTuple):
    """Columns by title, with the width of each."""

    columns: Sequence[Column]

    def heading(self) -> str:
        return "  ".join(_fit(title, width, place) for place, (title, width, _) in enumerate(self.columns)).rstrip()

    def line(self, row: Any) -> str:
        texts = (_fit(text(row), width, place) for place, (_, width, text) in enumerate(self.columns))
        return "  ".join(texts).rstrip()

    def markdown(self, title: str, rows: Sequence[Any]) -> str:
        last = len(self.columns) - 1
        aligned = ["---" if place in (0, last) else "---:" for place in range(last + 1)]
        cells = [[title for title, _, _ in self.columns], aligned]
        cells += [[text(row) for _, _, text in self.columns] for row in rows]
        return "\n".join([f"**{title}**", "", *(f"| {' | '.join(line)} |" for line in cells)])


def _fit(text: str, width: int, place: int) -> str:
    return f"{text:>{width}}" if place else f"{text:<{width}}"


def percent(figure: Figure | None) -> str:
    """A share in percent with its error."""
    return "-" if figure is None else f"{100 * figure.value:.1f} ±{100 * figure.error:.1f}"


def decimals(digits: int, figure: Figure | None) -> str:
    """A figure with its error, both with so many decimals."""
    return "-" if figure is None else f"{figure.value:,.{digits}f} ±{figure.error:.{digits}f}"


def printed(group: str, title: str, table: Table, measured: Iterable[Any], legend: str) -> tuple[dict[str, Any], str]:
    """Print each row as soon as it is measured; what JSON and the report keep of it."""
    print(f"{title}\n{table.heading()}", flush=True)
    rows = []
    for row in measured:
        print(table.line(row), flush=True)
        rows.append(row)
    print(f"\n{legend}\n", flush=True)
    records = [record(row) for row in rows]
    page = f"{table.markdown(title, rows)}\n\n{legend}"
    return {"group": group, "title": title, "unit": "", "rows": records}, page


def record(row: Any) -> dict[str, Any]:
    """A row as JSON has it, without the fields that its repr leaves out; of a setting only its name."""
    kept = {one.name: getattr(row, one.name) for one in dataclasses.fields(row) if one.repr}
    setting = kept.pop("setting", None)
    return {"case": kept.pop("name", None) or setting.name, **{name: _plain(value) for name, value in kept.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, Figure | Chances):
        return value._asdict()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
