"""A log in a database that several servers share."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from pairvote._common.checks import is_number
from pairvote._common.messages import shorten
from pairvote.errors import InputError, PairvoteError, StorageError
from pairvote.poll._stores import sql_engines as engines
from pairvote.poll._stores import sql_text as text
from pairvote.poll._stores.sql_bound import BoundSQLStore
from pairvote.poll._stores.sql_errors import is_database_error, problem_of, storage_error
from pairvote.poll._stores.sql_link import Link, Statement
from pairvote.poll._stores.sql_work import Events, InDatabase, Work, read_page, read_records, write_first

if TYPE_CHECKING:
    import sqlalchemy as sa

LONGEST_NAME = 200
Result = TypeVar("Result")


class SQLStore(InDatabase):
    """A log in PostgreSQL or MariaDB, which several servers may add to. Needs ``pip install "pairvote[sql]"``.

    Many polls are in three tables, pairvote_polls, pairvote_events and pairvote_records, which are made where they are
    not there. A call that changes something locks its poll's row, and takes a connection of the engine's pool for as
    long: polls without number share a few connections.

    Parameters
    ----------
    engine_or_url : Engine, URL or str
        An engine of SQLAlchemy, or a URL such as "postgresql+psycopg://user:password@host/database". Stores of one
        URL share an engine with at most five connections, whose connections are closed when all of them are closed.
        An engine that is passed stays open. A file of SQLite works too, for development.
    name : str
        The poll's name in the tables, up to 200 characters.
    busy_seconds : float, default 30
        How long a call waits for others to finish theirs. MySQL waits as long as its innodb_lock_wait_timeout says.

    Raises
    ------
    InputError
        When a value cannot be used, or SQLAlchemy or the database's driver is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import pairvote as pv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = pv.poll.SQLStore(f"sqlite:///{folder}/site.db", name="kalmar")
    ...     with pv.Poll(["ash", "birch"], store=store, rng=1) as poll:
    ...         poll.ask("anna")
    Question(id=2, left='ash', right='birch', number=1)
    """

    def __init__(self, engine_or_url: sa.Engine | sa.URL | str, name: str, *, busy_seconds: float = 30.0) -> None:
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise InputError(
                f"name is {shorten(name)}; pass the poll's name, of 1 to {LONGEST_NAME} characters that can be printed"
            )
        if not is_number(busy_seconds) or not 0 < busy_seconds < math.inf:
            raise InputError(f"busy_seconds is {shorten(busy_seconds)}; pass a finite number of seconds above 0")
        self._poll, self._busy_seconds = name, float(busy_seconds)
        # What `close` gives back: an engine that was made for the URL.
        self._url: sa.URL | None = None
        self._give_back: finalize[Any, Any] | None = None
        self._engine, url = engines.engine_or_url(engine_or_url)
        if self._engine is None:
            self._url = url
            self._opened_engine()
        self.name = f"{name!r} in {_without_secrets(url)}"
        self._secret = None if url.password is None else str(url.password)
        # The call that has begun, if one has, and its connection.
        self._work: Work | None = None
        self._connection: sa.Connection | None = None
        # The last event that was read or written here: `begin` reads from it on.
        self._seen = 0

    def create(self, first: Sequence[tuple[Any, ...]]) -> None:
        """Begin the log, as `EventStore.create`; and make the tables where they are not there.

        Raises
        ------
        InputError
            When the database has a poll of this name already.
        StorageError
            When it cannot be written.
        """
        # So that what is written is not lost on a connection that the server has ended.
        self._tried(lambda: self._reading(lambda link: link.run([("SELECT 1", ())])))
        for attempt in range(2):
            try:
                with self._connected() as link:
                    for statement in text.begin(link, self._busy_seconds):
                        link.run([statement])
                    write_first(link, self._poll, self.name, first)
                    link.run([("COMMIT", ())])
                return
            except Exception as error:
                if attempt or problem_of(error) != "no-table":
                    raise self._translated(error) from error
            self._make_tables()

    def begin(self) -> None:
        """Lock the poll and read what is new, as `EventStore.begin`."""
        if self._work is not None and self._work.owner == get_ident():
            raise StorageError(f"{self.name} was begun and not ended; call commit or rollback first")
        self._tried(self._begin)

    def kept(self, first: str, last: str) -> list[tuple[str, bytes]]:
        """The records between two names, as `EventStore.kept`."""
        return self._tried(lambda: self._reading(lambda link: read_records(link, self._poll, first, last)))

    def commit(self) -> None:
        """Make it last, as `EventStore.commit`."""
        self._commit(text.commit(self._begun().link))

    def commit_lazily(self) -> None:
        """Make it last as `commit` does, and on PostgreSQL without waiting for the disk.

        Everybody sees it at once. A crash of the server's machine within the next second may cost it.
        """
        self._commit(text.commit_lazily(self._begun().link))

    def rollback(self) -> None:
        """Forget it, as `EventStore.rollback`: its connection is closed, since after a failure a new one is safer."""
        if self._work is None or self._work.owner != get_ident():
            return
        connection, self._connection, self._work = self._connection, None, None
        if connection is not None:
            _throw_away(connection)

    def close(self) -> None:
        """Give back the connections, as `EventStore.close`. An engine that was passed stays open."""
        self.rollback()
        if self._give_back is not None:
            self._engine = None
            self._give_back()

    def bound(self, connection: Any) -> BoundSQLStore:
        """Give a store on the same log that works in a transaction of yours, which ends when you end it.

        Its `begin` locks the poll, and the lock lasts until your transaction ends. Each call is a savepoint, so that
        one that fails leaves nothing of its own.

        Parameters
        ----------
        connection : Connection, Session, django.db.connection or a connection of a driver
            Of SQLAlchemy, of Django, or of psycopg, PyMySQL or another driver; with a transaction that is open.

        Raises
        ------
        InputError
            When it is none, has no transaction, or one in which polls cannot be changed safely.
        StorageError
            When the database does not answer.
        """
        return BoundSQLStore(self._poll, self.name, self._make_tables, connection)

    # --- connections ---

    def _opened_engine(self) -> sa.Engine:
        if self._engine is None:
            assert self._url is not None
            self._engine = engines.engine_for(self._url)
            self._give_back = finalize(self, engines.give_back, self._url)
        return self._engine

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Link]:
        """A connection for a moment. After an error it is thrown away."""
        connection, link = engines.connect(self._opened_engine())
        try:
            yield link
        except BaseException:
            _throw_away(connection)
            raise
        connection.close()

    def _begin(self) -> None:
        connection, link = engines.connect(self._opened_engine())
        try:
            work = Work(link, self._poll, self.name)
            self._connection, self._work = connection, work
            work.begin(text.begin(link, self._busy_seconds), max(self._seen - 1, 0), self._busy_seconds)
        except BaseException:
            self._connection = self._work = None
            _throw_away(connection)
            raise

    def _commit(self, statements: Sequence[Statement]) -> None:
        work = self._begun()
        try:
            work.end(statements)
        except Exception as error:
            raise self._translated(error) from error
        connection, self._connection, self._work = self._connection, None, None
        self._seen = work.last
        if connection is not None:
            connection.close()

    def _page(self, after: int) -> Events:
        page = self._tried(lambda: self._read_page(after))
        if page:
            self._seen = page[-1][0]
        return page

    def _read_page(self, after: int) -> Events:
        work = self._work
        if work is not None and work.owner == get_ident():
            return work.page(after)
        return self._reading(lambda link: read_page(link, self._poll, self.name, after))

    def _reading(self, read: Callable[[Link], Result]) -> Result:
        work = self._work
        if work is not None and work.owner == get_ident():
            return read(work.link)
        connection, link = engines.connect(self._opened_engine())
        try:
            if link.database == "mysql":
                # So that closing ends the transaction in which it reads, and the pool does not do it again.
                connection.begin()
            result = read(link)
        except BaseException:
            _throw_away(connection)
            raise
        connection.close()
        return result

    def _make_tables(self) -> None:
        try:
            with self._connected() as link:
                for statement in text.tables(link.database):
                    link.run([statement])
        except Exception as error:
            raise self._translated(error) from error

    # --- errors ---

    def _tried(self, call: Callable[[], Result]) -> Result:
        """The result of a call that writes nothing: with new connections where the pool's were lost."""
        try:
            return call()
        except Exception as error:
            if self._work is not None and self._work.owner == get_ident():
                raise self._translated(error) from error
            if problem_of(error) != "lost":
                raise self._translated(error) from error
        try:
            self._opened_engine().dispose()
            return call()
        except Exception as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> Exception:
        if isinstance(error, (PairvoteError, AssertionError)):
            return error
        if is_database_error(error):
            return storage_error(error, self.name, self._secret)
        return error


def _throw_away(connection: sa.Connection) -> None:
    """Close a connection to the database, which takes back what was not committed."""
    with contextlib.suppress(Exception):
        connection.invalidate()
    with contextlib.suppress(Exception):
        connection.close()


def _without_secrets(url: sa.URL) -> str:
    """A URL without the password, and without options, which may hold others."""
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    user = f"{url.username}@" if url.username and url.host else ""
    return f"{url.get_backend_name()}://{user}{place}/{url.database or ''}"
