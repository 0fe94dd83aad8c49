"""JSON in every layout gives the votes that it holds, whatever the size of the blocks it is read in."""

from __future__ import annotations

import io
import json
import tracemalloc
from dataclasses import replace
from functools import partial
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote.io._file_format import Part, Reading
from pairvote.io._formats import FORMATS, format_of
from pairvote.io._how import How
from pairvote.io._json_values import document_blocks, line_blocks
from pairvote.votes._wanted import AllColumns

RECORDS = [
    {"left": "ash", "right": "birch", "outcome": "left", "voter": "åsa"},
    {"left": "birch", "right": "日本🙂", "outcome": "tie", "voter": None},
    {"left": "日本🙂", "right": "ash", "outcome": "right", "voter": "bo"},
    {"left": "ash", "right": "日本🙂", "outcome": "skip", "voter": "åsa"},
]
NAMES = list(RECORDS[0])
ROWS = [[record[name] for name in NAMES] for record in RECORDS]
COLUMNS = {name: [record[name] for record in RECORDS] for name in NAMES}
KEYED = {f"-M{place}x": record for place, record in enumerate(RECORDS)}


def dumped(value, **options):
    return json.dumps(value, ensure_ascii=False, **options)


LAYOUTS = {
    "lines": "".join(dumped(record) + "\n" for record in RECORDS),
    "lines without an end": "\n\n".join(map(dumped, RECORDS)),
    "array": dumped(RECORDS),
    "escaped": json.dumps(RECORDS),
    "indented array": dumped(RECORDS, indent=2),
    "array of an entry a line": "[\n" + ",\n".join(map(dumped, RECORDS)) + "\n]\n",
    "objects one after the other": "\n".join(dumped(record, indent=1) for record in RECORDS),
    "two arrays": dumped(RECORDS[:1]) + "\n" + dumped(RECORDS[1:]),
    "columns": dumped(COLUMNS),
    "columns of pandas": dumped(
        {name: {str(row): value for row, value in enumerate(c)} for name, c in COLUMNS.items()}
    ),
    "rows of pandas": dumped({str(row): record for row, record in enumerate(RECORDS)}),
    "split of pandas": dumped({"columns": NAMES, "index": [0, 1, 2, 3], "data": ROWS}),
    "table of pandas": dumped({"schema": {"fields": [{"name": "left"}], "primaryKey": ["index"]}, "data": RECORDS}),
    "by keys": dumped(KEYED),
    "within an object": dumped({"poll": "trees", "n": 4, "votes": RECORDS, "tags": ["a", "b"]}, indent=1),
    "named rows": dumped([NAMES, *ROWS]),
    "with a mark": "\ufeff" + dumped(RECORDS),
}
EXPECTED = pv.Votes.from_records([tuple(row) for row in ROWS])


def as_plain(votes):
    arrays = (votes.left, votes.right, votes.outcome, votes.voter, votes.weight, votes.criterion)
    columns = [None if array is None else array.tolist() for array in arrays]
    return votes.items, votes.voters, votes.criteria, columns


def read(text, format=None, **options):
    content = text.encode() if isinstance(text, str) else text
    return pv.read_votes(io.BytesIO(content), format=format, **options)


def message_of(action):
    with pytest.raises(pv.InputError) as caught:
        action()
    assert "\n" not in caught.value.problem
    return str(caught.value)


@pytest.fixture(params=[1, 7, 64, 10**6])
def n_bytes(request, monkeypatch):
    """The sizes of blocks, each of which the formats are set to."""
    for name in ("json", "jsonl"):
        ours = FORMATS[name]
        scan, whole = (partial(function, block_bytes=request.param) for function in (ours.scan, ours.read))
        monkeypatch.setitem(FORMATS, name, replace(ours, scan=scan, read=whole))
    return request.param


class TestLayouts:
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_all_hold_the_same_votes(self, tmp_path, layout, n_bytes):
        path = tmp_path / "votes.json"
        path.write_text(LAYOUTS[layout], encoding="utf-8")
        assert as_plain(pv.read_votes(path)) == as_plain(EXPECTED)
        assert as_plain(read(LAYOUTS[layout])) == as_plain(EXPECTED)
        (votes,) = pv.scan_votes(path)
        assert as_plain(votes) == as_plain(EXPECTED)

    def test_rows_without_names(self, tmp_path, n_bytes):
        options = {"header": False, "left": "1", "right": "2", "outcome": "3", "voter": "4"}
        assert as_plain(read(dumped(ROWS), **options)) == as_plain(EXPECTED)
        assert "begins with" in message_of(lambda: read("[[1, 2], [3, 4]]"))
        assert "'1', '2'" in message_of(lambda: read("[[1, 2], [3, 4]]", header=False))

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
    @pytest.mark.parametrize("layout", ["array", "indented array", "lines", "columns"])
    def test_encodings(self, tmp_path, layout, encoding):
        (tmp_path / "votes.json").write_bytes(LAYOUTS[layout].encode(encoding))
        assert as_plain(pv.read_votes(tmp_path / "votes.json")) == as_plain(EXPECTED)
        (votes,) = pv.scan_votes(tmp_path / "votes.json")
        assert as_plain(votes) == as_plain(EXPECTED)

    @pytest.mark.parametrize("text", ["[]", "[ ]\n", "\n", '{"votes": []}'])
    def test_no_votes(self, text):
        format = "json" if text != "\n" else "jsonl"
        if text.startswith("{"):
            assert "no column" in message_of(lambda: read(text, format))
        else:
            assert len(read(text, format)) == 0

    def test_a_single_vote(self):
        for text in (dumped(RECORDS[0]), dumped(RECORDS[0], indent=1), dumped(RECORDS[:1])):
            assert as_plain(read(text)) == as_plain(pv.Votes.from_records([tuple(ROWS[0])]))
            assert as_plain(read(text, "json")) == as_plain(pv.Votes.from_records([tuple(ROWS[0])]))

    def test_several_lists_are_told_apart_by_their_names(self):
        document = dumped({"old": RECORDS[:1], "new": RECORDS[1:]})
        message = message_of(lambda: read(document))
        assert "several lists of objects, 'old', 'new'" in message
        assert "left='old.left'" in message
        votes = read(document, left="new.left", right="new.right", outcome="new.outcome", voter="new.voter")
        assert as_plain(votes) == as_plain(pv.Votes.from_records([tuple(row) for row in ROWS[1:]]))

    def test_what_the_first_bytes_show(self):
        kinds = {
            '{"a": 1}\n{"a": 2}\n': "jsonl",
            '{"a": 1}': "json",
            '{"a": 1}\n': "json",
            '{\n "a": 1}': "json",
            '\n\n [ {"a"': "json",
            "[]": "json",
            '[["a"]]': "json",
            "{}\n{}\n": "jsonl",
            "[1, 2]\n": "csv",
            "{left},right\n": "csv",
            "left,right\n": "csv",
        }
        for text, name in kinds.items():
            assert format_of(None, "", "x", text.encode()).name == name, text
        assert format_of(None, ".jsonl", "x", b'{"a": 1}\n').name == "jsonl"
        assert format_of(None, ".csv", "x", b'{"a": 1}\n').name == "json"


class TestNested:
    def test_names_with_dots(self, tmp_path, n_bytes):
        records = [
            {
                "pair": {"a": {"id": r["left"]}, "b.id": r["right"]},
                "picked": [r["outcome"]],
                "who": {"voter": r["voter"]},
            }
            for r in RECORDS
        ]
        options = {"left": "pair.a.id", "right": "pair.b.id", "outcome": "picked", "voter": "who.voter"}
        for text in (dumped(records), "".join(dumped(record) + "\n" for record in records)):
            assert as_plain(read(text, **options)) == as_plain(EXPECTED)
            (tmp_path / "votes.json").write_text(text, encoding="utf-8")
            (votes,) = pv.scan_votes(tmp_path / "votes.json", **options)
            assert as_plain(votes) == as_plain(EXPECTED)
        message = message_of(lambda: read(dumped(records)))
        for name in ("'pair.a.id'", "'pair.b.id'", "'picked'", "'who.voter'"):
            assert name in message

    def test_a_name_that_can_be_read_in_two_ways_is_refused(self):
        record = {"a": {"b": "ash"}, "a.b": "elm", "right": "birch", "outcome": "tie"}
        assert "2 columns called 'a.b'" in message_of(lambda: read(dumped([record]), left="a.b"))

    def test_an_export_of_label_studio(self, tmp_path, n_bytes):
        def task(left, right, *annotations):
            return {
                "id": 7,
                "data": {"model_a": left, "model_b": right, "prompt": "…"},
                "annotations": [
                    {
                        "id": 1,
                        "completed_by": who,
                        "result": [
                            {"type": "choices", "from_name": "best", "value": {"choices": [picked]}},
                            {"type": "textarea", "from_name": "why", "value": {"text": ["because", "so"]}},
                        ],
                    }
                    if picked
                    else {"id": 2, "completed_by": who, "result": []}
                    for who, picked in annotations
                ],
                "predictions": [],
                "meta": {},
            }

        tasks = [
            task("ash", "birch", (1, "left"), (2, "right")),
            task("birch", "cedar", (1, "tie"), (3, None)),
            task("ash", "cedar"),
            task("cedar", "ash", (3, "left")),
        ]
        options = {
            "left": "data.model_a",
            "right": "data.model_b",
            "outcome": "annotations.result.value.choices",
            "voter": "annotations.completed_by",
        }
        expected = pv.Votes.from_records(
            [
                ("ash", "birch", "left", 1),
                ("ash", "birch", "right", 2),
                ("birch", "cedar", "tie", 1),
                ("cedar", "ash", "left", 3),
            ]
        )
        (tmp_path / "export.json").write_text(dumped(tasks, indent=1), encoding="utf-8")
        assert as_plain(pv.read_votes(tmp_path / "export.json", **options)) == as_plain(expected)
        scan = pv.scan_votes(tmp_path / "export.json", **options)
        (votes,) = scan
        assert as_plain(votes) == as_plain(expected)
        # A task without annotations gives no vote, and neither does an annotation without a result; the first is told.
        assert any("1 record" in remark for remark in scan.report.remarks)

    def test_annotations_of_alpaca_eval(self):
        annotations = [
            {
                "instruction": "…",
                "generator_1": "ash",
                "generator_2": "birch",
                "preference": 1.0,
                "price": float("nan"),
            },
            {"instruction": "…", "generator_1": "ash", "generator_2": "cedar", "preference": 2.0, "price": 0.1},
            {"instruction": "…", "generator_1": "ash", "generator_2": "birch", "preference": 1.5, "price": 0.1},
            {"instruction": "…", "generator_1": "ash", "generator_2": "birch", "preference": None, "price": 0.1},
        ]
        votes = read(
            json.dumps(annotations, indent=4),
            left="generator_1",
            right="generator_2",
            outcome="preference",
            outcomes={1: "left", 2: "right", 1.5: "tie", None: "skip"},
        )
        assert votes.outcome.tolist() == [pv.Outcome.LEFT, pv.Outcome.RIGHT, pv.Outcome.TIE, pv.Outcome.SKIP]

    def test_a_list_gives_a_row_for_each_entry(self):
        ballots = [
            {"who": "anna", "votes": RECORDS[:2]},
            {"who": "bo", "votes": RECORDS[2:]},
            {"who": "cy", "votes": []},
        ]
        options = {side: f"votes.{side}" for side in ("left", "right", "outcome")}
        votes = read(dumped(ballots), **options, voter="who")
        assert votes.to_columns()["voter"] == ["anna", "anna", "bo", "bo"]
        assert votes.to_columns()["left"] == [record["left"] for record in RECORDS]

    def test_two_lists_of_one_record_are_refused(self):
        record = {"votes": RECORDS[:2], "judges": [{"name": "anna"}, {"name": "bo"}]}
        options = {side: f"votes.{side}" for side in ("left", "right", "outcome")}
        message = message_of(lambda: read(dumped([record]), **options, voter="judges.name"))
        assert message.startswith("record 1 (line 1) of the stream has several entries both in 'votes' and in 'judges'")
        record["judges"] = record["judges"][:1]
        assert read(dumped([record]), **options, voter="judges.name").voters == ("anna",)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.recursive(
                st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), min_size=1),
                lambda below: st.dictionaries(st.sampled_from("abc"), below | st.integers(0, 3), min_size=1),
                max_leaves=6,
            ),
            max_size=6,
        ),
        st.integers(1, 40),
    )
    def test_any_objects_are_flattened(self, notes, n_bytes):
        """Every leaf is found under its path, and nothing else is."""

        def leaves(value, path=""):
            if not isinstance(value, dict):
                return {path: value}
            return {
                name: leaf
                for key, below in value.items()
                for name, leaf in leaves(below, f"{path}.{key}" if path else key).items()
            }

        records = [{"left": "x", "right": "y", "outcome": "tie", "note": note} for note in notes]
        flat = [leaves({"note": note}) for note in notes]
        reader = partial(FORMATS["json"].read, block_bytes=n_bytes)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(FORMATS, "json", replace(FORMATS["json"], read=reader))
            for name in {name for record in flat for name in record}:
                if any(path.startswith(f"{name}.") for record in flat for path in record):
                    assert "not hashable" in message_of(lambda name=name: read(dumped(records), "json", voter=name))
                    continue
                voter = [record.get(name) for record in flat]
                votes = read(dumped(records), "json", voter=name)
                assert votes.to_columns()["voter"] == voter
            if notes:
                assert "'note.z'" in message_of(lambda: read(dumped(records), "json", voter="note.z"))


class TestTypes:
    def test_booleans_as_outcomes(self):
        records = [{**record, "outcome": place % 2 == 0} for place, record in enumerate(RECORDS)]
        votes = read(dumped(records), outcomes={True: "left", False: "right"})
        assert votes.outcome.tolist() == [2, 0, 2, 0]

    @pytest.mark.parametrize("rows", [(1, True), (True, 1), (0, False), (0.0, False)])
    def test_numbers_are_not_taken_for_booleans(self, tmp_path, rows, n_bytes):
        text = dumped([{"left": label, "right": "z", "outcome": "left"} for label in rows])
        message = message_of(lambda: read(text))
        assert message.startswith("left at record 2 (line 1) of the stream is " + repr(rows[1]))
        (tmp_path / "a.json").write_text(text)
        assert "one type" in message_of(lambda: list(pv.scan_votes(tmp_path / "a.json")))
        text = dumped([{"left": rows[0], "right": rows[1], "outcome": "left"}])
        assert "right at record 1" in message_of(lambda: read(text))
        text = dumped([{**RECORDS[0], "outcome": label} for label in rows])
        assert "outcome at record 2" in message_of(lambda: read(text, outcomes={True: "left", 0: "right"}))

    def test_na(self):
        records = [*RECORDS, {**RECORDS[0], "voter": "NA", "outcome": "?"}]
        votes = read(dumped(records), na=["NA", "?"], outcomes={None: "skip"})
        assert votes.to_columns()["voter"][-1] is None
        assert votes.outcome[-1] == pv.Outcome.SKIP

    def test_a_key_that_is_lacking_is_a_missing_value(self, n_bytes):
        lacking = [{key: value for key, value in record.items() if value is not None} for record in RECORDS]
        assert as_plain(read(dumped(lacking))) == as_plain(EXPECTED)
        lacking[1].pop("outcome")
        assert "outcome at record 2 (line 1) of the stream is missing" in message_of(lambda: read(dumped(lacking)))

    def test_a_column_that_comes_late_is_read(self, tmp_path, n_bytes):
        late = [{key: record[key] for key in NAMES[:3]} for record in RECORDS] + RECORDS
        for text in (dumped(late), "".join(dumped(record) + "\n" for record in late)):
            (tmp_path / "a.json").write_text(text)
            votes = [pv.read_votes(tmp_path / "a.json"), *pv.scan_votes(tmp_path / "a.json")]
            for each in votes:
                assert each.to_columns()["voter"] == [None] * 4 + COLUMNS["voter"]
            weighted = text.replace("voter", "weight").replace('"åsa"', "2").replace('"bo"', "3").replace("null", "1")
            (tmp_path / "a.json").write_text(weighted)
            for action in (
                lambda: pv.read_votes(tmp_path / "a.json"),
                lambda: list(pv.scan_votes(tmp_path / "a.json")),
            ):
                assert "weight" in message_of(action)

    def test_columns_are_looked_for_when_there_are_new_ones(self, tmp_path):
        asked = []

        class Watched(AllColumns):
            def found_in(self, columns, file):
                asked.append(len(columns))
                raise pv.InputError(f"{file} lacks a column")

        lines = "".join(dumped({"a": 1, **({"b": 2} if number > 500 else {})}) + "\n" for number in range(1000))
        (tmp_path / "a.jsonl").write_text(lines)
        part = Part("a.jsonl", FORMATS["jsonl"], tmp_path / "a.jsonl")
        with pytest.raises(pv.InputError, match="lacks a column"):
            list(FORMATS["jsonl"].scan([part], Reading(Watched()), block_bytes=1))
        assert asked == [1, 2, 2]


class TestBroken:
    @pytest.mark.parametrize("layout", ["array", "indented array", "within an object", "columns", "split of pandas"])
    def test_a_document_that_was_cut_is_refused_wherever(self, layout):
        content = LAYOUTS[layout].rstrip().encode()
        for length in range(len(content)):
            message_of(lambda length=length: read(content[:length], "json" if content[:length].strip() else None))

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('[\n{"left": "a"}\n{"left": "b"}]', "line 3 of the stream is not JSON (a comma or the end of the array"),
            ('[\n{"left": "a"},\n]', "line 3 of the stream is not JSON (Expecting value at character 1)"),
            ('[{"left": "a"}] x', "line 1 of the stream is not JSON (Expecting value at character 17)"),
            ('[{"left": 1, "right": tru}]', "line 1 of the stream is not JSON"),
            ("[\n\n 7]", "record 1 (line 3) of the stream is 7"),
            ('[{"left": "a"}, null]', "record 2 (line 1) of the stream is None"),
            ('[\n{"a": 1, "a": 2}]', "record 1 (line 2) of the stream has the key 'a' more than once"),
            ('[["left", "right"], ["a"]]', "record 1 (line 1) of the stream has 1 cells and the first row has 2"),
            ('[["left", "left"], ["a", "b"]]', "line 1 of the stream begins with ['left', 'left']"),
            ('{"left": ["a", "b"], "right": ["b"], "outcome": ["tie"]}', "2 entries in 'left' and 1 in 'right'"),
            ('{"left": "a", "left": "b"}', "record 1 (line 1) of the stream has the key 'left' more than once"),
            ('{"a": {"left": "a", "left": "b"}, "right": "c", "outcome": "tie"}', "has the key 'left' more than once"),
            ("[" * 100_000, "nested too deeply"),
            ('[{"left": 1' + "0" * 5000 + "}]", "digits"),
            ('[{"left": "\\ud83d", "right": "b", "outcome": "tie"}]', "surrogate"),
            ('[{"left": "a\x00"}]', "NUL"),
            (b'[{"left": "\xe5"}]', "not UTF-8 at line 1 (byte 0xe5 at position 11)"),
        ],
    )
    def test_refusals_say_where(self, text, words, n_bytes):
        options = {"left": "a.left"} if '"a": {' in str(text) else {}
        assert words in message_of(lambda: read(text, "json", **options))

    def test_bad_records_are_skipped_on_request(self, tmp_path, n_bytes):
        bad = [7, None, {**RECORDS[0], "left": ["a", "b"]}, {**RECORDS[0], "right": "ash"}]
        mixed = [RECORDS[0], *bad[:2], RECORDS[1], RECORDS[2], *bad[2:], RECORDS[3]]
        text = dumped(mixed).replace('{"left"', '{"twice": 1, "twice": 2, "left"', 1)[:-1] + f", {dumped(RECORDS[0])}]"
        expected = pv.Votes.from_records([tuple(row) for row in (*ROWS[1:], ROWS[0])])
        with pytest.warns(UserWarning, match="5 rows skipped") as caught:
            votes = read(text, bad_rows="skip")
        assert as_plain(votes) == as_plain(expected)
        assert "record 1 (line 1) of the stream has the key 'twice' more than once" in str(caught[0].message)
        (tmp_path / "a.json").write_text(text)
        with pytest.warns(UserWarning, match="5 rows skipped"):
            (votes,) = pv.scan_votes(tmp_path / "a.json", bad_rows="skip")
        assert as_plain(votes) == as_plain(expected)

    @pytest.mark.parametrize("halves", [('{"a": [{"left": "x"}', '{"b": 1}]}'), ('{"left": "a"', '"right": "b"}')])
    def test_lines_that_make_up_for_each_other(self, halves):
        """As one array these would be as many records as there are lines."""
        lines = [dumped(RECORDS[0]), f"{dumped(RECORDS[0])}, {dumped(RECORDS[1])}", *halves]
        assert "line 2 of the stream is not JSON (Extra data" in message_of(lambda: read("\n".join(lines), "jsonl"))

    def test_broken_lines_are_skipped_on_request(self):
        lines = LAYOUTS["lines"].splitlines()
        with pytest.warns(UserWarning, match="2 rows skipped: line 2 of the stream is not JSON") as caught:
            votes = read("\n".join([lines[0], '{"left": ', *lines[1:], "[1]"]), bad_rows="skip")
        assert len(caught) == 1
        assert as_plain(votes) == as_plain(EXPECTED)


class Endless(io.RawIOBase):
    """An array of so many records, made while it is read; how much was asked for at once is counted."""

    def __init__(self, records):
        self._records, self._ready, self.reads = records, b"[", 0

    def readable(self):
        return True

    def read(self, size=-1):
        self.reads += 1
        while len(self._ready) < size:
            some = b"".join(islice(self._records, 1000))
            if not some:
                break
            self._ready += some
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken


class TestSize:
    def test_memory_does_not_grow_with_an_array(self):
        n_records = 200_000
        record = dumped(RECORDS[0]).encode()
        pieces = (record + (b", " if place < n_records - 1 else b"]") for place in range(n_records))
        tracemalloc.start()
        n_read = 0
        for block in document_blocks(Endless(pieces), "x", How(), lambda record: [record], 2**16):
            n_read += len(block.records)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert n_read == n_records
        assert peak < 4 * 2**20 < n_records * len(record) / 3

    @pytest.mark.parametrize("text", ["[%s", "%s[", '[{"left": 1}%s,'])
    def test_blanks_without_end_are_passed_over_quickly(self, tmp_path, text):
        path = tmp_path / "votes.json"
        path.write_text(text % (" " * 4_000_000))
        n_reads = 0

        class Counting(io.BytesIO):
            def read(self, *size):
                nonlocal n_reads
                n_reads += 1
                return super().read(*size)

        with pytest.raises(pv.InputError, match="is not JSON"):
            list(document_blocks(Counting(path.read_bytes()), "it", How(), lambda record: [record], 1))
        assert n_reads < 100

    def test_a_whole_number_without_end_is_refused(self):
        with pytest.raises(pv.InputError, match="a whole number of more than 4,300 digits; write it as text"):
            pv.read_votes(io.StringIO('[{"left": ' + "9" * 5000 + "}]"), format="json")

    def test_a_long_record_is_not_parsed_often(self):
        long = dumped({**RECORDS[0], "note": "x" * 2**22}).encode()
        handle = Endless(iter([long + b"]"]))
        blocks = document_blocks(handle, "x", How(), lambda record: [record], 2**10)
        assert sum(len(block.records) for block in blocks) == 1
        # Twice as much each time: 1 KiB, 1, 2, 4 … up to 4 MiB.
        assert handle.reads < 20

    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.floats() | st.none())), st.data())
    def test_any_records_come_back(self, records, data):
        n_bytes = data.draw(st.integers(1, 80))
        indent = data.draw(st.sampled_from([None, 1]))
        for text, blocks in (
            (dumped(records, indent=indent), document_blocks),
            ("\n".join(json.dumps(record) for record in records) + "\n", line_blocks),
        ):
            found = [
                record
                for block in blocks(io.BytesIO(text.encode()), "x", How(), lambda record: [record], n_bytes)
                for record in block.records
            ]
            assert dumped(found) == dumped(records)
