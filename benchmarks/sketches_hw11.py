"""Homework 11 on a real pair of domains: every level in ``recipes/laptop``, scored on known labels.

    python -m benchmarks.sketches_hw11 DIR ANSWERS [ANSWERS ...]

DIR holds the course's layout. Each ANSWERS is a CSV file ``id,label`` of some of its drawings,
which no run reads; every run is scored on each of them. Writes ``results/hw11-files.json``.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.errors import DataError, MlspringError
from mlspring.core.runs import Run
from mlspring.homeworks.hw11_adaptation import data as reader
from mlspring.homeworks.hw11_adaptation import submission as format_
from mlspring.verbs import recipes
from mlspring.verbs.sources import open_source

NUM_SEEDS = 2


ARGUMENTS = "DIR ANSWERS [ANSWERS ...]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every level; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="photos and drawings")
    parser.add_argument("answers", metavar="ANSWERS", nargs="+", type=Path, help="CSV, id,label")
    chosen = parser.parse_args(arguments)
    try:
        measure(chosen.folder, chosen.answers)
    except MlspringError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def measure(folder: Path, answers: Sequence[Path]) -> None:
    """Run every level and keep its accuracy on each of the answers."""
    spec = catalog.find("hw11")
    ids = reader.test_ids(open_source(spec, str(folder)))
    known = [read_known(path, ids) for path in answers]

    def accuracies(run: Run) -> list[str]:
        values = format_.read(run.folder / spec.submission_name, ids)
        return [f"{(values[at] == labels).mean():.3f}" for at, labels in known]

    num_seeds = {f"laptop/{n}": NUM_SEEDS for n in recipes.recipe_names(spec, "laptop")}
    rows = list(measured_rows(spec, folder, num_seeds, accuracies))
    asked = [f"accuracy on {len(labels)} sketches, by seed" for _, labels in known]
    columns = ["recipe", *asked, "seconds"]
    write_files_results(spec.id, "sketches_hw11", columns, rows, ARGUMENTS)


def read_known(path: Path, ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions in ``ids`` whose labels a file tells, and the labels: int64 (n,).

    Raises:
        DataError: the file cannot be read, is no such table, or tells no drawing's label.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            labels = {str(int(row["id"])): int(row["label"]) for row in csv.DictReader(stream)}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        found = f"cannot be read as labels ({error!r})"
        raise DataError(found, file=path, expected="rows id,label of whole numbers") from error
    if not labels.keys() & set(ids):
        raise DataError("tells the label of no drawing", file=path, expected="ids of drawings")
    at = [position for position, name in enumerate(ids) if name in labels]
    return np.array(at), np.array([labels[ids[position]] for position in at])


if __name__ == "__main__":
    sys.exit(main())
