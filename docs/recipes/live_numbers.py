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


@dataclass(frozen=True)
class Standing:
    """How a vote stands: its rows, best first, without retired items, and whether it has ended."""

    rows: list[Row]
    ended: bool


class LiveNumbers:
    """How a vote stands, kept by the number of the log's last event."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Standing | None = None
        self._number = 0
        self._time = 0.0

    def now(self, poll: pv.Poll, *, max_age: float = 0.0) -> Standing:
        """How it stands now, or did at most `max_age` seconds ago, for which the poll is not even looked at."""
        kept = self._kept
        if kept is not None and time.monotonic() - self._time < max_age:
            return kept
        with self._lock:
            # The number first: what is voted meanwhile makes the next call compute again.
            began, number = time.monotonic(), poll.n_events
            if self._kept is None or number != self._number:
                self._kept, self._number = Standing(ranked(poll), poll.ended), number
            self._time = began
            return self._kept


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


def figures(poll: pv.Poll, n_voters: int) -> dict[str, int]:
    """How far the vote is, of so many who may vote."""
    voters = poll.voters()
    return {
        "n_votes": sum(voter.votes for voter in voters),
        "most_votes": poll.settings.votes_each * n_voters,
        "n_voters": n_voters,
        "n_begun": sum(voter.votes > 0 for voter in voters),
        "n_finished": sum(voter.votes > 0 and voter.remaining == 0 for voter in voters),
    }
