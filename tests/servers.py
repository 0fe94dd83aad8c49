"""Servers of PostgreSQL and MariaDB that tests start: in a temporary folder, on the loopback, as an unprivileged user.

They sync to the disk as a real one does. Where their programs are not installed the tests that need them are skipped,
and fail where CI is set. Each worker of pytest-xdist has servers of its own, from the first test that needs one.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

PATIENT_SECONDS = 120


def _program(name: str) -> str | None:
    """Where a server's program is: on the path, or where Debian puts it."""
    places = [*sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True), "/usr/sbin", "/usr/bin"]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(places))


def _missing(what: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed; .ci/install does it")
    pytest.skip(f"{what} is not installed")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class _Server:
    """A folder that an unprivileged user owns, and programs that this user runs there."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="pairvote-"))
        self._as_user: dict[str, object] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _run(self, *command: str) -> None:
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(command, stdout=said, stderr=said, **self._options(), check=False)
            said.seek(0)
            assert not done.returncode, f"{command}: {said.read()}\n{self._log()}"

    def _start(self, *command: str, **options: object) -> subprocess.Popen:
        return subprocess.Popen(command, **{**self._options(), **options})

    def _options(self) -> dict:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        # A session of its own, which an interrupt of the tests does not reach: it would end who is to tidy up.
        own = {"stdin": subprocess.DEVNULL, "start_new_session": True}
        return {"cwd": self.folder, "env": environment, **own, **self._as_user}

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def _end_with_me(self, command: str) -> None:
        """Let a command of the shell run when this process ends, whichever way it does."""
        # What a server that was killed writes last may come after its folder was looked through.
        tidy = f"while ! rm -rf {self.folder}; do sleep 0.1; done"
        watcher = self._start("sh", "-c", f"read -r _; {command}; {tidy} 2>/dev/null", stdin=subprocess.PIPE)
        atexit.register(self._finish, watcher)

    @staticmethod
    def _finish(watcher: subprocess.Popen) -> None:
        watcher.stdin.close()
        watcher.wait(PATIENT_SECONDS)


class PostgreSQL(_Server):
    """A server of PostgreSQL."""

    def __init__(self, initdb: str, pg_ctl: str) -> None:
        super().__init__()
        self._pg_ctl, self.data = pg_ctl, self.folder / "data"
        self._run(
            initdb, "-D", str(self.data), "-A", "trust", "-U", "pairvote", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
                "max_connections = 60\nshared_buffers = 32MB\nfsync = on\n"
            )
        self.start()
        self._end_with_me(f"{pg_ctl} stop -m immediate -D {self.data} >/dev/null 2>&1")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://pairvote@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self._run(self._pg_ctl, "start", "-w", "-D", str(self.data), "-l", str(self.folder / "log"))

    def stop(self, mode: str = "immediate") -> None:
        self._run(self._pg_ctl, "stop", "-w", "-m", mode, "-D", str(self.data))

    def copy_data(self, place: Path) -> None:
        """Copy the files of a server that is stopped."""
        self._run("cp", "-a", str(self.data), str(place))

    def put_back(self, place: Path) -> None:
        """Put a copy in the place of the files."""
        self._run("rm", "-rf", str(self.data))
        self._run("mv", str(place), str(self.data))

    def restart(self, mode: str = "immediate") -> None:
        """Stop without any tidying, as a crash would, and start again."""
        self.stop(mode)
        self.start()


class MariaDB(_Server):
    """A server of MariaDB."""

    def __init__(self, install: str, server: str) -> None:
        super().__init__()
        self._server, self.data = server, self.folder / "data"
        self._run(
            install,
            "--no-defaults",
            f"--datadir={self.data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        )
        self.start()
        self._end_with_me('kill -9 "$(cat pid)" 2>/dev/null')

    def url(self, database: str = "mysql") -> str:
        return f"mariadb+pymysql://root@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self.process = self._start(
            self._server,
            "--no-defaults",
            f"--datadir={self.data}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--log-error={self.folder / 'log'}",
            "--innodb-buffer-pool-size=32M",
            "--innodb-flush-log-at-trx-commit=1",
            "--max-connections=60",
        )
        patience = time.monotonic() + PATIENT_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < patience, self._log()  # noqa: PT018
                time.sleep(0.05)

    def restart(self) -> None:
        """Kill the server and start it again."""
        self.process.kill()
        self.process.wait(PATIENT_SECONDS)
        self.start()


@functools.cache
def postgresql() -> PostgreSQL:
    """The worker's server of PostgreSQL."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    return PostgreSQL(initdb, pg_ctl) if initdb and pg_ctl else _missing("PostgreSQL")


@functools.cache
def mariadb() -> MariaDB:
    """The worker's server of MariaDB."""
    install, server = _program("mariadb-install-db"), _program("mariadbd")
    return MariaDB(install, server) if install and server else _missing("MariaDB")


_DATABASES = itertools.count()


def database(kind: str, *, fresh: bool = False) -> str:
    """The URL of the tests' database on the worker's server, or of a new one."""
    server = {"postgresql": postgresql, "mariadb": mariadb}[kind]()
    return _new_database(server, next(_DATABASES)) if fresh else _common_database(server)


def _new_database(server: PostgreSQL | MariaDB, number: int) -> str:
    import sqlalchemy as sa

    name = f"polls_{number}"
    engine = sa.create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.url(name)


@functools.cache
def _common_database(server: PostgreSQL | MariaDB) -> str:
    return _new_database(server, next(_DATABASES))


class CountingProxy:
    """A place to connect to in front of a server. It counts how often the client speaks after the server did."""

    def __init__(self, port: int) -> None:
        self._to, self.round_trips = port, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> CountingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            said_last = ["server"]
            for source, target, who in ((client, server, "client"), (server, client, "server")):
                threading.Thread(target=self._pass_on, args=(source, target, who, said_last), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, who: str, said_last: list[str]) -> None:
        try:
            while data := source.recv(65536):
                with self._lock:
                    if who == "client" and said_last[0] == "server":
                        self.round_trips += 1
                    said_last[0] = who
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            each.close()
