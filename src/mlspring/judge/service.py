"""What the command line and a class server ask of the judge."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from mlspring.core.errors import DataError, RuleError
from mlspring.core.files import sha256
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge import uploads
from mlspring.judge.names import learner_name
from mlspring.judge.receipt import Receipt, receipt_of
from mlspring.judge.records import StoredSubmission, Upload, Verdict
from mlspring.judge.rules import SELF_STUDY, Rules
from mlspring.judge.store import Store
from mlspring.judge.uploads import discard, judging_lock, shown_name, store_upload
from mlspring.judge.worker import judge_one

PATIENCE = 30.0  # seconds, for locks that nobody holds for long
STOPPED = "the judge was stopped before it was done: it is kept, costs nothing and can be retried"


def open_store(folder: Path | None = None) -> Store:
    """Return the store in ``folder`` (default: mlspring's home), recovered from any crash.

    Raises:
        MachineError: the folder cannot be written, or a newer mlspring wrote the store.
        DataError: the file is no board, or a damaged one.
    """
    store = Store.open(folder)
    recover(store)
    sweep(store)
    return store


def open_for_reading(folder: Path | None = None) -> Store:
    """Return the store in ``folder``, which waits for nobody and works on a read-only disk.

    Raises:
        MachineError: the file cannot be read, or a newer mlspring wrote it.
        DataError: the file is no board, or a damaged one.
    """
    store = Store.open_for_reading(folder)
    sweep(store)
    return store


def recover(store: Store) -> list[StoredSubmission]:
    """Turn submissions whose judge is gone from received to failed; return them.

    One that another living process is judging right now is left alone.
    """
    stale = []
    for waiting in store.submissions(state=State.RECEIVED):
        verdict = Verdict(state=State.FAILED, message=STOPPED, reason="the judge's process died")
        try:
            with judging_lock(store.busy, waiting.relative, waiting.number):
                # Its judge may have ended well between the query and the lock.
                if store.submission(waiting.number).state == State.RECEIVED:
                    stale.append(store.finish(waiting.number, verdict))
        except RuleError:
            continue
    return stale


def sweep(store: Store) -> list[str]:
    """Remove copies that a killed process left before a submission knew of them; return them."""
    return uploads.sweep(store.busy, store.files, store.knows)


def submit(
    store: Store,
    spec: Spec,
    file: Path,
    learner: str,
    *,
    answers: Path | None,
    source: str = "world",
    rules: Rules = SELF_STUDY,
    final: bool = False,
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
        final: whether to choose it for the private board, beside those chosen earlier.
        now: the time of receipt with its zone; default: this moment.

    Raises:
        SubmissionError: the file is missing, no regular file, empty or too large; nothing is
            stored.
        RuleError: the day's quota is used up, or it is to be a final and there is no room for
            another; nothing is stored.
        DataError: there are no answers to judge by.
        UserError: the name cannot be used.
    """
    now = now or datetime.now(UTC)
    name = learner_name(learner)
    known = _require_answers(spec, answers, source)
    relative = uploads.new_location(spec)
    with judging_lock(store.busy, relative, wait=PATIENCE):  # from its first byte it has a judge
        copy = store_upload(file, spec, store.files, relative)
        upload = Upload(
            homework=spec.id,
            source=source,
            learner=name,
            filename=shown_name(file),
            file=copy.relative,
            num_bytes=copy.num_bytes,
            sha256=copy.sha256,
            answers=sha256(known),
            received=now,
        )
        try:
            stored = store.add(upload, rules, final=final, num_finals=rules.num_finals(spec))
        except BaseException:
            discard(store.files / relative)
            raise
        stored = _judge(store, spec, stored, known, rules)
    return _receipt(store, spec, stored, rules, now)


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
    stored = store.submission(number)
    if stored.homework != spec.id:
        raise RuleError(f"submission {number} is of {stored.homework}", expected=spec.id)
    known = _require_answers(spec, answers, stored.source)
    if not stored.file.is_file():
        raise DataError(f"the content of submission {number} is gone", file=stored.file)
    with judging_lock(store.busy, stored.relative, number, wait=1.0):
        stored = store.reopen(number, sha256(known), rules)
        stored = _judge(store, spec, stored, known, rules)
    return _receipt(store, spec, stored, rules, now or datetime.now(UTC))


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
    store.choose_finals(spec.id, source, learner, chosen)
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
    theirs = store.submissions(spec.id, source=source, learner=learner)
    return [_receipt(store, spec, stored, rules, now) for stored in theirs]


# ---- inside


def _judge(
    store: Store, spec: Spec, stored: StoredSubmission, answers: Path, rules: Rules
) -> StoredSubmission:
    """Return the submission with its verdict; however judging ends, the submission ends too."""
    try:
        verdict = judge_one(
            spec,
            stored.file,
            answers,
            filename=stored.filename,
            isolated=rules.isolated or spec.submission not in ("table", "baselines"),
            time_limit=rules.time_limit,
        )
    except BaseException as error:  # Ctrl-C and exit pass through, after the books are in order
        reason = f"interrupted by {type(error).__name__}"
        store.finish(stored.number, Verdict(state=State.FAILED, message=STOPPED, reason=reason))
        raise
    return store.finish(stored.number, verdict)


def _require_answers(spec: Spec, answers: Path | None, source: str) -> Path:
    if answers is None:
        raise DataError(
            f"there are no answers for {spec.id} on {source} data, so nothing can be scored",
            fix="give a file of answers, or only check the format: mlspring validate",
        )
    if not answers.is_file():
        raise DataError("there is no such file of answers", file=answers)
    return answers


def _receipt(
    store: Store, spec: Spec, stored: StoredSubmission, rules: Rules, now: datetime
) -> Receipt:
    num_used = 0
    if rules.quota is not None:
        num_used = store.num_counted(spec.id, stored.source, stored.learner, rules.day(now))
    return receipt_of(spec, stored, rules, num_used)
