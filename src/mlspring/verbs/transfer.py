"""What bounds a transfer from the web: where it may be led, and how slow it may be."""

import ipaddress
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPMessage
from typing import IO
from urllib.parse import urlsplit

from mlspring.core.foreign_text import shown
from mlspring.core.texts import size

WINDOW = 60.0  # seconds in which at least so many bytes must come:
WINDOW_BYTES = 60_000


class UnavailableError(Exception):
    """An address does not give the file; the reason is one sentence."""


class InterruptedDownloadError(Exception):
    """A transfer broke off and may go on."""


class Pace:
    """The bytes that have come; a transfer that is given up can add none."""

    def __init__(self) -> None:
        self.num_bytes, self.given_up = 0, False

    def add(self, num_bytes: int) -> None:
        """Count what came, before it is written.

        Raises:
            InterruptedDownloadError: nobody waits for it any more.
        """
        if self.given_up:
            raise InterruptedDownloadError("given up")
        self.num_bytes += num_bytes


def keep_pace(transfer: Callable[[Pace], None]) -> None:
    """Run ``transfer`` in a thread of its own and wait for it while enough comes.

    A server that sends a byte now and then never runs into the time limit of a socket, wherever it
    does so: in its headers, in the length of a chunk or in the file.

    Raises:
        UnavailableError: less than ``WINDOW_BYTES`` came in ``WINDOW`` seconds.
        Exception: what ``transfer`` raised.
    """
    pace, errors = Pace(), list[BaseException]()

    def run() -> None:
        try:
            transfer(pace)
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    before, began = 0, time.monotonic()
    try:
        while thread.is_alive():
            thread.join(0.1)
            if time.monotonic() - began < WINDOW or not thread.is_alive():
                continue
            if pace.num_bytes - before < WINDOW_BYTES:
                came = size(pace.num_bytes - before)
                raise UnavailableError(f"too slow: {came} came in {WINDOW:.0f} s")
            before, began = pace.num_bytes, time.monotonic()
    finally:
        pace.given_up = True
    if errors:
        raise errors[0]


class SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a server to another address, but never to a less safe one or to this machine."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request for the new address.

        Raises:
            UnavailableError: it leads from https to http, or from elsewhere to a private address.
        """
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        target = shown(newurl, longest=200)
        if new.scheme.lower() not in ("http", "https"):
            raise UnavailableError(f"the server leads to {target}, no address of http or https")
        if old.scheme.lower() == "https" and new.scheme.lower() == "http":
            raise UnavailableError(f"the server leads from https to {target}")
        if _is_local(new.hostname) and not _is_local(old.hostname):
            raise UnavailableError(f"the server leads to {target}, an address of this network")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_local(host: str | None) -> bool:
    """Return whether a host is this machine or one of its own network, as far as its name tells."""
    name = (host or "localhost").rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return False
