"""A voting page with Django's own tables: the models are the record, and PairStream folds them.

In a project of your own the parts go to models.py, views.py and urls.py.
"""

from django.contrib.auth.decorators import login_required
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST

import pairvote as pv

# --- models.py ---


class Round(models.Model):
    """A vote: how many votes each voter has, and the seed from which all questions follow."""

    votes_each = models.PositiveIntegerField(default=20)
    seed = models.BigIntegerField()

    class Meta:
        app_label = "voting"


class Item(models.Model):
    """What is voted on."""

    title = models.TextField()
    retired = models.BooleanField(default=False)

    class Meta:
        app_label = "voting"


class Question(models.Model):
    """Who was asked about which two, and the answer: "left", "right", "tie" or "skip", nothing while it is open."""

    voter = models.BigIntegerField(db_index=True)
    left = models.ForeignKey(Item, models.PROTECT, related_name="+")
    right = models.ForeignKey(Item, models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=5, blank=True)
    answered = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "voting"
        constraints = (
            models.UniqueConstraint(fields=["voter"], condition=models.Q(outcome=""), name="one_open_question_each"),
        )


# --- voting ---


def stream(vote: Round) -> tuple[pv.sampling.PairStream, list[Item]]:
    """What was asked so far, folded; the items in the order of their codes."""
    items = list(Item.objects.order_by("pk"))
    codes = {item.pk: code for code, item in enumerate(items)}
    folded = pv.sampling.Balanced().start(len(items), votes_each=vote.votes_each, rng=vote.seed)
    for voter, left, right, outcome in Question.objects.order_by("pk").values_list(
        "voter", "left_id", "right_id", "outcome"
    ):
        folded.reserve(voter, codes[left], codes[right])
        if outcome:
            folded.record(voter, codes[left], codes[right], outcome)
    for item in items:
        if item.retired:
            folded.retire(codes[item.pk])
    return folded, items


@transaction.atomic
def ask(voter: int) -> Question | None:
    """The voter's open question, or a new one; None when her votes are spent."""
    # The lock on this row lets one request at a time choose a pair.
    vote = Round.objects.select_for_update().get()
    asked = Question.objects.filter(voter=voter)
    found = asked.filter(outcome="").first()
    if found is not None or asked.exclude(outcome="skip").count() >= vote.votes_each:
        return found
    folded, items = stream(vote)
    left, right = folded.propose(voter)
    return Question.objects.create(voter=voter, left=items[left], right=items[right])


def votes() -> pv.Votes:
    """All answers, for any scorer."""
    answered = Question.objects.exclude(outcome="").order_by("answered", "pk")
    rows = answered.values_list("left__title", "right__title", "outcome", "voter")
    return pv.Votes.from_records(list(rows), items=list(Item.objects.order_by("pk").values_list("title", flat=True)))


# --- views.py ---


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The voter's question, with a button for each answer."""
    question = ask(request.user.pk)
    if question is None:
        return HttpResponse("<p>Thank you, you have used all your votes.</p>")
    names = {"left": question.left.title, "right": question.right.title, "tie": "Both alike", "skip": "Skip"}
    buttons = format_html_join(
        "", '<button formaction="/answer/{}/{}">{}</button>', ((question.pk, key, names[key]) for key in names)
    )
    # With CSRF protection on, put {% csrf_token %} into a template of this form.
    return HttpResponse(format_html('<form method="post">{}</form>', buttons))


@login_required
@require_POST
def answer(request: HttpRequest, question: int, outcome: str) -> HttpResponse:
    """Take an answer, and go on. Only an open question changes, so a double click is one vote."""
    if outcome not in ("left", "right", "tie", "skip"):
        raise Http404
    mine = Question.objects.filter(pk=question, voter=request.user.pk)
    if not mine.exists():
        raise Http404
    with transaction.atomic():
        for found in mine.select_for_update().filter(outcome=""):
            found.outcome = outcome
            found.save()
    return redirect("/")


def results(request: HttpRequest) -> JsonResponse:
    """The ranking so far, best first."""
    ranking = pv.bradley_terry(votes())
    return JsonResponse({"ranking": ranking.order()})


# --- urls.py ---

urlpatterns = [
    path("", page),
    path("answer/<int:question>/<str:outcome>", answer),
    path("results", results),
]
