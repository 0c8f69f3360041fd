"""What several tests of the verbs start from."""

import functools
import threading
from collections.abc import Iterator

import pytest

from mlspring.verbs import download as web
from tests.tiny.web import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web server on this machine, whose files a test puts in place."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(web, "PAUSE", 0.0)
    running = Server()
    thread = threading.Thread(target=functools.partial(running.serve_forever, 0.01))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()
