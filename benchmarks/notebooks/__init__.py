"""Plain re-statements of how the course's notebooks train: what ours is measured against.

Same network, same data, same optimizer and batch as ours; the notebook's ways kept: a data set
that opens one file an item, a default loader in the main process, fp32, nothing else.
"""
