"""Which files a source is: lists, folders, links, archives; and what is said of files in them that are no votes."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

import pairvote as pv
from pairvote.io._file_format import Reading
from pairvote.io._formats import FORMATS, format_of
from pairvote.io._how import How
from pairvote.io._kinds import KINDS
from pairvote.io._sources import parts_of
from pairvote.votes._report import Report
from pairvote.votes._wanted import Wanted

HEADER = "left,right,outcome\n"


def message_of(action):
    with pytest.raises(pv.InputError) as caught:
        action()
    assert "\n" not in caught.value.problem
    return str(caught.value)


def both(source, **options):
    """The left sides of all votes, which are the same whether the source is read whole or in chunks."""
    whole = pv.read_votes(source, **options)
    chunks = list(pv.scan_votes(source, chunk_rows=2, **options))
    assert [label for votes in chunks for label in votes.to_columns()["left"]] == whole.to_columns()["left"]
    if chunks:
        assert chunks[-1].items == whole.items
    return whole.to_columns()["left"]


def parts_and_remarks(source, bad_rows="raise"):
    report = Report(bad_rows)
    reading = Reading(Wanted.of(), how=How().with_report(report))
    return [part.name for part in parts_of(source, None, reading)], list(report.remarks)


def put(path, *labels, text=None):
    """A file with a vote for each label on the left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(f"{label},z,tie\n" for label in labels) if text is None else text)
    return path


def archive(path, files, folder=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(folder + name, content)
    return path


class TestLists:
    def test_files_in_the_order_given(self, tmp_path):
        b, a = put(tmp_path / "b.csv", "b"), put(tmp_path / "a.csv", "a1", "a2")
        assert both([b, a]) == ["b", "a1", "a2"]
        assert both([str(a), b]) == ["a1", "a2", "b"]
        assert both((a, a)) == ["a1", "a2", "a1", "a2"]
        assert both([a]) == ["a1", "a2"]

    def test_folders_in_a_list(self, tmp_path):
        put(tmp_path / "x" / "10.csv", "x10")
        put(tmp_path / "x" / "9.csv", "x9")
        put(tmp_path / "y.csv", "y")
        assert both([tmp_path / "y.csv", tmp_path / "x"]) == ["y", "x9", "x10"]

    def test_formats_may_differ(self, tmp_path):
        votes = pv.Votes.from_records([("ash", "birch", "left"), ("birch", "cedar", "tie")])
        names = ["a.csv", "b.jsonl"] + (["c.parquet"] if FORMATS["parquet"] and _has_arrow() else [])
        for name in names:
            pv.write_votes(votes, tmp_path / name)
        (tmp_path / "d.json").write_text('[{"left": "oak", "right": "elm", "outcome": "left"}]')
        assert both(tmp_path) == ["ash", "birch"] * len(names) + ["oak"]
        assert both([tmp_path / name for name in names]) == ["ash", "birch"] * len(names)

    def test_text_in_one_file_and_numbers_in_another(self, tmp_path):
        put(tmp_path / "a.csv", 1, 2)
        (tmp_path / "b.json").write_text('[{"left": 1, "right": 2, "outcome": "left"}]')
        for action in (lambda: pv.read_votes(tmp_path), lambda: list(pv.scan_votes(tmp_path))):
            message = message_of(action)
            assert "one type" in message
            assert "a.csv" in message
            assert "b.json" in message

    @pytest.mark.parametrize("source", ["", Path(), Path(""), ["x.csv", ""], [Path()]])
    def test_an_empty_name_is_refused(self, tmp_path, monkeypatch, source):
        monkeypatch.chdir(tmp_path)
        put(tmp_path / "a.csv", "a")
        for action in (lambda: pv.read_votes(source), lambda: pv.scan_votes(source)):
            message = message_of(action)
            assert message.startswith("the name of the file is empty; see whether a variable is unset")
        assert "'.'" in message
        assert both(".") == ["a"]
        assert both(["."]) == ["a"]


class TestFolders:
    def test_files_that_are_no_votes(self, tmp_path):
        put(tmp_path / "1.csv", "a")
        put(tmp_path / "2.csv", "b")
        put(tmp_path / "README.md", text="# Votes\n\nOf May, and June.\n")
        put(tmp_path / "voters.csv", text="voter,age\nanna,7\n")
        (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        (tmp_path / "empty.csv").write_bytes(b"")
        for action in (lambda: pv.scan_votes(tmp_path), lambda: pv.read_votes(tmp_path)):
            message = message_of(action)
            assert message.startswith(f"4 files of {tmp_path} cannot be read as votes: ")
            for name in ("README.md", "voters.csv", "picture.png", "empty.csv"):
                assert repr(name) in message
            assert "bad_rows='skip'" in message
        # Both remedies work.
        assert both([tmp_path / "1.csv", tmp_path / "2.csv"]) == ["a", "b"]
        with pytest.warns(UserWarning, match="4 files of .* left out") as caught:
            assert both(tmp_path, bad_rows="skip") == ["a", "b"]
        # Once for the whole, and once for the scan.
        assert len(caught) == 2
        scan = pv.scan_votes(tmp_path, bad_rows="skip")
        names = "'README.md', 'empty.csv', 'picture.png', 'voters.csv'"
        said = f"4 files of {tmp_path} left out, which cannot be read as votes: {names}"
        assert said in scan.report.remarks
        for _ in range(2):
            with pytest.warns(UserWarning, match="left out"):
                assert sum(map(len, scan)) == 2
            assert said in scan.report.remarks

    def test_where_no_file_is_votes_the_first_says_why(self, tmp_path):
        put(tmp_path / "1.csv", text="home,away,result\na,b,H\n")
        put(tmp_path / "2.csv", text="home,away,result\na,b,H\n")
        for bad_rows in ("raise", "skip"):
            message = message_of(lambda bad_rows=bad_rows: pv.scan_votes(tmp_path, bad_rows=bad_rows))
            assert "1.csv has no columns 'left', 'right', 'outcome'" in message
            assert "'home', 'away', 'result'" in message

    def test_a_table_says_more_than_what_lies_beside_it(self, tmp_path):
        put(tmp_path / "README.md", text="# Votes\n")
        put(tmp_path / "votes.csv", text="home,away,result\n" + "a,b,H\nb,c,A\nc,a,D\n" * 4)
        for action in (lambda: pv.read_votes(tmp_path), lambda: pv.scan_votes(tmp_path)):
            assert "votes.csv has no columns 'left', 'right', 'outcome'" in message_of(action)
        message = message_of(lambda: pv.read_votes(tmp_path))
        assert "left='home', right='away', outcome='result'" in message
        assert "bad_rows='skip'" in message

    def test_very_many_names_are_cut(self, tmp_path):
        put(tmp_path / "a.csv", "a")
        for number in range(200):
            put(tmp_path / f"note-{number}.md", text="x\n")
        message = message_of(lambda: pv.scan_votes(tmp_path))
        assert message.startswith("200 files of")
        assert len(message) < 1000

    def test_what_cannot_be_opened_is_no_matter_of_votes(self, tmp_path):
        put(tmp_path / "a.csv", "a")
        os.symlink(tmp_path / "nowhere.csv", tmp_path / "b.csv")
        for bad_rows in ("raise", "skip"):
            assert "no file" in message_of(lambda bad_rows=bad_rows: pv.scan_votes(tmp_path, bad_rows=bad_rows))

    def test_an_empty_folder(self, tmp_path):
        assert "without files" in message_of(lambda: pv.read_votes(tmp_path))
        assert "without files" in message_of(lambda: pv.scan_votes(tmp_path))

    def test_keys_in_names_of_folders_are_columns_when_read_whole(self, tmp_path):
        for value in ("new", "useful"):
            put(tmp_path / f"criterion={value}" / "voter=7" / "a.csv", "a")
        votes = pv.read_votes(tmp_path)
        assert votes.to_columns()["criterion"] == ["new", "useful"]
        assert votes.voters == (7,)
        put(tmp_path / "b.csv", "b")
        assert "b.csv is in no folder criterion=" in message_of(lambda: pv.read_votes(tmp_path))

    @pytest.mark.parametrize("part", ["weight", "criterion"])
    def test_a_column_in_some_files_only(self, tmp_path, part):
        put(tmp_path / "a.csv", text=f"left,right,outcome,{part}\na,z,tie,1\n")
        put(tmp_path / "b.csv", "b")
        for action in (lambda: pv.read_votes(tmp_path), lambda: list(pv.scan_votes(tmp_path))):
            assert f"b.csv has no column '{part}' and {tmp_path / 'a.csv'} has one" in message_of(action)

    def test_voters_in_some_files_only(self, tmp_path):
        put(tmp_path / "a.csv", text="left,right,outcome,voter\na,z,tie,anna\n")
        put(tmp_path / "b.csv", "b")
        assert pv.read_votes(tmp_path).to_columns()["voter"] == ["anna", None]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="there are no links here")
class TestLinks:
    def test_links_to_where_one_is_end(self, tmp_path):
        put(tmp_path / "v.csv", "a")
        for name in ("x", "y"):
            os.symlink(".", tmp_path / name)
        assert both(tmp_path) == ["a"]
        put(tmp_path / "deep" / "er" / "w.csv", "b")
        os.symlink(tmp_path, tmp_path / "deep" / "er" / "up")
        assert sorted(both(tmp_path)) == ["a", "b"]
        # From within, what is above is read as well, once.
        assert sorted(both(tmp_path / "deep" / "er")) == ["a", "b"]

    @pytest.mark.parametrize("link", ["latest", "1999"])
    def test_a_folder_beside_a_link_to_it_is_read_once(self, tmp_path, link):
        put(tmp_path / "2024" / "v.csv", "a")
        os.symlink("2024", tmp_path / link)
        assert both(tmp_path) == ["a"]
        names, remarks = parts_and_remarks(tmp_path)
        assert names == [str(tmp_path / "2024" / "v.csv")]
        assert remarks == [f"{tmp_path / link} is a link to what is read already, and is left out"]

    def test_a_link_to_a_folder_elsewhere_is_followed_once(self, tmp_path):
        put(tmp_path / "away" / "below" / "v.csv", "a")
        home = tmp_path / "home"
        home.mkdir()
        for name in ("one", "two"):
            os.symlink(tmp_path / "away", home / name)
        os.symlink(tmp_path / "away" / "below", home / "zero")
        assert both(home) == ["a"]
        names, remarks = parts_and_remarks(home)
        assert names == [str(home / "one" / "below" / "v.csv")]
        assert len(remarks) == 2

    def test_a_file_and_links_to_it_are_read_once(self, tmp_path):
        put(tmp_path / "b.csv", "b")
        put(tmp_path / "away" / "c.csv", "c")
        home = tmp_path / "home"
        home.mkdir()
        os.symlink(tmp_path / "b.csv", home / "a.csv")
        os.symlink(tmp_path / "b.csv", home / "z.csv")
        os.symlink(tmp_path / "away" / "c.csv", home / "c.csv")
        assert both(home) == ["b", "c"]
        assert both(tmp_path / "away") == ["c"]
        os.rename(tmp_path / "b.csv", home / "m.csv")
        for name in ("a.csv", "z.csv"):
            (home / name).unlink()
            os.symlink(home / "m.csv", home / name)
        names, _ = parts_and_remarks(home)
        assert names == [str(home / "c.csv"), str(home / "m.csv")]

    def test_a_link_given_by_itself_is_read(self, tmp_path):
        put(tmp_path / "2024" / "v.csv", "a")
        os.symlink("2024", tmp_path / "latest")
        os.symlink("2024/v.csv", tmp_path / "v.csv")
        assert both(tmp_path / "latest") == ["a"]
        assert both(tmp_path / "v.csv") == ["a"]


FILES = {
    "league 10.csv": HEADER + "c,z,tie\n",
    "league 9.csv": HEADER + "a,z,tie\nb,z,tie\n",
    "more/x.jsonl": '{"left": "d", "right": "z", "outcome": "left"}\n',
}


class TestArchives:
    def test_an_archive_of_several_files_is_read_as_a_folder(self, tmp_path):
        assert both(archive(tmp_path / "a.zip", FILES)) == ["a", "b", "c", "d"]
        assert both([tmp_path / "a.zip", put(tmp_path / "e.csv", "e")]) == ["a", "b", "c", "d", "e"]

    def test_an_archive_of_one_file(self, tmp_path):
        for name in ("votes.csv", "deep/er/votes.csv"):
            path = archive(tmp_path / "one.zip", {name: HEADER + "a,z,tie\n"})
            assert both(path) == ["a"]
            assert both([path, path]) == ["a", "a"]

    def test_keys_in_names_of_folders(self, tmp_path):
        path = archive(tmp_path / "a.zip", {f"criterion={name}/v.csv": HEADER + "a,z,tie\n" for name in "xy"}, "all/")
        assert pv.read_votes(path).criteria == ("x", "y")

    def test_what_is_no_votes(self, tmp_path):
        path = archive(tmp_path / "a.zip", {**FILES, "README.md": "# Leagues\n"})
        message = message_of(lambda: pv.read_votes(path))
        assert message.startswith(f"1 file of {path} cannot be read as votes: 'README.md' ")
        with pytest.warns(UserWarning, match="'README.md'"):
            assert both(path, bad_rows="skip") == ["a", "b", "c", "d"]

    def test_rows_are_named_with_their_file(self, tmp_path):
        path = archive(tmp_path / "a.zip", {**FILES, "league 11.csv": HEADER + "a,z,tie\nb,b,tie\n"})
        for action in (lambda: pv.read_votes(path), lambda: list(pv.scan_votes(path))):
            assert f"line 3 of {path}/league 11.csv has 'b' against itself" in message_of(action)

    def test_packed_files_within_and_workbooks(self, tmp_path):
        import gzip

        from workbooks import workbook

        files = {**FILES, "x.csv.gz": gzip.compress((HEADER + "g,z,tie\n").encode())}
        expected = ["a", "b", "c", "d", "g"]
        try:
            import python_calamine  # noqa: F401
        except ImportError:
            pass
        else:
            files["y.xlsx"] = workbook({"v": [["left", "right", "outcome"], ["w", "z", "tie"]]})
            expected.append("w")
        assert both(archive(tmp_path / "a.zip", files)) == expected


class TestFormats:
    @pytest.mark.parametrize(
        "suffix", [".csv", ".tsv", ".txt", ".dat", ".json", ".parquet", ".xlsx", ".feather", ".x", ""]
    )
    def test_content_comes_before_the_suffix(self, suffix):
        report = Report()
        contents = {
            "csv": b"left,right\n",
            "json": b'[{"left": 1}]',
            "jsonl": b'{"left": 1}\n{"left": 2}\n',
            "parquet": b"PAR1\x15\x04",
            "arrow": b"ARROW1\0\0\xff\xff",
            "excel": b"PK\x03\x04\x14\0",
        }
        for name, head in contents.items():
            report.remarks.clear()
            # A document may be objects on lines.
            expected = "json" if (name, suffix) == ("jsonl", ".json") else name
            assert format_of(None, suffix, "x", head, How(report=report)).name == expected
            assert bool(report.remarks) == (suffix != "" and suffix not in FORMATS[expected].suffixes)

    @pytest.mark.parametrize(
        ("option", "value", "takers"),
        [
            ("delimiter", ",", {"csv"}),
            ("comment", "#", {"csv"}),
            ("encoding", "utf-8", {"csv", "json", "jsonl"}),
            ("sheet", "votes", {"excel"}),
            ("skip_lines", 9, {"csv", "excel"}),
            ("header", False, {"csv", "json", "excel"}),
        ],
    )
    def test_options_that_say_nothing_of_a_format_are_refused(self, tmp_path, option, value, takers):
        votes = pv.Votes.from_labels(["a", "b"], ["b", "c"], ["tie", "left"])
        for suffix in ("csv", "jsonl", "parquet"):
            path = tmp_path / f"votes.{suffix}"
            pv.write_votes(votes, path)
            if suffix in takers:
                continue
            title = {"csv": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet"}[suffix]
            for action in (
                lambda path=path: pv.read_votes(path, **{option: value}),
                lambda path=path: pv.scan_votes(path, **{option: value}),
                lambda path=path: pv.read_votes(io.BytesIO(path.read_bytes()), **{option: value}),
            ):
                with pytest.raises(pv.InputError, match=f"is {title}, which has no use for it; leave out {option}="):
                    action()
        # In a folder, one file that it says something of is enough.
        if option in ("delimiter", "comment", "encoding"):
            assert len(pv.read_votes([tmp_path / "votes.csv", tmp_path / "votes.parquet"], **{option: value})) == 4

    def test_the_suffix_decides_for_an_empty_file(self):
        for file_format in FORMATS.values():
            for suffix in file_format.suffixes:
                assert format_of(None, suffix, "x", b"") is file_format
        assert format_of(None, ".md", "x", b"") is FORMATS["csv"]

    def test_a_format_that_is_asked_for_is_obeyed_or_refused(self):
        assert format_of("csv", ".json", "x", b"a,b\n").name == "csv"
        assert format_of("json", ".csv", "x", b"7\n").name == "json"
        for asked, head, found in (
            ("csv", b"PAR1", "Parquet"),
            ("parquet", b"ARROW1\0\0", "Arrow"),
            ("jsonl", b"[]", "JSON"),
        ):
            message = message_of(lambda asked=asked, head=head: format_of(asked, "", "x", head))
            assert message.startswith(f"x is {found} and not {FORMATS[asked].title}; pass format=")

    @pytest.mark.parametrize(
        "head", [b"\x00\x01\x02binary\xff", b"\x89PNG\r\n\x1a\n", b"SQLite format 3\0", b"%PDF-1.4"]
    )
    def test_what_is_no_text_and_nothing_that_is_known(self, head):
        with pytest.raises(pv.InputError) as caught:
            format_of(None, "", "x.bin", head)
        assert caught.value.remedy
        assert len(KINDS) > 3

    def test_writing_takes_the_suffixes_that_it_recommends(self, tmp_path):
        votes = pv.Votes.from_records([("a", "b", "tie")])
        for suffix in (".tsv", ".txt", ".json", ".xlsx", ".feather", ".gz", ""):
            message = message_of(lambda suffix=suffix: pv.write_votes(votes, tmp_path / f"v{suffix}"))
            assert "use .csv, .jsonl or .parquet, or pass format='csv', 'jsonl' or 'parquet'" in message
        assert not list(tmp_path.iterdir())
        pv.write_votes(votes, tmp_path / "v.txt", format="csv")
        assert len(pv.read_votes(tmp_path / "v.txt")) == 1

    def test_a_pipe_is_read(self, tmp_path):
        if not hasattr(os, "mkfifo"):
            pytest.skip("there are no named pipes here")
        import threading

        path = tmp_path / "pipe"
        os.mkfifo(path)
        thread = threading.Thread(target=lambda: path.write_text(HEADER + "a,b,tie\n"))
        thread.start()
        assert len(pv.read_votes(path)) == 1
        thread.join()

    def test_streams_are_known_by_their_content(self):
        assert len(pv.read_votes(io.BytesIO(b'[{"left": "a", "right": "b", "outcome": "tie"}]'))) == 1
        assert len(pv.read_votes(io.StringIO(HEADER + "a,b,tie\n"))) == 1


def _has_arrow():
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True
