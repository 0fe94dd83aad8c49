"""Runs django_page.py by itself, to look at: a project of your own has all that is here.

    python django_demo.py titles.txt anna bo cecil

makes site.db with the titles, a user for each name and an organiser, says their passwords, and shows the pages at
http://127.0.0.1:8000. Without arguments it goes on with what is there; DATABASE and ADDRESS name others.
"""

import os
import secrets
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("DATABASE", "site.db"),
            "OPTIONS": {
                # Who writes waits for others from the beginning of a transaction: SQLite cannot wait later.
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                # Who reads waits for nobody, and a commit costs one sync.
                "init_command": "PRAGMA journal_mode = WAL",
            },
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django_page.InWords",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [Path(__file__).with_name("templates")],
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    ROOT_URLCONF="django_page",
    CSRF_FAILURE_VIEW="django_page.refused",
    LOGIN_URL="/login",
    LOGIN_REDIRECT_URL="/vote",
    SECRET_KEY=os.environ.get("SECRET_KEY", "for a look at the pages only"),
    ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

import django_page  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402


def begin(titles: list[str], names: list[str]) -> None:
    """Make the tables, the ideas, the users and the poll."""
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(django_page.Idea)
    for title in titles:
        django_page.Idea.objects.create(title=title, approved=True)
    for name in [*names, "organiser"]:
        password = secrets.token_urlsafe(6)
        User.objects.create_user(name, password=password, is_staff=name == "organiser")
        print(f"{name} {password}", flush=True)
    django_page.begin()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        begin(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines(), sys.argv[2:])
    call_command("runserver", os.environ.get("ADDRESS", "127.0.0.1:8000"), use_reloader=False)
