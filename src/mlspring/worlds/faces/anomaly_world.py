"""Faces some of which have something wrong: the world of homework 8, in the course's files.

public/   trainingset.npy    uint8 (N, 64, 64, 3), normal faces
          testingset.npy     uint8 (M, 64, 64, 3), half of them normal; an ID is a row
private/  answers.csv        ID,Anomaly,Usage; 1 is an anomaly
          kinds.json         what is wrong with each row of the test, or "normal"
          test_factors.npy   float32 (M, num_factors), of the faces before anything went wrong
          factors.json       name, meaning and range or choices of each column
"""

from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_json, write_text
from mlspring.worlds.faces.anomalies import KINDS, NARROW, draw_anomaly
from mlspring.worlds.faces.drawing import draw
from mlspring.worlds.faces.factors import FACTORS, sample_face, to_row
from mlspring.worlds.faces.files import save_factor_names, save_pictures
from mlspring.worlds.faces.pen import SIDE
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, join, save_array

NUM_TRAIN, NUM_TEST = 10_000, 2_000
NUM_SHARDS = 100
NORMAL = "normal"


def anomaly_world(
    *,
    seed: int = 0,
    num_shards: int = NUM_SHARDS,
    num_train: int = NUM_TRAIN,
    num_test: int = NUM_TEST,
) -> World:
    """Return the world of normal faces and of anomalies among them.

    Args:
        seed: fixes every face.
        num_shards: pieces that the work is cut into; the bytes do not depend on it.
        num_train: normal faces to learn from.
        num_test: half are normal, the others of all kinds as evenly as may be.
    """
    size = "" if (num_train, num_test) == (NUM_TRAIN, NUM_TEST) else f"-{num_train}-{num_test}"
    return World(
        name=f"anomalies{size}",
        title="faces and anomalies",
        description=f"{num_train:,} normal drawn faces and {num_test:,} to be told apart, half of "
        f"them with one of {len(KINDS)} things wrong, {SIDE} x {SIDE} RGB",
        version=1,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, num_train=num_train, num_test=num_test),
        write=partial(_write, seed=seed, num_test=num_test),
    )


def tiny_anomaly_world(*, seed: int = 0) -> World:
    """Return 36 training faces and two test faces of each kind: made in a second."""
    return anomaly_world(seed=seed, num_shards=4, num_train=36, num_test=4 * len(KINDS))


@cache
def kinds_of_test(seed: int, num_test: int) -> tuple[str, ...]:
    """Return what is wrong with each test face, or "normal": shuffled."""
    num_wrong = num_test // 2
    wrong = [KINDS[i % len(KINDS)] for i in range(num_wrong)]
    kinds = [*wrong, *[NORMAL] * (num_test - num_wrong)]
    order = np.random.default_rng([seed, 3]).permutation(num_test)
    return tuple(kinds[i] for i in order.tolist())


def _make(seed: int, shard: int, *, num_shards: int, num_train: int, num_test: int) -> Shard:
    """Return one shard's part of both sets. Every face has its own seed."""
    kinds = {"train": (NORMAL,) * num_train, "test": kinds_of_test(seed, num_test)}
    made: Shard = {}
    for number, (split, wrong) in enumerate(kinds.items()):
        mine = np.array_split(np.arange(len(wrong)), num_shards)[shard].tolist()
        pictures = np.empty((len(mine), SIDE, SIDE, 3), np.uint8)
        rows = np.empty((len(mine), len(FACTORS)), np.float32)
        for i, index in enumerate(mine):
            # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
            rng = np.random.default_rng([seed, number + 1, index + 1])
            face = sample_face(rng, NARROW)
            rows[i] = to_row(face)
            texture, kind = int(rng.integers(2**32)), wrong[index]
            normal = kind == NORMAL
            pictures[i] = draw(face, texture) if normal else draw_anomaly(face, texture, kind)
        made |= {split: pictures, f"{split}_factors": rows}
    return made


def _write(shards: list[Shard], public: Path, private: Path, *, seed: int, num_test: int) -> None:
    """Write both sets, the answers for the judge and what is wrong for an analysis."""
    kinds = kinds_of_test(seed, num_test)
    save_pictures(public / "trainingset.npy", shards, "train")
    save_pictures(public / "testingset.npy", shards, "test")
    rows = zip(kinds, _usage(kinds, seed), strict=True)
    table = [f"{row},{int(kind != NORMAL)},{usage}\n" for row, (kind, usage) in enumerate(rows)]
    write_text(private / "answers.csv", "ID,Anomaly,Usage\n" + "".join(table))
    write_json(private / "kinds.json", list(kinds))
    save_array(private / "test_factors.npy", join(shards, "test_factors"))
    save_factor_names(private / "factors.json")


def _usage(kinds: tuple[str, ...], seed: int) -> list[str]:
    """Return Public for half of each kind and Private for the other half.

    The odd face of a kind goes to either side in turn, so that the halves stay even.
    """
    numbers: NDArray[np.int64] = np.unique(np.array(kinds), return_inverse=True)[1]
    rng = np.random.default_rng([seed, 9])
    order = np.lexsort((rng.random(len(kinds)), numbers))  # by kind, shuffled within
    usage = np.empty(len(kinds), object)
    usage[order[0::2]], usage[order[1::2]] = "Public", "Private"
    return [str(part) for part in usage]
