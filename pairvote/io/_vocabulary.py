"""Words in files of votes, in several languages: for sides, for winners and losers, and for outcomes."""

from __future__ import annotations

from collections.abc import Mapping

LEFT, RIGHT, TIE, SKIP = "left", "right", "tie", "skip"

# Two words that tell two columns apart, the left side's first.
SIDES = (
    ("left", "right"),
    ("a", "b"),
    ("1", "2"),
    ("one", "two"),
    ("first", "second"),
    ("home", "away"),
    ("home", "visitor"),
    ("home", "visiting"),
    ("home", "guest"),
    ("host", "guest"),
    ("white", "black"),
    ("player", "opponent"),
    ("team", "opponent"),
    ("item", "other"),
    ("x", "y"),
    ("i", "j"),
    ("l", "r"),
    ("h", "a"),
    ("h", "v"),
    ("red", "blue"),
    ("r", "b"),
    ("0", "1"),
    ("heim", "gast"),
    ("heim", "auswärts"),
    ("gastgeber", "gast"),
    ("links", "rechts"),
    ("hemma", "borta"),
    ("hjemme", "borte"),
    ("hjemme", "ude"),
    ("vänster", "höger"),
    ("venstre", "høyre"),
    ("venstre", "højre"),
    ("koti", "vieras"),
    ("thuis", "uit"),
    ("domicile", "extérieur"),
    ("domicile", "exterieur"),
    ("gauche", "droite"),
    ("local", "visitante"),
    ("local", "visita"),
    ("izquierda", "derecha"),
    ("mandante", "visitante"),
    ("casa", "fora"),
    ("esquerda", "direita"),
    ("casa", "ospite"),
    ("casa", "trasferta"),
    ("sinistra", "destra"),
    ("this", "that"),
    ("baseline", "candidate"),
)
# The winner's first.
WINNERS = (
    ("winner", "loser"),
    ("winners", "losers"),
    ("winner", "runner up"),
    ("winners", "runners up"),
    ("winner", "runnerup"),
    ("winners", "runnersup"),
    ("champion", "runner up"),
    ("champion", "finalist"),
    ("winning", "losing"),
    ("won", "lost"),
    ("win", "lose"),
    ("wins", "loses"),
    ("chosen", "rejected"),
    ("chosen", "not chosen"),
    ("chosen", "unchosen"),
    ("chosen", "discarded"),
    ("selected", "rejected"),
    ("selected", "not selected"),
    ("selected", "unselected"),
    ("preferred", "rejected"),
    ("preferred", "not preferred"),
    ("preferred", "dispreferred"),
    ("preferred", "unpreferred"),
    ("preferred", "other"),
    ("accepted", "rejected"),
    ("picked", "not picked"),
    ("picked", "unpicked"),
    ("picked", "rejected"),
    ("picked", "passed"),
    ("better", "worse"),
    ("best", "worst"),
    ("victor", "vanquished"),
    ("victor", "loser"),
    ("dominant", "subordinate"),
    ("sieger", "verlierer"),
    ("gewinner", "verlierer"),
    ("winnaar", "verliezer"),
    ("vinnare", "förlorare"),
    ("vinder", "taber"),
    ("vinner", "taper"),
    ("voittaja", "häviäjä"),
    ("gagnant", "perdant"),
    ("vainqueur", "perdant"),
    ("vainqueur", "vaincu"),
    ("ganador", "perdedor"),
    ("vencedor", "perdedor"),
    ("vincitore", "perdente"),
    ("победитель", "проигравший"),
    ("w", "l"),
)

TIES = frozenset(
    {
        *(
            "tie",
            "ties",
            "tied",
            "draw",
            "draws",
            "drawn",
            "drew",
            "equal",
            "equally",
            "equals",
            "same",
            "even",
            "neutral",
            "tievote",
        ),
        *("both", "neither", "bothbad", "allbad", "indifferent", "unentschieden", "lika", "oavgjort", "remis"),
        *("agreed", "repetition", "stalemate", "insufficient", "50move", "timevsinsufficient", "="),
        *("gleichstand", "gleich", "beide", "gelijk", "gelijkspel", "uavgjort", "uafgjort", "likt", "tasapeli"),
        *("nul", "égalité", "egalite", "empate", "empatado", "igual", "pareggio", "patta", "ничья", "平局", "引き分け"),
    }
)
TIE_PHRASES = frozenset(
    {
        *("no preference", "no difference", "no winner", "about the same", "too close to call", "half half"),
        *("50 move", "fifty move", "fiftymove", "dead heat", "1 2 1 2", "0.5 0.5", "all bad", "all good"),
        *("match nul", "keine präferenz", "kein unterschied", "ingen skillnad", "ingen preferens", "geen voorkeur"),
        *("aucune différence", "aucune préférence", "sans préférence", "sin diferencia", "sin preferencia"),
        *("sem preferência", "nessuna preferenza", "nessuna differenza", "both bad", "both good"),
    }
)
SKIPS = frozenset(
    {
        *("skip", "skipped", "skips", "invalid", "error", "empty", "none", "null", "nil", "na", "nan", "unknown"),
        *("unsure", "undecided", "pass", "passed", "abstain", "abstained", "blank", "void", "cancelled", "canceled"),
        *("abandoned", "postponed", "inconsistent", "missing", "idk", "unclear", "excluded", "?", "-", "--", "."),
    }
)
SKIP_PHRASES = frozenset(
    {
        *("n a", "not sure", "don t know", "dont know", "do not know", "cannot say", "can t say", "can t tell"),
        *("cannot tell", "can t decide", "cannot decide", "no answer", "no vote", "no response", "not applicable"),
        *("i don t know", "not answered", "not available", "no result"),
        *("no contest", "nc", "weiss nicht", "keine antwort", "vet ej", "vet inte", "weet niet", "ne sait pas"),
        *("no sé", "no sabe", "não sei", "non so"),
    }
)
WINS = frozenset({"win", "won", "wins", "winner", "victory", "true", "yes", "sieg"})
LOSSES = frozenset({"lose", "lost", "loss", "loses", "loser", "defeat", "defeated", "false", "no", "niederlage"})
# What chess.com says of the player who lost.
CHESS = frozenset(
    {"checkmated", "resigned", "timeout", "abandoned", "kingofthehill", "threecheck", "bughousepartnerlose"}
)
# Sides in cells, whatever the columns are called.
LEFT_WORDS = frozenset(
    {
        "leftvote",
        *("left", "l", "first", "a", "1", "home", "white", "host", "links", "vänster", "venstre", "gauche"),
        *("izquierda",),
        *("esquerda", "sinistra", "heim", "heimsieg", "hemma", "hemmavinst", "hjemme", "domicile", "local", "thuis"),
    }
)
RIGHT_WORDS = frozenset(
    {
        "rightvote",
        *("right", "r", "second", "b", "2", "away", "black", "visitor", "guest", "rechts", "höger", "høyre", "højre"),
        *("droite", "derecha", "direita", "destra", "gast", "auswärts", "auswärtssieg", "borta", "bortavinst", "borte"),
        *("extérieur", "exterieur", "visitante", "uit"),
    }
)
FILLER = frozenset(
    {
        *("wins", "win", "won", "winner", "winning", "is", "the", "was", "better", "best", "preferred", "prefer", "i"),
        *("prefers", "chosen", "chose", "choose", "choice", "option", "model", "assistant", "response", "answer"),
        *("output", "team", "image", "item", "system", "side", "candidate", "text", "project", "condition", "one"),
        *("selected", "select", "picked", "pick", "vote", "voted", "for", "much", "slightly", "strongly", "clearly"),
        *("significantly", "bit", "somewhat", "far", "little", "it", "of", "to", "outcome", "result", "more", "very"),
        *("arrow", "key", "button", "victoire", "gagne", "gagnant", "victoria", "gana", "ganador", "vitória"),
        *("vittoria", "gewinnt", "sieg"),
        *("besser", "bättre", "mejor", "melhor", "meilleur", "meilleure", "migliore", "équipe", "equipe", "equipo"),
        *("squadra", "mannschaft", "lag", "bild", "modell", "modelo", "modèle", "imagen", "opción", "vinner"),
        *("generator", "number", "no", "my", "would", "say", "favors", "favours", "s", "victory", "label"),
    }
)
WEAK = frozenset({"slightly", "bit", "somewhat", "little", "marginally"})
STRONG = frozenset({"much", "strongly", "clearly", "significantly", "far", "definitely", "a lot"})
# Sets of one-letter labels, each with what must be among them.
LETTERS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("h", {"h": LEFT, "a": RIGHT, "v": RIGHT, "d": TIE, "t": TIE, "x": TIE}),
    ("x", {"1": LEFT, "2": RIGHT, "x": TIE}),
    ("w", {"w": LEFT, "l": RIGHT, "d": TIE, "t": TIE}),
    ("w", {"w": LEFT, "b": RIGHT, "d": TIE, "t": TIE}),
    ("a", {"a": LEFT, "b": RIGHT, "c": TIE, "t": TIE, "d": TIE, "e": TIE, "n": TIE, "s": SKIP}),
    ("b", {"a": LEFT, "b": RIGHT, "c": TIE, "t": TIE, "d": TIE, "e": TIE, "n": TIE, "s": SKIP}),
    ("l", {"l": LEFT, "r": RIGHT, "t": TIE, "d": TIE, "e": TIE, "n": TIE, "s": SKIP}),
    ("r", {"l": LEFT, "r": RIGHT, "t": TIE, "d": TIE, "e": TIE, "n": TIE, "s": SKIP}),
    ("j", {"f": LEFT, "j": RIGHT}),
    ("t", {"t": LEFT, "f": RIGHT}),
    ("y", {"y": LEFT, "n": RIGHT}),
    ("1", {"1": LEFT, "2": RIGHT, "0": TIE}),
)

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
PLACE_WORDS = frozenset({"choice", "place", "rank", "ranked", "preference", "pick", "th", "st", "nd", "rd", "position"})
SIDED_TIE = frozenset({"tie", "tied", "draw", "equal", "same"})
# What each half of "W/L" says.
HALVES = {
    **dict.fromkeys(("w", "win", "won"), LEFT),
    **dict.fromkeys(("l", "loss", "lost", "lose"), RIGHT),
    **dict.fromkeys(("d", "draw", "t", "tie"), TIE),
    **dict.fromkeys(("nc", "n", "np"), SKIP),
}
