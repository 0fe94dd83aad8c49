"""Compiles the kernels; where there is no C compiler they are interpreted instead.

With PAIRVOTE_CHECKED=1 every index is checked against its bounds, and gcc's sanitizers look for other misuse of memory
and for undefined behaviour: `make test-checked` runs tests so.
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

KERNELS = sorted(source.stem for source in Path("pairvote/_kernels").glob("[!_]*.py"))
FLAGS = ["/O2", "/fp:precise"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]
CHECKED = os.environ.get("PAIRVOTE_CHECKED") == "1"
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
DIRECTIVES = {"boundscheck": CHECKED, "initializedcheck": CHECKED, "wraparound": False}

extensions = cythonize(
    [
        Extension(
            f"pairvote._kernels._c_{name}",
            [f"pairvote/_kernels/{name}.py"],
            extra_compile_args=["-O1", "-g1", "-ffp-contract=off", *SANITIZERS] if CHECKED else FLAGS,
            extra_link_args=SANITIZERS if CHECKED else [],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
        )
        for name in KERNELS
    ],
    build_dir="build/cython",
    compiler_directives=DIRECTIVES,
)
for extension in extensions:
    # Set here, because cythonize does not carry it over.
    extension.optional = not CHECKED

setup(ext_modules=extensions, options={"bdist_wheel": {"py_limited_api": "cp311"}})
