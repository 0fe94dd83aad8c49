"""A poll against a naive model on each of the stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import servers
from hypothesis import settings
from poll_machine import PollMachine
from poll_views import Kept

import pairvote as pv
from pairvote.poll import EventStore, MemoryStore, SQLiteStore

pytestmark = pytest.mark.slow
MOST = settings(max_examples=2 * settings().max_examples, stateful_step_count=40)
FEWER = settings(MOST, max_examples=settings().max_examples)
FEWEST = settings(MOST, max_examples=settings().max_examples // 4)


def in_memory(folder: Path) -> Callable[[], EventStore]:
    store = Kept(MemoryStore())
    return lambda: store


def in_file(folder: Path) -> Callable[[], EventStore]:
    return lambda: SQLiteStore(folder / "poll.db", durability="fast")


def in_table(folder: Path) -> Callable[[], EventStore]:
    return lambda: pv.poll.SQLStore(f"sqlite:///{folder / 'polls.db'}", name="kalmar")


def in_postgresql(folder: Path) -> Callable[[], EventStore]:
    # One poll of many in one table.
    url, name = servers.database("postgresql"), f"model {folder.name}"
    return lambda: pv.poll.SQLStore(url, name=name)


class InMemory(PollMachine):
    stores = in_memory


class InFile(PollMachine):
    stores = in_file


class InTable(PollMachine):
    stores = in_table
    leaves_no_byte: ClassVar[bool] = False


class InPostgreSQL(PollMachine):
    stores = in_postgresql
    leaves_no_byte: ClassVar[bool] = False


TestInMemory = InMemory.TestCase
TestInMemory.settings = MOST
TestInFile = InFile.TestCase
TestInFile.settings = FEWER
TestInTable = InTable.TestCase
TestInTable.settings = FEWEST
TestInPostgreSQL = pytest.mark.servers(InPostgreSQL.TestCase)
TestInPostgreSQL.settings = FEWEST
