"""Homework 11 on a real pair of domains: every level in ``recipes/laptop``, scored on known labels.

    python -m benchmarks.sketches_hw11 DIR ANSWERS

DIR holds the course's layout, ANSWERS a CSV file ``id,label`` of all or some of its drawings, which
no run reads. Every level runs as it is, and once more told the shares of the classes, as the course
tells its own: they are counted on every second known label, and all rows are scored on the others.
Writes ``results/hw11-files.json``.
"""

import csv
import itertools
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

NUM_SEEDS = 3
USED = ("predict.balance=1.0",)  # what is told is used in full


def main(folder: Path, answers: Path) -> None:
    """Measure every level."""
    spec = catalog.find("hw11")
    with answers.open(newline="", encoding="utf-8") as stream:
        labels = {str(int(row["id"])): int(row["label"]) for row in csv.DictReader(stream)}
    ids = reader.test_ids(open_source(spec, str(folder)))
    known = [row for row, name in enumerate(ids) if name in labels]
    counted, scored = known[::2], known[1::2]
    num_classes = max(labels.values()) + 1
    counts = 1 + np.bincount([labels[ids[row]] for row in counted], minlength=num_classes)
    shares = ",".join(f"{share:.5f}" for share in counts / counts.sum())
    truth = np.array([labels[ids[row]] for row in scored])
    levels = recipes.recipe_names(spec, "laptop")
    ways = {"": (), ", told the shares": (f"data.shares=[{shares}]", *USED)}
    rows = []
    with (
        tempfile.TemporaryDirectory() as name,
        bar("sketches", NUM_SEEDS * len(levels) * len(ways), unit="runs") as done,
    ):
        for level, way in itertools.product(levels, ways):
            scores, seconds = [], []
            for seed in range(NUM_SEEDS):
                request = Request(
                    homework=spec.id,
                    recipe=f"laptop/{level}",
                    data=str(folder),
                    seed=seed,
                    submit=False,
                )
                run = verb.run(spec, request, overrides=ways[way], out=Path(name) / "runs")
                values = format_.read(run.folder / spec.submission_name, ids)
                scores.append(float(np.mean(values[scored] == truth)))
                seconds.append(run.seconds["total"])
                say(f"{level}{way}, seed {seed}: {scores[-1]:.3f} in {seconds[-1]:.0f} s")
                done.advance()
            each = ", ".join(f"{score:.3f}" for score in scores)
            rows.append([f"laptop/{level}{way}", each, f"{statistics.mean(seconds):.0f}"])
    columns = ["recipe", f"accuracy on {len(scored):,} sketches, by seed", "seconds"]
    write_files_results(spec.id, "sketches_hw11", columns, rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
