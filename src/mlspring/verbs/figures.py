"""The report figures of a run, drawn one by one: one that fails never costs the others."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlspring import catalog
from mlspring.core import progress
from mlspring.core.errors import DataError, MlspringError
from mlspring.core.files import read_json, write_json
from mlspring.core.runs import Run
from mlspring.core.spec import Spec

NOT_DRAWN = "not_drawn.json"  # name -> why, in the run's folder of figures
NUM_TRACE_LINES = 12


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A figure that could not be drawn.

    Args:
        name: of the figure.
        message: why, as a sentence.
        trace: last lines of the trace where it is our own fault, else empty.
    """

    name: str
    message: str
    trace: str = ""


def draw_all(spec: Spec, run: Run, recipe: Any, data: Any) -> tuple[Problem, ...]:
    """Draw every figure of the homework into ``run.figures``; return those that failed.

    Each failure is a warning on stderr and is noted in ``figures/not_drawn.json`` for the report.
    """
    from mlspring.kit.style import house_style

    problems = []
    for name, draw in catalog.part(spec, "figures").FIGURES.items():
        try:
            with house_style():
                draw(run, recipe, data)
        except MlspringError as error:
            problems.append(Problem(name=name, message=error.found))
        except Exception as error:  # noqa: BLE001  a result is worth more than its picture
            trace = "".join(traceback.format_exception(error)).splitlines()[-NUM_TRACE_LINES:]
            message = f"{type(error).__name__}: {error}"
            problems.append(Problem(name=name, message=message, trace="\n".join(trace)))
    for problem in problems:
        progress.say(f"warning: the figure {problem.name} was not drawn: {problem.message}")
    _note(run, problems)
    return tuple(problems)


def not_drawn(run: Run) -> Mapping[str, str]:
    """Return the figures that could not be drawn, each with the reason."""
    try:
        noted = read_json(run.figures / NOT_DRAWN)
        return {str(name): str(entry["message"]) for name, entry in noted.items()}
    except (DataError, AttributeError, KeyError, TypeError):
        return {}


def _note(run: Run, problems: list[Problem]) -> None:
    path = run.figures / NOT_DRAWN
    if problems:
        noted = {problem.name: {"message": problem.message} for problem in problems}
        for problem in problems:
            if problem.trace:
                noted[problem.name]["trace"] = problem.trace
        write_json(path, noted)
    else:
        path.unlink(missing_ok=True)
