"""The verbs of the judge: check, score, hand in, rank; and the quiz."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mlspring import catalog
from mlspring.cli.options import (
    AnswersFile,
    AsJson,
    Data,
    DecidingRun,
    File,
    Homework,
    Language,
    LanguageName,
    OneHomework,
    Rules,
    RulesName,
)
from mlspring.cli.terminal import show, show_json
from mlspring.core.spec import Spec


def validate(homework: Homework, file: File, data: Data = "world") -> None:
    """Check a submission's format; costs no quota."""
    from mlspring.verbs import board as verb

    show(verb.validate(catalog.find(homework), file, data))


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


def submit(
    homework: Homework,
    file: File,
    name: Annotated[str, typer.Option("--as", help="Your name on the board.")] = "me",
    final: Annotated[
        bool, typer.Option("--final", help="Choose it for the private board.")
    ] = False,
    rules: Rules = RulesName.self_study,
    board: Annotated[
        str | None, typer.Option(help="Address of a class server.", hidden=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand a submission in and see where it ranks."""
    from mlspring.verbs import board as verb

    spec = catalog.find(homework)
    receipt = verb.submit(spec, file, name, rules=rules.value, final=final, address=board)
    _show_receipt(spec, receipt, as_json=as_json)


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
    """Show the ranking, with the baseline of every level."""
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


def quiz(
    homework: Homework,
    run: DecidingRun = None,
    answers: AnswersFile = None,
    language: Language = LanguageName.en,
    as_json: AsJson = False,
) -> None:
    """Answer questions whose keys come from your own run."""
    from mlspring.verbs import quiz as verb
    from mlspring.verbs import runs

    print_it = None if as_json else show
    deciding = None if run is None else runs.named(run)
    taken = verb.take(catalog.find(homework), deciding, answers, language.value, show=print_it)
    show_json(taken.as_json()) if as_json else show(taken.text())


def _show_receipt(spec: Spec, receipt: Any, *, as_json: bool) -> None:
    from mlspring.verbs import board as verb

    show_json(receipt.as_json()) if as_json else show(verb.receipt_text(spec, receipt))
    if receipt.state != "scored":
        raise typer.Exit(2 if receipt.state == "rejected" else 1)
