"""``mlspring figures``: the report figures of a finished run, drawn anew."""

from pathlib import Path

from mlspring import catalog
from mlspring.core.recipe import is_own_loop
from mlspring.core.runs import Run
from mlspring.verbs import figures, own_loop
from mlspring.verbs.finished import reopen


def redraw(folder: Path) -> tuple[Run, tuple[figures.Problem, ...]]:
    """Return the run whose figures were drawn, and those that could not be.

    Raises:
        RunError: no such run, or it is not finished.
    """
    run = Run.open(folder)
    if is_own_loop(run.request.recipe):
        own_loop.draw(catalog.find(run.request.homework), run)
        return run, ()
    spec, run, recipe, data = reopen(folder)
    return run, figures.draw_all(spec, run, recipe, data)
