"""The wheel: what a learner installs without the checkout holds everything that runs."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "mlspring"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--wheel-dir", str(folder)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("mlspring-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder, as an installation unpacks it."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def mlspring(installed: Path, folder: Path, *arguments: str) -> str:
    """Return what a verb prints where only the wheel's copy can be imported."""
    done = subprocess.run(
        [sys.executable, "-m", "mlspring", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed), "MLSPRING_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    git = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run([*git, "src/mlspring"], capture_output=True, text=True, check=True)
        names = listed.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):  # no repository: an unpacked archive
        names = [path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*")]
        names = [name for name in names if "__pycache__" not in name]
    wanted = {name.removeprefix("src/") for name in names if (ROOT / name).is_file()}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == wanted
    for kind in ("world/simple.toml", "report.html.j2", "migrations/env.py", "README.md"):
        assert any(name.endswith(kind) for name in packed), kind


def test_a_run_from_the_wheel_is_scored_ranked_and_reported(
    installed: Path, tmp_path: Path
) -> None:
    told = json.loads(mlspring(installed, tmp_path, "list", "--json"))
    assert len(told) >= 7
    where = subprocess.run(
        [sys.executable, "-c", "import mlspring; print(mlspring.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)
    sets = ("--set", "train.steps=20", "--set", "train.validate_every=10")
    result = json.loads(mlspring(installed, tmp_path, "run", "hw01", "simple", *sets, "--json"))
    assert result["score"]["public"] > 0
    rows = json.loads(mlspring(installed, tmp_path, "board", "hw01", "--json"))
    assert "me" in json.dumps(rows)
    page = mlspring(installed, tmp_path, "report", result["run"]).strip()
    assert "<svg" in (tmp_path / page).read_text(encoding="utf-8")
    environment = json.loads((tmp_path / result["run"] / "environment.json").read_text())
    assert environment["commit"] is None  # the checkout is not asked
