"""``mlspring report``: one HTML page about a run, with everything in it, to read or to hand in."""

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlspring import catalog
from mlspring.core.errors import RecipeError
from mlspring.core.files import read_json, write_text
from mlspring.core.recipe import Section, flatten
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs import recipes
from mlspring.verbs.report.drawings import baseline_axis, curves_in_words, panels

CURVES = "learning_curves"
_LARGEST_SVG = 400_000  # bytes; above it, the PNG is the smaller one


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One number of the recipe.

    Args:
        key: ``section.key``.
        value: in this run.
        before: in the level below, where it differs; else None.
        shipped: in the recipe as it comes with mlspring, where this run differs; else None.
        about: the key's own sentence.
    """

    key: str
    value: str
    before: str | None
    shipped: str | None
    about: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure of the run; ``uri`` holds the whole image, or is None where it was not drawn."""

    number: int
    question: str
    name: str
    uri: str | None
    alt: str
    table: str | None


def report(run: Run) -> Path:
    """Write ``report.html`` into the run's folder and return its path.

    The page needs no network and no script; it holds the images themselves. What is missing in
    the run (a figure, the data card, the result) is said, with the command that makes it.

    Raises:
        UserError: the run belongs to no homework that is known here.
        DataError: a file of the run is damaged.
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
    source = "world" if run.request.data == "world" else "official"
    result = run.result or {}
    scores = _mapping(result.get("score"))
    parts = {part: scores.get(part) for part in ("public", "private")}
    baselines = spec.baselines.get(source)
    by_part = {part: dict(getattr(baselines, part)) if baselines else {} for part in parts}
    entries = run.read_log()
    pictures = [_picture(run, number, q.text, q.figure) for number, q in _questions(spec)]
    curves = next((p for p in pictures if p.name == CURVES), None) or _picture(
        run, 0, "How did training go?", CURVES
    )
    seconds = _mapping(result.get("seconds"))
    phases = {name: float(spent) for name, spent in seconds.items() if name != "total"}
    return {
        "spec": spec,
        "run": run,
        "request": run.request,
        "source": source,
        "finished": run.result is not None,
        "result": result,
        "scores": scores,
        "levels": {part: spec.level_reached(s, source, part) for part, s in parts.items()},
        "points": _mapping(result.get("points")),
        "baselines": baselines,
        "rows": _line_rows(spec, by_part, parts),
        "baseline_axis": baseline_axis(spec.metric, by_part, parts),
        "facts": _mapping(_read(run.folder / "data.json")),
        "pictures": pictures,
        "curves": curves,
        "panels": [] if curves.uri else panels(entries),
        "in_words": curves_in_words(entries),
        "phases": phases,
        "longest": max(phases.values(), default=0.0) or 1.0,
        "total": seconds.get("total", sum(phases.values())),
        "duration": _duration,
        "machine": _machine(run),
        **_recipe(spec, run, source),
    }


# ---- the recipe


def _recipe(spec: Spec, run: Run, source: str) -> dict[str, Any]:
    """Return the run's knobs, what they are compared with, and the command that reproduces it."""
    file = run.folder / "recipe.toml"
    name = run.request.recipe.rpartition("/")[2]
    level = name in spec.levels
    position = spec.levels.index(name) if level else 1
    below = spec.levels[position - 1] if position > 0 and spec.ranked else None
    try:
        recipe: Section = recipes.load(spec, file)
    except RecipeError as error:  # e.g. made by another version of mlspring
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        command = _command(run, str(file), {})
        problem = {"raw": text, "problem": error.found, "command": command}
        return {"knobs": [], "below": None, "changed": [], **problem}
    shipped = _shipped(spec, run.request.recipe, source)
    before = _shipped(spec, below, source) if below else {}
    values = flatten(recipe)
    about = _descriptions(type(recipe))
    knobs = [
        Knob(
            key=key,
            value=_toml(value),
            before=_instead(before, key, value),
            shipped=_instead(shipped, key, value),
            about=about.get(key, ""),
        )
        for key, value in values.items()
    ]
    sets = {knob.key: knob.value for knob in knobs if knob.shipped is not None}
    return {
        "knobs": knobs,
        "below": below if before else None,
        "changed": [knob for knob in knobs if knob.before is not None],
        "raw": None,
        "problem": None,
        "command": _command(run, run.request.recipe if shipped else str(file), sets),
    }


def _instead(other: Mapping[str, Any], key: str, value: Any) -> str | None:
    """Return what another recipe has there; None where it has the same, or there is no other."""
    if not other or other.get(key) == value:
        return None
    return _toml(other[key]) if key in other else "nothing"


def _shipped(spec: Spec, name: str, source: str) -> dict[str, Any]:
    """Return the values of a recipe that comes with mlspring, or nothing where it does not."""
    if name.endswith(".toml"):
        return {}
    try:
        return flatten(recipes.load(spec, recipes.find_recipe(spec, name, source)))
    except RecipeError:
        return {}


def _descriptions(model: type[Section], prefix: str = "") -> dict[str, str]:
    """Return each key's description, by ``section.key``."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found |= _descriptions(field.annotation, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = field.description or ""
    return found


def _command(run: Run, recipe: str, sets: Mapping[str, str]) -> str:
    """Return the command line that does this run again."""
    request = run.request
    words = ["mlspring", "run", request.homework, recipe]
    if request.data != "world":
        words += ["--data", request.data]
    for key, value in sets.items():
        words += ["--set", f"{key}={value}"]
    words += ["--seed", str(request.seed)]
    for flag, chosen in (("--device", request.device), ("--precision", request.precision)):
        if chosen != "auto":
            words += [flag, chosen]
    return shlex.join(words)


# ---- figures, baselines, machine


def _questions(spec: Spec) -> list[tuple[int, Any]]:
    """Return the questions with their figure's number; the learning curves come first."""
    ordered = sorted(spec.questions, key=lambda question: question.figure != CURVES)
    return list(enumerate(ordered, start=1))


def _picture(run: Run, number: int, question: str, name: str) -> Picture:
    table = run.figures / f"{name}.csv"
    return Picture(
        number=number,
        question=question,
        name=name,
        uri=_data_uri(run.figures, name),
        alt=f"{name.replace('_', ' ')}: the figure for the question {question}",
        table=f"figures/{name}.csv" if table.exists() else None,
    )


def _data_uri(folder: Path, name: str) -> str | None:
    """Return the figure as a data URI: the SVG where it is small, else the PNG."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    small = svg.exists() and svg.stat().st_size <= _LARGEST_SVG
    path = svg if small or not png.exists() else png
    if not path.exists():
        return None
    kind = "image/svg+xml" if path is svg else "image/png"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _line_rows(
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
    facts = run.environment | run.state
    versions = _mapping(facts.pop("versions", {}))
    commit = str(facts.pop("commit", None) or "unknown")
    facts["commit"] = commit.removesuffix("+") + (" with changes" if commit.endswith("+") else "")
    simple = {k: str(v) for k, v in facts.items() if isinstance(v, str | int | float)}
    return simple | {"versions": ", ".join(f"{name} {v}" for name, v in versions.items())}


def _duration(seconds: float) -> str:
    """Return a time for people, e.g. ``2 min 05 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 0.1 else "< 0.1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def _toml(value: Any) -> str:
    """Return a recipe's value as it is written in TOML."""
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, float) else repr(value)


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _read(path: Path) -> Any:
    """Return a JSON file of the run, None where it is missing.

    Raises:
        DataError: the file is there but damaged.
    """
    return read_json(path) if path.exists() else None
