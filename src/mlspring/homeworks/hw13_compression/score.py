"""Accuracy of the student itself: the judge loads its weights and shows it the test pictures.

The network is one of ``models.py``, built here; of the learner only numbers are used. A table of
classes that comes along is not believed: it need not be the work of these weights.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray

from mlspring.core import answers as core_answers
from mlspring.core.answers import Answers
from mlspring.core.errors import SubmissionError
from mlspring.core.picture_arrays import open_pictures
from mlspring.core.score import Score
from mlspring.homeworks.hw13_compression.compress import CPU
from mlspring.homeworks.hw13_compression.models import build
from mlspring.homeworks.hw13_compression.submission import Student
from mlspring.kit.evaluate import predict_images

BATCH = 8  # pictures at once: the widest student within the limit then takes 1 GB and not 10


@dataclass(frozen=True, kw_only=True)
class TestSet:
    """What only the judge has: test pictures with their classes, in the order of the table."""

    answers: Answers
    labels: NDArray[np.int64]  # (n,)
    pictures: NDArray[np.uint8]  # (n, s, s, 3)

    @property
    def ids(self) -> list[str]:
        """Names of the test pictures, as the answers have them."""
        return self.answers.ids


def read_answers(path: Path) -> TestSet:
    """Return the answers and the pictures: ``public/test_images.npy`` beside the answers' folder.

    Raises:
        DataError: the answers are not ``Id,Category,Usage``, or the pictures are not theirs.
    """
    answers = core_answers.read_answers(path, header=("Id", "Category"))
    labels = answers.table.integers(1, 0, 10)
    file = path.resolve().parent.parent / "public" / "test_images.npy"
    expected = f"test pictures for {path}: uint8 ({len(labels)}, s, s, 3)"
    fix = "mlspring data hw13 --export DIR writes both: DIR/private/answers.csv and DIR/public"
    pictures = open_pictures(file, expected=expected, fix=fix, count=len(labels))
    return TestSet(answers=answers, labels=labels, pictures=pictures)


def score(values: Student, answers: TestSet) -> Score:
    """Return the share of test pictures that the student gets right, each seen once; in fp32.

    Raises:
        SubmissionError: the weights or the logits are not finite.
    """
    model, tensors = build(values.architecture), safetensors.torch.load(values.weights)
    model.load_state_dict(tensors)  # the reader compared names and shapes, and counted them
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            found = f"{name} holds values that are NaN or infinite"
            raise SubmissionError(found, file=values.file, expected="finite weights")
    pictures = torch.from_numpy(answers.pictures)
    logits = predict_images(CPU.to_device(model), pictures, CPU, batch_size=BATCH)
    if num_bad := int((~logits.isfinite()).any(1).sum()):
        found = f"gives logits of {num_bad} test pictures that are NaN or infinite"
        raise SubmissionError(found, file=values.file, expected="finite logits")
    right = torch.as_tensor(answers.labels) == logits.argmax(1)
    return answers.answers.mean_score(
        right.numpy(), parameters=float(values.architecture.num_parameters)
    )
