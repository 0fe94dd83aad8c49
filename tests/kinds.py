"""Files of votes of every kind that was met, rebuilt small: their bytes, and the counts that a right ranking has.

The votes are drawn here and written in each file's way; what was won, tied and asked is counted from the draws and
never from the file. Nothing here imports pairvote.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workbooks import workbook

TREES = ("ash", "birch", "cedar", "elm", "fir", "hazel")
TOWNS = ("Åmål", "Öland FC", "Malmö", "1. FC Ekeby", "Täby", "Växjö")


class Duel(NamedTuple):
    """One comparison: who stood left and right, "left", "right", "tie" or "skip", and the voter."""

    left: str
    right: str
    outcome: str
    voter: str


def duels(seed: int, n: int = 36, items: Sequence[str] = TREES, among: str = "left right left right tie") -> list[Duel]:
    """Random comparisons in which earlier items tend to win, each pair at least once in either order."""
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        left, right = draw.sample(items, 2)
        better, worse = ("left", "right") if items.index(left) < items.index(right) else ("right", "left")
        outcome = draw.choice(among.split())
        if outcome in ("left", "right"):
            outcome = better if draw.random() < 0.75 else worse
        found.append(Duel(left, right, outcome, draw.choice(("anna", "bo", "cia"))))
    return found


def counted(votes: Iterable[Duel]) -> dict[str, tuple[int, int, int]]:
    """What each item won and tied, and how often it was asked about; skips are left out."""
    won, tied, asked = Counter[str](), Counter[str](), Counter[str]()
    for vote in votes:
        if vote.outcome != "skip":
            asked.update((vote.left, vote.right))
        if vote.outcome == "tie":
            tied.update((vote.left, vote.right))
        elif vote.outcome != "skip":
            won[vote.left if vote.outcome == "left" else vote.right] += 1
    return {item: (won[item], tied[item], asked[item]) for item in asked}


@dataclass(frozen=True)
class Kind:
    """Files by their names, the one to rank or the folder, what is true of it, and packages without which it is shut.

    `graded` files have votes that are shares, so that only what was asked, and who is best, is known beforehand.
    """

    name: str
    files: dict[str, bytes]
    target: str
    truth: dict[str, tuple[int, int, int]]
    needs: tuple[str, ...] = ()
    graded: bool = False
    reading: dict[str, Any] = field(default_factory=dict)


KINDS: list[Callable[[], Kind]] = []


def kind(function: Callable[[], Kind]) -> Callable[[], Kind]:
    """Enter a kind into the list of them all."""
    KINDS.append(function)
    return function


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ",", **dialect: Any) -> bytes:
    """CSV in UTF-8; None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", **dialect)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def one(name: str, content: bytes, truth: Iterable[Duel] | dict[str, tuple[int, int, int]], **more: Any) -> Kind:
    """A kind of a single file."""
    known = truth if isinstance(truth, dict) else counted(truth)
    return Kind(name.rsplit(".", 1)[0], {name: content}, name, known, **more)


def swapped(vote: Duel) -> tuple[str, str]:
    """Winner and loser of a comparison that has a winner."""
    return (vote.left, vote.right) if vote.outcome == "left" else (vote.right, vote.left)


# --- arenas ---


@kind
def k01_arena() -> Kind:
    """Battles with a judge and much beside."""
    votes = duels(1)
    words = {"left": "model_a", "right": "model_b"}
    draw = random.Random(1)
    rows = [
        (
            f"q{n}",
            v.left,
            v.right,
            words.get(v.outcome) or draw.choice(["tie", "tie (bothbad)"]),
            v.voter,
            1,
            True,
            "English",
            1682e6 + n,
        )
        for n, v in enumerate(votes)
    ]
    header = ["question_id", "model_a", "model_b", "winner", "judge", "turn", "anony", "language", "tstamp"]
    return one("k01_arena.csv", table(header, rows), votes)


@kind
def k02_arena_by_machine() -> Kind:
    """Battles judged by a machine, some of which came to nothing."""
    votes = duels(2, 40, among="left right left right tie skip")
    words = {"left": "model_a", "right": "model_b"}
    draw = random.Random(2)
    other = {"tie": ["tie", "tie(all bad)"], "skip": ["empty", "invalid"]}
    rows = [
        (f"why {n}?", v.left, v.right, words.get(v.outcome) or draw.choice(other[v.outcome]))
        for n, v in enumerate(votes)
    ]
    return one("k02_machine.csv", table(["question", "model_a", "model_b", "winner"], rows), votes)


@kind
def k03_winner_worker() -> Kind:
    """Left, right, winner, worker."""
    votes = duels(3)
    rows = [(n, v.left, v.right, v.outcome, v.voter) for n, v in enumerate(votes)]
    return one("k03_worker.csv", table(["id", "left", "right", "winner", "worker"], rows), votes)


@kind
def k04_winner() -> Kind:
    """Left, right, winner."""
    votes = duels(4)
    return one("k04_winner.csv", table(["left", "right", "winner"], [v[:3] for v in votes]), votes)


@kind
def k05_a_or_b() -> Kind:
    """Models a and b, of which one letter won."""
    votes = duels(5, among="left right")
    rows = [(f"2025/00{n % 7}_easy", v.left, v.right, "a" if v.outcome == "left" else "b") for n, v in enumerate(votes)]
    return one("k05_letters.csv", table(["folder_path", "model_a", "model_b", "winner"], rows), votes)


@kind
def k06_corrupt() -> Kind:
    """Projects, and one outcome that was cut off."""
    votes = duels(6, among="left right")
    rows = [(v.left, v.right, "project_a" if v.outcome == "left" else "project_b") for v in votes]
    votes[7] = votes[7]._replace(outcome="skip")
    rows[7] = (*rows[7][:2], "project_")
    return one("k06_projects.csv", table(["project_a", "project_b", "outcome"], rows), votes)


# --- games ---


def goals(votes: Sequence[Duel], seed: int = 0) -> list[tuple[int, int]]:
    """Scores that agree with the outcomes."""
    draw = random.Random(seed)
    found = []
    for vote in votes:
        low, more = draw.randrange(3), draw.randrange(1, 3)
        found.append({"left": (low + more, low), "right": (low, low + more)}.get(vote.outcome, (low, low)))
    return found


def league(seed: int) -> tuple[bytes, list[Duel]]:
    """A season of football with half-time results, a referee and odds."""
    votes = duels(seed, 30)
    letters = {"left": "H", "right": "A", "tie": "D"}
    draw = random.Random(seed)
    rows = [
        (
            "E0",
            f"{n % 28 + 1:02}/08/19",
            v.left,
            v.right,
            *score,
            letters[v.outcome],
            0,
            0,
            "D",
            f"M {v.voter}",
            round(1 + 5 * draw.random(), 2),
            3.4,
            2.9,
        )
        for n, (v, score) in enumerate(zip(votes, goals(votes, seed), strict=True))
    ]
    header = [
        "Div",
        "Date",
        "HomeTeam",
        "AwayTeam",
        "FTHG",
        "FTAG",
        "FTR",
        "HTHG",
        "HTAG",
        "HTR",
        "Referee",
        "B365H",
        "B365D",
        "B365A",
    ]
    return table(header, rows), votes


@kind
def k07_football() -> Kind:
    """A season with the full-time result as a letter."""
    content, votes = league(7)
    return one("k07_football.csv", content, votes)


@kind
def k08_leagues() -> Kind:
    """A folder of leagues."""
    parts = [league(seed) for seed in (81, 82, 83)]
    files = {f"k08_leagues/E{place}.csv": content for place, (content, _) in enumerate(parts)}
    return Kind("k08_leagues", files, "k08_leagues", counted(v for _, votes in parts for v in votes))


@kind
def k09_result() -> Kind:
    """Quoted cells, scores as text and as numbers, the result as a letter, and NA where a match was not played."""
    votes = duels(9, 40, among="left right tie left right skip")
    letters = {"left": "H", "right": "A", "tie": "D", "skip": "NA"}
    rows = []
    for n, (v, (home, away)) in enumerate(zip(votes, goals(votes, 9), strict=True)):
        played = v.outcome != "skip"
        score = (f"{home}-{away}", home, away) if played else ("NA", "NA", "NA")
        rows.append((f"1994-09-{n % 30 + 1:02}", 1994, v.left, v.right, *score, "G1", 1, letters[v.outcome]))
    header = ["Date", "Season", "home", "visitor", "FT", "hgoal", "vgoal", "division", "tier", "result"]
    return one("k09_greece.csv", table(header, rows, quoting=csv.QUOTE_NONNUMERIC), votes)


@kind
def k10_chess() -> Kind:
    """One player's games, with nine words for what came of them."""
    draw = random.Random(10)
    lost, tied = (
        ["checkmated", "resigned", "timeout", "abandoned"],
        ["agreed", "repetition", "stalemate", "insufficient"],
    )
    votes, rows = [], []
    for n in range(40):
        outcome = draw.choice(["left", "right", "tie"])
        opponent = draw.choice(TREES[1:])
        votes.append(Duel("ash", opponent, outcome, ""))
        own, other = {"left": ("win", draw.choice(lost)), "right": (draw.choice(lost), "win")}.get(
            outcome, (draw.choice(tied),) * 2
        )
        rows.append(
            (
                f"u{n}",
                "ash",
                900 + n,
                opponent,
                950 - n,
                draw.choice(["white", "black"]),
                own,
                other,
                "blitz",
                "180+2",
                "True",
                f"2024-09-{n % 28 + 1:02} 16:33:32",
            )
        )
    header = [
        "uuid",
        "player",
        "player_elo",
        "opponent",
        "opponent_elo",
        "player_color",
        "result",
        "opponent_result",
        "time_class",
        "time_control",
        "rated",
        "end_datetime",
    ]
    return one("k10_chess.csv", table(header, rows), votes)


@kind
def k11_quality() -> Kind:
    """Pictures A and B, whether A was selected, and a criterion."""
    votes = duels(11, among="left right")
    rows = [(v.voter, 1, "window", v.left, v.right, int(v.outcome == "left"), "perceptual") for v in votes]
    header = ["observer", "session_id", "scene", "condition_A", "condition_B", "is_A_selected", "criterion"]
    return one("k11_quality.csv", table(header, rows), votes)


@kind
def k12_score_text() -> Kind:
    """The score in a text."""
    votes = duels(12)
    rows = [
        (f"1963-08-{n % 28 + 1:02}", 1963, v.left, v.right, "-".join(map(str, score)), 1)
        for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True))
    ]
    return one("k12_germany.csv", table(["Date", "Season", "home", "visitor", "FT", "tier"], rows), votes)


@kind
def k13_teams() -> Kind:
    """Team 1 and Team 2, with full-time and half-time scores."""
    votes = duels(13)
    rows = [
        (n // 6 + 1, f"Sat Aug {n % 28 + 1} 2018", v.left, "-".join(map(str, score)), "0-0", v.right)
        for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True))
    ]
    return one("k13_teams.csv", table(["Round", "Date", "Team 1", "FT", "HT", "Team 2"], rows), votes)


@kind
def k14_long_header() -> Kind:
    """A header with one cell more than each row has."""
    votes = duels(14, items=TOWNS)
    lines = ["Round,Date,Team 1,Home,Guest,Team 2"]
    for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True)):
        lines.append(f"{n // 6 + 1},Fri Aug {n % 28 + 1} 2018,{v.left},{score[0]}-{score[1]},{v.right}")
    return one("k14_header.csv", ("\n".join(lines) + "\n").encode(), votes, reading={"header": False, "skip_lines": 1})


def home_and_guest(seed: int) -> tuple[list[str], list[tuple[Any, ...]], list[Duel]]:
    """A season whose scores are called Home and Guest."""
    votes = duels(seed, items=TOWNS)
    rows = [
        (n // 6 + 1, f"Fri Sep {n % 28 + 1} 2020", v.left, *score, v.right, 1, 2020)
        for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True))
    ]
    return ["Round", "Date", "Team 1", "Home", "Guest", "Team 2", "Liga", "Startjahr"], rows, votes


@kind
def k15_semicolons() -> Kind:
    """Semicolons, and a mark at the beginning."""
    header, rows, votes = home_and_guest(15)
    content = b"\xef\xbb\xbf" + table(header, rows, delimiter=";")
    return one("k15_games.csv", content, votes, reading={"delimiter": ";"})


@kind
def k16_workbook() -> Kind:
    """A workbook."""
    header, rows, votes = home_and_guest(16)
    return one("k16_games.xlsx", workbook({"games": [header, *rows]}), votes, needs=("python_calamine",))


@kind
def k17_scores() -> Kind:
    """Home and away scores, NA for matches to come."""
    votes = duels(17, 40, among="left right tie left right skip")
    rows = []
    for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True)):
        scores = ("NA", "NA") if v.outcome == "skip" else score
        rows.append((f"1872-11-{n % 28 + 1:02}", v.left, v.right, *scores, "Friendly", "Glasgow", "Scotland", "FALSE"))
    header = ["date", "home_team", "away_team", "home_score", "away_score", "tournament", "city", "country", "neutral"]
    return one("k17_results.csv", table(header, rows), votes)


@kind
def k18_named_winner() -> Kind:
    """The winner is the name of a team."""
    votes = duels(18, among="left right")
    rows = [(f"1967-08-{n % 28 + 1:02}", v.left, v.right, swapped(v)[0], None) for n, v in enumerate(votes)]
    return one("k18_shootouts.csv", table(["date", "home_team", "away_team", "winner", "first_shooter"], rows), votes)


@kind
def k19_points() -> Kind:
    """Points beside goals that say otherwise, quoted as R does."""
    votes = duels(19)
    rows = []
    for n, (v, (home, away)) in enumerate(zip(votes, goals(votes), strict=True)):
        rows.append(
            (
                13960 + n,
                "2012-03-24",
                f"R{n // 6 + 1}",
                v.left,
                9 - home,
                3,
                10 * home,
                v.right,
                9 - away,
                5,
                10 * away,
                "Gabba",
                10 * (home - away),
                2012,
            )
        )
    header = [
        "Game",
        "Date",
        "Round",
        "Home.Team",
        "Home.Goals",
        "Home.Behinds",
        "Home.Points",
        "Away.Team",
        "Away.Goals",
        "Away.Behinds",
        "Away.Points",
        "Venue",
        "Margin",
        "Season",
    ]
    return one("k19_points.csv", table(header, rows, quoting=csv.QUOTE_NONNUMERIC), votes)


@kind
def k20_tennis() -> Kind:
    """Winners and losers by name, number, country and rank."""
    votes = duels(20, among="left right")
    lands, rows = dict(zip(TREES, ("SWE", "SWE", "NOR", "NOR", "FIN", "FIN"), strict=True)), []
    for n, v in enumerate(votes):
        won, lost = swapped(v)
        number = {item: 100 + TREES.index(item) for item in (won, lost)}
        rows.append(
            (
                "2019-M020",
                "Kalmar",
                "Hard",
                32,
                n,
                number[won],
                None,
                won,
                "R",
                188,
                lands[won],
                number[lost],
                None,
                lost,
                "L",
                180,
                lands[lost],
                "6-4 6-4",
                3,
                9,
                4,
                12,
                30,
            )
        )
    header = [
        "tourney_id",
        "tourney_name",
        "surface",
        "draw_size",
        "match_num",
        "winner_id",
        "winner_seed",
        "winner_name",
        "winner_hand",
        "winner_ht",
        "winner_ioc",
    ]
    header += [
        "loser_id",
        "loser_seed",
        "loser_name",
        "loser_hand",
        "loser_ht",
        "loser_ioc",
        "score",
        "best_of",
        "w_ace",
        "l_ace",
        "winner_rank",
        "loser_rank",
    ]
    return one("k20_tennis.csv", table(header, rows), votes)


# --- surveys and judges ---


@kind
def k21_wiki_survey() -> Kind:
    """The export of a wiki survey, with texts and numbers of ideas, and where they stood."""
    votes = duels(21, among="left right")
    number = {item: 679400 + place for place, item in enumerate(TREES)}
    rows = []
    for n, v in enumerate(votes):
        won, lost = swapped(v)
        rows.append(
            (
                16913816 + n,
                f"49{len(v.voter)}",
                11005,
                number[won],
                won,
                number[lost],
                lost,
                2528 + n,
                2348 + n,
                number[v.left],
                number[v.right],
                "2017-06-28 18:47:13 UTC",
                16.4,
                "TRUE" if n % 9 else "FALSE",
                f"{v.voter:x<8}",
                "DIRECT_VISIT",
                "NA",
            )
        )
    header = [
        "Vote ID",
        "Session ID",
        "Wikisurvey ID",
        "Winner ID",
        "Winner Text",
        "Loser ID",
        "Loser Text",
        "Prompt ID",
        "Appearance ID",
        "Left Choice ID",
        "Right Choice ID",
    ]
    header += ["Created at", "Response Time (s)", "Valid", "Hashed IP Address", "Referrer", "Info"]
    return one("k21_survey.csv", table(header, rows), votes)


@kind
def k22_chosen() -> Kind:
    """Comparative judgement: chosen and not chosen."""
    votes = duels(22, among="left right")
    rows = [(v.voter, *swapped(v), 12.5 + n, "2018-03-01T10:00:00") for n, v in enumerate(votes)]
    return one("k22_judged.csv", table(["judge", "chosen", "not_chosen", "time_taken", "created_at"], rows), votes)


@kind
def k23_many_scripts() -> Kind:
    """Comparative judgement of many scripts, won and lost, named by numbers."""
    scripts = tuple(map(str, range(1001, 1041)))
    votes = duels(23, 200, scripts, among="left right")
    return one("k23_scripts.csv", table(["Judge ID", "Won", "Lost"], [(v.voter, *swapped(v)) for v in votes]), votes)


@kind
def k24_log() -> Kind:
    """A log, some of whose rows are decisions: what was shown, and in which order it was put."""
    votes = duels(24, items=("19", "2", "7", "12", "3"), among="left right")
    rows = [
        (n, len(v.voter), f"cj{n}", f"{v.left},{v.right} -> {','.join(swapped(v))}", 22255, "")
        for n, v in enumerate(votes)
    ]
    others = [
        (90, 3, "evaluate", "Difficult", 0, "Poor, most of them"),
        (91, 2, "evaluate", "Neutral", 0, ""),
        (92, 3, "rank", "4,5,7,18,6 -> 5,6,4,7,18", 9, ""),
    ]
    rows[5:5] = others
    header = ["decision_id", "judge_id", "step", "decision", "time_taken", "comment"]
    return one("k24_log.csv", table(header, rows), votes)


@kind
def k25_two_columns() -> Kind:
    """An item is a type and a level."""
    items = ("DQ / 1", "DQ / 4", "NN / 1", "NN / 4", "OPT / 10")
    votes = duels(25, 60, items, among="left right")
    rows = [
        (n, v.voter, "S", "Car", *v.left.split(" / "), *v.right.split(" / "), 1 if v.outcome == "left" else 2)
        for n, v in enumerate(votes)
    ]
    header = [
        "trial",
        "observer",
        "session",
        "scene",
        "dist_type1",
        "dist_level1",
        "dist_type2",
        "dist_level2",
        "selected",
    ]
    return one("k25_fields.csv", table(header, rows), votes)


def task(n: int, votes: Sequence[Duel]) -> dict[str, Any]:
    """A task of a labelling tool with an annotation for each of the votes, which are on one pair."""
    words = {"left": "a_winner", "right": "b_winner", "tie": "tie"}

    def result(vote: Duel) -> dict[str, Any]:
        chosen = {"type": "choices", "value": {"choices": [words[vote.outcome]]}, "origin": "manual"}
        return {"id": f"r{n}", **chosen, "to_name": "response_a", "from_name": "winner"}

    shown = {"model_a": votes[0].left, "model_b": votes[0].right, "response_a": f"Yes, {n} is.", "response_b": "No."}
    beside = {"was_cancelled": False, "lead_time": 4.4, "prediction": {}}
    return {
        "id": n,
        "annotations": [{"id": n, "completed_by": len(v.voter), "result": [result(v)], **beside} for v in votes],
        "file_upload": "9d8a-train.csv",
        "drafts": [],
        "predictions": [],
        "data": {"id": 30192 + n, "prompt": f"Is {n} a number?", **shown},
    }


@kind
def k26_label_studio() -> Kind:
    """The export of a labelling tool: tasks with their annotations."""
    votes = duels(26)
    return one("k26_export.json", json.dumps([task(n, [v]) for n, v in enumerate(votes)]).encode(), votes)


@kind
def k26_two_annotators() -> Kind:
    """The same with two annotations of each task."""
    votes = duels(266)
    pairs = [(v, Duel(v.left, v.right, other.outcome, "annabo")) for v, other in zip(votes, duels(267), strict=True)]
    tasks = [task(n, pair) for n, pair in enumerate(pairs)]
    return one("k26_twice.json", json.dumps(tasks).encode(), [v for pair in pairs for v in pair])


@kind
def k27_annotations() -> Kind:
    """Annotations with a preference from 1, for the first, to 2."""
    draw = random.Random(27)
    records, asked = [], Counter[str]()
    for n in range(30):
        model = draw.choice(TREES[1:])
        asked.update(("ash", model))
        share = draw.random() ** 3
        records.append(
            {
                "instruction": f"Say {n}.",
                "output_1": f"{n}",
                "generator_1": "ash",
                "dataset": "helpful",
                "output_2": f"No: {n}",
                "generator_2": model,
                "annotator": "machine",
                "preference": 1 + share,
                "time_per_example": 0.17,
            }
        )
    return one(
        "k27_annotations.json",
        json.dumps(records, indent=1).encode(),
        {item: (0, 0, number) for item, number in asked.items()},
        graded=True,
    )


@kind
def k28_texts() -> Kind:
    """Chosen and rejected texts."""
    votes, lines = [], []
    for n in range(12):
        chosen = f"Reinforcement learning number {n} aligns what a model does with what people prefer, by comparisons."
        rejected = f"It is a way, number {n}, to make models faster without any people in it, and that is all there is."
        votes.append(Duel(chosen, rejected, "left", ""))
        lines.append(json.dumps({"prompt": f"Explain {n}", "chosen": chosen, "rejected": rejected}))
    return one("k28_preferences.jsonl", "\n".join(lines).encode(), votes)


# --- totals, matrices, ballots ---


def totals(votes: Iterable[Duel]) -> dict[tuple[str, str], int]:
    """How often the first item of a pair beat the second."""
    return Counter(swapped(v) for v in votes)


@kind
def k29_pair_totals() -> Kind:
    """A row for each pair, with the wins of both."""
    votes = duels(29, 60, ("1", "2", "3", "4", "5"), among="left right")
    wins = totals(votes)
    pairs = [(x, y) for place, x in enumerate("12345") for y in "12345"[place + 1 :]]
    return one(
        "k29_dominance.csv",
        table(["ind1", "ind2", "win1", "win2"], [(x, y, wins[x, y], wins[y, x]) for x, y in pairs]),
        votes,
    )


@kind
def k30_matrix() -> Kind:
    """A square table with a blank in a name, NA on its diagonal and a column more."""
    items = ("A", "B", "C", "D", "E")
    votes = duels(30, 50, items, among="left right")
    wins = totals(votes)
    spelt = {"B": "B "}
    rows = [(spelt.get(x, x), *("NA" if x == y else wins[x, y] for y in items), 7) for x in items]
    return one("k30_matrix.csv", table(["individual", *(spelt.get(x, x) for x in items), "age"], rows), votes)


@kind
def k31_citations() -> Kind:
    """A square table as R writes it, with citations of oneself."""
    items = ("Ann Ash", "Biom", "Comm Stat", "JRSS-B")
    votes = duels(31, 60, items, among="left right")
    wins = totals(votes)
    rows = [(x, *(714 if x == y else wins[x, y] for y in items)) for x in items]
    return one("k31_citations.csv", table(["", *items], rows, quoting=csv.QUOTE_NONNUMERIC), votes)


@kind
def k32_finals() -> Kind:
    """Finals between tabs, with winners and runners-up."""
    votes = duels(32, among="left right")
    rows = [
        (
            1956 + n,
            f"{1955 + n}–{56 + n}",
            swapped(v)[0],
            "Spain",
            "4–3",
            None,
            swapped(v)[1],
            "France",
            "Parc, Paris",
            38239,
        )
        for n, v in enumerate(votes)
    ]
    header = ["year", "season", "winners", "nation1", "score", "special", "runnersUp", "nation2", "venue", "attendance"]
    return one("k32_finals.tsv", table(header, rows, delimiter="\t"), votes, reading={"delimiter": "\t"})


def ballots(seed: int, n: int = 16) -> list[dict[str, int]]:
    """The places that each ballot gives to some of the items."""
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        ranked = draw.sample(TREES[:5], draw.randrange(2, 6))
        found.append({item: place for place, item in enumerate(ranked, 1)})
    return found


def of_ballots(given: Iterable[dict[str, int]]) -> list[Duel]:
    """Every pair that a ballot ranks."""
    return [Duel(x, y, "left", "") for ballot in given for x in ballot for y in ballot if ballot[x] < ballot[y]]


@kind
def k33_ballots() -> Kind:
    """A ballot a row, in words, some items unranked."""
    given = ballots(33)
    words = ["First Choice", "Second Choice", "Third Choice", "Fourth Choice", "Fifth Choice"]
    rows = [[words[ballot[item] - 1] if item in ballot else None for item in TREES[:5]] for ballot in given]
    return one("k33_taglines.csv", table(TREES[:5], rows), of_ballots(given))


@kind
def k33_places() -> Kind:
    """A ballot a row, in numbers, beside who cast it and when."""
    given = ballots(333)
    rows = [
        [f"2024-05-{n + 1:02}", f"person {n}", *(ballot.get(item) for item in TREES[:5])]
        for n, ballot in enumerate(given)
    ]
    return one("k33_places.csv", table(["Timestamp", "respondent", *TREES[:5]], rows), of_ballots(given))


@kind
def k34_numbers() -> Kind:
    """Items called by numbers."""
    votes = duels(34, items=("1", "2", "3", "4"))
    return one("k34_simple.csv", table(["left", "right", "winner"], [v[:3] for v in votes]), votes)


# --- made by hand, since none was found ---


@kind
def m_gavel() -> Kind:
    """Decisions of judges at a fair."""
    votes = duels(41, among="left right")
    number = {item: str(place + 11) for place, item in enumerate(TREES)}
    rows = [
        (n, len(v.voter), *(number[item] for item in swapped(v)), "2024-01-01 10:00:00") for n, v in enumerate(votes)
    ]
    renamed = [v._replace(left=number[v.left], right=number[v.right]) for v in votes]
    return one("m_gavel.csv", table(["id", "annotator_id", "winner_id", "loser_id", "time"], rows), renamed)


@kind
def m_bench() -> Kind:
    """Judgements of two models, a line each."""
    votes = duels(42)
    words = {"left": "model_a", "right": "model_b", "tie": "tie"}
    lines = [
        json.dumps(
            {
                "question_id": 81 + n,
                "model_a": v.left,
                "model_b": v.right,
                "winner": words[v.outcome],
                "judge": v.voter,
                "turn": 1,
            }
        )
        for n, v in enumerate(votes)
    ]
    return one("m_bench.jsonl", "\n".join(lines).encode(), votes)


@kind
def m_bench_pair() -> Kind:
    """Judgements in two orders, of which the first game's are taken."""
    votes = duels(43, among="left right tie skip")
    words = {"left": "model_1", "right": "model_2", "tie": "tie", "skip": "error"}
    lines = [
        json.dumps(
            {
                "question_id": 81 + n,
                "model_1": v.left,
                "model_2": v.right,
                "g1_winner": words[v.outcome],
                "g2_winner": "tie",
                "judge": ["machine", "pair-v2"],
                "g1_user_prompt": "Which?",
                "turn": 1,
                "tstamp": 1687222833.9,
            }
        )
        for n, v in enumerate(votes)
    ]
    return one("m_bench_pair.jsonl", "\n".join(lines).encode(), votes)


@kind
def m_argilla() -> Kind:
    """Pairs of answers with the models that gave them."""
    votes = duels(44, among="left right")
    records = [
        {
            "prompt": f"Say {n}",
            "chosen": f"yes {n}",
            "rejected": f"no {n}",
            "chosen-model": swapped(v)[0],
            "rejected-model": swapped(v)[1],
            "chosen-rating": 5.0,
            "rejected-rating": 3.0,
        }
        for n, v in enumerate(votes)
    ]
    return one("m_argilla.json", json.dumps(records).encode(), votes)


@kind
def m_form() -> Kind:
    """Answers to a form, between semicolons."""
    votes = duels(45)
    rows = [
        (
            "2024/05/01 10:00:00 AM",
            f"{v.voter}@example.org",
            v.left,
            v.right,
            {"left": "A", "right": "B", "tie": "No preference"}[v.outcome],
        )
        for v in votes
    ]
    header = ["Timestamp", "Email Address", "Option A", "Option B", "Which do you prefer?"]
    return one("m_form.csv", table(header, rows, delimiter=";"), votes, reading={"delimiter": ";"})


@kind
def m_graded_words() -> Kind:
    """Answers from much better to much worse."""
    draw = random.Random(46)
    words = ["A is much better", "A is slightly better", "About the same", "B is slightly better", "B is much better"]
    asked, rows = Counter[str](), []
    for _ in range(30):
        left, right = draw.sample(TREES, 2)
        asked.update((left, right))
        rows.append((left, right, words[min(4, max(0, 2 + TREES.index(left) - TREES.index(right)))]))
    content = table(["item_a", "item_b", "preference"], rows)
    return one("m_words.csv", content, {item: (0, 0, number) for item, number in asked.items()}, graded=True)


@kind
def m_scale() -> Kind:
    """Answers from 1 to 7."""
    draw = random.Random(47)
    asked, rows = Counter[str](), []
    for _ in range(30):
        left, right = draw.sample(TREES, 2)
        asked.update((left, right))
        rows.append((left, right, min(7, max(1, 4 + TREES.index(left) - TREES.index(right)))))
    content = table(["left", "right", "rating"], rows)
    return one("m_scale.csv", content, {item: (0, 0, number) for item, number in asked.items()}, graded=True)


@kind
def m_no_header() -> Kind:
    """No header at all."""
    votes = duels(48)
    return one("m_bare.csv", table(votes[0][:3], [v[:3] for v in votes[1:]]), votes)


@kind
def m_bad_rows() -> Kind:
    """A total at the end, an item against itself, and a blank one."""
    votes = duels(49, among="left right")
    rows: list[tuple[Any, ...]] = [(v.left, v.right, v.outcome) for v in votes]
    rows[4:4] = [("ash", "ash", "left"), ("elm", None, "right")]
    rows.append(("Total", len(votes), None))
    return one("m_rows.csv", table(["left", "right", "outcome"], rows), votes)


@kind
def m_vs() -> Kind:
    """Both items in one text."""
    votes = duels(50, among="left right")
    rows = [(n, f"{v.left} vs {v.right}", swapped(v)[0]) for n, v in enumerate(votes)]
    return one("m_vs.csv", table(["id", "match", "winner"], rows), votes)


# --- met later ---


@kind
def n_numbered_totals() -> Kind:
    """Totals of pairs beside R's numbers of rows, whose column has no name."""
    votes = duels(51, 80, among="left right")
    wins = Counter(v[:3] for v in votes)
    pairs = [(x, y) for x in TREES for y in TREES if (x, y, "left") in wins or (x, y, "right") in wins]
    rows = [(n, x, y, wins[x, y, "left"], wins[x, y, "right"]) for n, (x, y) in enumerate(pairs)]
    header = ["", "home.team", "away.team", "home.wins", "away.wins"]
    return one("n_baseball.csv", table(header, rows, quoting=csv.QUOTE_NONNUMERIC), votes)


@kind
def n_german() -> Kind:
    """Goals of both sides, in German."""
    votes = duels(52, items=TOWNS)
    rows = [
        (n // 6 + 1, "10.08.2019", v.left, v.right, *score)
        for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True))
    ]
    header = ["Spieltag", "Datum", "Heimmannschaft", "Gastmannschaft", "Heimtore", "Gasttore"]
    return one("n_liga.csv", table(header, rows, delimiter=";"), votes, reading={"delimiter": ";"})


@kind
def n_spanish() -> Kind:
    """The winner by name, or a tie, in Spanish."""
    votes = duels(53)
    rows = [(n, v.left, v.right, "empate" if v.outcome == "tie" else swapped(v)[0]) for n, v in enumerate(votes)]
    return one("n_partidos.csv", table(["partido", "equipo1", "equipo2", "ganador"], rows), votes)


@kind
def n_french() -> Kind:
    """Which of two teams won, in French."""
    votes = duels(54, items=TOWNS)
    said = {"left": "Victoire A", "right": "Victoire B", "tie": "Match nul"}
    rows = [("10/08/2019", v.left, v.right, said[v.outcome]) for v in votes]
    return one("n_matchs.csv", table(["Date", "Équipe A", "Équipe B", "Résultat"], rows), votes)


@kind
def n_both_halves() -> Kind:
    """Both names in one cell, and what came of it for each in another."""
    votes = duels(55, among="left right tie skip")
    said = {"left": "W/L", "right": "L/W", "tie": "D/D", "skip": "NC/NC"}
    rows = [(f"{v.left} vs. {v.right}", said[v.outcome], "KO") for v in votes]
    return one("n_bouts.csv", table(["BOUT", "OUTCOME", "METHOD"], rows), votes)


@kind
def n_level() -> Kind:
    """A dash in the place of the winner where the scores are level."""
    votes = duels(56, items=TOWNS)
    rows = [
        (n // 6, v.left, v.right, "-" if v.outcome == "tie" else swapped(v)[0], *score)
        for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True))
    ]
    header = ["rodada", "mandante", "visitante", "vencedor", "mandante_Placar", "visitante_Placar"]
    return one("n_rodadas.csv", table(header, rows), votes)


@kind
def n_headers_again() -> Kind:
    """Three files one below the other, each with its header."""
    votes = duels(57)
    header = ("model_a", "model_b", "winner")
    rows: list[Sequence[str]] = [(v.left, v.right, v.outcome) for v in votes]
    rows[25:25] = [header]
    rows[10:10] = [header]
    return one("n_joined.csv", table(header, rows), votes)


@kind
def n_winners_again() -> Kind:
    """Two files of winners one below the other."""
    votes = duels(58, among="left right")
    rows = [swapped(v) for v in votes]
    rows[10:10] = [("winner", "loser")]
    return one("n_twice.csv", table(["winner", "loser"], rows), votes)


@kind
def n_three_headers() -> Kind:
    """A survey's answers below three lines of names."""
    votes = duels(59, among="left right")
    rows: list[Sequence[str]] = [
        ("Response Type", "itemA", "itemB", "Which is better?"),
        [json.dumps({"ImportId": name}) for name in ("status", "itemA", "itemB", "QID1")],
        *(("0", v.left, v.right, "Option A" if v.outcome == "left" else "Option B") for v in votes),
    ]
    return one("n_survey.csv", table(["Status", "itemA", "itemB", "Q1"], rows), votes)


@kind
def n_no_result() -> Kind:
    """The winner by name, or in words that it was a tie or came to nothing."""
    votes = duels(60, among="left right tie skip")
    other = {"tie": "tied", "skip": "no result"}
    rows = [(v.left, v.right, other.get(v.outcome) or swapped(v)[0], "10 runs") for v in votes]
    return one("n_cricket.csv", table(["Team 1", "Team 2", "Winner", "Margin"], rows), votes)


@kind
def n_frequencies() -> Kind:
    """How often each pair had each result."""
    votes = duels(61, 80)
    letters = {"left": "A", "right": "B", "tie": "tie"}
    rows = [(left, right, letters[outcome], n) for (left, right, outcome), n in Counter(v[:3] for v in votes).items()]
    return one("n_frequencies.csv", table(["item_a", "item_b", "preferred", "count"], rows), votes)


@kind
def n_winner_or_tie() -> Kind:
    """The winner first and the loser second, in ties as well, with what both scored."""
    votes = duels(62, items=TOWNS)
    rows = []
    for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True)):
        won, lost = swapped(v)
        rows.append((n // 6 + 1, "Thu", won, "@" if n % 2 else None, lost, 20 + max(score), 20 + min(score)))
    header = ["Week", "Day", "Winner/tie", "", "Loser/tie", "PtsW", "PtsL"]
    return one("n_games.csv", table(header, rows), votes)


@kind
def n_safety() -> Kind:
    """The number of the better response, from 0, beside what was found of both."""
    votes = duels(63, among="left right")
    lines = [
        json.dumps(
            {
                "prompt": f"Say {n}.",
                "response_0": f"{n}",
                "response_1": f"No: {n}",
                "response_0_source": v.left,
                "response_1_source": v.right,
                "is_response_0_safe": n % 2 == 0,
                "is_response_1_safe": n % 3 == 0,
                "better_response_id": 0 if v.outcome == "left" else 1,
                "safer_response_id": n % 2,
            }
        )
        for n, v in enumerate(votes)
    ]
    return one("n_safety.jsonl", "\n".join(lines).encode(), votes)


@kind
def n_radio() -> Kind:
    """True and false for either side, as a form on the web gives them."""
    votes = duels(64, among="left right")
    rows = [
        (f"H{n}", f"W{v.voter}", v.left, v.right, str(v.outcome == "left").lower(), str(v.outcome == "right").lower())
        for n, v in enumerate(votes)
    ]
    header = ["HITId", "WorkerId", "Input.left_url", "Input.right_url", "Answer.pref.left", "Answer.pref.right"]
    return one("n_batch.csv", table(header, rows, quoting=csv.QUOTE_ALL), votes)


@kind
def n_keys() -> Kind:
    """Which key was pressed: F lies on the left, J on the right."""
    votes = duels(65, among="left right")
    rows = [(n, v.left, v.right, "f" if v.outcome == "left" else "j", 530) for n, v in enumerate(votes)]
    return one("n_keys.csv", table(["trial_index", "left_stim", "right_stim", "response", "rt"], rows), votes)


@kind
def n_bare_matrix() -> Kind:
    """A square table without names of its rows."""
    votes = duels(66, 80, among="left right")
    wins = totals(votes)
    rows = [[0 if x == y else wins[x, y] for y in TREES] for x in TREES]
    return one("n_square.csv", table(TREES, rows), votes)


@kind
def n_matrix_with_sums() -> Kind:
    """A square table with its sums below and to the right."""
    votes = duels(67, 80, among="left right")
    wins = totals(votes)
    rows: list[Sequence[Any]] = [[x, *(wins[x, y] for y in TREES), sum(wins[x, y] for y in TREES)] for x in TREES]
    rows.append(["Total", *(sum(wins[x, y] for x in TREES) for y in TREES), len(votes)])
    return one("n_sums.csv", table(["", *TREES, "Total"], rows), votes)


@kind
def n_slider() -> Kind:
    """A slider from 0, wholly left, to 100."""
    draw = random.Random(68)
    asked, rows = Counter[str](), []
    for _ in range(30):
        left, right = draw.sample(TREES, 2)
        asked.update((left, right))
        rows.append((left, right, 50 + 8 * (TREES.index(left) - TREES.index(right))))
    content = table(["image_left", "image_right", "slider"], rows)
    return one("n_slider.csv", content, {item: (0, 0, number) for item, number in asked.items()}, graded=True)


@kind
def n_places() -> Kind:
    """Votes on places, with where both lie, which are no places of a ballot."""
    votes = duels(69)
    rows = [(n, v.left, v.right, "equal" if v.outcome == "tie" else v.outcome, 1, 2, 3, 4) for n, v in enumerate(votes)]
    header = ["id", "place_id_left", "place_id_right", "winner", "lat_left", "lat_right", "long_left", "long_right"]
    return one("n_pulse.csv", table(header, rows), votes)


@kind
def n_two_labels() -> Kind:
    """A share for either side, and whether there was an answer."""
    votes = duels(70)
    share = {"left": ("1.0", "0.0"), "right": ("0.0", "1.0"), "tie": ("0.5", "0.5")}
    rows = [(v.left, v.right, *share[v.outcome], v.outcome != "tie") for v in votes]
    header = ["model_0", "model_1", "label_0", "label_1", "has_label"]
    return one("n_labels.csv", table(header, rows), votes)


@kind
def n_beat() -> Kind:
    """Who beat whom, and by how much, in a sentence."""
    votes = duels(71, among="left right")
    rows = [(n, "{} beat {} 3-1".format(*swapped(v))) for n, v in enumerate(votes)]
    return one("n_news.csv", table(["id", "summary"], rows), votes)


@kind
def n_parted() -> Kind:
    """Both items in one cell with a stroke between them."""
    votes = duels(72, among="left right")
    rows = [(v.voter, f"{v.left}|{v.right}", swapped(v)[0]) for v in votes]
    return one("n_pairs.csv", table(["judge", "pair", "selected"], rows), votes)


@kind
def n_overall() -> Kind:
    """Several answers on each pair, of which one says that it is on the whole."""
    votes = duels(73)
    draw = random.Random(73)
    letters = {"left": "A", "right": "B", "tie": "Tie"}
    rows = [(v.left, v.right, draw.choice("AB"), draw.choice("AB"), letters[v.outcome]) for v in votes]
    return one("n_criteria.csv", table(["system_a", "system_b", "fluency", "adequacy", "overall"], rows), votes)


@kind
def n_blanks() -> Kind:
    """Blanks around names and answers."""
    votes = duels(74)
    rows = [(f" {v.left}", f"{v.right} ", f" {v.outcome.upper()}") for v in votes]
    return one("n_blanks.csv", table([" Left ", " Right ", "Outcome "], rows), votes)
