"""Strict recipes: a TOML of numbers read into the island's own frozen pydantic model."""

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mlspring.core import foreign_text
from mlspring.core.errors import RecipeError
from mlspring.core.texts import read_text

MAX_BYTES = 1_000_000
OWN_LOOP = "own/"  # before the name of a run that has no recipe and no network of ours
_WHOLE = (
    'begin the file with extends = "simple" (the recipe that it changes), or print a whole one: '
    "mlspring recipe HW"
)


def folder_of(name: str) -> str:
    """Return the folder of a recipe's runs: ``strong`` of ``world/strong``, ``laptop-strong``.

    Of a file it is ``file-<its stem>``.
    """
    if name.endswith(".toml"):
        return f"file-{Path(name).stem}"
    return name.removeprefix("world/").replace("/", "-")


def is_own_loop(name: str) -> bool:
    """Return whether a run's recipe says that a learner's own loop logged it."""
    return name.startswith(OWN_LOOP)


class Section(BaseModel):
    """A frozen table of knobs; an unknown key is an error. Base of every recipe and its parts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


R = TypeVar("R", bound=Section)


def load_recipe(model: type[R], path: Path, overrides: Sequence[str] = ()) -> R:
    """Return the recipe in ``path`` with ``overrides`` of the form ``section.key=value`` applied.

    Values of overrides are TOML; a bare word counts as a string.

    Raises:
        RecipeError: missing file, bad TOML, unknown key (with the nearest known one), wrong type
            or an impossible value; the message names the file and the key.
    """
    return make_recipe(model, read_table(path), path, overrides)


def read_table(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file as they stand there.

    Raises:
        RecipeError: missing file, or bad TOML.
    """
    text = read_text(path, max_bytes=MAX_BYTES, error=RecipeError)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits
        raise RecipeError(f"is not valid TOML: {error}", file=path) from error


def make_recipe(
    model: type[R], table: Mapping[str, Any], path: Path, overrides: Sequence[str] = ()
) -> R:
    """Return the recipe of the keys in ``table`` with ``overrides`` applied.

    Args:
        model: the island's own recipe.
        table: sections and keys.
        path: the file that messages name.
        overrides: of the form ``section.key=value``.

    Raises:
        RecipeError: unknown key (with the nearest known one), wrong type or an impossible value.
    """
    alone, changed = merged(table, {}), merged(table, {})
    for override in overrides:
        _apply(changed, override)
    try:
        return model.model_validate(changed)
    except ValidationError as error:
        blamed = _is_valid(model, alone) or any(_touches(o, error) for o in overrides)
        fix = _WHOLE if _num_missing(error) > 1 and not blamed else None
        file = "--set" if blamed else path
        raise RecipeError(_explain(model, error), file=file, fix=fix) from error


def flat_table(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables as one flat mapping ``section.key`` to value."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= flat_table(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of both tables, those of ``above`` where both have one; neither changes."""
    table = {k: merged(v, {}) if isinstance(v, Mapping) else v for k, v in below.items()}
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(table.get(key), Mapping)
        table[key] = merged(table[key], value) if both else value
    return table


def dump_recipe(recipe: Section) -> str:
    """Return the recipe as TOML, each key with its one-sentence description as a comment."""
    return "\n".join(_dump(recipe, "")).lstrip("\n") + "\n"


def flatten(recipe: Section) -> dict[str, Any]:
    """Return the recipe as one flat mapping ``section.key`` to value.

    A key that was left out, and has no value by default, is left out here, too.
    """
    flat: dict[str, Any] = {}
    for name, value in recipe:
        if isinstance(value, Section):
            flat |= {f"{name}.{key}": inner for key, inner in flatten(value).items()}
        elif value is not None:
            flat[name] = value
    return flat


def _dump(section: Section, prefix: str) -> list[str]:
    """Return the lines of a section: its own values first, as TOML demands, then its parts."""
    values, parts = [], []
    for name, value in section:
        if isinstance(value, Section):
            parts += ["", f"[{prefix}{name}]", *_dump(value, f"{prefix}{name}.")]
        elif value is not None:  # TOML has no word for nothing; the default says it
            about = type(section).model_fields[name].description
            values.append(f"{name} = {_toml(value)}" + (f"  # {about}" if about else ""))
    return values + parts


def _apply(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise RecipeError(
            f"{override!r} has no value", file="--set", expected="key=value, e.g. train.steps=500"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text.strip()
    *sections, last = key.strip().split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise RecipeError(f"{section!r} is a value, not a section", file="--set")
    table[last] = value


def _is_valid(model: type[Section], table: dict[str, Any]) -> bool:
    try:
        model.model_validate(table)
    except ValidationError:
        return False
    return True


def _num_missing(error: ValidationError) -> int:
    return sum(problem["type"] == "missing" for problem in error.errors())


def _touches(override: str, error: ValidationError) -> bool:
    """Return whether an error is about an override's key or something inside its value."""
    touched = f"{override.partition('=')[0].strip()}."
    return any(f"{'.'.join(map(str, e['loc']))}.".startswith(touched) for e in error.errors())


def _explain(model: type[Section], error: ValidationError) -> str:
    """Return one sentence a problem: the key, what is wrong, the nearest known key."""
    known = _keys(model)
    sentences = []
    missing = [".".join(map(str, e["loc"])) for e in error.errors() if e["type"] == "missing"]
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
            sentences.append(f"unknown key {key!r}; {hint}")
        elif problem["type"] == "missing":
            if key == missing[0]:
                more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
                sentences.append(f"key {key!r}{more} {'are' if more else 'is'} missing")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            message = message[0].lower() + message[1:]
            given = problem["input"]
            # A rule over several keys was broken: the whole section would be too much to show.
            shown = (
                ""
                if isinstance(given, dict)
                else f" = {foreign_text.shown(_toml(given), longest=80)}"
            )
            sentences.append(f"{key or 'the recipe'}{shown}: {message}")
    return "; ".join(sentences)


def _keys(model: type[Section], prefix: str = "") -> list[str]:
    keys = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            keys += _keys(kind, f"{prefix}{name}.")
        else:
            keys.append(f"{prefix}{name}")
    return keys


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON and TOML escape alike, but for one character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return repr(value)
