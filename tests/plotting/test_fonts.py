"""Labels in any script are drawn with installed fonts that have their characters; else one line names a package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

import pairvote as pv
from pairvote.plotting._fonts import fallbacks

mpl.use("agg")
# Of scripts that no font of matplotlib's own has: two Han characters, a hieroglyph and one of Linear A.
HAN, OTHER, GLYPH = "\u65e5\u672c", "\u8a9e", "\U00013000"
MakeFont = Callable[..., Path]


def write_font(path: Path, name: str, characters: str) -> Path:
    """A font whose characters are black squares."""
    builder_of = pytest.importorskip("fontTools.fontBuilder").FontBuilder
    pen_of = pytest.importorskip("fontTools.pens.ttGlyphPen").TTGlyphPen
    names = [".notdef", *(f"u{ord(c):05x}" for c in characters)]
    builder = builder_of(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): f"u{ord(c):05x}" for c in characters})
    glyphs = {}
    for glyph in names:
        pen = pen_of(None)
        if glyph != ".notdef":
            pen.moveTo((0, 0))
            for point in ((0, 800), (1000, 800), (1000, 0)):
                pen.lineTo(point)
            pen.closePath()
        glyphs[glyph] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200, usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[MakeFont]:
    """Install a font for the length of a test."""
    before = list(fontManager.ttflist)

    def install(name: str, characters: str) -> Path:
        path = write_font(tmp_path / f"{name}.ttf", name, characters)
        fontManager.addfont(path)
        return path

    yield install
    fontManager.ttflist[:] = before
    fontManager._findfont_cached.cache_clear()


def ranking_of(*labels: str) -> pv.Ranking:
    return pv.tally(pv.Votes.from_wins(list(labels[:-1]), list(labels[1:]), items=labels))


def saved(path: Path, *labels: str) -> list[str]:
    """What is warned of when a picture of these labels is saved."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pv.plotting.save_ranking(ranking_of(*labels), path)
    return [str(warning.message) for warning in caught]


def drawn(*labels: str) -> list[tuple[str, list[str]]]:
    """Each label as it is drawn, and the families of its fonts."""
    ax = pv.plotting.plot_ranking(ranking_of(*labels), ax=Figure().subplots())
    return [(text.get_text(), text.get_fontfamily()) for text in ax.get_yticklabels()]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".eps"])
def test_labels_are_drawn_with_a_font_that_has_them(installed: MakeFont, tmp_path: Path, suffix: str) -> None:
    installed("Squares", HAN)
    assert saved(tmp_path / f"ranking{suffix}", HAN, "ash") == []


def test_the_characters_are_those_of_the_font(installed: MakeFont, tmp_path: Path) -> None:
    """A label of black squares is as dark as squares are, and one that the default font draws is not."""
    from matplotlib.image import imread

    installed("Squares", HAN)
    dark = {}
    for name, label in (("squares", HAN * 10), ("letters", "ae" * 10)):
        saved(tmp_path / f"{name}.png", label, "b")
        pixels = imread(tmp_path / f"{name}.png")[..., :3].max(axis=-1) < 0.5
        dark[name] = int(pixels.sum())
    # Twenty squares of nine points at 150 dots an inch, beside what else the picture has.
    squares = 20 * (0.8 * 9 * 150 / 72) * (9 * 150 / 72)
    assert dark["squares"] - dark["letters"] > 0.6 * squares


def test_only_labels_that_lack_something_change_their_fonts(installed: MakeFont) -> None:
    installed("Squares", HAN)
    assert drawn("ash", HAN, "\xd6l", f"a{HAN[0]}") == [
        ("ash", mpl.rcParams["font.family"]),
        (HAN, [*mpl.rcParams["font.family"], "Squares"]),
        ("\xd6l", mpl.rcParams["font.family"]),
        (f"a{HAN[0]}", [*mpl.rcParams["font.family"], "Squares"]),
    ]


def test_few_fonts_are_taken_and_sans_before_serif(installed: MakeFont) -> None:
    installed("One", HAN[0])
    installed("All Serif", HAN + OTHER)
    installed("All Sans", HAN + OTHER)
    assert fallbacks(frozenset(HAN + OTHER)) == (("All Sans",), frozenset())
    assert fallbacks(frozenset(HAN + GLYPH)) == (("All Sans",), frozenset(GLYPH))
    installed("Glyphs", GLYPH)
    assert fallbacks(frozenset(HAN + GLYPH)) == (("All Sans", "Glyphs"), frozenset())
    installed("Noto Color Emoji", HAN + GLYPH)
    assert fallbacks(frozenset(HAN + GLYPH)) == (("All Sans", "Glyphs"), frozenset())


def test_fonts_that_were_chosen_stay(installed: MakeFont) -> None:
    installed("Chosen", HAN)
    installed("A Sans", HAN + OTHER)
    with mpl.rc_context({"font.family": ["DejaVu Sans", "Chosen"]}):
        assert drawn(HAN, HAN + OTHER) == [
            (HAN, ["DejaVu Sans", "Chosen"]),
            (HAN + OTHER, ["DejaVu Sans", "Chosen", "A Sans"]),
        ]


def test_characters_that_no_font_has_are_said_once(tmp_path: Path) -> None:
    if fallbacks(frozenset(HAN + GLYPH))[0]:
        pytest.skip("a font for these is installed here")
    (said,) = saved(tmp_path / "ranking.png", HAN, f"{HAN} {GLYPH}", f"{GLYPH * 3}a")
    assert said.startswith(
        f"no installed font has '\u65e5' (U+65E5), '\u672c' (U+672C), '{GLYPH}' (U+13000) of the labels"
    )
    assert "install fonts-noto-cjk and fonts-noto-core" in said
    assert "Glyph" not in said
    (said,) = saved(tmp_path / "ranking.png", "".join(map(chr, range(0x4E00, 0x4E20))), "a")
    assert "and 27 more characters of the labels" in said
    with pytest.warns(UserWarning, match="install fonts-noto-cjk") as warned:
        pv.plotting.plot_ranking(ranking_of(HAN, "a"), ax=Figure().subplots())
    assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize(
    "plot", ["plot_comparisons", "plot_exposure", "plot_course", "plot_certainty", "plot_probabilities"]
)
def test_every_picture_has_fonts_for_its_labels(installed: MakeFont, plot: str) -> None:
    installed("Squares", HAN)
    rng = np.random.default_rng(1)
    left = rng.integers(4, size=60)
    votes = pv.Votes.from_codes(
        left, (left + rng.integers(1, 4, size=60)) % 4, [0, 1, 2, 2] * 15, items=["a", HAN, "b", "c"]
    )
    options = {"plot_course": {"top_k": 2}, "plot_certainty": {"top_k": 2, "n_steps": 3, "rng": 1}}.get(plot, {})
    data = pv.bradley_terry(votes) if plot == "plot_probabilities" else votes
    ax = getattr(pv.plotting, plot)(data, ax=Figure().subplots(), **options)
    from matplotlib.text import Text

    texts = [text for text in ax.findobj(Text) if isinstance(text, Text) and HAN in text.get_text()]
    assert {text.get_fontfamily()[-1] for text in texts} == {"Squares"} or (plot == "plot_certainty" and not texts)


def test_a_font_that_is_installed_later_is_found(tmp_path: Path) -> None:
    """The remedy works: matplotlib keeps a list of fonts, which is older than what was just installed."""
    environment = {**os.environ, "PYTHONPATH": str(Path(pv.__file__).parents[1]), "HOME": str(tmp_path)}
    environment |= {"MPLCONFIGDIR": str(tmp_path / "matplotlib"), "XDG_DATA_HOME": str(tmp_path / "share")}
    votes = f"left,right,outcome\n{GLYPH},ash,left\n".encode()
    command = [
        sys.executable,
        "-m",
        "pairvote",
        "rank",
        "-",
        "--plot",
        str(tmp_path / "ranking.png"),
        "--format",
        "json",
    ]

    def warnings_told() -> list[str]:
        done = subprocess.run(command, input=votes, env=environment, capture_output=True, check=True)
        told = json.loads(done.stdout)["warnings"]
        said = [line for line in done.stderr.decode().splitlines() if "pairvote" in line]
        assert said[1:] == [f"pairvote: {sentence}" for sentence in told]
        assert said[0].startswith("pairvote: note: 1 row read from standard input")
        return list(told)

    first = warnings_told()
    if not first:
        pytest.skip("a font for these is installed here")
    assert len(first) == 1
    assert "install fonts-noto-core" in first[0]
    folder = tmp_path / "share" / "fonts"
    folder.mkdir(parents=True)
    write_font(folder / "squares.ttf", "Squares", GLYPH)
    assert warnings_told() == []


@pytest.mark.parametrize(
    "label", ["$x_1$", "costs $5 or $6", "a_b^c", "\\alpha", "100 %", "{", "\\frac{", "_hidden", "\\$"]
)
def test_signs_of_formulas_are_drawn_as_they_are(label: str, tmp_path: Path) -> None:
    from matplotlib.text import Text

    ranking = ranking_of(label, "b")
    ax = pv.plotting.plot_ranking(ranking, ax=Figure().subplots())
    assert ax.get_yticklabels()[0].get_text() == label
    votes = pv.Votes.from_wins([label, "b", label], ["b", "c", "c"])
    axes = [ax, pv.plotting.plot_course(votes, top_k=1, ax=Figure().subplots())]
    axes.append(pv.plotting.plot_certainty(votes, top_k=1, n_steps=2, rng=1, ax=Figure().subplots()))
    axes.append(pv.plotting.plot_comparisons(votes, ax=Figure().subplots()))
    for number, one in enumerate(axes):
        texts = [text for text in one.findobj(Text) if isinstance(text, Text) and text.get_text() == label]
        assert texts, number
        assert not any(text.get_parse_math() for text in texts)
        one.figure.savefig(tmp_path / f"{number}.svg")
