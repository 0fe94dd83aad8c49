"""Engines of SQLAlchemy: one for each URL in a process, and none that crosses a fork."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pairvote._common.messages import shorten
from pairvote.errors import InputError
from pairvote.poll._stores.sql_link import Link

if TYPE_CHECKING:
    import sqlalchemy as sa

POOL_SIZE, WAIT_SECONDS = 5, 30
MISSING = 'SQLStore needs SQLAlchemy, which is not installed; pip install "pairvote[sql]"'
NOT_ASYNCHRONOUS = (
    "it is asynchronous; use a driver that is not, such as psycopg or PyMySQL, and call the poll in a thread"
)
# How many stores use each engine that was made here.
_made: dict[Any, tuple[sa.Engine, int]] = {}
# The process that an engine's connections belong to.
_process: WeakKeyDictionary[sa.Engine, int] = WeakKeyDictionary()
# Whether an engine's connections to MySQL or MariaDB commit each statement, and their isolation.
_defaults: WeakKeyDictionary[sa.Engine, tuple[bool, str]] = WeakKeyDictionary()
# A store that is collected gives its engine back in the thread that happens to have the lock.
_lock = threading.RLock()
# Connections that came through a fork: neither used nor closed.
_INHERITED: list[Any] = []


def engine_or_url(given: object) -> tuple[sa.Engine | None, sa.URL]:
    """An engine of the application with its URL, or the URL of a database in which a store can be."""
    try:
        import sqlalchemy as sa
    except ImportError:
        raise InputError(MISSING) from None
    if isinstance(given, sa.Engine):
        check_engine(given)
        return given, given.url
    if type(given).__name__ == "AsyncEngine":
        raise InputError(f"engine_or_url is {shorten(given)}; {NOT_ASYNCHRONOUS}")
    try:
        url = sa.make_url(given)  # type: ignore[arg-type]
        url.get_dialect()
    except ImportError as error:
        raise _missing_driver(error) from None
    except (sa.exc.ArgumentError, ValueError):
        # Without the text, which may hold a password.
        raise InputError(
            "engine_or_url is no URL of a database; write it like postgresql+psycopg://user:password@host/database, or "
            "pass an Engine of SQLAlchemy; a path of a file is for Poll"
        ) from None
    # Where no driver is named SQLAlchemy would take others.
    driver = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}.get(url.drivername)
    return None, url if driver is None else url.set(drivername=f"{url.drivername}+{driver}")


def check_engine(engine: sa.Engine) -> None:
    """Whether a store can be in the database of an engine: InputError where not."""
    check_place(engine.url)
    name = engine.dialect.name
    if name not in ("postgresql", "mysql", "mariadb", "sqlite"):
        raise InputError(f"engine_or_url is of {name!r}; use one of postgresql, mysql, mariadb, sqlite")
    if engine.dialect.is_async:
        raise InputError(f"engine_or_url is of the driver {engine.dialect.driver!r}; {NOT_ASYNCHRONOUS}")


def check_place(url: sa.URL) -> None:
    """Whether there is one database for all threads: InputError where not."""
    memory = not url.database or ":memory:" in url.database or "mode=memory" in str(url)
    if url.get_backend_name() == "sqlite" and memory:
        raise InputError(
            "engine_or_url is a database of SQLite in memory, which is another one in each thread; name a file, or use "
            "MemoryStore()"
        )


def engine_for(url: sa.URL) -> sa.Engine:
    """The engine of all stores with a URL in this process; each gives it back by `give_back`."""
    with _lock:
        engine, n_users = _made.get(url, (None, 0))
        if engine is not None:
            _made[url] = engine, n_users + 1
            return engine
    # Outside, as it takes a while, in which stores that nobody has any more may give theirs back.
    made = _make(url)
    with _lock:
        engine, n_users = _made.get(url, (made, 0))
        _made[url] = engine, n_users + 1
    return engine


def give_back(url: sa.URL) -> None:
    """Close the connections of an engine that no other store uses."""
    with _lock:
        engine, n_users = _made.pop(url, (None, 0))
        if engine is not None and n_users > 1:
            _made[url] = engine, n_users - 1
            engine = None
    if engine is not None:
        _belongs_here(engine)
        engine.dispose()


def _make(url: sa.URL) -> sa.Engine:
    import sqlalchemy as sa

    check_place(url)
    options: dict[str, Any] = {"pool_size": POOL_SIZE, "max_overflow": 0, "pool_timeout": WAIT_SECONDS}
    backend = url.get_backend_name()
    if backend in ("mysql", "mariadb"):
        # Every call ends its transaction itself: the pool need not send another ROLLBACK.
        options |= {"pool_reset_on_return": None, "isolation_level": "READ COMMITTED"}
    elif backend == "sqlite":
        options["connect_args"] = {"timeout": WAIT_SECONDS}
    elif url.get_driver_name() in ("psycopg", "psycopg2") and "connect_timeout" not in url.query:
        options["connect_args"] = {"connect_timeout": 10}
    try:
        engine = sa.create_engine(url, **options)
    except ImportError as error:
        raise _missing_driver(error) from None
    except TypeError as error:
        raise InputError(f"engine_or_url has an option that its driver does not know ({error}); remove it") from None
    check_engine(engine)
    return engine


def _missing_driver(error: ImportError) -> InputError:
    package = {"psycopg": '"pairvote[sql]"', "pymysql": "PyMySQL", "MySQLdb": "mysqlclient"}.get(str(error.name))
    return InputError(
        f"engine_or_url needs the driver {error.name or error}, which is not installed",
        remedy=f"pip install {package or error.name or 'it'}",
    )


def connect(engine: sa.Engine) -> tuple[sa.Connection, Link]:
    """A connection of the engine's pool, on which statements begin and end transactions."""
    _belongs_here(engine)
    connection = engine.connect()
    try:
        link = Link(connection.connection.dbapi_connection)
        if link.database != "mysql":
            # So that BEGIN is sent along with what follows it.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            return connection, link
        if engine not in _defaults:
            _defaults[engine] = link.session()
            link.connection.rollback()
        link.commits_each, level = _defaults[engine]
        if not link.commits_each and level not in ("READ-COMMITTED", "REPEATABLE-READ"):
            # Readers would wait for writers, or see what is not committed.
            connection.execution_options(isolation_level="READ COMMITTED")
    except BaseException:
        connection.invalidate()
        connection.close()
        raise
    return connection, link


def _belongs_here(engine: sa.Engine) -> None:
    process = os.getpid()
    with _lock:
        if _process.setdefault(engine, process) != process:
            _INHERITED.append(engine.pool)
            engine.dispose(close=False)
            _process[engine] = process


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it when the process forked
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
