"""Voters: reliability, known groups and unknown camps, with errors, beside crowd-kit's noisy Bradley-Terry.

`python -m benchmarks voters --rows random --repetitions 50` measures only the rows whose name contains a word, and
`--prior 1` a normal prior of that standard deviation in place of the default call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pairvote as pv
from benchmarks import noisy, peers, voters, voters_camps, voters_groups, voters_live
from benchmarks.cases import Case, Group, Scores, Size, Work
from benchmarks.goals import Faster, Goal
from benchmarks.honesty import SEED
from benchmarks.tables import Table, decimals, percent, printed

REPETITIONS: dict[Size, int] = {"full": 300, "quick": 30, "tiny": 3}
CROWD_KIT = "crowd-kit NoisyBradleyTerry, pandas"
TIMES = 20.0


# --- times ---


def kalmar(size: Size) -> Group:
    """Kalmar's size, with a third of the voters at random."""
    return _timed(voters.N_VOTERS, 23, with_learned=True)


def thousand(size: Size) -> Group:
    """A thousand voters."""
    return _timed({"full": 1000, "quick": 100, "tiny": 10}[size], 200, turns=1)


def _timed(n_voters: int, n_items: int, *, with_learned: bool = False, turns: int | None = None) -> Group:
    simulation = pv.simulate(
        n_items=n_items,
        n_voters=n_voters,
        votes_each=voters.VOTES_EACH,
        sampler="uniform",
        voters=pv.VoterModel(random_voters=1 / 3),
        repetitions=1,
        rng=SEED,
    )
    votes = simulation.votes(0)
    goal = Faster(TIMES, CROWD_KIT)
    known = {"prior_sd": voters.SPREAD["strength_sd"]}
    spreads = (known, {}) if with_learned else (known,)
    ours = [
        _case(votes, {**more, **spread}, goal if more else None)
        for spread in spreads
        for more in ({}, {"reliability": "lapse"}, {"reliability": "slope"})
    ]
    theirs = Case(
        name=CROWD_KIT,
        library="crowd-kit",
        fresh=partial(_crowd_kit, votes),
        n_votes=len(votes),
        scores=lambda scores: scores,
        memory=False,
        turns=turns,
        note="crowd-kit's fit ends after a few steps, since its gradient is not that of its likelihood",
    )
    title = f"reliability: {len(votes):,} votes of {n_voters:,} voters over {n_items} items, a third at random"
    return Group(title=title, cases=(*ours, theirs))


def _case(votes: pv.Votes, options: dict[str, Any], goal: Goal | None) -> Case:
    def fresh() -> Work:
        held = pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=votes.n_items, voter=votes.voter)
        return lambda: pv.bradley_terry(held, **options)

    return Case(
        name=f"bradley_terry({', '.join(f'{name}={value!r}' for name, value in options.items())}), held Votes",
        library="pairvote",
        fresh=fresh,
        n_votes=len(votes),
        scores=lambda ranking: ranking.scores,
        goal=goal,
        memory=False,
    )


def _crowd_kit(votes: pv.Votes) -> Callable[[], Scores]:
    frame = peers.noisy_frame(votes)
    return lambda: peers.noisy_scores(frame, votes.n_items)


GROUPS: tuple[Callable[[Size], Group], ...] = (kalmar, thousand)


# --- accuracy ---

LEGEND = f"""\
overlap: the share of the true best five among the five ranked best; gain: over the plain call on the same votes, in
points; of the oracle's: that gain as a share of the oracle's, who is told who answers at random, who is against the
scale, how sharp each voter is, and whose item each promoter pushes. All have standard errors over workshops. trial: the
figures of a first trial. scores, best five: the 95% intervals that hold the truth. "off" and "honest": the
share of such voters that is flagged, as being attentive with a chance below a half. "{noisy.SOLVED}": crowd-kit's model
and number of steps by a right gradient. The goals, for what is made for such voters: at least half of the oracle's
gain, nothing lost where all are attentive, coverage from 91 to 98.5 and of the best five from 90 to 99. A goal is in
doubt when it is missed by less than two standard errors."""
GROUPS_LEGEND = """\
The share of workshops in which `compare_groups` says at 5% that two groups differ: by reassignment of voters, by the
likelihood ratio, which takes all votes as independent, and by the score test with voters as clusters. A difference is
the standard deviation over items of one group's score less the other's, in log-odds. The goal: where there is none,
at most 5% by reassignment; in doubt when missed by less than two standard errors."""
CAMPS_LEGEND = """\
The share of workshops in which `find_groups` says one camp, two, or more, and the share of voters that it then puts in
the wrong camp where there are as many as it says. The goals: at most 5% of the workshops with one scale are split, and
of those with two camps 90% are found with 40 votes each."""
LIVE_LEGEND = """\
The overlap with the true five after TopK(5) has asked 30 voters 20 questions each, by whom it believes: everybody, all
but those it is told, or all but those it has found, by a fit before every turn. The columns are how the votes are
scored in the end; the gain is over believing everybody, in votes scored by "lapse", in points."""

ROWS = Table(
    [
        ("voters", 34, lambda row: row.setting.name),
        ("scored by", 14, lambda row: row.method),
        ("overlap", 12, lambda row: decimals(3, row.overlap)),
        ("gain", 10, lambda row: "-" if row.method == "plain" else percent(row.gain)),
        ("of the oracle's", 15, lambda row: decimals(2, row.share)),
        ("trial", 5, lambda row: "-" if row.target is None else f"{row.target:.3f}"),
        ("scores", 10, lambda row: percent(row.scores)),
        ("best five", 10, lambda row: percent(row.best)),
        ("off", 10, lambda row: percent(row.off)),
        ("honest", 10, lambda row: percent(row.honest)),
        ("goals met", 9, lambda row: row.verdict),
    ]
)
GROUPS_FOUND = Table(
    [
        ("groups", 42, lambda row: row.setting.name),
        ("reassigned", 10, lambda row: percent(row.reassigned)),
        ("likelihood ratio", 16, lambda row: percent(row.likelihood_ratio)),
        ("score test", 10, lambda row: percent(row.score_test)),
        ("level holds", 11, lambda row: row.verdict),
    ]
)
CAMPS_FOUND = Table(
    [
        ("voters", 42, lambda row: row.setting.name),
        ("one", 10, lambda row: percent(row.one)),
        ("two", 10, lambda row: percent(row.two)),
        ("more", 10, lambda row: percent(row.more)),
        ("wrong camp", 10, lambda row: percent(row.wrong)),
        ("goal met", 9, lambda row: row.verdict),
    ]
)
LIVE = Table(
    [
        ("voters", 24, lambda row: row.setting.name),
        ("believed", 10, lambda row: row.belief),
        *(
            (f"by {by}", 12, partial(lambda by, row: decimals(3, getattr(row, by)), by))
            for by in ("plain", "lapse", "oracle")
        ),
        ("gain", 10, lambda row: percent(row.gain)),
    ]
)


def after(size: Size, options: Any = None) -> list[tuple[dict[str, Any], str]]:
    """Print the tables, a line at a time; they take minutes."""
    repetitions = getattr(options, "repetitions", None) or REPETITIONS[size]
    prior_sd, n_jobs = getattr(options, "prior", None), getattr(options, "jobs", 2)
    words = [word.lower() for word in getattr(options, "rows", None) or [""]]
    shared = {"prior_sd": prior_sd, "n_jobs": n_jobs}
    how = f"{'the default call' if prior_sd is None else f'prior_sd={prior_sd}'}, {repetitions:,} workshops a row"

    def chosen(settings: list[Any]) -> list[Any]:
        return [one for one in settings if any(word in one.name.lower() for word in words)]

    def each(measure: Callable[..., list[Any]], settings: list[Any], **more: Any) -> Iterator[Any]:
        for setting in settings:
            yield from measure(setting, repetitions, **shared, **more)

    found = []
    if settings := chosen(voters.settings()):
        rows = each(voters.measure, settings, with_peers=getattr(options, "peers", True))
        found.append(printed("reliability", f"Unreliable voters: {how}", ROWS, rows, LEGEND))
    if settings := chosen(voters_groups.settings()):
        held: list[voters_groups.Row] = []
        rows = each(partial(_kept, held), settings)
        table, page = printed("groups", f"Two groups: {how}", GROUPS_FOUND, rows, GROUPS_LEGEND)
        said = _needed(held)
        print(said, end="\n\n" if said else "")
        found.append((table, f"{page}\n\n{said}".rstrip()))
    if settings := chosen(voters_camps.settings()):
        camps = (voters_camps.measure(setting, repetitions, n_jobs=n_jobs) for setting in settings)
        found.append(printed("camps", f"Camps: {repetitions:,} workshops a row", CAMPS_FOUND, camps, CAMPS_LEGEND))
    if settings := chosen(voters_live.settings()):
        rows = each(voters_live.measure, settings)
        found.append(printed("live", f"Live votes under TopK(5): {how}", LIVE, rows, LIVE_LEGEND))
    if not found:
        print("no row's name contains one of these words")
    return found


def _kept(held: list[voters_groups.Row], *arguments: Any, **options: Any) -> list[voters_groups.Row]:
    held.append(voters_groups.measure(*arguments, **options))
    return held[-1:]


def _needed(rows: list[voters_groups.Row]) -> str:
    lines = []
    for taste_sd in (0.0, 0.5):
        figure = voters_groups.needed(rows, taste_sd)
        if figure is not None:
            found = f"{decimals(2, figure)} is found in {voters_groups.POWER:.0%} of workshops"
            lines.append(f"With tastes of {taste_sd:g} a difference of {found}.")
    return "\n".join(lines)
