"""Who opens, who writes: the verb's promises that need no training."""

import pickle
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch

from mlspring import catalog
from mlspring.core.errors import DataError, RunError
from mlspring.core.runs import Request, Run
from mlspring.kit import distributed
from mlspring.verbs import run as verb
from mlspring.verbs import torchrun

REQUEST = Request(homework="hw03", recipe="strong")


class Peers:
    """Two processes of ``torchrun``, one after the other: the second hears what the first said."""

    def __init__(self) -> None:
        self.is_main, self.said = True, b""

    def broadcast(self, value: Any) -> Any:
        if self.is_main:
            self.said = pickle.dumps(value)
        return pickle.loads(self.said)


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Peers:
    both = Peers()
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(distributed, "start", lambda **_: both)
    return both


def test_one_process_writes_a_run_and_the_others_read_it(tmp_path: Path, peers: Peers) -> None:
    first = torchrun.opened(REQUEST, lambda: Run.create(tmp_path, REQUEST, ""))
    peers.is_main = False
    second = torchrun.opened(
        REQUEST, lambda: pytest.fail("only the first process may open for writing")
    )
    assert (first.writable, second.writable) == (True, False)
    assert (first.folder, first.request) == (second.folder, second.request)
    first.close()


def test_an_error_of_the_first_process_is_raised_in_all(tmp_path: Path, peers: Peers) -> None:
    with closing(Run.create(tmp_path, REQUEST, "")) as busy:
        for peers.is_main in (True, False):
            with pytest.raises(
                RunError, match=r"another process is writing.*\n  -> wait"
            ) as caught:
                verb.resume(busy.folder)
            assert caught.value.file == busy.folder


# ---- a recipe that wants a GPU


def told(
    monkeypatch: pytest.MonkeyPatch, *, gpu: bool, homework: str = "hw03", **asked: str
) -> list[str]:
    """Return what is said before a run whose data cannot be opened."""
    said: list[str] = []
    monkeypatch.setattr(verb.progress, "say", said.append)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    request = Request(
        **{"homework": homework, "recipe": "strong", "data": "no such folder", **asked}
    )
    with pytest.raises(DataError):
        verb.run(catalog.find(homework), request, overrides=(), out=Path("nowhere"))
    return said


def test_without_a_gpu_the_recipe_for_a_laptop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    command = "mlspring run hw03 laptop/strong --data 'no such folder'"
    expected = [f"official/strong is meant for a GPU; without one: {command}"]
    assert told(monkeypatch, gpu=False) == expected
    assert told(monkeypatch, gpu=True, device="cpu") == expected
    (said,) = told(monkeypatch, gpu=False, homework="hw11", recipe="simple")
    assert "official/simple is meant for a GPU" in said and "run hw11 laptop/boss" in said


def test_where_there_is_nothing_lighter_to_name_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert told(monkeypatch, gpu=True) == []
    assert told(monkeypatch, gpu=False, recipe="laptop/strong") == []
    assert told(monkeypatch, gpu=False, recipe="world/strong") == []
    assert told(monkeypatch, gpu=False, homework="hw01") == []
    monkeypatch.setenv("RANK", "1")
    assert told(monkeypatch, gpu=False) == []
