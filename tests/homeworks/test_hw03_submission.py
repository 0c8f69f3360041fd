"""The submission of homework 3 and its score."""

from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw03_food_cnn import score as scorer
from mlspring.homeworks.hw03_food_cnn import submission

IDS = ["0001", "0002", "0003", "0004"]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text(
        "Id,Category,Usage\n0001,3,Public\n0002,10,Private\n0003,0,Public\n0004,7,Private\n"
    )
    return path


def hand_in(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "submission.csv"
    path.write_bytes(text.encode())
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path, values = tmp_path / "submission.csv", np.array([3, 10, 0, 7])
    submission.write(path, IDS, values)
    assert path.read_text().splitlines()[:2] == ["Id,Category", "0001,3"]
    assert submission.read(path, IDS).tolist() == values.tolist()


def test_public_and_private_are_counted_apart(tmp_path: Path, answers: Path) -> None:
    path = hand_in(tmp_path, "Id,Category\n0001,3\n0002,10\n0003,1\n0004,7\n")
    scored = scorer.score(path, answers)
    assert (scored.public, scored.private) == (0.5, 1.0)


def test_row_order_line_ends_and_a_byte_order_mark_do_not_matter(
    tmp_path: Path, answers: Path
) -> None:
    path = hand_in(tmp_path, "\ufeffId,Category\r\n0004,7\r\n0003,0\r\n0002,10\r\n0001,3\r\n")
    scored = scorer.score(path, answers)
    assert (scored.public, scored.private) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Id,Category\n0001,3\n0002,11\n0003,0\n0004,7\n", r"row 3.*'11'.*0 to 10"),
        ("Id,Category\n0001,3\n0002,-1\n0003,0\n0004,7\n", r"row 3"),
        ("Id,Category\n0001,3\n0002,bread\n0003,0\n0004,7\n", r"row 3.*'bread'"),
        ("Id,Category\n0001,3\n0002,1.0\n0003,0\n0004,7\n", r"row 3"),
        ("Id,Category\n0001,3\n0002,\n0003,0\n0004,7\n", r"row 3.*empty"),
        ("Id,Category\n0001,3\n0001,3\n0003,0\n0004,7\n", r"row 3.*stands in row 2 already"),
        ("Id,Category\n1,3\n0002,1\n0003,0\n0004,7\n", r"(?s)row 2.*did you mean '0001'"),
        ("Id,Category\n0001,3\n0002,1\n", r"lacks 2 rows, the first is Id '0003'"),
        ("Id,Category\n0001,3\n0002,1\n0003,0\n0004,7\n0005,7\n", r"row 6.*unknown Id '0005'"),
        ("id,category\n0001,3\n", r"row 1.*'id'"),
        ("Id,Category,Usage\n0001,3,Public\n", r"row 1.*'Usage'"),
        ("Category\n3\n", r"row 1"),
        ("", r"empty|bytes"),
    ],
)
def test_a_bad_file_is_rejected_with_its_row(
    tmp_path: Path, answers: Path, text: str, message: str
) -> None:
    with pytest.raises(SubmissionError, match=message):
        scorer.score(hand_in(tmp_path, text), answers)


def test_bad_answers_are_not_the_learner_s_fault(tmp_path: Path) -> None:
    path = hand_in(tmp_path, "Id,Category\n0001,3\n")
    answers = tmp_path / "answers.csv"
    answers.write_text("Id,Category,Usage\n0001,3,Secret\n")
    with pytest.raises(DataError, match="Usage is 'Secret'"):
        scorer.score(path, answers)
