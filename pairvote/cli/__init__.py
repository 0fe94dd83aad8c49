"""The command ``pairvote``."""

from pairvote.cli._main import main

__all__ = ["main"]
