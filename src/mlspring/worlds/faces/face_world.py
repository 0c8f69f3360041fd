"""Drawn faces of every colour and mood: the world of homework 6.

public/   faces.npy              uint8 (N, 64, 64, 3)
private/  factors.npy            float32 (N, num_factors), the truth of each face
          factors.json           name, meaning and range or choices of each column
          held_out.npy           uint8 (M, 64, 64, 3), more faces of the same law: what generated
                                 ones are compared with
          held_out_factors.npy   float32 (M, num_factors)

Factors are independent, so a judge may count any cells of a table of choices as modes.
"""

from functools import partial
from pathlib import Path

import numpy as np

from mlspring.worlds.faces.drawing import draw
from mlspring.worlds.faces.factors import FACTORS, WIDE, sample_face, to_row
from mlspring.worlds.faces.files import save_factor_names, save_pictures
from mlspring.worlds.faces.pen import SIDE
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, join, save_array

NUM_FACES, NUM_HELD_OUT = 20_000, 2_000
NUM_SHARDS = 200
SPLITS = ("faces", "held_out")


def face_world(
    *,
    seed: int = 0,
    num_shards: int = NUM_SHARDS,
    num_faces: int = NUM_FACES,
    num_held_out: int = NUM_HELD_OUT,
) -> World:
    """Return the world of drawn faces.

    Args:
        seed: fixes every face.
        num_shards: pieces that the work is cut into; the bytes do not depend on it.
        num_faces: to learn from.
        num_held_out: that the judge keeps.
    """
    counts = (num_faces, num_held_out)
    size = "" if counts == (NUM_FACES, NUM_HELD_OUT) else f"-{num_faces}-{num_held_out}"
    return World(
        name=f"faces{size}",
        title="drawn faces",
        description=f"{num_faces:,} drawn faces, {SIDE} x {SIDE} RGB, of {len(FACTORS)} "
        f"independent factors; {num_held_out:,} more are kept for judging",
        version=1,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, counts=counts),
        write=_write,
    )


def tiny_face_world(*, seed: int = 0) -> World:
    """Return 64 faces and 16 held out: made in a second."""
    return face_world(seed=seed, num_shards=4, num_faces=64, num_held_out=16)


def _make(seed: int, shard: int, *, num_shards: int, counts: tuple[int, int]) -> Shard:
    """Return one shard's part of both splits: pictures and factors. Every face has its own seed."""
    made: Shard = {}
    for number, (split, count) in enumerate(zip(SPLITS, counts, strict=True)):
        mine = np.array_split(np.arange(count), num_shards)[shard].tolist()
        pictures = np.empty((len(mine), SIDE, SIDE, 3), np.uint8)
        rows = np.empty((len(mine), len(FACTORS)), np.float32)
        for i, index in enumerate(mine):
            # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
            rng = np.random.default_rng([seed, number + 1, index + 1])
            face = sample_face(rng, WIDE)
            rows[i] = to_row(face)
            pictures[i] = draw(face, int(rng.integers(2**32)))
        made |= {split: pictures, f"{split}_factors": rows}
    return made


def _write(shards: list[Shard], public: Path, private: Path) -> None:
    """Write the faces for training; the truth and the held-out ones for the judge."""
    save_pictures(public / "faces.npy", shards, "faces")
    save_pictures(private / "held_out.npy", shards, "held_out")
    save_array(private / "factors.npy", join(shards, "faces_factors"))
    save_array(private / "held_out_factors.npy", join(shards, "held_out_factors"))
    save_factor_names(private / "factors.json")
