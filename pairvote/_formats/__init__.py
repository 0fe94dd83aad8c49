"""The file formats of votes, a module each.

`read` gives the wanted columns and what tells where a row stands; `write` is its inverse.
"""
