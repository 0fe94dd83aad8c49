"""The house's floors: who may import whom, read from the sources. Imports inside functions and for types count too."""

from __future__ import annotations

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from types import ModuleType

import pytest
from house import DYNAMIC, PACKAGE, drawing, graph_of, graph_of_rooms, imports_in, room_of, sources

import pairvote

# From the ground up. A room is a folder or a file at the top of the package.
FLOORS: tuple[set[str], ...] = (
    {"errors", "_kernels"},
    {"_common"},
    {"votes"},
    {"io", "_inference", "datasets"},
    {"ranking", "sampling"},
    {"scoring", "poll"},
    {"simulation", "groups", "diagnostics", "distributed"},
    {"plotting"},
    {"cli", "__main__"},
)
# The package itself is every floor at once, so only what stands on top may import it.
TOP = len(FLOORS) - 1
# `Ranking.plot` goes through the package's lazy public names.
MAY_POINT_UP = {("ranking._ranking", "pairvote")}
MAY_BE_LOADED = {*sys.stdlib_module_names, "numpy", "pairvote"}


def floor_of(module: str) -> int:
    """Which floor a module of pairvote stands on; the package itself, "", on top."""
    if not module:
        return TOP
    for floor, rooms in enumerate(FLOORS):
        if room_of(module) in rooms:
            return floor
    raise AssertionError(f"{module} has no floor; give it one in FLOORS")


def offences(module: str, source: str, modules: set[str]) -> list[str]:
    """What in a module's imports breaks the house's rules."""
    found = []
    for target, late, line in imports_in(source, modules):
        package, _, rest = target.partition(".")
        if package == "pairvote" and floor_of(rest) > floor_of(module) and (module, target) not in MAY_POINT_UP:
            found.append(f"{module}:{line} imports {target}, from a higher floor")
        elif not late and package not in MAY_BE_LOADED and not (room_of(module) == "_kernels" and package == "cython"):
            found.append(f"{module}:{line} imports {target}; import it where it is used")
    return found


def circle(sources: dict[str, str]) -> list[str]:
    """Modules that import each other in a circle, late imports counted; or rooms that do; else nothing."""
    for graph in (graph_of(sources), graph_of_rooms(sources)):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            return list(error.args[1])
    return []


MODULES = set(sources())
SOURCES = {name: source for name, source in sources().items() if name not in DYNAMIC}


def test_there_are_few_rooms_and_fewer_files() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert len(folders) <= 16
    assert len(files) <= 6, files
    rooms = [room for floor in FLOORS for room in floor]
    assert len(rooms) == len(set(rooms))
    assert set(rooms) == folders | {name.removesuffix(".py") for name in files if name.endswith(".py")} - {"__init__"}


def test_the_modules_were_found() -> None:
    assert {"votes._votes", "votes._counts", "scoring._elo", "_kernels.counting", "votes", "errors"} <= MODULES


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_imports_run_down_the_floors(module: str) -> None:
    assert offences(module, SOURCES[module], MODULES) == []


@pytest.mark.parametrize("module", sorted(DYNAMIC))
def test_what_imports_by_name_stands_on_the_ground(module: str) -> None:
    assert floor_of(module) <= 1
    assert not [
        path
        for path in ast.walk(ast.parse(sources()[module]))
        if isinstance(path, ast.Constant) and isinstance(path.value, str) and path.value.startswith("pairvote.")
    ]


@pytest.mark.slow
def test_nothing_imports_itself_in_a_circle() -> None:
    assert circle(SOURCES) == []


def test_files_of_public_rooms_are_private() -> None:
    for module in MODULES:
        room, _, file = module.partition(".")
        assert room.startswith("_") or not file or file.startswith("_"), module


def test_no_function_hides_a_module_of_its_name() -> None:
    for module in MODULES:
        package, _, name = module.rpartition(".")
        here = vars(import_module(f"pairvote.{package}".rstrip(".")))
        assert isinstance(here.get(name, pairvote), ModuleType), module


@pytest.mark.parametrize(
    ("module", "source", "allowed"),
    [
        ("votes._counts", "from pairvote.votes._cells import Cells", True),
        ("votes._votes", "from pairvote.ranking import Ranking", False),
        ("votes._votes", "def plot():\n    from pairvote.plotting import plot_ranking", False),
        ("votes._votes", "if TYPE_CHECKING:\n    from pairvote.ranking import Ranking", False),
        ("votes._votes", "if TYPE_CHECKING:\n    pass\nelse:\n    from pairvote import ranking", False),
        ("votes._votes", "from pairvote import ranking", False),
        ("votes._votes", "from pairvote import _common", True),
        ("votes._votes", "import pairvote.ranking._ranking", False),
        ("votes._votes", "import pairvote", False),
        ("votes._votes", "from pairvote import Ranking", False),
        ("votes._votes", "import importlib\nimportlib.import_module('pairvote.ranking')", False),
        (
            "_common.labels",
            "if True:\n    try:\n        import pairvote.votes\n    except ImportError:\n        pass",
            False,
        ),
        ("ranking._ranking", "def plot():\n    import pairvote", True),
        ("ranking._results", "def plot():\n    import pairvote", False),
        ("ranking._ranking", "def plot():\n    from pairvote.plotting import plot_ranking", False),
        ("ranking._ranking", "from pairvote.scoring._elo import elo", False),
        ("scoring._elo", "from pairvote.scoring._tally import tally", True),
        ("scoring._elo", "from pairvote.simulation import simulate", False),
        ("poll._poll", "from pairvote.io import write_votes", True),
        ("sampling._stream", "from pairvote.poll import Poll", False),
        ("cli._main", "import pairvote", True),
        ("votes._counts", "import scipy.sparse", False),
        ("votes._counts", "def dominance():\n    from scipy.sparse import coo_array", True),
        ("cli._main", "from tqdm import tqdm", False),
        ("votes._votes", "import numpy as np, json, collections.abc", True),
        ("_kernels.elo", "import cython", True),
        ("_inference.models", "import cython", False),
        ("_kernels.elo", "from pairvote.votes import Votes", False),
        ("_kernels.elo", "from pairvote._common.messages import plural", False),
    ],
)
def test_the_rules_can_be_broken(module: str, source: str, allowed: bool) -> None:
    assert (offences(module, source, MODULES) == []) is allowed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "planted"),
    [
        # _votes imports _counts already: each of these closes a circle of two or more files.
        ("votes._counts", "from pairvote.votes._votes import Votes"),
        ("votes._counts", "def votes():\n    from pairvote.votes._votes import Votes"),
        ("votes._cells", "if TYPE_CHECKING:\n    from pairvote.votes._votes import Votes"),
        (
            "_common.messages",
            "def late():\n    import importlib\n    importlib.import_module('pairvote._common.checks')",
        ),
        # Rooms of one floor, of which one imports the other already.
        ("io._source", "def late():\n    from pairvote.datasets import kalmar"),
    ],
)
def test_a_planted_circle_is_found(module: str, planted: str) -> None:
    changed = dict(SOURCES)
    changed[module] += f"\n\n{planted}\n"
    if module == "io._source":
        changed["datasets"] += "\n\nfrom pairvote.io import read_votes\n"
    assert circle(changed)


def test_the_drawing_in_the_documentation_is_that_of_the_imports() -> None:
    page = (PACKAGE.parent / "docs" / "development.md").read_text(encoding="utf-8")
    assert drawing() in page, "put what `python tests/house.py` prints into docs/development.md"
