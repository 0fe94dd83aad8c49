"""What to say of files that cannot be read: all that is wrong with them, and the options that may read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pairvote._common.messages import row_number
from pairvote.errors import InputError, PairvoteError
from pairvote.io._file_format import Part, Reading
from pairvote.io._guess import NAMING, Guess, as_names, guess, said
from pairvote.io._how import How
from pairvote.io._join import joined
from pairvote.io._options import options_of
from pairvote.io._overview import Overview
from pairvote.io._proposal import as_call, explain
from pairvote.io._sources import file_of, parts_of
from pairvote.votes._report import Report
from pairvote.votes._shapes import n_rows_of
from pairvote.votes._wanted import AllColumns

# Larger files are judged by their first rows.
MOST_BYTES = 2**26
# A line that is no header is taken for one of at most so many columns.
MOST_NAMES = 10
# So many lines may stand above a header.
MOST_LINES = 8
# So many files are looked at for one that a guess can be made of.
MOST_FILES = 20
# Options that say how bytes become cells.
OF_CELLS = ("delimiter", "encoding", "decimal", "sheet", "na", "comment", "skip_lines", "header")
# Options that an error may be about, for a guess to help.
HELPED = frozenset({*NAMING, "outcomes", "encoding", "matrix", "rankings", "bad_rows", "criterion column", None})


def explained(
    error: PairvoteError,
    source: Any,
    format: Any,
    options: Mapping[str, Any],
    call: Callable[[dict[str, Any]], str],
) -> str | None:
    """A message on everything that is wrong, with the call that a guess proposes; None where there is nothing to add.

    Parameters
    ----------
    error : PairvoteError
        What reading came to.
    source, format, options
        As `read_votes` takes them.
    call : function
        Writes out options as the user gives them.
    """
    proposal = proposed(error, source, format, options) if isinstance(error, InputError) else None
    if proposal is None or not isinstance(error, InputError):
        return None
    overview, found = proposal
    if found.found and found.options == said(options):
        # The guess is what was done.
        return None
    return explain(error, overview, found, call(found.options), options)


def propose_call(error: InputError, source: Any, format: Any, options: Mapping[str, Any]) -> None:
    """Put the call that may read the file after the error's remedy, if one is known."""
    proposal = None
    if isinstance(source, (str, Path)):
        given = {name: value for name, value in options.items() if value is not None}
        proposal = proposed(error, source, format, given)
    if proposal is None or not proposal[1].found or proposal[1].options == said(options):
        return
    call = f"perhaps {as_call(proposal[1].options, str(source))}"
    error.remedy = call if error.remedy is None else f"{error.remedy}; {call}"


def proposed(error: InputError, source: Any, format: Any, options: Mapping[str, Any]) -> tuple[Overview, Guess] | None:
    """The columns of the file and a guess at the options; None where its columns cannot be seen."""
    if error.option not in HELPED:
        return None
    try:
        return _first_found(source, format, dict(options))
    except InputError as fault:
        # Its value is the encoding in which the file can be read.
        if fault.option != "encoding" or not isinstance(fault.value, str) or options.get("encoding"):
            return None
        given = {**options, "encoding": fault.value}
    try:
        return _first_found(source, format, given)
    except InputError:
        return None


def _first_found(source: Any, format: Any, given: Mapping[str, Any]) -> tuple[Overview, Guess] | None:
    """What can be guessed of the files that have the columns of votes; otherwise the first file, without a guess."""
    samples = list(samples_of(source, format, given))
    first = None
    for place, sample in enumerate(samples):
        overview = sample.overview()
        found = guess(overview, given)
        if not found.found:
            first = first or (overview, found)
            continue
        used = {name for part in NAMING for name in as_names(found.options.get(part))} & sample.columns.keys()
        alike = [other for other in samples if used <= other.columns.keys()]
        if len(alike) > 1:
            # The others may have outcomes that this one lacks.
            overview = Sample.joined(alike, list(sample.columns)).overview()
            found = guess(overview, given)
        return overview, _without_strange(found) if place else found
    if first is None or len(first[0].columns) > MOST_NAMES:
        return first
    return _below_other_lines(source, format, given) or first


def _below_other_lines(source: Any, format: Any, given: Mapping[str, Any]) -> tuple[Overview, Guess] | None:
    """What can be guessed of the first file where its header stands below lines of another kind."""
    if given.get("comment") or given.get("skip_lines"):
        return None
    numbered: list[dict[str, Any]] = [{"skip_lines": n_lines} for n_lines in range(1, MOST_LINES + 1)]
    for above in [{"comment": "#"}, *numbered]:
        try:
            overview = next(samples_of(source, format, {**given, **above})).overview()
        except (InputError, StopIteration):
            continue
        found = guess(overview, {**given, **above})
        if found.found and _has_header(overview, found):
            return overview, found
    return None


def _has_header(overview: Overview, found: Guess) -> bool:
    """Whether the columns of a guess have names that are no cells, or are numbered since there is no header."""
    used = [name for part in NAMING for name in as_names(found.options.get(part)) if name in overview.columns]
    if found.options.get("header") is False:
        return "bad_rows" not in found.options
    cells = {text for name in used for text in overview[name].texts}
    return not any(name.strip() in cells for name in used if name not in ("left", "right"))


def _without_strange(found: Guess) -> Guess:
    """The guess, and that files before its own, which look like no votes, are left out."""
    remark = "files that are no votes would be left out"
    return replace(found, options={**found.options, "bad_rows": "skip"}, remarks=[*found.remarks, remark])


@dataclass(frozen=True)
class Sample:
    """The columns of a file, or those of its first rows."""

    columns: Mapping[str, Any]
    is_part: bool = False

    def overview(self) -> Overview:
        """What there is to see of them."""
        return Overview.of(self.columns, sample=self.is_part)

    @classmethod
    def joined(cls, samples: Sequence[Sample], names: Sequence[str]) -> Sample:
        """A sample of columns of several, one below the other."""
        pieces = [(dict(sample.columns), n_rows_of(sample.columns), row_number) for sample in samples]
        return cls(joined(pieces, names)[0], any(sample.is_part for sample in samples))


def samples_of(source: Any, format: Any, options: Mapping[str, Any]) -> Iterator[Sample]:
    """The columns of each of the first files of a source.

    Raises
    ------
    InputError
        For a file that cannot be read, and one whose encoding is not known.
    """
    how = options_of(**{name: options[name] for name in OF_CELLS if name in options}).how
    if callable(getattr(source, "read", None)):

        def of_stream(how: How) -> Sample:
            source.seek(0)
            file, chosen = file_of(source, format, how)
            return Sample(chosen.read(file, AllColumns(), how)[0])

        yield _without_bad_rows(of_stream, how)
        return
    # Files that are no votes do not matter here.
    lenient = how.with_report(Report("skip"))
    n_bytes = 0
    for part in parts_of(source, format, Reading(AllColumns(), how=lenient))[:MOST_FILES]:
        if n_bytes <= MOST_BYTES:
            yield _without_bad_rows(partial(_of_part, part), how)
        n_bytes += part.n_bytes


def _without_bad_rows(sample: Callable[[How], Sample], how: How) -> Sample:
    """A sample, without rows that are broken unless it is their encoding that is wrong."""
    try:
        return sample(how.with_report(Report()))
    except InputError as error:
        if error.option == "encoding":
            raise
        return sample(how.with_report(Report("skip")))


def _of_part(part: Part, how: How) -> Sample:
    if part.n_bytes <= MOST_BYTES and part.path is not None and part.fragment is None:
        return Sample(part.format.read(part.source(), AllColumns(), how)[0])
    with closing(part.format.scan([part], Reading(AllColumns(), n_bytes=part.n_bytes, how=how))) as batches:
        batch = next((batch for batch in batches if batch.n_rows), None)
    return Sample({} if batch is None else batch.columns, is_part=True)
