"""The command line: verbs and a few fixed flags; every number goes through a recipe.

Heavy imports happen inside the verb that needs them, so that ``--help`` is instant.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from mlspring import catalog
from mlspring.cli import judging, running
from mlspring.cli.options import AsJson, Data, Homework, Unfinished, Verb
from mlspring.cli.terminal import Verbs, run_app, show, show_json

app = typer.Typer(
    name="mlspring",
    cls=Verbs,
    help="Machine Learning 2022 Spring as software: from data to a ranked submission.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; errors become a sentence on stderr and an exit code."""
    sys.exit(run_app(app))


@app.callback()
def program(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Machine Learning 2022 Spring as software: from data to a ranked submission."""
    if version:
        from mlspring import __version__

        show(f"mlspring {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        show(ctx.get_help())
        raise typer.Exit(2)


def list_(as_json: AsJson = False) -> None:
    """Show homeworks, levels, baselines and your best."""
    from mlspring.verbs import listing

    entries = listing.entries()
    show_json(entries) if as_json else show(listing.table(entries))


def data(
    homework: Homework,
    export: Annotated[
        Path | None, typer.Option(help="Write the world here, in the official layout.")
    ] = None,
    answers: Annotated[
        bool,
        typer.Option("--answers", help="With --export: the test answers, too."),
    ] = False,
    from_audio: Annotated[
        Path | None,
        typer.Option(help="Write recordings in the official layout (--export: where)."),
    ] = None,
    listen: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Write so many items of a world of sound as wav."),
    ] = None,
    data: Data = "world",
) -> None:
    """Describe the data, with a contact sheet; write a world out in the official layout."""
    from mlspring.verbs import data as verb

    spec = catalog.find(homework)
    if from_audio:
        return show(verb.from_audio(spec, from_audio, export))
    if listen:
        return show(verb.listen(spec, listen, export))
    if export:
        return show(verb.export(spec, export, answers=answers))
    card, sheet = verb.describe(spec, data)
    show(card)
    if sheet:
        show(f"pictures: {sheet}")


def fetch(
    homework: Homework,
    to: Annotated[Path | None, typer.Option(help="Folder to put it in.")] = None,
) -> None:
    """Download the course's own data, from every address that is known."""
    from mlspring.verbs import fetch as verb

    show(str(verb.fetch(catalog.find(homework), to)))


def calibrate(
    homework: Homework,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Runs of each level: 5, with --ablate 3.")
    ] = None,
    out: Unfinished = Path("runs/calibration"),
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Measure each level without what it adds.")
    ] = False,
) -> None:
    """Measure every level on its world; write baselines and results."""
    from mlspring.verbs.calibration import ablations
    from mlspring.verbs.calibration import calibrate as verb

    spec = catalog.find(homework)
    if ablate:
        defects = ablations.ablate(spec, seeds=seeds or 3, out=out)["defects"]
    else:
        defects = verb.calibrate(spec, seeds=seeds or 5, out=out).defects
    if defects:
        raise typer.Exit(1)


def doctor() -> None:
    """Say what this machine lacks, and the fix."""
    from mlspring.verbs import doctor as verb
    from mlspring.verbs import findings

    show(findings.table(verb.doctor()))


VERBS: dict[str, Callable[..., None]] = {
    "list": list_,
    "run": running.run,
    "resume": running.resume,
    "predict": running.predict,
    "figures": running.figures,
    "report": running.report,
    "runs": running.runs_,
    "compare": running.compare,
    "recipe": running.recipe,
    "data": data,
    "fetch": fetch,
    "validate": judging.validate,
    "score": judging.score,
    "submit": judging.submit,
    "board": judging.board,
    "calibrate": calibrate,
    "quiz": judging.quiz,
    "doctor": doctor,
}
for _name, _verb in VERBS.items():
    app.command(_name, cls=Verb)(_verb)
