"""Errors of databases, and what to do about each."""

from __future__ import annotations

from typing import Any, Literal

from pairvote.errors import StorageError

Problem = Literal[
    "lost", "locked", "again", "full", "crowded", "refused", "login", "unknown", "reading", "no-table", "twice", "large"
]
REMEDIES: dict[Problem, str] = {
    "lost": "cannot be reached; see that its server runs and is reached from here, and send the same call again",
    "locked": "was locked by others for too long; end what holds it, such as a transaction that was left open, and "
    "send the same call again",
    "again": "was changed by two at once and the database chose the other; send the same call again, and within a "
    "transaction of yours begin that anew",
    "full": "has no room to grow: the server's disk is full; make room and send the same call again",
    "crowded": "has no connection left for this call; let others finish, or allow more (pool_size of the engine, "
    "max_connections of the server), and send the same call again",
    "refused": "may not be used by this user; grant SELECT, INSERT, UPDATE, DELETE on the tables pairvote_polls, "
    "pairvote_events, pairvote_records, and CREATE where they are not there",
    "login": "let this user not in; mend the name, the password or the server's rules for logging in",
    "unknown": "is in a database that is not there; create it, or mend the URL",
    "reading": "may only be read: the server is a standby, or is set so; connect to the one that writes, and send the "
    "same call again",
    "no-table": "has no tables in this database; begin a poll there with Poll(items, store=...), or mend the URL",
    "twice": "holds already what was to be written: somebody else wrote without the lock; send the same call again",
    "large": "takes no value of this size; raise max_allowed_packet of the server and send the same call again",
}
# Classes of SQLSTATE, by their first characters; the longest that fits counts.
_SQLSTATES: dict[str, Problem] = {
    "08": "lost",
    "57P01": "lost",
    "57P02": "lost",
    "57P03": "lost",
    "57P05": "lost",
    "25P03": "lost",
    "25P04": "lost",
    "55P03": "locked",
    "57014": "locked",
    "40": "again",
    "53100": "full",
    "53300": "crowded",
    "42501": "refused",
    "28": "login",
    "3D000": "unknown",
    "25006": "reading",
    "42P01": "no-table",
    "23505": "twice",
}
# What the server says to one that it lets not in, which drivers give without a SQLSTATE.
_WORDS: dict[str, Problem] = {
    "password authentication failed": "login",
    "no pg_hba.conf entry": "login",
    "does not exist": "unknown",
    "too many clients": "crowded",
    "remaining connection slots": "crowded",
}
_MYSQL: dict[Problem, tuple[int, ...]] = {
    "lost": (0, 1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2005, 2006, 2013, 2014, 2055, 4031),
    "locked": (1205, 3572),
    "again": (1020, 1213, 1614),
    "full": (1021, 1026, 1041, 1114),
    "crowded": (1040, 1203, 1226),
    "refused": (1142, 1143, 1227, 1370),
    "login": (1044, 1045, 1130, 1698),
    "unknown": (1049,),
    "reading": (1290, 1792, 1836),
    "no-table": (1146,),
    "twice": (1062,),
    "large": (1153, 2020, 1301),
}
_MYSQL_CODES = {code: problem for problem, codes in _MYSQL.items() for code in codes}
_SQLITE: dict[int, Problem] = {5: "locked", 6: "locked", 8: "reading", 13: "full", 14: "unknown", 19: "twice"}


def is_database_error(error: BaseException) -> bool:
    """Whether an error is one of SQLAlchemy, or of a driver: all of those are kinds of the driver's own `Error`."""
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__ if kind.__name__ == "Error"}
    return bool(packages) or type(error).__module__.startswith("sqlalchemy.")


def problem_of(error: BaseException) -> Problem | None:
    """The kind of problem that an error of a database is; None where no kind fits."""
    original = _original(error)
    if type(original).__module__.startswith("sqlalchemy."):
        # Its own, from the pool: all connections were busy.
        return "crowded" if type(original).__name__ == "TimeoutError" else None
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int):
        return "no-table" if "no such table" in str(original) else _SQLITE.get(code & 0xFF)
    package = type(original).__module__.partition(".")[0]
    if package in ("psycopg", "psycopg2", "pg8000"):
        state = sqlstate(original)
        if state is None:
            # The driver's own words, when there is no server to say anything.
            return _without_state(original)
        return next((_SQLSTATES[state[:n]] for n in (5, 2) if state[:n] in _SQLSTATES), None)
    number = getattr(original, "errno", None)
    if not isinstance(number, int):
        number = original.args[0] if original.args and isinstance(original.args[0], int) else None
    if number is None:
        return "lost" if type(original).__name__ in ("InterfaceError", "OperationalError") else None
    return _MYSQL_CODES.get(number)


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error, if it was the server's."""
    original = _original(error)
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    if state is None and original.args and isinstance(original.args[0], dict):
        # As pg8000 says it.
        state = original.args[0].get("C")
    return state if isinstance(state, str) else None


def _without_state(error: BaseException) -> Problem | None:
    text = str(error)
    for words, problem in _WORDS.items():
        if words in text:
            return problem
    return "lost" if type(error).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout") else None


def storage_error(error: BaseException, name: str, secret: str | None = None) -> StorageError:
    """The StorageError for an error of a database: what it is about, what to do, and what the database said."""
    problem = problem_of(error)
    remedy = REMEDIES[problem] if problem else "cannot be used; look at what the database says"
    original = _original(error)
    said = " ".join(str(original).split()) or type(original).__name__
    if secret:
        said = said.replace(secret, "***")
    return StorageError(f"{name} {remedy} ({type(original).__module__.partition('.')[0]}: {said[:400]})")


def _original(error: Any) -> BaseException:
    """The driver's error, where SQLAlchemy or Django has put it into one of its own."""
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException):
        return original
    if type(error).__module__.startswith("django.") and error.__cause__ is not None:
        return error.__cause__
    found: BaseException = error
    return found
