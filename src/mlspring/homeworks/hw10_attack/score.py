"""Accuracy of the judge's networks on the attacked pictures: the lower, the better the attack.

The networks are a sealed ensemble, some of them behind a passive defence; their mean probability
decides. A picture that differs from its benign self by more than 8 makes the file invalid.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mlspring.core import answers as core_answers
from mlspring.core.answers import Answers
from mlspring.core.errors import SubmissionError
from mlspring.core.picture_arrays import open_pictures
from mlspring.core.score import Score
from mlspring.homeworks.hw10_attack import sealed
from mlspring.homeworks.hw10_attack.defences import DEFENCES
from mlspring.homeworks.hw10_attack.models import NUM_CLASSES, logits_of
from mlspring.homeworks.hw10_attack.recipe import MAX_EPSILON
from mlspring.homeworks.hw10_attack.submission import HandedIn

COLOURS = ("red", "green", "blue")


@dataclass(frozen=True, kw_only=True)
class BenignSet:
    """What the judge compares with: benign pictures, their classes, the halves of the board."""

    answers: Answers
    labels: NDArray[np.int64]  # (n,)
    benign: NDArray[np.uint8]  # (n, 32, 32, 3)

    @property
    def ids(self) -> list[str]:
        """Names of the pictures, as the answers have them."""
        return self.answers.ids


def read_answers(path: Path) -> BenignSet:
    """Return the answers and the pictures: ``public/benign_images.npy`` beside their folder.

    Raises:
        DataError: the answers are not ``Id,Category,Usage``, or the pictures are not theirs.
    """
    answers = core_answers.read_answers(path, header=("Id", "Category"))
    labels = answers.table.integers(1, 0, NUM_CLASSES - 1)
    file = path.resolve().parent.parent / "public" / "benign_images.npy"
    expected = f"benign pictures for {path}: uint8 ({len(labels)}, 32, 32, 3)"
    fix = "mlspring data hw10 --export DIR --answers writes both"
    benign = open_pictures(file, expected=expected, fix=fix, count=len(labels), side=32)
    return BenignSet(answers=answers, labels=labels, benign=benign)


def score(values: HandedIn, answers: BenignSet) -> Score:
    """Return the share of pictures that the sealed ensemble still gets right.

    ``details`` has the accuracy of each member over all pictures, and that of each class.

    Raises:
        SubmissionError: a picture differs by more than 8 from its benign self; names the pixel.
    """
    check_budget(values, answers.benign)
    total = torch.zeros(len(answers.labels), NUM_CLASSES)
    details = {}
    for member in sealed.MEMBERS:
        defended = DEFENCES[member.defence](values.pictures)
        pixels = torch.from_numpy(defended).permute(0, 3, 1, 2)
        mass = logits_of(sealed.load(member.network), pixels).softmax(1)
        right = (mass.argmax(1).numpy() == answers.labels).mean()
        details[f"{member.network}, defence {member.defence}"] = float(right)
        total += mass
    right_together = total.argmax(1).numpy() == answers.labels
    for label in range(NUM_CLASSES):
        if (mine := answers.labels == label).any():
            name = answers.ids[int(mine.argmax())].split("/")[0]
            details[f"class {name}"] = float(right_together[mine].mean())
    return answers.answers.mean_score(right_together, **details)


def check_budget(values: HandedIn, benign: NDArray[np.uint8]) -> None:
    """Raise unless every pixel is within 8 of the benign one; compared as whole numbers.

    Raises:
        SubmissionError: names the first picture and its worst pixel.
    """
    change = np.abs(values.pictures.astype(np.int16) - benign.astype(np.int16))
    worst = change.reshape(len(change), -1).max(1)
    if (worst <= MAX_EPSILON).all():
        return
    first = int((worst > MAX_EPSILON).argmax())
    row, column, colour = np.unravel_index(int(change[first].argmax()), change[first].shape)
    others = int((worst > MAX_EPSILON).sum()) - 1
    also = f"; so do {others} more pictures" if others else ""
    raise SubmissionError(
        f"differs by {worst[first]} from the benign picture, in {COLOURS[int(colour)]} of row "
        f"{row}, column {column}{also}",
        file=values.file / values.ids[first],
        expected=f"at most {MAX_EPSILON} in any pixel and colour",
        fix="round first, then clip to benign - 8 .. benign + 8 as whole numbers",
    )
