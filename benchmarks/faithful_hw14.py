"""Homework 14 with the notebook's arithmetic on MNIST's files, beside the notebook itself.

    python -m benchmarks.faithful_hw14 DIR [METHOD ...]
    python -m benchmarks.faithful_hw14 world [METHOD ...]

DIR holds MNIST's files; each method runs in the homework's own loop, with the importance of
`notebooks/importance_hw14.py`, with seed 0 or, where its row is there already, with the next seed.
Keeps `results/hw14-files.json`, a row a method, with the processor's minutes of a whole run. With
`world` it runs on the built-in digits, beside the homework's own arithmetic, and keeps nothing.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.notebooks.importance_hw14 import NOTEBOOK, STRENGTHS
from benchmarks.tables import read_rows, write_files_results
from mlspring import catalog
from mlspring.core.progress import say
from mlspring.core.runs import Request
from mlspring.homeworks.hw14_lifelong import metrics, train
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.recipe import MethodName
from mlspring.verbs import run as verb

# ACC of an unchanged run of the notebook with the report's TODO filled in, one seed.
ACC_OF_NOTEBOOK: dict[MethodName, float] = {
    "finetune": 70.59,
    "ewc": 71.66,
    "mas": 83.06,
    "si": 71.98,
    "rwalk": 78.37,
    "scp": 77.20,
}
COLUMNS = ("method", "ACC here, by seed", "ACC of the notebook", "difference", "CPU minutes")
ALL = "together"
RESULTS = "hw14-files"


def main(data: str, names: list[MethodName]) -> None:
    """Run the methods, one after another, and keep what was measured before."""
    for name in names:
        title = METHODS[name].title
        if data == "world":
            own, copied = acc(data, name, 0), acc(data, name, 0, as_in_notebook=True)
            say(f"{title}: ACC {own:.1f}, with the notebook's arithmetic {copied:.1f}")
            continue
        start = time.process_time()
        found = acc(data, name, len(known(title)[0]), as_in_notebook=True)
        minutes = (time.process_time() - start) / 60
        rows = {row[0]: row for row in read_rows(RESULTS)}  # another process may measure, too
        rows[title] = joined(name, *known(title), found, minutes)
        say(", ".join(rows[title]))
        write_files_results("hw14", "faithful_hw14", COLUMNS, in_order(rows))


def acc(data: str, name: MethodName, seed: int, *, as_in_notebook: bool = False) -> float:
    """Return a method's ACC in %; ``as_in_notebook``: with the notebook's arithmetic and lambda."""
    words = [f'method.names=["{name}"]']
    if as_in_notebook and name in STRENGTHS:
        words.append(f"strength.{name}={STRENGTHS[name]}")
    own = METHODS[name]
    with tempfile.TemporaryDirectory() as out:
        request = Request(homework="hw14", recipe="all", data=data, seed=seed, submit=False)
        METHODS[name] = NOTEBOOK[name] if as_in_notebook else own
        try:
            run = verb.run(catalog.find("hw14"), request, overrides=tuple(words), out=Path(out))
            return metrics.final_accuracy(train.outcome(run, 0)["matrix"])
        finally:
            METHODS[name] = own


def known(title: str) -> tuple[list[float], float]:
    """Return a method's ACC by seed and the minutes of a run, as far as they were measured."""
    for row in read_rows(RESULTS):
        if row[0] == title:
            return [float(value) for value in row[1].split(", ")], float(row[-1])
    return [], 0.0


def joined(
    name: MethodName, before: list[float], minutes_before: float, found: float, minutes: float
) -> list[str]:
    """Return a method's row with one more run; the difference is that of the mean."""
    every, wanted = [*before, found], ACC_OF_NOTEBOOK[name]
    mean = (minutes_before * len(before) + minutes) / len(every)
    return [
        METHODS[name].title,
        ", ".join(f"{value:.2f}" for value in every),
        f"{wanted:.2f}",
        f"{statistics.fmean(every) - wanted:+.2f}",
        f"{mean:.1f}",
    ]


def in_order(rows: dict[str, list[str]]) -> list[list[str]]:
    """Return the rows in the notebook's order; below all six the minutes together."""
    kept = [rows[t] for t in (METHODS[n].title for n in ACC_OF_NOTEBOOK) if t in rows]
    if len(kept) < len(ACC_OF_NOTEBOOK):
        return kept
    return [*kept, [ALL, "", "", "", f"{sum(float(row[-1]) for row in kept):.1f}"]]


if __name__ == "__main__":
    main(sys.argv[1], [n for n in NOTEBOOK if n in sys.argv[2:]] or list(NOTEBOOK))
