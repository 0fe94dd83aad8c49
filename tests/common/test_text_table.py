"""Texts numbered as bytes: as a dictionary of Python would number them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote._common.text_table import PackedTexts, TextLimits, TextTable

# With halves of surrogate pairs, which a Python string may hold.
TEXTS = st.lists(st.text(st.characters(), max_size=5), max_size=30)


def packed(texts: list[str]) -> PackedTexts:
    found = PackedTexts.of(texts)
    assert found is not None
    return found


@given(TEXTS)
def test_texts_come_back_as_they_were(texts: list[str]) -> None:
    assert packed(texts).texts() == tuple(texts)
    assert len(packed(texts)) == len(texts)


@given(st.lists(TEXTS, max_size=4))
def test_texts_are_numbered_as_they_come(batches: list[list[str]]) -> None:
    table, numbers = TextTable(), {}
    for texts in batches:
        expected = [numbers.setdefault(text, len(numbers)) for text in texts]
        assert table.number(packed(texts)).tolist() == expected
        assert table.known(packed(texts)).tolist() == expected
    assert (table.n_texts, table.packed().texts()) == (len(numbers), tuple(numbers))


def test_a_table_grows_as_texts_do_and_travels() -> None:
    texts = [f"item {code}" for code in range(50_000)]
    table = TextTable()
    for first in range(0, 50_000, 5_000):
        # The second half of each batch is new.
        batch = texts[max(first - 5_000, 0) : first + 5_000]
        assert table.number(packed(batch)).tolist() == list(range(max(first - 5_000, 0), first + 5_000))
    copy = pickle.loads(pickle.dumps(table))
    assert copy.packed().texts() == tuple(texts)
    assert copy.known(packed(texts[::-1])).tolist() == list(range(50_000))[::-1]


def test_texts_in_one_slot_are_told_apart() -> None:
    # So few slots that many texts are found only after others.
    texts = [f"{code}" for code in range(64)]
    table = TextTable(n_slots=128)
    assert table.number(packed(texts)).tolist() == list(range(64))
    assert table.known(packed(texts)).tolist() == list(range(64))


def test_parts_of_a_larger_piece_are_texts_as_well() -> None:
    whole = packed(["ash", "birch", "", "oak"])
    part = PackedTexts(whole.begins[1:], whole.data)
    assert TextTable().number(part).tolist() == [0, 1, 2]


def test_more_than_can_be_numbered_is_left_to_others() -> None:
    limits = TextLimits(texts=4)
    table = TextTable(limits=limits)
    assert PackedTexts.of(["a"] * 4, limits) is None
    assert table.number(packed(["a", "b"])).tolist() == [0, 1]
    assert table.number(packed(["a", "b"])) is None
    assert table.n_texts == 2
    assert PackedTexts.of(["abc"], TextLimits(n_bytes=3)) is None


def test_a_text_that_was_never_asked_for_has_no_number() -> None:
    table = TextTable()
    table.number(packed(["ash"]))
    for _ in range(2):
        with pytest.raises(pv.InputError, match="'birch' is not among the 1 labels"):
            table.known(packed(["ash", "birch"]))
    assert (table.n_texts, table.packed().texts()) == (1, ("ash",))


@pytest.mark.parametrize("begins", [[0, 3, 9], [0, 2, 1], [-1, 2, 3], [0, -5, 3], [0, 2**31 - 1, 3], [2, 1, 0]])
def test_texts_must_lie_within_their_bytes(begins: list[int]) -> None:
    broken = PackedTexts(np.array(begins, np.int32), np.frombuffer(b"ash", np.uint8))
    for ask in (TextTable().number, TextTable().known):
        with pytest.raises(pv.InputError, match="write the file anew"):
            ask(broken)
