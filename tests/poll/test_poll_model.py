"""A poll against a naive model on each of the stores that need no server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from poll_machine import PollMachine
from poll_views import Kept

import pairvote as pv
from pairvote.poll import EventStore, MemoryStore, SQLiteStore

pytestmark = pytest.mark.slow
MOST = settings(max_examples=2 * settings().max_examples, stateful_step_count=40)
FEWER = settings(MOST, max_examples=settings().max_examples)


def in_memory(folder: Path) -> Callable[[], EventStore]:
    store = Kept(MemoryStore())
    return lambda: store


def in_file(folder: Path) -> Callable[[], EventStore]:
    return lambda: SQLiteStore(folder / "poll.db", durability="fast")


def in_table(folder: Path) -> Callable[[], EventStore]:
    return lambda: pv.poll.SQLStore(f"sqlite:///{folder / 'polls.db'}", name="kalmar")


class InMemory(PollMachine):
    stores = in_memory


class InFile(PollMachine):
    stores = in_file


class InTable(PollMachine):
    stores = in_table
    leaves_no_byte = False


TestInMemory = InMemory.TestCase
TestInMemory.settings = MOST
TestInFile = InFile.TestCase
TestInFile.settings = FEWER
TestInTable = InTable.TestCase
TestInTable.settings = FEWER
