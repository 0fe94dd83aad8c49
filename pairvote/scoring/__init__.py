"""Votes in, a ranking out."""

from pairvote._common.lazy import attach

# The public names stand in __init__.pyi, and are imported when they are first used.
__getattr__, __dir__, __all__ = attach(__name__, __file__)
