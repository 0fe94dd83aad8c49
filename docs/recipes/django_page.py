"""Pages to vote on in a Django project: the poll is kept in the project's own database, beside its own tables.

In a project of your own the parts go to models.py, views.py, middleware.py and urls.py; the last lines of this text say
what goes to settings.py. django_demo.py runs them as they are.

The items' labels are the primary keys of `Idea`, so titles may change at any time, and other tables may refer to ideas.

MIDDLEWARE = [..., "django.middleware.csrf.CsrfViewMiddleware", ..., "voting.middleware.InWords"]
CSRF_FAILURE_VIEW = "voting.views.refused"
LOGIN_URL, LOGIN_REDIRECT_URL = "/login", "/vote"
"""

import logging
from collections.abc import Callable
from functools import cache

from django.contrib.auth.decorators import login_required, user_passes_test
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import RedirectView
from live_numbers import TOP, LiveNumbers, figures
from sqlalchemy import URL

import pairvote as pv

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
live = LiveNumbers()

# --- models.py ---


class Idea(models.Model):
    """What is voted on, as soon as it is approved."""

    title = models.CharField(max_length=300, unique=True)
    approved = models.BooleanField(default=False)

    class Meta:
        app_label = "voting"


def store() -> pv.poll.EventStore:
    """The poll's own table, in the database that Django uses."""
    given = connection.settings_dict
    url = URL.create(
        DRIVERS[connection.vendor],
        given["USER"] or None,
        given["PASSWORD"] or None,
        given["HOST"] or None,
        int(given["PORT"]) if given["PORT"] else None,
        str(given["NAME"]),
    )
    return pv.poll.SQLStore(url, name="ideas")


def begin(votes_each: int = 20) -> None:
    """Begin the poll, once, with the ideas that are approved: in a data migration, or a command of manage.py."""
    approved = Idea.objects.filter(approved=True).values_list("pk", flat=True)
    pv.Poll(approved, votes_each=votes_each, skips_each=10, expire_after=3600, store=store()).close()


@cache
def poll() -> pv.Poll:
    """The poll, opened once in every process."""
    return pv.Poll.open(store())


# --- views.py: the voter's pages ---


@login_required
@cache_control(no_store=True)
def vote(request: HttpRequest) -> HttpResponse:
    """The voter's question, or what there is to say instead; or take an answer, and go on."""
    voter = request.user.pk
    if request.method == "POST":
        try:
            poll().answer(voter, number(request, "question"), request.POST.get("outcome", ""))
        except (pv.InputError, pv.StateError):
            # Another tab was quicker, the question has expired, its idea was retired or the vote has ended.
            return redirect("/vote?note=again")
        return redirect("/vote")
    try:
        question = poll().ask(voter)
    except pv.StateError:
        # She was removed, or there are fewer than two ideas.
        return render(request, "closed.html", {"few": len(poll().items) - len(poll().retired) < 2}, status=403)
    answers = poll().history(voter)
    last = answers[-1] if answers else None
    titles = Idea.objects.in_bulk([shown for pair in (question, last) if pair for shown in (pair.left, pair.right)])
    values = {
        "here": "/vote",
        "suggest": "/suggest",
        "token": get_token(request),
        "note": request.GET.get("note"),
        "votes_each": poll().settings.votes_each,
        "n_done": sum(answer.outcome != "skip" for answer in answers),
    }
    if last:
        values |= {"last": last, "last_left": titles[last.left].title, "last_right": titles[last.right].title}
    if question is None:
        return render(request, "done.html", values | {"ended": poll().ended})
    values |= {"left": titles[question.left].title, "right": titles[question.right].title}
    return render(request, "vote.html", values | {"question": question, "skips": poll().skips_remaining(voter)})


@login_required
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take one answer back, however often this comes."""
    try:
        poll().undo(request.user.pk, question=number(request, "question"))
    except (pv.InputError, pv.StateError):
        return redirect("/vote?note=undo")
    return redirect("/vote")


@login_required
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """Take a voter's idea; a second click on the button is the same idea."""
    Idea.objects.get_or_create(title=title_in(request))
    return redirect("/vote?note=idea")


def number(request: HttpRequest, name: str) -> int:
    """A whole number in a form, and no page where there is none."""
    try:
        return int(request.POST.get(name, ""))
    except ValueError:
        raise Http404("Something is missing. Please use the page itself.") from None


def title_in(request: HttpRequest) -> str:
    """A title in a form, and no page where there is none."""
    title = " ".join(request.POST.get("title", "").split())
    if not 0 < len(title) <= 300 or "\0" in title:
        raise Http404("Please write a title.")
    return title


# --- views.py: what came of it ---


def standing(max_age: float = 0.0) -> dict[str, object]:
    """How the vote stands, with the titles of now."""
    kept = live.now(poll(), max_age=max_age)
    titles = dict(Idea.objects.values_list("pk", "title"))
    rows = [vars(row) | {"title": titles[row.item]} for row in kept.rows]
    return {"rows": rows, "ended": kept.ended, "top": TOP}


@require_GET
@cache_control(max_age=2)
def results(request: HttpRequest) -> HttpResponse:
    """The ranking, which thousands may look at: one computation in two seconds at most, in each process."""
    return render(request, "results.html", standing(max_age=2))


organisers_only = user_passes_test(lambda user: user.is_staff)
RETIRE = {"state": "", "action": "retire", "button": "Ask about it no more"}
RESTORE = {"state": "retired", "action": "restore", "button": "Ask about it again"}
APPROVE = {"state": "suggested", "action": "approve", "button": "Let it be voted on"}


@organisers_only
@require_GET
@cache_control(no_store=True)
def overview(request: HttpRequest) -> HttpResponse:
    """All that the organiser looks at."""
    retired = set(poll().retired)
    names = dict(User.objects.filter(is_active=True).values_list("pk", "username"))
    items = [
        {"id": idea.pk, "title": idea.title}
        | (APPROVE if not idea.approved else RESTORE if idea.pk in retired else RETIRE)
        for idea in Idea.objects.order_by("approved", "pk")
    ]
    voters = [
        vars(voter) | {"id": voter.voter, "name": names.get(voter.voter, "somebody")} for voter in poll().voters()
    ]
    values = {"here": "/organiser", "token": get_token(request), "items": items, "voters": voters}
    return render(request, "organiser.html", values | standing() | figures(poll(), len(names)))


@organisers_only
@require_POST
def organise(request: HttpRequest, action: str) -> HttpResponse:
    """Do one thing, and show the page again. A second click on any of them changes nothing."""
    actions: dict[str, Callable[[], object]] = {
        "add": lambda: approve(Idea.objects.get_or_create(title=title_in(request))[0]),
        "approve": lambda: approve(get_object_or_404(Idea, pk=number(request, "item"))),
        "rename": lambda: Idea.objects.filter(pk=number(request, "item")).update(title=title_in(request)),
        "retire": lambda: poll().retire_item(number(request, "item")),
        "restore": lambda: poll().restore_item(number(request, "item")),
        "remove": lambda: poll().remove_voter(number(request, "voter")),
        "end": lambda: poll().end(),
        "reopen": lambda: poll().reopen(),
    }
    if action not in actions:
        raise Http404("There is no such page.")
    try:
        actions[action]()
    except (pv.InputError, pv.StateError, IntegrityError) as error:
        text = "There is another idea of that title." if isinstance(error, IntegrityError) else f"{error}."
        values = {"title": "That cannot be", "text": text, "back": "/organiser"}
        return render(request, "message.html", values, status=409)
    return redirect("/organiser")


def approve(idea: Idea) -> None:
    """Let an idea be voted on: its row and the poll change together, or neither does."""
    with transaction.atomic(), poll().within(connection):
        idea.approved = True
        idea.save()
        poll().add_item(idea.pk)


# --- views.py: what can go wrong, in words; 404.html is the page where there is none ---


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that Django's protection against forged requests did not let through."""
    text = "This was sent from another site, or by a page that is too old. Please load the page again and use that."
    return render(request, "message.html", {"title": "Sorry", "text": text, "back": "/vote"}, status=403)


# --- middleware.py ---


class InWords:
    """Middleware: a database that is away or full is no page of errors but a request to try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say it in words, where this is what went wrong: what was stored is there, and the same may be sent again."""
        if not isinstance(error, pv.StorageError | OperationalError):
            return None
        logging.getLogger(__name__).error("%s %s: %s", request.method, request.path, error)
        text = "That could not be done just now. Please try again in a moment: nothing that was stored is lost."
        values = {"title": "Please try again", "text": text, "back": request.path.removesuffix("/undo")}
        return render(request, "message.html", values, status=503)


# --- urls.py ---

urlpatterns = [
    path("", RedirectView.as_view(url="/vote")),
    path("login", LoginView.as_view(template_name="login.html")),
    path("vote", vote),
    path("vote/undo", undo),
    path("suggest", suggest),
    path("results", results),
    path("organiser", overview),
    path("organiser/<str:action>", organise),
]
