"""The share of pictures in which OpenCV's cascade for anime faces finds one: AFD's light stand-in.

    python -m benchmarks.cascade_hw06 CASCADE.xml [submission.tgz | faces.npy | DIR] ...

Without pictures: the world's held-out faces, and the same ones broken in ten ways, whose shares
are false alarms. The cascade is not part of this package; it is nagadomi's
``lbpcascade_animeface.xml``. scikit-image reads it, as OpenCV 5 has none.
"""

import argparse
from pathlib import Path

import numpy as np
from skimage.feature import Cascade

from benchmarks.features_hw06 import break_all
from mlspring.core.images import decode_image
from mlspring.core.source import Source
from mlspring.homeworks.hw06_gan import data, submission
from mlspring.homeworks.hw06_gan.features import Pixels
from mlspring.worlds.faces.face_world import face_world
from mlspring.worlds.world import build

MOST = 300  # pictures of each kind: a cascade takes some 10 ms for each
SMALLEST, ENLARGED = 24, 2  # pixels of a face that counts; pictures are made so many times as large


def main() -> None:
    """Print a share for each kind of pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cascade", type=Path)
    parser.add_argument("pictures", nargs="*", type=Path)
    given = parser.parse_args()
    cascade = Cascade(str(given.cascade))
    kinds = {str(path): load(path) for path in given.pictures} or of_the_world()
    for name, pictures in kinds.items():
        found = [has_face(cascade, picture) for picture in pictures[:MOST]]
        print(f"{name}: {np.mean(found):.3f} of {len(found)}", flush=True)


def has_face(cascade: Cascade, picture: Pixels) -> bool:
    """Return whether the cascade finds a face in a picture (64, 64, 3)."""
    large = np.kron(picture, np.ones((ENLARGED, ENLARGED, 1), np.uint8))
    side = ENLARGED * SMALLEST
    found = cascade.detect_multi_scale(
        large, scale_factor=1.1, step_ratio=1.0, min_size=(side, side), max_size=large.shape[:2]
    )
    return bool(found)


def load(path: Path) -> Pixels:
    """Return the pictures of a submission, an .npy or a folder."""
    if path.is_dir():
        return np.stack([decode_image(f, size=64) for f in data.face_files(path)[:MOST]])
    if path.suffix == ".npy":
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)[:MOST])
    ids = data.test_ids(Source(kind="world", folder=path))
    return submission.read(path, ids).pictures


def of_the_world() -> dict[str, Pixels]:
    """Return held-out faces, and broken ones by kind."""
    private = build(face_world()) / "private"
    faces = np.asarray(np.load(private / "held_out.npy", mmap_mode="r")[:800])
    factors = np.load(private / "held_out_factors.npy")[:800]
    return {"faces": faces, **break_all(faces, factors, 100, seed=6)}


if __name__ == "__main__":
    main()
