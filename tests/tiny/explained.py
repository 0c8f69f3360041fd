"""What homework 9 needs of the tiny Food-11 folder: a small network and few explanations."""

# A few steps of a small network, and the smallest of every method: what a test may spend.
SMALL = (
    "data.image_size=32",
    "network.file=",
    "network.keep=false",
    "network.blocks=[1, 1]",
    "network.channels=[4, 8]",
    "network.hidden=16",
    "explain.pictures=1",
    "explain.curve_steps=4",
    "lime.num_segments=9",
    "lime.num_samples=40",
    "smoothgrad.num_samples=2",
    "integrated.steps=4",
    "filters.layers=[1, 5]",
    "filters.filters=[0, 1]",
    "filters.steps=3",
    "text.model=",
    "text.texts=10",
    "text.layers=2",
    "text.width=8",
    "text.heads=2",
    "text.batch_size=4",
    "text.alone=4",
    "text.steps=12",
    "train.batch_size=16",
    "train.steps=24",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)

# The world's network and maps, all but a little of the work.
SPARED = (
    *("train.steps=20", "train.validate_every=20", "explain.pictures=1"),
    *("text.steps=10", "text.alone=4", "text.texts=10"),
)
