"""Votes in, a ranking out."""
