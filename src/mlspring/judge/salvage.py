"""A damaged board: what is wrong with it, and a new one with all that can be read of the old.

Nothing is deleted: the old file moves into a folder ``damaged-...`` beside the new board, with
every file that was handed in and that no saved submission knows.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import disk_errors, home
from mlspring.core.foreign_text import shown
from mlspring.core.score import State
from mlspring.judge import database
from mlspring.judge.names import LONGEST_NAME, name_key
from mlspring.judge.store import Store
from mlspring.judge.tables import Learner, Submission
from mlspring.judge.uploads import PRIVATE_FOLDER

LOST = "the board was damaged and this score was lost: the file is kept and can be judged again"


@dataclass(kw_only=True)
class Check:
    """What a check of the board found and did.

    Args:
        num_submissions: that the board holds now, of ``num_learners`` learners.
        problems: what was wrong, a sentence each; none: nothing was changed.
        moved_to: where the damaged board and files without a submission are now.
        num_files_moved: how many such files.
    """

    num_submissions: int = 0
    num_learners: int = 0
    problems: list[str] = field(default_factory=list)
    moved_to: Path | None = None
    num_files_moved: int = 0


def check(folder: Path | None = None) -> Check:
    """Return what is wrong with the store in ``folder``; a damaged one is saved and replaced.

    Raises:
        MachineError: the folder cannot be written, or a newer mlspring wrote the store.
    """
    folder = home() / "judge" if folder is None else folder
    problems = _problems(folder)
    if not problems:
        store = Store.open_for_reading(folder)
        return _counted(store, Check())
    with disk_errors(folder), database.making(folder):
        aside = folder / f"damaged-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        aside.mkdir(mode=PRIVATE_FOLDER)
        for file in sorted(folder.glob("board.sqlite*")):
            file.rename(aside / file.name)
        database.make_new(folder / "board.sqlite")
        store = Store.open(folder)
        problems += _save(store, aside / "board.sqlite")
        moved = _move_unknown(store, aside / "files")
    return _counted(store, Check(problems=problems, moved_to=aside, num_files_moved=moved))


def _problems(folder: Path) -> list[str]:
    """Return what is wrong with the board, a sentence each; an older one is no problem."""
    try:
        store = Store.open_for_reading(folder)
        with store.reading() as session:
            for pragma in ("integrity_check", "foreign_key_check"):
                found = [
                    " ".join(map(str, row)) for row in session.execute(text(f"PRAGMA {pragma}"))
                ]
                if found not in ([], ["ok"]):
                    return [f"SQLite's {pragma}: {shown(found[0], longest=200)}"]
        store.submissions()
        with store.reading() as session:
            for learner in session.query(Learner):
                if not isinstance(learner.name, str):
                    return [f"the name of learner {learner.id} is no text"]
    except MachineError:
        raise
    except DataError as error:
        return [error.found]
    return []


def _save(store: Store, damaged: Path) -> list[str]:
    """Copy into the new board every row of the old one that can be read; return what is lost."""
    lost: list[str] = []
    if not damaged.exists():
        return lost
    with closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as old:
        old.text_factory = lambda raw: raw.decode(errors="replace")
        names = {row["id"]: row for row in _rows(old, "learners", lost)}
        rows = list(_rows(old, "submissions", lost))
    for row in rows:
        try:
            with store.writing() as session:
                learner = _learner(session, row.get("learner_id"), names)
                saved = _submission(row, store.files, lost)
                session.add(Submission(**saved, learner=learner))
                session.flush()
        except (DataError, DatabaseError, KeyError, TypeError, ValueError, OSError) as error:
            lost.append(f"submission {row.get('id')} is lost ({shown(str(error), longest=200)})")
    with store.writing() as session:  # numbers that people have seen are not given again
        most = max([_number(row.get("id")) for row in rows], default=0)
        most = max(most, sum(1 for _ in store.files.glob("*/*/*")))
        session.execute(text("DELETE FROM sqlite_sequence WHERE name = 'submissions'"))
        given = {"most": most}
        session.execute(text("INSERT INTO sqlite_sequence VALUES ('submissions', :most)"), given)
    return lost


def _rows(old: sqlite3.Connection, table: str, lost: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table by column name, as far as the file can be read."""
    try:
        cursor = old.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))
    except (sqlite3.Error, MemoryError) as error:
        lost.append(f"not all of the table {table} can be read ({error})")


def _learner(session: Any, key: object, names: dict[Any, dict[str, Any]]) -> Learner:
    """Return the learner of a row; one whose name is lost is called by its number."""
    old = names.get(key, {})
    name = str(old.get("name") or f"learner {key}, name lost")[:LONGEST_NAME]
    known: Learner | None = session.query(Learner).filter_by(key=name_key(name)).one_or_none()
    if known is None:
        known = Learner(name=name, key=name_key(name), joined=_time(old.get("joined")))
        session.add(known)
    return known


def _submission(row: dict[str, Any], files: Path, lost: list[str]) -> dict[str, Any]:
    """Return the values of a row; one whose score cannot be read can be judged again.

    Raises:
        KeyError, TypeError, ValueError: what cannot be done without is missing.
    """
    number, file = _number(row["id"]), str(row["file"])
    if not number:
        raise ValueError("its number cannot be read")
    received = row.get("received")
    if _or_none(datetime.fromisoformat, received) is None and (files / file).exists():
        received = str(datetime.fromtimestamp((files / file).stat().st_mtime, UTC))
        lost.append(f"the time of submission {number} is lost; it is that of its file now")
    saved = {
        "id": number,
        "file": file,
        "received": _time(received),
        "homework": str(row["homework"]),
        "source": str(row.get("source", "world")),
        "filename": str(row.get("filename", "")),
        "num_bytes": int(row.get("num_bytes") or 0),
        "sha256": str(row.get("sha256", "")),
        "answers": str(row.get("answers", "")),
        "num_attempts": _or_none(int, row.get("num_attempts")) or 1,
        "seconds": _or_none(float, row.get("seconds")) or 0.0,
        "state": State(row.get("state", State.FAILED)),
        "public": _or_none(float, row.get("public")),
        "private": _or_none(float, row.get("private")),
        "details": _details(row.get("details")),
        "message": _or_none(str, row.get("message")),
        "reason": _or_none(str, row.get("reason")),
        "final": bool(row.get("final")),
    }
    if saved["state"] == State.SCORED and None in (saved["public"], saved["private"]):
        lost.append(f"the score of submission {number} is lost: --retry {number} judges it again")
        empty = {"public": None, "private": None, "final": False}
        saved |= {"state": State.FAILED, "message": LOST, **empty}
    return saved


def _move_unknown(store: Store, to: Path) -> int:
    """Move every file that no submission knows out of the store's files; return how many."""
    known = {stored.relative for stored in store.submissions()}
    moved = 0
    for file in sorted(store.files.glob("*/*/*")):
        relative = file.relative_to(store.files).as_posix()
        if relative not in known:
            (to / relative).parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            file.rename(to / relative)
            moved += 1
    return moved


def _counted(store: Store, check: Check) -> Check:
    with store.reading() as session:
        check.num_submissions = session.query(Submission).count()
        check.num_learners = session.query(Learner).count()
    return check


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _time(value: object) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _details(value: object) -> dict[str, float]:
    try:
        told = json.loads(str(value))
        return {str(name): float(number) for name, number in told.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _or_none(kind: Callable[[Any], Any], value: Any) -> Any:
    """Return the value as ``kind`` makes it, None where it cannot."""
    try:
        return None if value is None else kind(value)
    except (ValueError, TypeError, OverflowError):
        return None
