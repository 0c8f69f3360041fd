"""``mlspring report``: one HTML page about a run, with everything in it, to read or to hand in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlspring import catalog
from mlspring.core.files import read_json, write_text
from mlspring.core.recipe import is_own_loop
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs import sources
from mlspring.verbs.recipes import shown_name
from mlspring.verbs.report.drawings import baseline_axis, curves_in_words, num_networks, panels
from mlspring.verbs.report.knobs import recipe_section
from mlspring.verbs.report.pictures import contact_sheet, curves, is_own_file, pictures


def report(run: Run) -> Path:
    """Write ``report.html`` into the run's folder and return its path.

    The page needs no network and no script; it holds the images themselves. What is missing in
    the run (a figure, the data card, the result) is said, with the command that makes it.

    Raises:
        UserError: the run belongs to no homework that is known here.
        DataError: a file of the run is damaged.
        RunError: a file of the run is a link.
    """
    spec = catalog.find(run.request.homework)
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(_content(spec, run))
    path = run.folder / "report.html"
    write_text(path, page)
    return path


def _content(spec: Spec, run: Run) -> dict[str, Any]:
    """Return everything that the template shows."""
    source = sources.kind_of(run.request.data)
    result = run.result or {}
    scores = _mapping(result.get("score"))
    parts = {part: scores.get(part) for part in ("public", "private")}
    # A level demands its score on the test part of its own data, which nobody else's answers are.
    scored = any(score is not None for score in parts.values())
    baselines = spec.baselines.get(source) if scored or source == "world" else None
    by_part = {part: dict(getattr(baselines, part)) if baselines else {} for part in parts}
    drawn = pictures(spec, run)
    training = curves(spec, run, drawn)
    seconds = _mapping(result.get("seconds"))
    phases = {name: float(spent) for name, spent in seconds.items() if name != "total"}
    machine = _machine(run)
    return {
        "spec": spec,
        "run": run,
        "request": run.request,
        "recipe_name": shown_name(run.request.recipe),
        "own_loop": is_own_loop(run.request.recipe),
        "source": source,
        "finished": run.result is not None,
        "result": result,
        "scores": scores,
        "levels": {part: spec.level_reached(s, source, part) for part, s in parts.items()},
        "points": _mapping(result.get("points")),
        "baselines": baselines,
        "rows": _baseline_rows(spec, by_part, parts),
        "baseline_axis": baseline_axis(spec.metric, by_part, parts),
        "has_quiz": (spec.folder / "questions.toml").exists(),
        "card": _mapping(_read(run.folder / "data.json")),
        "contact_sheet": contact_sheet(run),
        "pictures": drawn,
        "curves": training,
        **_from_log(run, shown=training.uri is not None),
        "phases": phases,
        "longest": max(phases.values(), default=0.0) or 1.0,
        "total": seconds.get("total", sum(phases.values())),
        "duration": _duration,
        "machine": machine,
        **recipe_section(spec, run, source, _notes(run).get("threads")),
    }


def _from_log(run: Run, *, shown: bool) -> dict[str, Any]:
    """Return what the log tells of the training; no panels where a figure shows it already."""
    entries = run.read_log() if is_own_file(run.folder / "log.jsonl") else []
    return {
        "panels": [] if shown else panels(entries),
        "in_words": curves_in_words(entries),
        "num_networks": num_networks(entries),
    }


# ---- baselines, machine


def _baseline_rows(
    spec: Spec, baselines: Mapping[str, Mapping[str, float]], scores: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """Return a row for each level that has a baseline: its value and whether it is reached."""
    rows = []
    for level in reversed(spec.levels):
        row: dict[str, Any] = {"level": level}
        for part, by_level in baselines.items():
            baseline, score = by_level.get(level), scores[part]
            known = baseline is not None and score is not None
            row[part] = spec.metric.show(baseline)
            row[f"{part}_reached"] = known and spec.metric.reaches(score, baseline)  # type: ignore[arg-type]
        if any(level in by_level for by_level in baselines.values()):
            rows.append(row)
    return rows


def _machine(run: Run) -> dict[str, str]:
    """Return what the run was computed with, in words."""
    notes = _notes(run)
    versions = _mapping(notes.pop("versions", {}))
    commit = str(notes.pop("commit", None) or "unknown")
    notes["commit"] = commit.removesuffix("+") + (" with changes" if commit.endswith("+") else "")
    simple = {k: str(v) for k, v in notes.items() if isinstance(v, str | int | float)}
    return simple | {"versions": ", ".join(f"{name} {v}" for name, v in versions.items())}


def _notes(run: Run) -> dict[str, Any]:
    """Return what the run noted of its machine, at its start and on its way."""
    return run.environment | run.state


def _duration(seconds: float) -> str:
    """Return a time for people, e.g. ``2 min 05 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 0.1 else "< 0.1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _read(path: Path) -> Any:
    """Return a JSON file of the run, None where it is missing.

    Raises:
        DataError: the file is there but damaged.
        RunError: it is a link.
    """
    return read_json(path) if is_own_file(path) else None
