"""Homework 13 on real photos: ``recipes/laptop``, teacher included, scored on pictures never seen.

    python -m benchmarks.photos_hw13 DIR

DIR holds labelled pictures in the course's layout. Teacher and students train on ``training/``
alone, the validation part is the test. Writes ``results/hw13-files.json``.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.photos_hw03 import as_test
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.files import home, read_json
from mlspring.core.progress import bar, say
from mlspring.core.runs import Request
from mlspring.homeworks.hw13_compression import submission as format_
from mlspring.verbs import run as verb

NUM_SEEDS = {"simple": 2, "medium": 2, "strong": 1, "boss": 1}  # minutes decide


def main(folder: Path) -> None:
    """Measure every level; the first that distils trains the teacher."""
    spec = catalog.find("hw13")
    rows = []
    with (
        tempfile.TemporaryDirectory() as name,
        bar("photos", sum(NUM_SEEDS.values()), unit="runs") as done,
    ):
        labels = as_test(folder / "food11", Path(name) / "food11")
        before = teachers()
        for level in spec.levels:
            scores, seconds = [], []
            for seed in range(NUM_SEEDS[level]):
                request = Request(
                    homework=spec.id, recipe=f"laptop/{level}", data=name, seed=seed, submit=False
                )
                run = verb.run(spec, request, overrides=(), out=Path(name) / "runs")
                found = format_.read(run.folder / spec.submission_name, list(labels)).categories
                scores.append(float(np.mean(found == np.array(list(labels.values())))))
                seconds.append(run.seconds["total"])
                say(f"{level}, seed {seed}: {scores[-1]:.3f} in {seconds[-1]:.0f} s")
                done.advance()
            each = ", ".join(f"{score:.3f}" for score in scores)
            rows.append([f"laptop/{level}", each, f"{statistics.mean(seconds):.0f}"])
            if new := teachers() - before:
                accuracy = read_json(new.pop() / "facts.json")["accuracy"]
                rows.append(["the teacher, trained by the level above", f"{accuracy:.3f}", "-"])
                before = teachers()
    columns = ["recipe", f"accuracy on {len(labels)} photos, by seed", "seconds"]
    write_files_results(spec.id, "photos_hw13", columns, rows)


def teachers() -> set[Path]:
    """Return the folders of the finished teachers."""
    return {facts.parent for facts in (home() / "teachers").glob("*/facts.json")}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
