"""The picture shows what the ranking says: order, scores, interval ends, every label legible."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

import pairvote as pv
from pairvote.plotting._ranking import COLOUR, plot_ranking, save_ranking
from pairvote.ranking._uncertainty import Known

mpl.use("agg")
KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)
RANKING = pv.bradley_terry(KALMAR)


def many(n_items, label="{}"):
    rng = np.random.default_rng(n_items)
    left = rng.integers(n_items, size=10 * n_items)
    right = (left + rng.integers(1, n_items, size=len(left))) % n_items
    items = [label.format(code) for code in range(n_items)]
    votes = pv.Votes.from_codes(left, right, 2 * rng.integers(2, size=len(left)), items=items)
    return pv.bradley_terry(votes, prior_sd=3.0)


def draw(ranking, **options):
    """The axes on a figure of the size that `save_ranking` makes, laid out."""
    from matplotlib import pyplot

    ax = plot_ranking(ranking, **options)
    ax.figure.draw_without_rendering()
    pyplot.close(ax.figure)
    return ax


def tick_texts(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def heights(ax, values):
    return ax.transData.transform(np.column_stack([np.zeros(len(values)), values]))[:, 1]


def test_best_stands_on_top():
    ax = draw(RANKING)
    assert tick_texts(ax) == RANKING.order()
    assert (np.diff(heights(ax, ax.get_yticks())) < 0).all()


def test_dots_stand_at_the_scores_and_bars_end_where_the_intervals_end():
    ax = draw(RANKING, level=0.8)
    (dots,) = ax.get_lines()
    rows = [RANKING.items.index(label) for label in tick_texts(ax)]
    np.testing.assert_array_equal(dots.get_xdata(), RANKING.scores[rows])
    np.testing.assert_array_equal(dots.get_ydata(), ax.get_yticks())
    (bars,) = (drawn for drawn in ax.collections if isinstance(drawn, LineCollection))
    low, high = RANKING.confidence_interval(0.8)
    for row, y, segment in zip(rows, ax.get_yticks(), bars.get_segments(), strict=True):
        np.testing.assert_array_equal(segment, [[low[row], y], [high[row], y]])
    assert ax.get_xlabel() == "score (log-odds) with 80% intervals"


@pytest.mark.parametrize("ask", [plot_ranking, pv.Ranking.plot], ids=["function", "method"])
def test_comparison_intervals_are_of_quasi_variances_and_say_how_well_they_hold(ask):
    ax = ask(RANKING, level=0.8, intervals="comparison", ax=Figure().subplots())
    (bars,) = (drawn for drawn in ax.collections if isinstance(drawn, LineCollection))
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    rows = [RANKING.items.index(label) for label in tick_texts(ax)]
    np.testing.assert_allclose(ends.mean(axis=1), RANKING.scores[rows], atol=1e-12)
    reaches = np.diff(ends)[:, 0] / 2
    np.testing.assert_allclose((reaches / 1.2815515655446004) ** 2, RANKING.quasi_variances[rows], rtol=1e-9)
    # The bars of two give the interval of their difference, as well as it says.
    first, words = ax.get_xlabel().split("\n")
    assert first == "score (log-odds) with 80% comparison intervals"
    within = float(words.removeprefix("(standard errors of differences to within ").removesuffix("%)")) / 100
    low, high = RANKING.difference(RANKING.items[rows[0]], RANKING.items[rows[1]]).confidence_interval(0.8)
    assert math.hypot(reaches[0], reaches[1]) == pytest.approx((high - low) / 2, rel=within)
    assert within == pytest.approx(RANKING.quasi_variance_error, abs=5e-4)


def test_comparison_intervals_need_variances_that_are_not_negative():
    with pytest.raises(pv.MissingUncertaintyError):
        plot_ranking(pv.tally(KALMAR), intervals="comparison")
    votes = pv.Votes.from_wins(["ash", "birch", "cedar"], ["birch", "cedar", "ash"])
    # The first varies with the second and with the third, less than these vary with one another.
    covariance = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, -0.5], [1.0, -0.5, 2.0]])
    ranking = replace(pv.bradley_terry(votes), _uncertainty=Known(covariance))
    assert ranking.quasi_variances[0] < 0
    with pytest.raises(pv.InputError, match="quasi-variance of 'ash' is negative"):
        ranking.plot(intervals="comparison")


def test_comparison_intervals_can_be_saved(tmp_path):
    paths = [tmp_path / f"{intervals}.svg" for intervals in ("confidence", "comparison")]
    for path in paths:
        save_ranking(RANKING, path, intervals=path.stem)
    assert paths[0].read_bytes() != paths[1].read_bytes()


def test_dots_alone_where_there_are_no_standard_errors():
    ax = draw(pv.tally(KALMAR))
    assert not ax.collections
    assert len(ax.get_lines()[0].get_xdata()) == 23
    assert ax.get_xlabel() == "score (votes)"
    assert all(tick == round(tick) for tick in ax.get_xticks())


@pytest.mark.slow
def test_bootstrapped_scores_have_bars():
    assert draw(pv.bootstrap(KALMAR, "elo", n_resamples=5, rng=0)).collections


def test_top_draws_everyone_level_with_the_last():
    votes = pv.Votes.from_wins(["ash", "ash", "birch", "cedar"], ["birch", "cedar", "elm", "elm"])
    ax = draw(pv.tally(votes), top_k=2)
    assert tick_texts(ax) == ["ash", "birch", "cedar"]
    assert ax.get_lines()[0].get_xdata().tolist() == [2.0, 1.0, 1.0]


def test_the_given_axes_are_used_and_no_figure_is_made():
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    figure = Figure(figsize=(4, 3))
    left, right = figure.subplots(1, 2)
    assert plot_ranking(RANKING, ax=right) is right
    assert RANKING.plot(ax=right) is right
    assert not left.has_data()
    assert figure.get_size_inches().tolist() == [4, 3]
    assert pyplot.get_fignums() == before


def test_a_figure_is_made_where_no_axes_are_given():
    from matplotlib import pyplot

    before = len(pyplot.get_fignums())
    ax = plot_ranking(RANKING)
    assert len(pyplot.get_fignums()) == before + 1
    pyplot.close(ax.figure)


@pytest.mark.slow
@pytest.mark.parametrize(
    "ranking",
    [many(3), RANKING, many(60, "number {}"), many(200, KALMAR.items[2] + " {}")],
    ids=lambda r: str(r.n_items),
)
def test_labels_fit_and_do_not_overlap(ranking):
    ax = draw(ranking)
    figure = ax.figure
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert len(boxes) == ranking.n_items
    assert min(box.x0 for box in boxes) >= 0
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    plot = ax.get_window_extent()
    # The scores have at least 4 inches beside the longest of labels.
    assert plot.width >= 4 * figure.dpi
    assert max(box.x1 for box in boxes) <= plot.x0


def test_more_items_than_labels_fit_are_numbered():
    ranking = many(301)
    ax = draw(ranking)
    assert ax.get_ylabel() == "place"
    assert len(ax.get_lines()[0].get_xdata()) == 301
    assert len(ax.get_yticks()) < 20
    assert ax.figure.get_size_inches()[1] < 12
    assert tick_texts(draw(many(300))) == many(300).order()


def test_labels_are_text_not_formulas_and_stand_on_one_line():
    labels = ["costs $5 or $6", "two\nlines", "x" * 200]
    ax = draw(pv.tally(pv.Votes.from_wins(labels[:2], labels[1:], items=labels)))
    assert tick_texts(ax)[:2] == ["costs $5 or $6", "two\\nlines"]
    assert tick_texts(ax)[2] == "x" * 69 + "…"
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())


@pytest.mark.slow
@pytest.mark.parametrize("ranking", [RANKING, pv.tally(KALMAR)], ids=["with intervals", "without"])
def test_the_saved_picture_is_not_blank(ranking, tmp_path):
    path = tmp_path / "ranking.png"
    save_ranking(ranking, path)
    pixels = imread(path)[..., :3]
    blue = np.abs(pixels - to_rgb(COLOUR)).max(axis=-1) < 0.01
    # A dot for every item: 23 separate stretches of rows that have the dots' colour.
    stretches = np.diff(blue.any(axis=1).astype(int), prepend=0) == 1
    assert stretches.sum() == 23
    dark = pixels.max(axis=-1) < 0.3
    assert dark[:, : pixels.shape[1] // 4].any(), "no labels on the left"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".svg", ".pdf"])
def test_pictures_are_saved_by_their_suffix(suffix, tmp_path):
    path = tmp_path / f"ranking{suffix}"
    save_ranking(RANKING, path, top_k=3)
    head = path.read_bytes()[:200]
    assert {".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}[suffix.lower()] in head or b"<?xml" in head


def test_saving_leaves_no_global_state(tmp_path):
    from matplotlib import pyplot

    before = (pyplot.get_fignums(), mpl.get_backend(), dict(mpl.rcParams))
    save_ranking(RANKING, tmp_path / "ranking.png")
    assert (pyplot.get_fignums(), mpl.get_backend(), dict(mpl.rcParams)) == before


def test_a_picture_is_not_saved_in_an_unknown_format(tmp_path):
    for name in ("ranking.doc", "ranking"):
        with pytest.raises(pv.InputError, match=r"suffix must be one of .*\.png"):
            save_ranking(RANKING, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 95}, "level is 95"),
        ({"level": 95, "intervals": "comparison"}, "level is 95"),
        ({"top_k": 24}, "top_k is 24"),
        ({"top_k": 0}, "top_k is 0"),
        ({"intervals": "quasi"}, "intervals is 'quasi'; use 'confidence' or 'comparison'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(pv.InputError, match=message):
        plot_ranking(RANKING, ax=Figure().subplots(), **options)


def test_nothing_to_draw_is_refused():
    with pytest.raises(pv.InputError, match="no items to draw"):
        plot_ranking(pv.tally(pv.Votes.from_labels([], [], [])))


def test_without_matplotlib_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for attempt in (
        lambda: plot_ranking(RANKING),
        RANKING.plot,
        lambda: save_ranking(RANKING, tmp_path / "ranking.png"),
    ):
        with pytest.raises(pv.InputError, match=r"pip install 'pairvote\[plot\]'"):
            attempt()
