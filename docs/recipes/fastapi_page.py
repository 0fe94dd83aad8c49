"""A voting page on several worker processes and one file.

Begin the poll once, with a title on each line of titles.txt, and give every voter a ticket of tickets.txt:

    python fastapi_page.py titles.txt
    uvicorn fastapi_page:app --workers 4

Each voter votes at /vote/<ticket>; /results has the ranking.
"""

import os
import sys
from functools import cache
from html import escape
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse

import pairvote as pv

POLL = os.environ.get("POLL", "poll.db")
TICKETS = os.environ.get("TICKETS", "tickets.txt")
app = FastAPI()


@cache
def poll() -> pv.Poll:
    """The poll, opened once in every worker."""
    return pv.Poll.open(POLL)


@cache
def tickets() -> frozenset[str]:
    """Who may vote."""
    return frozenset(Path(TICKETS).read_text(encoding="utf-8").split())


def check(ticket: str) -> None:
    """Let nobody in without a ticket."""
    if ticket not in tickets():
        raise HTTPException(404, "There is no such ticket.")


@app.get("/vote/{ticket}", response_class=HTMLResponse)
def page(ticket: str) -> str:
    """The voter's question, with a button for each answer."""
    check(ticket)
    question = poll().ask(ticket)
    if question is None:
        return "<p>Thank you, you have used all your votes.</p>"
    names = {"left": question.left, "right": question.right, "tie": "Both alike", "skip": "Skip"}
    buttons = "".join(
        f'<button formaction="/vote/{ticket}/{question.id}/{outcome}">{escape(str(name))}</button>'
        for outcome, name in names.items()
    )
    return f'<p>Vote {question.number}: which is better?</p><form method="post">{buttons}</form>'


@app.post("/vote/{ticket}/{question}/{outcome}")
def answer(ticket: str, question: int, outcome: str) -> RedirectResponse:
    """Take an answer, and go on. A double click sends the same answer twice, which is one vote."""
    check(ticket)
    try:
        poll().answer(ticket, question, outcome)
    except pv.InputError as error:
        raise HTTPException(422, str(error)) from None
    except pv.StateError:
        # It was answered otherwise in another tab, or has expired: the page shows what is asked now.
        pass
    except pv.StorageError as error:
        raise HTTPException(503, str(error)) from None
    return RedirectResponse(f"/vote/{ticket}", status_code=303)


@app.get("/results")
def results() -> list[dict[str, float | str]]:
    """The ranking so far, best first; the counts are kept current, so this reads no vote again."""
    ranking = pv.bradley_terry(poll().counts())
    scores = ranking.to_dict()
    return [{"item": str(item), "score": round(scores[item], 3)} for item in ranking.order()]


if __name__ == "__main__":
    titles = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    pv.Poll(titles, votes_each=20, expire_after=3600, store=POLL).close()
