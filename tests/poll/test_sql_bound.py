"""A poll's log in a transaction of the application: of SQLAlchemy, of Django, of a driver."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers
import sqlalchemy as sa
from sql_polls import ALL, SERVERS, again, begun, engine_of, event, new_name
from sqlalchemy import orm

import pairvote as pv
from pairvote.poll import SQLStore

IDEAS = "CREATE TABLE IF NOT EXISTS ideas (poll VARCHAR(200), title VARCHAR(200))"


@pytest.fixture
def url(request, tmp_path) -> str:
    return servers.database(request.param) if request.param != "sqlite" else f"sqlite:///{tmp_path}/polls.db"


def call(bound, *events: tuple, **records: bytes | None) -> list[int]:
    """What a poll does for a call that changes something; the numbers that it saw."""
    bound.begin()
    numbers = numbers_in(bound)
    bound.append(events)
    bound.keep(records)
    bound.commit()
    return numbers


def numbers_in(store) -> list[int]:
    return [each[0] for each in store.events(0)]


@contextlib.contextmanager
def by_connection(engine: sa.Engine):
    with engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def by_session(engine: sa.Engine):
    with orm.Session(engine) as session, session.begin():
        yield session


@contextlib.contextmanager
def by_driver(engine: sa.Engine):
    """A connection of the driver alone, which SQLAlchemy has only lent."""
    connection = engine.raw_connection()
    try:
        yield connection.dbapi_connection
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


def write_idea(connection, poll: str) -> None:
    statement = f"INSERT INTO ideas VALUES ('{poll}', 'a well')"
    if hasattr(connection, "get_bind"):
        connection.execute(sa.text(statement))
    elif isinstance(connection, sa.Connection):
        connection.exec_driver_sql(statement)
    else:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()


def ideas(engine: sa.Engine, poll: str) -> int:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM ideas WHERE poll = '{poll}'").scalar()


@pytest.mark.parametrize("opened", [by_connection, by_session, by_driver])
@pytest.mark.parametrize("url", ALL, indirect=True)
def test_what_the_application_writes_and_the_log_commit_or_vanish_together(url: str, opened) -> None:
    with engine_of(url) as engine:
        store = begun(engine, event(2))
        with engine.begin() as connection:
            connection.exec_driver_sql(IDEAS)
        with contextlib.suppress(ZeroDivisionError), opened(engine) as connection:
            write_idea(connection, store._poll)
            bound = store.bound(connection)
            assert call(bound, event(3), voter=b"1") == [1, 2]
            # Its own is seen inside, and by nobody else.
            assert numbers_in(bound) == [1, 2, 3]
            assert bound.kept("", "~") == [("voter", b"1")]
            if not url.startswith("sqlite"):
                assert numbers_in(again(store, engine)) == [1, 2]
                assert again(store, engine).kept("", "~") == []
            assert call(bound, event(4)) == [1, 2, 3]
            raise ZeroDivisionError
        assert (numbers_in(store), store.kept("", "~"), ideas(engine, store._poll)) == ([1, 2], [], 0)
        with opened(engine) as connection:
            bound = store.bound(connection)
            write_idea(connection, store._poll)
            call(bound, event(3), voter=b"1")
            # A call that was given up leaves nothing of its own, and the rest stays.
            bound.begin()
            bound.append([event(4)])
            bound.keep({"voter": None})
            bound.rollback()
            assert numbers_in(bound) == [1, 2, 3]
            # One that the database refuses neither.
            bound.begin()
            bound.append([event(4), event(4)])
            with pytest.raises(pv.StorageError, match="holds already what was to be written"):
                bound.commit()
            bound.rollback()
            assert call(bound, event(4)) == [1, 2, 3]
            bound.close()
        assert (numbers_in(store), store.kept("", "~")) == ([1, 2, 3, 4], [("voter", b"1")])
        assert ideas(engine, store._poll) == 1
        # And the store goes on by itself.
        assert call(store, event(5)) == [1, 2, 3, 4]


@pytest.mark.parametrize("url", SERVERS, indirect=True)
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_what_others_committed_before_it_had_the_lock_is_seen(url: str, level: str) -> None:
    """Though the application has looked at the database before; where that cannot be, the poll is not bound."""
    with engine_of(url, isolation_level=level) as engine:
        store = begun(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM pairvote_events").all()
            if url.startswith("postgresql") and level != "READ COMMITTED":
                with pytest.raises(pv.InputError, match=f"transaction at {level}, which does not see what others"):
                    store.bound(connection)
                return
            with ThreadPoolExecutor(1) as pool:
                other = again(store, url)
                if level != "SERIALIZABLE":
                    pool.submit(call, other, event(2), voter=b"1").result(60)
                expected = numbers_in(other)
                bound = store.bound(connection)
                assert call(bound, event(len(expected) + 1)) == expected
                assert bound.kept("", "~") == other.kept("", "~")
                # The lock lasts until the transaction ends.
                waiting = pool.submit(call, other)
                call(bound, event(len(expected) + 2))
                assert not waiting.done()
                connection.commit()
                assert len(waiting.result(60)) == len(expected) + 2


@pytest.mark.servers
def test_where_mariadb_takes_no_lock_on_what_changed_since_a_transaction_looked() -> None:
    """As its later versions do at REPEATABLE READ: the store works, and a bound call is refused and says so."""
    with engine_of(servers.database("mariadb"), isolation_level="REPEATABLE READ") as engine:

        @sa.event.listens_for(engine, "connect")
        def set_isolation(connection, _) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION innodb_snapshot_isolation = ON")

        store = begun(engine)
        call(store, event(2))
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM pairvote_events").all()
            call(store.bound(connection), event(3))
        with contextlib.suppress(pv.StorageError), engine.begin() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM pairvote_events").all()
            call(store, event(4))
            bound = store.bound(connection)
            with pytest.raises(pv.StorageError, match="within a transaction of yours begin that anew"):
                bound.begin()
            connection.rollback()
        assert call(store, event(5)) == [1, 2, 3, 4]


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_a_poll_may_begin_in_a_transaction(url: str) -> None:
    with engine_of(url) as engine:
        begun(engine)
        store = SQLStore(engine, new_name())
        for keep in (False, True):
            with contextlib.suppress(ZeroDivisionError), engine.begin() as connection:
                bound = store.bound(connection)
                bound.create([event(1)])
                with pytest.raises(pv.InputError, match="has a log already"):
                    bound.create([event(1)])
                assert numbers_in(bound) == [1]
                if not keep:
                    raise ZeroDivisionError
            if not keep:
                with pytest.raises(pv.StorageError, match="has no log there"):
                    numbers_in(store)
        assert numbers_in(store) == [1]


@pytest.mark.parametrize("url", SERVERS, indirect=True)
def test_the_first_poll_may_begin_in_a_transaction(url: str) -> None:
    url = servers.database("postgresql" if url.startswith("postgresql") else "mariadb", fresh=True)
    with engine_of(url) as engine:
        store = SQLStore(engine, "kalmar")
        with engine.begin() as connection:
            store.bound(connection).create([event(1)])
        assert numbers_in(store) == [1]


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_a_transaction_that_has_ended_is_told(url: str) -> None:
    with engine_of(url) as engine:
        store = begun(engine)
        with engine.connect() as connection:
            with pytest.raises(pv.InputError, match=r"no transaction that is open; begin one, such as by: with engine"):
                store.bound(connection)
            with connection.begin():
                bound = store.bound(connection)
            for _ in range(2):
                with pytest.raises(pv.StateError, match="has ended; begin another one and bind the poll to that"):
                    bound.begin()
                with pytest.raises(pv.StateError, match="has ended; begin another one"):
                    bound.events(0)
                connection.exec_driver_sql("SELECT 1")
            connection.rollback()
        with orm.Session(engine) as session:
            bound = store.bound(session)
            call(bound, event(2))
            session.commit()
            with pytest.raises(pv.StateError, match="has ended; begin another one"):
                bound.begin()
            assert call(store.bound(session), event(3)) == [1, 2]
            session.rollback()
        assert numbers_in(store) == [1, 2]


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_connection_that_commits_each_statement_is_refused(kind: str) -> None:
    with engine_of(servers.database(kind), isolation_level="AUTOCOMMIT") as engine:
        store = begun(engine)
        with (
            engine.begin() as connection,
            pytest.raises(pv.InputError, match="commits each statement by itself; begin"),
        ):
            store.bound(connection)
        raw = engine.raw_connection()
        cursor = raw.cursor()
        cursor.execute("BEGIN")
        assert call(store.bound(raw.dbapi_connection), event(2)) == [1]
        cursor.execute("ROLLBACK")
        raw.close()
        assert numbers_in(store) == [1]


@pytest.mark.parametrize("given", [None, "connection", object(), sa.create_engine("sqlite://")])
def test_what_is_no_connection_is_refused(given, tmp_path) -> None:
    store = begun(f"sqlite:///{tmp_path}/polls.db")
    with pytest.raises(pv.InputError, match=r"connection is .*; pass a Connection or a Session of SQLA.*, django\.db"):
        store.bound(given)


def test_a_file_of_sqlite_without_a_transaction_is_refused(tmp_path) -> None:
    store = begun(f"sqlite:///{tmp_path}/polls.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "polls.db", isolation_level=None)) as connection:
        with pytest.raises(pv.InputError, match="no transaction that is open; begin one first, by BEGIN IMMEDIATE"):
            store.bound(connection)
        connection.execute("BEGIN IMMEDIATE")
        bound = store.bound(connection)
        assert call(bound, event(2)) == [1]
        connection.execute("COMMIT")
        with pytest.raises(pv.StateError, match="has ended"):
            bound.begin()
    assert numbers_in(store) == [1, 2]


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_deadlock_is_told_and_costs_nothing_else(kind: str) -> None:
    """Two transactions lock two polls in turn: the database ends one of them, and the other goes on."""
    with engine_of(servers.database(kind)) as engine:
        stores = [begun(engine) for _ in range(2)]

        def run(first, second) -> str:
            try:
                with engine.begin() as connection:
                    call(first.bound(connection), event(2))
                    barrier.wait(60)
                    call(second.bound(connection), event(2))
            except pv.StorageError as error:
                return str(error)
            return "done"

        barrier = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            done, refused = sorted(pool.map(run, stores, reversed(stores)), reverse=True)
        assert "done" in (done, refused)
        assert "send the same call again" in done + refused
        assert [numbers_in(store) for store in stores] == [[1, 2], [1, 2]]


DJANGO = """
import sys
kind, url, poll = sys.argv[1:]
import sqlalchemy as sa
place = sa.make_url(url)
if kind == "mysql":
    import pymysql
    # Django asks for the version of another driver, whose place PyMySQL takes.
    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()
from django.conf import settings
database = {"ENGINE": f"django.db.backends.{kind}", "NAME": place.database}
if kind != "sqlite3":
    database |= {"USER": place.username, "HOST": place.host, "PORT": place.port}
settings.configure(DATABASES={"default": database})
import django
django.setup()
from django.db import connection, transaction
import pairvote as pv

store = pv.poll.SQLStore(url, poll)
try:
    store.bound(connection)
except pv.InputError as error:
    assert "with transaction.atomic()" in str(error), error
else:
    raise AssertionError

def add(bound, number):
    bound.begin()
    seen = [each[0] for each in bound.events(0)]
    bound.append([(number, float(number), 1, "from Django", None, None, bytes(32))])
    bound.commit()
    return seen

def count():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ideas WHERE poll = %s", [poll])
        return cursor.fetchone()[0]

for keep in (False, True):
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO ideas VALUES (%s, 'a well')", [poll])
            bound = store.bound(connection)
            assert add(bound, 2) == [1]
            try:
                with transaction.atomic():
                    assert add(bound, 3) == [1, 2]
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
            assert add(bound, 3) == [1, 2]
            assert count() == 1
            if not keep:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert [each[0] for each in store.events(0)] == ([1, 2, 3] if keep else [1])
    assert count() == keep
try:
    bound.begin()
except pv.PairvoteError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("url", ALL, indirect=True)
def test_in_django(url: str) -> None:
    kind = {"postgresql": "postgresql", "mariadb": "mysql", "sqlite": "sqlite3"}[sa.make_url(url).get_backend_name()]
    with engine_of(url) as engine:
        store = begun(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(IDEAS)
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, kind, url, store._poll], capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    assert "begin" in done.stdout
