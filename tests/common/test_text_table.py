"""Texts numbered as bytes: as a dictionary of Python would number them."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from pairvote._common.text_table import PackedTexts, TextTable

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


def test_texts_of_one_hash_are_told_apart() -> None:
    # So few slots that many texts are found only after others.
    texts = [f"{code}" for code in range(32)]
    table = TextTable(n_slots=64)
    assert table.number(packed(texts)).tolist() == list(range(32))
    assert table.known(packed(texts)).tolist() == list(range(32))


def test_parts_of_a_larger_piece_are_texts_as_well() -> None:
    whole = packed(["ash", "birch", "", "oak"])
    part = PackedTexts(whole.begins[1:], whole.data)
    assert TextTable().number(part).tolist() == [0, 1, 2]


def test_more_than_can_be_numbered_is_left_to_others() -> None:
    table = TextTable(max_texts=4)
    assert PackedTexts.of(["a"] * 4, max_texts=4) is None
    assert table.number(packed(["a", "b"])).tolist() == [0, 1]
    assert table.number(packed(["a", "b"])) is None
    assert table.n_texts == 2
    assert PackedTexts.of(["abc"], max_bytes=3) is None
    assert TextTable(max_bytes=3).number(packed(["abc"])) is None
