"""Mean squared error on the public and the private part of the answers."""

from pathlib import Path

from mlspring.core.answers import read_answers
from mlspring.core.score import Score
from mlspring.homeworks.hw01_regression import submission as file_format


def score(submission: Path, answers: Path) -> Score:
    """Return the mean squared error of ``submission``; pure, reads the two files only.

    Raises:
        SubmissionError: the learner's file is not in the format.
        DataError: the answers are not ``id,tested_positive,Usage``.
    """
    key = read_answers(answers, header=file_format.HEADER)
    predicted = file_format.read(submission, key.ids)
    squared = (predicted - key.table.floats([1])[:, 0]) ** 2
    return Score(
        public=float(squared[key.is_public].mean()), private=float(squared[~key.is_public].mean())
    )


def answer_ids(answers: Path) -> list[str]:
    """Return the ids that a submission must have."""
    return read_answers(answers, header=file_format.HEADER).ids
