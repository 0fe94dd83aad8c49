"""PostgreSQL and MariaDB, as the tests start them: in a temporary folder, on the loopback, syncing to the disk."""

from __future__ import annotations

import functools
from importlib import import_module, util

KINDS = ("postgresql", "mariadb")
DRIVERS = {"postgresql": "psycopg", "mariadb": "pymysql"}
NAMES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB"}
# Debian's names of the programs that make and run a database.
PROGRAMS = {"postgresql": ("initdb", "pg_ctl"), "mariadb": ("mariadb-install-db", "mariadbd")}


def missing(kind: str) -> str:
    """What to say where a server cannot be started; nothing where it can."""
    needed = ("sqlalchemy", DRIVERS[kind])
    if not all(map(util.find_spec, needed)):
        return f"no {' and '.join(needed)}"
    try:
        find = import_module("tests.servers")._program
    except ImportError:
        return "not run from the repository"
    return "" if all(map(find, PROGRAMS[kind])) else "not there"


@functools.cache
def url(kind: str) -> str:
    """Where a server is that is started on first use and ends with this process."""
    started: str = getattr(import_module("tests.servers"), kind)().url()
    return started
