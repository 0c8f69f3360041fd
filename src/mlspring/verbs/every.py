"""``mlspring run all``: every homework after another; one that fails never costs the others."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlspring.core import progress
from mlspring.core.errors import MlspringError, RecipeError
from mlspring.core.runs import Request, Run
from mlspring.core.spec import Spec
from mlspring.verbs import recipes, run, sources


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one homework: a finished run, or why there is none.

    Args:
        error: a sentence, or None where all went well.
        exit_code: 0: done, 1: a fault of ours, 2: what the user gave.
    """

    spec: Spec
    run: Run | None
    error: str | None = None
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the result, or the homework and its error."""
        if self.run is not None and self.run.result is not None:
            return self.run.result
        return {"homework": self.spec.id, "error": self.error}


def recipes_for(specs: Sequence[Spec], name: str | None, data: str) -> dict[str, str]:
    """Return which recipe each homework runs: ``name`` where it has that, else its own default.

    Raises:
        RecipeError: no homework has it.
    """
    chosen = {spec.id: _known(spec, name, data) for spec in specs}
    if name is not None and not any(chosen.values()):
        recipes.find_recipe(specs[0], name, sources.kind_of(data))  # raises, with the nearest name
    return {spec.id: chosen[spec.id] or spec.default for spec in specs}


def _known(spec: Spec, name: str | None, data: str) -> str | None:
    if name is None:
        return None
    try:
        recipes.find_recipe(spec, name, sources.kind_of(data))
    except RecipeError:
        return None
    return name


def run_all(
    specs: Sequence[Spec], wanted: Request, start: Callable[[Spec, Request], Run]
) -> Iterator[Outcome]:
    """Yield what became of each homework, in order, as soon as it is known.

    Args:
        specs: the homeworks.
        wanted: what is asked of each; its recipe stands where a homework has one of that name.
        start: makes one run.

    Raises:
        RecipeError: no homework has that recipe; nothing was started.
    """
    names = recipes_for(specs, wanted.recipe or None, wanted.data)
    for spec in specs:
        if wanted.recipe and names[spec.id] != wanted.recipe:
            said = f"{spec.id} has no recipe {wanted.recipe!r}: it runs its own, {names[spec.id]!r}"
            progress.say(said)
        yield _outcome(spec, replace(wanted, homework=spec.id, recipe=names[spec.id]), start)


def _outcome(spec: Spec, request: Request, start: Callable[[Spec, Request], Run]) -> Outcome:
    try:
        return Outcome(spec=spec, run=start(spec, request))
    except MlspringError as error:
        outcome = Outcome(spec=spec, run=None, error=str(error), exit_code=error.exit_code)
    except Exception as error:  # noqa: BLE001  the other homeworks go on; the trace is shown
        progress.say("".join(traceback.format_exception(error)).rstrip())
        message = f"{type(error).__name__}: {error}"
        outcome = Outcome(spec=spec, run=None, error=message, exit_code=1)
    progress.say(f"{spec.id}: {outcome.error}")
    return outcome


def run_one(spec: Spec, wanted: Request, *, overrides: tuple[str, ...], out: Path) -> Outcome:
    """Return one homework's finished run; what goes wrong is raised.

    Raises:
        UserError: recipe, data or board refuse; nothing was trained.
    """
    request = replace(wanted, homework=spec.id, recipe=wanted.recipe or spec.default)
    return Outcome(spec=spec, run=run.run(spec, request, overrides=overrides, out=out))


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Return 0 where all went well, 1 where a fault of ours is among them, else 2."""
    codes = {outcome.exit_code for outcome in outcomes if outcome.error is not None}
    return min(codes, default=0)
