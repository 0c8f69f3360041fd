"""Homework 3 on real photos: the four levels of ``recipes/laptop``, scored on pictures never seen.

    python -m benchmarks.photos_hw03 DIR

DIR holds labelled pictures in the course's layout. Every level trains on ``training/`` alone, the
validation part is the test. Writes ``results/hw03-files.json``.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.runs import Run

# minutes decide how many seeds
NUM_SEEDS = {"laptop/simple": 3, "laptop/medium": 3, "laptop/strong": 1, "laptop/boss": 1}
ALONE = ("data.pool=training",)  # boss would train on the validation part, too


def main(folder: Path) -> None:
    """Measure every level."""
    spec = catalog.find("hw03")
    with tempfile.TemporaryDirectory() as name:
        labels = as_test(folder / "food11", Path(name) / "food11")

        def accuracy(run: Run) -> list[str]:
            values = catalog.part(spec, "submission").read(
                run.folder / spec.submission_name, list(labels)
            )
            return [f"{np.mean(values == np.array(list(labels.values()))):.3f}"]

        rows = list(measured_rows(spec, Path(name), NUM_SEEDS, accuracy, ALONE))
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
