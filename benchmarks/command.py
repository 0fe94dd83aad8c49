"""The command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.cases import Size
from benchmarks.machine import machine
from benchmarks.measure import Row, measure
from benchmarks.memory import peak_bytes
from benchmarks.parts import PARTS, after, groups_of, summary_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for; 0 unless pairvote itself fails."""
    options = _options(arguments)
    if options.list:
        width = max(map(len, PARTS))
        print("\n".join(f"{part:<{width}}  {summary_of(part)}" for part in PARTS))
        return 0
    size: Size = "quick" if options.quick else "full"
    facts = machine(with_peers=options.peers)
    options.judged = size == "full" and facts["kernels"] == "compiled"
    print(report.header(facts), end="\n\n")
    pages = ["\n".join(f"- {name}: {value}" for name, value in facts.items())]
    results: dict[str, Any] = {"machine": facts, "size": size, "repeats": options.repeats, "parts": {}}
    for part in dict.fromkeys(options.parts or PARTS):
        print(f"== {part} ==\n", flush=True)
        groups = results["parts"][part] = []
        pages.append(f"## {part}")
        for number in range(len(groups_of(part))):
            found, page = _run(part, number, size, options)
            groups.append(found)
            pages.append(page)
            # After every table, so that a long run that is stopped leaves what it has.
            _write(options, results, pages)
        for found, page in after(part, size, options):
            groups.append(found)
            pages.append(page)
        _write(options, results, pages)
    if any(groups_of(part) for part in results["parts"]):
        print(report.LEGEND)
    return 0


def _write(options: argparse.Namespace, results: dict[str, Any], pages: Sequence[str]) -> None:
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.report is not None:
        options.report.write_text("\n\n".join(pages) + "\n", encoding="utf-8")


def _run(part: str, number: int, size: Size, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Measure one group and print its table; what JSON and the report keep of it."""
    make_group = groups_of(part)[number]
    group, rows = measure(make_group, size, repeats=options.repeats, with_peers=options.peers)
    if options.memory:
        _add_memory(part, number, size, rows)
    return report.shown(make_group.__name__, group, rows, judged=options.judged)


def _add_memory(part: str, number: int, size: Size, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.measured and row.case.memory:
            row.peak_bytes = peak_bytes(part, number, row.case.name, size)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time pairvote beside its peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all by default")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="turns of every case (5)")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the votes; goals are judged at full size and compiled only"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same figures as JSON")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the tables as Markdown")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="run the peers too")
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True, help="measure memory too")
    poll = parser.add_argument_group("of the part poll")
    poll.add_argument("--large", action="store_true", help="a poll of ten million answers too, which takes minutes")
    poll.add_argument("--beside", type=Path, metavar="FOLDER", help="another checkout, to be timed beside this one")
    honesty = parser.add_argument_group("of the parts honesty, voters and ratings")
    honesty.add_argument(
        "--repetitions",
        type=int,
        metavar="N",
        help="of each row (200 workshops of honesty, 300 of voters, 5 of ratings)",
    )
    honesty.add_argument("--prior", type=_prior, metavar="SD", help="prior_sd; that of the default call if not given")
    honesty.add_argument("--rows", nargs="+", metavar="WORD", help="only rows whose name contains one of these")
    honesty.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (2)")
    parser.add_argument("--list", action="store_true", help="name the parts and stop")
    options = parser.parse_args(arguments)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    if options.repetitions is not None and options.repetitions < 2:
        parser.error(f"--repetitions is {options.repetitions}; it is a whole number from 2, for standard errors")
    if options.repeats < 1:
        parser.error(f"--repeats is {options.repeats}; it is a whole number from 1")
    if options.beside is not None and not (options.beside / "pairvote" / "__init__.py").is_file():
        parser.error(f"--beside {options.beside}: there is no pairvote in it")
    for name in ("json", "report"):
        file = getattr(options, name)
        if file is not None and not file.resolve().parent.is_dir():
            parser.error(f"--{name} {file}: there is no such directory")
    return options


def _prior(text: str) -> float | str:
    """A number, or the name of a prior that is none."""
    try:
        return float(text)
    except ValueError:
        return text
