"""The answers: every row on one part of the board, and rows on both."""

from pathlib import Path

import numpy as np
import pytest

from mlspring.core.answers import read_answers
from mlspring.core.errors import DataError

HEADER = ("Id", "Category")


def table(tmp_path: Path, *usages: str) -> Path:
    path = tmp_path / "answers.csv"
    rows = [f"{number},3,{usage}" for number, usage in enumerate(usages)]
    path.write_text("\n".join(["Id,Category,Usage", *rows]) + "\n")
    return path


def test_each_part_has_its_own_mean(tmp_path: Path) -> None:
    answers = read_answers(table(tmp_path, "Public", "Private", "Public", "Private"), HEADER)
    assert answers.ids == ["0", "1", "2", "3"]
    score = answers.accuracy(np.array([True, False, False, False]), parameters=5.0)
    assert (score.public, score.private) == (0.5, 0.0)
    assert score.details == {"parameters": 5.0}


@pytest.mark.parametrize("usage", ["Public", "Private"])
def test_a_part_without_rows_is_refused(usage: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one part of the board has no rows"):
        read_answers(table(tmp_path, usage, usage), HEADER)


def test_a_doubled_id_and_an_unknown_usage_are_named(tmp_path: Path) -> None:
    path = table(tmp_path, "Public", "Private")
    path.write_text(path.read_text() + "1,3,Public\n")
    with pytest.raises(DataError, match=r"row 4: id '1' stands twice"):
        read_answers(path, HEADER)
    with pytest.raises(DataError, match=r"row 3: Usage is 'Secret'; expected Public or Private"):
        read_answers(table(tmp_path, "Public", "Secret"), HEADER)
