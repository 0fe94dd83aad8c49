"""Where the benchmarks ran: what a reader needs to compare figures."""

from __future__ import annotations

import contextlib
import io
import os
import platform
from pathlib import Path

import pairvote as pv
from benchmarks import peers

CPU_INFO = Path("/proc/cpuinfo")
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def machine(*, with_peers: bool) -> dict[str, str]:
    """Versions, kernels, processor and load, by name."""
    with contextlib.redirect_stdout(io.StringIO()):
        config = pv.show_config()
    facts = {name: config[name] for name in ("pairvote", "kernels", "python", "numpy", "scipy")}
    facts["system"] = f"{platform.system()} {platform.machine()}"
    facts["processor"] = f"{os.cpu_count()} x {_processor()}"
    threads = [f"{name}={os.environ[name]}" for name in THREAD_SETTINGS if name in os.environ]
    if threads:
        facts["threads"] = ", ".join(threads)
    if hasattr(os, "getloadavg"):
        facts["load before"] = f"{os.getloadavg()[0]:.2f}"
    if with_peers:
        facts["peers"] = ", ".join(f"{library} {peers.version(library) or 'not installed'}" for library in peers.PEERS)
    return facts


def _processor() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
