"""Runs that are asked for in Python, and how a notebook shows them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from mlspring import catalog
from mlspring.core.errors import RecipeError
from mlspring.core.recipe import Section
from mlspring.core.runs import Device, Precision, Request, Run
from mlspring.verbs import recipes, sources
from mlspring.verbs import run as verb

_LARGEST = 5_000_000  # bytes of a figure that a notebook keeps


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to run: seed, hardware, where to, and whether to hand in."""

    seed: int
    device: Device
    precision: Precision
    out: Path
    submit: bool


def run(
    homework: str,
    recipe: str | Section | None,
    data: str,
    settings: Settings,
    changes: Mapping[str, Any],
) -> Run:
    """Return a finished run of a recipe: its name or file with ``changes``, or the recipe itself.

    Raises:
        UserError: recipe, data or board refuse; nothing was trained.
    """
    spec, kind = catalog.find(homework), sources.kind_of(data)
    if isinstance(recipe, Section):
        name, made = "python", recipe
    else:
        path = recipes.find_recipe(spec, recipe or spec.default, kind)
        name = recipes.full_name(spec, path)
        made = changed_recipe(homework, recipe, data, changes)
    request = Request(
        homework=spec.id,
        recipe=name,
        data=data,
        seed=settings.seed,
        device=settings.device,
        precision=settings.precision,
        submit=settings.submit,
    )
    return verb.run_recipe(spec, request, made, out=settings.out)


def changed_recipe(homework: str, name: str | None, data: str, changes: Mapping[str, Any]) -> Any:
    """Return a recipe with the keys of ``changes`` (``train__steps``) in place of its own.

    Raises:
        RecipeError: there is no such recipe, or it is not valid with the changes.
    """
    spec, kind = catalog.find(homework), sources.kind_of(data)
    path = recipes.find_recipe(spec, name or spec.default, kind)
    made = recipes.load(spec, path, kind=kind)  # a fault in the file is the file's
    table: dict[str, Any] = {}
    for key, value in changes.items():
        *sections, last = key.split("__")
        inner = table
        for section in sections:
            inner = inner.setdefault(section, {})
            if not isinstance(inner, dict):
                raise RecipeError(f"{section!r} is a value, not a section", file="changes")
        inner[last] = value
    try:
        return recipes.load(spec, path, kind=kind, changes=table) if table else made
    except RecipeError as error:
        raise RecipeError(error.found, file="changes", fix=error.fix) from error


def as_html(result: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    """Return scores and figures as HTML that holds everything it shows."""
    spec = catalog.find(result["homework"])
    scores = "".join(
        f"<tr><td>{escape(part)}</td><td>{escape(spec.metric.show(value))}</td></tr>"
        for part, value in result["score"].items()
    )
    name = recipes.shown_name(result["recipe"])
    heading = escape(f"{spec.id} {spec.title}, {name}, seed {result['seed']}")
    level = f"<p>reaches {escape(result['level'])}</p>" if result.get("level") else ""
    pictures = "".join(
        f'<img alt="{escape(title)}" style="max-width: 100%" '
        f'src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode("ascii")}">'
        for title, path in figures.items()
        if path.is_file() and path.stat().st_size <= _LARGEST
    )
    return f"<p><b>{heading}</b></p><table>{scores}</table>{level}{pictures}"
