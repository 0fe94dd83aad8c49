"""The public names: what they are, that each is documented, and what importing them costs."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import pairvote as pv

NAMES = {
    "__version__",
    "Votes",
    "Outcome",
    "PairCounts",
    "Ranking",
    "Interval",
    "Fit",
    "Agreement",
    "tally",
    "win_rate",
    "elo",
    "EloRatings",
    "bradley_terry",
    "luce",
    "bootstrap",
    "rank",
    "Poll",
    "Question",
    "count_pairs",
    "read_votes",
    "write_votes",
    "scan_votes",
    "VoteScan",
    "PairvoteError",
    "InputError",
    "StateError",
    "StorageError",
    "NotIdentifiedError",
    "ConvergenceError",
    "MissingUncertaintyError",
    "simulate",
    "experiment",
    "how_many",
    "VoterModel",
    "show_config",
    "datasets",
    "diagnostics",
    "distributed",
    "errors",
    "plotting",
    "sampling",
    "simulation",
}
MODULES = {"datasets", "diagnostics", "distributed", "errors", "plotting", "sampling", "simulation"}
OBJECTS = sorted(NAMES - MODULES - {"__version__"})
CLASSES = [name for name in OBJECTS if inspect.isclass(getattr(pv, name))]
PACKAGE = Path(pv.__file__).parent
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


def test_the_public_names_are_these() -> None:
    assert len(pv.__all__) == len(set(pv.__all__))
    assert set(pv.__all__) == NAMES
    assert dir(pv) == sorted(NAMES)


def test_the_stub_for_type_checkers_names_the_same() -> None:
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    named = set()
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                # Without "as", type checkers take an imported name for a private one.
                assert alias.asname == alias.name, alias.name
                named.add(alias.name)
                if node.module != "pairvote":
                    assert getattr(pv, alias.name).__module__.startswith("pairvote"), alias.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            named.add(node.target.id)
    assert named - {"__all__"} == NAMES


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


SAMPLING = {
    "Balanced",
    "CatchUp",
    "InformationGain",
    "PairStream",
    "Sampler",
    "Swiss",
    "TopK",
    "Uniform",
    "plan_ballots",
}


def test_the_public_names_of_sampling_are_these() -> None:
    assert len(pv.sampling.__all__) == len(SAMPLING)
    assert set(pv.sampling.__all__) == SAMPLING


@pytest.mark.parametrize("name", sorted(SAMPLING))
def test_every_name_of_sampling_is_documented_with_an_example(name: str) -> None:
    value = getattr(pv.sampling, name)
    assert ">>> " in inspect.cleandoc(vars(value)["__doc__"] if inspect.isclass(value) else value.__doc__)
    if inspect.isclass(value):
        members = {key: member for key, member in vars(value).items() if not key.startswith("_") and callable(member)}
        assert not [key for key in members if not inspect.getdoc(members[key])]


SIMULATION = {"Needed", "Simulation", "Table", "VoterModel", "experiment", "how_many", "simulate"}


def test_the_public_names_of_simulation_are_these() -> None:
    assert len(pv.simulation.__all__) == len(SIMULATION)
    assert set(pv.simulation.__all__) == SIMULATION


@pytest.mark.parametrize("name", sorted(SIMULATION))
def test_every_name_of_simulation_is_documented_with_an_example(name: str) -> None:
    value = getattr(pv.simulation, name)
    assert ">>> " in inspect.cleandoc(vars(value)["__doc__"] if inspect.isclass(value) else value.__doc__)
    if inspect.isclass(value):
        members = {key: member for key, member in vars(value).items() if not key.startswith("_") and callable(member)}
        assert not [key for key in members if not inspect.getdoc(members[key])]


DIAGNOSTICS = {
    "Answers",
    "Connectivity",
    "Cut",
    "Exposure",
    "Influence",
    "Items",
    "PositionBias",
    "Progress",
    "Report",
    "Separation",
    "SplitHalf",
    "Triads",
    "Voters",
    "answers",
    "check",
    "connectivity",
    "cut",
    "exposure",
    "influence",
    "items",
    "position_bias",
    "progress",
    "separation",
    "split_half",
    "triads",
    "voters",
}


def test_the_public_names_of_diagnostics_are_these() -> None:
    assert len(pv.diagnostics.__all__) == len(DIAGNOSTICS)
    assert set(pv.diagnostics.__all__) == DIAGNOSTICS


@pytest.mark.parametrize("name", sorted(DIAGNOSTICS))
def test_every_name_of_diagnostics_is_documented_with_an_example(name: str) -> None:
    value = getattr(pv.diagnostics, name)
    assert ">>> " in inspect.cleandoc(vars(value)["__doc__"] if inspect.isclass(value) else value.__doc__)


DISTRIBUTED = {"DistributedCounts", "bradley_terry", "count_pairs"}


def test_the_public_names_of_distributed_are_these() -> None:
    assert len(pv.distributed.__all__) == len(DISTRIBUTED)
    assert set(pv.distributed.__all__) == DISTRIBUTED


@pytest.mark.parametrize("name", sorted(DISTRIBUTED))
def test_every_name_of_distributed_is_documented_with_an_example(name: str) -> None:
    value = getattr(pv.distributed, name)
    assert ">>> " in inspect.cleandoc(vars(value)["__doc__"] if inspect.isclass(value) else value.__doc__)
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


def test_no_file_of_the_package_passes_500_lines() -> None:
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")]
    assert len(files) > 20
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_every_public_name_has_a_place_in_the_reference() -> None:
    pages = "\n".join(page.read_text() for page in (PACKAGE.parent / "docs" / "api").glob("*.md"))
    entries = set(re.findall(r"auto(?:class|function|module):: pairvote\.([\w.]+)", pages))
    lacking = {name for name in OBJECTS if getattr(pv, name).__module__ != "pairvote.errors"} - entries
    for module in MODULES - entries:
        names = set(getattr(pv, module).__all__)
        lacking |= {f"{module}.{name}" for name in names - entries} - entries
    assert not lacking
