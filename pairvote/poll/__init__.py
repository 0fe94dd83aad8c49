"""Running a vote."""

from pairvote.poll._check_store import check_store
from pairvote.poll._event_store import EventStore
from pairvote.poll._memory_store import MemoryStore
from pairvote.poll._poll import Poll, Question
from pairvote.poll._sqlite_store import SQLiteStore

__all__ = ["EventStore", "MemoryStore", "Poll", "Question", "SQLiteStore", "check_store"]
