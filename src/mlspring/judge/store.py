"""The judge's memory: one SQLite file, the files handed in beside it, and every query.

<home>/judge/
    board.sqlite       learners and submissions (write-ahead log: readers never wait)
    files/hw03/...     the content of every submission, whatever became of it
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mlspring.core.errors import InternalError, RuleError, UserError
from mlspring.core.files import disk_errors, home
from mlspring.core.score import State
from mlspring.judge.database import make_engine, sentences, upgrade
from mlspring.judge.entry import Arrival, Entry, Verdict, learner_name, name_key
from mlspring.judge.rules import COUNTED, Rules
from mlspring.judge.tables import Learner, Submission


class Store:
    """An open store; safe to use from several threads and processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path, self.files = folder, folder / "board.sqlite", folder / "files"
        self._engine = make_engine(self.path)
        self._writer = self._engine.execution_options(writes=True)

    @classmethod
    def open(cls, folder: Path | None = None) -> "Store":
        """Return the store in ``folder`` (default: ``judge`` in mlspring's home), made if missing.

        A store of an older mlspring is upgraded first; its content stays. At the newest
        revision this costs one query and does not import alembic.

        Raises:
            MachineError: the folder cannot be written, or a newer mlspring wrote the store.
            DataError: the file is no board.
        """
        store = cls(home() / "judge" if folder is None else folder)
        with disk_errors(store.folder):
            store.files.mkdir(parents=True, exist_ok=True)
        with sentences(store.path):
            upgrade(store._writer, store.path)
        return store

    # ---- writing

    def add(self, arrival: Arrival, rules: Rules) -> Entry:
        """Return the new entry, in state received, unless the day's quota is used up.

        Counting and adding are one transaction that no other writer can enter, so two processes
        never share the last place.

        Raises:
            RuleError: the quota is used up; says when the next submission is possible.
        """
        day = rules.day(arrival.received)
        with self._writing() as session:
            learner = _learner(session, arrival.learner, joined=arrival.received)
            rules.admit(
                _num_counted(session, learner, arrival.homework, arrival.source, day),
                arrival.received,
            )
            row = Submission(
                homework=arrival.homework,
                source=arrival.source,
                learner=learner,
                filename=arrival.filename,
                file=arrival.file,
                num_bytes=arrival.num_bytes,
                sha256=arrival.sha256,
                answers=arrival.answers,
                received=arrival.received,
                state=State.RECEIVED,
            )
            session.add(row)
            session.flush()
            return self._entry(row)

    def finish(self, number: int, verdict: Verdict) -> Entry:
        """Return the entry with its verdict written down.

        Raises:
            InternalError: it was not waiting for a verdict.
        """
        score = verdict.score
        values: dict[str, Any] = {
            "state": verdict.state,
            "public": score.public if score else None,
            "private": score.private if score else None,
            "details": dict(score.details) if score else {},
            "message": verdict.message,
            "reason": verdict.reason,
            "seconds": verdict.seconds,
        }
        with self._writing() as session:
            row = _row(session, number)
            if row.state != State.RECEIVED:
                raise InternalError(f"submission {number} is {row.state} already")
            session.execute(update(Submission).where(Submission.id == number).values(values))
            session.refresh(row)
            return self._entry(row)

    def reopen(self, number: int, answers: str, rules: Rules) -> Entry:
        """Return a failed entry, back in state received; it counts for the day it came in.

        Raises:
            RuleError: it did not fail, or that day's quota went to others since.
        """
        with self._writing() as session:
            row = _row(session, number)
            if row.state != State.FAILED:
                raise RuleError(
                    f"submission {number} is {row.state}", expected="one that failed on our side"
                )
            day = rules.day(row.received)
            num_used = _num_counted(session, row.learner, row.homework, row.source, day)
            if rules.left(num_used) == 0:
                raise RuleError(
                    f"the {rules.quota} submissions of the day of submission {number} were used "
                    "by others since",
                    fix="hand the file in again, as a new submission",
                )
            row.state, row.message, row.reason = State.RECEIVED, None, None
            row.answers, row.num_attempts = answers, row.num_attempts + 1
            session.flush()
            return self._entry(row)

    def choose(self, homework: str, source: str, learner: str, numbers: Sequence[int]) -> None:
        """Make ``numbers`` the learner's finals on this board, in place of earlier ones.

        Raises:
            RuleError: one is not a scored submission of this learner on this board.
        """
        with self._writing() as session:
            theirs = session.scalars(
                select(Submission)
                .join(Learner)
                .where(
                    Submission.homework == homework,
                    Submission.source == source,
                    Learner.key == name_key(learner),
                )
            ).all()
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

    # ---- reading

    def entry(self, number: int) -> Entry:
        """Return one entry.

        Raises:
            UserError: there is none of this number.
        """
        with self._reading() as session:
            return self._entry(_row(session, number))

    def entries(
        self,
        homework: str | None = None,
        *,
        source: str | None = None,
        learner: str | None = None,
        state: State | None = None,
    ) -> list[Entry]:
        """Return entries in the order in which they came in; None passes everything."""
        query = select(Submission).join(Learner).order_by(Submission.id)
        if homework is not None:
            query = query.where(Submission.homework == homework)
        if source is not None:
            query = query.where(Submission.source == source)
        if learner is not None:
            query = query.where(Learner.key == name_key(learner_name(learner)))
        if state is not None:
            query = query.where(Submission.state == state)
        with self._reading() as session:
            return [self._entry(row) for row in session.scalars(query)]

    def num_counted(
        self, homework: str, source: str, learner: str, day: tuple[datetime, datetime]
    ) -> int:
        """Return how many submissions of a learner count against the quota of ``day``."""
        with self._reading() as session:
            key = name_key(learner_name(learner))
            known = session.scalar(select(Learner).where(Learner.key == key))
            return 0 if known is None else _num_counted(session, known, homework, source, day)

    # ---- inside

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with sentences(self.path), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with sentences(self.path), Session(self._writer) as session, session.begin():
            yield session

    def _entry(self, row: Submission) -> Entry:
        return Entry(
            number=row.id,
            homework=row.homework,
            source=row.source,
            learner=row.learner.name,
            filename=row.filename,
            file=self.files / row.file,
            num_bytes=row.num_bytes,
            sha256=row.sha256,
            answers=row.answers,
            received=row.received,
            state=State(row.state),
            public=row.public,
            private=row.private,
            details=dict(row.details),
            message=row.message,
            reason=row.reason,
            seconds=row.seconds,
            num_attempts=row.num_attempts,
            final=row.final,
        )


def _learner(session: Session, name: str, *, joined: datetime) -> Learner:
    clean = learner_name(name)
    # On SQLite the whole transaction holds the only write lock; elsewhere this row's lock does.
    query = select(Learner).where(Learner.key == name_key(clean)).with_for_update()
    known = session.scalar(query)
    if known is None:
        known = Learner(name=clean, key=name_key(clean), joined=joined)
        session.add(known)
        session.flush()
    return known


def _row(session: Session, number: int) -> Submission:
    row = session.get(Submission, number)
    if row is None:
        raise UserError(f"there is no submission {number}")
    return row


def _num_counted(
    session: Session, learner: Learner, homework: str, source: str, day: tuple[datetime, datetime]
) -> int:
    query = select(func.count(Submission.id)).where(
        Submission.homework == homework,
        Submission.source == source,
        Submission.learner_id == learner.id,
        Submission.received >= day[0],
        Submission.received < day[1],
        Submission.state.in_(COUNTED),
    )
    return session.scalar(query) or 0
