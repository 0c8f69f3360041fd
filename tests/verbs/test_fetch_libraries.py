"""A homework's data by way of Kaggle's and Hugging Face's own libraries."""

import sys
import types
from pathlib import Path

import pytest

from mlspring.core.errors import MachineError
from mlspring.verbs import fetch as module
from mlspring.verbs.fetch import fetch
from tests.tiny.web import FOOD, island, names, packed

KAGGLE = '[[address]]\nkind = "kaggle"\nname = "ml2022spring-hw3b"\nnote = "join first"\n'
HUGGING = '[[address]]\nkind = "huggingface"\nname = "owner/food11"\n'


def test_a_stopped_unpacking_does_not_ask_kaggle_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def competition_download(name: str, *, output_dir: str) -> None:
        asked.append(name)
        (Path(output_dir) / "food11.zip").write_bytes(packed(FOOD))

    stand_in = types.SimpleNamespace(competition_download=competition_download)
    monkeypatch.setitem(sys.modules, "kagglehub", stand_in)
    spec = island(tmp_path / "island", KAGGLE)

    def stopped(archive: Path, to: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "extract", stopped)
        with pytest.raises(KeyboardInterrupt):
            fetch(spec, tmp_path / "out")
    assert fetch(spec, tmp_path / "out").name == "food11"
    assert asked == ["ml2022spring-hw3b"]
    assert names(tmp_path) == ["island", "out"]


def test_kaggle_is_asked_with_its_own_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def competition_download(name: str, *, output_dir: str) -> str:
        asked.append(name)
        (Path(output_dir) / "food11.zip").write_bytes(packed(FOOD))
        return output_dir

    stand_in = types.SimpleNamespace(competition_download=competition_download)
    monkeypatch.setitem(sys.modules, "kagglehub", stand_in)
    folder = fetch(island(tmp_path / "island", KAGGLE), tmp_path / "out")
    assert asked == ["ml2022spring-hw3b"]
    assert names(folder) == ["test", "training", "validation"]
    assert names(tmp_path / "out") == ["food11"]


def test_what_kaggle_or_hugging_face_raise_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError("not allowed\nlong explanation")

    monkeypatch.setitem(
        sys.modules, "kagglehub", types.SimpleNamespace(competition_download=refuse)
    )
    monkeypatch.setitem(
        sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=refuse)
    )
    with pytest.raises(MachineError) as caught:
        fetch(island(tmp_path / "island", KAGGLE + HUGGING), tmp_path / "out")
    assert str(caught.value).count("     RuntimeError: not allowed\n") == 2
    assert "2. Hugging Face data set owner/food11" in str(caught.value)


def test_the_libraries_have_what_we_call() -> None:
    kagglehub = pytest.importorskip("kagglehub")
    hub = pytest.importorskip("huggingface_hub")
    import inspect

    assert "output_dir" in inspect.signature(kagglehub.competition_download).parameters
    assert {"repo_type", "local_dir"} <= set(inspect.signature(hub.snapshot_download).parameters)
