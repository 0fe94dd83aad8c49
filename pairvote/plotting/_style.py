"""What the pictures have in common: colours, sizes, rows with labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from pairvote._common.cells import n_cells
from pairvote._common.tables import as_label
from pairvote.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of Okabe and Ito (2008), told apart from each other, grey and white under every common colour blindness.
COLOUR = "#0072B2"
CONTRAST = "#D55E00"
PALETTE = (COLOUR, CONTRAST, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# A second and a third round of the colours.
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)))
QUIET = "#B0B0B0"
# Sizes in inches, but for the label's in points.
ROW_HEIGHT, SMALL_ROW_HEIGHT = 0.27, 0.14
LABEL_SIZE, SMALL_LABEL_SIZE = 9.0, 6.5
ROOMY = 60
MOST_LABELLED = 300
UNLABELLED_HEIGHT = 9.0
LABEL_WIDTH = 70
SHORT_WIDTH = 40


def require_matplotlib() -> None:
    """InputError, naming the extra, where it is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError("drawing needs matplotlib, which is not installed; pip install 'pairvote[plot]'") from None


def canvas(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes given, or those of a new figure of this size in inches, made by pyplot."""
    require_matplotlib()
    if ax is not None:
        return ax
    from matplotlib import pyplot

    _, made = pyplot.subplots(figsize=size, layout="constrained")
    return made


def label_of(label: Hashable, width: int = LABEL_WIDTH) -> str:
    """A label on one line, cut."""
    return as_label(label, width)


def rows_size(labels: Sequence[Hashable]) -> tuple[float, float]:
    """Width and height in inches: a row for every label, and room for the longest beside what is drawn."""
    if len(labels) > MOST_LABELLED:
        return 6.0, UNLABELLED_HEIGHT
    row_height, _ = row(len(labels))
    return 5.5 + label_inches(labels), 0.9 + len(labels) * row_height


def label_inches(labels: Sequence[Hashable], width: int = LABEL_WIDTH) -> float:
    """How much room the longest of so many labels takes."""
    # A character of the default font is about 0.6 of its size wide, a wide one no more than twice that; a point is 1/72
    # inch.
    return max(n_cells(label_of(label, width)) for label in labels) * 0.6 * row(len(labels))[1] / 72


def row(n_rows: int) -> tuple[float, float]:
    """The height of a row in inches and the size of its label in points."""
    return (ROW_HEIGHT, LABEL_SIZE) if n_rows <= ROOMY else (SMALL_ROW_HEIGHT, SMALL_LABEL_SIZE)


def fit_labels(ax: Axes, n_rows: int) -> None:
    """Labels of a size that so many rows have room for; the scale again on top of a long picture."""
    ax.tick_params(axis="y", labelsize=row(n_rows)[1])
    if n_rows > ROOMY:
        ax.tick_params(axis="x", top=True, labeltop=True)


def name_rows(ax: Axes, labels: Sequence[Hashable]) -> None:
    """Rows 1 to n from the top, each with its label; with too many of them, numbered."""
    if len(labels) <= MOST_LABELLED:
        # Labels are the voters' words: a dollar sign in them is no formula.
        ax.set_yticks(range(1, len(labels) + 1), [label_of(label) for label in labels], parse_math=False)
    else:
        ax.set_ylabel("place")
    ax.set_ylim(len(labels) + 0.6, 0.4)
    ax.tick_params(axis="y", length=0)


def paler(colour: str, share: float) -> tuple[float, ...]:
    """A colour mixed with white, as if so much of it covered the paper: PostScript knows no transparency."""
    from matplotlib.colors import to_rgb

    return tuple(1.0 - share * (1.0 - part) for part in to_rgb(colour))


def quieten(ax: Axes, *spines: str) -> None:
    """A pale grid behind what is drawn, and no frame at these sides."""
    ax.grid(color=paler(QUIET, 0.5), linewidth=0.5)
    ax.set_axisbelow(True)
    ax.spines[list(spines)].set_visible(False)


def write(ax: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Text that is no formula."""
    ax.text(x, y, text, parse_math=False, **options)


def line_style(number: int) -> dict[str, Any]:
    """The colour and the dashes of the so-many-th line."""
    rounds, place = divmod(number, len(PALETTE))
    return {"color": PALETTE[place], "linestyle": DASHES[rounds % len(DASHES)]}
