"""A web server that breaks off, refuses and forgets as told, and what there is to fetch."""

import hashlib
import io
import random
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mlspring import catalog
from mlspring.core.spec import Spec


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


BODY = random.Random(0).randbytes(1_000_000)  # the same in every test process
SHA = "sha256:" + hashlib.sha256(BODY).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
