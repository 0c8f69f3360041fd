"""Accuracy on the public and the private part of the answers."""

from pathlib import Path

from mlspring.core.answers import read_answers
from mlspring.core.score import Score
from mlspring.homeworks.hw11_adaptation import submission as file_format


def score(submission: Path, answers: Path) -> Score:
    """Return the share of right labels in ``submission``; pure, reads the two files only.

    Labels beyond the largest in the answers are rejected, as in the course, whose classes are ten.

    Raises:
        SubmissionError: the learner's file is not in the format.
        DataError: the answers are not ``id,label,Usage``.
    """
    key = read_answers(answers, header=file_format.HEADER)
    truth = key.table.integers(1, 0, file_format.MAX_CLASSES - 1)
    predicted = file_format.read(submission, key.ids, int(truth.max()) + 1)
    right = predicted == truth
    return key.share(right)


def answer_ids(answers: Path) -> list[str]:
    """Return the ids that a submission must have."""
    return read_answers(answers, header=file_format.HEADER).ids
