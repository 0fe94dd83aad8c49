"""The map of voters and items: who stands where, in which colours, and what is written."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import pairvote as pv
from pairvote.plotting._style import PALETTE, QUIET

mpl.use("agg")
VOTERS = pv.VoterModel(clusters=2, cluster_sd=1.5, random_voters=0.1)
VOTES = pv.simulate(votes_each=40, voters=VOTERS, repetitions=1, rng=2).votes(0)
CAMPS = pv.find_groups(VOTES, max_groups=2, rng=1)


def draw(found):
    return pv.plotting.plot_opinion_map(found, ax=Figure().subplots())


def layers(ax) -> dict[str, tuple[np.ndarray, tuple[float, ...]]]:
    """Places and colour of what has a name in the legend."""
    return {drawn.get_label(): (np.asarray(drawn.get_offsets()), to_rgb(drawn.get_facecolor()[0][:3]))
            for drawn in ax.collections}  # fmt: skip


def test_every_voter_stands_where_the_map_says_in_the_colour_of_the_camp() -> None:
    drawn = layers(draw(CAMPS))
    assert list(drawn) == ["items", "camp A (14)", "camp B (13)", "in no camp (3)"]
    camps = [CAMPS.group_of(voter) for voter in CAMPS.voters]
    for label, camp, colour in (
        ("camp A (14)", "A", PALETTE[0]),
        ("camp B (13)", "B", PALETTE[1]),
        ("in no camp (3)", None, QUIET),
    ):
        who = [place for place, found in enumerate(camps) if found == camp]
        places, painted = drawn[label]
        np.testing.assert_array_equal(places, CAMPS.map.voter_places[who])
        assert painted == to_rgb(colour)


def test_items_keep_their_directions_and_the_farthest_are_named() -> None:
    votes = VOTES
    named = pv.Votes.from_codes(
        votes.left,
        votes.right,
        votes.outcome,
        items=[f"cost ${code}" for code in range(23)],
        voter=votes.voter.tolist(),
    )
    found = pv.groups.map_voters(named)
    ax = draw(found)
    drawn = layers(ax)
    assert list(drawn) == ["items", "voters"]
    places = drawn["items"][0]
    factor = places[0, 0] / found.item_places[0, 0]
    assert factor > 0.0
    np.testing.assert_allclose(places, found.item_places * factor)
    texts = [text.get_text().strip() for text in ax.texts]
    assert len(texts) == 12
    assert texts[0] == f"cost ${(found.item_places**2).sum(axis=1).argmax()}"
    assert not any(text.get_parse_math() for text in ax.texts)
    assert f"{found.shares[0]:.0%}" in ax.get_xlabel()


def test_a_map_on_which_nobody_differs_is_drawn() -> None:
    votes = pv.Votes.from_labels(["a", "a"], ["b", "b"], ["tie", "tie"], voter=["v", "w"])
    ax = draw(pv.groups.map_voters(votes))
    ax.figure.draw_without_rendering()
    np.testing.assert_allclose(layers(ax)["voters"][0], 0.0, atol=1e-12)


@pytest.mark.parametrize("found", [VOTES, None, "map"], ids=["votes", "none", "text"])
def test_only_a_map_is_drawn(found: object) -> None:
    with pytest.raises(pv.InputError, match=r"pass what find_groups or groups\.map_voters gives"):
        pv.plotting.plot_opinion_map(found)
