"""Logs in databases, for the tests of `SQLStore`."""

from __future__ import annotations

import contextlib
import itertools
import os

import pytest
import sqlalchemy as sa

from pairvote.poll import SQLStore

SERVERS = [pytest.param(kind, marks=pytest.mark.servers) for kind in ("postgresql", "mariadb")]
ALL = [*SERVERS, "sqlite"]
NAMES = itertools.count()
DIGEST = bytes(range(32))


def new_name() -> str:
    return f"poll {next(NAMES)} of {os.getpid()}"


@contextlib.contextmanager
def engine_of(url: str, **options):
    engine = sa.create_engine(url, **options)
    try:
        yield engine
    finally:
        engine.dispose()


def begun(url: str | sa.Engine, *events: tuple, **options) -> SQLStore:
    store = SQLStore(url, new_name(), **options)
    store.create([(1, 0.0, 0, "begun", None, None, DIGEST)])
    if events:
        write(store, *events)
    return store


def again(store: SQLStore, url: str | sa.Engine, **options) -> SQLStore:
    return SQLStore(url, store._poll, **options)


def event(number: int, a: object = None) -> tuple:
    return (number, float(number), 1, a, None, None, DIGEST)


def write(store, *events: tuple, **records: bytes | None) -> None:
    store.begin()
    list(store.events(0))
    store.append(events)
    store.keep(records)
    store.commit()
