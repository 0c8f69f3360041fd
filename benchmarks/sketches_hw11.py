"""Homework 11 on a real pair of domains: every level in ``recipes/laptop``, scored on known labels.

    python -m benchmarks.sketches_hw11 DIR ANSWERS [ANSWERS ...]

DIR holds the course's layout. Each ANSWERS is a CSV file ``id,label`` of some of its drawings,
which no run reads; every run is scored on each of them. Writes ``results/hw11-files.json``.
"""

import csv
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.progress import bar, say
from mlspring.core.runs import Request
from mlspring.homeworks.hw11_adaptation import data as reader
from mlspring.homeworks.hw11_adaptation import submission as format_
from mlspring.verbs import recipes
from mlspring.verbs import run as verb
from mlspring.verbs.sources import open_source

NUM_SEEDS = 2


def main(folder: Path, answers: list[Path]) -> None:
    """Measure every level."""
    spec = catalog.find("hw11")
    ids = reader.test_ids(open_source(spec, str(folder)))
    known = [read_known(path, ids) for path in answers]
    levels = recipes.recipe_names(spec, "laptop")
    rows = []
    with (
        tempfile.TemporaryDirectory() as name,
        bar("sketches", NUM_SEEDS * len(levels), unit="runs") as done,
    ):
        for level in levels:
            scores: list[list[float]] = []  # of each seed on each file
            seconds = []
            for seed in range(NUM_SEEDS):
                request = Request(
                    homework=spec.id,
                    recipe=f"laptop/{level}",
                    data=str(folder),
                    seed=seed,
                    submit=False,
                )
                run = verb.run(spec, request, overrides=(), out=Path(name) / "runs")
                values = format_.read(run.folder / spec.submission_name, ids)
                scores.append([float((values[at] == labels).mean()) for at, labels in known])
                seconds.append(run.seconds["total"])
                told = ", ".join(f"{score:.3f}" for score in scores[-1])
                say(f"{level}, seed {seed}: {told} in {seconds[-1]:.0f} s")
                done.advance()
            each = [
                ", ".join(f"{score:.3f}" for score in of_file)
                for of_file in zip(*scores, strict=True)
            ]
            rows.append([f"laptop/{level}", *each, f"{statistics.mean(seconds):.0f}"])
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
