"""Categorisation accuracy on the public and the private part of the answers."""

from pathlib import Path

from mlspring.core.answers import read_answers
from mlspring.core.score import Score
from mlspring.homeworks.hw03_food_cnn import submission as file_format


def score(submission: Path, answers: Path) -> Score:
    """Return the share of right categories in ``submission``; pure, reads the two files only.

    Raises:
        SubmissionError: the learner's file is not in the format.
        DataError: the answers are not ``Id,Category,Usage``.
    """
    key = read_answers(answers, header=file_format.HEADER)
    predicted = file_format.read(submission, key.ids)
    right = predicted == key.table.integers(1, 0, 10)
    return key.share(right)


# Same as hw01: answer_ids
def answer_ids(answers: Path) -> list[str]:
    """Return the ids that a submission must have."""
    return read_answers(answers, header=file_format.HEADER).ids
