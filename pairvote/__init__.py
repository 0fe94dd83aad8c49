"""Run and score votes in which people pick one of two."""

from pairvote._common.lazy import attach

__version__ = "0.1.0"
# The public names stand in __init__.pyi, and are imported when they are first used.
__getattr__, __dir__, _names = attach(__name__, __file__)
__all__ = ["__version__", *_names]  # noqa: PLE0604
