"""The curves of experiments: what is drawn is what the table says."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import pairvote as pv
from pairvote.plotting._style import PALETTE

TABLE = pv.experiment(
    samplers=["uniform", "balanced"],
    methods=["tally", "bradley-terry"],
    n_items=8,
    n_voters=6,
    votes_each=[12, 4],
    top_k=2,
    repetitions=50,
    rng=1,
)


def test_a_curve_for_each_combination_goes_through_the_means() -> None:
    ax = pv.plotting.plot_experiment(TABLE, x="votes_each", metric="overlap", level=0.9, ax=Figure().subplots())
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [
        f"{sampler}, {method}" for sampler in ("Uniform()", "Balanced()") for method in ("tally", "bradley-terry")
    ]
    assert ax.get_ylabel() == "overlap (share)"
    for number, (name, line, band) in enumerate(zip(names, ax.get_lines(), ax.collections, strict=True)):
        sampler, method = name.split(", ")
        rows = [
            {"sampler": sampler.lower().removesuffix("()"), "method": method, "votes_each": votes_each}
            for votes_each in (4, 12)
        ]
        means = np.array([TABLE.mean("overlap", **row) for row in rows])
        errors = np.array([TABLE.error("overlap", **row) for row in rows])
        np.testing.assert_array_equal(line.get_xdata(), [4, 12])
        np.testing.assert_allclose(line.get_ydata(), means)
        assert to_hex(line.get_color()).upper() == PALETTE[number]
        edges = band.get_paths()[0].vertices
        assert edges[:, 1].min() == pytest.approx((means - 1.6448536 * errors).min())
        assert edges[:, 1].max() == pytest.approx((means + 1.6448536 * errors).max())


def test_methods_without_the_metric_are_left_out() -> None:
    ax = pv.plotting.plot_experiment(TABLE, x="votes_each", metric="rmse", ax=Figure().subplots())
    assert len(ax.get_lines()) == 2
    assert ax.get_ylabel() == "rmse (log-odds)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": "sampler"}, r"x is 'sampler'; the settings that are numbers are 'n_items', 'n_voters'"),
        ({"x": "votes_each", "metric": "luck"}, r"metric is 'luck'; use one of 'exact', 'overlap'"),
        ({"x": "votes_each", "level": 1.0}, r"level is 1.0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.plotting.plot_experiment(TABLE, **options)


def test_only_tables_and_few_curves_are_drawn() -> None:
    with pytest.raises(pv.InputError, match="table is a dict; pass what"):
        pv.plotting.plot_experiment({}, x="votes_each")
    many = pv.simulation.Table(rows=TABLE.rows * 3)
    assert len(pv.plotting.plot_experiment(many, x="votes_each", ax=Figure().subplots()).get_lines()) == 4
    crowd = pv.experiment(
        methods="tally", strength_sd=np.linspace(0.5, 1.0, 12), n_items=4, n_voters=2, top_k=1, repetitions=2, rng=1
    )
    with pytest.raises(pv.InputError, match="there are 24 curves; vary fewer settings"):
        pv.plotting.plot_experiment(crowd, x="n_items")
