"""Install a wheel in an environment of its own; fail unless it holds every compiled kernel and its demo runs."""

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

KERNELS = sorted(source.stem for source in Path("pairvote/_kernels").glob("[!_]*.py"))

wheel = Path(sys.argv[1]).resolve()
names = zipfile.ZipFile(wheel).namelist()
missing = [kernel for kernel in KERNELS if not any(f"_c_{kernel}." in name for name in names)]
if missing:
    sys.exit(f"{wheel.name} lacks the compiled kernels {', '.join(missing)}")
if "-abi3-" not in wheel.name:
    sys.exit(f"{wheel.name} is not for the stable ABI")
with tempfile.TemporaryDirectory() as folder:
    venv.create(folder, with_pip=True)
    python = Path(folder, "bin", "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    for command in (
        [python, "-c", "import pairvote as pv; assert pv.show_config()['kernels'] == 'compiled'"],
        [python, "-m", "pairvote", "demo"],
    ):
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
print(f"{wheel.name} holds {', '.join(KERNELS)}, compiled, and runs")
