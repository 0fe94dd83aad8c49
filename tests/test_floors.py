"""The house's floors: who may import whom, read from the sources."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import pairvote

PACKAGE = Path(pairvote.__file__).parent
# From the ground up. A module stands with the longest name here that it or its package has.
FLOORS: tuple[set[str], ...] = (
    {"errors", "_kernels", "_labels", "_text_table", "_frames", "_outcomes", "_checks", "_parallel", "_threads"},
    {"votes", "_assembly", "_chunks"},
    {"counts", "_cells", "chunked"},
    {
        "models",
        "solver",
        "_first_guess",
        "_identification",
        "_posterior",
        "_structure",
        "_systems",
        "_vote_rows",
        "_clusters",
        "_many_items",
    },
    {"ranking", "_agreement", "_rank_statements", "_results", "_tables"},
    {"scoring", "sampling"},
    {"poll", "simulation", "diagnostics", "_diagnostics"},
    {"io", "_formats", "_scan", "datasets", "plotting", "_plots", "distributed", "_distributed"},
    {"cli", "_arguments", "_check_command", "_demo", "_plan_command", "_rank_command", "__main__"},
)
# The package itself is every floor at once, so only what stands on top may import it.
TOP = len(FLOORS) - 1
EXEMPT = {"__init__", "_config"}
# Conveniences: (who, whom), inside a function or for type checkers only.
MAY_POINT_UP = {("votes", "counts"), ("ranking", "plotting"), ("poll", "io")}
MAY_BE_LOADED = {*sys.stdlib_module_names, "numpy", "pairvote"}


class Import(NamedTuple):
    """One imported name: `target` is a module, written in full; `late` inside a function or for types only."""

    target: str
    late: bool
    line: int


def imports_in(source: str, modules: set[str]) -> Iterator[Import]:
    """Every import; of "from pairvote import x" the target is pairvote.x if that is a module, else pairvote."""

    def walk(node: ast.AST, late: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, late, child.lineno) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"line {child.lineno}: a relative import; write it out from pairvote"
                package = child.module or ""
                for alias in child.names:
                    whole = f"{package}.{alias.name}"
                    is_module = package.startswith("pairvote") and whole.removeprefix("pairvote.") in modules
                    yield Import(whole if is_module else package, late, child.lineno)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from walk(child, True)
            elif isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                yield from walk(ast.Module(child.body, []), True)
                yield from walk(ast.Module(child.orelse, []), late)
            else:
                yield from walk(child, late)

    return walk(ast.parse(source), False)


def floor_of(module: str) -> int:
    """Which floor a module of pairvote stands on; the package itself, "", on top."""
    if not module:
        return TOP
    room = module.partition(".")[0]
    for floor, rooms in enumerate(FLOORS):
        if room in rooms:
            return floor
    raise AssertionError(f"{module} has no floor; give it one in FLOORS")


def offences(module: str, source: str, modules: set[str]) -> list[str]:
    """What in a module's imports breaks the house's rules."""
    found = []
    here = module.partition(".")[0]
    for target, late, line in imports_in(source, modules):
        package, _, rest = target.partition(".")
        there = rest.partition(".")[0]
        if package == "pairvote" and floor_of(rest) > floor_of(module) and not (late and (here, there) in MAY_POINT_UP):
            found.append(f"{module}:{line} imports {target}, from a higher floor")
        elif not late and package not in MAY_BE_LOADED and not (here == "_kernels" and package == "cython"):
            found.append(f"{module}:{line} imports {target}; import it where it is used")
    return found


def sources() -> dict[str, str]:
    """The text of every module, by its name within pairvote."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


SOURCES = sources()
MODULES = set(SOURCES)


def test_every_module_has_one_floor() -> None:
    rooms = [room for floor in FLOORS for room in floor]
    assert len(rooms) == len(set(rooms))
    assert {"votes", "counts", "scoring.elo", "_kernels.counting", "_kernels"} <= MODULES
    for module in MODULES - EXEMPT:
        floor_of(module)


@pytest.mark.parametrize("module", sorted(MODULES - EXEMPT))
def test_imports_run_down_the_floors(module: str) -> None:
    assert offences(module, SOURCES[module], MODULES) == []


@pytest.mark.parametrize("module", sorted(EXEMPT))
def test_what_stands_outside_loads_nothing_heavy(module: str) -> None:
    for target, late, _ in imports_in(SOURCES[module], MODULES):
        assert late or target.partition(".")[0] in MAY_BE_LOADED, target


def test_no_modules_import_each_other() -> None:
    graph = {}
    for module, source in SOURCES.items():
        targets = {target for target, late, _ in imports_in(source, MODULES) if not late}
        graph[module] = {target.removeprefix("pairvote.") for target in targets if target.startswith("pairvote.")}
    # Raises CycleError, naming the ring, if there is one.
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


@pytest.mark.parametrize(
    ("module", "source", "allowed"),
    [
        ("votes", "from pairvote.counts import count_votes", False),
        ("votes", "def counts():\n    from pairvote.counts import count_votes", True),
        ("votes", "class Votes:\n    def counts(self):\n        from pairvote.counts import count_votes", True),
        ("votes", "class Votes:\n    from pairvote.counts import count_votes", False),
        ("votes", "if TYPE_CHECKING:\n    from pairvote.counts import PairCounts", True),
        ("votes", "if TYPE_CHECKING:\n    pass\nelse:\n    from pairvote import counts", False),
        ("votes", "def plot():\n    from pairvote.plotting import plot_ranking", False),
        ("votes", "from pairvote import counts", False),
        ("votes", "from pairvote import _labels", True),
        ("votes", "import pairvote.ranking", False),
        ("votes", "import pairvote", False),
        ("votes", "from pairvote import Ranking", False),
        ("_labels", "if True:\n    try:\n        import pairvote.votes\n    except ImportError:\n        pass", False),
        ("ranking", "def plot():\n    from pairvote.plotting import plot_ranking", True),
        ("ranking", "from pairvote.scoring.elo import elo", False),
        ("scoring.elo", "from pairvote.scoring.tally import tally", True),
        ("poll.store", "from pairvote.scoring import elo", True),
        ("scoring.elo", "from pairvote.poll import Poll", False),
        ("sampling.base", "from pairvote.poll import Poll", False),
        ("poll.poll", "def export():\n    from pairvote.io import write_votes", True),
        ("poll.poll", "from pairvote.io import write_votes", False),
        ("cli", "import pairvote", True),
        ("counts", "import scipy.sparse", False),
        ("counts", "def dominance():\n    from scipy.sparse import coo_array", True),
        ("cli", "from tqdm import tqdm", False),
        ("votes", "import numpy as np, json, collections.abc", True),
        ("_kernels.elo", "import cython", True),
        ("models", "import cython", False),
        ("_kernels.elo", "from pairvote.votes import Votes", False),
    ],
)
def test_the_rules_can_be_broken(module: str, source: str, allowed: bool) -> None:
    assert (offences(module, source, MODULES) == []) is allowed
