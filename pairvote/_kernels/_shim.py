"""What the kernels use of the `cython` module, for an interpreter that has no Cython.

The kernels are Python files that Cython compiles. Interpreted, the decorators below must leave a
function as it is; types stand in annotations, which are never evaluated.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])
Number = TypeVar("Number", int, float)

compiled = False
int = longlong = Py_ssize_t = builtins.int


def _as_it_is(function: Function) -> Function:
    return function


def exceptval(*, check: bool) -> Callable[[Function], Function]:
    return _as_it_is


def cast(kind: Callable[[float], Number], value: float) -> Number:
    return kind(value)


class _Nogil:
    """`@cython.nogil` on a function, `with cython.nogil:` around a loop."""

    def __call__(self, function: Function) -> Function:
        return function

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


ccall = cfunc = inline = _as_it_is
nogil = _Nogil()
