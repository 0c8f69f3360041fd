"""How far 1000 generated faces are from real ones: the Frechet distance decides.

The features are those of the network *factors* (features.py). The public part compares with one
half of the held-out faces, the private part with the other, in equal numbers. Beside the distance
stand, for those who doubt it: the kernel distance, the share of pictures that a detector takes for
faces, duplicates, copies of training faces, and how many modes the faces cover.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from mlspring.core.errors import DataError
from mlspring.core.picture_arrays import open_pictures
from mlspring.core.score import Score
from mlspring.homeworks.hw06_gan import diversity, features
from mlspring.homeworks.hw06_gan.distances import (
    frechet_distance,
    kernel_distance,
    kernel_distance_error,
)
from mlspring.homeworks.hw06_gan.features import Pixels
from mlspring.homeworks.hw06_gan.submission import NUM_PICTURES, SIDE, HandedIn

MODES = ("hair_color", "back", "eye_color")  # factors whose choices make a table of modes
FEWEST = 40  # held-out faces, half of them for each part of the board


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What the judge compares with.

    Args:
        faces: uint8 (M, 64, 64, 3).
        training: the faces that could be copied, or None where they are not at hand.
    """

    faces: Pixels
    training: Pixels | None

    @property
    def ids(self) -> list[str]:
        """Names of the pictures in a submission."""
        return [f"{number}.jpg" for number in range(1, NUM_PICTURES + 1)]


def read_answers(path: Path) -> HeldOut:
    """Return held-out faces and, from ``public/`` beside their folder, training faces.

    Raises:
        DataError: a file is no .npy of faces.
    """
    faces = _open_faces(path)
    if len(faces) < FEWEST:
        raise DataError(f"holds {len(faces)} faces", file=path, expected=f"at least {FEWEST}")
    training = path.resolve().parent.parent / "public" / "faces.npy"
    return HeldOut(faces=faces, training=_open_faces(training) if training.exists() else None)


def _open_faces(path: Path) -> Pixels:
    expected, fix = f"a .npy of uint8 (n, {SIDE}, {SIDE}, 3)", "give a world's private/held_out.npy"
    return open_pictures(path, expected=expected, fix=fix, side=SIDE)


def score(values: HandedIn, answers: HeldOut) -> Score:
    """Return the Frechet distance to each half of the held-out faces.

    Real faces go through JPEG as the generated ones did. Where there are fewer than 2000 of them,
    as many generated ones are compared, the first.
    """
    num = min(len(values.pictures), len(answers.faces) // 2)
    real = features.compressed(answers.faces[: 2 * num])
    seen, said = features.read(values.pictures)
    known, truth = features.read(real)
    public, private = known[:num], known[num:]
    details = {
        "frechet distance of two halves of real faces": frechet_distance(public, private),
        "kernel distance": kernel_distance(seen[:num], public),
        "standard error of the kernel distance": kernel_distance_error(seen[:num], public),
        "share of faces, detector": float(features.are_faces(values.pictures).mean()),
        "modes covered": modes(said[:num]),
        "modes that real faces cover": modes(truth[:num]),
        **_nearness(values.pictures, answers, num),
    }
    return Score(
        public=frechet_distance(seen[:num], public),
        private=frechet_distance(seen[:num], private),
        details=details,
    )


def modes(answers: Tensor) -> float:
    """Return how many cells of the table hair colour x hair x eye colour have a picture."""
    chosen = np.stack([features.choices(answers, name) for name in MODES])
    return float(len(np.unique(chosen, axis=1).T))


def _nearness(pictures: Pixels, answers: HeldOut, num: int) -> dict[str, float]:
    if answers.training is None:
        return {}
    found = diversity.measure(pictures, answers.faces[:num], answers.training)
    return {
        "duplicates": float(found.duplicates),
        "copies of training faces": float(found.copies),
        "median distance to the nearest training face": float(np.median(found.distances)),
    }
