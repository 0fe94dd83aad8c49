"""The ranking of a running poll, computed once for each state of its log, however many people look at it."""

import threading
import time
from dataclasses import dataclass

import pairvote as pv

TOP = 5


@dataclass(frozen=True)
class Row:
    """An item as the pages show it; the ends of its 95% interval and its score in percent of the picture's width."""

    rank: int
    item: str | int
    votes: int
    low: int
    width: int
    score: int
    chance: str


class LiveNumbers:
    """Rows of a ranking, best first, kept by the number of the log's last event.

    Items that were retired are left out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = -1
        self._time = 0.0
        self._rows: list[Row] = []

    def rows(self, poll: pv.Poll, *, max_age: float = 0.0) -> list[Row]:
        """The ranking now, or one that is at most `max_age` seconds old."""
        if self._number >= 0 and time.monotonic() - self._time < max_age:
            return self._rows
        with self._lock:
            # The number first: what is voted meanwhile makes the next call compute again.
            number, began = poll.n_events, time.monotonic()
            if number != self._number:
                self._rows = ranked(poll)
            self._number, self._time = number, began
            return self._rows


def ranked(poll: pv.Poll) -> list[Row]:
    """The items that are asked about, best first; none where there are fewer than two."""
    retired = set(poll.retired)
    counts = poll.counts()
    items = [item for item in counts.items if item not in retired]
    if len(items) < 2:
        return []
    ranking = pv.bradley_terry(counts).only(items)
    interval = ranking.confidence_interval()
    top = min(TOP, len(items))
    # The same draws each time: a chance changes when votes do, and not when the page is loaded again.
    chances = dict(zip(ranking.items, ranking.top_k_probability(top, rng=1), strict=True))
    votes = dict(zip(counts.items, counts.item_totals()[:, :3].sum(axis=1), strict=True))
    least, most = interval.low.min(), interval.high.max()
    place = {item: code for code, item in enumerate(ranking.items)}

    def percent(score: float) -> int:
        return round(100 * (score - least) / (most - least))

    rows = []
    for rank, item in enumerate(ranking.order(), start=1):
        code = place[item]
        low, high = percent(interval.low[code]), percent(interval.high[code])
        score, chance = percent(ranking.scores[code]), in_words(chances[item])
        rows.append(Row(rank, item, int(votes[item]), low, high - low, score, chance))
    return rows


def in_words(chance: float) -> str:
    """A chance in percent; never 0 % or 100 %, which no number of votes shows."""
    if chance < 0.01:
        return "under 1 %"
    return "over 99 %" if chance > 0.99 else f"{chance:.0%}".replace("%", " %")
