"""The submission of homework 1 and its score."""

from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw01_regression import score as scorer
from mlspring.homeworks.hw01_regression import submission

IDS = ["0", "1", "2", "3"]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text(
        "id,tested_positive,Usage\n0,10.0,Public\n1,20.5,Private\n2,7.25,Public\n3,3.0,Private\n"
    )
    return path


def hand_in(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pred.csv"
    path.write_bytes(text.encode())
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path, values = tmp_path / "pred.csv", np.array([0.1 + 0.2, 10, 1e-12, 46.1234567890123])
    submission.write(path, IDS, values)
    assert path.read_text().splitlines()[:2] == ["id,tested_positive", "0,0.30000000000000004"]
    assert submission.read(path, IDS).tolist() == values.tolist()


def test_the_score_is_the_mean_square_of_each_part(tmp_path: Path, answers: Path) -> None:
    path = hand_in(tmp_path, "id,tested_positive\n0,11\n1,20\n2,7.25\n3,6\n")
    scored = scorer.score(path, answers)
    assert scored.public == pytest.approx((1 + 0) / 2)
    assert scored.private == pytest.approx((0.25 + 9) / 2)


def test_perfect_answers_have_no_error(tmp_path: Path, answers: Path) -> None:
    path = hand_in(tmp_path, "id,tested_positive\n0,10\n1,20.5\n2,7.25\n3,3\n")
    scored = scorer.score(path, answers)
    assert (scored.public, scored.private) == (0.0, 0.0)
    assert scorer.answer_ids(answers) == IDS


def test_row_order_line_ends_and_a_byte_order_mark_do_not_matter(
    tmp_path: Path, answers: Path
) -> None:
    path = hand_in(tmp_path, "\ufeffid,tested_positive\r\n3,3\r\n2,7.25\r\n1,20.5\r\n0,10\r\n")
    scored = scorer.score(path, answers)
    assert (scored.public, scored.private) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,tested_positive\n0,1\n1,nan\n2,1\n3,1\n", r"row 3.*'nan'.*finite"),
        ("id,tested_positive\n0,1\n1,inf\n2,1\n3,1\n", r"row 3.*'inf'.*finite"),
        ("id,tested_positive\n0,1\n1,many\n2,1\n3,1\n", r"row 3.*'many'"),
        ("id,tested_positive\n0,1\n1,\n2,1\n3,1\n", r"row 3.*empty"),
        ("id,tested_positive\n0,1\n1,1e200\n2,1\n3,1\n", r"row 3.*1e\+200.*percentage"),
        ("id,tested_positive\n0,1\n0,1\n2,1\n3,1\n", r"row 3.*stands in row 2 already"),
        ("id,tested_positive\n0000,1\n1,1\n2,1\n3,1\n", r"(?s)row 2.*did you mean '0'"),
        ("id,tested_positive\n0,1\n1,1\n", r"lacks 2 rows, the first is id '2'"),
        ("id,tested_positive\n0,1\n1,1\n2,1\n3,1\n4,1\n", r"row 6.*unknown id '4'"),
        ("Id,tested_positive\n0,1\n", r"row 1.*'Id'"),
        ("id,tested_positive,Usage\n0,1,Public\n", r"row 1.*'Usage'"),
        ("tested_positive\n3\n", r"row 1"),
        ("", r"empty|bytes"),
    ],
)
def test_a_bad_file_is_rejected_with_its_row(
    tmp_path: Path, answers: Path, text: str, message: str
) -> None:
    with pytest.raises(SubmissionError, match=message):
        scorer.score(hand_in(tmp_path, text), answers)


def test_bad_answers_are_not_the_learner_s_fault(tmp_path: Path) -> None:
    path = hand_in(tmp_path, "id,tested_positive\n0,1\n")
    answers = tmp_path / "answers.csv"
    answers.write_text("id,tested_positive,Usage\n0,much,Public\n1,2,Private\n")
    path.write_text("id,tested_positive\n0,1\n1,1\n")
    with pytest.raises(DataError, match=r"answers\.csv, row 2.*'much'"):
        scorer.score(path, answers)
