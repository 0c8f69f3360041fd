"""How well each label-free monitor of homework 11 ranks the validations of finished runs.

    python -m benchmarks.monitors_hw11 RUN [RUN ...] [--answers FILE] [--keep]

Reads the predictions on drawings that a run kept at every validation, and the answers, which
training never sees. Prints one JSON object: by recipe and monitor the rank correlation (Spearman)
with the true accuracy within a member's validations, its mean over members and runs, and the
accuracy of the validation that the monitor would choose; beside it the last and the best one. With
``--keep`` a table of them becomes ``results/hw11-monitors.json``, two columns a recipe.
"""

import argparse
import json
import re
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.tables import write_rows
from mlspring.catalog import find, part
from mlspring.core.errors import MlspringError, RunError
from mlspring.core.runs import Run
from mlspring.core.table_submission import MAX_CLASSES
from mlspring.homeworks.hw11_adaptation.monitors import MAX_DRAWINGS, spread
from mlspring.verbs.sources import world_answers

# A monitor's key in the log, and whether a large value is a good sign.
MONITORS: dict[str, tuple[str, bool]] = {
    "source_risk": ("valid/loss", False),
    "entropy": ("target/entropy", False),
    "agreement": ("target/agreement", True),
    "balance": ("target/imbalance", False),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the ranks; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="finished runs of hw11")
    parser.add_argument("--answers", type=Path, help="id,label,Usage; by default the world's")
    parser.add_argument("--keep", action="store_true", help="write the log's table, too")
    chosen = parser.parse_args(arguments)
    try:
        spec = find("hw11")
        key = part(spec, "score").read_answers(chosen.answers or world_answers(spec))
        truth = key.table.integers(1, 0, MAX_CLASSES - 1)
        by_recipe: dict[str, list[list[dict[str, float]]]] = {}
        for folder in chosen.runs:
            recipe = Run.open(folder).request.recipe.removeprefix("world/")
            histories = by_recipe.setdefault(recipe, [])
            histories += read(folder, truth)
    except MlspringError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    tables = {recipe: rank(histories) for recipe, histories in by_recipe.items()}
    print(json.dumps(tables, indent=2))
    if chosen.keep:
        command = "python -m benchmarks.monitors_hw11 RUN [RUN ...] --keep"
        write_rows("hw11-monitors", command, *as_table(tables))
    return 0


def read(folder: Path, truth: NDArray[np.int64]) -> list[list[dict[str, float]]]:
    """Return, for each member of a run, its validations with the true ``accuracy`` added.

    Raises:
        RunError: the run has no predictions, or other drawings than the answers.
    """
    log = {(entry["member"], entry["step"]): entry for entry in Run.open(folder).read_log()}
    known = truth[spread(len(truth), MAX_DRAWINGS).numpy()]
    members: dict[int, list[dict[str, float]]] = {}
    for file in sorted((folder / "predictions").glob("*.npy")):
        member, step = map(int, re.findall(r"\d+", file.stem))
        predictions = np.load(file, allow_pickle=False)
        if len(predictions) != len(known):
            expected = f"{len(known)} drawings, as the answers have"
            message = f"has predictions on {len(predictions)} drawings"
            raise RunError(message, file=file, expected=expected)
        accuracy = float((predictions == known).mean())
        members.setdefault(member, []).append({**log[member, step], "accuracy": accuracy})
    if not members:
        raise RunError("has no predictions", file=folder, expected="a finished run of hw11")
    return list(members.values())


def rank(histories: Iterable[Sequence[dict[str, float]]]) -> dict[str, Any]:
    """Return what each monitor is worth over members' validations."""
    histories = [history for history in histories if len(history) > 2]
    table: dict[str, Any] = {"members": len(histories)}
    for name, (key, large_is_good) in MONITORS.items():
        sign = 1 if large_is_good else -1
        ranks, chosen = [], []
        for history in histories:
            monitor_values = [sign * entry[key] for entry in history]
            accuracies = [entry["accuracy"] for entry in history]
            if len(set(monitor_values)) > 1 and len(set(accuracies)) > 1:
                ranks.append(float(spearmanr(monitor_values, accuracies).statistic))
            chosen.append(accuracies[int(np.argmax(monitor_values))])
        table[name] = {
            "by member": [round(value, 3) for value in ranks],
            "rank correlation": round(statistics.fmean(ranks), 3) if ranks else None,
            "accuracy of its choice": round(statistics.fmean(chosen), 4) if chosen else None,
        }
    for name, pick in (("last", lambda a: a[-1]), ("best", max)):
        picked = [pick([entry["accuracy"] for entry in history]) for history in histories]
        table[name] = round(statistics.fmean(picked), 4) if picked else None
    return table


def as_table(tables: Mapping[str, dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return head and rows: for each recipe how a monitor ranks, and what it would choose."""
    parts = ("rank correlation, by member", "accuracy of its choice")
    head = ["monitor", *(f"{recipe}: {part}" for recipe in tables for part in parts)]
    rows = []
    for name in MONITORS:
        row = [name]
        for table in tables.values():
            row.append(", ".join(f"{value:.2f}" for value in table[name]["by member"]) or "-")
            row.append(_cell(table[name]["accuracy of its choice"]))
        rows.append(row)
    for name in ("last", "best"):
        cells = (cell for table in tables.values() for cell in ("", _cell(table[name])))
        rows.append([f"*the {name} validation*", *cells])
    return head, rows


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
