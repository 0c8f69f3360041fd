"""Tables of scores: what is written is read, and what is wrong is told with its row."""

from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw08_anomaly import submission

IDS = ["0", "1", "2"]


def hand_in(folder: Path, *rows: str, header: str = "ID,score", end: str = "\n") -> Path:
    path = folder / "prediction.csv"
    path.write_bytes((end.join([header, *rows]) + end).encode())
    return path


def test_what_is_written_is_read_to_the_last_digit(tmp_path: Path) -> None:
    values = np.array([1 / 3, -7.5e-17, 2e300])
    path = tmp_path / "prediction.csv"
    submission.write(path, IDS, values)
    assert path.read_text(encoding="utf-8").startswith("ID,score\n0,0.333")
    assert submission.read(path, IDS).tolist() == values.tolist()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_in_another_order_are_read_by_their_ids(end: str, tmp_path: Path) -> None:
    path = hand_in(tmp_path, "2,0.3", "0,0.1", "1,0.2", end=end)
    assert submission.read(path, IDS).tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("0,1", "1,nan", "2,3"), r"row 3.*'nan'.*a finite number"),
        (("0,1", "1,inf", "2,3"), r"row 3.*'inf'"),
        (("0,1", "1,2", "2,1e999"), r"row 4.*'1e999'.*a finite number"),
        (("0,1", "1,", "2,3"), r"row 3.*empty"),
        (("0,1", "1,high", "2,3"), r"row 3.*'high'"),
        (("0,1", "2,3"), r"lacks 1 row, the first is ID '1'"),
        (("0,1", "1,2", "1,2"), r"row 4.*'1' stands in row 3 already"),
        (("0,1", "1,2", "3,2"), r"row 4.*unknown ID '3'"),
        (("0,1", "1,2,9", "2,3"), r"row 3.*3 cells"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(
    rows: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SubmissionError, match=words):
        submission.read(hand_in(tmp_path, *rows), IDS)


def test_another_header_is_told(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="row 1"):
        submission.read(hand_in(tmp_path, "0,1", header="id,anomaly"), IDS)


def test_ties_are_told() -> None:
    assert submission.describe(np.array([1.0, 2.0, 3.0])) == "3 scores"
    assert submission.describe(np.array([1.0, 1.0, 3.0])) == "3 scores, 1 of them equal to another"
