"""Guesses at the options of a file: right over many ways to name columns, and the same however they lie."""

from __future__ import annotations

import csv
import io
import random
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds import KINDS, TREES, Duel, counted, duels, goals, swapped

import pairvote as pv
from pairvote.io._guess import MOST_ROWS, guess
from pairvote.io._overview import Overview, closest
from pairvote.io._words import Speech, name_pair, place_of, words

SIDES = [
    ("left", "right"),
    ("a", "b"),
    ("Option 1", "Option 2"),
    ("home", "away"),
    ("HomeTeam", "AwayTeam"),
    ("hometeam", "awayteam"),
    ("White", "Black"),
    ("player_1", "player_2"),
    ("model_a", "model_b"),
    ("modelA", "modelB"),
    ("generator_1", "generator_2"),
    ("Team 1", "Team 2"),
    ("item_left", "item_right"),
    ("left_id", "right_id"),
    ("first", "second"),
    ("image_A", "image_B"),
    ("player", "opponent"),
    ("p1", "p2"),
    ("system1_name", "system2_name"),
    ("home.team", "visitor.team"),
    ("Left Choice", "Right Choice"),
    ("Heim", "Gast"),
    ("Heimverein", "Auswärtsverein"),
    ("domicile", "extérieur"),
    ("thuis", "uit"),
    ("Local", "Visitante"),
    ("vänster", "höger"),
    ("option", "versus"),
]
WINNERS = [
    ("winner", "loser"),
    ("Winner Text", "Loser Text"),
    ("winner_name", "loser_name"),
    ("winners", "runnersUp"),
    ("Winner", "Runner-up"),
    ("chosen", "rejected"),
    ("chosen", "not_chosen"),
    ("Chosen", "Not chosen"),
    ("won", "lost"),
    ("winning_team", "losing_team"),
    ("chosen_model", "rejected_model"),
    ("preferred", "other"),
    ("selected", "unselected"),
    ("winnerId", "loserId"),
    ("better", "worse"),
    ("gagnant", "perdant"),
    ("vinnare", "förlorare"),
    ("Gewinner", "Verlierer"),
    ("ganador", "perdedor"),
    ("winnaar", "verliezer"),
]
# How cells name an outcome, by the names of the columns of both sides.
CELLS: dict[str, Any] = {
    "words": lambda v, left, right: v.outcome,
    "Words": lambda v, left, right: v.outcome.title(),
    "columns": lambda v, left, right: {"left": left, "right": right}.get(v.outcome, "draw"),
    "letters": lambda v, left, right: {"left": "A", "right": "B"}.get(v.outcome, "tie"),
    "items": lambda v, left, right: {"left": v.left, "right": v.right}.get(v.outcome, "equal"),
    "numbers": lambda v, left, right: {"left": "1", "right": "2"}.get(v.outcome, "0"),
    "sentences": lambda v, left, right: {"left": "A is better", "right": "B is better"}.get(v.outcome, "No preference"),
    "wins": lambda v, left, right: {"left": "win", "right": "loss"}.get(v.outcome, "draw"),
    "scores": lambda v, left, right: {"left": "1-0", "right": "0-1"}.get(v.outcome, "1/2-1/2"),
    "arena": lambda v, left, right: {"left": "model_a", "right": "model_b"}.get(v.outcome, "tie (bothbad)"),
    "brackets": lambda v, left, right: {"left": "[[A]]", "right": "[[B]]"}.get(v.outcome, "[[C]]"),
    "signs": lambda v, left, right: {"left": "A>B", "right": "B>A"}.get(v.outcome, "A=B"),
}


def as_text(header: list[str], rows: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def overview_of(text: str) -> Overview:
    header, *rows = csv.reader(io.StringIO(text))
    return Overview.of({name: [row[place] or None for row in rows] for place, name in enumerate(header)})


def read_by_guess(text: str, given: dict[str, Any] | None = None) -> tuple[dict[str, Any], Any]:
    """The options that are guessed, and what items won, tied and were asked when they are followed."""
    options = guess(overview_of(text), given or {}).options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pv.tally(pv.read_votes(io.StringIO(text), format="csv", **options)).to_columns()
    rows = zip(*(table[name] for name in ("item", "won", "tied", "asked")), strict=True)
    return options, {item: tuple(map(int, counts)) for item, *counts in rows}


@pytest.mark.parametrize("sides", SIDES, ids="/".join)
@pytest.mark.parametrize("style", CELLS)
def test_two_sides_and_an_outcome_are_found(sides, style) -> None:
    votes = duels(sum(map(ord, style)), 40)
    rows = [(n, v.left, v.right, CELLS[style](v, *sides), v.voter) for n, v in enumerate(votes)]
    for name in ("outcome", "Winner", "preference"):
        options, counts = read_by_guess(as_text(["id", *sides, name, "worker"], rows))
        assert counts == counted(votes), options
        assert options["voter"] == "worker"


@pytest.mark.parametrize(
    "name", ["result", "choice", "vote", "verdict", "label", "human_winner", "Judgement", "FTR", "your pick"]
)
def test_an_outcome_has_many_names(name) -> None:
    votes = duels(5, 40)
    rows = [(v.left, v.right, {"left": "a", "right": "b"}.get(v.outcome, "tie"), "en") for v in votes]
    assert read_by_guess(as_text(["item_a", "item_b", name, "language"], rows))[1] == counted(votes)


@pytest.mark.parametrize("names", WINNERS, ids="/".join)
def test_winners_and_losers_are_found(names) -> None:
    votes = duels(7, 40, among="left right")
    rows = [(n, *swapped(v), f"2020-01-{n % 28 + 1:02}", v.voter) for n, v in enumerate(votes)]
    options, counts = read_by_guess(as_text(["id", *names, "date", "judge_id"], rows))
    assert counts == counted(votes)
    assert options == {"winner": names[0], "loser": names[1], "voter": "judge_id"}


@pytest.mark.parametrize(
    "names",
    [
        ("home_score", "away_score"),
        ("FTHG", "FTAG"),
        ("hgoal", "vgoal"),
        ("Home.Points", "Away.Points"),
        ("score1", "score2"),
        ("pts_h", "pts_a"),
    ],
)
def test_scores_are_found_beside_other_numbers(names) -> None:
    votes = duels(8, 40)
    rows = [
        (v.left, v.right, *score, 1500 + n, 1400 + n, 9 - score[0], 9 - score[1])
        for n, (v, score) in enumerate(zip(votes, goals(votes), strict=True))
    ]
    options, counts = read_by_guess(
        as_text(["home", "away", *names, "home_elo", "away_elo", "home_shots", "away_shots"], rows)
    )
    assert (options["left_score"], options["right_score"]) == names
    assert counts == counted(votes)


@pytest.mark.parametrize(
    ("name", "yes"), [("is_A_selected", "left"), ("left_won", "left"), ("is_b_better", "right"), ("won", "left")]
)
@pytest.mark.parametrize("spelt", [("1", "0"), ("True", "False"), ("TRUE", "FALSE")])
def test_yes_and_no_mean_the_side_that_the_name_says(name, yes, spelt) -> None:
    votes = duels(9, 40, among="left right")
    rows = [(v.left, v.right, spelt[v.outcome != yes]) for v in votes]
    assert read_by_guess(as_text(["item_a", "item_b", name], rows))[1] == counted(votes)


@pytest.mark.parametrize("names", [("win1", "win2"), ("wins_1", "wins_2"), ("W1", "W2"), ("left_wins", "right_wins")])
def test_totals_of_pairs_are_found(names) -> None:
    votes = duels(10, 60)
    pairs = [(x, y) for place, x in enumerate(TREES) for y in TREES[place + 1 :]]
    lost = [
        [sum(swapped(v) == pair for v in votes if v.outcome != "tie") for pair in ((x, y), (y, x))] for x, y in pairs
    ]
    tied = [sum({v.left, v.right} == {x, y} for v in votes if v.outcome == "tie") for x, y in pairs]
    rows = [(*pair, *wins, ties) for pair, wins, ties in zip(pairs, lost, tied, strict=True)]
    options, counts = read_by_guess(as_text(["player1", "player2", *names, "draws"], rows))
    assert counts == counted(votes)
    assert {options.get("left_wins", "left_wins"), options.get("right_wins", "right_wins")} == set(names)


# --- laws ---


def files() -> list[str]:
    made = [make() for make in KINDS]
    return [
        content.decode()
        for kind in made
        for name, content in kind.files.items()
        # A square without names of its rows is told by their order and number.
        if name.endswith(".csv") and not kind.reading and name != "n_square.csv"
    ]


FILES = files()


@settings(max_examples=60)
@given(st.sampled_from(FILES), st.randoms(use_true_random=False))
def test_order_does_not_matter(text, draw) -> None:
    """Rows may lie in any order, and so may columns, except where one of a pair comes first."""
    overview = overview_of(text)
    options = guess(overview).options
    header, *rows = csv.reader(io.StringIO(text))
    if options.get("header", True):
        draw.shuffle(rows)
    shuffled = guess(overview_of(as_text(header, rows))).options
    assert _plain(shuffled) == _plain(options)


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    return {name: set(value.items()) if isinstance(value, dict) else value for name, value in options.items()}


@pytest.mark.parametrize("text", FILES)
def test_what_was_guessed_is_guessed_again(text) -> None:
    overview = overview_of(text)
    first = guess(overview)
    assert first.found
    assert guess(overview) == first
    if first.options.get("header", True):
        assert guess(overview, first.options).options == first.options


@pytest.mark.parametrize("text", FILES)
def test_a_column_of_noise_changes_nothing(text) -> None:
    overview = overview_of(text)
    draw = random.Random(3)
    header, *rows = csv.reader(io.StringIO(text))
    options = guess(overview).options
    if options.get("rankings") == "all" or not options.get("header", True):
        return
    more = [[*row, f"n{draw.randrange(999)}", str(draw.random()), draw.choice(["red", "blue"]), ""] for row in rows]
    assert guess(overview_of(as_text([*header, "remark", "seconds", "colour", "empty"], more))).options == options


def test_given_options_stay() -> None:
    votes = duels(11, 40)
    rows = [(v.left, v.right, v.outcome, "A" if v.outcome == "left" else "B") for v in votes]
    overview = overview_of(as_text(["item_a", "item_b", "outcome", "verdict"], rows))
    assert "outcome" not in guess(overview).options
    options = guess(overview, {"outcome": "verdict", "na": ["-"], "encoding": "cp1252"}).options
    assert options["outcome"] == "verdict"
    assert (options["na"], options["encoding"]) == (["-"], "cp1252")
    assert options["outcomes"] == {"A": "left", "B": "right"}
    turned = guess(overview, {"left": "item_b", "right": "item_a"}).options
    assert (turned["left"], turned["right"]) == ("item_b", "item_a")


def test_misspelt_columns_are_mended() -> None:
    votes = duels(12, 40)
    rows = [(v.left, v.right, v.outcome) for v in votes]
    overview = overview_of(as_text(["Model_A", " model_b", "Outcome "], rows))
    options = guess(overview, {"left": "model_a", "right": "model_b", "outcome": "outcome"}).options
    assert options == {"left": "Model_A", "right": " model_b", "outcome": "Outcome "}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Left", "left"),
        ("LEFT ", "left"),
        ("model a", "model_a"),
        ("outcom", "outcome"),
        ("wieght", "weight"),
        ("model-b", "model_b"),
        ("modelb", "model_b"),
    ],
)
def test_a_name_is_found_across_spellings(name, meant) -> None:
    assert closest(name, ["left", "right", "outcome", "model_a", "model_b", "weight"]) == meant


@pytest.mark.parametrize("name", ["model_c", "x", "winner", "1", "elephant"])
def test_another_name_is_not_taken_for_one(name) -> None:
    assert closest(name, ["left", "right", "outcome", "model_a", "model_b", "weight", "2"]) is None


# --- what is said ---


def test_unknown_words_are_skips_and_said() -> None:
    votes = duels(13, 40)
    rows: list[Any] = [(v.left, v.right, v.outcome) for v in votes]
    rows[3] = (*rows[3][:2], "lfet")
    found = guess(overview_of(as_text(["left", "right", "outcome"], rows)))
    assert found.options == {"outcomes": {"lfet": "skip"}}
    assert any("'lfet' (1 row)" in remark for remark in found.remarks)


def test_rows_that_are_no_votes_are_counted() -> None:
    rows: list[Any] = [(v.left, v.right, v.outcome) for v in duels(14, 40)]
    rows += [("ash", "ash", "left"), ("ash", "", "left"), ("", "elm", "right")]
    found = guess(overview_of(as_text(["left", "right", "outcome"], rows)))
    assert found.options == {"bad_rows": "skip"}
    assert [remark.split(" ")[0] for remark in found.remarks] == ["2", "1"]


def test_a_column_called_weight_is_said() -> None:
    rows = [(v.left, v.right, v.outcome, 60 + n) for n, v in enumerate(duels(15))]
    found = guess(overview_of(as_text(["a", "b", "winner", "weight"], rows)))
    assert "use_weight" not in found.options
    assert "the column 'weight' counts as weights; --no-weight leaves it out" in found.remarks
    rows[2] = (*rows[2][:3], "60 kg")
    found = guess(overview_of(as_text(["a", "b", "winner", "weight"], rows)))
    assert found.options["use_weight"] is False


@pytest.mark.parametrize(
    "text",
    [
        "x\n1\n",
        "name,age\nanna,3\nbo,4\ncia,5\n",
        "left,right,outcome\n",
        "a,b\n1,2\n3,4\n",
        "date,price\n2020-01-01,3.5\n2020-01-02,4.5\n",
    ],
)
def test_nothing_is_found_where_nothing_is(text) -> None:
    found = guess(overview_of(text))
    assert not found.found
    assert found.options == {}
    assert found.remarks


@settings(max_examples=200)
@given(st.data())
def test_any_table_gives_a_guess(data) -> None:
    """Whatever cells and names there are, a guess comes back, and twice the same."""
    cell = st.one_of(
        st.none(),
        st.text(max_size=6),
        st.sampled_from(["left", "1", "0.5", "NA", "a,b -> b,a", "3-2"]),
        st.integers(),
        st.booleans(),
        st.floats(),
        st.lists(st.integers(), max_size=2),
    )
    names = data.draw(
        st.lists(
            st.one_of(
                st.text(max_size=8),
                st.sampled_from(["left", "right", "winner", "home_score", "away_score", "weight", "rank"]),
            ),
            unique=True,
            max_size=6,
        )
    )
    n_rows = data.draw(st.integers(0, 6))
    columns = {name: data.draw(st.lists(cell, min_size=n_rows, max_size=n_rows)) for name in names}
    overview = Overview.of(columns)
    assert guess(overview) == guess(overview)
    assert all(len(line) <= 100 and line.isprintable() for line in overview.lines())
    assert len(overview.lines()) <= 15


# --- words ---


@pytest.mark.parametrize("sides", SIDES[:-1], ids="/".join)
def test_the_left_side_comes_first(sides) -> None:
    found = name_pair(*sides)
    assert found is not None
    assert not found.has_winner
    assert name_pair(*sides[::-1]) is None


@pytest.mark.parametrize("names", WINNERS, ids="/".join)
def test_the_winner_comes_first(names) -> None:
    found = name_pair(*names)
    assert found is not None
    assert found.has_winner
    assert name_pair(*names[::-1]) is None


@pytest.mark.parametrize(
    "names", [("left", "outcome"), ("model", "judge"), ("home_score", "away_team"), ("date", "venue"), ("id", "ip")]
)
def test_other_names_are_no_pair(names) -> None:
    assert name_pair(*names) is None


def test_words_of_names() -> None:
    assert words("HomeTeam") == words("home_team") == words("Home.Team") == words("home team") == ["home", "team"]
    assert words("player1") == ["player", "1"]
    assert words("FTHG") == ["fthg"]
    assert words("Åsikt Ä") == ["åsikt", "ä"]


def test_places_of_ballots() -> None:
    assert [place_of(text) for text in ("1", "2nd", "Third Choice", "rank 4", "First")] == [1, 2, 3, 4, 1]
    assert all(place_of(text) != place_of(text) for text in ("ash", "", "1-2", "first of two"))


def test_single_letters_mean_what_they_mean_among_the_others() -> None:
    football, letters, bouts = (
        Speech("home", "away", {"H": 5, "D": 2, "A": 3}),
        Speech("x", "y", {"A": 5, "B": 2}),
        Speech("x", "y", {"W": 3, "L": 3}),
    )
    assert [football.meaning(text) for text in "HDA"] == ["left", "tie", "right"]
    assert [letters.meaning(text) for text in "AB"] == ["left", "right"]
    assert [bouts.meaning(text) for text in "WL"] == ["left", "right"]
    assert [Speech("White", "Black", {"w": 3, "b": 4}).meaning(text) for text in "wb"] == ["left", "right"]


def test_swapping_the_names_of_the_sides_swaps_meanings() -> None:
    turned = {"left": "right", "right": "left", "tie": "tie", "skip": "skip"}
    for text in ("model_a", "model_b", "tie", "invalid", "Model A wins", "model b is better"):
        meaning = Speech("model_a", "model_b", {text: 1}).meaning(text)
        if text in ("model_a", "model_b"):
            assert Speech("model_b", "model_a", {text: 1}).meaning(text) == turned[str(meaning)]
        assert meaning in turned


def test_a_duel_is_counted_on_both_sides() -> None:
    assert counted([Duel("ash", "elm", "left", ""), Duel("ash", "elm", "tie", ""), Duel("elm", "ash", "skip", "")]) == {
        "ash": (1, 1, 2),
        "elm": (0, 1, 2),
    }


# --- files of many makers ---

MAKERS: dict[str, tuple[list[str], Any, str]] = {
    # What a row is made of: the vote, its number, and for each side its item.
    "one column for each answer": (
        [
            "id",
            "model_a",
            "model_b",
            "prompt",
            "response_a",
            "response_b",
            "winner_model_a",
            "winner_model_b",
            "winner_tie",
        ],
        lambda v, n: (
            n,
            v.left,
            v.right,
            f"say {n}",
            f"yes {n}",
            f"no {n}",
            int(v.outcome == "left"),
            int(v.outcome == "right"),
            int(v.outcome == "tie"),
        ),
        "left right tie",
    ),
    "crowd": (
        ["worker", "left", "right", "label"],
        lambda v, n: (v.voter, v.left, v.right, swapped(v)[0]),
        "left right",
    ),
    "toloka": (
        ["INPUT:image_left", "INPUT:image_right", "OUTPUT:result", "ASSIGNMENT:worker_id"],
        lambda v, n: (v.left, v.right, v.outcome.upper(), v.voter),
        "left right",
    ),
    "mturk": (
        ["HITId", "WorkerId", "Input.left", "Input.right", "Answer.choice"],
        lambda v, n: (f"h{n}", v.voter, v.left, v.right, v.outcome),
        "left right tie",
    ),
    "places": (
        ["left", "right", "winner", "study_id", "voter_uniqueid"],
        lambda v, n: (v.left, v.right, {"tie": "equal"}.get(v.outcome, v.outcome), "s1", v.voter),
        "left right tie",
    ),
    "pictures": (
        ["caption", "model_0", "model_1", "label_0", "label_1", "user_id"],
        lambda v, n: (
            f"cat {n}",
            v.left,
            v.right,
            *{"left": (1.0, 0.0), "right": (0.0, 1.0)}.get(v.outcome, (0.5, 0.5)),
            v.voter,
        ),
        "left right tie",
    ),
    "lichess": (
        [
            "id",
            "rated",
            "created_at",
            "turns",
            "victory_status",
            "winner",
            "white_id",
            "white_rating",
            "black_id",
            "black_rating",
        ],
        lambda v, n: (
            f"g{n}",
            "TRUE",
            1.5e12 + n,
            20 + n,
            "mate",
            {"left": "white", "right": "black"}.get(v.outcome, "draw"),
            v.left,
            1500 + n,
            v.right,
            1490 + n,
        ),
        "left right tie",
    ),
    "basketball": (
        [
            "GAME_DATE",
            "TEAM_ABBREVIATION_HOME",
            "TEAM_ABBREVIATION_AWAY",
            "PTS_HOME",
            "PTS_AWAY",
            "REB_HOME",
            "REB_AWAY",
            "HOME_TEAM_WINS",
        ],
        lambda v, n: (
            f"2020-01-{n % 28 + 1}",
            v.left,
            v.right,
            *((101, 99) if v.outcome == "left" else (88, 97)),
            40 + n % 9,
            44,
            int(v.outcome == "left"),
        ),
        "left right",
    ),
    "tennis": (
        [
            "Tournament",
            "Player_1",
            "Player_2",
            "Winner",
            "Rank_1",
            "Rank_2",
            "Pts_1",
            "Pts_2",
            "Odd_1",
            "Odd_2",
            "Score",
        ],
        lambda v, n: ("Kalmar", v.left, v.right, swapped(v)[0], n + 1, 90 - n, 100 * n, 3000 - n, 1.5, 2.5, "6-4 6-4"),
        "left right",
    ),
    "fights": (
        ["R_fighter", "B_fighter", "date", "Winner", "R_age", "B_age"],
        lambda v, n: (
            v.left,
            v.right,
            "2019-06-08",
            {"left": "Red", "right": "Blue"}.get(v.outcome, "Draw"),
            30 + n % 5,
            29,
        ),
        "left right tie",
    ),
    "cricket": (
        ["id", "city", "team1", "team2", "toss_winner", "toss_decision", "result", "winner", "umpire1", "umpire2"],
        lambda v, n: (
            n,
            "Kalmar",
            v.left,
            v.right,
            v.left if n % 3 else v.right,
            "bat",
            "normal",
            swapped(v)[0],
            "Dar",
            "Rauf",
        ),
        "left right",
    ),
    "chess": (
        ["White", "Black", "Result", "WhiteElo", "BlackElo", "ECO"],
        lambda v, n: (
            v.left,
            v.right,
            {"left": "1-0", "right": "0-1"}.get(v.outcome, "1/2-1/2"),
            1500 + n,
            1400 + n,
            "C20",
        ),
        "left right tie",
    ),
    "coaches": (
        [
            "home_team",
            "away_team",
            "home_team_coach",
            "away_team_coach",
            "home_score",
            "away_score",
            "home_pen",
            "away_pen",
        ],
        lambda v, n: (v.left, v.right, f"c{n % 4}", f"c{n % 5}", *goals([v], n)[0], "", ""),
        "left right tie",
    ),
    "judge of judges": (
        ["question", "answer_1", "answer_2", "model_1", "model_2", "verdict", "explanation", "judge_model"],
        lambda v, n: (
            f"q{n}",
            f"a {n}",
            f"b {n}",
            v.left,
            v.right,
            {"left": "[[A]]", "right": "[[B]]"}.get(v.outcome, "[[C]]"),
            f"since {n}",
            "m",
        ),
        "left right tie",
    ),
    "ids": (
        ["judgement_id", "a_id", "b_id", "winner_id", "juror"],
        lambda v, n: (n, v.left, v.right, swapped(v)[0], v.voter),
        "left right",
    ),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_files_of_many_makers_are_read(maker) -> None:
    header, row, among = MAKERS[maker]
    votes = duels(sum(map(ord, maker)), 60, among=among)
    options, counts = read_by_guess(as_text(header, [row(v, n) for n, v in enumerate(votes)]))
    assert counts == counted(votes), options
    assert options.get("voter") in (
        None,
        "worker",
        "ASSIGNMENT:worker_id",
        "WorkerId",
        "voter_uniqueid",
        "user_id",
        "juror",
    )


@pytest.mark.parametrize("text", FILES)
def test_many_rows_are_guessed_as_few(text) -> None:
    """Columns are found by some of the rows of a long file; what their cells mean by all of them."""
    header, *rows = csv.reader(io.StringIO(text))
    options = guess(overview_of(text)).options
    if options.get("matrix") or not options.get("header", True) or "weight" in options:
        # Rows that come again are no totals of pairs.
        return
    times = 3 * MOST_ROWS // len(rows)
    long = guess(overview_of(as_text(header, rows * times)))
    assert _plain(long.options) == _plain(options)


def test_a_rare_word_of_a_long_file_is_seen() -> None:
    votes = duels(16, 12_000)
    rows: list[Any] = [(v.left, v.right, {"left": "a", "right": "b"}.get(v.outcome, "tie")) for v in votes]
    rows[7001] = (*rows[7001][:2], "wobbly")
    rows[8003] = ("ash", "ash", "a")
    found = guess(overview_of(as_text(["item_a", "item_b", "winner"], rows)))
    assert found.options["outcomes"] == {"a": "left", "b": "right", "wobbly": "skip"}
    assert found.options["bad_rows"] == "skip"


@pytest.mark.parametrize("name", ["first_shooter", "toss_winner", "server", "predicted_winner", "location"])
def test_a_column_that_names_an_item_need_not_name_the_winner(name) -> None:
    draw = random.Random(4)
    votes = duels(17, 40)
    named = [draw.choice(["H", "A"] if name == "location" else [v.left, v.right]) for v in votes]
    rows = [(v.left, v.right, *score, other) for v, score, other in zip(votes, goals(votes), named, strict=True)]
    assert read_by_guess(as_text(["home_team", "away_team", "home_score", "away_score", name], rows))[1] == counted(
        votes
    )


def test_a_column_of_losers_is_turned_round() -> None:
    votes = duels(18, 40)
    rows = [(v.left, v.right, {"left": "b", "right": "a"}.get(v.outcome, "tie")) for v in votes]
    assert read_by_guess(as_text(["item_a", "item_b", "loser"], rows))[1] == counted(votes)
    named = [(v.left, v.right, swapped(v)[1]) for v in duels(18, 40, among="left right")]
    assert not guess(overview_of(as_text(["item_a", "item_b", "loser"], named))).found


def test_a_table_of_standings_is_no_votes() -> None:
    rows = [(tree, 10, place, 10 - place, 3 * place) for place, tree in enumerate(TREES)]
    assert not guess(overview_of(as_text(["Team", "P", "W", "L", "Pts"], rows))).found


def test_an_empty_column_tells_nothing() -> None:
    votes = duels(19, 40)
    rows = [(v.left, v.right, "", {"left": "A", "right": "B"}.get(v.outcome, "C")) for v in votes]
    assert read_by_guess(as_text(["item_a", "item_b", "winner", "answer"], rows))[1] == counted(votes)


def test_answers_to_a_question_for_each_pair_are_no_pairs() -> None:
    """Columns that all hold items, and of which no name says anything, are not taken for sides and winner."""
    draw = random.Random(7)
    pairs = [(x, y) for place, x in enumerate(TREES) for y in TREES[place + 1 :]]
    columns = {f"{x} vs {y}": [draw.choice((x, y)) for _ in range(8)] for x, y in pairs}
    assert not guess(Overview.of(columns)).found


@pytest.mark.parametrize("name", ["", "?"])
def test_a_column_without_a_name_is_not_of_ties(name: str) -> None:
    columns = {
        name: ["0", "1", "0"],
        "home.team": ["x", "y", "z"],
        "away.team": ["y", "z", "x"],
        "home.wins": ["3", "1", "0"],
        "away.wins": ["0", "2", "4"],
    }
    assert "tied" not in guess(Overview.of(columns)).options
    won = {name: ["0", "1", "0"], "winner": ["x", "y", "z"], "loser": ["y", "z", "x"]}
    assert "tie" not in guess(Overview.of(won)).options


def test_wins_are_no_grades() -> None:
    columns = {"player1": list("xyzx"), "player2": list("yzxz"), "wins1": list("3150"), "games": list("6566")}
    assert guess(Overview.of(columns)).options.get("outcome") != "wins1"


def test_the_number_of_a_row_is_no_count() -> None:
    columns = {"n": ["1", "2", "3"], "winner": ["x", "y", "z"], "loser": ["y", "z", "x"]}
    assert "weight" not in guess(Overview.of(columns)).options


def test_a_dash_for_a_winner_is_skipped_where_no_scores_say_more() -> None:
    columns = {"player1": list("xyzx"), "player2": list("yzxz"), "winner": ["x", "z", "-", "z"]}
    found = guess(Overview.of(columns))
    assert found.options["outcomes"] == {"-": "skip"}
    assert any("'-'" in remark for remark in found.remarks)


def test_another_column_that_says_who_won_is_named() -> None:
    columns = {
        "system_a": list("xyzx"),
        "system_b": list("yzxz"),
        "fluency": list("ABAB"),
        "adequacy": list("BBAA"),
    }
    remarks = guess(Overview.of(columns)).remarks
    assert any("'adequacy'" in remark and "--outcome" in remark for remark in remarks)


def test_partners_are_said_to_be_passed_over() -> None:
    columns = {name: list("xyzw"[place:] + "xyzw"[:place]) for place, name in enumerate(DOUBLES)}
    remarks = guess(Overview.of(columns)).remarks
    assert any("'winner2_name' and 'loser2_name'" in remark for remark in remarks)


DOUBLES = ("winner1_name", "winner2_name", "loser1_name", "loser2_name")
