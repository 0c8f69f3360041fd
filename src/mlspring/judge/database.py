"""The SQLite file itself: how it is opened, brought up to date, and what its errors mean."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, NullPool, StaticPool, create_engine, event
from sqlalchemy.exc import DatabaseError

from mlspring.core.errors import DataError, InternalError, MachineError
from mlspring.core.files import disk_errors
from mlspring.core.locks import locked

HEAD = "0002"
"""The newest revision in migrations/versions; a store at this one is opened without alembic."""

READABLE = frozenset({"0001", HEAD})
"""Revisions that this version reads as they are; they differ in indexes only."""

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 30.0
SYNCHRONOUS = "NORMAL"  # with a write-ahead log: a power cut may undo, never corrupt
CHECK = "see what can be saved, and save it: mlspring board --check"


def make_engine(path: Path) -> Engine:
    """Return an engine whose transactions are ours to begin, and which keeps nothing open."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": WAIT_SECONDS},
        poolclass=NullPool,
    )

    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # else the driver begins late, after the first read
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")

    def begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    listen: Callable[..., None] = event.listen
    listen(engine, "connect", connect)
    listen(engine, "begin", begin)
    return engine


def make_reading_engine(path: Path) -> Engine:
    """Return an engine that cannot write and does not wait; an empty board where there is none.

    On a disk that takes no writes SQLite cannot make the files that it shares between processes.
    Nobody else can write there either, so the file is then read as one that never changes.
    """
    if not path.exists():
        engine = create_engine("sqlite://", poolclass=StaticPool)
        from mlspring.judge.tables import Base

        Base.metadata.create_all(engine)
        return engine
    uri = f"{path.absolute().as_uri()}?mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=0.0, check_same_thread=False)
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            log = path.with_name(f"{path.name}-wal")
            if "locked" in str(error) or (log.exists() and log.stat().st_size):
                raise
            connection = sqlite3.connect(f"{uri}&immutable=1", uri=True, check_same_thread=False)
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def revision_of(engine: Engine) -> str | None:
    """Return the stored revision, None for a file that does not tell one."""
    with engine.connect() as connection:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.exec_driver_sql(tables).first() is None:
            return None
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return None if row is None else str(row[0])


def require_board(path: Path, files: Path) -> None:
    """Do nothing where there is a board, or nothing at all yet.

    Raises:
        DataError: the file is empty, or it is gone and what was handed in is still there.
    """
    if path.exists():
        if path.stat().st_size == 0:
            raise DataError("is empty (zero bytes): the board is damaged", file=path, fix=CHECK)
    elif any(files.glob("*/*/*")):
        found = "is gone, but files that were handed in lie beside it"
        raise DataError(found, file=path, fix=CHECK)


def upgrade(engine: Engine, path: Path, files: Path) -> None:
    """Bring the file at ``path`` to `HEAD`, one process at a time; made if there is none.

    A new board appears whole or not at all; an old one is changed in one transaction.

    Raises:
        MachineError: a newer mlspring wrote the file.
        DataError: it is no board, or a damaged one.
    """
    require_board(path, files)
    if path.exists() and revision_of(engine) == HEAD:
        return
    with making(path.parent):
        require_board(path, files)
        if not path.exists():
            make_new(path)
        elif (revision := revision_of(engine)) != HEAD:
            if revision is None:
                raise DataError("is damaged or no board", file=path, fix=CHECK)
            _run_revisions(engine, path, revision)


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Be the only process that makes or upgrades the board in ``folder`` until the block ends."""
    with locked(folder / ".upgrade.lock", on_wait=lambda: None):
        yield


def make_new(path: Path) -> None:
    """Make a board without submissions, beside its place, and put it there when it is whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    os.close(handle)  # mkstemp's files are private, and SQLite's own files take after them
    partial = Path(name)
    try:
        _run_revisions(make_engine(partial), path, None)
        with closing(sqlite3.connect(partial)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        partial.replace(path)
    finally:
        for suffix in ("", "-wal", "-shm"):
            partial.with_name(partial.name + suffix).unlink(missing_ok=True)


def _run_revisions(engine: Engine, path: Path, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise newer(path, revision)
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA foreign_keys = OFF")  # a table that is rebuilt must not cascade
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise InternalError("an upgrade of the board broke a reference; it is undone")


def newer(path: Path, revision: str) -> MachineError:
    """Return the error for a board that this version does not know."""
    found = f"was written by a newer mlspring (revision {revision})"
    fix = "update mlspring, or choose another folder with MLSPRING_HOME"
    return MachineError(found, file=path, fix=fix)


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says, and what cannot be read in a row, into a sentence with a way out.

    Raises:
        DataError: the file or a row of it is damaged.
        MachineError: it is busy for too long, or cannot be written.
    """
    try:
        with disk_errors(path):
            yield
    except DatabaseError as error:
        if told := _told(path, error):
            raise told from error
        raise
    except (ValueError, TypeError) as error:  # of a cell that is no date, no number, no JSON
        found = f"holds a row that cannot be read ({error})"
        raise DataError(found, file=path, fix=CHECK) from error


def _told(path: Path, error: DatabaseError) -> DataError | MachineError | None:
    said = str(error.orig)
    if "locked" in said:
        found = f"another process has kept the board busy for {WAIT_SECONDS:.0f} s"
        return MachineError(found, file=path, fix="try again when it is done")
    if any(word in said for word in ("full", "readonly", "unable to open", "disk I/O")):
        fix = "free some space, or choose a folder that you may write with MLSPRING_HOME"
        return MachineError(f"the board cannot be used: {said}", file=path, fix=fix)
    if any(word in said for word in ("not a database", "malformed", "no such", "schema", "decode")):
        return DataError(f"is damaged or no board ({said})", file=path, fix=CHECK)
    return None
