"""Peak memory of one call, each in a process of its own: ``python -m benchmarks.memory PART GROUP CASE SIZE``.

The process makes what the case's user would hold already, runs the case once on a few votes (imports and
first use are not the call's), gives back what it does not need, and then counts from there to the highest
resident size during the call. That holds for compiled code too, which Python's own counters do not see. Pages
that the process holds free already, such as small ones of the interpreter, are not counted again.

On Linux the high-water mark is set back first. Elsewhere it cannot be, so a call that stays below what making
the data took counts as nothing.
"""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import benchmarks
import pairvote
from benchmarks.cases import Case, Group, Size, Work
from benchmarks.parts import groups_of

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")


def peak_bytes(part: str, group: int, case: str, size: Size) -> int | None:
    """What the case takes at its peak; None, with a word on why, where it could not be measured."""
    done = run_module("benchmarks.memory", part, str(group), case, size)
    last = done.stdout.splitlines()[-1:]
    if done.returncode == 0 and last and last[0].isdigit():
        return int(last[0])
    reason = (done.stderr.splitlines() or [f"exit status {done.returncode}"])[-1]
    print(f"the memory of {case!r} was not measured: {reason}", file=sys.stderr)
    return None


def run_module(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a process of its own, which finds the same pairvote as this one, wherever it is started."""
    homes = [str(Path(str(package.__file__)).resolve().parents[1]) for package in (pairvote, benchmarks)]
    paths = [*dict.fromkeys(homes), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )


def watch(work: Work) -> tuple[Any, int | None, int | None]:
    """The result of a call, and the resident size in bytes before it and at its peak."""
    gc.collect()
    _give_back()
    before = _restart()
    result = work()
    return result, before, _peak()


def resident() -> int | None:
    """The resident size in bytes now, after what is not needed was given back; None where it cannot be told."""
    gc.collect()
    _give_back()
    if not STATUS.exists():
        return None
    sizes = [line.split()[1] for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 if sizes else None


def main(part: str, group: str, case: str, size: Size) -> None:
    """Measure in this process and print the bytes."""
    make_group = groups_of(part)[int(group)]
    _case(make_group("tiny"), case).fresh()()
    work = _case(make_group(size), case).fresh()
    result, before, peak = watch(work)
    if before is not None and peak is not None and result is not None:
        print(max(0, peak - before))


def _case(group: Group, name: str) -> Case:
    return next(case for case in group.cases if case.name == name)


def _give_back() -> None:
    """Return memory that the allocator keeps free to the system, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _restart() -> int | None:
    """Set the high-water mark back to the present size where the system lets us; the mark, in bytes."""
    if CLEAR_REFS.exists():
        CLEAR_REFS.write_text("5", encoding="ascii")
    return _peak()


def _peak() -> int | None:
    """The highest resident size so far, in bytes."""
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
