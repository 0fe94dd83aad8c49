"""How often what is said with 95% is true, whatever the strengths and the pairs; nothing is timed.

`python -m benchmarks honesty --rows TopK --repetitions 50` measures only the rows whose name contains a word, and
`--prior 3` a normal prior of that standard deviation in place of the default call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import honesty, stopping
from benchmarks.cases import Group, Size
from benchmarks.honesty import Chances, Figure
from benchmarks.tables import Table, decimals, percent, printed

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


ROWS = Table(
    [
        ("strategy, truth", 34, lambda row: row.setting.name),
        ("RMSE", 11, _figure("rmse", lambda figure: decimals(3, figure))),
        ("scores", 9, _figure("scores", percent)),
        ("best five", 9, _figure("best", percent)),
        ("differences", 11, _figure("differences", percent)),
        ("ranks", 9, _figure("one_by_one", percent)),
        ("width", 5, _figure("width", lambda figure: f"{figure.value:.1f}")),
        ("at once", 10, _figure("all_at_once", percent)),
        ("width", 5, _figure("width_at_once", lambda figure: f"{figure.value:.1f}")),
        *((f"P {low:g}-{high:g}", 10, _bin(number)) for number, (low, high) in enumerate(honesty.BINS)),
        ("goals met", 9, _goals),
    ]
)
STOPPED = Table(
    [
        ("strategy", 10, lambda row: row.name),
        ("ended", 10, lambda row: percent(row.ended)),
        ("right", 10, lambda row: percent(row.right)),
        ("met", 10, lambda row: row.verdict),
        ("votes, of 600", 13, lambda row: decimals(0, row.votes_600)),
        ("with it", 10, lambda row: percent(row.right_600)),
        ("without", 10, lambda row: percent(row.all_600)),
        ("votes, of 1,200", 15, lambda row: decimals(0, row.votes_1200)),
        ("with it", 10, lambda row: percent(row.right_1200)),
        ("without", 10, lambda row: percent(row.all_1200)),
        ("as good", 10, lambda row: decimals(0, row.same)),
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
        found.append(printed("honesty", title, ROWS, rows, LEGEND))
    if rules:
        title = f"Ended as soon as the five are right with 90%: {how}, {repetitions:,} workshops a row"
        ends = (
            stopping.measure(name.split(", ")[1], sampler, repetitions, prior_sd=prior_sd, n_jobs=n_jobs)
            for name, sampler in rules.items()
        )
        found.append(printed("honesty", title, STOPPED, ends, STOPPING_LEGEND))
    if not found:
        print("no row's name contains one of these words")
    return found
