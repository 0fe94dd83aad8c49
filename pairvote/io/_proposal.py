"""Options as a person types them: a command, or a call in Python; and a message that ends with one of them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from pairvote._common.messages import plural
from pairvote.errors import InputError
from pairvote.io._guess import NAMING, Guess, as_names
from pairvote.io._overview import Overview, closest, escaped

# Options whose flags are not their names.
FLAGS = {"criterion": "--criterion-column", "format": "--input-format", "use_weight": "--no-weight"}
SWITCHES = {
    "bad_rows": ("--skip-bad-rows", "skip"),
    "header": ("--no-header", False),
    "use_weight": ("--no-weight", False),
    "normalise": ("--strip", True),
    "matrix": ("--matrix", True),
}
LINES, WIDTH = 24, 100
NAME_THEM = "name the columns of the two items and of the outcome, or those of winner and loser"


def as_command(
    options: Mapping[str, object], files: str | Sequence[str], command: str = "rank", rest: Sequence[str] = ()
) -> str:
    """The command that reads files with these options of `read_votes`, quoted for a shell; `rest` are other arguments.

    Examples
    --------
    >>> from pairvote.io._proposal import as_command
    >>> as_command({"left": "Team 1", "outcomes": {"1": "left", None: "skip"}}, "votes.csv")
    "pairvote rank votes.csv --left 'Team 1' --outcomes 1=left,=skip"
    """
    names = [files] if isinstance(files, str) else list(files)
    words = ["pairvote", command, *(f"./{name}" if name.startswith("-") and name != "-" else name for name in names)]
    for option, value in options.items():
        if option in SWITCHES:
            flag, when = SWITCHES[option]
            words += [flag] if value == when else []
        elif value is not None:
            flag = FLAGS.get(option, "--" + option.replace("_", "-"))
            words += [word for text in _texts(option, value) for word in _flag(flag, text)]
    return " ".join(map(_quoted, [*words, *rest]))


def _flag(flag: str, text: str) -> list[str]:
    """A flag and its value; one word where the value would be taken for a flag."""
    return [f"{flag}={text}"] if text.startswith("-") else [flag, text]


def _texts(option: str, value: object) -> list[str]:
    """The value of an option as the command takes it, once for each time that its flag is repeated."""
    if option == "outcomes" and isinstance(value, Mapping):
        return [",".join(f"{spelt(label)}={_meaning(meaning)}" for label, meaning in value.items())]
    if isinstance(value, Mapping):
        return [f"{name}={text}" for name, text in value.items()]
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value]
    return [str(value)]


def _meaning(meaning: object) -> str:
    name = getattr(meaning, "name", None)
    return name.lower() if isinstance(name, str) else str(meaning)


def spelt(label: object) -> str:
    """A label before its equals sign in --outcomes: in double quotes where it has marks of its own in it."""
    if label is None:
        return ""
    text = str(label)
    plain = text and text == text.strip() and not set(text) & set(',="')
    return text if plain else '"' + text.replace('"', '""') + '"'


def _quoted(word: str) -> str:
    """A word for the shell, in which a control character is written out."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(f"\\{char}" if char in "'\\" else escaped(char) for char in word) + "'"


def as_call(options: Mapping[str, object], file: str) -> str:
    """The call of `read_votes` with these options.

    Examples
    --------
    >>> from pairvote.io._proposal import as_call
    >>> as_call({"left": "model_a", "bad_rows": "skip"}, "votes.csv")
    "read_votes('votes.csv', left='model_a', bad_rows='skip')"
    """
    return f"read_votes({', '.join([repr(file), *(f'{name}={value!r}' for name, value in options.items())])})"


def lacking(overview: Overview, given: Mapping[str, object]) -> dict[str, str | None]:
    """The columns that options name and that are not there, each with the one that was meant, if any is near."""
    options = [option for option in given if option in NAMING and option != "tie"]
    names = [name for option in options for name in as_names(given[option]) if name not in overview.columns]
    return {name: closest(name, overview.names) for name in names}


def explain(
    problem: InputError | str,
    overview: Overview,
    guess: Guess,
    call: str,
    given: Mapping[str, object] = {},
    *,
    width: int = WIDTH,
) -> str:
    """A message of at most a screen: what is wrong, what the file holds, and what to type.

    Parameters
    ----------
    problem : InputError or str
        What reading the file came to.
    overview : Overview
    guess : Guess
    call : str
        The command or the call that the guess proposes, which may be longer than a line.
    given : mapping
        The options that were given, whose columns may be misspelt.
    width : int
        Number of characters in a line of the screen; longer sentences are taken for several.
    """
    # The remedies for a column or an outcome are below.
    is_told = isinstance(problem, InputError) and problem.option in ({*NAMING, "outcomes"} if guess.found else NAMING)
    sentence = problem.problem if is_told and isinstance(problem, InputError) else str(problem)
    near = [f"{meant!r} for {name!r}" for name, meant in lacking(overview, given).items() if meant is not None]
    told = [_line(line, 4 * width) for line in (sentence, *([f"did you mean {', '.join(near)}?"] if near else ()))]
    remarks = [_line(f"note: {remark}", 3 * width) for remark in guess.remarks[:4] if guess.found]
    n_rows = f"{'the first ' if overview.sample else ''}{plural(overview.n_rows, 'row')}"
    heading = f"its columns, with their most common cells in {n_rows}:"
    end = [f"try: {call}" if guess.found else NAME_THEM]
    # A terminal breaks what is longer than its lines.
    room = LINES - 1 - sum(-(-len(line) // width) for line in (*told, *remarks, *end))
    n_columns = len(overview.columns)
    n_shown = n_columns if n_columns <= min(room, 12) else max(min(room - 1, 12), 3)
    used = [name for option in NAMING for name in as_names(guess.options.get(option))]
    shown = [f"  {line}" for line in overview.lines(width - 2, n_shown, used)]
    return "\n".join([*told, heading, *shown, *remarks, *end])


def _line(sentence: str, width: int) -> str:
    text = escaped(sentence)
    return text if len(text) <= width else text[: width - 1] + "…"
