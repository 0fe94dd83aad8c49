"""Small workbooks of Excel, written by hand."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

SPREAD = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# The second style shows a number as a day and a time.
STYLES = (
    f'<styleSheet xmlns="{SPREAD}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
EPOCH = datetime.datetime(1899, 12, 30)


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]], *, hidden: Collection[str] = ()) -> bytes:
    """A workbook of these sheets; None is an empty cell, and a row without cells is not written."""
    names = list(sheets)
    numbers = range(1, len(names) + 1)
    relations = "".join(
        f'<Relationship Id="r{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    shown = {False: "", True: ' state="hidden"'}
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="r{number}"{shown[name in hidden]}/>'
        for number, name in zip(numbers, names, strict=True)
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{KINDS}.worksheet+xml"/>'
        for number in numbers
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KINDS}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{KINDS}.styles+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SPREAD}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{relations}'
        f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        **{
            f"xl/worksheets/sheet{number}.xml": f'<worksheet xmlns="{SPREAD}"><sheetData>{rows(sheets[name])}'
            "</sheetData></worksheet>"
            for number, name in zip(numbers, names, strict=True)
        },
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + text)
    return held.getvalue()


def open_document(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """An OpenDocument spreadsheet of these sheets of text and numbers; None is an empty cell."""

    def written(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, (int, float)):
            return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'

    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>"
        + "".join(f"<table:table-row>{''.join(map(written, row))}</table:table-row>" for row in cells)
        + "</table:table>"
        for name, cells in sheets.items()
    )
    spaces = " ".join(f'xmlns:{name}="{OASIS}{name}:1.0"' for name in ("office", "table", "text", "manifest"))
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest {spaces}><manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            "</manifest:manifest>",
        )
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>{tables}'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return held.getvalue()


def rows(cells: Sequence[Sequence[Any]]) -> str:
    """The rows of a sheet."""
    return "".join(
        f'<row r="{number}">{"".join(cell(value, f"{column(place)}{number}") for place, value in enumerate(row))}</row>'
        for number, row in enumerate(cells, 1)
        if any(value is not None for value in row)
    )


def column(place: int) -> str:
    """What Excel calls the column in a place from 0."""
    return (column(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def cell(value: Any, reference: str) -> str:
    """A cell with its value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime.datetime):
        days = (value - EPOCH) / datetime.timedelta(days=1)
        return f'<c r="{reference}" s="1"><v>{days!r}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{reference}"><v>{value!r}</v></c>'
    if value.startswith("#"):
        return f'<c r="{reference}" t="e"><v>{value}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
