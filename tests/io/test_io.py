"""Files of votes are read the same whatever reads them, refused with the line, and read back as they were written."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote.io import _csv, _csv_cells
from pairvote.io._formats import FORMATS

HEADER = "left,right,outcome\n"
OUTCOMES = ("left", "right", "tie", "skip")
TEXT = st.text(min_size=1).filter(lambda text: "\0" not in text)


def read(text, format="csv", **options):
    content = text.encode() if isinstance(text, str) else text
    return pv.read_votes(io.BytesIO(content), format=format, **options)


def as_plain(votes):
    """All that votes hold, comparable."""
    arrays = (votes.left, votes.right, votes.outcome, votes.voter, votes.weight, votes.criterion)
    columns = [None if array is None else (array.dtype.str, array.tolist()) for array in arrays]
    return votes.items, votes.voters, votes.criteria, columns


def outcome_of(action):
    """What comes of an action: the votes in full, or the message of the error."""
    try:
        return as_plain(action())
    except pv.InputError as error:
        return str(error)


def arrow_from(monkeypatch, n_bytes):
    """CSV, of which pyarrow reads all that has so many bytes."""
    reading = functools.partial(_csv.read, arrow_from_bytes=n_bytes)
    monkeypatch.setitem(FORMATS, "csv", dataclasses.replace(FORMATS["csv"], read=reading))


def with_csv(monkeypatch, content, **options):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        arrow_from(patch, 0)
        return outcome_of(lambda: read(content, **options))


def with_arrow(monkeypatch, content, **options):
    with monkeypatch.context() as patch:
        arrow_from(patch, 0)
        return outcome_of(lambda: read(content, **options))


@pytest.fixture(scope="module")
def patching():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(params=["csv", "pyarrow"])
def reader(request, monkeypatch):
    """Each of the two readers of CSV, forced."""
    if request.param == "pyarrow":
        pytest.importorskip("pyarrow")
    else:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    arrow_from(monkeypatch, 0)


@pytest.mark.usefixtures("reader")
class TestCsv:
    def test_the_columns_become_votes(self):
        votes = read("left,right,outcome,voter,weight,criterion\nash,birch,left,anna,2,new\nbirch,cedar,tie,,0.5,\n")
        assert as_plain(votes) == (
            ("ash", "birch", "cedar"),
            ("anna",),
            ("new",),
            [
                ("<i4", [0, 1]),
                ("<i4", [1, 2]),
                ("|u1", [2, 1]),
                ("<i4", [0, -1]),
                ("<f8", [2.0, 0.5]),
                ("<i4", [0, -1]),
            ],
        )

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbfleft,right,outcome\nash,birch,tie\n",
            b'\xef\xbb\xbf"left","right","outcome"\n"ash","birch","tie"\n',
            b"left,right,outcome\r\nash,birch,tie\r\n",
            b"left,right,outcome\rash,birch,tie\r",
            b"left,right,outcome\nash,birch,tie",
            b"\n\nleft,right,outcome\n\n\r\nash,birch,tie\n\n",
            b"note,outcome,note,right,left\nx,tie,y,birch,ash\n",
            b'note,left,right,outcome\n"a ""note"", on\n\ntwo lines",ash,birch,tie\n',
        ],
    )
    def test_ways_to_write_the_same(self, content):
        votes = read(content)
        assert votes.items == ("ash", "birch")
        assert votes.outcome.tolist() == [pv.Outcome.TIE]
        assert votes.voter is None
        assert votes.weight is None

    def test_labels_are_text_as_it_stands(self):
        labels = ["1", " 1 ", "1.0", "NA", "null", "nan", "a,b", 'q"q', "x\ny", "x\ry", "å日本\u2028🙂", "\ufeffb"]
        lines = [f'"{label.replace(chr(34), 2 * chr(34))}",other,tie' for label in labels]
        assert read(HEADER + "\n".join(lines)).items == (labels[0], "other", *labels[1:])

    def test_columns_by_other_names(self):
        text = "a,b,winner,judge\nx,y,model_a,7\n"
        votes = read(text, left="a", right="b", outcome="winner", voter="judge", outcomes={"model_a": "left"})
        assert votes.voters == ("7",)
        assert votes.outcome.tolist() == [pv.Outcome.LEFT]

    def test_items_keep_the_order_asked_for(self):
        text = HEADER + "ash,birch,tie\n"
        assert read(text, items=(label for label in ["cedar", "birch", "ash"])).items == ("cedar", "birch", "ash")

    def test_a_header_alone_is_no_votes(self):
        assert len(read(HEADER)) == 0
        assert read("left,right,outcome,voter,weight").weight.shape == (0,)

    def test_missing_outcomes_can_be_skips(self):
        assert read(HEADER + "a,b,\n", outcomes={None: "skip"}).outcome.tolist() == [pv.Outcome.SKIP]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("", ["empty"]),
            (b"\xef\xbb\xbf", ["empty"]),
            ("\n\n", ["blank lines", "left,right,outcome"]),
            ("ash,birch,tie\n", ["no columns 'left', 'right', 'outcome'", "'ash', 'birch', 'tie'", "left="]),
            ("left,right\n", ["no column 'outcome'", "'left', 'right'", "outcome="]),
            ("left/right/outcome\n", ["no columns 'left', 'right', 'outcome'", "'left/right/outcome'"]),
            ("left,left,right,outcome\n", ["2 columns called 'left'", "rename"]),
            ("voter,left,right,outcome,voter\n", ["2 columns called 'voter'"]),
            (HEADER + "a,b,left\na,b\n", ["line 3", "2 cells", "header has 3"]),
            (HEADER + "a,b,left\n\n\na,b,left,x\n", ["line 5", "4 cells"]),
            (HEADER + "  \n", ["line 2", "1 cells"]),
            (HEADER + 'a,"b,left\n', ["line 2", "unexpected end", "quote"]),
            (HEADER + 'a,"b\n"c,left\n', ["line 2", "is not closed", "quote"]),
            (HEADER + f"a,b,left\n{'x' * 200_000},b,left\n", ["line 3", "field larger"]),
            (HEADER + f'a,b,left\n"{"x," * 100_000}",b,left\n', ["line 3", "field larger"]),
            (HEADER + "a,b,Left\n", ["outcome", "line 2", "'Left'", "outcomes="]),
            (HEADER + "a,b,1\n", ["outcome", "line 2", "'1'"]),
            (HEADER + "a,b,\n", ["outcome", "line 2", "missing"]),
            (HEADER + ",b,tie\n", ["left", "line 2", "missing"]),
            (HEADER + 'a,"",tie\n', ["right", "line 2", "missing"]),
            (HEADER + '"a\n",b,tie\n\nc,c,tie\n', ["line 5", "'c' against itself"]),
            ("left,right,outcome,weight\na,b,tie,1\na,b,tie,one\n", ["weight", "line 3", "'one'", "not a number"]),
            ("left,right,outcome,weight\na,b,tie,1_0\n", ["weight", "line 2", "'1_0'"]),
            ("left,right,outcome,weight\na,b,tie,\n", ["weight", "line 2", "missing"]),
            ("left,right,outcome,weight\na,b,tie,-1\n", ["weight", "line 2", "-1", "negative"]),
            ("left,right,outcome,weight\na,b,tie,inf\n", ["weight", "line 2", "finite"]),
            (HEADER.encode() + b"a,b,tie\na,\xe5,tie\n", ["UTF-8", "line 3", "0xe5", "position 29"]),
            (HEADER.encode() + b"a,\0,tie\n", ["NUL", "line 2"]),
            (HEADER.encode("utf-16")[:-1], ["utf-16-le", "line 1", "encoding"]),
            (b"PK\x03\x04\x14\0", ["zip", "cannot be unpacked"]),
            (b"\x1f\x8b\x08\0", ["gzip"]),
            (bytes(range(256)), ["line 1"]),
        ],
    )
    def test_refusals_say_where_and_what_to_do(self, content, words):
        with pytest.raises(pv.InputError) as caught:
            read(content)
        for word in words:
            assert word in str(caught.value)
        assert "\n" not in str(caught.value)


class TestTheTwoReadersOfCsv:
    def test_pyarrow_reads_what_is_large_and_plain(self, monkeypatch):
        pytest.importorskip("pyarrow")
        monkeypatch.setattr(_csv_cells, "_read_by_csv", None)
        arrow_from(monkeypatch, 30)
        assert len(read(HEADER + '"a ""b"", c",d,tie\n' * 3)) == 3
        with pytest.raises(TypeError, match="not callable"):
            read(HEADER + "a,b,tie\n")

    def test_they_agree_across_pyarrows_blocks(self, patching):
        pytest.importorskip("pyarrow")
        rng = np.random.default_rng(7)
        labels = [f'"item {code},\r\n{"é" * (code % 40)} ""quoted"""' for code in range(300)]
        left = rng.integers(300, size=25_000)
        right = (left + rng.integers(1, 300, size=25_000)) % 300
        lines = [
            f"{labels[a]},{labels[b]},{OUTCOMES[o]}"
            for a, b, o in zip(left, right, rng.integers(4, size=25_000), strict=True)
        ]
        text = HEADER + "\r\n".join(lines)
        assert len(text.encode()) > 2**21
        assert with_arrow(patching, text) == with_csv(patching, text)
        assert len(read(text)) == 25_000
        assert with_arrow(patching, text + "\na,b") == with_csv(patching, text + "\na,b")

    @pytest.mark.slow
    @settings(max_examples=300)
    @given(
        st.lists(st.lists(st.text('a,"\r\n é\ufeff', max_size=4), min_size=3, max_size=4), max_size=4),
        st.lists(st.booleans(), min_size=16, max_size=16),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.sampled_from(["", "\ufeff", "\ufeff\ufeff", "\n"]),
    )
    @example([['"', "b", "c"]], [False] * 16, "\n", "")
    def test_they_agree_on_cells_badly_and_well_quoted(self, patching, rows, quoted, newline, start):
        quoting = iter(quoted)
        lines = [
            ",".join(f'"{cell.replace(chr(34), 2 * chr(34))}"' if next(quoting) else cell for cell in row)
            for row in rows
        ]
        text = start + newline.join(["left,right,outcome", *lines])
        meanings = dict.fromkeys([None, *(row[2] for row in rows)], "tie")
        assert with_arrow(patching, text, outcomes=meanings) == with_csv(patching, text, outcomes=meanings)

    @settings(max_examples=300)
    @given(st.text('ab,"\r\n', max_size=40), st.sampled_from(['"left",right,outcome\n', "left,right,outcome"]))
    @example('\n"a"b,c,a', HEADER)
    @example('\na"b,c,a', HEADER)
    def test_they_agree_on_anything(self, patching, body, header):
        meanings = {None: "tie", "a": "left", "b": "right"}
        content = (header + body).encode()
        assert with_arrow(patching, content, outcomes=meanings) == with_csv(patching, content, outcomes=meanings)

    def test_they_agree_on_the_longest_cell(self, patching):
        limit = csv.field_size_limit()
        for length in (limit, limit + 1):
            for cell in ("x" * length, f'"{"x" * length}"', f'"{"," * length}"', f'"{chr(34) * 2 * length}"'):
                content = f"{HEADER}a,{cell},tie\n"
                assert with_arrow(patching, content) == with_csv(patching, content)


def line(**record):
    return json.dumps(record) + "\n"


VOTE = {"left": "ash", "right": "birch", "outcome": "tie"}


class TestJsonLines:
    def test_labels_keep_their_type(self):
        text = (
            line(**VOTE)
            + "\r\n  \n"
            + line(left=2, right="2", outcome="left", voter=7)
            + line(left=1.5, right=3, outcome="skip")
        )
        votes = read(text, "jsonl")
        assert votes.items == ("ash", "birch", 2, "2", 1.5, 3)
        assert votes.voter.tolist() == [-1, 0, -1]
        assert votes.voters == (7,)

    def test_bom_unicode_and_other_keys(self):
        text = '\ufeff{"left": "\\ud83d\\ude42", "note": [{}], "right": "å\u2028", "outcome": "tie"}'
        assert read(text, "jsonl").items == ("🙂", "å\u2028")

    def test_numbers_as_outcomes_need_a_meaning(self):
        text = line(left="a", right="b", outcome=1)
        assert read(text, "jsonl", outcomes={1: "left"}).outcome.tolist() == [pv.Outcome.LEFT]

    def test_weights(self):
        text = line(**VOTE, weight=2) + line(**VOTE, weight=0.5)
        assert read(text, "jsonl").weight.tolist() == [2.0, 0.5]

    def test_blank_lines_alone_are_no_votes(self):
        assert len(read("\n", "jsonl", voter="judge")) == 0

    @pytest.mark.parametrize(
        ("content", "options", "words"),
        [
            ("", {}, ["empty"]),
            (line(**VOTE) + "\n{", {}, ["line 3", "not JSON"]),
            ('{"left": "ash"} {}', {}, ["line 1", "not JSON", "one whole object"]),
            ("[]\n", {}, ["JSON and not JSON Lines", "format='json'"]),
            (line(**VOTE) + "[1, 2]\n", {}, ["line 2", "[1, 2]", "object"]),
            ("null\n", {}, ["line 1", "None"]),
            ('{"a":' * 100_000, {}, ["line 1", "nested"]),
            ('{"left": "a", "left": "b"}', {}, ["line 1", "'left'", "more than once"]),
            ('{"left": NaN, "right": "b", "outcome": "tie"}', {}, ["left", "line 1", "missing"]),
            ('{"left": -Infinity, "right": "b", "outcome": "tie"}', {}, ["left", "line 1", "-inf"]),
            ('{"left": 1e400, "right": "b", "outcome": "tie"}', {}, ["left", "line 1", "inf", "text"]),
            (line(left=1, right=True, outcome="tie"), {}, ["right", "line 1", "True", "one type"]),
            (
                line(left=0, right="b", outcome="tie") + line(left=False, right="b", outcome="tie"),
                {},
                ["left", "line 2"],
            ),
            ('{"left": 1' + "0" * 5000 + "}", {}, ["line 1", "digits"]),
            (line(left="a", right="b"), {}, ["stream", "'outcome'", "'left', 'right'"]),
            (line(**VOTE) + line(left="a", right="b"), {}, ["outcome", "line 2", "missing"]),
            (line(**VOTE), {"voter": "judge"}, ["'judge'", "'left', 'right', 'outcome'"]),
            ("\n" + line(left=["a", "b"], right="b", outcome="tie"), {}, ["left", "line 2", "['a', 'b']", "hashable"]),
            (line(left="a", right={}, outcome="tie"), {}, ["right", "line 1", "hashable"]),
            (line(left=None, right="b", outcome="tie"), {}, ["left", "line 1", "missing"]),
            (line(left="a", right="a", outcome="tie"), {}, ["line 1", "against itself"]),
            (line(left="a", right="b", outcome=1), {}, ["outcome", "line 1", "number 1"]),
            (line(left="a", right="b", outcome=None), {}, ["outcome", "line 1", "missing"]),
            (line(left="a", right="b", outcome=["left"] * 2), {}, ["outcome", "line 1", "['left', 'left']"]),
            (line(**VOTE, weight=1) + line(**VOTE), {}, ["weight", "line 2", "missing"]),
            (line(**VOTE, weight=None), {}, ["weight", "line 1", "missing"]),
            (line(**VOTE, weight="one"), {}, ["weight", "line 1", "'one'", "not a number"]),
            (line(**VOTE, weight=True), {}, ["weight", "line 1", "True"]),
            (line(**VOTE, weight=10**400), {}, ["weight", "line 1", "finite"]),
            ('{"left": "\\ud83d", "right": "b", "outcome": "tie"}', {}, ["left", "line 1", "surrogate"]),
            (b'{"left": "\xe5"}', {}, ["UTF-8", "line 1"]),
            (json.dumps(VOTE).encode("utf-16")[:-1], {}, ["utf-16-le", "line 1"]),
        ],
    )
    def test_refusals_say_where_and_what_to_do(self, content, options, words):
        with pytest.raises(pv.InputError) as caught:
            read(content, "jsonl", **options)
        for word in words:
            assert word in str(caught.value)
        assert "\n" not in str(caught.value)


class TestParquet:
    @pytest.fixture
    def parquet(self):
        pa = pytest.importorskip("pyarrow")
        pq = pytest.importorskip("pyarrow.parquet")

        def content(**columns):
            buffer = io.BytesIO()
            pq.write_table(pa.table(columns), buffer)
            return buffer.getvalue()

        return content

    def test_text_numbers_and_gaps(self, parquet):
        content = parquet(
            left=["ash", "ash"],
            right=["birch", ""],
            outcome=["tie", "left"],
            voter=[7, None],
            weight=[1, 2],
            note=[[], [1]],
        )
        votes = read(content, "parquet")
        assert votes.items == ("ash", "birch", "")
        assert votes.voters == (7,)
        assert votes.voter.tolist() == [0, -1]
        assert votes.weight.tolist() == [1.0, 2.0]

    def test_dictionaries_and_large_text(self, parquet):
        pa = pytest.importorskip("pyarrow")
        left = pa.array(["b", "a", "b"]).dictionary_encode()
        right = pa.array(["c", "c", "a"], pa.large_string())
        assert read(parquet(left=left, right=right, outcome=["tie"] * 3), "parquet").items == ("b", "c", "a")

    def test_several_row_groups_share_their_labels(self, tmp_path):
        pa = pytest.importorskip("pyarrow")
        pq = pytest.importorskip("pyarrow.parquet")
        left, right = [f"{row % 7}" for row in range(100)], [f"{row % 7 + 1}" for row in range(100)]
        pq.write_table(
            pa.table({"left": left, "right": right, "outcome": ["tie"] * 100}), tmp_path / "v.parquet", row_group_size=9
        )
        expected = pv.Votes.from_labels(left, right, ["tie"] * 100)
        assert as_plain(pv.read_votes(tmp_path / "v.parquet")) == as_plain(expected)

    def test_only_the_wanted_columns_are_read(self, parquet, monkeypatch):
        pq = pytest.importorskip("pyarrow.parquet")
        asked = []

        class Watched(pq.ParquetFile):
            def read(self, columns):
                asked.extend(columns)
                return super().read(columns=columns)

        monkeypatch.setattr(pq, "ParquetFile", Watched)
        read(parquet(note=["x"], left=["a"], right=["b"], outcome=["tie"], voter=["v"]), "parquet")
        assert sorted(asked) == ["left", "outcome", "right", "voter"]

    def test_a_name_with_a_dot_is_a_name(self, parquet):
        content = parquet(**{"a.b": ["x"], "a": [{"b": "z"}], "right": ["y"], "outcome": ["tie"]})
        assert read(content, "parquet", left="a.b").items == ("x", "y")

    def test_refusals(self, parquet, tmp_path):
        whole = parquet(left=["ash"], right=["ash"], outcome=["tie"])
        broken = tmp_path / "broken.parquet"
        broken.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(pv.InputError, match=r"broken\.parquet cannot be read as Parquet"):
            pv.read_votes(broken)
        with pytest.raises(pv.InputError, match="cannot be read as Parquet"):
            read(b"", "parquet")
        with broken.open(encoding="utf-8") as text, pytest.raises(pv.InputError, match="open it as bytes"):
            pv.read_votes(text)
        with pytest.raises(pv.InputError, match="row 0 of the stream has 'ash' against itself"):
            read(whole, "parquet")
        with pytest.raises(pv.InputError, match="no column 'voted'; its columns are 'left', 'right', 'outcome'"):
            read(whole, "parquet", outcome="voted")
        with pytest.raises(pv.InputError, match="not hashable"):
            read(parquet(left=[["ash"]], right=["ash"], outcome=["tie"]), "parquet")
        with pytest.raises(pv.InputError, match=r"there is no file .*none\.parquet"):
            pv.read_votes(tmp_path / "none.parquet")

    def test_without_pyarrow_the_extra_is_named(self, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(pv.InputError, match=r"pip install 'pairvote\[io\]'"):
            read(b"", "parquet")
        with pytest.raises(pv.InputError, match=r"pip install 'pairvote\[io\]'"):
            pv.write_votes(pv.Votes.from_wins(["a"], ["b"]), tmp_path / "votes.parquet")
        assert not list(tmp_path.iterdir())


class TestSources:
    TEXT = HEADER + "ash,birch,tie\n"

    def test_paths_and_open_files(self, tmp_path):
        path = tmp_path / "Röster.CSV"
        path.write_text(self.TEXT, encoding="utf-8")
        expected = as_plain(read(self.TEXT))
        with path.open(encoding="utf-8") as text, path.open("rb") as binary:
            sources = [path, str(path), text, binary]
            assert [as_plain(pv.read_votes(source)) for source in sources] == [expected] * 4
        assert as_plain(pv.read_votes(io.StringIO("\ufeff" + self.TEXT), format="csv")) == expected

    def test_the_format_can_be_named(self, tmp_path):
        path = tmp_path / "votes.txt"
        path.write_text(self.TEXT, encoding="utf-8")
        assert len(pv.read_votes(path, format="csv")) == 1

    @pytest.mark.parametrize(
        ("source", "options", "words"),
        [
            ("votes.txt", {}, ["no file votes.txt", "path"]),
            ("votes.csv", {"format": "tsv"}, ["'tsv'", "'csv', 'json', 'jsonl', 'parquet', 'arrow' or 'excel'"]),
            ("votes.csv", {"format": ["csv"]}, ["['csv']"]),
            ("none.csv", {}, ["no file none.csv", "path"]),
            ("", {}, ["name of the file is empty", "variable"]),
            (Path(""), {}, ["name of the file is empty", "'.'"]),
            ([], {}, ["empty list"]),
            (["", "x.csv"], {}, ["name of the file is empty"]),
            (["x.csv", 7], {}, ["list of paths"]),
            ("a\0.csv", {}, ["cannot be read"]),
            ("two\nlines.csv", {}, ["'two\\nlines.csv'"]),
            (b"votes.csv", {}, ["b'votes.csv'", "path"]),
            (7, {}, ["7", "path"]),
            (None, {}, ["None", "path"]),
            (io.StringIO(), {}, ["stream", "empty"]),
            (io.StringIO(), {"format": "csv"}, ["empty"]),
            (io.StringIO("\ud800"), {"format": "csv"}, ["UTF-8"]),
            (io.StringIO("x"), {"format": "csv", "left": 3}, ["left is 3", "name of a column"]),
        ],
    )
    def test_refusals(self, source, options, words):
        with pytest.raises(pv.InputError) as caught:
            pv.read_votes(source, **options)
        for word in words:
            assert word in str(caught.value)

    def test_an_operating_systems_error_is_kept_as_the_cause(self):
        with pytest.raises(pv.InputError) as caught:
            pv.read_votes("none.csv")
        assert isinstance(caught.value.__cause__, FileNotFoundError)

    def test_streams_that_fail(self, tmp_path):
        closed = io.BytesIO()
        closed.close()

        class Failing:
            def read(self):
                raise RuntimeError("the line went dead")

        class Silent:
            def read(self):
                return None

        with pytest.raises(pv.InputError, match="closed file"):
            pv.read_votes(closed, format="csv")
        with pytest.raises(pv.InputError, match="went dead"):
            pv.read_votes(Failing(), format="jsonl")
        with pytest.raises(pv.InputError, match="gave None"):
            pv.read_votes(Silent(), format="csv")
        path = tmp_path / "latin.csv"
        path.write_bytes(b"left,right,outcome\n\xe5,b,tie\n")
        with path.open(encoding="utf-8") as text, pytest.raises(pv.InputError, match=r"latin\.csv is not UTF-8"):
            pv.read_votes(text)


@st.composite
def votes_of(draw, labels):
    items = draw(st.lists(labels, min_size=2, max_size=4, unique=True))
    pairs = st.tuples(st.sampled_from(items), st.sampled_from(items)).filter(lambda pair: pair[0] != pair[1])
    rows = draw(st.lists(st.tuples(pairs, st.sampled_from(OUTCOMES)), max_size=6))

    def column(values):
        return draw(st.none() | st.lists(values, min_size=len(rows), max_size=len(rows)))

    return pv.Votes.from_labels(
        [pair[0] for pair, _ in rows],
        [pair[1] for pair, _ in rows],
        [outcome for _, outcome in rows],
        voter=column(st.none() | labels),
        weight=column(st.floats(0, 1e300)),
        criterion=column(st.none() | labels),
    )


def round_trip(votes, folder, name):
    path = folder / name
    pv.write_votes(votes, path)
    return pv.read_votes(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("votes")


class TestWriting:
    @given(votes_of(TEXT))
    def test_csv_gives_text_back_whichever_reads_it(self, folder, patching, votes):
        pv.write_votes(votes, folder / "votes.csv")
        content = (folder / "votes.csv").read_bytes()
        assert with_csv(patching, content) == as_plain(votes)
        assert with_arrow(patching, content) == as_plain(votes)

    @given(votes_of(st.integers(-(10**20), 10**20)))
    def test_csv_gives_numbers_back_as_text(self, folder, votes):
        again = as_plain(round_trip(votes, folder, "votes.csv"))
        assert again[:3] == tuple(tuple(map(str, labels)) for labels in as_plain(votes)[:3])
        assert again[3] == as_plain(votes)[3]

    @given(votes_of(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)))
    def test_json_lines_give_text_and_numbers_back(self, folder, votes):
        again = as_plain(round_trip(votes, folder, "votes.jsonl"))
        # A file without lines names no columns.
        assert again == as_plain(votes if len(votes) else pv.Votes.from_labels([], [], []))

    @given(votes_of(st.text()) | votes_of(st.integers(-(2**63), 2**63 - 1)))
    def test_parquet_gives_text_or_numbers_back(self, folder, votes):
        pytest.importorskip("pyarrow")
        assert as_plain(round_trip(votes, folder, "votes.parquet")) == as_plain(votes)

    @pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl"])
    def test_labels_of_numpy_are_written_as_pythons(self, tmp_path, name):
        votes = pv.Votes.from_labels([np.str_("ash")], [np.int64(3)], ["tie"])
        assert round_trip(votes, tmp_path, name).items == ("ash", "3" if name == "votes.csv" else 3)

    def test_items_without_votes_come_back_through_items(self, tmp_path):
        votes = pv.Votes.from_labels(["b"], ["a"], ["tie"], items=["a", ("odd",), "b"])
        pv.write_votes(votes, tmp_path / "votes.csv")
        assert as_plain(pv.read_votes(tmp_path / "votes.csv", items=votes.items)) == as_plain(votes)

    @pytest.mark.parametrize(
        ("labels", "name", "words"),
        [
            ([1, "1"], "votes.csv", ["1 and '1'", "alike", ".jsonl"]),
            (["", "a"], "votes.csv", ["item ''", "missing", ".jsonl"]),
            (["a\0", "a"], "votes.csv", ["NUL", ".jsonl"]),
            ([1.5, "a"], "votes.csv", ["1.5", ".jsonl"]),
            ([True, "a"], "votes.csv", ["True"]),
            ([("a",), "a"], "votes.csv", ["('a',)"]),
            (["x" * 200_000, "a"], "votes.csv", ["131,072 characters"]),
            (["\ud800", "a"], "votes.csv", ["surrogate"]),
            (["\ud800", "a"], "votes.jsonl", ["surrogate"]),
            (["\ud800", "a"], "votes.parquet", ["item labels"]),
            ([("a",), "a"], "votes.jsonl", ["('a',)", "text or a number"]),
            ([float("inf"), "a"], "votes.jsonl", ["inf"]),
            ([10**5000, "a"], "votes.jsonl", ["digits"]),
            ([1, "a"], "votes.parquet", ["all text or all whole numbers", ".jsonl"]),
            ([1.5, 2.5], "votes.parquet", ["[1.5, 2.5]"]),
            ([2**63, 1], "votes.parquet", ["item labels"]),
        ],
    )
    def test_labels_that_would_not_come_back_are_refused(self, tmp_path, labels, name, words):
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow")
        path = tmp_path / name
        path.write_text("the old file", encoding="utf-8")
        with pytest.raises(pv.InputError) as caught:
            pv.write_votes(pv.Votes.from_labels(labels[:1], labels[1:], ["tie"]), path)
        for word in words:
            assert word in str(caught.value)
        assert path.read_text(encoding="utf-8") == "the old file"
        assert list(tmp_path.iterdir()) == [path]

    def test_an_unknown_voter_with_an_empty_name_is_refused(self, tmp_path):
        votes = pv.Votes.from_records([("a", "b", "tie", "")])
        with pytest.raises(pv.InputError, match="voter ''"):
            pv.write_votes(votes, tmp_path / "votes.csv")

    def test_a_failure_half_way_leaves_the_old_file(self, tmp_path, monkeypatch):
        path = tmp_path / "votes.jsonl"
        votes = pv.Votes.from_wins(["a"], ["b"])
        pv.write_votes(votes, path)
        before = path.read_bytes()

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(pv.InputError, match="No space left"):
            pv.write_votes(votes + votes, path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.skipif(os.name != "posix", reason="permissions and links are of POSIX")
    def test_the_new_file_keeps_the_old_ones_permissions_and_links(self, tmp_path):
        path, link = tmp_path / "votes.csv", tmp_path / "link.csv"
        path.touch()
        path.chmod(0o640)
        link.symlink_to(path)
        pv.write_votes(pv.Votes.from_wins(["a"], ["b"]), link)
        assert link.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o640
        assert len(pv.read_votes(path)) == 1

    @pytest.mark.parametrize(
        ("path", "options", "words"),
        [
            ("votes.txt", {}, ["'.txt'", "format="]),
            ("votes.csv", {"format": "xml"}, ["'xml'"]),
            (io.StringIO(), {"format": "csv"}, ["path"]),
            (Path("no such folder") / "votes.csv", {}, ["cannot be written", "folder"]),
            (".", {"format": "csv"}, ["directory"]),
            (os.devnull, {"format": "csv"}, ["not a regular file"]),
            ("a\0.csv", {}, ["cannot be written"]),
            ("a" * 300 + ".csv", {}, ["cannot be written"]),
        ],
    )
    def test_paths_that_cannot_be_written(self, path, options, words):
        with pytest.raises(pv.InputError) as caught:
            pv.write_votes(pv.Votes.from_wins(["a"], ["b"]), path, **options)
        for word in words:
            assert word in str(caught.value)

    def test_only_votes_are_written(self, tmp_path):
        with pytest.raises(pv.InputError, match="pass Votes"):
            pv.write_votes([("a", "b", "left")], tmp_path / "votes.csv")
