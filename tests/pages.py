"""The recipes of docs/recipes as servers, for tests that vote on their pages."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from browser import phone

import pairvote as pv

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "docs" / "recipes"
SECRET = "the organiser's secret"
MOST_WAITED_SECONDS = 120


def free_port() -> int:
    """A port where nobody listens."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as found:
        return found.getsockname()[1]


def environment(**more: str) -> dict[str, str]:
    """That of a recipe's process: the package of this checkout, one thread for the BLAS."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1", **more}


@contextlib.contextmanager
def serving(command: list[object], folder: Path, ready: str, n_ready: int, **more: str) -> Iterator[Server]:
    """A server in a session of its own, from when `n_ready` of its lines say `ready`, until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-u", *map(str, command)],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout))
    reader.start()
    try:
        until = time.monotonic() + MOST_WAITED_SECONDS
        while sum(ready in line for line in lines) < n_ready:
            assert process.poll() is None, "".join(lines)
            assert time.monotonic() < until, "".join(lines)
            time.sleep(0.05)
        yield Server(process.pid, lines)
    finally:
        # The session holds the server and its workers, and nothing else.
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join()
        process.stdout.close()


@dataclass(frozen=True)
class Server:
    """A running server: the process that was started, and what it has said."""

    pid: int
    lines: list[str]

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """A disk on which the server and its workers can write nothing, for a while."""
        import resource

        processes = [self.pid, *self._children()]
        before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in processes}
        for pid, (_, hard) in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            for pid, limits in before.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

    def _children(self) -> list[int]:
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]


class Site:
    """Pages of a recipe, as its voters and its organiser come to them."""

    name: str
    address: str
    server: Server
    titles: list[str]

    def poll(self) -> pv.Poll:
        """The poll behind the pages, opened once more."""
        raise NotImplementedError

    def voter(self, number: int) -> str | int:
        """The voter in the poll."""
        raise NotImplementedError

    def title(self, item: str | int) -> str:
        """What the pages call an item of the poll."""
        raise NotImplementedError

    def item(self, title: str) -> str | int:
        """The item of the poll that has a title."""
        return next(item for item in self.poll().items if self.title(item) == title)

    def vote(self, browser: Browser, number: int, **options: object) -> Page:
        """The page on which a voter is asked, on a telephone of her own."""
        raise NotImplementedError

    def organise(self, browser: Browser, **options: object) -> Page:
        """The organiser's page."""
        raise NotImplementedError


class FastAPISite(Site):
    """docs/recipes/fastapi_page.py on two worker processes."""

    name = "fastapi"

    def __init__(self, server: Server, address: str, folder: Path, titles: list[str]) -> None:
        self.server, self.address, self.folder, self.titles = server, address, folder, titles
        self.tickets = (folder / "tickets.txt").read_text(encoding="utf-8").split()

    def poll(self) -> pv.Poll:
        return pv.Poll.open(self.folder / "poll.db")

    def voter(self, number: int) -> str:
        return self.tickets[number]

    def title(self, item: str | int) -> str:
        return str(item)

    def vote(self, browser: Browser, number: int, **options: object) -> Page:
        page = phone(browser, **options).new_page()
        page.goto(f"{self.address}/vote/{self.tickets[number]}")
        return page

    def organise(self, browser: Browser, **options: object) -> Page:
        given = {"username": "organiser", "password": SECRET}
        page = phone(browser, http_credentials=given, **options).new_page()
        page.goto(f"{self.address}/organiser")
        return page


class DjangoSite(Site):
    """docs/recipes/django_demo.py, which serves django_page.py in a thread for each request."""

    name = "django"

    def __init__(self, server: Server, address: str, folder: Path, titles: list[str]) -> None:
        self.server, self.address, self.folder, self.titles = server, address, folder, titles
        self.passwords = dict(found.groups() for line in server.lines if (found := re.match(r"(\w+) (\S{8})\n", line)))

    def poll(self) -> pv.Poll:
        return pv.Poll.open(pv.poll.SQLStore(f"sqlite:///{self.folder / 'site.db'}", name="ideas"))

    def voter(self, number: int) -> int:
        return number + 1

    def title(self, item: str | int) -> str:
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.folder / "site.db")) as connection:
            return connection.execute("SELECT title FROM voting_idea WHERE id = ?", (item,)).fetchone()[0]

    def vote(self, browser: Browser, number: int, **options: object) -> Page:
        return self._logged_in(phone(browser, **options).new_page(), f"voter{number}", "/vote")

    def organise(self, browser: Browser, **options: object) -> Page:
        return self._logged_in(phone(browser, **options).new_page(), "organiser", "/organiser")

    def _logged_in(self, page: Page, name: str, path: str) -> Page:
        page.goto(f"{self.address}{path}")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(self.passwords[name])
        page.get_by_role("button", name="Log in").click()
        return page


@contextlib.contextmanager
def fastapi_site(folder: Path, titles: list[str], n_voters: int) -> Iterator[FastAPISite]:
    """The first recipe as its text says it is run, on two workers."""
    recipe = RECIPES / "fastapi_page.py"
    (folder / "titles.txt").write_text("\n".join(titles), encoding="utf-8")
    command = [sys.executable, recipe, "titles.txt", str(n_voters)]
    subprocess.run(command, cwd=folder, env=environment(), check=True)
    port = free_port()
    server = ["-m", "uvicorn", "fastapi_page:app", "--app-dir", RECIPES, "--workers", 2, "--port", port]
    with serving(server, folder, "Application startup complete", 2, ORGANISER=SECRET) as started:
        yield FastAPISite(started, f"http://127.0.0.1:{port}", folder, titles)


@contextlib.contextmanager
def django_site(folder: Path, titles: list[str], n_voters: int) -> Iterator[DjangoSite]:
    """The second recipe as its text says it is run."""
    (folder / "titles.txt").write_text("\n".join(titles), encoding="utf-8")
    port = free_port()
    names = [f"voter{number}" for number in range(n_voters)]
    command = [RECIPES / "django_demo.py", "titles.txt", *names]
    with serving(command, folder, "Quit the server", 1, ADDRESS=f"127.0.0.1:{port}") as started:
        yield DjangoSite(started, f"http://127.0.0.1:{port}", folder, titles)


SITES = {"fastapi": fastapi_site, "django": django_site}
