"""CSV however it is written gives the cells that it was written from, or says what is wrong and where."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairvote.io._wanted import Wanted

import pairvote as pv
from pairvote._common.coded import Coded
from pairvote.io import _csv
from pairvote.io._file_format import Part, Reading
from pairvote.io._formats import FORMATS
from pairvote.io._how import How, Report
from pairvote.io._source import Source

NAMES = ("left", "right", "outcome")
ROWS = [("ash", "birch", "left"), ("b;r|c\th", "c, d", "tie"), ('q"q', "x\ny", "won"), ("å日", " z ", "1,5")]
BLOCKS = (1, 9, 40, 10**6)


def wanted(*names, **more):
    names = names or NAMES
    return Wanted.of(**dict(zip(NAMES, names, strict=True)), voter=None, weight=None, criterion=None, **more)


def spread(columns):
    """The columns with their cells written out, None where one is missing."""
    return {
        part: [None if code < 0 else column.labels[code] for code in column.codes.tolist()]
        if isinstance(column, Coded)
        else list(column)
        for part, column in columns.items()
    }


class Readers:
    """Every way in which CSV is read, on one file: whole and in blocks, by the csv module and by pyarrow."""

    def __init__(self, folder):
        self.path = folder / "a.csv"

    def whole(self, content, columns=None, *, arrow=False, longest=2**23, **how):
        """The cells by column, where each row stands, and the report."""
        made = How(report=Report(bad_rows=how.pop("bad_rows", "raise")), **how)
        self.path.write_bytes(content)
        with pytest.MonkeyPatch.context() as patch:
            if not arrow:
                patch.setitem(sys.modules, "pyarrow", None)
            read, locate = _csv.read(
                Source.of(self.path), columns or wanted(), made, arrow_from_bytes=0, longest=longest
            )
            cells = spread(read)
            return cells, [locate(row) for row in range(len(cells["left"]))], made.report

    def blocks(self, content, columns=None, *, n_bytes, arrow=False, longest=2**23, n_threads=2, **how):
        made = How(report=Report(bad_rows=how.pop("bad_rows", "raise")), **how)
        self.path.write_bytes(content)
        reading = Reading(columns or wanted(), n_bytes=len(content), how=made)
        part = Part(str(self.path), FORMATS["csv"], self.path, n_bytes=len(content))
        cells, lines = {}, []
        with pytest.MonkeyPatch.context() as patch:
            if not arrow:
                patch.setitem(sys.modules, "pyarrow", None)
            sizes = {"block_bytes": n_bytes, "arrow_from_bytes": 0, "longest": longest, "n_threads": n_threads}
            for batch in _csv.scan([part], reading, **sizes):
                for name, values in spread(batch.columns).items():
                    cells.setdefault(name, []).extend(values)
                lines += [batch.locate(row) for row in range(batch.n_rows)]
        return cells, lines, made.report

    def all(self, content, columns=None, *, sizes=BLOCKS, **how):
        """What they give, once they agree on it; for a refusal, its message."""
        results = []
        for arrow in (False, True):
            results.append(outcome(self.whole, content, columns, arrow=arrow, **how))
            results += [outcome(self.blocks, content, columns, arrow=arrow, n_bytes=size, **how) for size in sizes]
        first = results[0]
        for other in results[1:]:
            assert other == first or (not isinstance(other, str) and not other[1] and not first[1]), (other, first)
        return first


def outcome(action, *arguments, **options):
    try:
        cells, lines, report = action(*arguments, **options)
    except pv.InputError as error:
        return str(error)
    return cells, lines, (report.n_skipped, report.skipped, list(report.remarks))


@pytest.fixture
def readers(tmp_path):
    return Readers(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Readers(tmp_path_factory.mktemp("dialects"))


class TestAnything:
    @settings(max_examples=400, deadline=None)
    @given(
        st.lists(
            st.sampled_from(
                [
                    "a,b,c",
                    "a",
                    "b",
                    ",",
                    '"',
                    '""',
                    "\r",
                    "\n",
                    "\r\n",
                    "#",
                    "é",
                    "\0",
                    "\udcff",
                    '"a\nb",c,d',
                    "x" * 12,
                ]
            ),
            max_size=25,
        ),
        st.sampled_from(BLOCKS),
        st.sampled_from([None, "#"]),
        st.sampled_from([20, 2**23]),
        st.booleans(),
    )
    def test_bad_rows_are_skipped_alike(self, shared, pieces, size, comment, longest, header):
        content = ("left,right,outcome\n" * header + "".join(pieces)).encode("utf-8", "surrogateescape")
        columns = None if header else wanted("1", "2", "3")
        shared.all(
            content,
            columns,
            sizes=[size],
            comment=comment,
            bad_rows="skip",
            longest=longest,
            header=header,
            delimiter=",",
        )
