"""The generated tables: what they say, that they fit the page, and that drift is noticed."""

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mlspring.core.errors import DataError
from mlspring.core.spec import Limits, Metric, Points, Spec

LEVELS = {"simple": 0.5, "medium": 0.6, "strong": 0.7, "boss": 0.8}


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.tables")


def numbers(mean: float | None, spread: float | None = 0.0123) -> dict[str, Any]:
    return {"mean": mean, "spread": spread if mean is not None else None, "seeds": [mean] * 5}


def results(scale: float = 1.0) -> dict[str, Any]:
    levels = {
        level: {
            "public": numbers(score * scale + 0.00123),
            "private": numbers(score * scale),
            "validation": numbers(score * scale + 0.01),
            "seconds": {"data": 1.25, "train": 20.0, "predict": 0.5, "total": 23.0},
            "process_seconds": numbers(25.4, 2.0),
            "peak_memory_mib": 812.3,
            "items_per_second": 1234.5,
            "budget_seconds": 45.0,
            "recipe": "0123456789abcdef",
        }
        for level, score in LEVELS.items()
    }
    return {
        "homework": "hw90",
        "command": "mlspring calibrate hw90 --seeds 5",
        "date": "2026-01-02",
        "commit": "0123456789ab",
        "seeds": [0, 1, 2, 3, 4],
        "world": {"name": "marbles", "version": 3, "seed": 7, "folder": "marbles-v3-s7-00"},
        "hardware": {"processor": "A Processor", "cores": 2, "device": "cpu", "precision": "bf16"},
        "versions": {},
        "defects": [],
        "baselines": {
            "public": {level: round(score * scale - 0.05, 5) for level, score in LEVELS.items()},
            "private": {level: round(score * scale - 0.06, 5) for level, score in LEVELS.items()},
        },
        "levels": levels,
        "references": {"nearest neighbour": {"public": 0.4444444 * scale, "private": None}},
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "README.md").write_text("# House\n\n<!-- levels -->\n<!-- /levels -->\n\nEnd\n")
    (tmp_path / "hw90_made_up").mkdir()
    (tmp_path / "hw90_made_up" / "README.md").write_text(
        "# Marbles\n\n<!-- scores -->\nold\n<!-- /scores -->\n\nSources\n"
    )
    return tmp_path


@pytest.fixture
def spec(root: Path) -> Spec:
    return Spec(
        id="hw90",
        folder=root / "hw90_made_up",
        title="Marbles",
        title_zh="彈珠",
        topic="none",
        summary="A marble -> its colour.",
        metric=Metric(name="accuracy", higher_is_better=True, unit="share of marbles", digits=5),
        submission="table",
        submission_name="submission.csv",
        limits=Limits(max_bytes=10, max_rows=10),
        points=Points(public=1.0, private=1.0),
    )


def store(root: Path, values: dict[str, Any]) -> None:
    """Write results and the baselines that belong to them."""
    (root / "benchmarks" / "results" / "hw90.json").write_text(json.dumps(values))
    rows = ["[world]", 'origin = "made up"']
    for part, baselines in values["baselines"].items():
        rows += [
            f"[world.{part}]",
            *(f"{level} = {baseline!r}" for level, baseline in baselines.items()),
        ]
    (root / "hw90_made_up" / "baselines.toml").write_text("\n".join(rows) + "\n")


def test_tables_are_written_between_their_markers(
    tables: ModuleType, root: Path, spec: Spec
) -> None:
    store(root, results())
    assert tables.update(root, [spec], check=False) == 0
    island = (spec.folder / "README.md").read_text()
    assert island.startswith("# Marbles\n\n<!-- scores -->\n\n| level ")
    assert island.endswith("<!-- /scores -->\n\nSources\n")
    assert "old" not in island
    rows = [[c.strip() for c in line.split("|")[1:-1]] for line in island.splitlines()]
    boss = ["boss", "0.801 ± 0.012", "0.75000", "0.800 ± 0.012", "0.74000", "25", "812"]
    assert boss in rows
    assert ["*nearest neighbour*", "0.444", "", "-", "", "", ""] in rows
    assert "commit 0123456789ab on A Processor, 2 cores, cpu, bf16" in island.replace("\n", " ")
    house = (root / "README.md").read_text()
    rows = [[c.strip() for c in line.split("|")[1:-1]] for line in house.splitlines()]
    assert ["hw90", "accuracy ↑", "simple", "0.501 ± 0.012", "0.45000", "25", "812"] in rows
    assert ["", "", "boss", "0.801 ± 0.012", "0.75000", "25", "812"] in rows


def test_check_is_silent_in_step_and_names_the_file_that_drifted(
    tables: ModuleType, root: Path, spec: Spec, capsys: pytest.CaptureFixture[str]
) -> None:
    store(root, results())
    tables.update(root, [spec], check=False)
    capsys.readouterr()
    assert tables.update(root, [spec], check=True) == 0
    assert capsys.readouterr().out == ""
    readme = spec.folder / "README.md"
    drifted = readme.read_text().replace("0.801 ± 0.012", "0.901 ± 0.012")
    readme.write_text(drifted)
    assert tables.update(root, [spec], check=True) == 1
    said = capsys.readouterr().out
    assert f"{readme}: differs" in said
    assert str(root / "README.md") not in said
    assert readme.read_text() == drifted


def test_lines_that_differ_from_the_results_are_named(
    tables: ModuleType, root: Path, spec: Spec, capsys: pytest.CaptureFixture[str]
) -> None:
    store(root, results())
    tables.update(root, [spec], check=False)
    path = spec.folder / "baselines.toml"
    path.write_text(path.read_text().replace("boss = 0.75", "boss = 0.76"))
    assert tables.update(root, [replace(spec)], check=True) == 1
    assert f"{path}: differs" in capsys.readouterr().out


def test_words_around_the_markers_keep_every_byte(
    tables: ModuleType, root: Path, spec: Spec
) -> None:
    store(root, results())
    readme = spec.folder / "README.md"
    readme.write_bytes(b"before\r\n<!-- scores --><!-- /scores -->after \r\n\r\n")
    tables.update(root, [spec], check=False)
    content = readme.read_bytes()
    assert content.startswith(b"before\r\n<!-- scores -->")
    assert content.endswith(b"<!-- /scores -->after \r\n\r\n")


@pytest.mark.parametrize(
    "text", ["no marker", "<!-- scores -->", "<!-- /scores --><!-- scores -->"]
)
def test_a_missing_marker_is_an_error_that_names_the_file(
    tables: ModuleType, root: Path, spec: Spec, text: str
) -> None:
    store(root, results())
    (spec.folder / "README.md").write_text(text)
    with pytest.raises(DataError, match=r"(?s)hw90_made_up/README.md.*put the two comments"):
        tables.update(root, [spec], check=True)


def test_nothing_measured_is_nothing_to_check(tables: ModuleType, root: Path, spec: Spec) -> None:
    assert tables.update(root, [spec], check=False) == 0
    assert "Not measured yet: `mlspring calibrate hw90`." in (spec.folder / "README.md").read_text()
    assert tables.update(root, [spec], check=True) == 0


@pytest.mark.parametrize("scale", [1.0, 12345.0])
def test_every_line_of_a_text_fits_the_page(tables: ModuleType, spec: Spec, scale: float) -> None:
    wide = results(scale)
    wide["references"]["gradient boosting on the five illness columns"] = {
        "public": 0.1,
        "private": 0.2,
    }
    wide["defects"] = ["boss takes 400.0 s; its budget is 360 s"]
    for measured in wide["levels"].values():
        measured["public"]["spread"] = measured["private"]["spread"] = 0.00011
    text = tables.score_text(spec, wide) + "\n" + tables.level_text([spec], {"hw90": wide})
    assert max(map(len, text.splitlines())) <= 100
    assert "budget is 360 s" in text


def test_a_lower_is_better_metric_is_shown_so(tables: ModuleType, spec: Spec) -> None:
    metric = replace(spec.metric, name="error", higher_is_better=False, digits=2)
    text = tables.score_text(replace(spec, metric=metric), results())
    assert "lower is better" in text
    boss = next(line for line in text.splitlines() if line.startswith("| boss"))
    assert "0.80 ± 0.01" in boss


def test_the_table_of_ablations_shows_each_level_with_and_without(
    tables: ModuleType, root: Path, spec: Spec
) -> None:
    pair = {"with": numbers(0.6, 0.0123), "without": numbers(0.52, 0.02)}
    row = {"level": "medium", "without": "a very long name of a technique", "share": 0.8}
    alone = {"level": "simple", "without": "labels", "share": None}
    rows = [row | {"scores": {"public": pair, "private": pair}}]
    rows += [alone | {"scores": {"public": pair, "private": pair}}]
    kept = {"command": "mlspring calibrate hw90 --ablate --seeds 3", "date": "2026-01-02"}
    path = root / "benchmarks" / "results" / "hw90-ablations.json"
    path.write_text(json.dumps(kept | {"seeds": [0, 1, 2], "rows": rows}))
    readme = spec.folder / "README.md"
    readme.write_text(readme.read_text() + "<!-- ablations -->\n<!-- /ablations -->\n")
    tables.update(root, [spec], check=False)
    text = readme.read_text()
    cells = [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines()]
    with_without = ["0.600 ± 0.012", "0.520 ± 0.020"]
    assert ["medium", row["without"], *with_without, *with_without, "80%"] in cells
    assert ["simple", "labels", *with_without, *with_without, "-"] in cells
    assert "seeds 0 to 2" in text and kept["command"] in text.replace("\n", " ")
    assert max(map(len, text.splitlines())) <= 120


def test_the_speed_table_stands_in_the_benchmarks_page(
    tables: ModuleType, root: Path, spec: Spec
) -> None:
    results = root / "benchmarks" / "results" / "speed.json"
    results.write_text(json.dumps({"command": "make bench", "rows": []}))
    readme = root / "benchmarks" / "README.md"
    readme.write_text("<!-- speed -->\n<!-- /speed -->\n")
    tables.update(root, [spec], check=False)
    assert "Not measured yet: `make bench`." in readme.read_text()


def test_the_command_runs_on_this_repository(tables: ModuleType) -> None:
    with pytest.raises(SystemExit) as ended:
        tables.main(["--help"])
    assert ended.value.code == 0
