"""The command ``pairvote demo``: the Kalmar workshop voted, scored three ways and drawn."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from pairvote._common.tables import as_label, side_by_side, text_lines
from pairvote.cli._output import save_picture, tell
from pairvote.datasets import Workshop, kalmar
from pairvote.errors import InputError
from pairvote.plotting._ranking import check_picture
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bootstrap import bootstrap
from pairvote.scoring._bradley_terry import bradley_terry

WIDTH = 120
N_RESAMPLES = 1000
GAP = "   "


def demo(seed: int, picture: str) -> str:
    """Simulate the workshop's votes, save the picture of their ranking, and say what came of them."""
    drawable = _can_draw()
    if drawable:
        check_picture(picture)
    workshop = kalmar()
    votes = workshop.simulated_votes(rng=seed)
    rankings = {
        "votes won": bootstrap(votes, "tally", n_resamples=N_RESAMPLES, rng=seed),
        "Elo": bootstrap(votes, "elo", n_resamples=N_RESAMPLES, rng=seed),
        "Bradley-Terry": bradley_terry(votes),
    }
    if drawable:
        for sentence in save_picture(rankings["Bradley-Terry"], picture):
            tell(sentence)
        drawn = f"The Bradley-Terry scores with their intervals are drawn in {picture}."
    else:
        drawn = "No picture is drawn, since matplotlib is not installed; pip install 'pairvote[plot]'."
    parts = [
        _introduction(workshop, seed),
        _side_by_side(rankings),
        _top_five(rankings, workshop, seed),
        drawn,
    ]
    return "\n\n".join(parts) + "\n"


def _can_draw() -> bool:
    try:
        check_picture("kalmar.png")
    except InputError:
        return False
    return True


def _introduction(workshop: Workshop, seed: int) -> str:
    return (
        f"Kalmar, 2014: {len(workshop.titles)} proposals, at most {workshop.n_voters} people with "
        f"{workshop.votes_each} votes each, and the {workshop.n_winners} proposals\n"
        "with the most votes were taken forward. Titles, winners and rules are real, from the report.\n"
        f"THE VOTES ARE SIMULATED (seed {seed}): the real ones were never published. The simulation makes\n"
        f"the {workshop.n_winners} winners of 2014 the strongest proposals, and shows every voter random pairs."
    )


def _side_by_side(rankings: dict[str, Ranking]) -> str:
    """One row for each proposal, best first by the last ranking, and for each scorer its rank, score and interval."""
    order = [*rankings.values()][-1].order()
    groups = [_group(name, ranking, order) for name, ranking in rankings.items()]
    room = WIDTH - sum(len(group[0]) + len(GAP) for group in groups)
    titles = [as_label(title, room) for title in ("", "proposal", *order)]
    note = (
        "score is in votes, Elo points and log-odds. The intervals of votes won and Elo are from "
        f"{N_RESAMPLES:,} resamples of\nthe votes, those of Bradley-Terry from its model."
    )
    return "\n".join(side_by_side([titles, *groups], GAP)) + f"\n\n{note}"


def _group(name: str, ranking: Ranking, order: Sequence[Hashable]) -> list[str]:
    """A scorer's heading and its cells for each proposal, as lines of one width."""
    headings, rows = ranking._table(ranking.n_items).formatted()
    cells = {title: (row[0], *row[2:4]) for title, row in zip(ranking.order(), rows, strict=True)}
    lines = text_lines(["rank", "score", headings[3]], [cells[title] for title in order], text_columns=())
    return [name.center(len(lines[0]), "-"), *lines]


def _top_five(rankings: dict[str, Ranking], workshop: Workshop, seed: int) -> str:
    """Who is in the top five by each scorer, with the chance or the share of resamples of that."""
    k = workshop.n_winners
    tops = {name: ranking.top(k) for name, ranking in rankings.items()}
    chances = {
        name: dict(zip(ranking.items, ranking.top_k_probability(k, rng=seed).tolist(), strict=True))
        for name, ranking in rankings.items()
    }
    listed = [title for title in [*rankings.values()][-1].order() if any(title in top for top in tops.values())]
    rows = []
    for title in listed:
        marks = [f"{'*' if title in tops[name] else ' '} {_percent(chances[name][title]):>4}" for name in rankings]
        rows.append([as_label(title, 64), *marks])
    expected = [sum(chances[name][title] for title in tops[name]) for name in rankings]
    counts = zip(expected, tops.values(), strict=True)
    rows.append(["sum over those in the top five", *(f"{total:.1f} of {len(top)}" for total, top in counts)])
    found = [len(set(top) & set(workshop.winners)) for top in tops.values()]
    rows.append(["strongest five, as simulated, among them", *(f"{n} of {k}" for n in found)])
    headings = ["In the top five (*), and how sure that is", *rankings]
    lines = text_lines(headings, rows, text_columns=(0,), gap=GAP)
    shared = [name for name, top in tops.items() if len(top) > k]
    note = (
        f"For votes won and Elo: the share of {N_RESAMPLES:,} resamples of the votes in which the proposal is\n"
        "among the best five. For Bradley-Terry: the posterior probability, under its model and prior, that it\n"
        "is. The sum over the top five is how many of them are expected to be among the best five in that sense."
    )
    if shared:
        note += f"\nMore than five are in the top five by {' and '.join(shared)}, since fifth place is shared."
    return "\n".join(lines) + f"\n\n{note}"


def _percent(chance: float) -> str:
    if 0.995 <= chance < 1.0:
        return ">99%"
    return "<1%" if 0.0 < chance < 0.005 else f"{100 * chance:.0f}%"
