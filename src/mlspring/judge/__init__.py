"""Submissions, rules, ranking and points; knows scores, not models.

service.py     what the command line and the class server call: submit, board, finals, retry
store.py       every query; tables.py and database.py the SQLite file, migrations/ its history
intake.py      a learner's file, checked and copied into the store
worker.py      one file judged by the island's own scorer, in a child process where asked
rules.py       quota, day, finals; points.py what levels earn; ranking.py the order of a board
show.py        a board for the terminal and as plain rows; receipt.py what a learner is told
entry.py       the records between all these
"""
