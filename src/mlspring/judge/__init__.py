"""Submissions, rules, ranking and points; knows scores, not models.

service.py     what the command line and a class server call: submit, finals, retry, open
boards.py      a page of a board; standings.py its order in SQL, ranking.py the baselines between
store.py       every transaction; queries.py what they ask, tables.py and database.py the file
salvage.py     a damaged board: what is wrong, and what can be saved
uploads.py     a learner's file, checked and copied into the store, and the lock it is held by
worker.py      one file judged by the island's own scorer, in a child process where asked
rules.py       quota, day, finals; points.py what levels earn; names.py which names may be used
receipt.py     what a learner is told; records.py the records between all these
"""
