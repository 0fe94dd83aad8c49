"""Kinds of files that are no text, told by how they begin, and what a person does with one."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from pairvote.errors import InputError


class Kind(NamedTuple):
    """A kind of files: how they begin, what they are, what to do, in which FILE stands for the name, and an option."""

    begins: bytes
    title: str
    remedy: str
    option: str | None = None


_AS_CSV = "save it as CSV in UTF-8"
_EXPORT = "export it as CSV from the program that made it"
_SOURCE = "pass the table that it was made from"
_FROM_R = 'write.csv(votes, "votes.csv", row.names = FALSE) in R, and pass that'
_BOM = rb"(?:\xef\xbb\xbf)?\s*"
KINDS = (
    Kind(
        rb"SQLite format 3\0",
        "an SQLite database",
        "sqlite3 -csv -header FILE 'select * from votes' | pairvote rank -",
    ),
    Kind(rb".{8}DUCK.\0{7}", "a DuckDB database", "duckdb -csv FILE -c 'select * from votes' | pairvote rank -"),
    Kind(rb"PAR1\x15", "Parquet", "pass format='parquet'", "format"),
    Kind(rb"ARROW1\0\0", "Arrow", "leave out format=, or name the right one", "format"),
    Kind(rb"FEA1\0", "Feather of an old version", "write it anew with pyarrow.feather.write_feather"),
    Kind(rb"PK(?:\x03\x04|\x05\x06)", "an Excel workbook or another document", _AS_CSV),
    Kind(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls) or another old document", _AS_CSV),
    Kind(rb"\{\\rtf", "a text document (RTF)", "save it as plain text"),
    Kind(rb"%PDF-", "a PDF document", _SOURCE),
    Kind(rb"%!PS-", "a PostScript document", _SOURCE),
    Kind(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", "a picture", _SOURCE),
    Kind(rb".{257}ustar(?:\0| {2}\0)", "a tar archive", "tar -xf FILE, and pass the files that have the votes"),
    Kind(rb"\x28\xb5\x2f\xfd", "packed by zstd", "unzstd FILE, and pass what comes out"),
    Kind(rb"\x04\x22\x4d\x18", "packed by lz4", "unlz4 FILE, and pass what comes out"),
    Kind(rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "7z x FILE, and pass the files that have the votes"),
    Kind(rb"Rar!\x1a\x07", "a RAR archive", "unrar x FILE, and pass the files that have the votes"),
    Kind(rb"RDX[23]\n", "a workspace of R (.rda)", _FROM_R),
    Kind(rb"X\n\0\0\0", "an object of R (.rds)", _FROM_R),
    Kind(rb"\x93NUMPY", "an array of numpy", _EXPORT),
    Kind(rb"\$FL[23]@\(#\)", "a file of SPSS", _EXPORT),
    Kind(rb"<stata_dta>", "a file of Stata", _EXPORT),
    Kind(rb"\x89HDF\r\n", "a file of HDF5", _EXPORT),
    Kind(
        _BOM + rb"(?:<!--.*?-->\s*)?<(?i:!doctype\s+html|html|head)(?=[\s>])",
        "a web page (HTML)",
        "download the file itself, not the page that shows it",
    ),
    Kind(_BOM + rb"<\?xml\b", "XML", _EXPORT),
)


def refuse_kind(head: bytes, name: str) -> None:
    """Refuse a file that begins as one of the kinds does that are no text.

    Raises
    ------
    InputError
        Saying what it is and what to do with it.
    """
    for kind in KINDS:
        if re.match(kind.begins, head, re.DOTALL):
            remedy = kind.remedy.replace("FILE", shlex.quote(name))
            raise InputError(f"{name} is {kind.title}", option=kind.option, where=name, remedy=remedy)
