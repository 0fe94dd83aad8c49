"""CSV however it is written gives the cells that it was written from, or says what is wrong and where."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote._common.coded import Coded
from pairvote.io import _csv
from pairvote.io._file_format import Part, Reading
from pairvote.io._formats import FORMATS
from pairvote.io._how import How
from pairvote.io._source import Source
from pairvote.votes._report import Report
from pairvote.votes._wanted import AllColumns, Wanted

NAMES = ["left", "right", "outcome"]
ROWS = [["ash", "birch", "left"], ["b;r|c\th", "c, d", "tie"], ['q"q', "x\ny", "won"], ["å日", " z ", "1,5"]]
BLOCKS = (1, 9, 40, 10**6)
HEADER = b"left,right,outcome\n"


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

    def whole(self, content, *, arrow=False, longest=2**23, bad_rows="raise", wanted=None, **how):
        """The cells by column, where each row stands, and the report."""
        made = How(report=Report(bad_rows), **how)
        self.path.write_bytes(content)
        with pytest.MonkeyPatch.context() as patch:
            if not arrow:
                patch.setitem(sys.modules, "pyarrow", None)
            read, locate = _csv.read(
                Source.of(self.path), wanted or AllColumns(), made, arrow_from_bytes=0, longest=longest
            )
            cells = spread(read)
            return cells, [locate(row) for row in range(len(next(iter(cells.values()))))], made.report

    def blocks(
        self, content, *, n_bytes, arrow=False, longest=2**23, n_threads=2, bad_rows="raise", wanted=None, **how
    ):
        """The same of the file in blocks."""
        made = How(report=Report(bad_rows), **how)
        self.path.write_bytes(content)
        reading = Reading(wanted or AllColumns(), n_bytes=len(content), how=made)
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

    def all(self, content, *, sizes=BLOCKS, **how):
        """What they give, once they agree on it; for a refusal, its message."""
        results = []
        for arrow in (False, True):
            results.append(outcome(self.whole, content, arrow=arrow, **how))
            results += [outcome(self.blocks, content, arrow=arrow, n_bytes=size, **how) for size in sizes]
        first = results[0]
        for other in results[1:]:
            # Where there are no rows, there may be no blocks.
            assert other == first or other == ({}, *first[1:])
        return first

    def cells(self, content, **how):
        """The cells row by row."""
        result = self.all(content, **how)
        assert not isinstance(result, str), result
        return [list(row) for row in zip(*result[0].values(), strict=True)]

    def remarks(self, content, **how):
        return self.all(content, **how)[2][2]

    def refusal(self, content, **how):
        result = self.all(content, **how)
        assert isinstance(result, str)
        assert "\n" not in result
        return result


def outcome(action, *arguments, **options):
    try:
        cells, lines, report = action(*arguments, **options)
    except pv.InputError as error:
        return str(error)
    return cells, lines, (report.n_skipped, report.skipped, list(report.remarks))


def written(rows, *, delimiter=",", newline="\n", quoted=False):
    """Rows as CSV, with quotes around every cell or where they are needed."""

    def cell(text):
        plain = not quoted and not set(text) & {delimiter, '"', "\r", "\n"}
        return text if plain else '"' + text.replace('"', '""') + '"'

    return "".join(delimiter.join(map(cell, row)) + newline for row in rows)


@pytest.fixture
def readers(tmp_path):
    return Readers(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Readers(tmp_path_factory.mktemp("dialects"))


class TestDelimiters:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", ":", "§", "x"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("quoted", [False, True])
    def test_the_delimiter_that_is_named(self, readers, delimiter, newline, quoted):
        rows = [[f"{cell}{delimiter}" for cell in row] for row in ROWS]
        content = written([NAMES, *rows], delimiter=delimiter, newline=newline, quoted=quoted).encode()
        assert readers.cells(content, delimiter=delimiter) == rows
        assert readers.remarks(content, delimiter=delimiter) == []

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    @pytest.mark.parametrize("quoted", [False, True])
    def test_others_than_commas_are_recognised_and_said(self, readers, delimiter, quoted):
        content = written([NAMES, *ROWS], delimiter=delimiter, quoted=quoted).encode()
        assert readers.cells(content) == ROWS
        shown = "tabs" if delimiter == "\t" else repr(delimiter)
        assert readers.remarks(content) == [f"cells are parted by {shown}"]

    def test_commas_are_not_said(self, readers):
        content = written([NAMES, *ROWS]).encode()
        assert readers.cells(content) == ROWS
        assert readers.remarks(content) == []

    @pytest.mark.parametrize(
        ("text", "delimiter"),
        [
            ("a;b;c\n", ";"),
            ("a,b;c\n1,2;3\n", ","),
            ("a;b;c\n1,5;2,5;3,5\n", ";"),
            ("a;b;c, d\n1,5;2;3\n4,5;2,5;3\n", ";"),
            ("a\tb\n1, 2; 3\t4\n", "\t"),
            ("a|b\n1|2\n3|4\nbad\n5|6\n", "|"),
            ('"a";"b, c"\n"1";"2"\n', ";"),
            ("a\n1\n2\n", ","),
            ("a;b\n" + "1;2\n" * 200 + "1,2,3;4\n", ";"),
        ],
    )
    def test_what_most_of_the_first_rows_agree_on(self, readers, text, delimiter):
        expected = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if len(row) > 1 or "a\n" in text]
        assert readers.cells(text.encode(), bad_rows="skip") == expected[1:]

    def test_the_delimiter_may_be_written_as_backslash_t(self, readers):
        assert readers.cells(b"a\tb\n1\t2\n", delimiter="\\t") == [["1", "2"]]

    def test_messages_name_what_parts_the_cells(self, readers):
        message = readers.refusal(b"a;b;c\n1;2;3\n1;2\n")
        assert "line 3" in message
        assert "quotes around text that has semicolons" in message
        assert "that has '§'" in readers.refusal("a§b\n1\n".encode(), delimiter="§")

    @pytest.mark.parametrize("delimiter", [";;", "", '"', "\n", "\r", "\0", "\ud800", 1])
    def test_what_cannot_part_cells_is_refused(self, readers, delimiter):
        with pytest.raises(pv.InputError, match="delimiter") as caught:
            readers.whole(b"a,b\n1,2\n", delimiter=delimiter)
        assert caught.value.option == "delimiter"

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.lists(st.text('ab,;|\t"\r\n é', max_size=5), min_size=3, max_size=3), min_size=1, max_size=8),
        st.sampled_from([",", ";", "\t", "|"]),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.booleans(),
        st.sampled_from(BLOCKS),
    )
    def test_whatever_was_written_is_read(self, shared, rows, delimiter, newline, quoted, size):
        text = written([NAMES, *rows], delimiter=delimiter, newline=newline, quoted=quoted)
        expected = [[cell or None for cell in row] for row in rows]
        assert shared.cells(text.encode(), delimiter=delimiter, sizes=[size]) == expected
        # Told by the header, which has no other delimiter in it.
        assert shared.cells(text.encode(), sizes=[size]) == expected


class TestLinesThatAreNoRows:
    TEXT = (
        '# it\'s "a" note, with quotes\n\nleft,right,outcome\n#a,b,c\na,b,left\n'
        '"#a",b,tie\n"x\n#y",b,tie\r\n#\n\nc,#d,skip\n'
    )
    CELLS = (["a", "b", "left"], ["#a", "b", "tie"], ["x\n#y", "b", "tie"], ["c", "#d", "skip"])
    LINES = (5, 6, 7, 11)

    def test_comments_are_passed_over_outside_quotes(self, readers):
        cells, lines, _ = readers.all(self.TEXT.encode(), comment="#")
        assert [list(row) for row in zip(*cells.values(), strict=True)] == list(self.CELLS)
        assert lines == [f"line {line} of {readers.path}" for line in self.LINES]

    @pytest.mark.parametrize("comment", ["#", "//", "é"])
    def test_comments_in_plain_text(self, readers, comment):
        rows = [[str(row), str(row + 1), "tie"] for row in range(60)]
        lines = [text + f"{comment} no,te\n" * (row % 3) for row, text in enumerate(written(rows).splitlines(True))]
        content = (f"{comment}\nleft,right,outcome\n" + "".join(lines)).encode()
        assert readers.cells(content, comment=comment) == rows
        where = readers.all(content, comment=comment)[1]
        assert where[1] == f"line 4 of {readers.path}"
        assert where[-1] == f"line {2 + 59 + 1 + sum(row % 3 for row in range(59))} of {readers.path}"

    @pytest.mark.parametrize("comment", ["", '"', "\n", "\ud800", 1])
    def test_what_cannot_begin_comments_is_refused(self, readers, comment):
        with pytest.raises(pv.InputError, match="comment"):
            readers.whole(b"a,b\n1,2\n", comment=comment)

    @pytest.mark.parametrize("start", ["", "\ufeff"])
    def test_lines_above_the_header(self, readers, start):
        content = (start + 'Votes of "May\n;;;\n\nleft;right\na;b\nc;d\n').encode()
        cells, lines, said = readers.all(content, skip_lines=2)
        assert cells == {"left": ["a", "c"], "right": ["b", "d"]}
        assert lines == [f"line {line} of {readers.path}" for line in (5, 6)]
        assert said[2] == ["cells are parted by ';'"]

    def test_no_line_is_left_for_a_header(self, readers):
        assert "below the first 5" in readers.refusal(b"a,b\n1,2\n", skip_lines=5)
        for wrong in (-1, 1.5, True):
            with pytest.raises(pv.InputError, match="skip_lines"):
                readers.whole(b"a,b\n", skip_lines=wrong)

    def test_columns_by_number(self, readers):
        content = b"ash,birch,left\n\n\xc3\xa5sp,birch,tie\n"
        cells, lines, _ = readers.all(content, header=False)
        assert cells == {"1": ["ash", "åsp"], "2": ["birch", "birch"], "3": ["left", "tie"]}
        assert lines == [f"line {line} of {readers.path}" for line in (1, 3)]
        votes = pv.read_votes(io.BytesIO(content), format="csv", header=False, left="1", right="2", outcome="3")
        assert votes.items == ("ash", "birch", "åsp")

    def test_cells_that_mean_a_missing_value(self, readers):
        content = b'a,b\nNA,"-"\n,NA \n-,NA\n'
        assert readers.cells(content, na=("NA", "-")) == [[None, None], [None, "NA "], [None, None]]
        assert readers.cells(content) == [["NA", "-"], [None, "NA "], ["-", "NA"]]


class TestWidths:
    def test_a_header_with_a_cell_more(self, readers):
        content = b"a,b,c\n1,2\n3,4\n"
        assert readers.cells(content) == [["1", "2"], ["3", "4"]]
        assert "'c', is left out" in readers.remarks(content)[0]

    def test_a_column_that_is_wanted_is_not_left_out(self, readers):
        wanted = Wanted.of(left="left", right="right", outcome="outcome")
        assert "line 2" in readers.refusal(HEADER + b"a,b\nc,d\n", wanted=wanted)

    def test_names_of_rows_as_r_writes_them(self, readers):
        content = b'"left","right"\n"1","a","b"\n"2","c","d"\n'
        assert readers.all(content)[0] == {"": ["1", "2"], "left": ["a", "c"], "right": ["b", "d"]}
        assert "their first has no name" in readers.remarks(content)[0]

    def test_delimiters_at_the_ends_of_rows(self, readers):
        content = b"left,right\na,b,\nc,d,\n"
        assert readers.all(content)[0] == {"left": ["a", "c"], "right": ["b", "d"], "": [None, None]}
        assert "end with an empty cell" in readers.remarks(content)[0]

    @pytest.mark.parametrize(
        "body", ["1,2\n1,2\n1,2,3\n", "1,2\n", "1,2,3,4\n", "1,2,3,4\n1,2,3\n", "1\n1\n", "1,2,3,4,5\n" * 2]
    )
    def test_other_widths_are_faults(self, readers, body):
        assert "cells and the header has 3" in readers.refusal(HEADER + body.encode(), wanted=Wanted.of())

    def test_rows_must_agree_below_the_first_ones_too(self, readers):
        content = b"left,right\n" + b"1,a,b\n" * 80 + b"a,b\n"
        assert "line 82" in readers.refusal(content)
        assert readers.cells(content, bad_rows="skip") == [["1", "a", "b"]] * 80


PIECES = ["a,b,c", "a", "b", ",", '"', '""', "\r", "\n", "\n", "\n", "\r\n", "#", "é", "\0", "\udcff", '"a\nb",c,d']


class TestBadRows:
    def test_good_rows_are_those_of_the_file_without_the_bad(self, readers):
        bad = [
            b"a,b\n",
            b'a,"b,c\n',
            b"a,b,c,d\n",
            b"a,\xff,c\n",
            b"a,\0,c\n",
            b'"a"b,c,d\n',
            b"x" * 200_000 + b",b,c\n",
        ]
        good = [f"left {row},right,tie\n".encode() for row in range(30)]
        lines, numbers = [HEADER], []
        for row, line in enumerate(good):
            if row % 4 == 0:
                numbers.append(len(lines) + 1)
                lines.append(bad[row // 4 % len(bad)])
            lines.append(line)
        cells, where, (n_skipped, named, _) = readers.all(b"".join(lines), sizes=(1, 50, 700, 10**7), bad_rows="skip")
        assert cells["left"] == [f"left {row}" for row in range(30)]
        assert n_skipped == len(numbers) == 8
        assert len(named) == 5
        for text, number in zip(named, numbers, strict=False):
            assert re.search(rf"line {number}\b", text)
        assert [int(re.search(r"line (\d+)", text)[1]) for text in where] == [
            number for number in range(2, len(lines) + 1) if number not in numbers
        ]

    @pytest.mark.slow
    @settings(max_examples=600, deadline=None)
    @given(
        st.lists(st.sampled_from([*PIECES, "x" * 12]), max_size=30),
        st.sampled_from(BLOCKS),
        st.sampled_from([None, "#"]),
        st.sampled_from([20, 2**23]),
        st.booleans(),
    )
    def test_the_same_are_skipped_whole_and_in_blocks(self, shared, pieces, size, comment, longest, header):
        content = HEADER * header + "".join(pieces).encode("utf-8", "surrogateescape")
        options = {"comment": comment, "longest": longest, "header": header, "delimiter": ","}
        shared.all(content, bad_rows="skip", sizes=[size], **options)

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from(BLOCKS), st.sampled_from([None, "#"]))
    def test_rows_are_skipped_where_they_are_refused(self, shared, pieces, size, comment):
        content = HEADER + "".join(pieces).encode("utf-8", "surrogateescape")
        options = {"comment": comment, "delimiter": ","}
        skipping = shared.all(content, bad_rows="skip", sizes=[size], **options)
        strict = [outcome(shared.whole, content, arrow=arrow, **options) for arrow in (False, True)]
        strict += [outcome(shared.blocks, content, arrow=arrow, n_bytes=size, **options) for arrow in (False, True)]
        for result in strict:
            if isinstance(skipping, str) or skipping[2][0]:
                assert isinstance(result, str)
            else:
                assert result in (skipping, ({}, *skipping[1:]))

    def test_many_bad_rows_in_many_blocks(self, readers):
        lines = [b"a,b,tie\n" if row % 3 else b"bad\n" for row in range(3000)]
        cells, where, (n_skipped, named, _) = readers.all(HEADER + b"".join(lines), sizes=(64, 4096), bad_rows="skip")
        assert len(cells["left"]) == 2000
        assert n_skipped == 1000
        assert [text.split()[1] for text in named] == ["2", "5", "8", "11", "14"]
        assert where[-1] == f"line 3001 of {readers.path}"


# A sanitizer takes memory of its own.
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists() or "libasan" in os.environ.get("LD_PRELOAD", ""),
    reason="there is no count of the memory that pairvote takes",
)


class TestLongLines:
    @pytest.mark.parametrize("piece", [b"x" * 500, b'a,"' + b"x" * 500, b"a," * 250, b'"' * 501, "é".encode() * 250])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
    def test_they_are_refused_and_can_be_skipped(self, readers, piece, end):
        content = HEADER + b"a,b,tie\n" + piece + end + (b"c,d,tie\n" if end else b"")
        message = readers.refusal(content, longest=400, sizes=BLOCKS[:3])
        assert message.startswith(f"line 3 of {readers.path} is longer than 400 bytes")
        cells, _, (n_skipped, named, _) = readers.all(content, longest=400, bad_rows="skip")
        assert cells["left"] == ["a", "c"] if end else ["a"]
        assert n_skipped == 1
        assert named == [message.partition(";")[0]]

    def test_a_header_may_be_too_long(self, readers):
        assert "line 1" in readers.refusal(b"x" * 500 + b",b\n1,2\n", longest=400)
        assert "line 1" in readers.refusal(b"x" * 500 + b",b\n1,2\n", longest=400, bad_rows="skip")

    @pytest.mark.slow
    @needs_proc
    @pytest.mark.parametrize("start", ["", 'a,"'])
    @pytest.mark.parametrize("call", ["list(pv.scan_votes(path))", "pv.read_votes(path)"])
    def test_time_and_memory_are_bounded(self, tmp_path, start, call):
        path = tmp_path / "a.csv"
        with path.open("wb") as file:
            file.write(HEADER + b"a,b,left\n" + start.encode())
            for _ in range(100):
                file.write(b"x" * 2**20)
        assert peak_memory(f"path = {str(path)!r}\ntry: {call}\nexcept pv.InputError: pass") < 300

    @pytest.mark.slow
    @needs_proc
    def test_a_row_of_many_lines_is_bounded(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_bytes(HEADER + b'"\n",' * 25_000_000)
        assert peak_memory(f"try: list(pv.scan_votes({str(path)!r}))\nexcept pv.InputError: pass") < 300


def peak_memory(code):
    """Megabytes that a program takes at most, which has pairvote as pv."""
    # What the operating system counts for a process goes on from the program that started it; this does not.
    said = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    program = "\n".join(["import pairvote as pv", code, said])
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    return int(run.stdout) / 2**10
