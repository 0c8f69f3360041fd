"""The submission of homework 15 and its score."""

from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw15_meta import score as scorer
from mlspring.homeworks.hw15_meta import submission

IDS = ["0", "1", "2", "3"]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text("id,class,Usage\n0,3,Public\n1,4,Private\n2,0,Public\n3,2,Private\n")
    return path


def hand_in(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "output.csv"
    path.write_text(text)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path, values = tmp_path / "output.csv", np.array([3, 4, 0, 2])
    submission.write(path, IDS, values)
    assert path.read_text().splitlines()[:2] == ["id,class", "0,3"]
    assert submission.read(path, IDS).tolist() == values.tolist()


def test_public_and_private_are_counted_apart(tmp_path: Path, answers: Path) -> None:
    scored = scorer.score(hand_in(tmp_path, "id,class\n3,2\n0,3\n1,4\n2,1\n"), answers)
    assert (scored.public, scored.private) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,class\n0,3\n1,5\n2,0\n3,2\n", r"row 3.*'5'.*0 to 4"),
        ("id,class\n0,3\n1,-1\n2,0\n3,2\n", r"row 3"),
        ("id,class\n0,3\n1,1.0\n2,0\n3,2\n", r"row 3"),
        ("id,class\n0,3\n1,\n2,0\n3,2\n", r"row 3.*empty"),
        ("id,class\n0,3\n0,3\n2,0\n3,2\n", r"row 3.*stands in row 2 already"),
        ("id,class\n0,3\n1,1\n", r"lacks 2 rows, the first is id '2'"),
        ("id,class\n0,3\n1,1\n2,0\n3,2\n4,0\n", r"row 6.*unknown id '4'"),
        ("Id,Category\n0,3\n", r"row 1"),
        ("", r"empty|bytes"),
    ],
)
def test_a_bad_file_is_rejected_with_its_row(
    tmp_path: Path, answers: Path, text: str, message: str
) -> None:
    with pytest.raises(SubmissionError, match=message):
        scorer.score(hand_in(tmp_path, text), answers)


def test_bad_answers_are_not_the_learner_s_fault(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("id,class,Usage\n0,3,Public\n0,3,Private\n")
    with pytest.raises(DataError, match="stands twice"):
        scorer.score(hand_in(tmp_path, "id,class\n0,3\n"), answers)
