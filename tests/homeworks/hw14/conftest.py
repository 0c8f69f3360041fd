"""Finished runs that tests of this homework only read: those of the contract, made once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.runs import Run
from mlspring.homeworks.hw14_lifelong import quiz
from tests.contract.conftest import finished, shared

__all__ = ["finished", "shared"]


@pytest.fixture
def copied_run(
    finished: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Run]:
    """Return the function that copies a finished run of three tasks, which the quiz then takes."""
    monkeypatch.setattr(quiz, "NUM_TASKS", 3)

    def copy(recipe: str, name: str = "20260101-000000-s0") -> Run:
        made = finished(catalog.find("hw14"), recipe=f"world/{recipe}")
        folder = tmp_path / "runs" / "hw14" / recipe / name
        shutil.copytree(made.folder, folder)
        return Run.open(folder)

    return copy
