"""A DB-API connection of any known driver, and statements that are sent through it in as few messages as can be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError

# The text of a statement, with %s where a value belongs, and the values.
Statement = tuple[str, tuple[Any, ...]]
DatabaseName = Literal["postgresql", "mysql", "sqlite"]


class Driver(NamedTuple):
    """How a driver wants its statements."""

    database: DatabaseName
    mark: str = "%s"
    # Whether it writes values into the text itself, so that one message can take several statements.
    writes_values: bool = False


# By the package that a connection's class comes from.
DRIVERS = {
    "psycopg": Driver("postgresql", writes_values=True),
    "psycopg2": Driver("postgresql", writes_values=True),
    "pg8000": Driver("postgresql"),
    "pymysql": Driver("mysql", writes_values=True),
    "MySQLdb": Driver("mysql", writes_values=True),
    "mysql": Driver("mysql"),
    "mariadb": Driver("mysql", "?"),
    "sqlite3": Driver("sqlite", "?"),
}


def driver_name(connection: object) -> str | None:
    """The package whose connection this is, if it is a known driver."""
    packages = [kind.__module__.partition(".")[0] for kind in type(connection).__mro__]
    return next((package for package in packages if package in DRIVERS), None)


class Link:
    """A connection of a driver."""

    def __init__(self, connection: Any) -> None:
        name = driver_name(connection)
        if name is None:
            raise InputError(
                f"the connection is {shorten(connection)}, of a driver that is not known; use one of {listed(DRIVERS)}"
            )
        self.connection = connection
        self._name = name
        self._driver = DRIVERS[name]
        self.database: DatabaseName = self._driver.database
        self.is_mariadb = self._driver.writes_values and self.database == "mysql" and _is_mariadb(connection)

        # Whether one message takes several statements.
        self.takes_several = self._driver.writes_values and (self.database == "postgresql" or self.is_mariadb)
        # Whether a transaction has to be begun by a statement.
        self.commits_each = self.database != "mysql"
        # Whether a transaction of the application may see a moment before the lock was taken.
        self.looks_back = False

    def session(self) -> tuple[bool, str]:
        """Whether MySQL or MariaDB commits statements one by one, and the isolation, such as READ-COMMITTED."""
        names = "'autocommit', 'in_transaction', 'transaction_isolation', 'tx_isolation'"
        rows = self.run([(f"SHOW VARIABLES WHERE variable_name IN ({names})", ())])
        found = {str(name): str(value).upper() for name, value in rows}
        on = ("ON", "1")
        commits_each = found.get("autocommit") in on and found.get("in_transaction") not in on
        return commits_each, found.get("transaction_isolation") or found.get("tx_isolation", "")

    @property
    def errors(self) -> type[Exception]:
        """The base of all errors of the driver."""
        module = sys.modules["mysql.connector" if self._name == "mysql" else self._name]
        error: type[Exception] = module.Error
        return error

    def run(self, script: Sequence[Statement]) -> list[tuple[Any, ...]]:
        """The rows of the last statement that gives some."""
        cursor = self._cursor()
        rows: list[tuple[Any, ...]] = []
        try:
            for text, values in self._messages(script):
                cursor.execute(text, values)
                if cursor.description:
                    rows = list(cursor.fetchall())
                while self._gives_several and cursor.nextset():
                    if cursor.description:
                        rows = list(cursor.fetchall())
            return rows
        finally:
            cursor.close()

    @property
    def _gives_several(self) -> bool:
        # psycopg2 gives the last statement's rows alone.
        return self.is_mariadb or self._name == "psycopg"

    def _cursor(self) -> Any:
        """A cursor that gives tuples, whatever the connection's own give."""
        if self._name == "psycopg":
            psycopg = sys.modules["psycopg"]
            return psycopg.ClientCursor(self.connection, row_factory=psycopg.rows.tuple_row)
        if self._name == "pymysql":
            return self.connection.cursor(sys.modules["pymysql.cursors"].Cursor)
        cursor = self.connection.cursor()
        if self._name == "sqlite3":
            cursor.row_factory = None
        return cursor

    def _messages(self, script: Sequence[Statement]) -> Sequence[Statement]:
        if len(script) > 1 and self.takes_several:
            text = ";\n".join(text for text, _ in script)
            if self.is_mariadb:
                # One statement to MariaDB, so that the connection need not allow several.
                text = f"BEGIN NOT ATOMIC\n{text};\nEND"
            return [(text, tuple(value for _, values in script for value in values))]
        return [(text.replace("%s", self._driver.mark), values) for text, values in script]


def _is_mariadb(connection: Any) -> bool:
    return "mariadb" in str(connection.get_server_info()).lower()
