"""The public names: what they are, that each is documented, and what importing them costs."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import pairvote as pv

PACKAGE = Path(pv.__file__).parent


def stub_names(path: Path) -> dict[str, str]:
    """The public names of a stub and where each is imported from; without "as", type checkers take one for private."""
    homes = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            ((name, alias),) = ((alias.name, alias.asname) for alias in node.names)
            assert alias == name, name
            homes[name] = node.module or ""
        else:
            assert isinstance(node, ast.AnnAssign), ast.unparse(node)
    return homes


HOMES = stub_names(PACKAGE / "__init__.pyi")
MODULES = {name for name, home in HOMES.items() if home == "pairvote"}
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("[a-z]*/__init__.py"))
NAMES = {*HOMES, "__version__"}
WITHOUT_EXAMPLE = {("ranking", "Difference"), ("ranking", "OutcomeProbabilities")}
OBJECTS = sorted(NAMES - MODULES - {"__version__"})
CLASSES = [name for name in OBJECTS if inspect.isclass(getattr(pv, name))]
HEAVY = {
    "dask",
    "distributed",
    "scipy",
    "pandas",
    "narwhals",
    "choix",
    "matplotlib",
    "polars",
    "pyarrow",
    "tqdm",
    "joblib",
}


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport sys; print('loaded', *{{name.partition('.')[0] for name in sys.modules}})"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_public_names_are_those_of_the_stub() -> None:
    assert len(NAMES) > 40
    assert len(pv.__all__) == len(set(pv.__all__))
    assert set(pv.__all__) == NAMES
    assert dir(pv) == sorted(HOMES)
    scoring = import_module("pairvote.scoring")
    assert scoring.__all__ == dir(scoring) == sorted(stub_names(PACKAGE / "scoring" / "__init__.pyi"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_of_a_room_is_there(room: str) -> None:
    module = import_module(f"pairvote.{room}")
    assert len(module.__all__) == len(set(module.__all__)) > 0
    for name in module.__all__:
        assert getattr(module, name).__module__.startswith(f"pairvote.{room}.") or name == "Outcome", name


def test_a_name_of_the_package_is_public_in_its_room() -> None:
    for name, home in HOMES.items():
        if home.removeprefix("pairvote.") in ROOMS:
            assert name in import_module(home).__all__


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(pv, name)
    assert isinstance(value, ModuleType) == (name in MODULES)
    assert getattr(pv, name) is value


@pytest.mark.parametrize("name", OBJECTS)
def test_every_public_name_is_documented_with_an_example(name: str) -> None:
    doc = vars(getattr(pv, name)).get("__doc__") if name in CLASSES else getattr(pv, name).__doc__
    assert doc, name
    _, heading, examples = inspect.cleandoc(doc).partition("Examples\n--------\n")
    assert heading, name
    assert ">>> " in examples


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_method_is_documented(name: str) -> None:
    members = {key: value for key, value in vars(getattr(pv, name)).items() if not key.startswith("_")}
    documented = [key for key, value in members.items() if callable(value) or hasattr(value, "__get__")]
    lacking = [key for key in documented if not inspect.getdoc(members[key])]
    assert not lacking


OF_ROOMS = [(room, name) for room in ROOMS if room != "cli" for name in import_module(f"pairvote.{room}").__all__]


@pytest.mark.parametrize(("room", "name"), OF_ROOMS)
def test_every_public_name_of_a_room_is_documented(room: str, name: str) -> None:
    value = getattr(import_module(f"pairvote.{room}"), name)
    doc = inspect.cleandoc((vars(value)["__doc__"] if inspect.isclass(value) else value.__doc__) or "")
    # What another result hands out has its example there.
    assert ">>> " in doc or (room, name) in WITHOUT_EXAMPLE, name
    if inspect.isclass(value):
        members = {key: member for key, member in vars(value).items() if not key.startswith("_")}
        documented = [key for key, member in members.items() if callable(member) or hasattr(member, "__get__")]
        assert not [key for key in documented if not inspect.getdoc(members[key])]


def test_errors_are_also_the_builtin_kinds() -> None:
    parents = {
        "InputError": (pv.PairvoteError, ValueError),
        "StateError": (pv.PairvoteError, RuntimeError),
        "StorageError": (pv.PairvoteError,),
        "NotIdentifiedError": (pv.PairvoteError,),
        "ConvergenceError": (pv.PairvoteError,),
        "MissingUncertaintyError": (pv.PairvoteError,),
    }
    for name, bases in parents.items():
        assert all(issubclass(getattr(pv, name), base) for base in bases), name
        assert getattr(pv.errors, name) is getattr(pv, name)


@pytest.mark.parametrize("name", ["vote", "Votes_", "np", "__path_", "polls"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"module 'pairvote' has no attribute '{name}'"):
        getattr(pv, name)


def test_importing_loads_no_heavy_package() -> None:
    assert not loaded_by("import pairvote") & HEAVY
    assert not loaded_by("from pairvote import *") & HEAVY


def test_counting_and_tallying_loads_no_heavy_package() -> None:
    code = (
        "import pairvote as pv; import numpy as np\n"
        "votes = pv.Votes.from_labels(['a', 'b'], ['b', 'c'], ['left', 'tie'], voter=['x', 'y'])\n"
        "votes += pv.Votes.from_codes(np.array([0]), np.array([1]), np.array([2]), items=['c', 'd'])\n"
        "print(pv.tally(votes), pv.win_rate(votes.counts()), pv.elo(votes))"
    )
    assert not loaded_by(code) & HEAVY


def test_reaching_for_the_cluster_loads_no_heavy_package() -> None:
    assert not loaded_by("import pairvote as pv; pv.distributed.count_pairs") & HEAVY


def test_asking_by_exposure_loads_no_heavy_package() -> None:
    code = "import pairvote as pv; s = pv.sampling.Balanced().start(9, rng=1); s.reserve('a', *s.propose('a'))"
    assert not loaded_by(code) & HEAVY


def test_running_a_vote_loads_no_heavy_package(tmp_path) -> None:
    code = (
        f"import pairvote as pv; poll = pv.Poll(['a', 'b', 'c'], store={str(tmp_path / 'poll.db')!r})\n"
        "poll.answer('anna', poll.ask('anna').id, 'left'); print(poll.votes(), poll.counts(), poll.verify())"
    )
    assert not loaded_by(code) & HEAVY


def test_what_is_loaded_would_be_seen() -> None:
    assert "scipy" in loaded_by("import pairvote, scipy")


def test_a_file_with_two_topics_would_be_noticed() -> None:
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")]
    assert len(files) > 20
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    # One chain, whose moves call each other in every sweep, which compiled functions of two files cannot.
    assert lengths.pop("_kernels/mixture.py") < 1_250
    assert {name: length for name, length in lengths.items() if length > 520} == {}


def test_every_public_name_has_a_place_in_the_reference() -> None:
    pages = "\n".join(page.read_text() for page in (PACKAGE.parent / "docs" / "api").glob("*.md"))
    entries = set(re.findall(r"auto(?:class|function|module):: pairvote\.([\w.]+)", pages))
    lacking = {name for name in OBJECTS if getattr(pv, name).__module__ != "pairvote.errors"} - entries
    for module in MODULES - entries:
        names = set(getattr(pv, module).__all__)
        lacking |= {f"{module}.{name}" for name in names - entries} - entries
    assert not lacking
