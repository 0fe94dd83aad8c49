"""A packed file, or one in another encoding, is read as the plain one; what cannot be read is called by its name."""

from __future__ import annotations

import bz2
import codecs
import dataclasses
import functools
import gzip
import io
import json
import lzma
import os
import re
import sqlite3
import subprocess
import sys
import threading
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote.io import _csv
from pairvote.io._bytes import inner_suffix, members_of_zip, opened
from pairvote.io._file_format import Part
from pairvote.io._formats import FORMATS
from pairvote.io._how import How
from pairvote.io._source import Source
from pairvote.votes._wanted import AllColumns

TEXT = 'left,right,outcome,voter\nash,"b, ""c""\nd",left,anna\nbirch,åäö 日本,tie,bo\n' + "ash,birch,right,\n" * 50
LATIN = TEXT.replace("日本", "ß")


def zipped(files):
    """A zip archive of files by their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda content: zipped({"votes.csv": content}),
    "gz of members": lambda content: (
        gzip.compress(content[:7], mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(content[7:], mtime=0)
    ),
    "bz2 of streams": lambda content: bz2.compress(content[:7]) + bz2.compress(content[7:]),
    "gz in zip": lambda content: zipped({"votes.csv.gz": gzip.compress(content, mtime=0)}),
    "zip beside notes": lambda content: zipped(
        {"a/votes.csv": content, "__MACOSX/a/._votes.csv": b"x", "a/.DS_Store": b"y"}
    ),
    "gz of gz": lambda content: gzip.compress(gzip.compress(content), mtime=0),
}


def plain_votes():
    return as_plain(pv.read_votes(io.StringIO(TEXT), format="csv"))


def as_plain(votes):
    """All that votes hold, comparable."""
    arrays = (votes.left, votes.right, votes.outcome, votes.voter)
    return votes.items, votes.voters, [None if array is None else array.tolist() for array in arrays]


def scanned(path, n_bytes=64, **options):
    """The votes of a scan with blocks of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        blocks = functools.partial(_csv.scan, block_bytes=n_bytes, arrow_from_bytes=0)
        patch.setitem(FORMATS, "csv", dataclasses.replace(FORMATS["csv"], scan=blocks))
        (votes,) = pv.scan_votes(path, format="csv", **options)
        return votes


def refusal(action):
    with pytest.raises(pv.InputError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return caught.value


def votes_or_none(action):
    """What an action gives, None where it is an InputError; nothing else is raised."""
    try:
        return action()
    except pv.InputError:
        return None


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("bytes")


class TestPacked:
    @pytest.mark.parametrize("packer", PACKERS)
    @pytest.mark.parametrize("name", ["votes.csv", "votes.csv.gz", "votes"])
    def test_the_content_says_how_it_is_packed(self, tmp_path, packer, name):
        path = tmp_path / name
        path.write_bytes(PACKERS[packer](TEXT.encode()))
        assert as_plain(pv.read_votes(path, format="csv")) == plain_votes()
        for n_bytes in (1, 100, 10**6):
            assert as_plain(scanned(path, n_bytes)) == plain_votes()
        with path.open("rb") as handle:
            assert as_plain(pv.read_votes(handle, format="csv")) == plain_votes()

    @pytest.mark.parametrize(("packer", "encoding"), [("xz", "utf-16"), ("zip", "windows-1252"), ("gz", "utf-32")])
    def test_in_another_encoding_too(self, tmp_path, packer, encoding):
        path = tmp_path / "votes"
        path.write_bytes(PACKERS[packer](LATIN.encode(encoding)))
        expected = as_plain(pv.read_votes(io.StringIO(LATIN), format="csv"))
        assert as_plain(pv.read_votes(path, format="csv", encoding=encoding)) == expected
        assert as_plain(scanned(path, encoding=encoding)) == expected

    @pytest.mark.parametrize("packer", PACKERS)
    def test_refusals_give_the_line_of_the_text(self, tmp_path, packer):
        path = tmp_path / "votes"
        path.write_bytes(PACKERS[packer](TEXT.encode() + b"ash,ash,tie,\n"))
        for action in (lambda: pv.read_votes(path, format="csv"), lambda: scanned(path)):
            assert str(refusal(action)).startswith(f"line 55 of {path} has 'ash' against itself")

    @pytest.mark.parametrize("packer", ["gz", "bz2", "xz", "zip"])
    def test_cut_short_at_any_place_it_is_refused(self, tmp_path, packer):
        path = tmp_path / "votes"
        whole = PACKERS[packer](TEXT.encode())
        for length in range(0, len(whole), 3):
            path.write_bytes(whole[:length])
            for action in (lambda: pv.read_votes(path, format="csv"), lambda: scanned(path)):
                message = str(refusal(action))
            if length > 10:
                assert f"{path} is packed by" in message
                assert "copy or download it once more" in message

    @pytest.mark.parametrize("packer", ["gz", "bz2", "xz", "zip", "gz in zip"])
    @settings(max_examples=60, deadline=None)
    @given(place=st.integers(0, 10**6), octet=st.integers(0, 255))
    def test_with_a_byte_changed_it_is_refused_or_the_same(self, shared, packer, place, octet):
        changed = bytearray(PACKERS[packer](TEXT.encode()))
        changed[place % len(changed)] = octet
        path = shared / "votes"
        path.write_bytes(changed)
        for action in (lambda: pv.read_votes(path, format="csv"), lambda: scanned(path)):
            votes = votes_or_none(action)
            assert votes is None or as_plain(votes) == plain_votes()

    def test_many_layers_are_refused(self, tmp_path):
        content = TEXT.encode()
        for _ in range(5):
            content = gzip.compress(content, mtime=0)
        (tmp_path / "a").write_bytes(content)
        assert "packed more than 4 times" in str(refusal(lambda: pv.read_votes(tmp_path / "a", format="csv")))

    def test_an_archive_of_nothing_and_a_locked_one(self, tmp_path):
        path = tmp_path / "a.zip"
        path.write_bytes(zipped({}))
        assert "without files" in str(refusal(lambda: pv.read_votes(path, format="csv")))
        locked = bytearray(zipped({"votes.csv": TEXT}))
        for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            locked[locked.index(signature) + at] |= 1
        path.write_bytes(locked)
        assert "is encrypted" in str(refusal(lambda: pv.read_votes(path, format="csv")))

    def test_a_long_name_does_not_fill_the_screen(self):
        for action in (lambda: pv.read_votes("a" * 5000 + ".csv"), lambda: pv.scan_votes("a" * 5000 + ".csv")):
            assert len(str(refusal(action))) < 1000

    def test_the_files_in_an_archive(self, tmp_path):
        path = tmp_path / "a.zip"
        files = {
            "a/1.csv": "left,right,outcome\na,b,tie\n",
            "2.csv": TEXT,
            "__MACOSX/x": "y",
        }
        path.write_bytes(zipped(files))
        assert members_of_zip(path) == {"a/1.csv": 27, "2.csv": len(TEXT.encode())}
        for member, n_votes in (("a/1.csv", 1), ("2.csv", 52)):
            with Part(str(path), FORMATS["csv"], path, member=member).open() as handle:
                assert len(pv.read_votes(handle, format="csv")) == n_votes
        message = str(refusal(lambda: opened(path, "a.zip", "3.csv")))
        assert "no file '3.csv'" in message
        assert "'a/1.csv', '2.csv'" in message
        with path.open("rb") as handle:
            assert "2 files" in str(refusal(lambda: pv.read_votes(handle, format="csv")))
        (tmp_path / "b.zip").write_text(TEXT)
        assert members_of_zip(tmp_path / "b.zip") is None
        assert "no zip archive" in str(refusal(lambda: opened(tmp_path / "b.zip", "b.zip", "2.csv")))
        path.write_bytes(path.read_bytes()[:-30])
        assert "packed by zip" in str(refusal(lambda: members_of_zip(path)))

    @pytest.mark.parametrize(
        ("name", "suffix"),
        [
            ("votes.csv", ".csv"),
            ("votes.CSV.GZ", ".csv"),
            ("votes.jsonl.bz2.xz", ".jsonl"),
            ("votes.gz", ""),
            ("votes", ""),
            ("a.csv/votes", ""),
        ],
    )
    def test_the_suffix_is_that_of_what_is_packed(self, tmp_path, name, suffix):
        assert inner_suffix(tmp_path / name) == suffix
        assert Source.of(name).suffix == suffix

    def test_the_suffix_of_the_only_file_in_an_archive(self, tmp_path):
        path = tmp_path / "votes.zip"
        path.write_bytes(zipped({"v.tsv.gz": gzip.compress(TEXT.encode(), mtime=0)}))
        assert inner_suffix(path) == ".tsv"
        path.write_bytes(b"PK\x03\x04")
        assert inner_suffix(path) == ""

    @pytest.mark.slow
    @pytest.mark.skipif(
        not Path("/proc/self/status").exists() or "libasan" in os.environ.get("LD_PRELOAD", ""),
        reason="there is no count of the memory that pairvote takes",
    )
    def test_what_unpacks_to_much_more_is_never_in_memory_as_a_whole(self, tmp_path):
        path = tmp_path / "votes.csv.gz"
        rows = (b"ash,birch,left," + b"x" * 10_000 + b"\n") * 100
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(b"left,right,outcome,note\n")
            for _ in range(400):
                file.write(rows)
        assert path.stat().st_size < 10**7
        program = (
            f"import pairvote as pv\nprint(pv.count_pairs(pv.scan_votes({str(path)!r}, format='csv')).total)\n"
            "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        )
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
        total, peak = run.stdout.split()
        assert float(total) == 40_000
        assert int(peak) < 300_000


class TestFilesThatChange:
    def content(self, tmp_path, n_rows=20_000):
        path = tmp_path / "votes.csv"
        path.write_text("left,right,outcome\n" + "ash,birch,left\n" * n_rows)
        return path

    @pytest.mark.parametrize("how", ["grows", "shrinks", "is written anew"])
    def test_a_file_must_not_change_while_it_is_read(self, tmp_path, monkeypatch, how):
        path = self.content(tmp_path)
        blocks = functools.partial(_csv.scan, block_bytes=1000, n_threads=1)
        monkeypatch.setitem(FORMATS, "csv", dataclasses.replace(FORMATS["csv"], scan=blocks))
        chunks = iter(pv.scan_votes(path, chunk_rows=100))
        assert len(next(chunks)) == 100
        before = path.stat()
        if how == "grows":
            with path.open("a") as file:
                file.write("ash,birch,left\n")
        elif how == "shrinks":
            os.truncate(path, 19 + 15 * 10_000)
        else:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
        message = str(refusal(lambda: list(chunks)))
        assert f"{path} changed while it was read" in message
        assert "copy it" in message
        # Between two readings it may.
        assert sum(map(len, pv.scan_votes(path))) > 9_000

    def test_packed_files_neither(self, tmp_path):
        path = tmp_path / "votes.csv.gz"
        path.write_bytes(gzip.compress(os.urandom(10**6), mtime=0))
        with opened(path, "votes") as handle:
            handle.read(10)
            with path.open("ab") as file:
                file.write(gzip.compress(b"x", mtime=0))
            assert "changed while" in str(refusal(handle.read))

    def test_pipes_are_read_once(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        for content in (TEXT.encode(), gzip.compress(TEXT.encode(), mtime=0)):
            writer = threading.Thread(target=path.write_bytes, args=(content,), daemon=True)
            writer.start()
            assert as_plain(pv.read_votes(path, format="csv")) == plain_votes()
            writer.join()


ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-be",
    "shift_jis",
    "gb18030",
    "utf-7",
]


class TestEncodings:
    TEXT = "left,right,outcome\nash,日本,left\r\nb,ash,tie\n" + "ash,b,right\n" * 3000

    @pytest.mark.parametrize("encoding", ENCODINGS)
    @pytest.mark.parametrize("n_bytes", [100, 10**6])
    def test_the_encoding_that_is_named(self, tmp_path, encoding, n_bytes):
        path = tmp_path / "a.csv"
        path.write_bytes(self.TEXT.encode(encoding))
        expected = as_plain(pv.read_votes(io.StringIO(self.TEXT), format="csv"))
        assert as_plain(pv.read_votes(path, encoding=encoding)) == expected
        assert as_plain(scanned(path, n_bytes, encoding=encoding)) == expected

    @pytest.mark.parametrize(
        ("mark", "encoding"),
        [
            (b"", "utf-16-le"),
            (b"", "utf-16-be"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
            (codecs.BOM_UTF32_LE, "utf-32-le"),
            (codecs.BOM_UTF32_BE, "utf-32-be"),
        ],
    )
    def test_wide_ones_are_recognised_and_said(self, tmp_path, mark, encoding):
        path = tmp_path / "a.csv"
        path.write_bytes(mark + self.TEXT.encode(encoding))
        expected = as_plain(pv.read_votes(io.StringIO(self.TEXT), format="csv"))
        assert as_plain(pv.read_votes(path)) == expected
        assert as_plain(scanned(path)) == expected
        how = How()
        _csv.read(Source.of(path), AllColumns(), how)
        assert list(how.report.remarks) == [f"it is {encoding[:6].upper()}"]

    def test_utf_8_is_not_said(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_bytes(codecs.BOM_UTF8 + self.TEXT.encode())
        how = How()
        _csv.read(Source.of(path), AllColumns(), how)
        assert not how.report.remarks

    @pytest.mark.parametrize("cell", ["Åse", "Zoë", "“quoted”", "10 €"])
    def test_other_bytes_are_refused_and_the_remedy_reads_them(self, tmp_path, cell):
        path = tmp_path / "a.csv"
        path.write_bytes(f"left,right,outcome\r\nash,b,left\r\n{cell},b,left\r\n".encode("windows-1252"))
        for action in (lambda: pv.read_votes(path), lambda: scanned(path)):
            error = refusal(action)
            assert (error.option, error.value) == ("encoding", "windows-1252")
            assert error.where == f"line 3 of {path}"
            assert f"if {cell!r} is what should stand there" in str(error)
            assert re.search(r"line 3 \(byte 0x[89a-f][0-9a-f] at position \d+\)", str(error))
        assert pv.read_votes(path, encoding=error.value).items == ("ash", "b", cell)

    def test_bytes_that_windows_has_not(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_bytes(b"left,right,outcome\n\x81\x82,b,tie\n")
        error = refusal(lambda: pv.read_votes(path))
        assert (error.option, error.value) == ("encoding", None)

    @pytest.mark.parametrize(
        ("encoding", "words"),
        [
            ("windows1252", "did you mean 'windows-1252'"),
            ("klingon", "such as 'utf-8'"),
            ("rot13", "encoding is 'rot13'"),
            ("hex", "encoding is 'hex'"),
            ("a\0b", "encoding is"),
            ("\ud800", "encoding is"),
        ],
    )
    def test_unknown_encodings_are_refused(self, tmp_path, encoding, words):
        path = tmp_path / "a.csv"
        path.write_text(TEXT)
        for action in (lambda: pv.read_votes(path, encoding=encoding), lambda: scanned(path, encoding=encoding)):
            error = refusal(action)
            assert error.option == "encoding"
            assert words in str(error)
            assert f"did you mean {encoding!r}" not in str(error)

    @pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le", "cp500", "utf-32"])
    @pytest.mark.parametrize("name", ["votes.json", "votes.csv", "votes"])
    @pytest.mark.parametrize("lines", [False, True])
    def test_the_kind_of_a_file_is_told_in_its_encoding(self, tmp_path, encoding, name, lines):
        records = [{"left": "å", "right": "b", "outcome": "tie"}, {"left": "b", "right": "c", "outcome": "left"}]
        path = tmp_path / name
        text = "\n".join(map(json.dumps, records)) if lines else json.dumps(records, indent=1)
        path.write_bytes(text.encode(encoding))
        expected = as_plain(pv.Votes.from_labels(*([record[part] for record in records] for part in records[0])))
        assert as_plain(pv.read_votes(path, encoding=encoding)) == expected
        (votes,) = pv.scan_votes(path, encoding=encoding)
        assert as_plain(votes) == expected
        if encoding in ("utf-16-be", "utf-16-le", "utf-32"):
            assert as_plain(pv.read_votes(path)) == expected

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-le", "shift_jis", "utf-7", "ascii"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_bytes_of_another_encoding_give_the_line(self, tmp_path, encoding, newline):
        path = tmp_path / "a.csv"
        text = TEXT.encode("ascii", "ignore").decode().replace("\n", newline)
        wrong = {"utf-16-le": b"\x00\xd8,\0", "utf-32-le": b"\xff\xff\xff\xff", "utf-7": b"+2AA-"}.get(
            encoding, b"\xff"
        )
        path.write_bytes(text.encode(encoding) + wrong + text.encode(encoding))
        for action in (lambda: pv.read_votes(path, encoding=encoding), lambda: scanned(path, encoding=encoding)):
            error = refusal(action)
            assert error.option == "encoding"
            if encoding != "utf-7":
                assert error.where == f"line {1 + TEXT.count(chr(10))} of {path}"
                assert f"position {len(text.encode(encoding))}" in str(error)

    @settings(max_examples=200, deadline=None)
    @given(
        st.binary(max_size=80) | st.text(max_size=40).map(lambda text: text.encode("utf-16")),
        st.sampled_from([None, *ENCODINGS, "windows-1252", "unicode_escape", "idna", "punycode", "undefined", "cp037"]),
        st.sampled_from(["raise", "skip"]),
        st.booleans(),
    )
    def test_random_bytes_give_votes_or_a_refusal(self, shared, content, encoding, bad_rows, header):
        path = shared / "a.csv"
        path.write_bytes(b"left,right,outcome\n" * header + content)
        options = {"encoding": encoding, "bad_rows": bad_rows, "format": "csv"}
        for action in (lambda: pv.read_votes(path, **options), lambda: list(pv.scan_votes(path, **options))):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore" if bad_rows == "skip" else "error")
                votes_or_none(action)


class TestOtherKinds:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"\0" * 8 + b"DUCK\x40\0\0\0\0\0\0\0", ["a DuckDB database", "duckdb -csv"]),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, ["Excel"]),
            (b"%PDF-1.7\n%\xe2\xe3", ["PDF"]),
            (b"\n <!DOCTYPE html>\n<html>", ["web page", "download the file itself"]),
            (b"<HTML><body>", ["web page"]),
            (b"<?xml version='1.0'?><a/>", ["XML"]),
            (b"\x89PNG\r\n\x1a\n", ["picture"]),
            (b"\xff\xd8\xff\xe0", ["picture"]),
            (b"PAR1\x15\x04", ["Parquet", "format='parquet'"]),
            (b"7z\xbc\xaf\x27\x1c", ["7-Zip", "7z x"]),
            (b"\x28\xb5\x2f\xfd", ["zstd", "unzstd"]),
            (gzip.compress(b"RDX3\nX\n", mtime=0), ["workspace of R", "write.csv"]),
            (gzip.compress(b"X\n\0\0\0\x03", mtime=0), ["object of R"]),
            (gzip.compress(b"a.csv".ljust(257, b"\0") + b"ustar\x0000".ljust(255, b"\0"), mtime=0), ["tar", "tar -xf"]),
            (zipped({"[Content_Types].xml": "", "word/document.xml": ""}), ["Excel"]),
        ],
    )
    def test_they_are_called_by_their_name(self, tmp_path, content, words):
        path = tmp_path / "my votes.csv"
        path.write_bytes(content)
        for action in (lambda: pv.read_votes(path, format="csv"), lambda: scanned(path)):
            message = str(refusal(action))
            for word in words:
                assert word in message

    def test_a_database_is_read_through_a_pipe(self, tmp_path):
        path = tmp_path / "my votes.db"
        with sqlite3.connect(path) as database:
            database.execute("create table votes (left, right, outcome)")
        message = str(refusal(lambda: pv.read_votes(path, format="csv")))
        assert f"sqlite3 -csv -header '{path}' 'select * from votes' | pairvote rank -" in message

    @pytest.mark.parametrize(
        "text",
        [
            "a,b,win\nDUCK,GOOSE,DUCK\n",
            "GIF8,b,c\n1,2,3\n",
            "BZh,b,c\n1,2,3\n",
            "RDX,X,c\nPAR1,2,3\n",
            "<html,b,c\n1,2,3\n",
            "PK,b,c\n1,2,3\n",
        ],
    )
    def test_text_that_begins_much_alike_is_text(self, tmp_path, text):
        path = tmp_path / "a.csv"
        path.write_text(text)
        how = How()
        columns, _ = _csv.read(Source.of(path), AllColumns(), how)
        assert list(columns) == text.split("\n")[0].split(",")
