"""A made-up homework, and processes that were never started, for the tests of calibration."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlspring import catalog
from mlspring.core.spec import LEVELS, Limits, Metric, Points, Spec
from mlspring.verbs.calibration.runs import Child

ACCURACY = Metric(name="accuracy", higher_is_better=True, unit="share", digits=3)
ERROR = Metric(name="mean squared error", higher_is_better=False, unit="squared", digits=3)

GOOD = {"simple": 0.5, "medium": 0.6, "strong": 0.7, "boss": 0.8}


class FakeRuns:
    """Stands in for the processes: level and seed give the score; remembers what was asked.

    A run with changed keys scores ``changed``.
    """

    def __init__(self, score: Callable[[str, int], float], seconds: float = 10.0) -> None:
        self.score, self.seconds = score, seconds
        self.asked: list[tuple[str, int]] = []
        self.worlds = 0
        self.first: list[str] = []
        self.stop_after: int | None = None
        self.changes: list[list[str]] = []
        self.changed = 0.0

    def __call__(self, arguments: Sequence[str], messages: Path) -> Child:
        if arguments[0] == "data":
            self.worlds += 1
            return Child(code=0, stdout="", seconds=1.0, memory_mib=50.0)
        verb, _, level = arguments[:3]
        assert verb == "run"
        if "--seed" not in arguments:
            assert not self.asked
            self.first.append(level)
            return Child(code=0, stdout="", seconds=500.0, memory_mib=900.0)
        assert {"--no-submit", "--json"} <= set(arguments)
        seed = int(arguments[list(arguments).index("--seed") + 1])
        if self.stop_after is not None and len(self.asked) >= self.stop_after:
            raise KeyboardInterrupt
        self.asked.append((level, seed))
        self.changes.append([a for b, a in pairwise(arguments) if b == "--set"])
        public = self.score(level, seed) if not self.changes[-1] else self.changed
        result = {
            "score": {"public": public, "private": public - 0.01, "validation": public + 0.01},
            "seconds": {"data": 1.0, "train": 7.0, "total": 9.0},
            "items_per_second": 100.0 + seed,
            "hardware": {"device": "cpu", "precision": "fp32"},
        }
        return Child(
            code=0,
            stdout="noise\n" + json.dumps(result, indent=2) + "\n",
            seconds=self.seconds,
            memory_mib=300.0 + seed,
        )


def steady(level: str, seed: int) -> float:
    return GOOD[level] + 0.002 * seed


def made_up_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    """Return a homework of four levels in a checkout, whose runs are never started."""
    island = tmp_path / "checkout" / "hw90_made_up"
    recipes = island / "recipes" / "world"
    recipes.mkdir(parents=True)
    for level in LEVELS:
        (recipes / f"{level}.toml").write_text(f'name = "{level}"\n')
    world = SimpleNamespace(
        name="marbles", title="marbles", version=3, seed=7, libraries=(), extra=""
    )
    monkeypatch.setattr(catalog, "part", lambda spec, name: SimpleNamespace(world=lambda: world))
    return Spec(
        id="hw90",
        folder=island,
        title="Marbles",
        title_zh="彈珠",
        topic="none",
        summary="A marble -> its colour.",
        metric=ACCURACY,
        submission="table",
        submission_name="submission.csv",
        limits=Limits(max_bytes=10, max_rows=10),
        points=Points(public=1.0, private=1.0),
    )


def made_up_checkout(tmp_path: Path) -> Path:
    """Return the checkout, with its folder of results."""
    folder = tmp_path / "checkout"
    (folder / "benchmarks" / "results").mkdir(parents=True)
    return folder
