"""The tables of a homework whose recipes are methods: nothing is ranked, no baselines."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mlspring import catalog
from mlspring.core.files import write_json

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.tables")


def row(scenario: str, method: str, accuracy: float) -> dict[str, Any]:
    names = ("ACC", "BWT", "FWT", "forgetting", "plasticity", "seconds", "kept")
    return {"scenario": scenario, "method": method} | {
        name: {"mean": accuracy, "spread": 1.25} for name in names
    }


def results() -> dict[str, Any]:
    kinds = ("task", "domain", "class")
    return {
        "command": "python -m benchmarks.methods_hw14 3",
        "seeds": 3,
        "date": "2026-01-02",
        "commit": "0123456789ab",
        "hardware": {"processor": "A Processor", "cores": 2, "device": "cpu", "precision": "bf16"},
        "peak_memory_mib": 700.2,
        "all_seconds": [100.0, 104.0],
        "scenarios_seconds": [60.0],
        "all": [row("domain", "finetune", 63.3), row("domain", "replay", 88.8)],
        "scenarios": [row(kind, "ewc", 50.0 + i) for i, kind in enumerate(kinds)],
    }


def test_a_homework_without_lines_has_a_table_of_methods(
    tables: ModuleType, tmp_path: Path
) -> None:
    spec = replace(catalog.find("hw14"), folder=tmp_path)
    (tmp_path / "README.md").write_text("<!-- scores -->\n\n<!-- /scores -->\n")
    (only,) = tables.blocks(tmp_path, [spec], {})
    assert "python -m benchmarks.methods_hw14" in only.text
    write_json(tmp_path / "benchmarks" / "results" / "hw14.json", results())
    assert tables.update(tmp_path, [spec], check=False) == 0
    text = (tmp_path / "README.md").read_text()
    assert "| replay   | 88.8 ± 1.2 | +25.5 |      - |" in text
    assert "seconds |  MiB |" in text
    assert "| scenario task | scenario domain | scenario class |" in text
    assert "`all` takes 104 s" in text
    assert max(map(len, text.splitlines())) <= 100
    assert tables.update(tmp_path, [spec], check=True) == 0


def test_the_grid_of_strengths_stands_between_its_own_marks(
    tables: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(catalog.find("hw14"), folder=tmp_path)
    (tmp_path / "README.md").write_text("<!-- strengths -->\n\n<!-- /strengths -->\n")
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "benchmarks" / "results")
    assert tables.read_rows("hw14-strengths") == []
    tables.write_rows("hw14-strengths", "python -m x", ("method", "ACC"), [["EWC", "1: 70.0"]])
    assert tables.read_rows("hw14-strengths") == [["EWC", "1: 70.0"]]
    assert tables.update(tmp_path, [spec], check=False) == 0
    text = (tmp_path / "README.md").read_text()
    assert "| EWC    | 1: 70.0 |" in text and "`python -m x`" in text


def test_replay_of_as_many_bytes_is_a_column_of_the_methods(
    tables: ModuleType, tmp_path: Path
) -> None:
    spec = replace(catalog.find("hw14"), folder=tmp_path)
    (tmp_path / "README.md").write_text("<!-- scores -->\n\n<!-- /scores -->\n")
    folder = tmp_path / "benchmarks" / "results"
    found = results()
    found["all"].append(row("domain", "ewc", 70.0))
    write_json(folder / "hw14.json", found)
    rows = [
        {
            "level": "ewc",
            "changes": changes,
            "scores": {"validation": {"without": {"mean": mean, "spread": 0.5}}},
        }
        for changes, mean in (
            (['method.names=["finetune"]'], 63.3),
            (['method.names=["replay"]', "method.memory=14480"], 93.5),
        )
    ]
    write_json(folder / "hw14-ablations.json", {"rows": rows})
    assert tables.update(tmp_path, [spec], check=False) == 0
    text = (tmp_path / "README.md").read_text()
    assert "| ewc      | 70.0 ± 1.2 |  +6.7 | 93.5 ± 0.5 |" in text
