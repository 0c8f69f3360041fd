"""Accuracy over the query images of the public and of the private tasks."""

from pathlib import Path

from mlspring.core.answers import read_answers
from mlspring.core.score import Score
from mlspring.homeworks.hw15_meta import submission as file_format


def score(submission: Path, answers: Path) -> Score:
    """Return the share of right classes in ``submission``; pure, reads the two files only.

    Raises:
        SubmissionError: the learner's file is not in the format.
        DataError: the answers are not ``id,class,Usage``.
    """
    key = read_answers(answers, header=file_format.HEADER)
    predicted = file_format.read(submission, key.ids)
    right = predicted == key.table.integers(1, 0, file_format.NUM_WAYS - 1)
    return key.share(right)


def answer_ids(answers: Path) -> list[str]:
    """Return the ids that a submission must have."""
    return read_answers(answers, header=file_format.HEADER).ids
