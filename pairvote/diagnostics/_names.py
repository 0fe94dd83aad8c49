"""Labels that are likely to be mistakes: those that print alike, and words for a missing value."""

from __future__ import annotations

from collections.abc import Iterator

from pairvote._common.alike import alike_labels, missing_words
from pairvote._common.messages import listed, plural, shorten
from pairvote.votes._votes import Votes

MOST_GROUPS = 3


def name_concerns(votes: Votes) -> Iterator[str]:
    """What is to be said of the labels of items and voters."""
    for kind, labels in (("item", votes.items), ("voter", votes.voters)):
        groups = alike_labels(labels)
        if groups:
            some = "; ".join(listed(group, 80) for group in groups[:MOST_GROUPS])
            more = f" and {len(groups) - MOST_GROUPS:,} more groups" if len(groups) > MOST_GROUPS else ""
            advice = "read them with normalise=True to join them, or " if kind == "item" else ""
            yield (
                f"{kind}s whose labels print alike are taken for different ones ({some}{more}): {advice}rename those "
                "that are one"
            )
        words = missing_words(labels)
        if words:
            is_one = "is" if len(words) == 1 else "are"
            # A vote without an item is none.
            skipping = " and bad_rows='skip'" if kind == "item" else ""
            yield (
                f"{plural(len(words), kind)} {is_one} called {listed(words, 80)}, which programs write for a missing "
                f"value: where that is meant, read the votes with na={shorten(words, 80)}{skipping}"
            )
