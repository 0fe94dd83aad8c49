"""What a poll costs that runs for real: the groups of the part ``poll``, and what they need.

- `files`: where the files are, and figures that several cases share
- `caller`: one caller; `load`: threads and processes at once; `life`: polls of many answers; `copies`: copies of them
- `beside`: one caller of another checkout
- `made`: logs of many answers, written event by event; `servers`: PostgreSQL and MariaDB
"""
