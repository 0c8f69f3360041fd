"""Files from elsewhere: regular, bounded, no links; whatever else is there is a sentence."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlspring.core import foreign
from mlspring.core.errors import DataError, RunError
from mlspring.core.files import demand_writable
from mlspring.core.foreign import (
    demand_plain_tree,
    open_regular,
    read_bytes_bounded,
    read_json_bounded,
    read_json_lines,
    read_text_bounded,
)


def test_a_file_is_read_up_to_its_bound_and_not_a_byte_more(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bytes_bounded(path, 5) == b"12345"
    with pytest.raises(DataError, match="has more than 4 bytes"):
        read_bytes_bounded(path, 4)
    path.write_bytes(b"\xef\xbb\xbfna\xefve\n")
    assert read_text_bounded(path, 100) == "na\ufffdve\n"


def test_a_link_is_followed_only_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("secret")
    assert read_bytes_bounded(tmp_path / "link", 10) == b"secret"
    with pytest.raises(DataError, match="link: is a link"):
        read_bytes_bounded(tmp_path / "link", 10, follow_links=False)
    if hasattr(os, "O_NOFOLLOW"):  # a link that is put there after the check
        monkeypatch.setattr(Path, "is_symlink", lambda self: False)
        with pytest.raises(DataError, match="link: cannot be read"):
            read_bytes_bounded(tmp_path / "link", 10, follow_links=False)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_what_is_no_file_is_named_and_nothing_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path, words in (
        (tmp_path / "pipe", "pipe"),
        (tmp_path, "folder"),
        (Path("/dev/zero"), "device"),
    ):
        for _ in range(5):
            with pytest.raises(DataError, match=words):
                open_regular(path)
    for name in ("none", "nul\0"):
        with pytest.raises(DataError, match=r"is missing|cannot be read"):
            open_regular(tmp_path / name)
    for _ in range(5):
        demand_writable(tmp_path, "the board")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["MAX_MEMBERS", "MAX_DEPTH"])
def test_a_tree_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c" / "d").touch()
    demand_plain_tree(tmp_path)
    monkeypatch.setattr(foreign, name, 2)
    with pytest.raises(RunError, match="far too many or too deep"):
        demand_plain_tree(tmp_path, RunError)


def test_a_log_is_bounded_in_its_lines_and_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": 1}\n' * 10)
    assert len(list(read_json_lines(path))) == 10
    with monkeypatch.context() as patch:
        patch.setattr(foreign, "MAX_LOG_BYTES", 89)
        with pytest.raises(DataError, match="has more than 89 bytes"):
            list(read_json_lines(path))
    monkeypatch.setattr(foreign, "MAX_LINE_BYTES", 8)
    with pytest.raises(DataError, match="row 1"):
        list(read_json_lines(path))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(st.binary(max_size=200), st.text(alphabet='{}[]",:0123456789eE.-\n a', max_size=80))
)
def test_any_bytes_are_a_value_or_a_sentence(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for read in (read_json_bounded, lambda file: list(read_json_lines(file))):
        try:
            read(path)
        except DataError as error:
            assert error.file == path
