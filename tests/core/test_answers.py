from pathlib import Path

import pytest

from mlspring.core.answers import read_answers
from mlspring.core.errors import DataError


@pytest.mark.parametrize("usage", ["Public", "Private"])
def test_a_part_of_the_board_without_rows_is_refused(tmp_path: Path, usage: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(f"id,value,Usage\n1,0,{usage}\n2,1,{usage}\n")
    with pytest.raises(DataError, match="one part of the board has no rows"):
        read_answers(path, ("id", "value"))


def test_each_row_belongs_to_one_part(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("id,value,Usage\n1,0,Public\n2,1,Private\n3,1,Public\n")
    answers = read_answers(path, ("id", "value"))
    assert answers.is_public.tolist() == [True, False, True]
    assert answers.ids == ["1", "2", "3"]
