"""Compiles the kernels; where there is no C compiler they are interpreted instead."""

import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

KERNELS = sorted(source.stem for source in Path("pairvote/_kernels").glob("[!_]*.py"))
FLAGS = ["/O2", "/fp:precise"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]

extensions = cythonize(
    [
        Extension(
            f"pairvote._kernels._c_{name}",
            [f"pairvote/_kernels/{name}.py"],
            extra_compile_args=FLAGS,
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
        )
        for name in KERNELS
    ],
    build_dir="build/cython",
)
for extension in extensions:
    # Set here, because cythonize does not carry it over.
    extension.optional = True

setup(ext_modules=extensions, options={"bdist_wheel": {"py_limited_api": "cp311"}})
