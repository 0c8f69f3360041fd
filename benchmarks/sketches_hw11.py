"""Homework 11 on a real pair of domains: every level in ``recipes/laptop``, scored on known labels.

    python -m benchmarks.sketches_hw11 DIR ANSWERS [ANSWERS ...]

DIR holds the course's layout. Each ANSWERS is a CSV file ``id,label`` of some of its drawings,
which no run reads; every run is scored on each of them. Writes ``results/hw11-files.json``.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import data as reader
from mlspring.homeworks.hw11_adaptation import submission as format_
from mlspring.verbs import recipes
from mlspring.verbs.sources import open_source

NUM_SEEDS = 2


def main(folder: Path, answers: list[Path]) -> None:
    """Measure every level."""
    spec = catalog.find("hw11")
    ids = reader.test_ids(open_source(spec, str(folder)))
    known = [read_known(path, ids) for path in answers]

    def accuracies(run: Run) -> list[str]:
        values = format_.read(run.folder / spec.submission_name, ids)
        return [f"{(values[at] == labels).mean():.3f}" for at, labels in known]

    num_seeds = {f"laptop/{n}": NUM_SEEDS for n in recipes.recipe_names(spec, "laptop")}
    rows = list(measured_rows(spec, folder, num_seeds, accuracies))
    asked = [f"accuracy on {len(labels)} sketches, by seed" for _, labels in known]
    write_files_results(spec.id, "sketches_hw11", ["recipe", *asked, "seconds"], rows)


def read_known(path: Path, ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions in ``ids`` whose labels a file tells, and the labels: int64 (n,)."""
    with path.open(newline="", encoding="utf-8") as stream:
        labels = {str(int(row["id"])): int(row["label"]) for row in csv.DictReader(stream)}
    at = [position for position, name in enumerate(ids) if name in labels]
    return np.array(at), np.array([labels[ids[position]] for position in at])


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
