"""Readers of homework 1: the course's layout, its traps, and every bad table of the list."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError
from mlspring.core.source import Source, official
from mlspring.homeworks.hw01_regression import data as island
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.worlds import epidemic, world
from tests.tiny.survey import SIMPLE, SIZE, write_survey

Table = list[list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_survey(tmp_path / "survey")


def load(folder: Path) -> Data:
    return island.load(official(folder), SIMPLE)


def edit(folder: Path, change: Callable[[Table], object], name: str = "covid.train.csv") -> Path:
    """Change the cells of a table in place; row 0 is the header."""
    path = folder / name
    table = [line.split(",") for line in path.read_text().splitlines()]
    change(table)
    path.write_text("\n".join(",".join(row) for row in table) + "\n")
    return folder


def test_a_table_is_read_by_position(folder: Path) -> None:
    data, story = load(folder), epidemic.make(0, 0, SIZE)
    assert data.train_survey.shape == (54, 79)
    assert data.test_survey.shape == (10, 79)
    np.testing.assert_allclose(data.train_survey, story["train"][:, 37:116], atol=1e-7)
    np.testing.assert_allclose(data.train_targets, story["train"][:, 116], atol=1e-7)
    np.testing.assert_allclose(data.test_survey, story["test"][:, 37:], atol=1e-7)
    assert data.train_states.tolist() == story["train"][:, :37].argmax(1).tolist()
    assert data.test_ids == [str(i) for i in range(10)]
    assert data.best_possible is None


def test_lags_are_the_positive_tests_of_days_1_to_4() -> None:
    full = [38 + position for position in island.LAGS]
    assert full == [53, 69, 85, 101]
    assert {epidemic.TRAIN_HEADER[column] for column in full} == {"tested_positive"}


def test_the_world_is_read_like_the_course_s_files(tmp_path: Path) -> None:
    place = world.build(epidemic.epidemic_world(SIZE, name="epidemic-tiny"), processes=1)
    from_world = island.load(Source(kind="world", folder=place / "public"), SIMPLE)
    island.export(place, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "covid.test.csv",
        "covid.train.csv",
    ]
    from_folder = load(tmp_path / "out")
    np.testing.assert_array_equal(from_world.train_survey, from_folder.train_survey)
    assert from_world.best_possible is not None
    assert "best possible" in island.describe(from_world)
    assert "best possible" not in island.describe(from_folder)


def test_bom_crlf_and_a_last_line_without_end_are_fine(folder: Path) -> None:
    expected = load(folder)
    for name in ("covid.train.csv", "covid.test.csv"):
        text = (folder / name).read_text().rstrip("\n").replace("\n", "\r\n")
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    np.testing.assert_array_equal(load(folder).train_survey, expected.train_survey)


def test_test_ids_may_stand_in_any_order(folder: Path) -> None:
    edit(folder, lambda table: table.append(table.pop(1)), "covid.test.csv")
    assert island.test_ids(official(folder)) == [*map(str, range(1, 10)), "0"]


def set_cell(row: int, column: int, value: str) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table[row][column] = value

    return change


def drop_column(column: int) -> Callable[[Table], None]:
    return lambda table: [row.pop(column) for row in table]


def add_column(table: Table) -> None:
    for row in table:
        row.append("extra" if row is table[0] else "1.0")


def number_repeats(table: Table) -> None:
    """Rename as pandas does when it reads and writes: cli, cli.1, cli.2 ..."""
    for day in range(1, 5):
        for column in range(38 + 16 * day, 54 + 16 * day):
            table[0][column] += f".{day}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_column(40), r"row 1: column 41 'hh_cmnty_cli' is missing"),
        (drop_column(117), r"row 1: column 118 'tested_positive' is missing"),
        (add_column, r"row 1: column 119 'extra' is one too many"),
        (set_cell(0, 38, "CLI"), r"row 1: column 39 is 'CLI'; expected 'cli'"),
        (number_repeats, r"row 1: column 55 is 'cli\.1'; expected 'cli'\n.*pandas"),
        (set_cell(0, 5, "XX"), r"row 1: column 6 is 'XX'; expected 'CA'"),
        (set_cell(7, 60, "nan"), r"row 8: column 61 '\w+' is 'nan'"),
        (set_cell(7, 60, ""), r"row 8: column 61 '\w+' is empty"),
        (set_cell(7, 60, "n/a"), r"row 8: column 61 '\w+' is 'n/a'; expected a finite number"),
        (set_cell(7, 117, "inf"), r"row 8: column 118 'tested_positive' is 'inf'"),
        (set_cell(7, 60, "1_0"), r"row 8"),
        (set_cell(7, 60, "-3.5"), r"row 8: column 61 '\w+' is -3\.5; expected a percentage"),
        (set_cell(7, 60, "140"), r"row 8: column 61 '\w+' is 140"),
        (set_cell(7, 30, "1"), r"row 8: belongs to 2 states; expected exactly one 1"),
        (lambda t: t[7].__setitem__(slice(1, 38), ["0"] * 37), r"row 8: belongs to 0 states"),
        (lambda t: t[7].__setitem__(slice(1, 38), ["0.5", *["0"] * 36]), r"row 8: AL is not 1"),
        (set_cell(7, 0, "3"), r"row 8: id 3 stands in row 5 already"),
        (set_cell(7, 0, "seven"), r"row 8: column 1 'id' is 'seven'; expected a whole number"),
        (lambda table: table[7].pop(), r"row 8: has 117 cells; expected 118"),
        (lambda table: table.__delitem__(slice(1, None)), r"header and no rows"),
    ],
)
def test_a_bad_table_is_refused_with_its_row(
    folder: Path, change: Callable[[Table], object], message: str
) -> None:
    with pytest.raises(DataError, match=r"covid\.train\.csv.*" + message):
        load(edit(folder, change))


def test_a_bad_test_table_is_refused_too(folder: Path) -> None:
    with pytest.raises(DataError, match=r"covid\.test\.csv, row 3: column 39 'cli' is 'nan'"):
        load(edit(folder, set_cell(2, 38, "nan"), "covid.test.csv"))


def test_the_training_table_in_the_test_s_place_is_named(folder: Path) -> None:
    (folder / "covid.test.csv").write_bytes((folder / "covid.train.csv").read_bytes())
    with pytest.raises(DataError, match=r"row 1: column 118 'tested_positive' is one too many"):
        load(folder)


def test_a_missing_file_says_where_it_comes_from(folder: Path) -> None:
    (folder / "covid.test.csv").unlink()
    with pytest.raises(DataError, match=r"(?s)covid\.test\.csv.*missing.*mlspring fetch hw01"):
        load(folder)


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "covid.train.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"covid\.train\.csv.*empty"):
        load(folder)


def test_a_huge_file_is_refused_unread(folder: Path) -> None:
    with (folder / "covid.train.csv").open("r+b") as stream:
        stream.truncate(200_000_000)  # sparse: takes no disk
    with pytest.raises(DataError, match=r"200\.0 MB.*at most 100"):
        load(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(folder: Path) -> None:
    (folder / "covid.train.csv").chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        load(folder)


def test_the_course_s_files_are_read(real_data: Path) -> None:
    if not (real_data / "hw01" / "covid.train.csv").exists():
        pytest.skip("no hw01 files here")
    data = load(real_data / "hw01")
    assert len(data.test_ids) == 1078
    assert data.test_ids[-1] == "1077"
    assert len(data.train_targets) in (2160, 2699)  # 2,160: the copy cut short in time
    lags = data.train_survey[:, island.LAGS]
    assert np.mean((lags[:, -1] - data.train_targets) ** 2) == pytest.approx(1.21, abs=0.01)
    assert np.bincount(data.train_runs).max() > 50
    assert data.test_survey[:, island.LAGS[-1]].mean() > 1.3 * lags[:, -1].mean()
