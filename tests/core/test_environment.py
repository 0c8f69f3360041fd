"""What a run writes down about the machine and the code it ran on."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from mlspring.core import environment as module
from mlspring.core.environment import environment


def test_what_a_result_depends_on_is_told() -> None:
    told = environment()
    assert set(told) >= {"versions", "commit", "system", "processor", "cores", "started"}
    assert told["versions"]["python"].startswith("3.")


def test_the_threads_are_those_that_torch_computes_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(get_num_threads=lambda: 7))
    assert environment()["threads"] == 7
    monkeypatch.delitem(sys.modules, "torch")
    assert environment()["threads"] is None  # and torch is not imported for it


@pytest.mark.parametrize("place", ["lib/site-packages", "mlspring/src", "project/src"])
def test_a_learners_own_repository_is_not_our_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "mlspring").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "mlspring" / "pyproject.toml").write_text('[project]\nname = "mlspring"\n')
    (tmp_path / "project" / "pyproject.toml").write_text('[project]\nname = "thesis"\n')
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "mine"], check=True)
    file = tmp_path / place / "mlspring" / "core" / "environment.py"
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(file))
    assert environment()["commit"] is None


def test_our_checkout_tells_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(tmp_path)]
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mlspring"\n')
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "ours"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "src/mlspring/core/environment.py"))
    assert len(environment()["commit"]) == 12
    (tmp_path / "pyproject.toml").write_text('# changed\n[project]\nname = "mlspring"\n')
    assert environment()["commit"].endswith("+")


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", absent)
    assert environment()["commit"] is None
