"""Finished runs, opened again: their spec, recipe and data."""

from pathlib import Path
from typing import Any

from mlspring import catalog
from mlspring.core.errors import RunError
from mlspring.core.recipe import is_own_loop
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs import recipes, sources


def open_finished(folder: Path) -> tuple[Spec, Run, Any]:
    """Return a finished run's spec, the run and its recipe.

    Raises:
        RunError: no such run, or it is not finished.
    """
    run = Run.open(folder)
    if run.result is None:
        fix = f"mlspring resume {folder}"
        raise RunError("this run is not finished", file=folder, fix=fix)
    demand_recipe(run)
    spec = catalog.find(run.request.homework)
    return spec, run, recipes.load(spec, folder / "recipe.toml")


def demand_recipe(run: Run) -> None:
    """Make sure that a run was made by a recipe of ours.

    Raises:
        RunError: a learner's own loop logged it.
    """
    if is_own_loop(run.request.recipe):
        found, fix = "was logged by a loop of one's own: it has no network of ours", "run that loop"
        raise RunError(found, file=run.folder, fix=fix)


def reopen(folder: Path) -> tuple[Spec, Run, Any, Any]:
    """Return what drawing anew needs of a finished run: spec, run, recipe, data.

    Raises:
        RunError: no such run, or it is not finished.
    """
    spec, run, recipe = open_finished(folder)
    source = sources.open_source(spec, run.request.data)
    return spec, run, recipe, catalog.part(spec, "data").load(source, recipe)
