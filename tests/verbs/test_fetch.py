import errno
import functools
import hashlib
import io
import random
import socket
import sys
import threading
import types
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import home
from mlspring.core.spec import Spec
from mlspring.verbs import download as web
from mlspring.verbs import fetch as module
from mlspring.verbs.download import UnavailableError, download
from mlspring.verbs.fetch import fetch, load_addresses


class Server(ThreadingHTTPServer):
    """Serves ``files``; remembers the requests; breaks off or refuses as told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.kinds: dict[str, str] = {}
        self.tag = '"v1"'
        self.break_after: list[int] = []  # bytes of the body, one entry a request
        self.status: list[int] = []  # refusals, one entry a request
        self.knows_ranges = True
        self.asked: list[tuple[str, str | None]] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, name = self.server, self.path.lstrip("/").partition("?")[0]
        wanted = self.headers.get("Range")
        server.asked.append((name, wanted))
        if server.status:
            return self.send_error(server.status.pop(0))
        if name not in server.files:
            return self.send_error(404)
        body, start = server.files[name], 0
        fresh = self.headers.get("If-Range") in (None, server.tag)
        if wanted and server.knows_ranges and fresh:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - start))
        self.send_header("Content-Type", server.kinds.get(name, "application/octet-stream"))
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        cut = server.break_after.pop(0) if server.break_after else None
        self.wfile.write(body[start:] if cut is None else body[start : start + cut])

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(web, "PAUSE", 0.0)
    running = Server()
    thread = threading.Thread(target=functools.partial(running.serve_forever, 0.01))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


BODY = random.Random(0).randbytes(1_000_000)  # the same in every test process
SHA = "sha256:" + hashlib.sha256(BODY).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- one file


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


# ---- a homework's data


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


FOOD = {
    f"food11/{part}/{name}": b"jpg"
    for part, name in (("training", "0_0.jpg"), ("validation", "0_0.jpg"), ("test", "0001.jpg"))
}


def island(folder: Path, addresses: str, expects: str = '["training", "test"]') -> Spec:
    """The spec of hw03 on an island of its own with these addresses."""
    folder.mkdir()
    head = f'expects = {expects}\nby_hand = "download food11.zip and unpack it"\n'
    (folder / "addresses.toml").write_text(head + addresses)
    return replace(catalog.find("hw03"), folder=folder)


def web_address(*files: tuple[str, str], checksum: str = "") -> str:
    text = '[[address]]\nkind = "web"\nname = "a place"\n'
    for name, url in files:
        text += f'[[address.files]]\nname = "{name}"\nurl = "{url}"\nchecksum = "{checksum}"\n'
    return text


KAGGLE = '[[address]]\nkind = "kaggle"\nname = "ml2022spring-hw3b"\nnote = "join first"\n'
HUGGING = '[[address]]\nkind = "huggingface"\nname = "owner/food11"\n'


def test_an_archive_is_fetched_unpacked_and_put_in_place(tmp_path: Path, server: Server) -> None:
    server.files["food11.zip"] = packed(FOOD)
    spec = island(tmp_path / "island", web_address(("food11.zip", server.url("food11.zip"))))
    folder = fetch(spec, tmp_path / "out" / "hw03")
    assert folder == tmp_path / "out" / "hw03" / "food11"
    assert names(folder) == ["test", "training", "validation"]
    assert names(tmp_path / "out") == ["hw03"]  # no leftovers beside it
    assert fetch(spec, tmp_path / "out" / "hw03") == folder
    assert len(server.asked) == 1
    # Without a folder it goes to the cache.
    assert fetch(spec) == home() / "official" / "hw03" / "food11"


def test_plain_tables_are_fetched_one_by_one(tmp_path: Path, server: Server) -> None:
    server.files |= {"train": b"id\n1\n", "test": b"id\n2\n"}
    files = (("covid.train.csv", server.url("train")), ("covid.test.csv", server.url("test?x=1")))
    spec = island(tmp_path / "island", web_address(*files), '["covid.train.csv", "covid.test.csv"]')
    assert names(fetch(spec, tmp_path / "out")) == ["covid.test.csv", "covid.train.csv"]


def test_the_next_address_is_tried_when_one_fails(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files |= {
        "page.zip": b"<html>quota",
        "wrong.zip": packed({"something/else.txt": b"1"}),
        "broken.zip": packed(FOOD)[:-30],
        "evil.zip": packed(FOOD | {"../evil": b"1"}),
        "good.zip": packed(FOOD),
    }
    places = ["none.zip", *server.files]
    text = "".join(web_address((name, server.url(name))) for name in places)
    assert fetch(island(tmp_path / "island", text), tmp_path / "out").name == "food11"
    assert [name for name, _ in server.asked] == places
    assert names(tmp_path) == ["island", "out"]
    assert "hw03: trying a place: http://127.0.0.1" in capsys.readouterr().err


def test_when_every_address_fails_each_is_named_with_its_reason(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    server.files |= {"wrong.zip": packed({"a.txt": b"1"}), "changed.zip": b"x"}
    dead = "http://no-such-host.invalid/food11.zip"
    text = KAGGLE + "".join(
        [
            web_address(("food11.zip", dead)),
            web_address(("food11.zip", server.url("wrong.zip"))),
            web_address(("food11.zip", server.url("changed.zip")), checksum=SHA),
        ]
    )
    with pytest.raises(MachineError) as caught:
        fetch(island(tmp_path / "island", text), tmp_path / "out")
    message = str(caught.value)
    for expected in (
        "the data of hw03 could not be fetched; tried\n  1. Kaggle competition ml2022spring-hw3b\n",
        "     needs an extra package; in the checkout: pip install -e '.[fetch]' -c constraints",
        "constraints.txt\n     join first\n",
        f"  2. a place: {dead}\n     no connection (",
        "     what came lacks training, test\n",
        "     wrong checksum sha256:",
        "  -> download food11.zip and unpack it\n",
        "--data DIR; the built-in world needs no network",
    ):
        assert expected in message
    assert names(tmp_path) == ["island"]


def test_an_interrupted_fetch_goes_on(tmp_path: Path, server: Server) -> None:
    body = packed(FOOD | {"food11/training/big": BODY})
    server.files["food11.zip"], server.break_after = body, [600_000, 0, 0, 0, 0]
    spec = island(tmp_path / "island", web_address(("food11.zip", server.url("food11.zip"))))
    with pytest.raises(MachineError, match="broke off 4 times"):
        fetch(spec, tmp_path / "out")
    assert names(tmp_path) == [".out.fetch", "island"]
    server.break_after, server.asked = [], []
    fetch(spec, tmp_path / "out")
    assert server.asked == [("food11.zip", "bytes=600000-")]
    assert names(tmp_path) == ["island", "out"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_stopped_unpacking_does_not_cost_another_download(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    server.files["food11.zip"] = packed(FOOD)
    spec = island(tmp_path / "island", web_address(("food11.zip", server.url("food11.zip"))))

    def stopped(archive: Path, to: Path) -> None:
        (to / "food11").mkdir(parents=True)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "extract", stopped)
        with pytest.raises((KeyboardInterrupt, MachineError)):
            fetch(spec, tmp_path / "out")
    assert names(tmp_path) == [".out.fetch", "island"]
    assert not (tmp_path / ".out.fetch" / "files").exists()
    assert names(fetch(spec, tmp_path / "out")) == ["test", "training", "validation"]
    assert server.asked == [("food11.zip", None)]
    assert names(tmp_path) == ["island", "out"]


def test_a_stopped_unpacking_does_not_ask_kaggle_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def competition_download(name: str, *, output_dir: str) -> None:
        asked.append(name)
        (Path(output_dir) / "food11.zip").write_bytes(packed(FOOD))

    stand_in = types.SimpleNamespace(competition_download=competition_download)
    monkeypatch.setitem(sys.modules, "kagglehub", stand_in)
    spec = island(tmp_path / "island", KAGGLE)

    def stopped(archive: Path, to: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "extract", stopped)
        with pytest.raises(KeyboardInterrupt):
            fetch(spec, tmp_path / "out")
    assert fetch(spec, tmp_path / "out").name == "food11"
    assert asked == ["ml2022spring-hw3b"]
    assert names(tmp_path) == ["island", "out"]


def test_kaggle_is_asked_with_its_own_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def competition_download(name: str, *, output_dir: str) -> str:
        asked.append(name)
        (Path(output_dir) / "food11.zip").write_bytes(packed(FOOD))
        return output_dir

    stand_in = types.SimpleNamespace(competition_download=competition_download)
    monkeypatch.setitem(sys.modules, "kagglehub", stand_in)
    folder = fetch(island(tmp_path / "island", KAGGLE), tmp_path / "out")
    assert asked == ["ml2022spring-hw3b"]
    assert names(folder) == ["test", "training", "validation"]
    assert names(tmp_path / "out") == ["food11"]


def test_what_kaggle_or_hugging_face_raise_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError("not allowed\nlong explanation")

    monkeypatch.setitem(
        sys.modules, "kagglehub", types.SimpleNamespace(competition_download=refuse)
    )
    monkeypatch.setitem(
        sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=refuse)
    )
    with pytest.raises(MachineError) as caught:
        fetch(island(tmp_path / "island", KAGGLE + HUGGING), tmp_path / "out")
    assert str(caught.value).count("     RuntimeError: not allowed\n") == 2
    assert "2. Hugging Face data set owner/food11" in str(caught.value)


def test_the_libraries_have_what_we_call() -> None:
    kagglehub = pytest.importorskip("kagglehub")
    hub = pytest.importorskip("huggingface_hub")
    import inspect

    assert "output_dir" in inspect.signature(kagglehub.competition_download).parameters
    assert {"repo_type", "local_dir"} <= set(inspect.signature(hub.snapshot_download).parameters)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, server: Server) -> None:
    spec = island(tmp_path / "island", web_address(("a.zip", server.url("a.zip"))))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(DataError, match="holds something else; expected an empty or new folder"):
        fetch(spec, tmp_path / "out")
    assert server.asked == []
    assert names(tmp_path / "out") == ["thesis.tex"]


def test_two_at_once_do_not_mix(tmp_path: Path, server: Server) -> None:
    import fcntl

    spec = island(tmp_path / "island", web_address(("a.zip", server.url("a.zip"))))
    (tmp_path / ".out.fetch").mkdir()
    with (tmp_path / ".out.fetch" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MachineError, match="another process is fetching this"):
            fetch(spec, tmp_path / "out")


def test_a_homework_without_addresses_says_so(tmp_path: Path) -> None:
    spec = replace(catalog.find("hw03"), folder=tmp_path)
    with pytest.raises(DataError, match="hw03 has no official data to fetch"):
        fetch(spec, tmp_path / "out")


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_the_shipped_addresses_are_complete(spec: Spec) -> None:
    addresses = load_addresses(spec)
    assert addresses.expects and addresses.by_hand
    assert addresses.address
    for address in addresses.address:
        assert (address.kind == "web") == bool(address.files)
        for file in address.files:
            assert file.url.startswith("https://")
            if not file.checksum:  # nobody has told one
                continue
            kind, _, digits = file.checksum.partition(":")
            assert len(digits) == {"sha256": 64, "md5": 32}[kind]


def test_the_real_table_has_the_shipped_checksum(real_data: Path) -> None:
    content = (real_data / "hw01" / "covid.test.csv").read_bytes()
    files = [f for a in load_addresses(catalog.find("hw01")).address for f in a.files]
    checksums = {file.name: file.checksum for file in files}
    assert checksums["covid.test.csv"] == "md5:" + hashlib.md5(content).hexdigest()
