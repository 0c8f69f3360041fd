"""What the transactions of the store ask and change, each in a session that is open already."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mlspring.core.errors import RuleError, UserError
from mlspring.core.score import State
from mlspring.judge.names import learner_name, looks_like, name_key
from mlspring.judge.records import StoredSubmission, Upload
from mlspring.judge.rules import COUNTED
from mlspring.judge.tables import Learner, Submission

LARGEST_NUMBER = 2**63 - 1  # of a row in SQLite


def to_record(row: Submission, files: Path) -> StoredSubmission:
    """Return a row as a record; its content lies under ``files``.

    Raises:
        ValueError: a cell holds what its column cannot.
    """
    names = ("homework", "source", "filename", "num_bytes", "sha256", "answers", "received")
    return StoredSubmission(
        **{name: getattr(row, name) for name in names},
        number=row.id,
        learner=row.learner.name,
        file=files / row.file,
        relative=row.file,
        state=State(row.state),
        public=None if row.public is None else float(row.public),
        private=None if row.private is None else float(row.private),
        details={str(name): float(value) for name, value in dict(row.details).items()},
        message=row.message,
        reason=row.reason,
        seconds=float(row.seconds),
        num_attempts=row.num_attempts,
        final=row.final,
    )


def learner_of(session: Session, name: str, *, joined: datetime) -> Learner:
    """Return the learner of this name, who joins now if nobody has it yet.

    Raises:
        UserError: the name cannot be used, or looks like another learner's.
    """
    clean = learner_name(name)
    # On SQLite the whole transaction holds the only write lock; elsewhere this row's lock does.
    known = session.scalar(select(Learner).where(Learner.key == name_key(clean)).with_for_update())
    if known is None:
        if other := looks_like(clean, session.scalars(select(Learner.name))):
            found = f"{clean!r} looks like {other!r}, who is on this board already"
            raise UserError(found, fix="choose another name, e.g. --as ann")
        known = Learner(name=clean, key=name_key(clean), joined=joined)
        session.add(known)
        session.flush()
    return known


def row_of(session: Session, number: int) -> Submission:
    """Return a submission's row.

    Raises:
        UserError: there is none of this number.
    """
    row = session.get(Submission, number) if 0 < number <= LARGEST_NUMBER else None
    if row is None:
        raise UserError(f"there is no submission {number}")
    return row


def num_counted(
    session: Session,
    learner: Learner,
    homework: str,
    source: str,
    day: tuple[datetime, datetime],
    states: Sequence[State] = COUNTED,
) -> int:
    """Return how many submissions of a learner came in on ``day`` and are in one of ``states``."""
    query = select(func.count(Submission.id)).where(
        Submission.homework == homework,
        Submission.source == source,
        Submission.learner_id == learner.id,
        Submission.received >= day[0],
        Submission.received < day[1],
        Submission.state.in_(states),
    )
    return session.scalar(query) or 0


def require_room(session: Session, learner: Learner, upload: Upload, num_finals: int) -> None:
    """Do nothing where one more final may be chosen; those being judged have their place, too.

    Raises:
        RuleError: ``num_finals`` are chosen already.
    """
    query = select(Submission.id).where(
        Submission.homework == upload.homework,
        Submission.source == upload.source,
        Submission.learner_id == learner.id,
        Submission.final,
    )
    chosen = list(session.scalars(query.order_by(Submission.id)))
    if len(chosen) >= num_finals:
        numbers = ", ".join(map(str, chosen)) or "none"
        fix = f"leave --final out, and choose with mlspring board {upload.homework} --finals N,N"
        found = f"no room for another final; chosen: {numbers}"
        raise RuleError(found, expected=f"at most {num_finals}", fix=fix)


def choose_finals(
    session: Session, homework: str, source: str, learner: str, numbers: Sequence[int]
) -> None:
    """Make ``numbers`` the learner's finals on this board, in place of earlier ones.

    Raises:
        RuleError: one is not a scored submission of this learner on this board.
    """
    query = (
        select(Submission)
        .join(Learner)
        .where(
            Submission.homework == homework,
            Submission.source == source,
            Learner.key == name_key(learner),
        )
    )
    theirs = session.scalars(query).all()
    scored = {row.id for row in theirs if row.state == State.SCORED}
    for number in numbers:
        if number not in scored:
            known = ", ".join(map(str, sorted(scored))) or "none yet"
            raise RuleError(
                f"{number} is no scored submission of {learner} in {homework} ({source})",
                expected=f"one of theirs: {known}",
            )
    for row in theirs:
        row.final = row.id in numbers
