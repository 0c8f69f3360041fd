"""Painted food: the world of the food homework, with the course's classes and proportions.

public/   train_images.npy, valid_images.npy, test_images.npy   uint8 (N, 64, 64, 3)
          train_labels.npy, valid_labels.npy                    int64 (N,)
private/  answers.csv                                           Id,Category,Usage
"""

from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_text
from mlspring.worlds.food_photo import photo
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, join, save_array

CLASS_NAMES: tuple[str, ...] = (
    "bread",
    "dairy product",
    "dessert",
    "egg",
    "fried food",
    "meat",
    "noodles/pasta",
    "rice",
    "seafood",
    "soup",
    "vegetable/fruit",
)
# Images a class in the course's data (training, validation) and in the public Food-11 (testing).
OFFICIAL_COUNTS: dict[str, tuple[int, ...]] = {
    "train": (994, 429, 1500, 986, 848, 1325, 440, 280, 855, 1500, 709),
    "valid": (362, 144, 500, 327, 326, 449, 147, 96, 347, 500, 232),
    "test": (368, 148, 500, 335, 287, 432, 147, 96, 303, 500, 231),
}
IMAGE_SIZE = 64


def food_world(*, seed: int = 0, num_shards: int = 128, scale: float = 0.35) -> World:
    """Return the world of painted food.

    Args:
        seed: fixes every picture.
        num_shards: pieces that the work is cut into; the bytes do not depend on it.
        scale: images for each image of the course's data set; 0.35 gives 5,825.
    """
    totals = [len(labels) for labels in _plan(seed, scale).values()]
    size = "" if scale == 0.35 else f"-x{scale:g}"
    return World(
        name=f"food{size}",
        title="painted food",
        description=f"{totals[0]:,} training, {totals[1]:,} validation and {totals[2]:,} test "
        f"pictures of food in {len(CLASS_NAMES)} classes, {IMAGE_SIZE} x {IMAGE_SIZE} RGB",
        version=5,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, scale=scale),
        write=partial(_write, seed=seed, scale=scale),
    )


def tiny_food_world(*, seed: int = 0) -> World:
    """Return a hundredth of the course's numbers, 2 images a class at least: made in a second."""
    return food_world(seed=seed, num_shards=4, scale=0.01)


@cache
def _plan(seed: int, scale: float) -> dict[str, NDArray[np.int64]]:
    """Return the labels of each split in file order: classes in proportion, then shuffled."""
    plan = {}
    for number, (split, official) in enumerate(OFFICIAL_COUNTS.items()):
        counts = [max(2, round(count * scale)) for count in official]
        labels = np.repeat(np.arange(len(CLASS_NAMES)), counts)
        plan[split] = np.random.default_rng([seed, number + 1]).permutation(labels)
    return plan


def _make(seed: int, shard: int, *, num_shards: int, scale: float) -> Shard:
    """Return one shard's pictures: images (n, 64, 64, 3). Every picture has its own seed."""
    numbered = [
        (number, index, label)
        for number, labels in enumerate(_plan(seed, scale).values())
        for index, label in enumerate(labels.tolist())
    ]
    mine = np.array_split(np.array(numbered), num_shards)[shard].tolist()
    images = np.empty((len(mine), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    for image, (number, index, label) in zip(images, mine, strict=True):
        image[:] = photo(_painter(seed, number, index), label, IMAGE_SIZE)
    return {"images": images}


def _painter(seed: int, number: int, index: int) -> np.random.Generator:
    """Return what decides picture ``index`` of the split ``number``."""
    # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
    return np.random.default_rng([seed, number + 1, index + 1])


def painter(
    split: str, index: int, *, seed: int = 0, scale: float = 0.35
) -> tuple[np.random.Generator, int]:
    """Return the generator that paints a picture of the world, and the picture's class.

    ``photo(*painter("valid", 5))`` is picture 5 of ``valid_images.npy``, byte for byte.
    """
    plan = _plan(seed, scale)
    rng = _painter(seed, [*plan].index(split), index)
    return rng, int(plan[split][index])


def _write(shards: list[Shard], public: Path, private: Path, *, seed: int, scale: float) -> None:
    """Write the splits for training and the answers for the judge."""
    plan = _plan(seed, scale)
    ends = np.cumsum([len(labels) for labels in plan.values()])[:-1]
    for split, images in zip(plan, np.split(join(shards, "images"), ends), strict=True):
        save_array(public / f"{split}_images.npy", images)
        if split != "test":
            save_array(public / f"{split}_labels.npy", plan[split].astype(np.int64))
    rows = zip(plan["test"].tolist(), _usage(plan["test"], seed), strict=True)
    table = [f"{row:04d},{label},{usage}\n" for row, (label, usage) in enumerate(rows, start=1)]
    write_text(private / "answers.csv", "Id,Category,Usage\n" + "".join(table))


def _usage(labels: NDArray[np.int64], seed: int) -> list[str]:
    """Return Public for half of each class and Private for the other half.

    The odd image of a class goes to either side in turn, so that the halves stay even.
    """
    rng = np.random.default_rng([seed, 9])
    order = np.lexsort((rng.random(len(labels)), labels))  # by class, shuffled within
    usage = np.empty(len(labels), object)
    usage[order[0::2]], usage[order[1::2]] = "Public", "Private"
    return [str(part) for part in usage]
