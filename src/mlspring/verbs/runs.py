"""``mlspring runs`` and the word ``latest``: which runs there are under a folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from mlspring import catalog
from mlspring.core.errors import RunError, UserError
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs.recipes import shown_name

LATEST = "latest"
RUNS = Path("runs")
DEPTHS = ("*", "*/*", "*/*/*")  # of a run below runs/hw03/strong, runs/hw03 and runs


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A run in the list; ``problem`` says why it cannot be read, else None."""

    folder: Path
    spec: Spec | None
    run: Run | None
    result: dict[str, Any] | None
    problem: str | None = None


def named(folder: Path) -> Path:
    """Return the run that ``folder`` names: itself, or the newest for the word ``latest``.

    ``latest`` is the newest run under ``runs``, ``elsewhere/latest`` the newest in that folder.

    Raises:
        RunError: there is no run there.
    """
    if folder.name != LATEST or folder.exists():
        return folder
    root = RUNS if folder == Path(LATEST) else folder.parent
    if not (found := folders(root)):
        fix = "make one first, e.g. mlspring run hw03"
        raise RunError("holds no run", file=root, fix=fix)
    return found[0]


def folders(root: Path) -> list[Path]:
    """Return the folders of all runs under ``root``, the newest first."""
    found = {path.parent for depth in DEPTHS for path in root.glob(f"{depth}/environment.json")}
    return sorted(found, key=_began, reverse=True)


def _began(folder: Path) -> tuple[str, int]:
    """Return when a run began: its name says so to the second, the disk within one."""
    name = re.match(r"\d{8}-\d{6}", folder.name)
    return (name[0] if name else "", (folder / "environment.json").stat().st_mtime_ns)


def all_runs(root: Path, homework: str | None) -> list[Listed]:
    """Return the runs under ``root``, of one homework or of all, the newest first.

    A folder that cannot be read is listed with the reason.
    """
    found = []
    for folder in folders(root):
        try:
            run = Run.open(folder)
            spec = catalog.find(run.request.homework)
            listed = Listed(folder=folder, spec=spec, run=run, result=run.result)
        except UserError as error:
            listed = Listed(folder=folder, spec=None, run=None, result=None, problem=error.found)
        if homework is None or (listed.spec is not None and listed.spec.id == homework):
            found.append(listed)
    return found


def table(found: list[Listed], root: Path) -> Table:
    """Return the runs as a table that fits 80 columns."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("run", overflow="fold", min_width=12)
    shown.add_column("recipe", no_wrap=True)
    for column in ("validation", "public"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("level", no_wrap=True)
    for listed in found:
        shown.add_row(_short(listed.folder, root), *_cells(listed))
    where = f"in {root}; the newest is also called 'latest'"
    shown.caption = where if found else f"no run in {root} yet: mlspring run hw03"
    return shown


def _cells(listed: Listed) -> list[str]:
    if listed.run is None or listed.spec is None:
        return ["-", "-", "-", "damaged"]
    name = shown_name(listed.run.request.recipe)
    if listed.result is None:
        return [name, "-", "-", "not finished"]
    score = listed.result.get("score")
    score = score if isinstance(score, dict) else {}
    known = {part: v for part, v in score.items() if isinstance(v, int | float)}
    shown = [listed.spec.metric.show(known.get(part)) for part in ("validation", "public")]
    return [name, *shown, str(listed.result.get("level") or "-")]


def as_rows(found: list[Listed]) -> list[dict[str, Any]]:
    """Return the runs as plain values."""
    return [
        {
            "run": str(listed.folder),
            "homework": listed.spec.id if listed.spec else None,
            "recipe": listed.run.request.recipe if listed.run else None,
            "seed": listed.run.request.seed if listed.run else None,
            "data": listed.run.request.data if listed.run else None,
            "finished": listed.result is not None,
            "score": (listed.result or {}).get("score"),
            "level": (listed.result or {}).get("level"),
            "problem": listed.problem,
        }
        for listed in found
    ]


def _short(folder: Path, root: Path) -> str:
    return str(folder.relative_to(root)) if folder.is_relative_to(root) else str(folder)
