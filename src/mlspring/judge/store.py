"""The judge's memory: one SQLite file, the files handed in beside it, and every query.

<home>/judge/
    board.sqlite       learners and submissions (write-ahead log: readers never wait)
    files/hw03/...     the content of every submission, whatever became of it
    busy/              a lock for each submission that is on its way or being judged

Everything here can be read by the account of the judge alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from mlspring.core.errors import DataError, InternalError, RuleError
from mlspring.core.files import disk_errors, home
from mlspring.core.score import State
from mlspring.judge import database, queries
from mlspring.judge.names import name_key
from mlspring.judge.queries import learner_of, num_counted, require_room, row_of, to_record
from mlspring.judge.records import StoredSubmission, Upload, Verdict
from mlspring.judge.rules import COUNTED, Rules
from mlspring.judge.tables import Learner, Submission
from mlspring.judge.uploads import PRIVATE_FOLDER


class Store:
    """An open store; safe to use from several threads and processes at once."""

    def __init__(self, folder: Path, *, reading: bool = False) -> None:
        self.folder, self.path, self.files = folder, folder / "board.sqlite", folder / "files"
        self.busy = folder / "busy"
        make = database.make_reading_engine if reading else database.make_engine
        self._engine: Engine = make(self.path)
        self._writer = self._engine.execution_options(writes=True)

    @classmethod
    def open(cls, folder: Path | None = None) -> "Store":
        """Return the store in ``folder`` (default: ``judge`` in mlspring's home), made if missing.

        A store of an older mlspring is upgraded first; its content stays. At the newest
        revision this costs one query and does not import alembic.

        Raises:
            MachineError: the folder cannot be written, or a newer mlspring wrote the store.
            DataError: the file is no board, or a damaged one.
        """
        store = cls(home() / "judge" if folder is None else folder)
        with disk_errors(store.folder):
            for made in (store.folder, store.files, store.busy):
                made.mkdir(parents=True, exist_ok=True)
                if made.stat().st_mode & 0o077:  # of an older mlspring
                    made.chmod(PRIVATE_FOLDER)
        with database.translate_errors(store.path):
            database.upgrade(store._engine, store.path, store.files)
            with suppress(OSError):  # of an older mlspring
                store.path.chmod(0o600)
        return store

    @classmethod
    def open_for_reading(cls, folder: Path | None = None) -> "Store":
        """Return the store in ``folder``, never written and never waited for; empty if missing.

        Raises:
            MachineError: the file cannot be read, or a newer mlspring wrote it.
            DataError: the file is no board, or a damaged one.
        """
        store = cls(home() / "judge" if folder is None else folder, reading=True)
        with database.translate_errors(store.path):
            database.require_board(store.path, store.files)
            if store.path.exists():
                revision = database.revision_of(store._engine)
                if revision is None:
                    fix = database.CHECK
                    raise DataError("is damaged or no board", file=store.path, fix=fix)
                if revision not in database.READABLE:
                    raise database.newer(store.path, revision)
        return store

    # ---- writing

    def add(
        self, upload: Upload, rules: Rules, *, final: bool = False, num_finals: int = 0
    ) -> StoredSubmission:
        """Return the new submission, in state received, unless the rules keep it out.

        Counting and adding are one transaction that no other writer can enter, so two processes
        never share the last place. One that is to be a final takes its place among the finals now,
        and gives it back if it is not scored.

        Raises:
            RuleError: the quota is used up (says when the next submission is possible), or
                ``num_finals`` are chosen already.
            UserError: the name cannot be used, or looks like another learner's.
        """
        day = rules.day(upload.received)
        with self.writing() as session:
            learner = learner_of(session, upload.learner, joined=upload.received)
            counted = [
                num_counted(session, learner, upload.homework, upload.source, day, states)
                for states in (COUNTED, (State.REJECTED,))
            ]
            rules.admit(counted[0], upload.received, num_rejected=counted[1])
            if final:
                require_room(session, learner, upload, num_finals)
            values = {**vars(upload), "learner": learner}
            row = Submission(**values, state=State.RECEIVED, final=final)
            session.add(row)
            session.flush()
            return to_record(row, self.files)

    def finish(self, number: int, verdict: Verdict) -> StoredSubmission:
        """Return the submission with its verdict written down; only a scored one stays final.

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
        if verdict.state != State.SCORED:
            values["final"] = False
        with self.writing() as session:
            row = row_of(session, number)
            if row.state != State.RECEIVED:
                raise InternalError(f"submission {number} is {row.state} already")
            session.execute(update(Submission).where(Submission.id == number).values(values))
            session.refresh(row)
            return to_record(row, self.files)

    def reopen(self, number: int, answers: str, rules: Rules) -> StoredSubmission:
        """Return a failed submission, back in state received; it counts for the day it came in.

        Raises:
            RuleError: it did not fail, or that day's quota went to others since.
        """
        with self.writing() as session:
            row = row_of(session, number)
            if row.state != State.FAILED:
                raise RuleError(
                    f"submission {number} is {row.state}", expected="one that failed on our side"
                )
            day = rules.day(row.received)
            num_used = num_counted(session, row.learner, row.homework, row.source, day)
            if rules.left(num_used) == 0:
                raise RuleError(
                    f"the {rules.quota} submissions of the day of submission {number} were used "
                    "by others since",
                    fix="hand the file in again, as a new submission",
                )
            row.state, row.message, row.reason = State.RECEIVED, None, None
            row.answers, row.num_attempts = answers, row.num_attempts + 1
            session.flush()
            return to_record(row, self.files)

    def choose_finals(
        self, homework: str, source: str, learner: str, numbers: Sequence[int]
    ) -> None:
        """Make ``numbers`` the learner's finals on this board, in place of earlier ones.

        Raises:
            RuleError: one is not a scored submission of this learner on this board.
        """
        with self.writing() as session:
            queries.choose_finals(session, homework, source, learner, numbers)

    # ---- reading

    def submission(self, number: int) -> StoredSubmission:
        """Return one submission.

        Raises:
            UserError: there is none of this number.
        """
        with self.reading() as session:
            return to_record(row_of(session, number), self.files)

    def submissions(
        self,
        homework: str | None = None,
        *,
        source: str | None = None,
        learner: str | None = None,
        state: State | None = None,
    ) -> list[StoredSubmission]:
        """Return submissions in the order in which they came in; None passes everything."""
        query = select(Submission).join(Learner).order_by(Submission.id)
        if homework is not None:
            query = query.where(Submission.homework == homework)
        if source is not None:
            query = query.where(Submission.source == source)
        if learner is not None:
            query = query.where(Learner.key == name_key(learner))
        if state is not None:
            query = query.where(Submission.state == state)
        with self.reading() as session:
            return [to_record(row, self.files) for row in session.scalars(query)]

    def num_counted(
        self, homework: str, source: str, learner: str, day: tuple[datetime, datetime]
    ) -> int:
        """Return how many submissions of a learner count against the quota of ``day``."""
        with self.reading() as session:
            known = session.scalar(select(Learner).where(Learner.key == name_key(learner)))
            return 0 if known is None else num_counted(session, known, homework, source, day)

    def knows(self, relative: str) -> bool:
        """Return whether a submission refers to the copy at this path under the files."""
        with self.reading() as session:
            query = select(Submission.id).where(Submission.file == relative)
            return session.scalar(query) is not None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session for reading; what it sees does not change while it is open."""
        with (
            database.translate_errors(self.path),
            Session(self._engine) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield the only session that writes now; it is kept whole or not at all."""
        with (
            database.translate_errors(self.path),
            Session(self._writer) as session,
            session.begin(),
        ):
            yield session
