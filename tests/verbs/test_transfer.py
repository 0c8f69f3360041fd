"""What bounds a transfer: addresses, redirects, what a server says, and how slow it is."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlspring.verbs import transfer as module
from mlspring.verbs.download import download
from mlspring.verbs.transfer import Pace, SafeRedirects, UnavailableError, keep_pace


@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "ftp://host/a", "data:text/plain,a", "/etc/hostname", "", "\x1b"],
)
def test_only_web_addresses_are_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnavailableError, match="is no address of http or https") as told:
        download(url, tmp_path / "a")
    assert "\x1b" not in str(told.value)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("https://a.org/x", "http://a.org/x", "leads from https to http://a.org/x"),
        ("https://a.org/x", "https://localhost/x", "an address of this network"),
        ("http://a.org/x", "http://127.0.0.1:9/x", "an address of this network"),
        ("http://a.org/x", "http://[::1]/x", "an address of this network"),
        ("http://a.org/x", "http://10.0.0.7/x", "an address of this network"),
        ("http://a.org/x", "http://169.254.169.254/latest", "an address of this network"),
        ("http://a.org/x", "http://LOCALHOST./x", "an address of this network"),
        ("http://a.org/x", "ftp://a.org/x", "no address of http or https"),
        ("http://a.org/x", "http://a.org/x", None),
        ("http://a.org/x", "https://b.org/y", None),
        ("http://127.0.0.1:8/x", "http://127.0.0.1:9/x", None),
        ("https://a.org/x", "https://8.8.8.8/x", None),
    ],
)
def test_a_server_leads_only_where_it_is_as_safe(old: str, new: str, words: str | None) -> None:
    request = module.urllib.request.Request(old)

    def follow() -> object:
        return SafeRedirects().redirect_request(request, None, 302, "", {}, new)  # type: ignore[arg-type]

    if words is None:
        followed = follow()
        assert getattr(followed, "full_url", None) == new
    else:
        with pytest.raises(UnavailableError) as told:
            follow()
        assert words in str(told.value)


class RawServer:
    """Sends the given bytes, then one byte after the other, for ever or until nobody listens."""

    def __init__(self, head: bytes, drip: bytes = b"") -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.head, self.drip, self.stopped = head, drip, False
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/a"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self.stopped:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(10_000)
                connection.sendall(self.head)
                while self.drip and not self.stopped:
                    connection.sendall(self.drip)
                    time.sleep(0.01)
            except OSError:
                return


@pytest.fixture
def servers() -> Iterator[list[RawServer]]:
    made: list[RawServer] = []
    yield made
    for server in made:
        server.stopped = True
        server.listener.close()


DRIPS = {
    "headers": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"a"),
    "body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
    "length of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a"),
}


@pytest.mark.parametrize(("head", "drip"), DRIPS.values(), ids=DRIPS.keys())
def test_a_dripping_server_is_given_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    servers: list[RawServer],
    head: bytes,
    drip: bytes,
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(module, "WINDOW", 0.5)
    servers.append(RawServer(head, drip))
    with pytest.raises(UnavailableError, match=r"too slow: \d+ bytes came in 0 s"):
        download(servers[0].url, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1e3", "٣", "0x10", "9" * 19])
def test_a_length_that_is_no_number_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: list[RawServer], length: str
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
    servers.append(RawServer(head.encode("utf-8")))
    with pytest.raises(UnavailableError):
        download(servers[0].url, tmp_path / "a")


def test_a_servers_words_send_no_codes_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers: list[RawServer]
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    servers.append(RawServer(b"HTTP/1.1 404 \x1b[31mgone\x1b[2J\r\n\r\n"))
    with pytest.raises(UnavailableError, match="the server answers 404") as told:
        download(servers[0].url, tmp_path / "a")
    assert "\x1b" not in str(told.value)


def test_enough_bytes_in_each_window_keep_a_slow_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW", 0.2)
    monkeypatch.setattr(module, "WINDOW_BYTES", 10)

    added = []

    def transfer(pace: Pace) -> None:
        for number in range(30):
            pace.add(10)
            added.append(number)
            time.sleep(0.03)

    keep_pace(transfer)
    assert added == list(range(30)), "nobody stopped it"


def test_a_transfer_that_is_given_up_writes_nothing_more() -> None:
    pace = Pace()
    pace.add(5)
    pace.given_up = True
    with pytest.raises(module.InterruptedDownloadError):
        pace.add(5)
    assert pace.num_bytes == 5


def test_an_error_of_a_transfer_comes_through() -> None:
    def transfer(pace: Pace) -> None:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        keep_pace(transfer)
