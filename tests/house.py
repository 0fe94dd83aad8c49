"""The house read from its sources: its modules, what each imports, and the floors drawn from that.

``python tests/house.py`` prints the drawing that stands in docs/development.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "pairvote"


class Import(NamedTuple):
    """One imported name: `target` is a module, written in full; `late` inside a function or for types only."""

    target: str
    late: bool
    line: int


def imports_in(source: str, modules: set[str]) -> Iterator[Import]:
    """Every import; of "from pairvote import x" the target is pairvote.x if that is a module, else pairvote."""

    def walk(node: ast.AST, late: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, late, child.lineno) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"line {child.lineno}: a relative import; write it out from pairvote"
                package = child.module or ""
                for alias in child.names:
                    whole = f"{package}.{alias.name}"
                    is_module = package.startswith("pairvote") and whole.removeprefix("pairvote.") in modules
                    yield Import(whole if is_module else package, late, child.lineno)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from walk(child, True)
            elif isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                yield from walk(ast.Module(child.body, []), True)
                yield from walk(ast.Module(child.orelse, []), late)
            else:
                if isinstance(child, ast.Call) and ast.unparse(child.func).endswith("import_module"):
                    name = child.args[0]
                    assert isinstance(name, ast.Constant), f"line {child.lineno}: an import that cannot be read"
                    yield Import(str(name.value), late, child.lineno)
                yield from walk(child, late)

    return walk(ast.parse(source), False)


def sources() -> dict[str, str]:
    """The text of every module, by its name within pairvote; without the package's own list of lazy names."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    del found[""]
    return found


# What imports by names that are made at run time: the lazy public names, and the kernels, compiled or interpreted.
DYNAMIC = {"_common.lazy", "_kernels"}


def room_of(module: str) -> str:
    """The room of a module: the folder or file at the top of the package."""
    return module.partition(".")[0]


def graph_of(sources: dict[str, str]) -> dict[str, set[str]]:
    """What each module of pairvote imports of it, inside functions and for types too."""
    graph: dict[str, set[str]] = {}
    for module, source in sources.items():
        targets = {target for target, _, _ in imports_in(source, set(sources)) if target.startswith("pairvote.")}
        graph[module] = {target.removeprefix("pairvote.") for target in targets}
    return graph


def graph_of_rooms(sources: dict[str, str]) -> dict[str, set[str]]:
    """What each room imports of the others."""
    rooms: dict[str, set[str]] = {}
    for module, targets in graph_of(sources).items():
        rooms.setdefault(room_of(module), set()).update(map(room_of, targets))
    return {room: others - {room} for room, others in rooms.items()}


def drawing() -> str:
    """The rooms on their floors, each as low as its imports let it be, and what each imports."""
    graph = graph_of_rooms({name: source for name, source in sources().items() if name not in DYNAMIC})
    floor: dict[str, int] = {}
    for room in TopologicalSorter(graph).static_order():
        floor[room] = 1 + max((floor[other] for other in graph.get(room, ())), default=0)
    width = max(map(len, floor))
    lines = ["floor  room".ljust(9 + width) + "imports"]
    for room in sorted(floor, key=lambda room: (-floor[room], room)):
        below = sorted(graph.get(room, ()), key=lambda other: (-floor[other], other))
        lines.append(f"{floor[room]:>5}  {room:<{width}}  {' '.join(below)}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    print(drawing())
