"""Homework 3 on real photos: the four levels of ``recipes/laptop``, scored on pictures never seen.

    python -m benchmarks.photos_hw03 DIR

DIR holds labelled pictures in the course's layout. Every level trains on ``training/`` alone, the
validation part is the test. Writes ``results/hw03-files.json``.
"""

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.progress import bar, say
from mlspring.core.runs import Request
from mlspring.homeworks.hw03_food_cnn import submission as format_
from mlspring.verbs import run as verb

NUM_SEEDS = {"simple": 3, "medium": 3, "strong": 1, "boss": 1}  # minutes decide
ALONE = ("data.pool=training",)  # boss would train on the validation part, too


def main(folder: Path) -> None:
    """Measure every level."""
    spec = catalog.find("hw03")
    rows = []
    with (
        tempfile.TemporaryDirectory() as name,
        bar("photos", sum(NUM_SEEDS.values()), unit="runs") as done,
    ):
        labels = as_test(folder / "food11", Path(name) / "food11")
        for level in spec.levels:
            scores, seconds = [], []
            for seed in range(NUM_SEEDS[level]):
                request = Request(
                    homework=spec.id, recipe=f"laptop/{level}", data=name, seed=seed, submit=False
                )
                run = verb.run(spec, request, overrides=ALONE, out=Path(name) / "runs")
                values = format_.read(run.folder / spec.submission_name, list(labels))
                scores.append(float(np.mean(values == np.array(list(labels.values())))))
                seconds.append(run.seconds["total"])
                say(f"{level}, seed {seed}: {scores[-1]:.3f} in {seconds[-1]:.0f} s")
                done.advance()
            each = ", ".join(f"{score:.3f}" for score in scores)
            rows.append([f"laptop/{level}", each, f"{statistics.mean(seconds):.0f}"])
    columns = ["recipe", f"accuracy on {len(labels)} photos, by seed", "seconds"]
    write_files_results(spec.id, "photos_hw03", columns, rows)


def as_test(food11: Path, to: Path) -> dict[str, int]:
    """Copy the labelled parts, the validation part as test part once more; return its labels."""
    for part in ("training", "validation"):
        shutil.copytree(food11 / part, to / part)
    (to / "test").mkdir()
    labels = {}
    for number, file in enumerate(sorted((food11 / "validation").iterdir()), start=1):
        labels[f"{number:04d}"] = int(file.stem.split("_")[0])
        shutil.copyfile(file, to / "test" / f"{number:04d}.jpg")
    return labels


if __name__ == "__main__":
    main(Path(sys.argv[1]))
