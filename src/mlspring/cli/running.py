"""The verbs that make runs, and those that look at them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlspring import catalog
from mlspring.cli.options import (
    AllRuns,
    AsJson,
    Data,
    DeviceName,
    Homework,
    PrecisionName,
    RecipeName,
    RunFolder,
    SomeHomework,
    Submit,
    SubmitOrNot,
)
from mlspring.cli.terminal import show, show_json
from mlspring.core.machine import is_main_process

if TYPE_CHECKING:
    from mlspring.verbs.every import Outcome


def run(  # noqa: PLR0917  (a fixed set of flags; knobs are in recipes)
    homework: Annotated[str, typer.Argument(metavar="HW", help="A homework, or 'all'.")],
    recipe: RecipeName = None,
    data: Data = "world",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="K=V", help="Change a recipe's key, e.g. train.steps=500."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Fixes every random choice.")] = 0,
    device: Annotated[DeviceName, typer.Option(help="Where to compute.")] = DeviceName.auto,
    precision: Annotated[
        PrecisionName, typer.Option(help="Arithmetic; auto: what is fastest here.")
    ] = PrecisionName.auto,
    out: AllRuns = Path("runs"),
    submit: Submit = True,
    as_json: AsJson = False,
) -> None:
    """Train, predict, validate, score, rank and draw."""
    from mlspring.core.runs import Request
    from mlspring.verbs import every
    from mlspring.verbs import run as verb

    request = Request(
        homework=homework,
        recipe=recipe or "",
        data=data,
        seed=seed,
        device=device.value,
        precision=precision.value,
        submit=submit,
    )
    overrides = tuple(set_ or ())
    if homework != "all":
        done = every.run_one(catalog.find(homework), request, overrides=overrides, out=out)
        return _show_runs([done], as_json=as_json)
    outcomes: list[Outcome] = []
    try:
        for outcome in every.run_all(
            catalog.SPECS,
            request,
            lambda spec, asked: verb.run(spec, asked, overrides=overrides, out=out),
        ):
            outcomes.append(outcome)
    finally:  # whatever stopped it, what is finished is shown
        if outcomes:
            _show_runs(outcomes, as_json=as_json, table=True)
    if exit_code := every.exit_code(outcomes):
        raise typer.Exit(exit_code)


def resume(folder: RunFolder, submit: SubmitOrNot = None, as_json: AsJson = False) -> None:
    """Continue a run that was stopped, to the same end."""
    from mlspring.verbs import every, runs
    from mlspring.verbs import run as verb

    done = verb.resume(runs.named(folder), submit=submit)
    outcome = every.Outcome(spec=catalog.find(done.request.homework), run=done)
    _show_runs([outcome], as_json=as_json)


def predict(
    folder: RunFolder,
    data: Annotated[str | None, typer.Option(help="Other data than the run's own.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Write a submission with a finished run's networks."""
    from mlspring.verbs import predict as verb
    from mlspring.verbs import runs

    show(str(verb.predict(runs.named(folder), data=data, out=out)))


def runs_(
    homework: SomeHomework = None, out: AllRuns = Path("runs"), as_json: AsJson = False
) -> None:
    """List your runs, the newest first."""
    from mlspring.verbs import runs as verb

    found = verb.all_runs(out, catalog.find(homework).id if homework else None)
    show_json(verb.as_rows(found)) if as_json else show(verb.table(found, out))


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN RUN ...", help="Two runs or more.")],
    out: Annotated[Path, typer.Option(help="PNG to write.")] = Path("runs/compare.png"),
) -> None:
    """Lay the curves of runs over one another; show the keys that differ."""
    from mlspring.verbs import compare as verb
    from mlspring.verbs import runs

    compared = verb.compare([runs.named(folder) for folder in folders])
    show(verb.table(compared))
    if path := verb.draw(compared, out):
        show(str(path))


def recipe(homework: Homework, recipe: RecipeName = None, data: Data = "world") -> None:
    """Print a recipe, every key with its meaning; a start for one of your own."""
    from mlspring.core.recipe import dump_recipe
    from mlspring.verbs import recipes, sources

    spec = catalog.find(homework)
    kind = sources.kind_of(data)
    path = recipes.find_recipe(spec, recipe or spec.default, kind)
    show(dump_recipe(recipes.load(spec, path, kind=kind)).rstrip("\n"))


def figures(folder: RunFolder) -> None:
    """Draw a run's report figures anew."""
    from mlspring.verbs import redraw as verb
    from mlspring.verbs import runs

    done, problems = verb.redraw(runs.named(folder))
    show(str(done.figures))
    if problems:
        raise typer.Exit(1)


def report(folder: RunFolder) -> None:
    """Write a run's report as one HTML page."""
    from mlspring.core.runs import Run
    from mlspring.verbs import runs
    from mlspring.verbs.report import page as verb

    show(str(verb.report(Run.open(runs.named(folder)))))


def _show_runs(outcomes: "list[Outcome]", *, as_json: bool, table: bool = False) -> None:
    if not is_main_process():
        return
    if as_json:
        results = [outcome.as_json() for outcome in outcomes]
        return show_json(results if table else results[0])
    from mlspring.verbs.show import overview, summary, where

    for outcome in outcomes:
        if outcome.run is not None:
            show(summary(outcome.spec, outcome.run))
            show(where(outcome.run))
    if table:
        show(overview(outcomes))
