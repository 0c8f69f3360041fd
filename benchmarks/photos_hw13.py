"""Homework 13 on real photos: ``recipes/laptop``, teacher included, scored on pictures never seen.

    python -m benchmarks.photos_hw13 DIR

DIR holds labelled pictures in the course's layout. Teacher and students train on ``training/``
alone, the validation part is the test. Writes ``results/hw13-files.json``.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks.files import measured_rows
from benchmarks.photos_hw03 import as_test
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.files import home, read_json
from mlspring.core.runs import Run

# minutes decide how many seeds
NUM_SEEDS = {"laptop/simple": 2, "laptop/medium": 2, "laptop/strong": 1, "laptop/boss": 1}


def main(folder: Path) -> None:
    """Measure every level; the first that distils trains the teacher."""
    spec = catalog.find("hw13")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        labels = as_test(folder / "food11", Path(name) / "food11")

        def accuracy(run: Run) -> list[str]:
            with zipfile.ZipFile(run.folder / spec.submission_name) as archive:
                table = archive.read("submission.csv").decode().splitlines()[1:]
            found = dict(row.split(",") for row in table)
            right = [found[name] == str(label) for name, label in labels.items()]
            return [f"{sum(right) / len(right):.3f}"]

        before = teachers()
        for row in measured_rows(spec, Path(name), NUM_SEEDS, accuracy):
            rows.append(row)
            if new := teachers() - before:
                of_teacher = read_json(new.pop() / "teacher.json")["accuracy"]
                rows.append(["the teacher, trained by the level above", f"{of_teacher:.3f}", "-"])
                before = teachers()
    columns = ["recipe", f"accuracy on {len(labels)} photos, by seed", "seconds"]
    write_files_results(spec.id, "photos_hw13", columns, rows)


def teachers() -> set[Path]:
    """Return the folders of the finished teachers."""
    return {file.parent for file in (home() / "teachers").glob("*/teacher.json")}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
