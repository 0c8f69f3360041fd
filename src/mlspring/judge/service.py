"""What the command line and a class server ask of the judge."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlspring.core.errors import DataError, RuleError
from mlspring.core.files import sha256
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge.entry import Arrival, Entry, Verdict, learner_name
from mlspring.judge.intake import discard, shown_name, take_in, working_on
from mlspring.judge.points import missing_baselines
from mlspring.judge.ranking import Row
from mlspring.judge.ranking import board as ranked
from mlspring.judge.receipt import Receipt, receipt_of
from mlspring.judge.rules import SELF_STUDY, Rules
from mlspring.judge.store import Store
from mlspring.judge.worker import judge_one

STOPPED = "the judge was stopped before it was done: it is kept, costs nothing and can be retried"


@dataclass(frozen=True, kw_only=True)
class Board:
    """A ranked board and what must be said beside it.

    Args:
        spec: the homework; ``source`` whose answers judged it.
        private: whether it orders by the private score.
        show_private: whether private scores are on it at all.
        rows: best first, baselines between the learners.
        notes: sentences, e.g. that no private baseline is known.
    """

    spec: Spec
    source: str
    private: bool
    show_private: bool
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def open_store(folder: Path | None = None) -> Store:
    """Return the store in ``folder`` (default: mlspring's home), recovered from any crash.

    Raises:
        MachineError: the folder cannot be written, or a newer mlspring wrote the store.
        DataError: the file is no board.
    """
    store = Store.open(folder)
    recover(store)
    return store


def recover(store: Store) -> list[Entry]:
    """Turn submissions whose judge is gone from received to failed; return them.

    One that another living process is judging right now is left alone.
    """
    stale = []
    for entry in store.entries(state=State.RECEIVED):
        verdict = Verdict(state=State.FAILED, message=STOPPED, reason="the judge's process died")
        try:
            with working_on(entry.file, entry.number):
                # Its judge may have ended well between the query and the lock.
                if store.entry(entry.number).state == State.RECEIVED:
                    stale.append(store.finish(entry.number, verdict))
        except RuleError:
            continue
        except FileNotFoundError:
            stale.append(store.finish(entry.number, verdict))
    return stale


def submit(
    store: Store,
    spec: Spec,
    file: Path,
    learner: str,
    *,
    answers: Path | None,
    source: str = "world",
    rules: Rules = SELF_STUDY,
    now: datetime | None = None,
) -> Receipt:
    """Return what became of ``file``: it is stored, judged and on the board.

    A rejected or failed submission is a receipt too, with its message; nothing is raised for it.

    Args:
        store: where it is kept.
        spec: the homework.
        file: what the learner hands in; copied before anything reads it.
        learner: the name on the board.
        answers: the file of answers, None where there are none.
        source: ``world`` or ``official``; each is a board of its own.
        rules: quota, finals, visibility, and how the scorer is run.
        now: the time of receipt with its zone; default: this moment.

    Raises:
        SubmissionError: the file is missing, no regular file, empty or too large; nothing is
            stored.
        RuleError: the day's quota is used up; nothing is stored.
        DataError: there are no answers to judge by.
        UserError: the name cannot be used.
    """
    now = now or datetime.now(UTC)
    name = learner_name(learner)
    known = _known_answers(spec, answers, source)
    arrival = _taken_in(store, spec, file, learner=name, source=source, answers=known, now=now)
    stored = store.files / arrival.file
    with working_on(stored):  # before the row exists: from its first moment it has a judge
        try:
            entry = store.add(arrival, rules)
        except Exception:
            discard(stored)
            raise
        entry = _judge(store, spec, entry, known, rules)
    return _receipt(store, spec, entry, rules, now)


def retry(
    store: Store,
    spec: Spec,
    number: int,
    *,
    answers: Path | None,
    rules: Rules = SELF_STUDY,
    now: datetime | None = None,
) -> Receipt:
    """Return what became of a failed submission that is judged again; it keeps its place in time.

    Raises:
        UserError: there is no such submission.
        RuleError: it did not fail, is of another homework, is being judged now, or its day's
            quota went to others since.
        DataError: there are no answers, or its content is gone.
    """
    entry = store.entry(number)
    if entry.homework != spec.id:
        raise RuleError(f"submission {number} is of {entry.homework}", expected=spec.id)
    known = _known_answers(spec, answers, entry.source)
    if not entry.file.is_file():
        raise DataError(f"the content of submission {number} is gone", file=entry.file)
    with working_on(entry.file, number):
        entry = store.reopen(number, sha256(known), rules)
        entry = _judge(store, spec, entry, known, rules)
    return _receipt(store, spec, entry, rules, now or datetime.now(UTC))


def choose_finals(
    store: Store,
    spec: Spec,
    learner: str,
    numbers: Iterable[int],
    *,
    source: str = "world",
    rules: Rules = SELF_STUDY,
) -> list[Receipt]:
    """Return the learner's finals, which are now exactly ``numbers``; none takes the choice back.

    Raises:
        RuleError: too many, or one that is not a scored submission of theirs on this board.
    """
    chosen = list(dict.fromkeys(numbers))
    allowed = rules.num_finals(spec)
    if len(chosen) > allowed:
        raise RuleError(
            f"{len(chosen)} finals chosen", expected=f"at most {allowed}", fix="leave some out"
        )
    store.choose(spec.id, source, learner_name(learner), chosen)
    mine = submissions_of(store, spec, learner, source=source, rules=rules)
    return [receipt for receipt in mine if receipt.final]


def submissions_of(
    store: Store,
    spec: Spec,
    learner: str,
    *,
    source: str | None = None,
    rules: Rules = SELF_STUDY,
    now: datetime | None = None,
) -> list[Receipt]:
    """Return all submissions of a learner to a homework, whatever became of them, oldest first."""
    now = now or datetime.now(UTC)
    entries = store.entries(spec.id, source=source, learner=learner)
    return [_receipt(store, spec, entry, rules, now) for entry in entries]


def board(
    store: Store,
    spec: Spec,
    *,
    source: str = "world",
    private: bool = False,
    rules: Rules = SELF_STUDY,
) -> Board:
    """Return the board of one homework on one data source.

    Only submissions judged by the same answers as the latest one are on it, because scores under
    different answers cannot be compared; a note says how many were left out.

    Raises:
        RuleError: the private board is asked for and the rules keep it closed.
    """
    if private and not rules.private_visible:
        raise RuleError("the private board is closed", fix="see the public one: mlspring board")
    scored = store.entries(spec.id, source=source, state=State.SCORED)
    current = [entry for entry in scored if entry.answers == scored[-1].answers]
    notes = missing_baselines(spec, source)
    if num_left_out := len(scored) - len(current):
        notes.append(f"not shown, because judged by other answers: {num_left_out}")
    rows = ranked(spec, current, source=source, private=private)
    return Board(
        spec=spec,
        source=source,
        private=private,
        show_private=private,
        rows=tuple(rows),
        notes=tuple(notes),
    )


# ---- inside


def _taken_in(
    store: Store,
    spec: Spec,
    file: Path,
    *,
    learner: str,
    source: str,
    answers: Path,
    now: datetime,
) -> Arrival:
    """Return the arrival of ``file``, whose copy lies in the store now."""
    copy = take_in(file, spec, store.files)
    return Arrival(
        homework=spec.id,
        source=source,
        learner=learner,
        filename=shown_name(file),
        file=copy.relative,
        num_bytes=copy.num_bytes,
        sha256=copy.sha256,
        answers=sha256(answers),
        received=now,
    )


def _judge(store: Store, spec: Spec, entry: Entry, answers: Path, rules: Rules) -> Entry:
    """Return the entry with its verdict; however judging ends, the submission ends too."""
    try:
        verdict = judge_one(
            spec,
            entry.file,
            answers,
            filename=entry.filename,
            isolated=rules.isolated or spec.submission not in ("table", "baselines"),
            time_limit=rules.time_limit,
        )
    except BaseException as error:  # Ctrl-C and exit pass through, after the books are in order
        reason = f"interrupted by {type(error).__name__}"
        store.finish(entry.number, Verdict(state=State.FAILED, message=STOPPED, reason=reason))
        raise
    return store.finish(entry.number, verdict)


def _known_answers(spec: Spec, answers: Path | None, source: str) -> Path:
    if answers is None:
        raise DataError(
            f"there are no answers for {spec.id} on {source} data, so nothing can be scored",
            fix="give a file of answers, or only check the format: mlspring validate",
        )
    if not answers.is_file():
        raise DataError("there is no such file of answers", file=answers)
    return answers


def _receipt(store: Store, spec: Spec, entry: Entry, rules: Rules, now: datetime) -> Receipt:
    num_used = 0
    if rules.quota is not None:
        num_used = store.num_counted(spec.id, entry.source, entry.learner, rules.day(now))
    return receipt_of(spec, entry, rules, num_used)
