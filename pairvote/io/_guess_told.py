"""What a guess finds to say how votes came out, and how much a column's name says that it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote.io._overview import ColumnView, escaped
from pairvote.io._words import words

# Names of outcomes, the surest first.
OUTCOME_WORDS = (
    *("outcome", "winner", "result", "ftr", "verdict", "preference", "preferred", "choice", "vote", "selected"),
    *("label", "judgement", "judgment", "decision", "chosen", "selection", "pick", "picked", "answer", "better"),
    *("best", "won", "win", "wins", "winning", "res", "response", "resultado", "ergebnis", "resultat", "vinnare"),
    *("utfall", "sieger", "gewinner", "winnaar", "vinder", "ganador", "vencedor", "vincitore", "gagnant", "vainqueur"),
    *("résultat", "risultato", "uitslag", "wahl", "auswahl", "entscheidung", "präferenz", "keuze", "choix", "elección"),
    *("préférence", "preferencia", "escolha", "scelta", "antwort", "respuesta", "svar", "loser", "rejected"),
    *("worse", "rating", "graded", "score", "share"),
    *("overall", "pressed", "slider", "anteil", "andel", "prob", "probability", "is"),
)
# A column with these in its name is none, whatever its cells are.
NO_OUTCOME = frozenset(
    {
        *("color", "colour", "side", "position", "order", "class", "rated", "valid", "type", "time", "date", "venue"),
        *("tie", "tied", "ties", "draw", "draws", "half", "ht", "htr", "gold", "correct", "swap", "swapped", "id"),
        *("flipped", "neutral", "surface", "round", "location", "ground", "has"),
    }
)
# What else may name one of the two items, without having won.
NO_WINNER = frozenset(
    {
        *("toss", "first", "server", "serve", "serving", "shooter", "attacker", "batting", "previous", "last"),
        *("predicted", "prediction", "expected", "favorite", "favourite", "favored", "favoured", "bet", "host"),
        *("home", "away", "left", "right", "initiator", "challenger", "umpire", "referee"),
    }
)
# A column with these in its name says who lost.
LOSING = frozenset({"loser", "lost", "losing", "loses", "rejected", "worse", "worst", "eliminated", "unchosen", "not"})


@dataclass
class Told:
    """What says how votes came out, as options of `read_votes`; remarks; and how good a guess it is.

    `bad` are the rows that would be refused as no votes.
    """

    score: float
    options: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    bad: NDArray[np.bool_] | None = None
    # Whether the name of the column says nothing, and only its cells do; and how many rows are not understood.
    by_cells: bool = False
    n_strangers: int = 0


def sureness(name: str) -> float:
    """How much a name says that its column is the outcome, from 0 to 3."""
    own = words(name)
    if name.lower() in OUTCOME_WORDS[:10]:
        return 3.0
    if len(own) == 1 and own[0] in OUTCOME_WORDS:
        return 2.5
    places = [OUTCOME_WORDS.index(word) for word in own if word in OUTCOME_WORDS[:-1]]
    return 1.5 - min(places) * 0.02 - 0.1 * (len(own) - 1) if places else 0.0


def quoted(label: object) -> str:
    return repr(escaped(str(label))) if not isinstance(label, str) or label.isprintable() else repr(label)


def doubted(told: Told, view: ColumnView, *, sure: bool) -> Told:
    """The guess, worth less where only the cells speak for the column and not its name."""
    if not sure and not sureness(view.name):
        told.score -= 3.0
        told.by_cells = True
        told.remarks.insert(0, f"{quoted(view.name)} is taken to say who won, by its cells alone")
    return told


def cells_of(view: ColumnView) -> dict[str, int]:
    """The texts of a column, without blanks at their ends, each with the number of its rows."""
    counts: dict[str, int] = {}
    for text, count in zip(view.texts, view.counts.tolist(), strict=True):
        counts[text] = counts.get(text, 0) + count
    return counts


def on_strangers(counts: dict[Any, int]) -> list[str]:
    """What is said of labels whose meaning is not known."""
    if not counts:
        return []
    shown = ", ".join(f"{quoted(label)} ({plural(count, 'row')})" for label, count in list(counts.items())[:5])
    more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
    return [f"not understood and so skipped: {shown}{more}; say what they mean if you know"]


def are(number: int) -> str:
    """The verb for so many things."""
    return "is" if number == 1 else "are"
