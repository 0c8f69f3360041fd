"""A whole run: every map is kept once, scored, and answers the quiz."""

import csv
import shutil
from pathlib import Path

import pytest

from mlspring.core import quiz as questions
from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain import explain, quiz
from mlspring.homeworks.hw09_explain.spec import SPEC
from tests.contract.journey import run_tiny
from tests.tiny.explained import SMALL
from tests.tiny.food import write_food11
from tests.tiny.islands import TINY, Tiny

MAPS = {"lime", "saliency", "smoothgrad", "integrated", "gradcam"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setitem(TINY, "hw09", Tiny(write_data=write_food11, small=SMALL))
        return run_tiny(SPEC, tmp_path_factory.mktemp("hw09"), recipe="world/all")


def test_every_method_leaves_its_maps_and_scores(whole: Run) -> None:
    tensors, numbers = explain.read(whole)
    assert set(tensors) >= MAPS
    for name in MAPS:
        assert tensors[name].shape == (11, 32, 32)
        assert tensors[name].isfinite().all()
        assert 0 <= min(numbers["scores"][name]["deletion"]) <= 1
        assert len(numbers["sanity"][name]) == 4, "a layer each"
    assert tensors["maps/1"].shape == (10, 2, 32, 32)
    assert tensors["excited/5"].shape == (2, 3, 32, 32)
    assert set(numbers["completeness"]) == {"2", "4", "8"}
    assert len(numbers["r2"]) == 11


def test_the_figures_are_drawn(whole: Run) -> None:
    names = {path.stem for path in whole.figures.glob("*.png")}
    assert {*MAPS, "filters", "truth", "sanity", "completeness", "learning_curves"} <= names
    assert {"attention", "looks", "heads", "embeddings", "layers", "distances", "senses"} <= names
    assert "reading_curves" in names
    assert not (whole.figures / "not_drawn.json").exists()
    with (whole.figures / "truth.csv").open(newline="", encoding="utf-8") as lines:
        table = {row["method"]: row for row in csv.DictReader(lines)}
    assert set(table) == {*MAPS, "edges", "middle"}
    assert "inside" not in table["lime"], "nobody knows the dishes of a folder"


def test_a_run_decides_what_it_can_and_keys_are_possible(whole: Run) -> None:
    found = quiz.keys([whole.folder])
    pictures = {"lime-2", "lime-3", "saliency-5", "smoothgrad-4", "integrated-2"}
    assert set(found.keys) == pictures | {"attention-3", "embeddings-2"}, "others want four layers"
    bank = questions.load_bank(SPEC.folder / "questions.toml")
    questions.keys_of(bank, found.keys)
    assert {q.id for q in bank.question if q.key is None} == set(quiz.NEEDS)
    worth = [bank.worth(question) for question in bank.question]
    assert worth == [0.3] * 20 + [0.4] * 10, "as the course's parts 1 and 2"


def write_table(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    path = folder / "figures" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def made_up(folder: Path) -> Path:
    """Write the tables of a run whose answers are known."""
    lime = [
        {"picture": p, "superpixel": s, "weight": w, "r2": 0.1 * p}
        for p in range(10)
        for s, w in enumerate((0.5, -0.8))
    ]
    scores = {  # inside, insertion
        "lime": (0.40, 0.6),
        "saliency": (0.30, 0.5),
        "smoothgrad": (0.305, 0.7),
        "integrated": (0.2, 0.2),
        "edges": (0.35, 0.5),
        "middle": (0.45, 0.5),
    }
    truth = [
        {"method": name, "inside": i, "insertion": n, "dish": 0.25}
        for name, (i, n) in scores.items()
    ]
    sanity = [
        {"method": "saliency", "layer": layer, "correlation": c}
        for layer, c in (("fc.3", 0.6), ("fc.0", 0.2))
    ]
    completeness = [
        {"steps": k, "mean absolute error": e} for k, e in ((1, 0.9), (2, 0.4), (4, 0.3))
    ]
    filters = [
        {"layer": layer, "filter": f, "best picture": 1.0, "excited": e}
        for layer, e in ((1, 2.0), (5, 2.0), (9, 0.5), (13, 2.0))
        for f in (0, 1)
    ]
    for name, rows in (
        ("lime", lime),
        ("truth", truth),
        ("sanity", sanity),
        ("completeness", completeness),
        ("filters", filters),
        *of_texts(),
    ):
        write_table(folder, name, rows)
    return folder


def of_texts() -> list[tuple[str, list[dict[str, object]]]]:
    """Return the tables of the text half."""
    heads = [
        {"aim": aim, "layer": layer, "head": head, "share": share, "untrained": fresh}
        for aim, best, fresh in (
            ("previous", 0.9, 0.1),
            ("next", 0.19, 0.1),
            ("same token", 0.3, 0.1),
            ("answer", 0.1, 0.1),
        )
        for layer in (1, 2, 3, 4)
        for head in (1, 2)
        for share in [best if (layer, head) == (3, 2) else 0.05]
    ]
    parts = [
        {"layer": layer, "first explains": 0.1 * layer, "second explains": 0.1}
        for layer in range(5)
    ]
    layers = [{"layer": k, "answer": a} for k, a in enumerate((1.0, 1.1, 1.3, 1.2, 1.25))]
    senses = [
        {"distance": distance, "encoder": who, "layer": k, "mean": m if who == "trained" else 9}
        for distance in ("Euclidean", "cosine")
        for who in ("trained", "untrained")
        for k, m in enumerate((1.0, 1.2, 1.5, 1.4, 1.6))
    ]
    return [("heads", heads), ("embeddings", parts), ("layers", layers), ("senses", senses)]


def test_the_keys_of_a_made_up_run_are_those_of_its_tables(tmp_path: Path) -> None:
    found = quiz.keys([made_up(tmp_path)])
    assert found.keys == {
        "lime-2": "B",
        "lime-3": "B",  # R^2 of 0.6, 0.7, 0.8, 0.9
        "saliency-3": "F",
        "saliency-4": "ABC",
        "saliency-5": "B",
        "smoothgrad-3": "C",
        "smoothgrad-4": "C",
        "filters-2": "D",
        "integrated-2": "B",
        "attention-2": "C",
        "attention-3": "AC",
        "embeddings-2": "B",
        "embeddings-3": "C",
        "distances-2": "E",
    }
    assert set(found.runs) == set(quiz.NEEDS)


def test_a_damaged_table_is_told_and_passed_over(whole: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(whole.figures, broken / "figures")
    (broken / "figures" / "lime.csv").unlink()
    found = quiz.keys([broken, made_up(tmp_path / "good")])
    assert "lime.csv" in str(found.skipped[0])
    assert found.runs["lime-2"] == tmp_path / "good"
    rows = (broken / "figures" / "truth.csv").read_text().replace("0.", "x.")
    shutil.copy(whole.figures / "lime.csv", broken / "figures" / "lime.csv")
    (broken / "figures" / "truth.csv").write_text(rows)
    assert "damaged" in str(quiz.keys([broken]).skipped[0])
