"""Compiles the kernels; where there is no C compiler they are interpreted instead."""

import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

KERNELS = ("counting", "davidson", "elo", "laplacian", "rao_kupper")
UNIX_FLAGS = ["-O3", "-ffp-contract=off"]
FLAGS = ["/O2", "/fp:precise"] if sys.platform == "win32" else UNIX_FLAGS

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"pairvote._kernels._c_{name}",
                [f"pairvote/_kernels/{name}.py"],
                extra_compile_args=FLAGS,
                define_macros=[("Py_LIMITED_API", "0x030B0000")],
                py_limited_api=True,
                optional=True,
            )
            for name in KERNELS
        ],
        build_dir="build/cython",
    ),
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
