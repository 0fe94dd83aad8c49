"""The recipes of docs/recipes under load: FastAPI on four worker processes, Django in threads, their live numbers."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from pages import RECIPES, SECRET, environment, free_port, serving

import pairvote as pv

pytestmark = pytest.mark.slow

TITLES = [f"proposal {number} <&>" for number in range(23)]
VOTES_EACH = 20
N_CLIENTS = 8
QUESTION = re.compile(r'name="question" value="(\d+)">\s*<div class="pair">')


def together(clients: Iterable[Callable[[], None]]) -> None:
    """Run all clients, so many at a time; the first failure is raised."""
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        for done in [pool.submit(client) for client in clients]:
            done.result()


def check_votes(poll: pv.Poll, n_voters: int) -> None:
    """Every voter has cast exactly her votes, and items were shown as often as each other."""
    poll.verify()
    votes = poll.votes()
    answered = votes.where(votes.outcome != pv.Outcome.SKIP)
    assert np.bincount(answered.voter).tolist() == [VOTES_EACH] * n_voters
    assert 0 < len(votes) - len(answered) <= 10 * n_voters
    shown = np.bincount(np.concatenate([votes.left, votes.right]), minlength=len(TITLES))
    assert np.ptp(shown) <= 2


# --- FastAPI ---


@pytest.mark.skipif(sys.platform == "win32", reason="the test ends the workers as a POSIX session")
def test_fastapi_on_four_workers(tmp_path) -> None:
    tickets = [f"ticket{number}" for number in range(16)]
    (tmp_path / "tickets.txt").write_text("\n".join(tickets), encoding="utf-8")
    with vote_on_fastapi(tmp_path, tickets, {}, n_servers=1, n_workers=4):
        pass
    with pv.Poll.open(tmp_path / "poll.db") as poll:
        check_votes(poll, len(tickets))
        assert sorted(poll.votes().voters) == sorted(tickets)


@pytest.mark.servers
def test_fastapi_on_two_servers_and_postgresql(tmp_path) -> None:
    import httpx
    import psycopg
    from servers import postgresql

    database = postgresql()
    with psycopg.connect(database.url().replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE pages")
    options = {"POLL": database.url("pages")}
    tickets = [f"ticket{number}" for number in range(12)]
    (tmp_path / "tickets.txt").write_text("\n".join(tickets), encoding="utf-8")
    with vote_on_fastapi(tmp_path, tickets, options, n_servers=2, n_workers=2) as addresses:
        with pv.Poll.open(pv.poll.SQLStore(options["POLL"], name="vote")) as poll:
            check_votes(poll, len(tickets))
        # While the database is away both ask for patience, and then they go on.
        with ExitStack() as clients:
            both = [clients.enter_context(httpx.Client(base_url=address, trust_env=False)) for address in addresses]
            database.stop()
            try:
                for client in both:
                    for path in (f"/vote/{tickets[0]}", "/organiser"):
                        away = client.get(path, timeout=120, auth=("organiser", SECRET))
                        assert (away.status_code, "Please try again" in away.text) == (503, True)
                    data = {"question": "2", "outcome": "left"}
                    assert client.post(f"/vote/{tickets[0]}", data=data, timeout=120).status_code == 503
            finally:
                database.start()
            for client in both:
                assert "Thank you" in client.get(f"/vote/{tickets[0]}", timeout=120).text


@contextmanager
def vote_on_fastapi(
    folder, tickets: list[str], options: dict[str, str], *, n_servers: int, n_workers: int
) -> Iterator[list[str]]:
    """Begin the poll, run so many servers of it, let every voter vote in two windows, each at another server."""
    import httpx

    (folder / "titles.txt").write_text("\n".join(TITLES), encoding="utf-8")
    command = [sys.executable, RECIPES / "fastapi_page.py", "titles.txt"]
    subprocess.run(command, cwd=folder, env=environment(**options), check=True)
    with ExitStack() as servers:
        addresses, lines = [], []
        for _ in range(n_servers):
            port = free_port()
            command = ["-m", "uvicorn", "fastapi_page:app", "--no-access-log", "--app-dir", RECIPES, "--port", port]
            command += ["--workers", n_workers]
            ready, n_ready = "Application startup complete", n_workers
            lines.append(
                servers.enter_context(serving(command, folder, ready, n_ready, ORGANISER=SECRET, **options)).lines
            )
            addresses.append(f"http://127.0.0.1:{port}")

        def vote(ticket: str, window: int) -> None:
            rng = random.Random(f"{ticket} {window}")
            address = addresses[window % n_servers]
            # A connection of its own for every request, so that all workers get some.
            with httpx.Client(
                base_url=address, timeout=120, trust_env=False, headers={"Connection": "close"}
            ) as client:
                for step in range(3 * VOTES_EACH):
                    page = client.get(f"/vote/{ticket}")
                    assert page.status_code == 200
                    if "Thank you" in page.text:
                        return
                    assert "&lt;&amp;&gt;" in page.text
                    question = QUESTION.search(page.text)[1]
                    outcome = rng.choice(["left", "right", "tie", "skip"]) if step < 9 else "tie"
                    for _ in range(rng.choice([1, 1, 2])):
                        data = {"question": question, "outcome": outcome}
                        assert client.post(f"/vote/{ticket}", data=data).status_code == 303
                raise AssertionError(f"{ticket} is asked without end")

        together([lambda ticket=ticket, window=window: vote(ticket, window) for ticket in tickets for window in (1, 2)])
        with httpx.Client(base_url=addresses[0], timeout=120, trust_env=False) as client:
            check_refusals(client, tickets[0])
            check_organiser(client, len(tickets))
        assert all(sum("Started server process" in line for line in said) == n_workers for said in lines)
        yield addresses
        assert not [line for said in lines for line in said if "Traceback" in line]


def check_refusals(client, ticket: str) -> None:
    """Whatever is wrong is said in words, on a page, and changes nothing."""
    after = "/vote/" + ticket
    for status, path, data in [
        (404, "/vote/nobody", None),
        (404, "/nowhere", None),
        (404, "/vote/nobody", {"question": "2", "outcome": "left"}),
        (303, after, {"question": "999999", "outcome": "left"}),
        (303, after, {"question": str(10**30), "outcome": "left"}),
        (303, after, {"question": "2", "outcome": "lef"}),
        (303, f"{after}/undo", {"question": "999999"}),
        (422, after, {"question": "2"}),
        (422, after, {"question": "two", "outcome": "left"}),
        (422, f"{after}/undo", {}),
        (401, "/organiser", None),
        (401, "/organiser/end", {}),
    ]:
        answer = client.get(path) if data is None else client.post(path, data=data)
        assert answer.status_code == status, (path, data, answer.text)
        assert status == 303 or "<h1>Sorry</h1>" in answer.text
        assert status != 401 or answer.headers["www-authenticate"] == "Basic"
    for headers in ({"Origin": "http://elsewhere.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(after, data={"question": "2", "outcome": "left"}, headers=headers).status_code == 403


def check_organiser(client, n_voters: int) -> None:
    """The organiser's page needs the secret, and everybody sees the ranking."""
    for wrong in ("", SECRET + "!", SECRET[:-1]):
        assert client.get("/organiser", auth=("organiser", wrong)).status_code == 401
    page = client.get("/organiser", auth=("organiser", SECRET))
    assert page.headers["cache-control"] == "no-store"
    assert f"<b>{n_voters * VOTES_EACH}</b> of {n_voters * VOTES_EACH} votes" in page.text
    assert f"<b>{n_voters}</b> have finished" in page.text
    results = client.get("/results")
    assert results.status_code == 200
    assert results.text.count('<span class="rank">') == len(TITLES)
    for action, form, status in [
        ("add", {}, 422),
        ("add", {"title": " \t"}, 422),
        ("add", {"title": "x\0"}, 422),
        ("add", {"title": "x" * 301}, 422),
        ("retire", {"item": "no such item"}, 409),
        ("rename", {"item": TITLES[0], "title": TITLES[1]}, 409),
        ("remove", {}, 409),
        ("begin", {}, 404),
    ]:
        answer = client.post(f"/organiser/{action}", data=form, auth=("organiser", SECRET))
        assert answer.status_code == status, (action, form, answer.text)


# --- Django ---


@pytest.fixture
def django_page(tmp_path, monkeypatch):
    """The recipe as a module, with a database of its own."""
    monkeypatch.syspath_prepend(RECIPES)
    monkeypatch.setenv("DATABASE", str(tmp_path / "site.db"))
    import django_demo
    from django.db import connections

    django_demo.begin(TITLES, [f"voter {number}" for number in range(6)])
    import django_page

    yield django_page
    connections.close_all()


def test_django_in_threads(django_page) -> None:
    from django.contrib.auth.models import User
    from django.db import connections, transaction
    from django.test import Client

    users = list(User.objects.filter(is_staff=False))
    skipped: Counter[int] = Counter()

    def vote(user: User, window: int) -> None:
        rng = random.Random(f"{user.pk} {window}")
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        for _ in range(3 * VOTES_EACH):
            page = client.get("/vote").content.decode()
            if "Thank you" in page:
                break
            assert "&lt;&amp;&gt;" in page
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
            outcome = rng.choice(["left", "right", "tie", "skip"]) if skipped[user.pk] < 3 else "left"
            skipped[user.pk] += outcome == "skip"
            data = {"question": QUESTION.search(page)[1], "outcome": outcome, "csrfmiddlewaretoken": token}
            for _ in range(2):
                assert client.post("/vote", data).status_code == 302
            assert client.post("/vote", data | {"csrfmiddlewaretoken": ""}).status_code == 403
        else:
            raise AssertionError("asked without end")
        connections.close_all()

    together([lambda user=user, window=window: vote(user, window) for user in users for window in (1, 2)])
    check_votes(django_page.poll(), len(users))
    assert sorted(django_page.poll().votes().voters) == [user.pk for user in users]

    client = Client()
    assert client.get("/").url == "/vote"
    assert client.get("/vote").status_code == 302
    assert client.get("/results").status_code == 200
    client.force_login(users[0])
    for status, path, data in [
        (302, "/vote", {"question": "999999", "outcome": "left"}),
        (302, "/vote", {"question": str(10**30), "outcome": "left"}),
        (302, "/vote", {"question": "2", "outcome": "lef"}),
        (404, "/vote", {"outcome": "left"}),
        (404, "/vote/undo", {}),
        (302, "/vote/undo", {"question": "999999"}),
        (404, "/suggest", {"title": " "}),
        (404, "/suggest", {"title": "x" * 301}),
        (404, "/suggest", {"title": "x\0"}),
        (302, "/organiser/end", {}),
    ]:
        assert client.post(path, data).status_code == status, (path, data)
    assert not django_page.poll().ended

    # A voter's idea is asked about once it is approved, however often either is clicked.
    for _ in range(2):
        assert client.post("/suggest", {"title": "a late idea"}).url == "/vote?note=idea"
    idea = django_page.Idea.objects.get(title="a late idea")
    assert (idea.approved, idea.pk in django_page.poll().items) == (False, False)
    with transaction.atomic():
        django_page.approve(idea)
        transaction.set_rollback(True)
    idea.refresh_from_db()
    assert (idea.approved, idea.pk in django_page.poll().items) == (False, False)
    client.force_login(User.objects.get(is_staff=True))
    for _ in range(2):
        assert client.post("/organiser/approve", {"item": idea.pk}).url == "/organiser"
    idea.refresh_from_db()
    assert (idea.approved, idea.pk in django_page.poll().items) == (True, True)
    assert len(django_page.poll().items) == len(TITLES) + 1
    for status, action, data in [
        (409, "retire", {"item": "999999"}),
        (404, "approve", {"item": "999999"}),
        (404, "approve", {"item": str(10**30)}),
        (404, "retire", {"item": "one"}),
        (404, "add", {}),
        (409, "rename", {"item": idea.pk, "title": TITLES[0]}),
        (404, "begin", {}),
    ]:
        assert client.post(f"/organiser/{action}", data).status_code == status, (action, data)
    assert "a late idea" in client.get("/organiser").content.decode()


# --- live numbers ---


@pytest.fixture
def live_numbers(monkeypatch):
    """The module, which counts how often it computes."""
    monkeypatch.syspath_prepend(RECIPES)
    import live_numbers

    computed = []
    ranked = live_numbers.ranked

    def counting(poll: pv.Poll) -> list[live_numbers.Row]:
        computed.append(poll.n_events)
        return ranked(poll)

    monkeypatch.setattr(live_numbers, "ranked", counting)
    live_numbers.computed = computed
    return live_numbers


def test_thousands_of_readers_cost_one_computation(live_numbers) -> None:
    poll = pv.Poll(["ash", "birch", "cedar"], rng=1)
    live = live_numbers.LiveNumbers()
    for n_votes in range(3):
        together([lambda: [live.now(poll) for _ in range(250)]] * N_CLIENTS)
        assert len(live_numbers.computed) == n_votes + 1
        poll.answer("anna", poll.ask("anna").id, "left")
    assert live.now(poll) is live.now(poll)


def test_rows_are_as_old_as_they_may_be_and_no_older(live_numbers, monkeypatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(live_numbers.time, "monotonic", lambda: now[0])
    poll = pv.Poll(["ash", "birch", "cedar"], rng=1)
    live = live_numbers.LiveNumbers()
    first = live.now(poll, max_age=2)
    poll.answer("anna", poll.ask("anna").id, "left")
    now[0] += 1.5
    assert live.now(poll, max_age=2) is first
    assert live.now(poll, max_age=1) is not first
    now[0] += 1.5
    poll.ask("bo")
    second = live.now(poll, max_age=2)
    now[0] += 3
    assert live.now(poll, max_age=2) is not second


def test_rows_are_the_ranking_of_what_is_asked_about(live_numbers) -> None:
    poll = pv.Poll(["ash", "birch", "cedar", "dogwood", "elm", "fir", "hazel"], votes_each=30, rng=1)
    for voter in range(4):
        while question := poll.ask(voter):
            poll.answer(voter, question.id, "left" if question.left < question.right else "right")
    poll.add_item("gorse")
    poll.retire_item("birch")
    rows = live_numbers.LiveNumbers().now(poll).rows
    assert [row.item for row in rows if row.votes] == ["ash", "cedar", "dogwood", "elm", "fir", "hazel"]
    assert [row.rank for row in rows] == list(range(1, 8))
    assert {row.item: row.votes for row in rows}["gorse"] == 0
    assert rows[0].chance == "over 99 %"
    assert rows[-1].chance == "under 1 %"
    for row in rows:
        assert 0 <= row.low <= row.score <= row.low + row.width <= 101
    assert min(row.low for row in rows) == 0
    assert max(row.low + row.width for row in rows) in (99, 100, 101)
    for item in ("ash", "cedar", "dogwood", "elm", "fir", "hazel"):
        poll.retire_item(item)
    assert live_numbers.LiveNumbers().now(poll).rows == []
