"""SQLStore on servers of PostgreSQL and MariaDB that the tests start, and on SQLite: the contract, row by row."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import servers
import sqlalchemy as sa
from sql_polls import ALL, SERVERS, again, begun, engine_of, event, new_name, write
from strategies import assert_same_votes

import pairvote as pv
from pairvote.poll import SQLStore, check_store

ITEMS = ["ash", "birch", "cedar"]


@pytest.fixture
def url(request, tmp_path) -> str:
    """A database; tests that ask for it are parametrized with its kind."""
    return servers.database(request.param) if request.param != "sqlite" else f"sqlite:///{tmp_path}/polls.db"


# --- the contract ---


@pytest.mark.slow
@pytest.mark.parametrize("url", ALL, indirect=True)
def test_it_keeps_what_a_store_promises(url: str) -> None:
    name = new_name()
    check_store(lambda: SQLStore(url, name))


LEVELS = {
    "postgresql": ["SERIALIZABLE", "REPEATABLE READ", "AUTOCOMMIT"],
    "mariadb": ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "READ UNCOMMITTED", "AUTOCOMMIT"],
}


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize(("kind", "level"), [(kind, level) for kind in LEVELS for level in LEVELS[kind]])
def test_it_keeps_it_on_an_engine_of_any_isolation(kind: str, level: str) -> None:
    name = new_name()
    with engine_of(servers.database(kind), isolation_level=level, pool_size=2) as engine:
        before = state_of(engine)
        check_store(lambda: SQLStore(engine, name))
        # The application finds its connections as it had them.
        assert state_of(engine) == before


def state_of(engine: sa.Engine) -> set[tuple[str, bool]]:
    found = set()
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            driver = connection.connection.dbapi_connection
            autocommit = driver.get_autocommit() if callable(driver.autocommit) else driver.autocommit
            found.add((connection.get_isolation_level(), autocommit))
    return found


@pytest.mark.servers
@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ"])
@pytest.mark.parametrize(("kind", "setting"), [("postgresql", "default_transaction_isolation"), ("mariadb", None)])
def test_what_was_written_while_it_waited_for_the_lock_is_seen(kind: str, setting: str | None, level: str) -> None:
    """Also where the server's own default is another isolation than the engine knows of."""
    with engine_of(servers.database(kind)) as engine:

        @sa.event.listens_for(engine, "connect")
        def set_level(connection, _) -> None:
            with connection.cursor() as cursor:
                name = level.lower()
                cursor.execute(
                    f"SET {setting} = '{name}'" if setting else f"SET SESSION TRANSACTION ISOLATION LEVEL {name}"
                )
            connection.commit()

        store = begun(engine)
        other = again(store, engine)
        assert len(list(other.events(0))) == 1
        for number in range(2, 8):
            store.begin()
            assert list(store.events(0))[-1][0] == number - 1
            store.append([event(number)])
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(lambda: (other.begin(), list(other.events(0)), other.commit())[1])
                wait_for_a_waiter(kind, engine, waiting)
                # Whoever reads meanwhile sees what is committed, and does not wait.
                assert len(list(again(store, engine).events(0))) == number - 1
                store.commit()
                assert [each[0] for each in waiting.result(60)] == list(range(1, number + 1))


def wait_for_a_waiter(kind: str, engine: sa.Engine, waiting: Future) -> None:
    """Until somebody waits for a lock in this database."""
    statement = {
        "postgresql": "SELECT count(*) FROM pg_locks WHERE NOT granted",
        "mariadb": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    }[kind]
    while not waiting.done():
        # MariaDB looks again only when nobody has asked for a tenth of a second.
        threading.Event().wait(0.15)
        with engine.connect() as connection:
            if connection.exec_driver_sql(statement).scalar():
                return
    raise AssertionError(f"it did not wait: {waiting.result()}")


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_every_value_comes_back_as_it_was(url: str) -> None:
    texts = [
        "",
        "1",
        "null",
        "\0",
        "a\0b",
        "\U0001f332",
        "å\u2028",
        'it\'s "quoted" \\ % %s ? : :a',
        "\ud800",
        " ",
        "x" * 300_000,
    ]
    numbers = [0, -1, 2**63 - 1, -(2**63), None]
    # Without minus zero, which only PostgreSQL keeps.
    times = [0.0, 0.1, 1 / 3, 1.7e9 + 1 / 7, 5e-324, 1.7976931348623157e308, -1e-300, 2.0**53 + 2]
    given = [
        (number, times[number % len(times)], number, a, b, c, bytes([number % 256] * 32))
        for number, (a, b, c) in enumerate(zip(texts * 5, numbers * 11, reversed(texts * 5), strict=True), 2)
    ]
    store = begun(url, *given)
    found = [tuple(each) for each in again(store, url).events(1)]
    assert found == given
    for new, old in zip(found, given, strict=True):
        assert [type(value) for value in new] == [type(value) for value in old]
        assert new[1].hex() == old[1].hex()


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_records_beside_the_log(url: str) -> None:
    store, other = begun(url), None
    other = again(store, url)
    names = ["snapshot/a", "snapshot/B", "snapshot/~", "snapshot/", "voter/0000000017", "voter/0000000002", "z" * 64]
    contents = [b"", b"\0", bytes(range(256)), b"'\"\\%s", b"x" * 2_000_000, b"1", b"2"]
    given = dict(zip(names, contents, strict=True))
    write(store, event(2), **given)
    assert other.kept("", "~") == sorted(given.items())
    assert [name for name, _ in other.kept("snapshot/", "snapshot/~")] == sorted(names[:4])
    # Another poll of the same database has none of them.
    assert begun(url).kept("", "~") == []
    store.begin()
    assert store.kept("snapshot/", "snapshot/a") == [("snapshot/", b"'\"\\%s"), *other.kept("snapshot/B", "snapshot/a")]
    store.keep({"snapshot/": None, "snapshot/a": b"new", "never there": None})
    store.append([event(3)])
    with ThreadPoolExecutor(1) as pool:
        # Another thread sees what is committed, from the store that has begun, too.
        assert pool.submit(store.kept, "", "~").result() == sorted(given.items())
        assert [each[0] for each in pool.submit(lambda: list(store.events(0))).result()] == [1, 2]
    store.rollback()
    assert other.kept("", "~") == sorted(given.items())
    write(store, event(3), **{"snapshot/": None, "snapshot/a": b"new", "never there": None})
    assert other.kept("snapshot/", "snapshot/a") == [("snapshot/B", b"\0"), ("snapshot/a", b"new")]
    write(store, **dict.fromkeys(names))
    assert other.kept("", "~") == []
    assert [each[0] for each in other.events(0)] == [1, 2, 3]


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_a_long_log_is_read_in_pages_that_hold_no_connection(url: str) -> None:
    with engine_of(url, pool_size=1, max_overflow=0, pool_timeout=5) as engine:
        store = begun(engine)
        n = 25_003
        write(store, *map(event, range(2, n + 1)))
        reader = again(store, engine)
        found = []
        for each in reader.events(0):
            found.append(each[0])
            if each[0] % 9_999 == 0:
                assert engine.pool.checkedout() == 0
        assert found == list(range(1, n + 1))
        assert [each[0] for each in reader.events(n - 2)] == [n - 1, n]
        fresh = again(store, engine)
        fresh.begin()
        assert [each[0] for each in fresh.events(n - 1)] == [n]
        assert sum(1 for _ in fresh.events(0)) == n
        fresh.rollback()


@pytest.mark.servers
def test_a_lazy_commit_waits_for_no_disk_and_others_do(tmp_path) -> None:
    """By what PostgreSQL says it has written to the disk, while its own writer, which does so now and then, sleeps."""
    url = servers.database("postgresql")
    with engine_of(url, isolation_level="AUTOCOMMIT") as engine, engine.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET wal_writer_delay = '10s'")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        statement = "SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn()"
        waiting = {"commit": [], "commit_lazily": []}
        store = begun(url)
        last = 1
        for number in range(40):
            how = ("commit_lazily", "commit")[number % 2]
            store.begin()
            # A commit of nothing makes those before it last, too.
            if number % 4 != 3:
                last += 1
                store.append([event(last)])
            getattr(store, how)()
            waiting[how].append(connection.exec_driver_sql(statement).scalar())
        connection.exec_driver_sql("ALTER SYSTEM RESET wal_writer_delay")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        assert not any(waiting["commit"])
        assert any(waiting["commit_lazily"])
        with store._connected() as link:
            assert link.run([("SHOW synchronous_commit", ())]) == [("on",)]
        store.close()


# --- what it costs ---


@pytest.mark.servers
@pytest.mark.parametrize("own_engine", [True, False])
@pytest.mark.parametrize(("kind", "most"), [("postgresql", 2), ("mariadb", 3)])
def test_a_call_that_changes_something_takes_three_round_trips_at_most(kind: str, most: int, own_engine: bool) -> None:
    """Counted on the wire, with whatever the engine's pool sends."""
    port = getattr(servers, kind)().port
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(servers.CountingProxy(port))
        url = sa.make_url(servers.database(kind)).set(port=proxy.port)
        store = begun(url if own_engine else stack.enter_context(engine_of(url)))
        write(store, event(2))
        for number in range(3, 8):
            before = proxy.round_trips
            store.begin()
            assert [each[0] for each in store.events(number - 2)] == [number - 1]
            store.append([event(number, "a new voter")])
            store.append([event(100 + number)][:0])
            store.keep({f"voter/{number}": b"her id", f"voter/{number - 1}": None})
            store.commit()
            assert proxy.round_trips - before <= most
            before = proxy.round_trips
            assert [each[0] for each in store.events(number - 1)] == [number]
            assert proxy.round_trips - before <= 2
        store.close()


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize("url", SERVERS, indirect=True)
def test_five_hundred_polls_share_five_connections(url: str) -> None:
    n_polls, prefix = 500, new_name()
    with engine_of(url, pool_size=5, max_overflow=0, pool_timeout=120) as engine:
        most = Most(engine)

        def run(number: int) -> pv.Poll:
            poll = pv.Poll(ITEMS, store=SQLStore(engine, f"{prefix} {number}"), rng=number)
            poll.answer("anna", poll.ask("anna").id, "left")
            return poll

        with ThreadPoolExecutor(12) as pool:
            polls = list(pool.map(run, range(n_polls)))
        assert most.number == 5
        assert engine.pool.checkedout() == 0
        assert all(len(poll.votes()) == 1 for poll in polls[::10])
        assert polls[7].verify() == pv.Poll.open(SQLStore(engine, f"{prefix} 7")).verify()


class Most:
    """How many connections of an engine were in use at once, at most."""

    def __init__(self, engine: sa.Engine) -> None:
        self.number = 0
        sa.event.listen(engine, "checkout", lambda *_: self._look(engine))

    def _look(self, engine: sa.Engine) -> None:
        self.number = max(self.number, engine.pool.checkedout())


@pytest.mark.servers
def test_stores_of_one_url_share_an_engine_and_close_it_when_all_are_closed() -> None:
    url = f"{servers.database('postgresql')}?application_name=shared"
    name = begun(url)._poll
    stores = [SQLStore(url, name) for _ in range(50)]
    with ThreadPoolExecutor(20) as pool:
        assert all(len(events) == 1 for events in pool.map(lambda store: list(store.events(0)), stores))
    assert 1 <= connections("shared") <= 5
    for store in stores[1:]:
        store.close()
    assert connections("shared") >= 1
    stores[0].close()
    # Those that were left without being closed are counted as well.
    wait_until(lambda: connections("shared") == 0)
    assert len(list(stores[0].events(0))) == 1
    del stores, store
    wait_until(lambda: connections("shared") == 0)


def connections(application: str) -> int:
    with engine_of(servers.database("postgresql")) as engine, engine.connect() as connection:
        statement = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
        return connection.execute(statement, {"name": application}).scalar()


def wait_until(condition) -> None:
    """A server takes a moment to notice that a connection was closed."""
    pause = threading.Event()
    for _ in range(3000):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("in a minute it did not come to be")


# --- forks ---


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("own_engine", [True, False])
@pytest.mark.parametrize("url", SERVERS, indirect=True)
def test_no_connection_crosses_a_fork(url: str, own_engine: bool) -> None:
    with engine_of(url, pool_size=2) as engine:
        store = begun(url if own_engine else engine)
        assert len(list(store.events(0))) == 1
        for number in range(2, 6):
            child = os.fork()
            if not child:
                code = 1
                with contextlib.suppress(BaseException):
                    signal.alarm(60)
                    with ThreadPoolExecutor(1) as pool:
                        pool.submit(write, store, event(number)).result()
                    code = 0
                os._exit(code)
            # Both at once on what would be one connection.
            for _ in range(20):
                assert len(list(store.events(0))) >= number - 1
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert [each[0] for each in store.events(0)] == list(range(1, number + 1))
        store.close()


# --- making ---


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_a_second_poll_of_a_name_is_refused_and_one_that_is_not_there_is_named(url: str) -> None:
    name = new_name()
    with pytest.raises(pv.StorageError, match=r"has no tables|has no log there|cannot"):
        pv.Poll.open(SQLStore(url, name))
    with pv.Poll(ITEMS, store=SQLStore(url, name), rng=1) as poll:
        with pytest.raises(pv.InputError, match=r"has a log already; go on with it by Poll\.open\(store\)"):
            pv.Poll(ITEMS, store=SQLStore(url, name))
        with pytest.raises(pv.StorageError, match=r"'other' in .* has no log there; begin it with Poll"):
            pv.Poll.open(SQLStore(url, "other"))
        for other in (name + " ", " " + name, name.upper()):
            assert len(pv.Poll(ITEMS, store=SQLStore(url, other)).votes()) == 0
        poll.answer("anna", poll.ask("anna").id, "left")
        assert_same_votes(pv.Poll.open(SQLStore(url, name)).votes(), poll.votes())


@pytest.mark.parametrize("kind", SERVERS)
def test_servers_that_begin_at_once_make_the_tables_once(kind: str) -> None:
    url = servers.database(kind, fresh=True)
    names = [f"poll {number // 2}" for number in range(16)]
    barrier = threading.Barrier(len(names))

    def begin(name: str) -> bool:
        with engine_of(url) as engine:
            store = SQLStore(engine, name)
            barrier.wait(60)
            try:
                pv.Poll(ITEMS, store=store).close()
            except pv.InputError:
                return False
            return True

    with ThreadPoolExecutor(len(names)) as pool:
        results = list(pool.map(begin, names))
    # Of two that begin a poll of one name one does.
    assert sum(results) == 8
    assert all(len(list(SQLStore(url, name).events(0))) == 1 for name in names)


@pytest.mark.parametrize("name", ["", "x" * 201, None, 5, "a\0b", "a\nb", "\ud800"])
def test_a_name_that_cannot_be_one_is_refused(name, tmp_path) -> None:
    with pytest.raises(pv.InputError, match=r"name is .*; pass the poll's name, of 1 to 200 characters"):
        SQLStore(f"sqlite:///{tmp_path}/polls.db", name)


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_a_long_name_of_wide_characters_is_taken(url: str) -> None:
    name = ("\U0001f332" * 180 + new_name())[:200]
    store = SQLStore(url, name)
    store.create([event(1)])
    assert len(list(SQLStore(url, name).events(0))) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("poll.db", r"engine_or_url is no URL of a database; write it like postgresql\+psycopg://"),
        (None, "engine_or_url is no URL of a database"),
        ("nosuch://secret@host/x", "engine_or_url is no URL of a database"),
        ("sqlite://", r"in memory, which is another one in each thread; name a file, or use MemoryStore\(\)"),
        ("sqlite:///:memory:", "in memory"),
        ("postgresql+asyncpg://host/x", "is asynchronous|asyncpg, which is not installed|asyncpg"),
        ("mysql+mysqldb://host/x", "needs the driver MySQLdb, which is not installed; pip install mysqlclient|."),
    ],
)
def test_what_is_no_database_is_refused(given, message: str) -> None:
    with pytest.raises(pv.InputError, match=message) as caught:
        SQLStore(given, "kalmar")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan, "1", None])
def test_a_patience_that_is_none_is_refused(seconds, tmp_path) -> None:
    with pytest.raises(pv.InputError, match=r"busy_seconds is .*; pass a finite number of seconds above 0"):
        SQLStore(f"sqlite:///{tmp_path}/polls.db", "kalmar", busy_seconds=seconds)


def test_without_sqlalchemy_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(pv.InputError, match=r'SQLAlchemy, which is not installed; pip install "pairvote\[sql\]"'):
        SQLStore("postgresql://host/x", "kalmar")


def test_the_package_loads_no_sqlalchemy() -> None:
    code = "import sys, pairvote.poll; pairvote.poll.SQLStore; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- what goes wrong ---


def test_no_message_shows_a_password() -> None:
    url = "postgresql+psycopg://anna:hunter2@127.0.0.1:1/x?options=hunter3&connect_timeout=2"
    store = SQLStore(url, "kalmar")
    assert store.name == "'kalmar' in postgresql://anna@127.0.0.1:1/x"
    with pytest.raises(pv.StorageError, match="cannot be reached; see that its server runs") as caught:
        pv.Poll(ITEMS, store=store)
    assert "hunter" not in f"{caught.value!r} {caught.value}"
    assert store.name == SQLStore(sa.make_url(url), "kalmar").name


@pytest.mark.servers
@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("postgresql", {"database": "nowhere"}, "is in a database that is not there; create it, or mend the URL"),
        ("mariadb", {"database": "nowhere"}, "is in a database that is not there|let this user not in"),
        ("mariadb", {"username": "nobody", "password": "x"}, "let this user not in; mend the name, the password"),
        ("postgresql", {"username": "nobody"}, "nobody"),
    ],
)
def test_a_server_that_lets_nobody_in_is_told(kind: str, change: dict, message: str) -> None:
    store = SQLStore(sa.make_url(servers.database(kind)).set(**change), "kalmar")
    with pytest.raises(pv.StorageError, match=message):
        pv.Poll.open(store)


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_rights_that_lack_are_told(kind: str) -> None:
    url = servers.database(kind, fresh=True)
    begun(url)
    with engine_of(url, isolation_level="AUTOCOMMIT") as engine, engine.connect() as connection:
        if kind == "postgresql":
            connection.exec_driver_sql("DROP ROLE IF EXISTS reader")
            connection.exec_driver_sql("CREATE ROLE reader LOGIN")
            connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        else:
            connection.exec_driver_sql("CREATE OR REPLACE USER reader")
            connection.exec_driver_sql("GRANT SELECT ON * TO reader")
    with pytest.raises(pv.StorageError, match="may not be used by this user; grant SELECT, INSERT, UPDATE, DELETE"):
        pv.Poll(ITEMS, store=SQLStore(sa.make_url(url).set(username="reader"), "kalmar"))


@pytest.mark.parametrize("url", ALL, indirect=True)
def test_a_lock_that_is_held_for_too_long_is_told(url: str) -> None:
    options = {"connect_args": {"timeout": 1}} if url.startswith("sqlite") else {}
    with engine_of(url, **options) as engine:
        store = begun(engine)
        other = again(store, engine, busy_seconds=1)
        store.begin()
        with pytest.raises(pv.StorageError, match="was locked by others for too long; end what holds it"):
            other.begin()
        other.rollback()
        store.append([event(2)])
        store.commit()
        write(other, event(3))
        assert [each[0] for each in store.events(0)] == [1, 2, 3]


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("own_engine", [True, False])
def test_a_connection_that_the_server_ended_is_made_anew(kind: str, own_engine: bool) -> None:
    url = servers.database(kind)
    with engine_of(url) as engine, engine_of(url) as by_hand:
        store = begun(url if own_engine else engine)
        # One that nobody uses: the next call does not even notice.
        end_connections(kind, by_hand)
        assert [each[0] for each in store.events(0)] == [1]
        end_connections(kind, by_hand)
        write(store, event(2))
        # One in the midst of a call, which is not stored and says so.
        for step in ("append", "commit"):
            store.begin()
            if step == "commit":
                store.append([event(3)])
            end_connections(kind, by_hand)
            if step == "append":
                store.append([event(3)])
            with pytest.raises(pv.StorageError, match="cannot be reached; see that its server runs"):
                store.commit()
            store.rollback()
            assert [each[0] for each in store.events(0)] == [1, 2]
        write(store, event(3))
        assert [each[0] for each in store.events(0)] == [1, 2, 3]


def end_connections(kind: str, engine: sa.Engine) -> None:
    """End all connections to the tests' database but this one."""
    if kind == "postgresql":
        ids = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        end = "SELECT pg_terminate_backend({}, 60000)"
    else:
        ids = "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = database()"
        end = "KILL {}"
    with engine.connect() as connection:
        for (number,) in connection.exec_driver_sql(ids).all():
            # One that has gone meanwhile is gone.
            with contextlib.suppress(sa.exc.DBAPIError):
                connection.exec_driver_sql(end.format(number))


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_calls_out_of_order_are_told(kind: str) -> None:
    store = begun(servers.database(kind))
    store.rollback()
    for call in (lambda: store.append([event(2)]), lambda: store.keep({}), store.commit, store.commit_lazily):
        with pytest.raises(pv.StorageError, match="was not begun; call begin first"):
            call()
    store.begin()
    with pytest.raises(pv.StorageError, match="was begun and not ended; call commit or rollback first"):
        store.begin()
    store.append([event(1)])
    with pytest.raises(pv.StorageError, match="holds already what was to be written"):
        store.commit()
    store.rollback()
    assert len(list(store.events(0))) == 1


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_table_that_somebody_edited_gives_a_storage_error(kind: str) -> None:
    url = servers.database(kind, fresh=True)
    pv.Poll(ITEMS, store=SQLStore(url, "kalmar"), rng=1).close()
    with engine_of(url) as engine:
        for change in ("a = 'x'", "a = ''", "a = '1.5'", "a = '\"'", "kind = 99", "time = 7", "digest = ''"):
            with engine.begin() as connection:
                connection.exec_driver_sql(f"UPDATE pairvote_events SET {change}")
            with pytest.raises(pv.StorageError):
                pv.Poll.open(SQLStore(url, "kalmar")).verify()
