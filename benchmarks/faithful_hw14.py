"""Homework 14 with the notebook's arithmetic on MNIST's files, beside the notebook itself.

    python -m benchmarks.faithful_hw14 DIR [METHOD ...]

DIR holds MNIST's files; each method runs as `mlspring run hw14 notebook --data DIR`, seed 0. Keeps
`results/hw14-files.json`, a row a method, with the processor's minutes of the whole run.
"""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import read_rows, write_files_results
from mlspring import catalog
from mlspring.core.progress import say
from mlspring.core.runs import Request
from mlspring.homeworks.hw14_lifelong import metrics, train
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.verbs import run as verb

# ACC of an unchanged run of the notebook with the report's TODO filled in, one seed.
NOTEBOOK = {
    "finetune": 70.59,
    "ewc": 71.66,
    "mas": 83.06,
    "si": 71.98,
    "rwalk": 78.37,
    "scp": 77.20,
}
COLUMNS = ("method", "ACC here", "ACC of the notebook", "difference", "CPU minutes")
ALL = "together"


def main(folder: Path, names: list[str]) -> None:
    """Run the methods, one after another, and keep the others' rows."""
    spec = catalog.find("hw14")
    for name in names:
        with tempfile.TemporaryDirectory() as out:
            request = Request(
                homework=spec.id, recipe="official/notebook", data=str(folder), submit=False
            )
            start = time.process_time()
            only = (f'method.names=["{name}"]',)
            run = verb.run(spec, request, overrides=only, out=Path(out))
            minutes = (time.process_time() - start) / 60
            found = metrics.final_accuracy(train.outcome(run, 0)["matrix"])
        title, wanted = METHODS[name].title, NOTEBOOK[name]  # type: ignore[index]
        rows = {row[0]: row for row in read_rows("hw14-files")}  # another process may measure, too
        row = [title, f"{found:.2f}", f"{wanted:.2f}", f"{found - wanted:+.2f}", f"{minutes:.1f}"]
        rows[title] = row
        say(", ".join(row))
        write_files_results(spec.id, "faithful_hw14", COLUMNS, in_order(rows))


def in_order(rows: dict[str, list[str]]) -> list[list[str]]:
    """Return the rows in the notebook's order; below all six the minutes together."""
    kept = [rows[t] for t in (METHODS[n].title for n in NOTEBOOK) if t in rows]  # type: ignore[index]
    if len(kept) < len(NOTEBOOK):
        return kept
    return [*kept, [ALL, "", "", "", f"{sum(float(row[-1]) for row in kept):.1f}"]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(NOTEBOOK))
