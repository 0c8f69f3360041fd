"""The recipe of a run in its report: what differs from the level below, and how to do it again."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import Section, flatten, is_own_loop
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.core.texts import read_text
from mlspring.verbs import recipes
from mlspring.verbs.report.pictures import is_own_file

_MOST_BYTES = 100_000  # of a recipe that is shown as it stands


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


def recipe_section(spec: Spec, run: Run, source: str, threads: object) -> dict[str, Any]:
    """Return the run's knobs, what they are compared with, and the command that reproduces it.

    Args:
        spec: the homework.
        run: the run.
        source: kind of the data, ``world`` or ``official``.
        threads: that the run computed with, as far as it noted a number.
    """
    nothing: dict[str, Any] = {"knobs": [], "below": None, "changed": [], "raw": None}
    if is_own_loop(run.request.recipe):
        return nothing | {"problem": None, "command": None}
    file = run.folder / "recipe.toml"
    prefix = f"OMP_NUM_THREADS={threads} " if isinstance(threads, int) else ""
    try:
        is_own_file(file)
        recipe: Section = recipes.load(spec, file)
    except RecipeError as error:  # e.g. made by another version of mlspring
        command = prefix + _command(run, str(file), {})
        text = read_text(file, max_bytes=_MOST_BYTES, error=RecipeError) if file.exists() else ""
        return nothing | {"raw": text, "problem": error.found, "command": command}
    name = run.request.recipe
    shipped = _shipped(spec, name, source)
    below = _level_below(spec, name) if shipped else None
    before = _shipped(spec, below, source) if below else {}
    about = _descriptions(type(recipe))
    knobs = [
        Knob(
            key=key,
            value=_toml(value),
            before=_instead(before, key, value),
            shipped=_instead(shipped, key, value),
            about=about.get(key, ""),
        )
        for key, value in flatten(recipe).items()
    ]
    sets = {knob.key: knob.value for knob in knobs if knob.shipped is not None}
    again = name.removeprefix(f"{source}/") if shipped else str(file)
    return nothing | {
        "knobs": knobs,
        "below": recipes.shown_name(below) if below and before else None,
        "changed": [knob for knob in knobs if knob.before is not None],
        "problem": None,
        "command": prefix + _command(run, again, sets),
    }


def _level_below(spec: Spec, name: str) -> str | None:
    """Return the recipe of the level below in the same folder: ``laptop/medium`` of ``.../strong``.

    None for the lowest level, and where recipes are no levels. A recipe that is none of the levels
    is compared with the lowest.
    """
    folder, slash, own = name.rpartition("/")
    if not spec.ranked or own == spec.levels[0]:
        return None
    position = spec.levels.index(own) - 1 if own in spec.levels else 0
    return f"{folder}{slash}{spec.levels[position]}"


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
    about: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            about |= _descriptions(field.annotation, f"{prefix}{name}.")
        else:
            about[f"{prefix}{name}"] = field.description or ""
    return about


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


def _toml(value: Any) -> str:
    """Return a recipe's value as it is written in TOML."""
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, float) else repr(value)
