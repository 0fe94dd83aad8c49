"""The pictures of `pairvote.plotting`, a kind a module."""
