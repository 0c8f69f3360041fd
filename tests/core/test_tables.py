import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.spec import Limits
from mlspring.core.tables import (
    Table,
    read_table,
    submission_table,
    write_table,
)

HEADER = ("id", "cli", "rate", "cli", "rate")  # names repeat, as they do in hw01
ROWS = [["0", "1.5", "2", "-3e-1", "4"], ["1", "0", "0", "0", " 7 "]]
IDS = ("0001", "0002", "0003")
LIMITS = Limits(max_bytes=10_000, max_rows=5)


def written(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]] = ROWS) -> str:
    return "".join(",".join(cells) + "\n" for cells in [list(header), *rows])


def read(path: Path, header: Sequence[str] = HEADER, max_rows: int = 100) -> Table:
    return read_table(path, header=header, max_bytes=1_000_000, max_rows=max_rows)


def submission(folder: Path, text: str) -> list[str]:
    path = written(folder, text, "submission.csv")
    return submission_table(path, header=("Id", "Category"), ids=IDS, limits=LIMITS).strings(1)


# ---- reading


@pytest.mark.parametrize(
    "text",
    [
        as_csv(HEADER),
        as_csv(HEADER).rstrip("\n"),
        as_csv(HEADER).replace("\n", "\r\n"),
        as_csv(HEADER).replace("\n", "\r"),
        "\ufeff" + as_csv(HEADER),
        "\ufeff" + as_csv(HEADER).replace("\n", "\r\n") + "\r\n\r\n",
        as_csv(HEADER) + "\n\n\n",
        as_csv(HEADER).replace("cli", '"cli"').replace("1.5", '"1.5"'),
    ],
    ids=["plain", "no end", "crlf", "cr", "bom", "bom crlf blank", "blank end", "quoted"],
)
def test_every_honest_form_of_the_same_table_reads_alike(tmp_path: Path, text: str) -> None:
    table = read(written(tmp_path, text))
    assert table.header == HEADER
    assert table.rows == ROWS
    assert table.lines == [2, 3]
    assert table.strings(3) == ["-3e-1", "0"]
    np.testing.assert_array_equal(table.floats([4, 1, 3]), [[4, 1.5, -0.3], [7, 0, 0]])
    assert table.floats([1]).dtype == np.float64
    assert table.floats([]).shape == (2, 0)


def test_quoted_cells_may_hold_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n"1,5","say ""hi"""\n"two\nlines",x\nlast,\u2028\n')
    table = read(path, ("a", "b"))
    assert table.rows == [["1,5", 'say "hi"'], ["two\nlines", "x"], ["last", "\u2028"]]
    assert table.lines == [2, 3, 5]  # as an editor counts


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.csv"
    values = [0.1, 1 / 3, np.float64(-1e-300), np.float32(0.1), 5]
    write_table(path, ("a,b", "c"), [('q"uote\n', v) for v in values])
    table = read(path, ("a,b", "c"))
    assert table.strings(0) == ['q"uote\n'] * 5
    assert table.floats([1]).ravel().tolist() == [0.1, 1 / 3, -1e-300, 0.1, 5.0]
    assert b"\r" not in path.read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["out.csv"]


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    path = written(tmp_path, "old")
    with pytest.raises(ZeroDivisionError):
        write_table(path, ("a",), ([1 / zero] for zero in (1, 0)))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# ---- headers


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER[:-1], "column 5 'rate' is missing; expected 5 columns; found 4"),
        (("id", "cli", "cli", "rate"), "column 3 'rate' is missing"),
        ((*HEADER, "extra"), "column 6 'extra' is one too many; expected 5 columns; found 6"),
        (("id", "id", *HEADER[1:]), "column 1 'id' is one too many, column 2 is called so too"),
        (("Id", *HEADER[1:]), "column 1 is 'Id'; expected 'id'"),
        (("id", " cli", *HEADER[2:]), "column 2 is ' cli'; expected 'cli'"),
        (("id", "cli", "rate", "cli.1", "rate.1"), "column 4 is 'cli.1'; expected 'cli'\n  -> pan"),
        (("id", "ill", *HEADER[2:]), "column 2 is 'ill'; expected 'cli'"),
        (("id", "cli", "rate", "cli", "ill"), "column 5 is 'ill'; expected 'rate'"),
        (("id", "cli", "ill", "cli", "rate"), "column 3 is 'ill'; expected 'rate'"),
        (("id", "rate", "cli", "cli", "rate"), "another order: column 2 is 'rate'; expected 'cli'"),
        (("id", "cli", "rate", "cli", ""), "column 5 is empty; expected 'rate'"),
        (("0", "1.5", "2", "3", "4"), "the header is missing, found '0,1.5,2,3,4'"),
        ((";".join(HEADER),), "cells are separated by semicolons; expected commas"),
        (("\t".join(HEADER),), "cells are separated by tabs; expected commas"),
    ],
)
def test_a_wrong_header_names_the_first_wrong_column(
    tmp_path: Path, header: Sequence[str], message: str
) -> None:
    path = written(tmp_path, as_csv(header))
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}, row 1: ")
    assert message in str(caught.value)


# ---- rows and cells


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        ("a,b\n1,2\n3\n", 3, "has 1 cell; expected 2, as the header"),
        ("a,b\n1,2,\n", 2, "has 3 cells; expected 2, as the header"),
        ("a,b\n" + "1,2\n" * 4, 5, "has more than 3 rows; expected at most 3"),
        ('a,b\n1,2\n3,"4\n5,6\n', 3, "is no csv (unexpected end of data)"),
        ("a,b\n1,\0\n", 2, "holds a NUL byte"),
        (b"a,b\n1,2\n3,\xff\n", 3, "byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbfa,b\n1,2\n3,\xe4\xbd\n", 3, "byte 0xe4 is not UTF-8"),
        ("a,b\n1," + "9" * 200_000 + "\n", 2, "is no csv (field larger than field limit"),
        ("a,b\n", None, "has a header and no rows"),
        ("", None, "is empty (zero bytes)"),
        ("\ufeff\r\n", None, "is empty (nothing but blank lines)"),
        ("a,b\n1,2\n".encode("utf-16"), None, "is UTF-16 text; expected UTF-8"),
    ],
)
def test_a_bad_file_names_row_and_reason(
    tmp_path: Path, text: str | bytes, row: int | None, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read(path, ("a", "b"), max_rows=3)
    assert caught.value.row == row
    assert caught.value.file == path
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "cell", ["NaN", "nan", "inf", "-Infinity", "1e999", "", " ", "high", "1_000", "0x10", "1,5"]
)
def test_what_is_no_finite_number_is_named(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "table.csv"
    write_table(path, HEADER, [*ROWS, ["2", "1", "1", cell, "1"]])
    table = read(path)
    assert table.floats([0, 1, 2, 4]).shape == (3, 4)
    with pytest.raises(DataError) as caught:
        table.floats(range(5))
    shown = repr(cell) if cell else "empty"
    assert str(caught.value) == (
        f"{path}, row 4: column 4 'cli' is {shown}; expected a finite number"
    )


@pytest.mark.parametrize(
    "cell", ["11", "-1", "3.0", "", "three", "1e1", "1_0", "²", "٣", "9" * 5000, "--1"]
)
def test_what_is_no_label_is_named(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, f"a,b\nx,0\nx,10\nx,{cell}\n")
    with pytest.raises(DataError, match=r"row 4: column 2 'b' is .*; expected a whole number from"):
        read(path, ("a", "b")).integers(1, 0, 10)


def test_whole_numbers_within_bounds_are_read(tmp_path: Path) -> None:
    table = read(written(tmp_path, "a\n0\n 10 \n+7\n-3\n007\n"), ("a",))
    values = table.integers(0, -3, 10)
    assert values.tolist() == [0, 10, 7, -3, 7]
    assert values.dtype == np.int64


def test_the_official_table_is_read_whole(real_data: Path) -> None:
    path = real_data / "hw01" / "covid.train.csv"
    with path.open(newline="") as stream:
        header = next(csv.reader(stream))
    table = read_table(path, header=header, max_bytes=10_000_000, max_rows=10_000)
    values = table.floats(range(118))
    np.testing.assert_array_equal(values, np.loadtxt(path, delimiter=",", skiprows=1))
    assert (values[:, 1:38].sum(axis=1) == 1).all()


# ---- submissions


@pytest.mark.parametrize(
    "text",
    [
        "Id,Category\n0001,5\n0002,6\n0003,7\n",
        "Id,Category\n0003,7\n0001,5\n0002,6\n",
        "\ufeffId,Category\r\n0002,6\r\n0003,7\r\n0001,5\r\n\r\n",
    ],
)
def test_values_come_in_the_order_of_the_ids(tmp_path: Path, text: str) -> None:
    assert submission(tmp_path, text) == ["5", "6", "7"]


def test_a_bad_value_is_reported_with_the_row_of_the_learners_file(tmp_path: Path) -> None:
    path = written(tmp_path, "Id,Category\n0003,7\n0001,11\n0002,6\n")
    table = submission_table(path, header=("Id", "Category"), ids=IDS, limits=LIMITS)
    assert table.strings(0) == list(IDS)
    with pytest.raises(SubmissionError, match="row 3: column 2 'Category' is '11'"):
        table.integers(1, 0, 10)


@pytest.mark.parametrize(
    ("rows", "row", "message"),
    [
        ("0001,1\n0002,1\n0001,2\n", 4, "Id '0001' stands in row 2 already; expected each id once"),
        ("0001,1\n2,1\n", 3, "unknown Id '2'\n  -> did you mean '0002'? Ids are text and keep"),
        ("0001.jpg,1\n", 2, "unknown Id '0001.jpg'\n  -> did you mean '0001'?"),
        (" 0001,1\n", 2, "unknown Id ' 0001'\n  -> did you mean '0001'?"),
        ("0000,1\n", 2, "unknown Id '0000'\n  -> Ids run from '0001' to '0003'"),
        (",1\n", 2, "unknown Id empty"),
        ("9" * 9000 + ",1\n", 2, "unknown Id '9999"),
        ("0002,1\n", None, "lacks 2 rows, the first is Id '0001'; expected 3 rows, one an id"),
        ("0001,1\n0003,1\n", None, "lacks 1 row, the first is Id '0002'"),
        ("0001,1\n0002,1\n0003,1\n0004,1\n", 5, "unknown Id '0004'"),
        ("0001,1\n" * 6, 7, "has more than 5 rows"),
    ],
)
def test_a_rejected_submission_names_row_and_reason(
    tmp_path: Path, rows: str, row: int | None, message: str
) -> None:
    with pytest.raises(SubmissionError) as caught:
        submission(tmp_path, "Id,Category\n" + rows)
    assert caught.value.row == row
    assert message in str(caught.value)


def test_a_submission_with_a_wrong_header_is_a_submission_error(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="column 1 is 'id'; expected 'Id'"):
        submission(tmp_path, "id,Category\n0001,1\n")
