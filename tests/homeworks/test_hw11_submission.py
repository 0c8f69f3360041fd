"""The submission of homework 11 and its score."""

from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw11_adaptation import score as scorer
from mlspring.homeworks.hw11_adaptation import submission

IDS = ["0", "1", "2", "3"]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text("id,label,Usage\n0,3,Public\n1,9,Private\n2,0,Public\n3,7,Private\n")
    return path


def hand_in(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "submission.csv"
    path.write_bytes(text.encode())
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path, values = tmp_path / "submission.csv", np.array([3, 9, 0, 7])
    submission.write(path, IDS, values)
    assert path.read_text().splitlines()[:2] == ["id,label", "0,3"]
    assert submission.read(path, IDS).tolist() == values.tolist()


def test_public_and_private_are_counted_apart(tmp_path: Path, answers: Path) -> None:
    path = hand_in(tmp_path, "id,label\n0,3\n1,9\n2,1\n3,7\n")
    scored = scorer.score(path, answers)
    assert (scored.public, scored.private) == (0.5, 1.0)


def test_row_order_line_ends_and_a_byte_order_mark_do_not_matter(
    tmp_path: Path, answers: Path
) -> None:
    path = hand_in(tmp_path, "\ufeffid,label\r\n3,7\r\n2,0\r\n1,9\r\n0,3\r\n")
    scored = scorer.score(path, answers)
    assert (scored.public, scored.private) == (1.0, 1.0)


def test_more_classes_than_the_course_s_are_a_valid_format(tmp_path: Path) -> None:
    path = hand_in(tmp_path, "id,label\n0,3\n1,42\n2,0\n3,7\n")
    assert submission.read(path, IDS).tolist() == [3, 42, 0, 7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,label\n0,3\n1,10\n2,0\n3,7\n", r"row 3.*'10'.*0 to 9"),
        ("id,label\n0,3\n1,-1\n2,0\n3,7\n", r"row 3"),
        ("id,label\n0,3\n1,horse\n2,0\n3,7\n", r"row 3.*'horse'"),
        ("id,label\n0,3\n1,1.0\n2,0\n3,7\n", r"row 3"),
        ("id,label\n0,3\n1,\n2,0\n3,7\n", r"row 3.*empty"),
        ("id,label\n0,3\n0,3\n2,0\n3,7\n", r"row 3.*stands in row 2 already"),
        ("id,label\n00000,3\n1,1\n2,0\n3,7\n", r"(?s)row 2.*did you mean '0'"),
        ("id,label\n0,3\n1,1\n", r"lacks 2 rows, the first is id '2'"),
        ("id,label\n0,3\n1,1\n2,0\n3,7\n4,7\n", r"row 6.*unknown id '4'"),
        ("Id,Category\n0,3\n", r"row 1.*'Id'"),
        ("id, label\n0,3\n1,1\n2,0\n3,7\n", r"row 1.*' label'"),
        ("", r"empty|bytes"),
    ],
)
def test_a_bad_file_is_rejected_with_its_row(
    tmp_path: Path, answers: Path, text: str, message: str
) -> None:
    with pytest.raises(SubmissionError, match=message):
        scorer.score(hand_in(tmp_path, text), answers)


def test_bad_answers_are_not_the_learner_s_fault(tmp_path: Path) -> None:
    path = hand_in(tmp_path, "id,label\n0,3\n")
    answers = tmp_path / "answers.csv"
    answers.write_text("id,label,Usage\n0,3,Secret\n")
    with pytest.raises(DataError, match="Usage is 'Secret'"):
        scorer.score(path, answers)
