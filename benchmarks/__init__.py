"""What pairvote costs in time and memory, beside its peers, on the same seeded votes in one run.

``python -m benchmarks`` runs all parts, ``python -m benchmarks elo`` one; ``--list`` names them.

- `cases`: the seeded votes, and the words: a Case is one thing timed, a Group one table of cases that take turns
- `goals`: what a case is to reach
- `measure`: seconds, turn by turn; `memory`: peak memory, in a process of its own
- `peers`: the other libraries, each on its own best input; `reference`: the right answers, worked out slowly
- `truth`, `published`, `honesty`, `stopping`: simulations of how right the answers are, where nothing is timed
- `machine`, `report`: where it ran, the table and the JSON
- `parts`: one module each, holding ``GROUPS``: functions from a size to a Group
"""
