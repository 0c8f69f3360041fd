"""The command line: verbs and a few fixed flags; every number goes through a recipe.

Heavy imports happen inside the verb that needs them, so that ``--help`` is instant.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mlspring import catalog
from mlspring.cli.options import (
    AnswersFile,
    AsJson,
    Data,
    DecidingRun,
    DeviceName,
    File,
    Homework,
    Language,
    LanguageName,
    OneHomework,
    PrecisionName,
    RecipeName,
    Rules,
    RulesName,
    RunFolder,
    Unfinished,
)
from mlspring.cli.terminal import Verbs, run_app, show, show_json
from mlspring.core.machine import is_main_process
from mlspring.core.spec import Spec

app = typer.Typer(
    name="mlspring",
    cls=Verbs,
    help="Machine Learning 2022 Spring as software: from data to a ranked submission.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show homeworks, levels, baselines and your best."""
    from mlspring.verbs import listing

    found = listing.entries()
    show_json(found) if as_json else show(listing.table(found))


@app.command()
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
    out: Annotated[Path, typer.Option(help="Folder of all runs.")] = Path("runs"),
    submit: Annotated[bool, typer.Option(help="Hand the submission in on your board.")] = True,
    as_json: AsJson = False,
) -> None:
    """Train, predict, validate, score, rank and draw."""
    from mlspring.core.runs import Request
    from mlspring.verbs import run as verb

    specs = catalog.SPECS if homework == "all" else (catalog.find(homework),)
    finished = []
    for spec in specs:
        request = Request(
            homework=spec.id,
            recipe=recipe or spec.default,
            data=data,
            seed=seed,
            device=device.value,
            precision=precision.value,
            submit=submit,
        )
        done = verb.run(spec, request, overrides=tuple(set_ or ()), out=out)
        finished.append((spec, done))
    _show_runs(finished, as_json=as_json)


@app.command()
def resume(
    folder: RunFolder,
    submit: Annotated[
        bool | None,
        typer.Option(
            "--submit/--no-submit", help="Hand it in or not; default: as the run was asked to."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Continue a run that was stopped, to the same end."""
    from mlspring.verbs import run as verb

    done = verb.resume(folder, submit=submit)
    _show_runs([(catalog.find(done.request.homework), done)], as_json=as_json)


@app.command()
def predict(
    folder: RunFolder,
    data: Annotated[str | None, typer.Option(help="Other data than the run's own.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Write a submission with a finished run's networks."""
    from mlspring.verbs import predict as verb

    show(str(verb.predict(folder, data=data, out=out)))


@app.command()
def figures(folder: RunFolder) -> None:
    """Draw a run's report figures anew."""
    from mlspring.verbs import run as verb

    spec, done, recipe, data = verb.reopen(folder)
    catalog.part(spec, "figures").draw(done, recipe, data)
    show(str(done.figures))


@app.command()
def report(folder: RunFolder) -> None:
    """Write a run's report as one HTML page."""
    from mlspring.core.runs import Run
    from mlspring.verbs.report import page as verb

    show(str(verb.report(Run.open(folder))))


@app.command()
def data(
    homework: Homework,
    export: Annotated[
        Path | None, typer.Option(help="Write the world here, in the official layout.")
    ] = None,
    data: Data = "world",
) -> None:
    """Describe the data; write a world out in the official layout, answers apart."""
    from mlspring.verbs import data as verb

    spec = catalog.find(homework)
    show(verb.export(spec, export) if export else verb.describe(spec, data))


@app.command()
def fetch(
    homework: Homework,
    to: Annotated[Path | None, typer.Option(help="Folder to put it in.")] = None,
) -> None:
    """Download the course's own data, from every address that is known."""
    from mlspring.verbs import fetch as verb

    show(str(verb.fetch(catalog.find(homework), to)))


@app.command()
def validate(homework: Homework, file: File, data: Data = "world") -> None:
    """Check a submission's format; costs no quota."""
    from mlspring.verbs import board as verb

    show(verb.validate(catalog.find(homework), file, data))


@app.command()
def score(
    homework: Homework,
    file: File,
    answers: Annotated[
        Path | None, typer.Option(help="Answers with a Usage column; default: the world's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a submission without handing it in."""
    from mlspring.verbs import board as verb

    scored = verb.score(catalog.find(homework), file, answers)
    show_json(scored) if as_json else show(verb.score_text(catalog.find(homework), scored))


@app.command()
def submit(
    homework: Homework,
    file: File,
    name: Annotated[str, typer.Option("--as", help="Your name on the board.")] = "me",
    final: Annotated[bool, typer.Option(help="Choose it for the private board.")] = False,
    rules: Rules = RulesName.self_study,
    board: Annotated[str | None, typer.Option(help="Address of a class server.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hand a submission in and see where it ranks."""
    from mlspring.verbs import board as verb

    spec = catalog.find(homework)
    receipt = verb.submit(spec, file, name, rules=rules.value, final=final, address=board)
    _show_receipt(spec, receipt, as_json=as_json)


@app.command()
def board(  # noqa: PLR0917  (a fixed set of flags)
    homework: OneHomework = None,
    private: Annotated[bool, typer.Option("--private", help="Order by private scores.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="List your submissions instead.")] = False,
    finals: Annotated[
        str | None, typer.Option(metavar="N,N", help="Choose these submissions as your finals.")
    ] = None,
    retry: Annotated[str | None, typer.Option(metavar="N", help="Judge failed N again.")] = None,
    name: Annotated[str, typer.Option("--as", help="Whose row to mark.")] = "me",
    rules: Rules = RulesName.self_study,
    page: Annotated[int, typer.Option(min=1, metavar="N", help="Page of a long board.")] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Look for damage, save what can be saved.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the ranking with the baselines of the four levels."""
    from mlspring.verbs import board as verb
    from mlspring.verbs import board_table as tables

    if check:
        return show(verb.check())
    spec = catalog.find(homework or "")
    if finals is not None:
        chosen = verb.choose_finals(spec, name, finals, rules=rules.value)
        if not as_json:
            show(verb.finals_text(spec, name, chosen))
    if retry is not None:
        return _show_receipt(spec, verb.retry(spec, retry, rules=rules.value), as_json=as_json)
    if mine:
        own = verb.submissions(spec, name, rules=rules.value)
        plain = [receipt.as_json() for receipt in own]
        return show_json(plain) if as_json else show(tables.own_text(spec, own))
    shown = verb.board(spec, private=private, rules=rules.value, page=page, name=name)
    show_json(tables.board_rows(shown)) if as_json else show(tables.board_table(shown, me=name))


@app.command()
def calibrate(
    homework: Homework,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each level.")] = 5,
    out: Unfinished = Path("runs/calibration"),
) -> None:
    """Measure every level on its world; write baselines and results."""
    from mlspring.verbs.calibration import calibrate as verb

    outcome = verb.calibrate(catalog.find(homework), seeds=seeds, out=out)
    if outcome.defects:
        raise typer.Exit(1)


@app.command()
def quiz(
    homework: Homework,
    run: DecidingRun = None,
    answers: AnswersFile = None,
    language: Language = LanguageName.en,
    as_json: AsJson = False,
) -> None:
    """Answer questions whose keys come from your own run."""
    from mlspring.verbs import quiz as verb

    print_it = None if as_json else show
    taken = verb.take(catalog.find(homework), run, answers, language.value, show=print_it)
    show_json(taken.as_json()) if as_json else show(taken.text())


@app.command()
def doctor() -> None:
    """Say what this machine lacks, and the fix."""
    from mlspring.verbs import doctor as verb
    from mlspring.verbs import findings

    show(findings.table(verb.doctor()))


def main() -> None:
    """Run the command line; errors become a sentence on stderr and an exit code."""
    sys.exit(run_app(app))


def _show_receipt(spec: Spec, receipt: Any, *, as_json: bool) -> None:
    from mlspring.verbs import board as verb

    show_json(receipt.as_json()) if as_json else show(verb.receipt_text(spec, receipt))
    if receipt.state != "scored":
        raise typer.Exit(2 if receipt.state == "rejected" else 1)


def _show_runs(finished: list[tuple[Any, Any]], *, as_json: bool) -> None:
    if not is_main_process():
        return
    if as_json:
        results = [run.result for _, run in finished]
        show_json(results[0] if len(results) == 1 else results)
        return
    from mlspring.verbs.show import overview, summary

    for spec, done in finished:
        show(summary(spec, done))
    if len(finished) > 1:
        show(overview(finished))
