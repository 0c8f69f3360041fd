"""What the tests of the contract share: finished runs and worlds, made once for all of them."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mlspring.core.runs import Run
from tests.contract.journey import finished_run


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of this execution of pytest, the same in all processes that test at once."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def finished(shared: Path) -> Callable[..., Run]:
    """Return the function that returns a homework's finished run; to be read, not changed."""
    return partial(finished_run, shared=shared / "finished-runs")
