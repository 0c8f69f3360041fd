"""Every test has a cache folder of its own; real files are used where they are at hand."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def isolated_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Point MLSPRING_HOME at a fresh folder."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MLSPRING_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the course's own files, ``hw01/`` .. ``hw15/``; skips where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MLSPRING_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no real course files here; set MLSPRING_REAL_DATA to test on them")
    return folder
