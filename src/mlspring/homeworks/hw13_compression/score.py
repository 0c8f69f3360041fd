"""Categorisation accuracy on the public and the private part of the answers."""

from pathlib import Path

from mlspring.core import answers as core_answers
from mlspring.core.answers import Answers
from mlspring.core.score import Score
from mlspring.homeworks.hw13_compression import submission as file_format
from mlspring.homeworks.hw13_compression.submission import HandedIn


def score(values: HandedIn, answers: Answers) -> Score:
    """Return the share of right categories; pure.

    Nothing of the learner's is executed: the checkpoints are looked at, never built or run.
    """
    right = values.categories == answers.table.integers(1, 0, 10)
    return answers.accuracy(right, parameters=float(values.num_parameters))


def read_answers(path: Path) -> Answers:
    """Return the answers.

    Raises:
        DataError: they are not ``Id,Category,Usage``.
    """
    return core_answers.read_answers(path, header=file_format.HEADER)
