"""``validate``, ``score``, ``submit`` and ``board``: a submission and the local judge."""

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlspring import catalog
from mlspring.core.errors import RuleError, UserError
from mlspring.core.island import HasClassCount, HasDescription
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.core.table_submission import TableSubmission
from mlspring.judge import points, service, show
from mlspring.judge import rules as judge_rules
from mlspring.judge.receipt import Receipt
from mlspring.judge.rules import Rules
from mlspring.judge.service import Board
from mlspring.judge.store import Store
from mlspring.judge.worker import score_locally
from mlspring.verbs import sources


def validate(spec: Spec, file: Path, data: str) -> str:
    """Return a sentence that ``file`` is well formed for ``data``.

    A homework whose submission is no table has ``describe(values)`` in its ``submission``.

    Raises:
        SubmissionError: it is not; names the row.
    """
    spec.demand_ranking()
    reader, source = catalog.part(spec, "data"), sources.open_source(spec, data)
    part, ids = catalog.part(spec, "submission"), reader.test_ids(source)
    # Where the data and not the course say how many classes there are, they are asked.
    if isinstance(part, TableSubmission) and isinstance(reader, HasClassCount):
        values = part.read(file, ids, reader.count_classes(source))
    else:
        values = part.read(file, ids)
    content = part.describe(values) if isinstance(part, HasDescription) else f"{len(ids):,} rows"
    return f"{file}: a valid submission of {spec.id} with {content}"


def score(spec: Spec, file: Path, answers: Path | None) -> dict[str, Any]:
    """Return public and private score of ``file``, by given answers or the world's.

    A level is only claimed by the world's answers: its baselines say nothing about others.
    """
    spec.demand_ranking()
    key = answers or sources.world_answers(spec)
    scored = score_locally(spec, file, key)
    source = "world" if answers is None or sources.are_world_answers(spec, answers) else None
    level = spec.level_reached(scored.public, source) if source else None
    shown = {"public": scored.public, "private": scored.private, "details": dict(scored.details)}
    return {**shown, "level": level, "source": source}


def score_text(spec: Spec, scored: dict[str, Any]) -> str:
    """Return the score as one line, with the private mean's interval where it has one."""
    shown, details = spec.metric.show, scored["details"]
    interval = ""
    if "private_low" in details:
        low, high = shown(details["private_low"]), shown(details["private_high"])
        interval = f" (95 % interval {low} to {high})"
    return (
        f"{spec.metric.name}: public {shown(scored['public'])}, "
        f"private {shown(scored['private'])}{interval}; "
        f"{_worth(spec, scored['level'], scored['source'])}"
    )


def _worth(spec: Spec, level: str | None, source: str | None) -> str:
    """Return what a public score is worth by the baselines of ``source``, as words."""
    if level is not None:
        return f"reaches {level}"
    if source is None:
        return "no baseline is known for these answers"
    known = points.baselines_of(spec, source, "public")
    return "below every baseline" if known else f"no baseline is known for {source} data"


def submit(
    spec: Spec, file: Path, name: str, *, rules: str, final: bool, address: str | None
) -> Receipt:
    """Return the receipt of a submission on the local board.

    Raises:
        RuleError: the quota is used up, or all finals are chosen already; nothing is handed in.
        UserError: a class server is asked for, which this version cannot reach.
    """
    spec.demand_ranking()
    if address is not None:
        raise UserError(
            f"this version cannot hand in at {address}", fix="leave --board out: the local board"
        )
    store = service.open_store()
    policy = judge_rules.policy(rules, spec)
    chosen = _finals_with_room(store, spec, name, policy) if final else []
    answers = sources.world_answers(spec)
    receipt = service.submit(store, spec, file, name, answers=answers, rules=policy)
    if final and receipt.state is State.SCORED:
        chosen.append(receipt.number)
        finals = service.choose_finals(store, spec, name, chosen, rules=policy)
        receipt = next(r for r in finals if r.number == receipt.number)
    return receipt


def _finals_with_room(store: Store, spec: Spec, name: str, rules: Rules) -> list[int]:
    """Return the learner's finals; raise where one more would be too many."""
    mine = service.submissions_of(store, spec, name, source="world", rules=rules)
    chosen, allowed = [receipt.number for receipt in mine if receipt.final], rules.num_finals(spec)
    if len(chosen) < allowed:
        return chosen
    numbers = ", ".join(map(str, chosen)) or "none"
    fix = f"leave --final out, and choose with mlspring board {spec.id} --finals N,N"
    found = f"no room for another final; chosen: {numbers}"
    raise RuleError(found, expected=f"at most {allowed}", fix=fix)


def retry(spec: Spec, number: int, *, rules: str) -> Receipt:
    """Return what became of a submission that failed on our side, judged again.

    Raises:
        UserError: there is no such submission.
        RuleError: it did not fail, or its day's quota went to others since.
    """
    spec.demand_ranking()
    policy = judge_rules.policy(rules, spec)
    answers = sources.world_answers(spec)
    return service.retry(service.open_store(), spec, number, answers=answers, rules=policy)


def receipt_text(spec: Spec, receipt: Receipt) -> Text:
    """Return what became of a submission, in a few lines."""
    text = Text(f"submission {receipt.number}: {receipt.state}\n", style="bold")
    if receipt.state is not State.SCORED:
        text.append(f"  {receipt.message}")
        return text.append(_again(receipt), style="dim")
    text.append(f"  {spec.metric.name}, public: {spec.metric.show(receipt.public)}")
    text.append(f"; {_worth(spec, receipt.level, receipt.source)}")
    if receipt.num_left is not None:
        text.append(f"\n  {receipt.num_left} submissions left today")
    return text.append(f"\n  see mlspring board {spec.id}", style="dim")


def _again(receipt: Receipt) -> str:
    """Return why a submission failed on our side and how to try again; empty where it did not."""
    if receipt.state is not State.FAILED:
        return ""
    reason = f"\n{receipt.reason}" if receipt.reason else ""
    return f"{reason}\nmlspring board {receipt.homework} --retry {receipt.number}"


def board(spec: Spec, *, private: bool, rules: str) -> Board:
    """Return the ranking on the world's answers."""
    spec.demand_ranking()
    policy = judge_rules.policy(rules, spec)
    return service.board(service.open_store(), spec, private=private, rules=policy)


def board_table(shown: Board, name: str) -> Table:
    """Return the board as a table, the row of ``name`` marked."""
    return show.table(shown, me=name)


def board_rows(shown: Board) -> list[dict[str, Any]]:
    """Return the board as plain rows."""
    return show.as_rows(shown)


def submissions(spec: Spec, name: str, *, rules: str) -> list[Receipt]:
    """Return a learner's submissions, oldest first, whatever became of them."""
    spec.demand_ranking()
    policy = judge_rules.policy(rules, spec)
    return service.submissions_of(service.open_store(), spec, name, source="world", rules=policy)


def choose_finals(spec: Spec, name: str, numbers: str, *, rules: str) -> None:
    """Choose the submissions ``numbers``, e.g. ``3,5``, for the private board; empty: none.

    Raises:
        UserError: not numbers.
        RuleError: too many, or one that is not a scored submission of this learner.
    """
    spec.demand_ranking()
    texts = [text.strip() for text in numbers.split(",") if text.strip()]
    if not all(text.isdecimal() for text in texts):
        raise UserError(f"--finals {numbers!r}", expected="submission numbers, e.g. 3,5")
    policy = judge_rules.policy(rules, spec)
    chosen = [int(text) for text in texts]
    service.choose_finals(service.open_store(), spec, name, chosen, rules=policy)


def _own_table(spec: Spec, receipts: list[Receipt]) -> Table:
    """Return a learner's submissions as a table that fits 80 columns."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("number", "received", "state", "public", "private", "level", "final"):
        shown.add_column(column, no_wrap=True)
    for receipt in receipts:
        shown.add_row(
            str(receipt.number),
            f"{receipt.received.astimezone():%Y-%m-%d %H:%M}",
            str(receipt.state),
            spec.metric.show(receipt.public),
            spec.metric.show(receipt.private),
            receipt.level or "-",
            "yes" if receipt.final else "",
        )
        if receipt.message:
            shown.add_row("", Text(receipt.message.splitlines()[0], style="dim"))
    return shown


def own_text(spec: Spec, receipts: list[Receipt]) -> Group:
    """Return a learner's submissions as a table, and below it why some failed on our side."""
    failed = [Text(f"submission {r.number}:{_again(r)}") for r in receipts if _again(r)]
    return Group(_own_table(spec, receipts), *failed)
