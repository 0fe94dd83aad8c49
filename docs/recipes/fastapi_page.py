"""Pages to vote on, for several worker processes on one machine, or for several servers and PostgreSQL.

Begin the poll once, with a title on each line of titles.txt. That also writes tickets.txt, here for 30 voters:

    python fastapi_page.py titles.txt 30
    ORGANISER="a long secret" uvicorn fastapi_page:app --workers 4

Each voter votes at /vote/<ticket>, everybody may look at /results, who knows the secret organises at /organiser.
Several servers need the same ORGANISER and TICKETS, and POLL=postgresql+psycopg://user:password@host/database.

The titles are the items' labels: there is no other table, and `rename_item` mends a title.
"""

import logging
import os
import secrets
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from fastapi.templating import Jinja2Templates
from live_numbers import TOP, LiveNumbers, figures
from starlette.exceptions import HTTPException as AnyHTTPException

import pairvote as pv

POLL = os.environ.get("POLL", "poll.db")
TICKETS = os.environ.get("TICKETS", "tickets.txt")
ORGANISER = os.environ.get("ORGANISER", "")
HEADERS = {
    # The back button then shows the question that is asked now.
    "Cache-Control": "no-store",
    # The address is the ticket: it goes to no other site.
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'",
}
templates = Jinja2Templates(Path(__file__).with_name("templates"))
live = LiveNumbers()


def store() -> str | pv.poll.EventStore:
    """Where the poll is kept: the path of a file, or a table of a database that several servers share."""
    return pv.poll.SQLStore(POLL, name="vote") if "://" in POLL else POLL


@cache
def poll() -> pv.Poll:
    """The poll, opened once in every worker."""
    return pv.Poll.open(store())


@cache
def tickets() -> frozenset[str]:
    """Who may vote."""
    return frozenset(Path(TICKETS).read_text(encoding="utf-8").split())


def show(request: Request, page: str, status: int = 200, headers: dict[str, str] | None = None, **values: object):
    """A page of the folder `templates`, which escapes what it is given."""
    return templates.TemplateResponse(request, page, values, status, {**HEADERS, **(headers or {})})


# --- who may do what ---


def from_our_pages(request: Request) -> None:
    """Refuse what another site's page sends. All browsers say where a form came from by one of these two headers."""
    if request.method in ("GET", "HEAD"):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = (
        site in ("same-origin", "none")
        if site
        else origin is None or urlsplit(origin).netloc == request.headers.get("host")
    )
    if not ours:
        raise HTTPException(403, "This was sent from another site. Please use the page itself.")


def known(ticket: str) -> str:
    """The ticket, if there is such a one."""
    if ticket not in tickets():
        raise HTTPException(404, "There is no such ticket. Please check the address that you were given.")
    return ticket


def organiser(given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> None:
    """Let in whoever knows the secret, under any name."""
    if not ORGANISER or not secrets.compare_digest(given.password.encode(), ORGANISER.encode()):
        raise HTTPException(401, "That is not the organiser's password.", {"WWW-Authenticate": "Basic"})


Voter = Annotated[str, Depends(known)]
app = FastAPI(dependencies=[Depends(from_our_pages)], docs_url=None, redoc_url=None, openapi_url=None)

# --- the voter's pages: `def` and not `async def`, so that each request waits for the disk in a thread of its own ---


@app.get("/vote/{ticket}")
def page(request: Request, ticket: Voter, note: str = "") -> Response:
    """The voter's question, or what there is to say instead."""
    try:
        question = poll().ask(ticket)
    except pv.StateError:
        # She was removed, or there are fewer than two items.
        return show(request, "closed.html", 403, few=len(poll().items) - len(poll().retired) < 2)
    answers = poll().history(ticket)
    values: dict[str, object] = {"here": f"/vote/{ticket}", "note": note, "votes_each": poll().settings.votes_each}
    if answers:
        values |= {"last": answers[-1], "last_left": answers[-1].left, "last_right": answers[-1].right}
    if question is None:
        n_done = sum(answer.outcome != "skip" for answer in answers)
        return show(request, "done.html", ended=poll().ended, n_done=n_done, **values)
    values |= {"left": question.left, "right": question.right, "skips": poll().skips_remaining(ticket)}
    return show(request, "vote.html", question=question, n_done=question.number - 1, **values)


@app.post("/vote/{ticket}")
def answer(ticket: Voter, question: Annotated[int, Form()], outcome: Annotated[str, Form()]) -> Response:
    """Take an answer, and go on. A double click sends the same answer twice, which is one vote."""
    note = ""
    try:
        poll().answer(ticket, question, outcome)
    except (pv.InputError, pv.StateError):
        # Another tab was quicker, the question has expired, its item was retired or the vote has ended.
        note = "?note=again"
    return RedirectResponse(f"/vote/{ticket}{note}", 303)


@app.post("/vote/{ticket}/undo")
def undo(ticket: Voter, question: Annotated[int, Form()]) -> Response:
    """Take one answer back, however often this comes."""
    note = ""
    try:
        poll().undo(ticket, question=question)
    except (pv.InputError, pv.StateError):
        note = "?note=undo"
    return RedirectResponse(f"/vote/{ticket}{note}", 303)


# --- what came of it ---


@app.get("/results")
def results(request: Request) -> Response:
    """The ranking, which thousands may look at: one computation in two seconds at most, in each worker."""
    return show(request, "results.html", headers={"Cache-Control": "max-age=2"}, **standing(max_age=2))


def standing(max_age: float = 0.0) -> dict[str, object]:
    """How the vote stands, as the pages show it."""
    kept = live.now(poll(), max_age=max_age)
    return {"rows": [vars(row) | {"title": row.item} for row in kept.rows], "ended": kept.ended, "top": TOP}


@app.get("/organiser", dependencies=[Depends(organiser)])
def overview(request: Request) -> Response:
    """All that the organiser looks at."""
    retired = set(poll().retired)
    items = [
        {"id": item, "title": item, "state": "retired", "action": "restore", "button": "Ask about it again"}
        if item in retired
        else {"id": item, "title": item, "state": "", "action": "retire", "button": "Ask about it no more"}
        for item in poll().items
    ]
    # A ticket is a secret: who looks over the organiser's shoulder sees its beginning.
    voters = [vars(voter) | {"id": voter.voter, "name": f"{voter.voter[:6]}…"} for voter in poll().voters()]
    values = {"here": "/organiser", "items": items, "voters": voters}
    return show(request, "organiser.html", **values, **standing(), **figures(poll(), len(tickets())))


@app.post("/organiser/{action}", dependencies=[Depends(organiser)])
def organise(
    request: Request,
    action: str,
    item: Annotated[str, Form()] = "",
    title: Annotated[str, Form(max_length=300)] = "",
    voter: Annotated[str, Form()] = "",
) -> Response:
    """Do one thing, and show the page again. A second click on any of them changes nothing."""
    title = " ".join(title.split())
    if action in ("add", "rename") and (not title or "\0" in title):
        raise HTTPException(422, "Please write a title.")
    actions: dict[str, Callable[[], object]] = {
        "add": lambda: poll().add_item(title),
        "rename": lambda: poll().rename_item(item, title),
        "retire": lambda: poll().retire_item(item),
        "restore": lambda: poll().restore_item(item),
        "remove": lambda: poll().remove_voter(voter),
        "end": lambda: poll().end(),
        "reopen": lambda: poll().reopen(),
    }
    if action not in actions:
        raise HTTPException(404, "There is no such page.")
    try:
        actions[action]()
    except (pv.InputError, pv.StateError) as error:
        return show(request, "message.html", 409, title="That cannot be", text=f"{error}.", back="/organiser")
    return RedirectResponse("/organiser", 303)


# --- what can go wrong, in words ---


@app.exception_handler(pv.StorageError)
def not_stored(request: Request, error: pv.StorageError) -> Response:
    """The disk is full, or the database is away: nothing was lost, and the same may be sent again."""
    # Not the address, which is a ticket.
    logging.getLogger("uvicorn.error").error("%s: %s", request.method, error)
    text = "That could not be done just now. Please try again in a moment: nothing that was stored is lost."
    back = request.url.path.removesuffix("/undo")
    headers = {"Retry-After": "5"}
    return show(request, "message.html", 503, headers, title="Please try again", text=text, back=back)


@app.exception_handler(AnyHTTPException)
def refused(request: Request, error: AnyHTTPException) -> Response:
    """No such page or ticket, or not allowed."""
    return show(
        request, "message.html", error.status_code, dict(error.headers or {}), title="Sorry", text=str(error.detail)
    )


@app.exception_handler(RequestValidationError)
def incomplete(request: Request, _: RequestValidationError) -> Response:
    """A form that no page of ours has."""
    return show(request, "message.html", 422, title="Sorry", text="Something is missing. Please use the page itself.")


if __name__ == "__main__":
    titles = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    pv.Poll(titles, votes_each=20, skips_each=10, expire_after=3600, store=store()).close()
    if len(sys.argv) > 2:
        lines = [secrets.token_urlsafe(12) for _ in range(int(sys.argv[2]))]
        Path(TICKETS).write_text("\n".join(lines) + "\n", encoding="utf-8")
