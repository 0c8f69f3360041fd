"""One file from the web: whole, resumed, refused."""

import errno
import hashlib
import io
import socket
import types
from pathlib import Path

import pytest

from mlspring.core.errors import MachineError
from mlspring.verbs import download as web
from mlspring.verbs.download import download
from mlspring.verbs.transfer import UnavailableError
from tests.tiny.web import BODY, SHA, Server, names


@pytest.mark.parametrize("checksum", ["", SHA, "md5:" + hashlib.md5(BODY).hexdigest()])
def test_a_file_comes_whole(tmp_path: Path, server: Server, checksum: str) -> None:
    server.files["a.zip"] = BODY
    out = download(server.url("a.zip"), tmp_path / "new" / "a.zip", checksum=checksum)
    assert out.read_bytes() == BODY
    assert names(out.parent) == ["a.zip"]
    assert server.asked == [("a.zip", None)]
    assert download(server.url("a.zip"), out, checksum=checksum) == out
    assert len(server.asked) == 1  # it is there already


def test_a_broken_transfer_goes_on_where_it_stopped(tmp_path: Path, server: Server) -> None:
    server.files["a.zip"] = BODY
    server.break_after = [300_000, 0, 0, 200_000]
    out = download(server.url("a.zip"), tmp_path / "a.zip", checksum=SHA)
    assert out.read_bytes() == BODY
    assert [wanted for _, wanted in server.asked] == [
        None,
        "bytes=300000-",
        "bytes=300000-",
        "bytes=300000-",
        "bytes=500000-",
    ]


def test_a_transfer_that_never_gets_on_is_given_up_and_resumed_later(
    tmp_path: Path, server: Server
) -> None:
    server.files["a.zip"] = BODY
    server.break_after = [400_000, 0, 0, 0, 0, 0]
    with pytest.raises(UnavailableError, match=r"broke off 4 times \(400\.0 kB of 1\.0 MB came\)"):
        download(server.url("a.zip"), tmp_path / "a.zip")
    assert names(tmp_path) == ["a.zip.part", "a.zip.part.tag"]
    server.break_after, server.asked = [], []
    assert download(server.url("a.zip"), tmp_path / "a.zip").read_bytes() == BODY
    assert server.asked == [("a.zip", "bytes=400000-")]
    assert names(tmp_path) == ["a.zip"]


def test_ctrl_c_keeps_what_has_come(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["a.zip"] = BODY

    def interrupt(*arguments: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        server.break_after = [350_000]
        patch.setattr(web.time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            download(server.url("a.zip"), tmp_path / "a.zip", checksum=SHA)
    assert (tmp_path / "a.zip.part").stat().st_size == 350_000
    assert download(server.url("a.zip"), tmp_path / "a.zip", checksum=SHA).read_bytes() == BODY
    assert server.asked[-1] == ("a.zip", "bytes=350000-")


def test_a_file_that_changed_meanwhile_starts_anew(tmp_path: Path, server: Server) -> None:
    server.files["a.zip"] = b"old" * 100_000
    server.break_after = [100_000, 0, 0, 0, 0]
    with pytest.raises(UnavailableError):
        download(server.url("a.zip"), tmp_path / "a.zip")
    server.files["a.zip"], server.tag, server.break_after = BODY, '"v2"', []
    assert download(server.url("a.zip"), tmp_path / "a.zip").read_bytes() == BODY


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_tag_or_checksum_nothing_is_pasted_together(
    tmp_path: Path, server: Server, tag: str
) -> None:
    server.files["a.zip"], server.tag, server.break_after = BODY, tag, [100_000]
    assert download(server.url("a.zip"), tmp_path / "a.zip").read_bytes() == BODY
    assert [wanted for _, wanted in server.asked] == [None, None]
    # With a checksum the rest may be asked for: a wrong whole would be noticed.
    server.asked, server.break_after = [], [100_000]
    download(server.url("a.zip"), tmp_path / "b.zip", checksum=SHA)
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-"]


def test_a_server_that_ignores_ranges_starts_anew(tmp_path: Path, server: Server) -> None:
    server.files["a.zip"], server.knows_ranges, server.break_after = BODY, False, [100_000]
    assert download(server.url("a.zip"), tmp_path / "a.zip", checksum=SHA).read_bytes() == BODY


@pytest.mark.parametrize("extra", [0, 7])
def test_a_part_that_is_complete_or_too_long(tmp_path: Path, server: Server, extra: int) -> None:
    server.files["a.zip"] = BODY
    (tmp_path / "a.zip.part").write_bytes(BODY + bytes(extra))
    assert download(server.url("a.zip"), tmp_path / "a.zip", checksum=SHA).read_bytes() == BODY
    assert len(server.asked) == (1 if extra == 0 else 2)


def test_a_wrong_checksum_is_rejected_and_removed(tmp_path: Path, server: Server) -> None:
    server.files["a.zip"] = b"something else"
    with pytest.raises(UnavailableError, match=f"wrong checksum sha256:.*, expected {SHA}; remov"):
        download(server.url("a.zip"), tmp_path / "a.zip", checksum=SHA)
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_web_page_is_no_file(tmp_path: Path, server: Server, kind: str) -> None:
    server.files["a.zip"], server.kinds["a.zip"] = b"<!doctype html><title>Log in", kind
    with pytest.raises(UnavailableError, match="a web page came instead of the file"):
        download(server.url("a.zip"), tmp_path / "a.zip")
    assert names(tmp_path) == []


def test_a_web_page_does_not_cost_what_has_come_already(tmp_path: Path, server: Server) -> None:
    server.files["a.zip"], server.tag = b"<html>too many downloads today", '"page"'
    server.kinds["a.zip"] = "text/html"
    (tmp_path / "a.zip.part").write_bytes(BODY[:500_000])
    (tmp_path / "a.zip.part.tag").write_text('"v1"')
    with pytest.raises(UnavailableError, match="a web page came"):
        download(server.url("a.zip"), tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").stat().st_size == 500_000


def test_refusals_are_told_and_busy_servers_asked_again(tmp_path: Path, server: Server) -> None:
    with pytest.raises(UnavailableError, match="the server answers 404 Not Found"):
        download(server.url("none"), tmp_path / "a.zip")
    assert len(server.asked) == 1
    server.files["a.zip"], server.status = BODY, [503, 429]
    assert download(server.url("a.zip"), tmp_path / "a.zip").read_bytes() == BODY
    server.status = [500] * 4
    with pytest.raises(UnavailableError, match=r"broke off 4 times \(the server answers 500"):
        download(server.url("a.zip"), tmp_path / "b.zip")


def test_a_longer_file_than_allowed_is_refused(tmp_path: Path, server: Server) -> None:
    server.files["a.zip"] = BODY
    with pytest.raises(UnavailableError, match=r"1\.0 MB are more than the bound of 100 bytes"):
        download(server.url("a.zip"), tmp_path / "a.zip", max_bytes=100)


def test_no_room_on_the_disk_is_told_before_anything_comes(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["a.zip"] = BODY
    usage = types.SimpleNamespace(total=10**9, used=10**9, free=5000)
    monkeypatch.setattr(web.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(MachineError, match=r"1\.0 MB are to come and 5\.0 kB are free"):
        download(server.url("a.zip"), tmp_path / "a.zip")


def test_a_disk_that_fills_up_leaves_nothing(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["a.zip"] = BODY

    class Full(io.RawIOBase):
        name = "a.zip.part"

        def write(self, block: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    original = Path.open

    def opened(self: Path, mode: str = "r", **options: object) -> object:
        return Full() if mode == "ab" else original(self, mode, **options)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(MachineError, match="the disk is full"):
        download(server.url("a.zip"), tmp_path / "a.zip")
    assert names(tmp_path) == []


def test_no_connection_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match=r"no connection \(Connection refused\)"):
        download(f"http://127.0.0.1:{port}/a.zip", tmp_path / "a.zip")
    with pytest.raises(UnavailableError, match=r"no connection \(.+\)"):
        download("http://no-such-host.invalid/a.zip", tmp_path / "a.zip")
