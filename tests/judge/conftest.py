"""What every test of the judge starts from: a fake homework, its answers, an empty store."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # child processes of the judge inherit it

import fake_island

from mlspring import catalog
from mlspring.core.spec import Spec
from mlspring.judge import database
from mlspring.judge.service import open_store
from mlspring.judge.store import Store


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of tiny transactions need not survive a power cut."""
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    monkeypatch.setattr(catalog, "part", fake_island.part)
    return fake_island.make_spec(tmp_path / "island")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return fake_island.write_answers(tmp_path / "answers.csv")


@pytest.fixture
def store() -> Store:
    return open_store()
