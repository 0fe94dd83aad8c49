"""The pictures of a vote show what the votes say, in pixels too, at 23 and at 200 items."""

from __future__ import annotations

import inspect
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import pairvote as pv
from pairvote import plotting
from pairvote.plotting._style import COLOUR, CONTRAST, PALETTE, QUIET

mpl.use("agg")
KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014, ties=0.3)
RANKING = pv.bradley_terry(KALMAR)


def many(n_items: int = 200, n_votes: int = 3000) -> pv.Votes:
    rng = np.random.default_rng(n_items)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    outcome = 2 * (rng.random(n_votes) < 1 / (1 + np.exp((right - left) * 3 / n_items)))
    return pv.Votes.from_codes(left, right, outcome, items=[f"förslag {code}" for code in range(n_items)])


MANY = many()
DRAWN = {
    "probabilities": lambda votes, **options: plotting.plot_probabilities(pv.bradley_terry(votes), **options),
    "comparisons": plotting.plot_comparisons,
    "exposure": plotting.plot_exposure,
    "course": lambda votes, **options: plotting.plot_course(votes, n_steps=4, **options),
    "certainty": lambda votes, **options: plotting.plot_certainty(votes, n_steps=3, rng=1, **options),
    "tiers": lambda votes, **options: plotting.plot_ranking(pv.bradley_terry(votes), tiers=True, **options),
}


def pixels(ax) -> np.ndarray:
    """The picture as it is drawn: (height, width, 3), from 0 to 1."""
    canvas = mpl.backends.backend_agg.FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] / 255.0


def near(image: np.ndarray, colour: str, within: float = 0.02) -> np.ndarray:
    return np.abs(image - to_rgb(colour)).max(axis=-1) < within


@pytest.mark.slow
@pytest.mark.parametrize("votes", [KALMAR, MANY], ids=["23", "200"])
@pytest.mark.parametrize("name", DRAWN)
def test_every_picture_has_labelled_axes_and_text_that_fits_in_it(name, votes) -> None:
    ax = DRAWN[name](votes)
    figure = ax.figure
    figure.draw_without_rendering()
    assert ax.get_xlabel()
    height, width = figure.get_size_inches()[::-1] * figure.dpi
    texts = [*ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts, ax.xaxis.label, ax.yaxis.label]
    shown = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
    low, high = ax.get_ylim()
    for text, box in zip((text for text in texts if text.get_text() and text.get_visible()), shown, strict=True):
        if text in ax.texts or text in (ax.xaxis.label, ax.yaxis.label):
            assert box.x0 >= -1, text
            assert box.x1 <= width + 1, text
            assert box.y0 >= -1, text
            assert box.y1 <= height + 1, text
    assert low != high
    assert figure.get_size_inches().max() < 40
    pyplot.close(figure)


@pytest.mark.parametrize("name", DRAWN)
def test_the_given_axes_are_used_and_returned(name) -> None:
    before = pyplot.get_fignums()
    ax = Figure().subplots()
    assert DRAWN[name](KALMAR, ax=ax) is ax
    assert pyplot.get_fignums() == before


@pytest.mark.parametrize("name", DRAWN)
def test_without_matplotlib_the_error_names_the_extra(name, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(pv.InputError, match=r"pip install 'pairvote\[plot\]'"):
        DRAWN[name](KALMAR)


@pytest.mark.parametrize("name", plotting.__all__)
def test_every_picture_is_documented_with_an_example_and_takes_axes(name) -> None:
    function = getattr(plotting, name)
    assert ">>> " in inspect.getdoc(function)
    assert ("ax" in inspect.signature(function).parameters) == name.startswith("plot_")


def test_the_colours_are_okabe_and_itos() -> None:
    # Okabe and Ito (2008), in sRGB as they give it; yellow is left out, which is faint on white.
    assert {tuple(round(255 * part) for part in to_rgb(colour)) for colour in PALETTE} == {
        (0, 114, 178),
        (213, 94, 0),
        (0, 158, 115),
        (204, 121, 167),
        (230, 159, 0),
        (86, 180, 233),
        (0, 0, 0),
    }


def test_tiers_are_shaded_and_named() -> None:
    ax = plotting.plot_ranking(RANKING, tiers=True)
    named = [text.get_text() for text in ax.texts]
    assert named == [f"tier {tier}" for tier in range(1, RANKING.tiers(rng=0).max() + 1)]
    image = pixels(ax)
    box = ax.get_window_extent()
    # Down the picture's right edge, inside the axes: shaded, white, shaded.
    column = image[::-1][int(box.y0) : int(box.y1), int(box.x1) - 3].mean(axis=-1)[::-1]
    shaded = np.abs(column - 240 / 255) < 0.01
    sizes = np.bincount(RANKING.tiers(rng=0))[1:]
    assert shaded.mean() == pytest.approx(sizes[::2].sum() / sizes.sum(), abs=0.08)
    pyplot.close(ax.figure)
    with pytest.raises(pv.MissingUncertaintyError):
        plotting.plot_ranking(pv.tally(KALMAR), tiers=True)
    with pytest.raises(pv.InputError, match="tiers is 3"):
        plotting.plot_ranking(RANKING, tiers=3)


def test_tiers_can_be_saved(tmp_path) -> None:
    for tiers in (False, True):
        plotting.save_ranking(RANKING, tmp_path / f"{tiers}.svg", tiers=tiers)
    assert (tmp_path / "True.svg").read_bytes() != (tmp_path / "False.svg").read_bytes()


@pytest.mark.parametrize("top_k", [None, 4])
def test_the_matrix_is_blue_where_the_row_is_picked(top_k) -> None:
    ax = plotting.plot_probabilities(RANKING, top_k=top_k)
    (drawn,) = ax.get_images()
    order = [RANKING.items.index(label) for label in RANKING.order()[:top_k]]
    np.testing.assert_array_equal(drawn.get_array(), RANKING.probability_matrix()[np.ix_(order, order)])
    image = pixels(ax)[::-1]
    n = len(order)

    def at(row: int, column: int) -> np.ndarray:
        x, y = ax.transData.transform((column + 1, row + 1))
        return image[int(y), int(x)]

    best_over_last, last_over_best = at(0, n - 1), at(n - 1, 0)
    assert best_over_last[2] > best_over_last[0], "blue"
    assert last_over_best[0] > last_over_best[2], "orange"
    np.testing.assert_allclose(at(1, 1), 1.0, atol=0.02)
    pyplot.close(ax.figure)


def test_the_graph_has_a_line_for_each_pair_and_orange_for_upsets() -> None:
    ax = plotting.plot_comparisons(KALMAR)
    (lines,) = (drawn for drawn in ax.collections if isinstance(drawn, LineCollection))
    counts = KALMAR.counts().folded()
    assert len(lines.get_segments()) == counts.n_pairs
    scores = pv.bradley_terry(counts).scores
    lead = counts.table[:, 2] - counts.table[:, 0]
    upsets = int((lead * (scores[counts.left] - scores[counts.right]) < 0).sum())
    colours = lines.get_colors()[:, :3]
    assert (np.abs(colours - to_rgb(CONTRAST)).max(axis=1) < 0.01).sum() == upsets > 0
    assert (np.abs(colours - to_rgb(QUIET)).max(axis=1) < 0.01).sum() == counts.n_pairs - upsets
    assert near(pixels(ax), COLOUR).sum() > 23 * 10
    best = next(text for text in ax.texts if text.get_text() == RANKING.order()[0])
    assert best.get_position()[1] == max(text.get_position()[1] for text in ax.texts)
    pyplot.close(ax.figure)


def test_components_have_colours_of_their_own_and_who_was_never_asked_is_hollow() -> None:
    votes = pv.Votes.from_wins(["ash", "elm"], ["birch", "fir"], items=["ash", "birch", "elm", "fir", "oak"])
    ax = plotting.plot_comparisons(votes)
    faces = {tuple(np.round(face[:3], 3)) for face in ax.collections[-1].get_facecolors()}
    assert faces == {tuple(np.round(to_rgb(colour), 3)) for colour in (PALETTE[0], PALETTE[1], "white")}
    pyplot.close(ax.figure)


def test_exposure_bars_are_as_long_as_the_items_were_asked_about() -> None:
    skips = pv.Votes.from_labels(KALMAR.items[:1] * 3, KALMAR.items[1:2] * 3, ["skip"] * 3)
    votes = KALMAR + skips
    ax = plotting.plot_exposure(votes)
    lengths = {bars.get_label(): [bar.get_width() for bar in bars] for bars in ax.containers}
    order = [votes.items.index(label) for label in pv.win_rate(votes).order()]
    found = pv.diagnostics.exposure(votes)
    assert lengths["on the left"] == found.left[order].tolist()
    assert lengths["on the right"] == (found.asked - found.left)[order].tolist()
    assert sum(lengths["skipped"]) == 6
    image = pixels(ax)
    box = ax.get_window_extent()
    blue = near(image[:, int(box.x0) : int(box.x1)], COLOUR).any(axis=1)
    # A bar for every item, and one more in the legend above.
    assert (np.diff(blue.astype(int), prepend=0) == 1).sum() == 23 + 1
    pyplot.close(ax.figure)


def test_the_course_ends_at_the_ranking() -> None:
    ax = plotting.plot_course(KALMAR, n_steps=10)
    ends = [line.get_ydata()[-1] for line in ax.get_lines()]
    assert sorted(ends) == list(range(1, 24))
    assert ax.get_lines()[0].get_xdata().tolist() == list(range(60, 601, 60))
    coloured = {line.get_color(): line.get_ydata()[-1] for line in ax.get_lines() if line.get_color() != QUIET}
    assert coloured == {PALETTE[place]: place + 1 for place in range(5)}
    half = pv.bradley_terry(KALMAR.where(np.arange(600) < 300)).order()
    named = {text.get_text().removesuffix("…"): text.get_position()[1] for text in ax.texts}
    for name, place in named.items():
        assert RANKING.order()[int(place) - 1].startswith(name)
    best = next(line for line in ax.get_lines() if line.get_color() == PALETTE[0])
    assert best.get_ydata()[4] == 1 + half.index(RANKING.order()[0])
    pyplot.close(ax.figure)


def test_certainty_is_the_top_k_probability_at_every_moment() -> None:
    ax = plotting.plot_certainty(KALMAR, n_steps=3, rng=1)
    lines = {line.get_label(): line for line in ax.get_lines()}
    chances = RANKING.top_k_probability(5, rng=5)
    best = [RANKING.items.index(one) for one in RANKING.order()[:5]]
    assert lines["mean of the best then"].get_ydata()[-1] == pytest.approx(chances[best].mean(), abs=0.02)
    for place, code in enumerate(best, start=1):
        assert lines[f"place {place}"].get_ydata()[-1] == pytest.approx(chances[code], abs=0.02)
    named = [text.get_text().removesuffix("…") for text in ax.get_legend().get_texts()]
    assert all(label.startswith(name) for label, name in zip(RANKING.order(), named[:5], strict=False))
    assert ax.get_ylim()[0] == 0
    pyplot.close(ax.figure)


def test_labels_are_text_and_no_formulas() -> None:
    votes = pv.Votes.from_wins(["$5 or $6", "b"] * 9, ["b", "c"] * 9)
    ax = plotting.plot_course(votes, top_k=1, n_steps=3)
    assert ax.texts[-1].get_text() == "$5 or $6"
    assert not any(text.get_parse_math() for text in ax.texts)
    pyplot.close(ax.figure)
    ax = plotting.plot_certainty(votes, top_k=1, n_steps=2, rng=1)
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_texts()[0].get_text() == "$5 or $6"
    assert not ax.get_legend().get_texts()[0].get_parse_math()
    pyplot.close(ax.figure)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plotting.plot_course(KALMAR, top_k=24), "top_k is 24"),
        (lambda: plotting.plot_course(KALMAR, n_steps=1), "n_steps is 1"),
        (lambda: plotting.plot_course(KALMAR.counts()), "votes is a PairCounts"),
        (lambda: plotting.plot_course(pv.Votes.from_wins(["ash"], ["birch"])), "needs at least 2"),
        (lambda: plotting.plot_certainty(KALMAR, top_k=23), "top_k is 23"),
        (lambda: plotting.plot_exposure(KALMAR.counts()), "votes is a PairCounts"),
        (lambda: plotting.plot_exposure(pv.Votes.from_wins([], [])), "no items to draw"),
        (lambda: plotting.plot_comparisons(pv.Votes.from_codes([0], [1000], [2])), "1,001 items"),
        (lambda: plotting.plot_comparisons(pv.Votes.from_wins([], [])), "there are 0 items"),
        (lambda: plotting.plot_probabilities(pv.tally(KALMAR)), "no model of a vote"),
        (lambda: plotting.plot_probabilities(RANKING, top_k=0), "top_k is 0"),
    ],
)
def test_options_are_checked(draw, message) -> None:
    before = pyplot.get_fignums()
    with pytest.raises(pv.InputError, match=message):
        draw()
    assert pyplot.get_fignums() == before
