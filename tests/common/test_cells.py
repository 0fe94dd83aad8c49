"""What a person reads steers no terminal, hides nothing, and fits in the cells that it is given."""

from __future__ import annotations

import json
import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote._common.cells import cut, in_json, n_cells, printable
from pairvote._common.tables import html_table, side_by_side, text_lines

# U+202A-202E, 2066-2069: overrides and isolates; 200E, 200F, 061C: marks.
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
WITHOUT_WIDTH = "\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\xad\u034f\u180e\u115f\u3164\uffa0\U000e0001\U000e0041"
BREAKS = "\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029"
OTHERS = "\0\a\b\x1b\x7f\x9b\ud800\udfff\ue000\U000f0000\ufff9\uffff"
UNSAFE = BIDI + WITHOUT_WIDTH + BREAKS + OTHERS
SAFE = (
    "ash",
    "Åska",
    "a\u030aska",
    "\u65e5\u672c\u8a9e",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u0915\u094d\u200d\u0937",
    "\u2764\ufe0f\u200d\U0001f525",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "1\ufe0f\u20e3",
    "\u8fba\U000e0100",
    "no\xa0break",
    "back\\slash",
)


@pytest.mark.parametrize("character", UNSAFE, ids=lambda c: f"U+{ord(c):04X}")
def test_what_hides_or_steers_is_escaped_wherever_it_stands(character: str) -> None:
    for text in (character, f"a{character}b", f"\u65e5{character}\u672c", f"\u0645{character * 2}\u0645"):
        shown = printable(text)
        assert character not in shown
        assert f"{ord(character):x}" in shown or shown.count("\\") == text.count(character)
        assert printable(shown) == shown
        assert json.loads(in_json(f'"{text}"'), strict=True) == text if ord(character) >= 32 else True


@pytest.mark.parametrize("text", SAFE, ids=ascii)
def test_letters_of_every_script_and_emoji_stay(text: str) -> None:
    assert printable(text) == text
    assert in_json(json.dumps(text, ensure_ascii=False)) == json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d", "\ufe0f", "\U000e0100"])
def test_joiners_are_escaped_where_nothing_joins(joiner: str) -> None:
    for text in (f"a{joiner}b", joiner, f"{joiner}\u65e5", f"x{joiner}", f"\u0645{joiner}{joiner}x"):
        assert joiner not in printable(text) or text[0] == "\u0645"
    assert "\u200d" not in printable("\u65e5\u200d\u200d\u672c")


def test_every_control_and_direction_of_unicode_is_escaped() -> None:
    for code in range(0x110000):
        character = chr(code)
        category = unicodedata.category(character)
        steers = unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        if category in {"Cc", "Cs", "Co", "Zl", "Zp"} or steers:
            assert printable(character).isascii(), hex(code)


@given(st.text())
def test_json_says_the_same(text: str) -> None:
    written = in_json(json.dumps({text: [text]}, ensure_ascii=False, indent=1))
    assert json.loads(written) == {text: [text]}
    assert printable(written.replace("\n", "")) == written.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("ash", 3),
        ("", 0),
        ("\u65e5\u672c\u8a9e", 6),
        ("\uff21\uff22", 4),
        ("\uff71\uff72", 2),
        ("e\u0301", 1),
        ("\ud55c\uae00", 4),
        ("\u1112\u1161\u11ab", 2),
        ("\U0001f600", 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 2),
        ("\U0001f1f8\U0001f1ea", 2),
        ("\u2764\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("\u05e9\u05c1", 1),
        ("\u0e01\u0e33", 2),
    ],
    ids=ascii,
)
def test_cells_are_those_of_a_terminal(text: str, cells: int) -> None:
    assert n_cells(text) == cells


def test_cells_are_those_that_wcwidth_counts() -> None:
    """wcwidth knows later versions of Unicode, and gives spacing marks no cell; terminals differ there."""
    wcwidth = pytest.importorskip("wcwidth")
    differ = 0
    for code in range(0x20, 0x110000):
        character = chr(code)
        known = unicodedata.category(character) not in {"Cn", "Mc"} and printable(character) == character
        differ += known and n_cells(character) != wcwidth.wcwidth(character)
    # Trigrams, hexagrams, counting rods and some more that Unicode 16 made wide.
    assert differ < 300


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-1, 30))
def test_a_cut_text_fits_and_is_the_beginning(text: str, width: int) -> None:
    shown = cut(printable(text), width)
    assert n_cells(shown) <= max(width, 1)
    assert shown == printable(text) or (shown[-1] == "…" and printable(text).startswith(shown[:-1]))


def test_a_text_that_fits_is_not_cut() -> None:
    for text in SAFE:
        assert cut(text, n_cells(text)) == text
        assert cut(text + "x", n_cells(text)) != text
    assert cut("\u65e5\u672c\u8a9e", 5) == "\u65e5\u672c…"
    assert cut("\u65e5\u672c\u8a9e", 4) == "\u65e5…"
    assert cut("abc def", 5) == "abc…"
    # Marks have no width: a label of them alone is still not endless.
    assert len(cut("e" + "\u0301" * 1000, 10)) < 100


def test_columns_stand_one_below_the_other_in_cells() -> None:
    rows = [["\u65e5\u672c", "1"], ["ash", "22"], ["e\u0301", "333"]]
    lines = text_lines(["item", "n"], rows, text_columns=(0,))
    assert [n_cells(line) for line in lines] == [n_cells(lines[0])] * 4
    assert [n_cells(line[: line.index(row[1])]) + len(row[1]) for line, row in zip(lines[1:], rows, strict=True)] == [
        9
    ] * 3
    beside = side_by_side([["\u65e5\u672c", "ash"], ["1", "2"]], " ")
    assert beside == ["\u65e5\u672c 1", "ash  2"]


@pytest.mark.parametrize("width", [0, 1, 20, 24, 30, 50, 79, 80, 200])
def test_lines_fit_wherever_there_is_text_to_cut(width: int) -> None:
    rows = [["a" * 60, "1234567", "\u65e5" * 20, "x"], ["b", "-1.5", "c" * 7, "y"]]
    lines = text_lines(["item", "score", "other", "z"], rows, text_columns=(0, 2, 3), width=width)
    # Text columns of at least four cells, numbers of seven, gaps.
    assert max(map(n_cells, lines)) <= max(width, 4 + 7 + 4 + 1 + 6)
    assert "1234567" in lines[1]
    assert "-1.5" in lines[2]
    if width >= 60 + 7 + 40 + 1 + 6:
        assert lines == text_lines(["item", "score", "other", "z"], rows, text_columns=(0, 2, 3))


def test_cells_of_html_are_escaped() -> None:
    table = html_table(["item\u202e"], [["<b>\x1b\u2028"]], text_columns=(0,))
    assert printable(table) == table
    assert "&lt;b&gt;\\x1b\\u2028" in table


# --- the whole library ---

NASTY = "x\u202ey\x1b[2J\u2028\u200b\n"


def nasty_votes() -> pv.Votes:
    items = [f"{NASTY}{number}" for number in range(4)]
    left, right = [0, 1, 2, 3, 0, 1] * 5, [1, 2, 3, 0, 2, 3] * 5
    return pv.Votes.from_labels(
        [items[code] for code in left],
        [items[code] for code in right],
        ["left", "right", "tie", "left", "left"] * 6,
        voter=[f"{NASTY}{number % 3}" for number in range(30)],
    )


def test_nothing_that_prints_steers_the_terminal() -> None:
    votes = nasty_votes()
    ranking = pv.bradley_terry(votes)
    report = pv.diagnostics.check(votes, top_k=1, rng=0)
    shown: list[object] = [votes, votes.counts(), ranking, ranking.fit, ranking.difference(*votes.items[:2]), report]
    shown += [*report.parts.values(), pv.Poll(votes.items), pv.EloRatings(votes.items), pv.tally(votes)]
    for value in shown:
        texts = [str(value), repr(value)]
        if hasattr(value, "_repr_html_"):
            texts.append(value._repr_html_())
        for text in texts:
            assert printable(text.replace("\n", "")) == text.replace("\n", ""), (type(value), text)


def test_errors_are_one_line_that_steers_no_terminal(tmp_path) -> None:
    path = tmp_path / f"none{NASTY}.db"
    votes = nasty_votes()
    calls = {
        "open": lambda: pv.Poll.open(str(path)),
        "read": lambda: pv.read_votes(str(path)),
        "csv": lambda: pv.read_votes(str(path.with_suffix(".csv"))),
        "ties": lambda: pv.bradley_terry(votes, ties=NASTY),
        "label": lambda: pv.bradley_terry(votes).difference(NASTY, NASTY),
        "unknown": lambda: pv.Votes.from_labels([NASTY], ["b"], [NASTY]),
        "infinite": lambda: pv.bradley_terry(pv.Votes.from_wins([NASTY], ["b"]), prior_sd=math.inf),
        "raw": lambda: (_ for _ in ()).throw(pv.InputError(NASTY, remedy=NASTY)),
    }
    for name, call in calls.items():
        with pytest.raises((pv.PairvoteError, KeyError)) as raised:
            call()
        assert printable(str(raised.value)) == str(raised.value), name


@pytest.mark.parametrize(("problem", "remedy"), [(10, 10_000), (10_000, 10), (10_000, 10_000), (10_000, None)])
def test_no_message_is_longer_than_a_screen(problem: int, remedy: int | None) -> None:
    ends = "" if remedy is None else "r" * remedy + "follow this"
    error = pv.InputError("this is wrong" + "p" * problem, remedy=ends or None)
    text = str(error)
    assert len(text) <= 2000
    assert text.startswith("this is wrong")
    assert text.endswith("follow this" if ends else "ppp")
    assert (error.problem, error.remedy) == ("this is wrong" + "p" * problem, ends or None)
    assert len(str(error.at("partition 2"))) <= 2000


def test_short_messages_are_whole() -> None:
    for problem, remedy in ((1000, 700), (1700, 50), (50, 1700)):
        assert str(pv.InputError("p" * problem, remedy="r" * remedy)) == f"{'p' * problem}; {'r' * remedy}"
