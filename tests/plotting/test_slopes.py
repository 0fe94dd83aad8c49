"""The slope chart shows the scores of each group, whole and legible."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from scipy.optimize import minimize

import pairvote as pv
from pairvote.plotting._slopes import spread_out
from pairvote.plotting._style import COLOUR, CONTRAST, QUIET

mpl.use("agg")
SIM = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
TITLES = pv.datasets.kalmar().titles
VOTES = SIM.votes(0)
VOTES = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=TITLES, voter=VOTES.voter)
FOUND = pv.compare_groups(VOTES, {voter: ("public $", "business_1")[voter % 2] for voter in range(30)})


def draw(comparison=FOUND, **options):
    ax = pv.plotting.plot_slopes(comparison, **options)
    ax.figure.draw_without_rendering()
    pyplot.close(ax.figure)
    return ax


def test_each_item_has_a_line_through_its_scores() -> None:
    lines = [line for line in draw().get_lines() if line.get_marker() == "o"]
    assert len(lines) == 23
    clear = {difference.item for difference in FOUND.clear_differences()}
    shared = set(FOUND.shared_top())
    assert clear
    assert shared - clear
    for item, line in zip(FOUND.items, lines, strict=True):
        expected = [ranking.to_dict()[item] for ranking in FOUND.rankings.values()]
        assert line.get_ydata().tolist() == expected
        colour = CONTRAST if item in clear else COLOUR if item in shared else QUIET
        assert to_rgb(line.get_color()) == to_rgb(colour)


def test_the_labels_fit_in_the_picture_and_do_not_lie_on_each_other() -> None:
    ax = draw()
    width, height = ax.figure.get_size_inches() * ax.figure.dpi
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 46
    for box in boxes:
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y0 >= 0
        assert box.y1 <= height
    for side in (boxes[:23], boxes[23:]):
        middles = sorted((box.y0 + box.y1) / 2 for box in side)
        assert min(np.diff(middles)) > 0.8 * (side[0].y1 - side[0].y0)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["public $", "business_1"]


def test_three_groups_stand_side_by_side() -> None:
    groups = {voter: "abc"[voter % 3] for voter in range(30)}
    ax = draw(pv.compare_groups(VOTES, groups), top_k=3)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    assert "orange" not in ax.get_xlabel()


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(pv.InputError, match=r"pass what pairvote\.compare_groups returns"):
        pv.plotting.plot_slopes(FOUND.overall)
    with pytest.raises(pv.InputError, match="top_k is 0"):
        pv.plotting.plot_slopes(FOUND, top_k=0)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.floats(0.01, 2.0))
def test_labels_keep_their_order_and_their_distance(values, gap) -> None:
    places = spread_out(np.array(values), gap)
    order = np.argsort(values, kind="stable")
    assert (np.diff(places[order]) >= gap - 1e-9).all()
    assert places.mean() == pytest.approx(np.mean(values), abs=1e-9)


def test_labels_are_moved_as_little_as_can_be() -> None:
    values = np.array([0.0, 0.1, 0.15, 2.0, 2.05])
    gap = 0.5
    slow = minimize(
        lambda x: ((x - values) ** 2).sum(),
        values + np.arange(5),
        constraints=[{"type": "ineq", "fun": lambda x, i=i: x[i + 1] - x[i] - gap} for i in range(4)],
        tol=1e-12,
    )
    np.testing.assert_allclose(spread_out(values, gap), slow.x, atol=1e-6)
