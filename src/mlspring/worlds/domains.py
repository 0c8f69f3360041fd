"""Photos to drawings: the world of the domain adaptation homework, with the course's ten objects.

public/   source_images.npy   uint8 (N, 32, 32, 3), colour photos, often before their class's ground
          source_labels.npy   int64 (N,)
          target_images.npy   uint8 (M, 28, 28), drawings on paper, white on black; no labels
private/  answers.csv         id,label,Usage
"""

from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_text
from mlspring.worlds.domains_doodle import doodle
from mlspring.worlds.domains_photo import photo
from mlspring.worlds.objects import CLASS_NAMES
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, join, save_array

DOMAINS = ("source", "target")


def domains_world(
    *, seed: int = 0, num_shards: int = 64, photos: int = 400, doodles: int = 600
) -> World:
    """Return the world of photos and doodles; both domains have equally many of each class.

    Args:
        seed: fixes every picture.
        num_shards: pieces that the work is cut into; the bytes do not depend on it.
        photos: labelled photos a class.
        doodles: unlabelled drawings a class.
    """
    size = "" if (photos, doodles) == (400, 600) else f"-{photos}-{doodles}"
    num_photos, num_doodles = photos * len(CLASS_NAMES), doodles * len(CLASS_NAMES)
    return World(
        name=f"domains{size}",
        title="photos to drawings",
        description=f"{num_photos:,} labelled colour photos (32 x 32) and {num_doodles:,} "
        f"unlabelled drawings (28 x 28) of the same {len(CLASS_NAMES)} objects, balanced",
        version=2,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, photos=photos, doodles=doodles),
        write=partial(_write, seed=seed, photos=photos, doodles=doodles),
    )


def tiny_domains_world(*, seed: int = 0) -> World:
    """Return six photos and eight doodles a class: made in a second."""
    return domains_world(seed=seed, num_shards=4, photos=6, doodles=8)


@cache
def _plan(seed: int, photos: int, doodles: int) -> dict[str, NDArray[np.int64]]:
    """Return the labels of both domains in file order: balanced, shuffled."""
    plan = {}
    for number, (domain, count) in enumerate(zip(DOMAINS, (photos, doodles), strict=True)):
        labels = np.repeat(np.arange(len(CLASS_NAMES)), count)
        plan[domain] = np.random.default_rng([seed, number + 1]).permutation(labels)
    return plan


def _make(seed: int, shard: int, *, num_shards: int, photos: int, doodles: int) -> Shard:
    """Return one shard's photos (n, 32, 32, 3) and doodles (m, 28, 28), each of its own seed."""
    made = {}
    plan = _plan(seed, photos, doodles)
    for number, (domain, draw) in enumerate(zip(DOMAINS, (photo, doodle), strict=True)):
        mine = np.array_split(np.arange(len(plan[domain])), num_shards)[shard]
        # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
        made[domain] = np.stack(
            [
                draw(np.random.default_rng([seed, number + 3, index + 1]), plan[domain][index])
                for index in mine.tolist()
            ]
        )
    return made


def _write(
    shards: list[Shard], public: Path, private: Path, *, seed: int, photos: int, doodles: int
) -> None:
    """Write both domains for training and the drawings' classes for the judge."""
    plan = _plan(seed, photos, doodles)
    for domain in DOMAINS:
        save_array(public / f"{domain}_images.npy", join(shards, domain))
    save_array(public / "source_labels.npy", plan["source"].astype(np.int64))
    rows = zip(plan["target"].tolist(), _usage(plan["target"], seed), strict=True)
    table = [f"{row},{label},{usage}\n" for row, (label, usage) in enumerate(rows)]
    write_text(private / "answers.csv", "id,label,Usage\n" + "".join(table))


def _usage(labels: NDArray[np.int64], seed: int) -> list[str]:
    """Return Public for half of each class and Private for the other half."""
    rng = np.random.default_rng([seed, 9])
    order = np.lexsort((rng.random(len(labels)), labels))  # by class, shuffled within
    usage = np.empty(len(labels), object)
    usage[order[0::2]], usage[order[1::2]] = "Public", "Private"
    return [str(part) for part in usage]
