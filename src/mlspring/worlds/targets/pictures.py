"""Pictures to attack and pictures to learn from: the world of the adversarial attack homework.

public/   benign_images.npy   uint8 (200, 32, 32, 3), twenty of each class, class by class
          train_images.npy    uint8 (N, 32, 32, 3), to train classifiers on; likewise valid
          train_labels.npy    int64 (N,); likewise valid
private/  answers.csv         Id,Category,Usage: which half of a class counts on which board

The classes of the benign pictures are no secret: their names tell them, ``apple/apple1.png``.
"""

from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_text
from mlspring.worlds.shards import Shard
from mlspring.worlds.targets.photo import CLASS_NAMES, SIDE, photo
from mlspring.worlds.world import World, join, save_array

PARTS = ("benign", "train", "valid")
COUNTS = (20, 800, 100)  # pictures a class, by part


def targets_world(
    *, seed: int = 0, num_shards: int = 64, counts: tuple[int, int, int] = COUNTS
) -> World:
    """Return the world of small pictures; every part has equally many of each class.

    Args:
        seed: fixes every picture.
        num_shards: pieces that the work is cut into; the bytes do not depend on it.
        counts: pictures a class: benign, to train on, held out.
    """
    benign, train, valid = (count * len(CLASS_NAMES) for count in counts)
    size = "" if counts == COUNTS else f"-{'-'.join(map(str, counts))}"
    return World(
        name=f"targets{size}",
        title="pictures to attack",
        description=f"{benign:,} benign pictures to attack, {train:,} to train classifiers on and "
        f"{valid:,} held out, of {len(CLASS_NAMES)} objects, {SIDE} x {SIDE} RGB, balanced",
        version=1,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, counts=counts),
        write=partial(_write, seed=seed, counts=counts),
    )


def tiny_targets_world(*, seed: int = 0) -> World:
    """Return two benign pictures a class, six to train on, two held out: made in a second."""
    return targets_world(seed=seed, num_shards=4, counts=(2, 6, 2))


def benign_ids(num_a_class: int) -> list[str]:
    """Return the names of the benign pictures in file order: ``apple/apple1.png`` and so on."""
    return [f"{name}/{name}{n + 1}.png" for name in CLASS_NAMES for n in range(num_a_class)]


@cache
def _plan(seed: int, counts: tuple[int, int, int]) -> dict[str, NDArray[np.int64]]:
    """Return the labels of each part in file order; what is learnt from is shuffled."""
    plan = {}
    for number, (part, count) in enumerate(zip(PARTS, counts, strict=True)):
        labels = np.repeat(np.arange(len(CLASS_NAMES)), count)
        plan[part] = (
            labels if number == 0 else np.random.default_rng([seed, number]).permutation(labels)
        )
    return plan


def _make(seed: int, shard: int, *, num_shards: int, counts: tuple[int, int, int]) -> Shard:
    """Return one shard's pictures by part, (n, 32, 32, 3). Every picture has its own seed."""
    made = {}
    for number, (part, labels) in enumerate(_plan(seed, counts).items()):
        mine = np.array_split(np.arange(len(labels)), num_shards)[shard].tolist()
        images = np.empty((len(mine), SIDE, SIDE, 3), np.uint8)
        for image, index in zip(images, mine, strict=True):
            # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
            image[:] = photo(np.random.default_rng([seed, number + 3, index + 1]), labels[index])
        made[part] = images
    return made


def _write(
    shards: list[Shard], public: Path, private: Path, *, seed: int, counts: tuple[int, int, int]
) -> None:
    """Write the parts for everybody and the halves of the board for the judge."""
    plan = _plan(seed, counts)
    for part, labels in plan.items():
        save_array(public / f"{part}_images.npy", join(shards, part))
        if part != "benign":
            save_array(public / f"{part}_labels.npy", labels.astype(np.int64))
    labels = plan["benign"]
    rng = np.random.default_rng([seed, 9])
    order = np.lexsort((rng.random(len(labels)), labels))  # by class, shuffled within
    usage = np.empty(len(labels), object)
    usage[order[0::2]], usage[order[1::2]] = "Public", "Private"
    rows = zip(benign_ids(counts[0]), labels.tolist(), usage.tolist(), strict=True)
    table = [f"{name},{label},{half}\n" for name, label, half in rows]
    write_text(private / "answers.csv", "Id,Category,Usage\n" + "".join(table))
