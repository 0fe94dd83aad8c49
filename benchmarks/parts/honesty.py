"""How often what is said with 95% is true, whatever the strengths and the pairs; nothing is timed.

`python -m benchmarks honesty --rows TopK --repetitions 50` measures only the rows whose name contains a word, and
`--prior 3` a normal prior of that standard deviation in place of the default call.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from benchmarks import honesty, stopping
from benchmarks.cases import Group, Size
from benchmarks.honesty import Chances, Figure

# Tables of accuracy, none of times.
GROUPS: tuple[Callable[[Size], Group], ...] = ()
REPETITIONS: dict[Size, int] = {"full": 200, "quick": 20, "tiny": 3}
LEGEND = """\
in percent, with standard errors over workshops: intervals at 95% that hold the truth, of all scores, of the five
ranked best, of differences; rank sets one by one, all of a workshop at once, and how many ranks a set holds; and the
chances of being among the best five, stated / came true. RMSE is in log-odds. The goals: coverage from 91 to 98.5, of
the best five from 90 to 99 (82 in the hardest row), rank sets one by one at least 95, all at once 92 to 98 where
strengths are normal, and stated chances within 5 of those that came true where there are 100 of them and items are not
all level. Level items have ranks by lot. A goal is in doubt when it is missed by less than two standard errors."""
STOPPING_LEGEND = """\
"right" is the share of ended votes whose five are the true ones, which is to be 90. The votes go on to 600 or 1,200
where the rule does not end them: their mean number, the share that is then right "with it", and the share that is right
"without" it, after all of these. "as good" is the fixed number of votes after which as many are right as with the rule
and at most 1,200."""

Column = tuple[str, int, Callable[[Any], str]]


class _Table(NamedTuple):
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


def _percent(figure: Figure | None) -> str:
    return "-" if figure is None else f"{100 * figure.value:.1f} ±{100 * figure.error:.1f}"


def _decimals(digits: int, figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:,.{digits}f} ±{figure.error:.{digits}f}"


def _chances(found: Chances | None) -> str:
    if found is None or found.n < honesty.FEWEST_CASES:
        return "-"
    return f"{100 * found.said:.0f}/{100 * found.true:.0f} ±{100 * found.error:.0f}"


def _goals(row: honesty.Row) -> str:
    said = [f"NO: {', '.join(row.missed)}"] if row.missed else []
    said += [f"in doubt: {', '.join(row.doubtful)}"] if row.doubtful else []
    return "; ".join(said) or "yes"


def _figure(name: str, text: Callable[[Figure], str]) -> Callable[[honesty.Row], str]:
    return lambda row: text(row.figures[name])


def _bin(number: int) -> Callable[[honesty.Row], str]:
    return lambda row: _chances(row.chances[number])


ROWS = _Table(
    [
        ("strategy, truth", 34, lambda row: row.setting.name),
        ("RMSE", 11, _figure("rmse", lambda figure: _decimals(3, figure))),
        ("scores", 9, _figure("scores", _percent)),
        ("best five", 9, _figure("best", _percent)),
        ("differences", 11, _figure("differences", _percent)),
        ("ranks", 9, _figure("one_by_one", _percent)),
        ("width", 5, _figure("width", lambda figure: f"{figure.value:.1f}")),
        ("at once", 10, _figure("all_at_once", _percent)),
        ("width", 5, _figure("width_at_once", lambda figure: f"{figure.value:.1f}")),
        *((f"P {low:g}-{high:g}", 10, _bin(number)) for number, (low, high) in enumerate(honesty.BINS)),
        ("goals met", 9, _goals),
    ]
)
STOPPED = _Table(
    [
        ("strategy", 10, lambda row: row.name),
        ("ended", 10, lambda row: _percent(row.ended)),
        ("right", 10, lambda row: _percent(row.right)),
        ("met", 10, lambda row: row.verdict),
        ("votes, of 600", 13, lambda row: _decimals(0, row.votes_600)),
        ("with it", 10, lambda row: _percent(row.right_600)),
        ("without", 10, lambda row: _percent(row.all_600)),
        ("votes, of 1,200", 15, lambda row: _decimals(0, row.votes_1200)),
        ("with it", 10, lambda row: _percent(row.right_1200)),
        ("without", 10, lambda row: _percent(row.all_1200)),
        ("as good", 10, lambda row: _decimals(0, row.same)),
    ]
)


def after(size: Size, options: Any = None) -> list[tuple[dict[str, Any], str]]:
    """Print both tables, a line at a time; they take minutes."""
    repetitions = getattr(options, "repetitions", None) or REPETITIONS[size]
    prior_sd, n_jobs = getattr(options, "prior", None), getattr(options, "jobs", 2)
    words = [word.lower() for word in getattr(options, "rows", None) or [""]]
    how = "the default call" if prior_sd is None else f"prior_sd={prior_sd}"
    settings = [setting for setting in honesty.settings() if any(word in setting.name.lower() for word in words)]
    rules = {
        f"stopping, {name}": sampler
        for name, sampler in stopping.samplers().items()
        if any(word in f"stopping, {name}".lower() for word in words)
    }
    found = []
    if settings:
        title = f"What comes true of what is said with 95%: {how}, {repetitions:,} workshops a row"
        rows = (honesty.measure(one, repetitions, prior_sd=prior_sd, n_jobs=n_jobs) for one in settings)
        found.append(_printed(title, ROWS, rows, LEGEND))
    if rules:
        title = f"Ended as soon as the five are right with 90%: {how}, {repetitions:,} workshops a row"
        ends = (
            stopping.measure(name.split(", ")[1], sampler, repetitions, prior_sd=prior_sd, n_jobs=n_jobs)
            for name, sampler in rules.items()
        )
        found.append(_printed(title, STOPPED, ends, STOPPING_LEGEND))
    if not found:
        print("no row's name contains one of these words")
    return found


def _printed(title: str, table: _Table, measured: Iterable[Any], legend: str) -> tuple[dict[str, Any], str]:
    print(f"{title}\n{table.heading()}", flush=True)
    rows = []
    for row in measured:
        print(table.line(row), flush=True)
        rows.append(row)
    print(f"\n{legend}\n", flush=True)
    records = [_record(row) for row in rows]
    page = f"{table.markdown(title, rows)}\n\n{legend}"
    return {"group": "honesty", "title": title, "unit": "", "rows": records}, page


def _record(row: Any) -> dict[str, Any]:
    """A row as JSON has it; of a setting only its name."""
    kept = {one.name: getattr(row, one.name) for one in dataclasses.fields(row)}
    setting = kept.pop("setting", None)
    return {"case": kept.pop("name", None) or setting.name, **{name: _plain(value) for name, value in kept.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, Figure | Chances):
        return value._asdict()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
