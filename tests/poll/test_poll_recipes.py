"""The recipes of docs/recipes, run as they are: FastAPI on four worker processes, Django on its own tables."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import pairvote as pv

pytestmark = pytest.mark.slow

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
TITLES = [f"proposal {number} <&>" for number in range(23)]
VOTES_EACH = 20
N_CLIENTS = 8
BUTTON = re.compile(r'formaction="(/[^"]*)/left"')


def together(clients: Iterable[Callable[[], None]]) -> None:
    """Run all clients, so many at a time; the first failure is raised."""
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        for done in [pool.submit(client) for client in clients]:
            done.result()


# --- FastAPI ---


@contextlib.contextmanager
def serving(folder: Path, environment: dict[str, str]):
    """Uvicorn with four workers; the address, and the workers' process ids."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as found:
        port = found.getsockname()[1]
    arguments = ["--app-dir", str(RECIPES), "--workers", "4", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "fastapi_page:app", "--no-access-log", *arguments],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lines: list[str] = []

    def read() -> None:
        lines.extend(server.stderr)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        waited = 0
        while sum("Application startup complete" in line for line in lines) < 4:
            assert server.poll() is None, "".join(lines)
            assert waited < 1200, "".join(lines)
            time.sleep(0.1)
            waited += 1
        yield f"http://127.0.0.1:{port}", lines
    finally:
        # The session holds the server and its workers, and nothing else.
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        reader.join()
        server.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the test ends the workers as a POSIX session")
def test_a_voting_page_with_fastapi_on_four_workers(tmp_path) -> None:
    import httpx

    tickets = [f"ticket{number}" for number in range(16)]
    (tmp_path / "titles.txt").write_text("\n".join(TITLES), encoding="utf-8")
    (tmp_path / "tickets.txt").write_text("\n".join(tickets), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(RECIPES.parents[1])}
    subprocess.run(
        [sys.executable, RECIPES / "fastapi_page.py", "titles.txt"], cwd=tmp_path, env=environment, check=True
    )
    with serving(tmp_path, environment) as (address, lines):

        def vote(ticket: str, window: int) -> None:
            rng = random.Random(f"{ticket} {window}")
            # A connection of its own for every request, so that all workers get some.
            with httpx.Client(base_url=address, timeout=60, trust_env=False, headers={"Connection": "close"}) as client:
                for step in range(3 * VOTES_EACH):
                    shown = client.get(f"/vote/{ticket}").text
                    if "Thank you" in shown:
                        return
                    assert "&lt;&amp;&gt;" in shown
                    question = BUTTON.search(shown)[1]
                    outcome = rng.choice(["left", "right", "tie", "skip"]) if step < 9 else "tie"
                    for _ in range(rng.choice([1, 1, 2])):
                        assert client.post(f"{question}/{outcome}").status_code == 303
                    assert client.post(f"{question}/lef").status_code == 422
                raise AssertionError(f"{ticket} is asked without end")

        # Every voter in two windows at once.
        together([lambda ticket=ticket, window=window: vote(ticket, window) for ticket in tickets for window in (1, 2)])
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            assert client.get("/vote/nobody").status_code == 404
            assert client.post(f"/vote/{tickets[0]}/999999/left").status_code == 422
            ranking = client.get("/results").json()
        workers = {line for line in lines if "Started server process" in line}
        assert len(workers) == 4

    with pv.Poll.open(tmp_path / "poll.db") as poll:
        poll.verify()
        votes = poll.votes()
        answered = votes.where(votes.outcome != pv.Outcome.SKIP)
        assert sorted(votes.voters) == sorted(tickets)
        assert np.bincount(answered.voter).tolist() == [VOTES_EACH] * len(tickets)
        assert 0 < len(votes) - len(answered) <= 18 * len(tickets)
        with poll._log.reading() as state:
            assert np.ptp(state.stream.shown) <= 2
        assert [row["item"] for row in ranking] == pv.bradley_terry(poll.counts()).order()


# --- Django ---


@pytest.fixture
def django_page(tmp_path, monkeypatch):
    """The recipe as a module, with its tables in a file."""
    import django
    from django.conf import settings

    monkeypatch.syspath_prepend(RECIPES)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": tmp_path / "site.db",
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 60},
            }
        },
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        ROOT_URLCONF="django_page",
        SECRET_KEY="for this test only",
        ALLOWED_HOSTS=["testserver"],
        USE_TZ=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )
    django.setup()
    import django_page
    from django.core.management import call_command
    from django.db import connection, connections

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for model in (django_page.Round, django_page.Item, django_page.Question):
            editor.create_model(model)
    yield django_page
    connections.close_all()


def test_a_voting_page_with_djangos_own_tables(django_page) -> None:
    from django.contrib.auth.models import User
    from django.db import IntegrityError, connections
    from django.test import Client

    django_page.Round.objects.create(votes_each=VOTES_EACH, seed=2014)
    for title in TITLES:
        django_page.Item.objects.create(title=title)
    users = [User.objects.create_user(f"voter {number}") for number in range(6)]
    skipped: Counter[int] = Counter()

    def vote(user) -> None:
        rng = random.Random(user.pk)
        client = Client()
        client.force_login(user)
        for _ in range(2 * VOTES_EACH):
            shown = client.get("/").content.decode()
            if "Thank you" in shown:
                break
            assert shown == client.get("/").content.decode()
            assert "&lt;&amp;&gt;" in shown
            question = BUTTON.search(shown)[1]
            outcome = rng.choice(["left", "right", "tie", "skip"]) if skipped[user.pk] < 3 else "left"
            skipped[user.pk] += outcome == "skip"
            for _ in range(2):
                assert client.post(f"{question}/{outcome}").status_code == 302
            # Another answer to it changes nothing.
            client.post(f"{question}/right")
        else:
            raise AssertionError("asked without end")
        connections.close_all()

    together([lambda user=user: vote(user) for user in users])

    votes = django_page.votes()
    answered = votes.where(votes.outcome != pv.Outcome.SKIP)
    assert votes.items == tuple(TITLES)
    assert np.bincount(answered.voter).tolist() == [VOTES_EACH] * len(users)
    assert len(votes) - len(answered) == skipped.total() > 0
    folded, _ = django_page.stream(django_page.Round.objects.get())
    assert np.ptp(folded.shown) <= 2
    assert int(folded.shown.sum()) == 2 * len(votes)
    client = Client()
    assert client.get("/results").json()["ranking"] == pv.bradley_terry(votes).order()
    assert client.get("/").status_code == 302
    client.force_login(users[0])
    assert client.post("/answer/999999/left").status_code == 404
    other = django_page.Question.objects.exclude(voter=users[0].pk).first()
    assert client.post(f"/answer/{other.pk}/left").status_code == 404
    assert client.post(f"/answer/{other.pk}/lef").status_code == 404
    # The tables themselves hold that a voter has one open question.
    first, second = django_page.Item.objects.all()[:2]
    django_page.Question.objects.create(voter=7, left=first, right=second)
    with pytest.raises(IntegrityError):
        django_page.Question.objects.create(voter=7, left=second, right=first)
    # A retired item is asked about no more.
    first.retired = True
    first.save()
    for voter in range(100, 110):
        question = django_page.ask(voter)
        assert first.pk not in (question.left_id, question.right_id)
