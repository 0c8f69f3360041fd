"""``validate``, ``score``, ``submit`` and ``board``: a submission and the local judge."""

from pathlib import Path
from typing import Any

from rich.text import Text

from mlspring import catalog
from mlspring.core.errors import UserError
from mlspring.core.foreign_text import shown
from mlspring.core.island import HasClassCount, HasClassNames, HasDescription
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.core.table_submission import TableSubmission
from mlspring.core.texts import count, whole_number
from mlspring.judge import boards, points, salvage, service, worker
from mlspring.judge import rules as judge_rules
from mlspring.judge.boards import Board
from mlspring.judge.queries import LARGEST_NUMBER
from mlspring.judge.receipt import Receipt
from mlspring.judge.rules import Rules
from mlspring.verbs import sources
from mlspring.verbs.board_table import again

ME = "me"  # the learner's own name on the local board
MOST_FINALS, MOST_PROBLEMS = 100, 10


def validate(spec: Spec, file: Path, data: str) -> str:
    """Return a sentence that ``file`` is well formed for ``data``.

    A homework whose submission is no table has ``describe(values)`` in its ``submission``.

    Raises:
        SubmissionError: it is not; names the row.
    """
    spec.require_ranking()
    reader, source = catalog.part(spec, "data"), sources.open_source(spec, data)
    part, ids = catalog.part(spec, "submission"), reader.test_ids(source)
    # Where the data and not the course say which classes there are, they are asked.
    with worker.file_faults(file):
        if isinstance(part, TableSubmission) and isinstance(reader, HasClassCount):
            values = part.read(file, ids, reader.count_classes(source))
        elif isinstance(part, TableSubmission) and isinstance(reader, HasClassNames):
            values = part.read(file, ids, reader.class_names(source))
        else:
            values = part.read(file, ids)
    content = part.describe(values) if isinstance(part, HasDescription) else f"{len(ids):,} rows"
    return f"{shown(str(file))}: a valid submission of {spec.id} with {content}"


def score(spec: Spec, file: Path, answers: Path | None) -> dict[str, Any]:
    """Return public and private score of ``file``, by given answers or the world's.

    A level is only claimed by the world's answers: its baselines say nothing about others.

    Raises:
        SubmissionError: the file is not what the homework asks for; names the row.
    """
    spec.require_ranking()
    scored = worker.score_locally(spec, file, answers or sources.world_answers(spec))
    source = "world" if answers is None or sources.are_world_answers(spec, answers) else None
    level = spec.level_reached(scored.public, source) if source else None
    scores = {"public": scored.public, "private": scored.private}
    return {**scores, "details": dict(scored.details), "level": level, "source": source}


def score_text(spec: Spec, scored: dict[str, Any]) -> str:
    """Return the score as one line, with the private mean's interval, or the metric's signature."""
    show, details = spec.metric.show, scored["details"]
    interval = ""
    if "private_low" in details:
        low, high = show(details["private_low"]), show(details["private_high"])
        interval = f" (95 % interval {low} to {high})"
    signed = next((name for name in details if name.startswith(f"{spec.metric.name}|")), "")
    return (
        f"{signed or spec.metric.name}: public {show(scored['public'])}, "
        f"private {show(scored['private'])}{interval}; "
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
    policy = _rules(spec, rules)
    if address is not None:
        raise UserError(
            f"this version cannot hand in at {address}", fix="leave --board out: the local board"
        )
    store, answers = service.open_store(), sources.world_answers(spec)
    return service.submit(store, spec, file, name, answers=answers, rules=policy, final=final)


def retry(spec: Spec, number: str, *, rules: str) -> Receipt:
    """Return what became of a submission that failed on our side, judged again.

    Raises:
        UserError: no number, or there is no such submission.
        RuleError: it did not fail, or its day's quota went to others since.
    """
    policy, (wanted,) = _rules(spec, rules), _numbers("--retry", number, most=1)
    answers = sources.world_answers(spec)
    return service.retry(service.open_store(), spec, wanted, answers=answers, rules=policy)


def _rules(spec: Spec, name: str) -> Rules:
    """Return the rules called ``name`` of a homework that has a board.

    Raises:
        UserError: it has none, or there are no such rules.
    """
    spec.require_ranking()
    return judge_rules.policy(name, spec)


def _numbers(option: str, text: str, *, most: int) -> list[int]:
    """Return the numbers of submissions in ``text``, e.g. ``3,5``.

    Raises:
        UserError: something else stands there, or more than ``most`` numbers.
    """
    numbers = [whole_number(part.strip(), high=LARGEST_NUMBER) for part in text.split(",", most)]
    if text.strip() and (None in numbers or len(numbers) > most):
        expected = "the number of a submission" if most == 1 else "submission numbers, e.g. 3,5"
        raise UserError(f"{option} {shown(text, longest=60)!r}", expected=expected)
    return [number for number in numbers if number is not None]


def receipt_text(spec: Spec, receipt: Receipt) -> Text:
    """Return what became of a submission, in a few lines."""
    text = Text(f"submission {receipt.number}: {receipt.state}\n", style="bold")
    if receipt.state is not State.SCORED:
        text.append(f"  {receipt.message}")
        return text.append(again(receipt), style="dim")
    text.append(f"  {spec.metric.name}, public: {spec.metric.show(receipt.public)}")
    text.append(f"; {_worth(spec, receipt.level, receipt.source)}")
    if receipt.num_left is not None:
        text.append(f"\n  {count(receipt.num_left, 'submission')} left today")
    return text.append(f"\n  see mlspring board {spec.id}", style="dim")


def board(spec: Spec, *, private: bool, rules: str, page: int = 1, name: str = ME) -> Board:
    """Return a page of the ranking on the world's answers, and where ``name`` stands."""
    policy, store = _rules(spec, rules), service.open_for_reading()
    return boards.board(store, spec, private=private, rules=policy, page=page, me=name)


def submissions(spec: Spec, name: str, *, rules: str) -> list[Receipt]:
    """Return a learner's submissions, oldest first, whatever became of them."""
    policy, store = _rules(spec, rules), service.open_for_reading()
    return service.submissions_of(store, spec, name, source="world", rules=policy)


def choose_finals(spec: Spec, name: str, numbers: str, *, rules: str) -> list[Receipt]:
    """Choose the submissions ``numbers``, e.g. ``3,5``, for the private board; empty: none.

    Returns:
        The receipts of the finals, which are now exactly these.

    Raises:
        UserError: not numbers.
        RuleError: too many, or one that is not a scored submission of this learner.
    """
    policy = _rules(spec, rules)
    chosen = _numbers("--finals", numbers, most=MOST_FINALS)
    return service.choose_finals(service.open_store(), spec, name, chosen, rules=policy)


def finals_text(spec: Spec, name: str, finals: list[Receipt]) -> str:
    """Return a sentence that says which submissions are the finals now."""
    numbers = ", ".join(str(receipt.number) for receipt in finals)
    if not finals:
        return f"no finals of {name} in {spec.id}: the best public submission counts"
    return f"finals of {name} in {spec.id}: {numbers}"


def check() -> str:
    """Return what is wrong with the board of this machine, and what was saved of it."""
    checked = salvage.check()
    held = f"{checked.num_submissions:,} submissions of {checked.num_learners:,} learners"
    if checked.moved_to is None:
        return f"the board is whole: {held}"
    lines = [f"the board was damaged: {problem}" for problem in checked.problems[:1]]
    lines += [f"  {problem}" for problem in checked.problems[1:MOST_PROBLEMS]]
    if (more := len(checked.problems) - MOST_PROBLEMS) > 0:
        lines.append(f"  and {more:,} more")
    lines.append(f"saved: {held}")
    lines.append(f"the damaged board was moved to {shown(str(checked.moved_to))}")
    if checked.num_files_moved:
        lines.append(
            f"  with {checked.num_files_moved:,} files that no saved submission knows, under "
            "files/: hand them in again where they count"
        )
    return "\n".join(lines)
