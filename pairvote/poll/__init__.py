"""Running a vote."""

from pairvote.poll._check_store import check_store
from pairvote.poll._poll import Poll
from pairvote.poll._records import Answer, Question, VoterProgress
from pairvote.poll._settings import Settings
from pairvote.poll._stores.contract import EventStore
from pairvote.poll._stores.memory import MemoryStore
from pairvote.poll._stores.sql import SQLStore
from pairvote.poll._stores.sqlite import SQLiteStore

__all__ = [
    "Answer",
    "EventStore",
    "MemoryStore",
    "Poll",
    "Question",
    "SQLStore",
    "SQLiteStore",
    "Settings",
    "VoterProgress",
    "check_store",
]
