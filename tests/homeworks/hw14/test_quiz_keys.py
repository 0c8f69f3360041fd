"""Which letters a learner's own runs make right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core import quiz as core
from mlspring.core.runs import Run
from mlspring.homeworks.hw14_lifelong import quiz, train
from mlspring.homeworks.hw14_lifelong.quiz import Matrix, Results

SPEC = catalog.find("hw14")


def matrix(last: list[float], diagonal: float = 90.0) -> Matrix:
    """Return a matrix with this last row, where each task had ``diagonal`` at its own end."""
    count = len(last)
    rows = [[10.0] * count for _ in range(count + 1)]
    for task in range(count):
        rows[task + 1][task] = diagonal
    rows[-1] = [*last[:-1], last[-1]]
    return rows


def written_run(folder: Path, **by_method: Matrix) -> Path:
    """Return a folder with the recipe and the table of a run on the turned digits."""
    (folder / "figures").mkdir(parents=True)
    recipe = (SPEC.folder / "recipes" / "world" / "all.toml").read_text()
    (folder / "recipe.toml").write_text(recipe)
    rows = ["scenario,method,tasks learnt,task,accuracy"]
    for name, made in by_method.items():
        for learnt, values in enumerate(made):
            rows += [f"domain,{name},{learnt},{20 * t}°,{v}" for t, v in enumerate(values)]
    (folder / "figures" / "task_matrix.csv").write_text("\n".join(rows) + "\n")
    return folder


def results(**by_method: Matrix) -> Results:
    return {("rotated", "domain", name): m for name, m in by_method.items()}


def test_the_worst_task_is_read_from_the_last_row() -> None:
    assert quiz.decide("basic-3", results(finetune=matrix([30, 50, 70, 90, 95]))) == "A"
    assert quiz.decide("basic-3", results(finetune=matrix([60, 50, 40, 90, 95]))) == "C"


def test_stability_and_its_price() -> None:
    plain = matrix([30, 50, 70, 90, 95], 95)
    guarded = matrix([70, 75, 80, 80, 80], 85)
    assert quiz.decide("mas-2", results(mas=guarded, finetune=plain)) == "ABC"
    assert quiz.decide("mas-2", results(mas=plain, finetune=plain)) == "E"
    assert quiz.decide("ewc-2", results(ewc=guarded, finetune=plain)) == "AB"
    assert quiz.decide("ewc-2", results(ewc=plain, finetune=plain)) == "D"


def test_who_ends_highest() -> None:
    low, high = matrix([20.0] * 5), matrix([80.0] * 5)
    names = ("ewc", "mas", "si", "rwalk", "scp", "finetune")
    base = dict.fromkeys(names, low)
    assert quiz.decide("memory-1", results(**base, replay=high)) == "A"
    assert quiz.decide("memory-1", results(**{**base, "si": high}, replay=low)) == "B"


def test_where_regularisers_fail_is_said_by_the_scenarios() -> None:
    far, near, top = matrix([20.0] * 5), matrix([90.0] * 5), matrix([95.0] * 5)
    matrices = {}
    for scenario, ewc in (("task", near), ("domain", far), ("class", far)):
        matrices["split", scenario, "ewc"] = ewc
        matrices["split", scenario, "joint"] = top
    assert quiz.decide("scenarios-2", matrices) == "BC"


def test_keys_come_from_the_run_s_own_tables(copied_run: Callable[..., Run]) -> None:
    together = copied_run("all")
    found = quiz.read_matrices(together.folder)
    assert found["rotated", "domain", "mas"] == [
        pytest.approx(row, abs=1e-3) for row in train.outcome(together, 2)["matrix"]
    ]
    keys = quiz.keys([together.folder]).keys
    assert set(keys) == {"ewc-2", "mas-2", "memory-1", "basic-3"}
    three = copied_run("scenarios")
    found = quiz.keys([together.folder, three.folder])
    assert set(found.keys) == set(quiz.NEEDS)
    assert found.runs == dict.fromkeys(keys, together.folder) | {"scenarios-2": three.folder}


def test_networks_of_two_runs_are_never_compared(tmp_path: Path) -> None:
    """One run each of fine-tuning and EWC decide nothing about both; the newest with both does."""
    plain = written_run(tmp_path / "1", finetune=matrix([60, 50, 40, 90, 95]))
    guarded = written_run(tmp_path / "2", ewc=matrix([70.0] * 5))
    found = quiz.keys([guarded, plain])
    assert (found.keys, found.runs) == ({"basic-3": "C"}, {"basic-3": plain})
    both = written_run(
        tmp_path / "3", finetune=matrix([30, 50, 70, 90, 95], 95), ewc=matrix([20.0] * 5, 95)
    )
    found = quiz.keys([guarded, plain, both])
    assert found.keys == {"basic-3": "C", "ewc-2": "D"}
    assert found.runs == {"basic-3": plain, "ewc-2": both}


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("angle = 20.0", "angle = 30.0"),
        ("num_tasks = 5", "num_tasks = 6"),
        ("num_tasks = 5", "num_tasks = 3"),
    ],
)
def test_a_run_of_other_tasks_decides_nothing(line: str, other: str, tmp_path: Path) -> None:
    run = written_run(tmp_path, finetune=matrix([60, 50, 40, 90, 95]))
    assert quiz.keys([run]).keys == {"basic-3": "C"}
    file = run / "recipe.toml"
    before = file.read_text()
    file.write_text(before.replace(line, other))
    assert file.read_text() != before
    assert quiz.keys([run]) == core.Decided()
