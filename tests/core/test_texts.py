import os
from pathlib import Path

import pytest

from mlspring.core.errors import DataError, InternalError, SubmissionError
from mlspring.core.texts import (
    count,
    read_bytes,
    read_lines,
    read_text,
    size,
    whole_number,
    write_lines,
)


def test_lines_end_only_where_an_editor_ends_them(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes("\ufeffone\r\ntwo \u2028 still two\x0b\n\nfour".encode())
    assert read_lines(path, max_bytes=100, max_lines=4) == [
        "one",
        "two \u2028 still two\x0b",
        "",
        "four",
    ]
    with pytest.raises(SubmissionError, match=r"has 4 lines; expected at most 3"):
        read_lines(path, max_bytes=100, max_lines=3, error=SubmissionError)


def test_written_lines_are_read_back(tmp_path: Path) -> None:
    lines = ["", "你好 ", "x" * 1000, ""]
    write_lines(tmp_path / "out.txt", lines)
    assert read_lines(tmp_path / "out.txt", max_bytes=2000, max_lines=4) == lines
    with pytest.raises(InternalError, match="row 2: a line holds a line break"):
        write_lines(tmp_path / "out.txt", ["a", "b\nc"])


def test_two_hundred_megabytes_are_refused_without_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "submission.csv"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)

    def opened(*arguments: object) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr("builtins.open", opened)
    with pytest.raises(DataError, match=r"has 200\.0 MB; expected at most 1\.0 MB"):
        read_text(path, max_bytes=1_000_000)


def test_a_file_that_says_nothing_of_its_size_is_not_read_further_than_the_bound() -> None:
    with pytest.raises(DataError, match=r"is a device or a pipe|grew while"):
        read_bytes(Path("/dev/zero"), max_bytes=100)
    # Files of the kernel say zero bytes and have more.
    with pytest.raises(DataError, match=r"grew while it was read; expected at most 10 bytes"):
        read_bytes(Path("/proc/meminfo"), max_bytes=10)


def test_a_pipe_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is a device or a pipe; expected a file"):
        read_bytes(tmp_path / "pipe", max_bytes=10)


def test_the_bound_itself_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_bytes(tmp_path / "x", max_bytes=5) == b"12345"
    with pytest.raises(DataError, match="has 5 bytes; expected at most 4 bytes"):
        read_bytes(tmp_path / "x", max_bytes=4)


def test_folders_missing_files_and_bad_names(tmp_path: Path) -> None:
    (tmp_path / "covid.train.csv").write_text("x")
    with pytest.raises(DataError, match="is a folder; expected a file"):
        read_bytes(tmp_path, max_bytes=10)
    with pytest.raises(DataError, match=r"there is no such file\n  -> did you mean .*train\.csv"):
        read_bytes(tmp_path / "covid_train.csv", max_bytes=10)
    with pytest.raises(DataError, match=r"there is no such file$"):
        read_bytes(tmp_path / "nowhere" / "x", max_bytes=10)
    for name in ("a" * 300, "a\0b"):
        with pytest.raises(DataError, match="cannot be read"):
            read_bytes(tmp_path / name, max_bytes=10)


def test_an_unreadable_file_says_how_to_allow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("x")
    path.chmod(0)
    if os.geteuid() == 0:  # an administrator may read everything

        def refuse(self: Path, mode: str) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"cannot be read\n  -> allow reading it, e.g. chmod u\+r"):
        read_bytes(path, max_bytes=10)


def test_sizes_and_counts_for_people() -> None:
    assert [size(n) for n in (0, 999, 1000, 1_163_077_597, 5e15)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "1.2 GB",
        "5000.0 TB",
    ]
    assert [count(n, "row") for n in (0, 1, 3347)] == ["0 rows", "1 row", "3,347 rows"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(
            ("0", 0),
            ("7", 7),
            ("+7", 7),
            ("-0", 0),
            ("007", 7),
            ("100", 100),
            ("0" * 5000 + "5", 5),
        ),
        *(("101", None), ("-1", None), ("", None), ("+", None), ("1.0", None), ("1e2", None)),
        *(("1_0", None), (" 7", None), ("\u0667", None), ("\uff17", None), ("\u00b2", None)),
        *(("9" * 10**6, None), ("0x1", None), ("--1", None), ("7\n", None)),
    ],
)
def test_a_number_from_outside_is_plain_and_bounded(text: str, number: int | None) -> None:
    assert whole_number(text, high=100) == number


def test_a_number_may_be_negative_where_that_is_allowed() -> None:
    assert whole_number("-12", low=-12, high=3) == -12
    assert whole_number("-13", low=-12, high=30) is None
