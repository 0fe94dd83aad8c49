"""Whatever is thrown at the readers and constructors, votes in order or a PairvoteError come out."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import functools
import importlib
import io
import json
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from workbooks import workbook

import pairvote as pv
from pairvote.io import _csv
from pairvote.io._formats import FORMATS as REGISTERED

FORMATS = tuple(REGISTERED)
OUTCOMES = ("left", "right", "tie", "skip")


def check(votes):
    """What holds of any votes, so that kernels may trust it."""
    n_votes = len(votes)
    for codes, labels, lowest in (
        (votes.left, votes.items, 0),
        (votes.right, votes.items, 0),
        (votes.voter, votes.voters, -1),
        (votes.criterion, votes.criteria, -1),
    ):
        assert isinstance(labels, tuple)
        assert len(set(labels)) == len(labels)
        assert all(label is not None and label == label for label in labels)  # noqa: PLR0124
        if codes is not None:
            assert codes.dtype == np.int32
            assert codes.shape == (n_votes,)
            assert not codes.size or lowest <= codes.min() <= codes.max() < len(labels)
            assert not codes.flags.writeable
    assert (votes.left != votes.right).all()
    assert votes.outcome.dtype == np.uint8
    assert votes.outcome.shape == (n_votes,)
    assert (votes.outcome <= pv.Outcome.SKIP).all()
    assert not votes.outcome.flags.writeable
    if votes.weight is not None:
        assert votes.weight.dtype == np.float64
        assert votes.weight.shape == (n_votes,)
        assert np.isfinite(votes.weight).all()
        assert (votes.weight >= 0).all()
        assert not votes.weight.flags.writeable
    repr(votes)


TRIED = Counter()


def attempt(make, *args, **options):
    """Whether votes came out, and no PairvoteError."""
    made = False
    with suppress(pv.PairvoteError):
        check(make(*args, **options))
        made = True
    TRIED[made] += 1
    return made


def reads(share):
    """At least this share of a test's attempts must give votes: a reader that refuses everything is no reader.

    A quarter of what was measured, or so, since other releases of Hypothesis draw other examples.
    """

    def decorate(test):
        @functools.wraps(test)
        def counted(*args, **kwargs):
            TRIED.clear()
            test(*args, **kwargs)
            assert TRIED[True] >= share * TRIED.total(), f"only {TRIED[True]} of {TRIED.total()} were read"

        return counted

    return decorate


def valid_file(format):
    votes = pv.Votes.from_labels(
        ["ash", 'a "quoted", name', "två\nrader"] * 3,
        ["birch", "ash", "birch"] * 3,
        ["left", "tie", "skip"] * 3,
        voter=["anna", None, "bo"] * 3,
        weight=[1.0, 0.5, 2.0] * 3,
    )
    if format == "csv":
        return (
            "left,right,outcome,voter,weight\n"
            + 'ash,"a ""quoted"", name",tie,anna,0.5\n"två\nrader",ash,left,,1\n' * 3
        ).encode()
    columns = votes.to_columns()
    if format in ("jsonl", "json"):
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        texts = [json.dumps(row, ensure_ascii=False) for row in rows]
        return ("\n".join(texts) if format == "jsonl" else "[" + ",\n".join(texts) + "]").encode()
    if format == "excel":
        return workbook({"votes": [list(columns), *zip(*columns.values(), strict=True)]})
    if format == "arrow":
        feather = pytest.importorskip("pyarrow.feather")
        held = io.BytesIO()
        feather.write_feather(votes.to_frame("pyarrow"), held, compression="uncompressed")
        return held.getvalue()
    pq = pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    pq.write_table(votes.to_frame("pyarrow"), buffer)
    return buffer.getvalue()


@st.composite
def mutations(draw, content, pieces):
    """A file with a few of its bytes changed, repeated, cut out or put in."""
    mutated = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(mutated)))
        stop = min(len(mutated), start + draw(st.integers(0, 12)))
        mutated[start:stop] = draw(
            st.sampled_from(pieces) | st.binary(max_size=3) | st.just(bytes(mutated[start:stop]) * 2)
        )
    return bytes(mutated)


TEXT_PIECES = [
    b"",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b'""',
    b"\xef\xbb\xbf",
    b"\0",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b":",
    b"NaN",
]
TEXT_PIECES += [b"null", b"1e999", b"-1", b"left", b"\\ud800", b'"weight": true', "é".encode(), "é".encode("latin-1")]


@pytest.fixture(scope="module", autouse=True)
def pyarrow_reads_small_files_too():
    with pytest.MonkeyPatch.context() as patch:
        reading = functools.partial(_csv.read, arrow_from_bytes=150)
        patch.setitem(REGISTERED, "csv", dataclasses.replace(REGISTERED["csv"], read=reading))
        yield


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2) | st.sampled_from(OUTCOMES),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
)


class TestFiles:
    @pytest.mark.parametrize("format", FORMATS)
    @settings(max_examples=60)
    @given(
        content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
    def test_random_bytes(self, format, content):
        attempt(pv.read_votes, io.BytesIO(content), format=format)

    @settings(max_examples=60)
    @given(st.text(st.characters(), max_size=60), st.sampled_from(FORMATS), st.none() | st.text(max_size=3))
    def test_random_text(self, text, format, name):
        attempt(pv.read_votes, io.StringIO(text), format=format)
        attempt(pv.read_votes, io.StringIO("left,right,outcome\n" + text), format=format, voter=name)
        attempt(pv.read_votes, text)

    @pytest.mark.slow
    @reads(0.025)
    @pytest.mark.parametrize("format", FORMATS)
    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_valid_files_with_bytes_changed(self, format, data):
        valid = valid_file(format)
        attempt(pv.read_votes, io.BytesIO(data.draw(mutations(valid, TEXT_PIECES))), format=format)

    @reads(0.05)
    @settings(max_examples=100)
    @given(
        st.lists(
            st.fixed_dictionaries(
                {name: st.just(valid) | JSON for name, valid in (("left", "a"), ("right", "b"), ("outcome", "left"))},
                optional={"voter": JSON, "weight": st.just(1), "criterion": JSON},
            )
            | st.fixed_dictionaries(
                {"left": st.just("a"), "right": st.just("b"), "outcome": st.sampled_from(OUTCOMES)}
            ),
            min_size=1,
            max_size=2,
        )
    )
    def test_json_of_any_kind(self, records):
        text = "\n".join(map(json.dumps, records))
        attempt(pv.read_votes, io.StringIO(text), format="jsonl", outcomes={None: "skip", 0: "left"})

    @pytest.mark.slow
    @given(st.data())
    def test_any_arguments(self, data):
        options = data.draw(
            st.fixed_dictionaries(
                {},
                optional=dict.fromkeys(
                    ("format", "left", "right", "outcome", "voter", "weight", "criterion", "items", "outcomes"), THINGS
                ),
            )
        )
        attempt(pv.read_votes, io.BytesIO(valid_file("csv")), **{"format": "csv", **options})
        attempt(pv.read_votes, data.draw(THINGS), format="csv")
        with suppress(pv.PairvoteError):
            pv.write_votes(data.draw(THINGS), data.draw(THINGS), format=data.draw(THINGS))


def brief(strategy):
    """The strategy under a short name: Hypothesis writes out whole ones when a draw fails."""

    @st.composite
    def things(draw):
        return draw(strategy)

    return things()


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 5),
    st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**400]),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(), max_size=2),
    st.sampled_from(OUTCOMES),
    st.sampled_from(list(pv.Outcome)),
    st.binary(max_size=2),
    st.sampled_from(
        [
            np.datetime64("NaT"),
            np.float32("nan"),
            np.int8(-1),
            np.str_("ash"),
            np.bool_(True),
            np.array(3),
            np.array([]),
            decimal.Decimal("NaN"),
            decimal.Decimal("sNaN"),
            decimal.Decimal(1),
            datetime.date(2014, 5, 1),
            Ellipsis,
            object,
        ]
    ),
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=1), inner),
)
ARRAYS = hnp.arrays(
    hnp.scalar_dtypes() | hnp.array_dtypes(max_size=2) | st.just(np.dtype(object)),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
GOOD_LABELS = st.lists(st.sampled_from(["ash", "birch", 3]), min_size=3, max_size=3)
GOOD_OUTCOMES = st.lists(st.sampled_from(OUTCOMES), min_size=3, max_size=3)
GOOD_CODES = st.lists(st.integers(0, 3), min_size=3, max_size=3)
GOOD_TABLES = hnp.arrays(st.sampled_from([np.int8, np.float64]), (3, 3), elements=st.integers(0, 3))


def installed(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


LIBRARIES = st.sampled_from([name for name in ("pandas", "polars", "pyarrow") if installed(name)])


def generator(values):
    return (value for value in values)


def series(library, values):
    """A column of a data frame, or the bare list where its library will not have it."""
    module = importlib.import_module(library)
    try:
        if library == "pyarrow":
            return module.array(values)
        if library == "polars" and decimal.Decimal in map(type, values):
            # Beside text, decimals make polars panic.
            return values
        return module.Series(values)
    except Exception:
        return values


def categorical(library, values):
    module = importlib.import_module(library)
    try:
        if library == "pandas":
            return module.Series(values, dtype="category")
        if library == "polars":
            return module.Series(values, dtype=module.Categorical)
        return module.array(values).dictionary_encode("encode")
    except Exception:
        return values


COLUMNS = brief(
    st.one_of(
        st.lists(SCALARS, max_size=4),
        st.lists(SCALARS, min_size=3, max_size=3),
        st.lists(SCALARS, min_size=3, max_size=3).map(generator),
        hnp.arrays(hnp.scalar_dtypes() | st.just(np.dtype(object)), 3),
        GOOD_LABELS,
        GOOD_OUTCOMES,
        GOOD_CODES,
        st.builds(series, LIBRARIES, st.lists(SCALARS, min_size=3, max_size=3) | GOOD_LABELS | GOOD_CODES),
        st.builds(
            categorical,
            LIBRARIES,
            st.lists(st.none() | st.text(max_size=1), min_size=3, max_size=3)
            | st.lists(st.floats(), min_size=3, max_size=3)
            | GOOD_CODES,
        ),
    )
)
THINGS = brief(
    st.one_of(NESTED, COLUMNS, ARRAYS, st.just(range(3)), st.sets(st.integers(0, 3)), st.just(memoryview(b"abc")))
)
MEANINGS = st.none() | st.dictionaries(
    SCALARS.filter(lambda label: type(label).__hash__ is not None and not isinstance(label, decimal.Decimal)),
    st.sampled_from(OUTCOMES),
    max_size=3,
)


def options(**strategies):
    return st.fixed_dictionaries({}, optional=strategies)


COMMON = {"voter": COLUMNS | THINGS, "weight": COLUMNS | THINGS, "criterion": COLUMNS | THINGS}
ITEMS = st.sampled_from([["ash", "birch", 3], range(4), [0, 1, 2, 3]]) | COLUMNS | THINGS
N_ITEMS = st.sampled_from([3, 4, 10**12, 2**70, -1, True, 3.0]) | THINGS


class TestConstructors:
    @pytest.mark.slow
    @settings(max_examples=400)
    @given(
        GOOD_LABELS | COLUMNS | THINGS,
        GOOD_LABELS | COLUMNS | THINGS,
        GOOD_OUTCOMES | COLUMNS | THINGS,
        options(**COMMON, items=ITEMS, outcomes=MEANINGS | THINGS),
    )
    def test_from_labels(self, left, right, outcome, keywords):
        attempt(pv.Votes.from_labels, left, right, outcome, **keywords)

    @pytest.mark.slow
    @reads(0.15)
    @settings(max_examples=400)
    @given(COLUMNS, st.sampled_from(["left", "right", "outcome", "voter", "weight", "criterion", "items"]))
    def test_from_labels_with_one_column_off(self, column, name):
        columns = {"left": ["ash", "birch", 3], "right": ["birch", 3, "ash"], "outcome": ["left", "tie", "skip"]}
        attempt(pv.Votes.from_labels, **{**columns, name: column})

    @pytest.mark.slow
    @settings(max_examples=400)
    @given(
        GOOD_CODES | COLUMNS | THINGS,
        GOOD_CODES | COLUMNS | THINGS,
        GOOD_CODES | GOOD_OUTCOMES | COLUMNS | THINGS,
        options(**COMMON, items=ITEMS, n_items=N_ITEMS),
    )
    def test_from_codes(self, left, right, outcome, keywords):
        attempt(pv.Votes.from_codes, left, right, outcome, **keywords)

    @pytest.mark.slow
    @reads(0.05)
    @settings(max_examples=400)
    @given(
        COLUMNS | N_ITEMS,
        st.sampled_from(["left", "right", "outcome", "voter", "weight", "criterion", "items", "n_items"]),
    )
    def test_from_codes_with_one_column_off(self, column, name):
        attempt(pv.Votes.from_codes, **{"left": [0, 1, 2], "right": [1, 2, 0], "outcome": [2, 1, 3], name: column})

    @pytest.mark.slow
    @reads(0.03)
    @settings(max_examples=200)
    @given(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.sampled_from(OUTCOMES), SCALARS)
            | st.lists(SCALARS, max_size=5)
            | st.dictionaries(st.sampled_from(["left", "right", "outcome", "voter", "weight", "criterion"]), SCALARS)
            | NESTED,
            max_size=3,
        )
        | THINGS,
        options(items=ITEMS, outcomes=MEANINGS | THINGS),
    )
    def test_from_records(self, records, keywords):
        attempt(pv.Votes.from_records, records, **keywords)

    @pytest.mark.slow
    @reads(0.03)
    @settings(max_examples=200)
    @given(GOOD_LABELS | COLUMNS | THINGS, GOOD_LABELS | COLUMNS | THINGS, options(items=ITEMS))
    def test_from_wins(self, winners, losers, keywords):
        attempt(pv.Votes.from_wins, winners, losers, **keywords)

    @pytest.mark.slow
    @reads(0.025)
    @settings(max_examples=300)
    @given(
        GOOD_TABLES | ARRAYS | THINGS | hnp.arrays(np.float64, (2, 2)) | hnp.arrays(np.complex128, (2, 2)),
        options(ties=GOOD_TABLES | ARRAYS | THINGS, items=ITEMS),
    )
    def test_from_matrix(self, wins, keywords):
        attempt(pv.Votes.from_matrix, wins, **keywords)

    @pytest.mark.slow
    @reads(0.025)
    @settings(max_examples=200)
    @given(
        st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=4)
        | st.lists(st.tuples(SCALARS, SCALARS), max_size=3)
        | THINGS,
        options(items=ITEMS, n_items=N_ITEMS),
    )
    def test_from_choix(self, pairs, keywords):
        attempt(pv.Votes.from_choix, pairs, **keywords)

    @pytest.mark.slow
    @reads(0.05)
    @settings(max_examples=300)
    @given(
        LIBRARIES,
        st.fixed_dictionaries(
            {
                "left": GOOD_LABELS | COLUMNS,
                "right": GOOD_LABELS | COLUMNS,
                "outcome": GOOD_OUTCOMES | COLUMNS,
            },
            optional={"voter": COLUMNS, "weight": COLUMNS, "criterion": COLUMNS, "a column": COLUMNS},
        ),
        options(
            left=st.sampled_from(["left", "voter", "none"]) | SCALARS,
            voter=st.sampled_from(["voter", "left", "a column"]) | SCALARS,
            weight=st.sampled_from(["weight", "left", "a column"]) | SCALARS,
            criterion=st.sampled_from(["criterion", "a column"]) | SCALARS,
            items=ITEMS,
            outcomes=MEANINGS | THINGS,
        ),
    )
    def test_from_frame(self, library, columns, keywords):
        attempt(pv.Votes.from_frame, frame(library, columns), **keywords)

    @settings(max_examples=50)
    @given(THINGS)
    def test_from_what_is_no_frame(self, thing):
        attempt(pv.Votes.from_frame, thing)


TOO_LONG = 10**5000


@pytest.mark.parametrize(
    "make",
    [
        lambda: pv.Votes.from_labels([TOO_LONG], [TOO_LONG], ["tie"]),
        lambda: pv.Votes.from_labels([TOO_LONG], [1], ["tie"], items=[1, 2]),
        lambda: pv.Votes.from_labels([1], [2], ["tie"], items=[TOO_LONG, TOO_LONG]),
        lambda: pv.Votes.from_labels([1], [2], [TOO_LONG]),
        lambda: pv.Votes.from_labels([1], [2], ["x"], outcomes={TOO_LONG: "left"}),
        lambda: pv.Votes.from_labels([1], [2], ["x"], outcomes={"x": TOO_LONG}),
        lambda: pv.Votes.from_labels([1], [2], ["tie"], weight=[TOO_LONG]),
        lambda: pv.Votes.from_labels([1, 1], [2, 2], ["tie"] * 2, criterion=[1, TOO_LONG]).counts(),
        lambda: pv.Votes.from_codes([0], [TOO_LONG], [2]),
        lambda: pv.Votes.from_codes([0], [1], [2], n_items=TOO_LONG),
        lambda: pv.Votes.from_codes([0], [1], [TOO_LONG]),
        lambda: pv.Votes.from_records([{TOO_LONG: 1}]),
        lambda: pv.Votes.from_matrix([[0, TOO_LONG], [1, 0]]),
        lambda: pv.Votes.from_choix([(TOO_LONG, 1)]),
    ],
)
def test_integers_that_python_will_not_write_out(make):
    with pytest.raises(pv.InputError):
        make()


@pytest.mark.parametrize("code", [2**24, 2**31, 2**63, 2**64, -1])
def test_stray_codes_do_not_fill_the_memory(code):
    with pytest.raises(pv.InputError):
        pv.Votes.from_codes([0, 1], [1, code], [2, 2])
    with pytest.raises(pv.InputError):
        pv.Votes.from_codes([0], [1], [2], n_items=code + (code > 0))


def frame(library, columns):
    """A data frame of those columns that the library takes."""
    module = importlib.import_module(library)
    make = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "table"}[library]
    taken = {"left": ["ash", "birch", "ash"], "right": ["birch", "ash", "cedar"], "outcome": ["left", "tie", "skip"]}
    for name, column in columns.items():
        values = list(column) if type(column).__name__ == "generator" else column
        if library == "polars" and decimal.Decimal in map(type, values):
            continue
        with suppress(Exception):
            getattr(module, make)({**taken, name: values})
            taken[name] = values
    return getattr(module, make)(taken)
