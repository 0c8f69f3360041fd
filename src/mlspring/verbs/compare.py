"""``mlspring compare``: runs of one homework side by side, their curves over one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from mlspring import catalog
from mlspring.core.errors import RunError
from mlspring.core.recipe import flat_table, read_table
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs.recipes import shown_name

MOST_RUNS = 7  # colours that can be told apart
SCORES = ("validation", "public", "private")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Runs side by side.

    Args:
        runs: by their label, in the order they were named.
        differing: key -> its value in each run (None: the run has no such key), where not all
            agree; keys of the recipe, and seed, data, device and precision of the request.
    """

    spec: Spec
    runs: Mapping[str, Run]
    differing: Mapping[str, tuple[Any, ...]]


def compare(folders: Sequence[Path]) -> Compared:
    """Return the runs in ``folders`` side by side.

    Raises:
        RunError: fewer than two runs, too many, one twice, or of several homeworks.
    """
    if not 2 <= len(folders) <= MOST_RUNS:
        raise RunError(f"{len(folders)} run(s) to compare", expected=f"2 to {MOST_RUNS}")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RunError("one run is named twice", expected="different runs")
    runs = [Run.open(folder) for folder in folders]
    homeworks = sorted({run.request.homework for run in runs})
    if len(homeworks) > 1:
        raise RunError(f"runs of {', '.join(homeworks)}", expected="runs of one homework")
    settings = [_settings(run) for run in runs]
    keys = dict.fromkeys(key for one in settings for key in one)
    values = {key: tuple(one.get(key) for one in settings) for key in keys}
    differing = {key: row for key, row in values.items() if any(v != row[0] for v in row)}
    labels = dict(zip(_labels(runs), runs, strict=True))
    return Compared(spec=catalog.find(homeworks[0]), runs=labels, differing=differing)


def _settings(run: Run) -> dict[str, Any]:
    request = {k: getattr(run.request, k) for k in ("seed", "data", "device", "precision")}
    return flat_table(read_table(run.folder / "recipe.toml")) | request


def _labels(runs: Sequence[Run]) -> list[str]:
    """Return a short name of each run: recipe and seed, and its folder's where two are alike."""
    short = [f"{shown_name(run.request.recipe)} seed {run.request.seed}" for run in runs]
    return [
        name if short.count(name) == 1 else f"{name} {run.folder.resolve().name}"
        for name, run in zip(short, runs, strict=True)
    ]


def table(compared: Compared) -> Table:
    """Return scores and differing keys, a column a run."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("", overflow="fold")
    for label in compared.runs:
        shown.add_column(label, justify="right", overflow="fold")
    results = [run.result or {} for run in compared.runs.values()]
    for part in SCORES:
        scores = [result.get("score", {}).get(part) for result in results]
        if any(score is not None for score in scores):
            shown.add_row(part, *map(compared.spec.metric.show, scores))
    seconds = [result.get("seconds", {}).get("total") for result in results]
    shown.add_row("seconds", *("-" if s is None else f"{s:.1f}" for s in seconds))
    shown.add_section()
    for key, values in compared.differing.items():
        shown.add_row(key, *("-" if value is None else str(value) for value in values))
    if not compared.differing:
        shown.caption = "no key of the recipes differs"
    return shown


def draw(compared: Compared, path: Path) -> Path | None:
    """Write the runs' curves over one another as a PNG; None where no run has any.

    Raises:
        MachineError: ``path`` cannot be written.
    """
    from mlspring.kit import charts

    logs = {label: run.read_log() for label, run in compared.runs.items()}
    return path if charts.overlay(logs, path, title=compared.spec.title) else None
