"""Plain re-statements of how the course's notebooks train: what ours is measured against.

Each takes the four levels of its homework. Network, rates, augmentation and number of updates are
the recipe's, so that both ways learn alike; the way is the notebook's: a data set that opens one
file an item, a default loader in the main process, fp32, one task or environment after another.
"""
