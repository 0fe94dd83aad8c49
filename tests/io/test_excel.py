"""A sheet of Excel gives the votes that it shows, and messages give its own numbers of rows."""

from __future__ import annotations

import datetime
import io
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbooks import open_document, workbook

import pairvote as pv
from pairvote.io._formats import FORMATS
from pairvote.io._how import How
from pairvote.io._source import Source
from pairvote.votes._wanted import AllColumns

pytest.importorskip("python_calamine")

HEADER = ["left", "right", "outcome"]
ROWS = [["ash", "birch", "left"], ["birch", "cedar", "tie"], ["cedar", "ash", "right"]]
DAY = datetime.datetime(2026, 11, 27, 18, 30)


def read(content, **options):
    return pv.read_votes(io.BytesIO(content), **options)


def message_of(action):
    with pytest.raises(pv.InputError) as caught:
        action()
    return str(caught.value)


def scanned(path, **options):
    return [vote for votes in pv.scan_votes(path, **options) for vote in zip(*votes.to_columns().values(), strict=True)]


class TestCells:
    def test_the_columns_become_votes(self, tmp_path):
        path = tmp_path / "votes.xlsx"
        path.write_bytes(workbook({"Votes": [HEADER, *ROWS]}))
        expected = pv.Votes.from_records([tuple(row) for row in ROWS])
        assert pv.read_votes(path).to_columns() == expected.to_columns()
        assert scanned(path) == [tuple(row) for row in ROWS]
        assert pv.count_pairs(pv.scan_votes(path)).total == 3

    def test_an_open_document(self, tmp_path):
        rows = [HEADER, [1, 4, "left"], [None, None, None], [2.5, 3, "tie"], [7, 1, "won"]]
        path = tmp_path / "votes.ods"
        path.write_bytes(open_document({"Votes": rows[:-1]}))
        assert scanned(path) == [(1, 4, "left"), (2.5, 3, "tie")]
        path.write_bytes(open_document({"Votes": rows}))
        assert f"outcome at row 5 of sheet 'Votes' of {path} is 'won'" in message_of(lambda: pv.read_votes(path))

    def test_types(self):
        content = workbook(
            {
                "Sheet1": [
                    [*HEADER, "voter", "weight", "criterion"],
                    [1, 2, True, DAY, 0.5, "new"],
                    [2, 3.5, False, None, 2, None],
                    [3, 1, True, DAY, 1, "new"],
                ]
            }
        )
        votes = read(content, outcomes={True: "left", False: "right"})
        assert votes.items == (1, 2, 3.5, 3)
        assert list(map(type, votes.items)) == [int, int, float, int]
        assert votes.outcome.tolist() == [2, 0, 2]
        assert votes.voters == (DAY,)
        assert votes.voter.tolist() == [0, -1, 0]
        assert votes.weight.tolist() == [0.5, 2, 1]
        assert votes.to_columns()["criterion"] == ["new", None, "new"]

    def test_numbers_are_not_taken_for_booleans(self):
        for first, second in ((1, True), (False, 0)):
            content = workbook({"a": [HEADER, [first, "x", "left"], ["y", second, "left"]]})
            message = message_of(lambda content=content: read(content))
            assert message.startswith(f"right at row 3 of sheet 'a' of the stream is {second!r}, which is")

    def test_cells_that_mean_a_missing_value(self):
        content = workbook({"a": [[*HEADER, "voter"], [*ROWS[0], "NA"], [*ROWS[1], "bo"], [*ROWS[2], "#N/A"]]})
        assert read(content, na="NA").to_columns()["voter"] == [None, "bo", None]

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            (["ash", None, "left"], "right at row 7 of sheet 'Votes' of the stream is missing"),
            (["ash", "ash", "left"], "row 7 of sheet 'Votes' of the stream has 'ash' against itself"),
            (["ash", "birch", "won"], "outcome at row 7 of sheet 'Votes' of the stream is 'won'"),
            (["ash", "birch", 1], "outcome at row 7 of sheet 'Votes' of the stream is the number 1"),
        ],
    )
    def test_rows_have_the_numbers_that_excel_shows(self, tmp_path, row, words):
        rows = [[], ["Our votes of May"], [], HEADER, [None, None, None], ROWS[0], row, [], ROWS[1]]
        content = workbook({"Votes": rows})
        options = {"skip_lines": 3}
        assert words in message_of(lambda: read(content, **options))
        path = tmp_path / "a.xlsx"
        path.write_bytes(content)
        assert words.replace("the stream", str(path)) in message_of(lambda: scanned(path, **options))
        with pytest.warns(UserWarning, match="1 row skipped"):
            votes = read(content, **options, bad_rows="skip")
        assert votes.to_columns()["left"] == ["ash", "birch"]

    def test_a_table_that_begins_further_on(self):
        rows = [[], [], [None, None, *HEADER, "note"], *([None, None, *row] for row in ROWS)]
        assert read(workbook({"a": rows})).to_columns()["right"] == ["birch", "cedar", "ash"]

    def test_columns_by_number(self):
        votes = read(workbook({"a": ROWS}), header=False, left="1", right="2", outcome="3")
        assert votes.to_columns()["left"] == ["ash", "birch", "cedar"]

    def test_a_column_that_lacks(self):
        message = message_of(lambda: read(workbook({"a": [["left", 2019, None], ["x", 1, 2]]})))
        assert "sheet 'a' of the stream has no columns 'right', 'outcome'" in message
        assert "'2019'" in message

    def test_a_header_alone_is_no_votes(self, tmp_path):
        (tmp_path / "a.xlsx").write_bytes(workbook({"a": [HEADER]}))
        assert len(pv.read_votes(tmp_path / "a.xlsx")) == 0
        assert scanned(tmp_path / "a.xlsx") == []


class TestSheets:
    BOOK = workbook({"Notes": [], "Old": [HEADER, ROWS[0]], "Votes": [HEADER, *ROWS], "7": [HEADER, ROWS[1]]})

    def test_the_sheet_is_named_where_several_have_cells(self):
        message = message_of(lambda: read(self.BOOK))
        assert message.startswith("the stream has 3 sheets with cells; ")
        assert "sheet=" in message
        assert "'Old', 'Votes', '7'" in message
        for sheet, n_votes in (("Votes", 3), (3, 3), ("3", 3), ("Old", 1), (2, 1), ("7", 1)):
            assert len(read(self.BOOK, sheet=sheet)) == n_votes

    @pytest.mark.parametrize("sheet", ["votes", 9, "9", "Notes", 1])
    def test_sheets_that_cannot_be_read(self, sheet):
        message = message_of(lambda: read(self.BOOK, sheet=sheet))
        assert "'Notes' of the stream has no cells" in message if sheet in ("Notes", 1) else "'Votes'" in message

    def test_the_only_sheet_with_cells_is_read_and_said(self):
        book = workbook({"Notes": [], "Votes": [HEADER, *ROWS], "Lists": [["x"]]}, hidden=["Lists"])
        how = How()
        FORMATS["excel"].read(Source.of(io.BytesIO(book)), AllColumns(), how)
        assert list(how.report.remarks) == ["sheet 'Votes' of the stream was read, the only one that shows cells"]
        assert len(read(book)) == 3
        assert "'Lists'" in message_of(lambda: read(book, sheet="Lists"))

    def test_a_workbook_without_cells(self):
        assert "no sheet with cells" in message_of(lambda: read(workbook({"Votes": []})))


class TestRefusals:
    def test_what_is_no_workbook(self, tmp_path):
        path = tmp_path / "a.xlsx"
        path.write_text("left,right,outcome\nash,birch,tie\n")
        assert len(pv.read_votes(path)) == 1
        assert "cannot be read as a workbook" in message_of(lambda: pv.read_votes(path, format="excel"))
        with path.open(encoding="utf-8") as text:
            assert "open it as bytes" in message_of(lambda: pv.read_votes(text))
        path.write_bytes(workbook({"a": [HEADER, *ROWS]}))
        assert "is Excel and not CSV" in message_of(lambda: pv.read_votes(path, format="csv"))
        (tmp_path / "a.csv").write_bytes(path.read_bytes())
        assert len(pv.read_votes(tmp_path / "a.csv")) == 3

    def test_it_is_not_written(self, tmp_path):
        votes = pv.Votes.from_records([("a", "b", "tie")])
        for path, format in ((tmp_path / "a.xlsx", None), (tmp_path / "a", "excel")):
            message = message_of(lambda path=path, format=format: pv.write_votes(votes, path, format=format))
            assert "'csv', 'jsonl' or 'parquet'" in message
        assert not list(tmp_path.iterdir())

    def test_without_calamine_the_extra_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "python_calamine", None)
        message = message_of(lambda: read(TestSheets.BOOK))
        assert "Excel needs python-calamine" in message
        assert "pip install 'pairvote[excel]'" in message

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_broken_workbooks_only_raise_input_errors(self, data):
        content = bytearray(workbook({"a": [HEADER, *ROWS]}))
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(content)))
        for broken in (bytes(content), bytes(content[:cut])):
            try:
                read(broken, format="excel")
            except pv.InputError:
                continue
