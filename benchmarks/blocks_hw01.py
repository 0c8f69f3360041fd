"""Homework 1 on the course's own rows: train on earlier days, score on later ones.

    python -m benchmarks.blocks_hw01 DIR

DIR holds the course's two tables. The answers to the course's test were never published, so the
training rows are cut in time, five ways. Writes ``results/hw01-files.json``.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.progress import bar
from mlspring.core.runs import Request
from mlspring.core.source import official
from mlspring.homeworks.hw01_regression import blocks, references
from mlspring.homeworks.hw01_regression import data as reader
from mlspring.verbs import recipes
from mlspring.verbs import run as verb

SEEDS = 3
METHODS = ("lasso", "linear regression")
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Shares of the rows, in the order of the file or of each run of days, that train and score."""

    name: str
    train: float
    test: tuple[float, float]
    each_run: bool = False


CUTS = (
    Cut(name="rows 0-80 %, 80-100 %", train=0.8, test=(0.8, 1.0)),
    Cut(name="rows 0-75 %, 75-100 %", train=0.75, test=(0.75, 1.0)),
    Cut(name="first 80 % of each run, the rest", train=0.8, test=(0.8, 1.0), each_run=True),
    Cut(name="rows 0-60 %, 60-80 %", train=0.6, test=(0.6, 0.8)),
    Cut(name="rows 0-50 %, 50-75 %", train=0.5, test=(0.5, 0.75)),
)


def main(folder: Path) -> None:
    """Measure every level and method on every cut."""
    spec = catalog.find("hw01")
    recipe = recipes.load(spec, recipes.find_recipe(spec, "simple", "official"))
    data = reader.load(official(folder), recipe)
    rows = []
    with (
        tempfile.TemporaryDirectory() as name,
        bar("blocks", len(CUTS) * len(spec.levels) * SEEDS) as done,
    ):
        for number, cut in enumerate(CUTS):
            train, test = split(data, cut)
            place = Path(name) / str(number)
            write_part(folder, place, train, test)
            part = reader.load(official(place), recipe)
            truth, persistence = data.train_targets[test], part.test_survey[:, reader.LAGS[-1]]
            errors: dict[str, list[float]] = {level: [] for level in spec.levels}
            for level in spec.levels:
                for seed in range(SEEDS):
                    request = Request(
                        homework=spec.id, recipe=level, data=str(place), seed=seed, submit=False
                    )
                    run = verb.run(spec, request, overrides=(), out=place / "runs")
                    values = catalog.part(spec, "submission").read(
                        run.folder / spec.submission_name, part.test_ids
                    )
                    errors[level].append(float(np.mean((values - truth) ** 2)))
                    done.advance()
            known = references.references(part)
            errors |= {m: [float(np.mean((known[m] - truth) ** 2))] for m in METHODS}
            base = float(np.mean((persistence - truth) ** 2))
            rows.append([cut.name, *(f"{np.mean(e) / base:.2f}" for e in errors.values())])
    columns = ["trained on, scored on", *spec.levels, *METHODS]
    write_files_results(spec.id, "blocks_hw01", columns, rows)


def split(data: reader.Data, cut: Cut) -> tuple[Rows, Rows]:
    """Return the rows to train on, and later ones that share no day with them."""
    runs, places = data.train_runs, data.train_places
    if cut.each_run:
        sizes = np.bincount(runs)[runs]
        train, after = places < cut.train * sizes, places >= cut.test[0] * sizes
    else:
        order = np.arange(len(runs)) / len(runs)
        train, after = order < cut.train, (order >= cut.test[0]) & (order < cut.test[1])
    last = np.full(runs.max() + 1, -np.inf)
    np.maximum.at(last, runs[train], places[train])
    return np.flatnonzero(train), np.flatnonzero(after & (places > last[runs] + blocks.GAP))


def write_part(folder: Path, to: Path, train: Rows, test: Rows) -> None:
    """Write the chosen rows as the two tables of a folder of their own."""
    header, *lines = (folder / reader.TRAIN_FILE).read_text(encoding="utf-8").splitlines()
    to.mkdir(parents=True)
    kept = "\n".join([header, *(lines[i] for i in train)])
    (to / reader.TRAIN_FILE).write_text(kept + "\n", encoding="utf-8")
    asked = [line.rpartition(",")[0] for line in [header, *(lines[i] for i in test)]]
    (to / reader.TEST_FILE).write_text("\n".join(asked) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
