"""The file formats of votes, a module each, and the modules that read them bit by bit.

`read` gives the wanted columns and what tells where a row stands; `write` is its inverse. `scan` gives the same rows in
batches, and `check` looks whether a file has the columns.
"""
