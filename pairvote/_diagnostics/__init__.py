"""The parts of `pairvote.diagnostics`, a topic a module."""
