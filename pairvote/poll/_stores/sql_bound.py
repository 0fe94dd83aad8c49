"""A poll's log inside a transaction of the application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from pairvote._common.messages import shorten
from pairvote.errors import InputError, PairvoteError, StateError, StorageError
from pairvote.poll._stores.sql_errors import is_database_error, problem_of, sqlstate, storage_error
from pairvote.poll._stores.sql_link import Link, Statement, driver_name
from pairvote.poll._stores.sql_work import Events, InDatabase, Work, read_records, write_first

MARK: Statement = ("SAVEPOINT pairvote", ())
KEEP: Statement = ("RELEASE SAVEPOINT pairvote", ())
TAKE_BACK: Statement = ("ROLLBACK TO SAVEPOINT pairvote", ())
KINDS = "pass a Connection or a Session of SQLAlchemy, django.db.connection, or a connection of a driver"
COMMITS_EACH = "connection commits each statement by itself; begin a transaction first"
# What PostgreSQL calls a savepoint outside of a transaction.
NO_TRANSACTION = "25P01"


class BoundSQLStore(InDatabase):
    """A log in a database, in a transaction of the application. `SQLStore.bound` makes it.

    What `commit` makes last is there for others when the application commits, and gone when it rolls back.
    """

    def __init__(self, poll: str, name: str, make_tables: Callable[[], None], connection: Any) -> None:
        self.name = name
        self._poll, self._make_tables = poll, make_tables
        self._current = _finder(connection)
        self._work: Work | None = None
        self._seen = 0
        # Whether the database gave the transaction up after an error.
        self._lost = False
        try:
            self._looks_back = _looks_back(Link(self._current()))
        except Exception as error:
            raise self._translated(error) from error

    def create(self, first: Sequence[tuple[Any, ...]]) -> None:
        """Begin the log, as `EventStore.create`."""
        for attempt in range(2):
            try:
                link = self._link()
                link.run([MARK])
                try:
                    write_first(link, self._poll, self.name, first)
                except Exception:
                    self._take_back(link)
                    raise
                link.run([KEEP])
                return
            except Exception as error:
                if attempt or problem_of(error) != "no-table":
                    raise self._translated(error) from error
            self._make_tables()

    def begin(self) -> None:
        """Lock the poll until the application's transaction ends, and read the log's end."""
        if self._work is not None:
            raise StorageError(f"{self.name} was begun and not ended; call commit or rollback first")
        try:
            self._work = self._locked()
        except Exception as error:
            raise self._translated(error) from error

    def kept(self, first: str, last: str) -> list[tuple[str, bytes]]:
        """The records between two names, those of this transaction included."""
        return self._reading(lambda work: read_records(work.link, self._poll, first, last))

    def commit(self) -> None:
        """Make it part of the application's transaction."""
        work = self._begun()
        try:
            self._link()
            work.end([KEEP])
        except Exception as error:
            raise self._translated(error) from error
        self._work = None

    def rollback(self) -> None:
        """Forget what was appended since `begin`; the application's transaction goes on."""
        work, self._work = self._work, None
        if work is not None:
            self._take_back(work.link)

    def close(self) -> None:
        """Let go of nothing: the connection is the application's."""

    def _link(self) -> Link:
        link = Link(self._current())
        if self._lost or (link.database == "sqlite" and not link.connection.in_transaction):
            raise StateError(
                f"the transaction that {self.name} was bound to has ended; begin another one and bind the poll to that"
            )
        link.looks_back = self._looks_back
        return link

    def _locked(self) -> Work:
        """The poll, locked, after a savepoint."""
        work = Work(self._link(), self._poll, self.name)
        try:
            work.begin([MARK], max(self._seen - 1, 0), None)
        except BaseException:
            self._take_back(work.link)
            raise
        return work

    def _page(self, after: int) -> Events:
        page: Events = self._reading(lambda work: work.page(after))
        if page:
            self._seen = page[-1][0]
        return page

    def _reading(self, read: Callable[[Work], Any]) -> Any:
        """Read under the lock: a transaction may look at older moments otherwise."""
        try:
            if self._work is not None:
                return read(self._work)
            work = self._locked()
            try:
                result = read(work)
            except BaseException:
                self._take_back(work.link)
                raise
            work.link.run([KEEP])
            return result
        except Exception as error:
            raise self._translated(error) from error

    def _take_back(self, link: Link) -> None:
        try:
            link.run([TAKE_BACK])
            link.run([KEEP])
        except link.errors:
            # The whole transaction is gone, such as after a deadlock on InnoDB; the first error says why.
            self._lost = True

    def _translated(self, error: Exception) -> Exception:
        if isinstance(error, PairvoteError) or not is_database_error(error):
            return error
        return storage_error(error, self.name)


def _finder(connection: Any) -> Callable[[], Any]:
    """A function that gives the driver's connection as long as the transaction that is open now is."""
    if driver_name(connection) is not None:
        return lambda: connection
    if hasattr(connection, "in_atomic_block") and hasattr(connection, "ensure_connection"):
        return _in_django(connection)
    if "sqlalchemy" in sys.modules:
        import sqlalchemy as sa
        from sqlalchemy import orm

        if isinstance(connection, (orm.Session, orm.scoped_session)):
            connection = connection.connection()
        if isinstance(connection, sa.Connection):
            return _in_sqlalchemy(connection)
    if type(connection).__name__.startswith("Async"):
        raise InputError(
            f"connection is {shorten(connection)}, which is asynchronous; pass the one that run_sync gives"
        )
    raise InputError(f"connection is {shorten(connection)}; {KINDS}")


def _in_sqlalchemy(connection: Any) -> Callable[[], Any]:
    transaction = connection.get_transaction()
    if transaction is None:
        raise InputError(
            "connection has no transaction that is open; begin one, such as by: with engine.begin() as connection"
        )

    def current() -> Any:
        if connection.closed or connection.get_transaction() is not transaction or not transaction.is_active:
            raise StateError("the transaction of the connection has ended; begin another one and bind the poll to that")
        return connection.connection.dbapi_connection

    return current


def _in_django(connection: Any) -> Callable[[], Any]:
    def current() -> Any:
        if not connection.in_atomic_block:
            raise InputError("connection has no transaction that is open; begin one: with transaction.atomic()")
        connection.ensure_connection()
        return connection.connection

    return current


def _looks_back(link: Link) -> bool:
    """Whether a transaction may see an older moment; InputError where calls cannot be made safely in it."""
    if link.database == "sqlite":
        if not link.connection.in_transaction:
            if link.connection.isolation_level is None:
                raise InputError("connection has no transaction that is open; begin one first, by BEGIN IMMEDIATE")
            # Python's driver begins by itself before a statement that writes, and a savepoint is none.
            link.run([("BEGIN IMMEDIATE", ())])
    elif link.database == "postgresql":
        try:
            link.run([MARK])
        except link.errors as error:
            if sqlstate(error) != NO_TRANSACTION:
                raise
            raise InputError(COMMITS_EACH) from None
        link.run([KEEP])
        level = link.run([("SHOW transaction_isolation", ())])[0][0]
        if level not in ("read committed", "read uncommitted"):
            raise InputError(
                f"connection has a transaction at {level.upper()}, which does not see what others have committed since "
                "it began; begin one at READ COMMITTED, such as by "
                'engine.execution_options(isolation_level="READ COMMITTED")'
            )
    else:
        commits_each, level = link.session()
        if commits_each:
            raise InputError(COMMITS_EACH)
        return level != "READ-COMMITTED"
    return False
