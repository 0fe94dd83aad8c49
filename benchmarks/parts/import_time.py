"""Import time, each in a new Python process from start to exit, the interpreter's own included.

Nothing is subtracted. `import pairvote` by itself loads little, since its names are found on first use; the
case with first use shows what an application then pays. Files are in the system's cache and bytecode is
written.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pairvote
from benchmarks import peers
from benchmarks.cases import Case, Group, Size, Work
from benchmarks.goals import Goal, Within

LIMIT = Within(1.6, of="import numpy")
FIRST_USE = "from pairvote import Votes, EloRatings, elo, bradley_terry"


def import_time(size: Size) -> Group:
    """Whole processes."""
    ours = (
        _case("python", "pass"),
        _case("numpy", "import numpy"),
        _case("pairvote", "import pairvote", goal=LIMIT),
        _case("pairvote", FIRST_USE, goal=LIMIT),
        _case("scipy", "import numpy, scipy.linalg"),
    )
    others = (_case(library, f"import {module}") for library, module in peers.IMPORTS.items())
    return Group(title="import: whole processes", cases=(*ours, *others))


def _case(library: str, statement: str, *, goal: Goal | None = None) -> Case:
    def fresh() -> Work:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        homes = [str(Path(str(pairvote.__file__)).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(homes)
        command = [sys.executable, "-P", "-c", statement]
        return lambda: subprocess.run(command, env=environment, check=True, capture_output=True).returncode

    return Case(name=statement, library=library, fresh=fresh, goal=goal, memory=False)


GROUPS = (import_time,)
