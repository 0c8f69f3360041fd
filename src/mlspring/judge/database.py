"""The SQLite file itself: how it is opened, brought up to date, and what its errors mean."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError

from mlspring.core.errors import DataError, InternalError, MachineError
from mlspring.core.files import disk_errors
from mlspring.core.locks import locked

HEAD = "0001"
"""The newest revision in migrations/versions; a store at this one is opened without alembic."""

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 30.0
SYNCHRONOUS = "NORMAL"  # with a write-ahead log: a power cut may undo, never corrupt


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


def _revision(engine: Engine) -> str | None:
    """Return the stored revision, None for a file without tables."""
    with engine.connect() as connection:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.exec_driver_sql(tables).first() is None:
            return None
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return None if row is None else str(row[0])


def upgrade(engine: Engine, path: Path) -> None:
    """Bring the file at ``path`` to `HEAD` in one transaction, one process at a time.

    Raises:
        MachineError: a newer mlspring wrote the file.
    """
    if _revision(engine) == HEAD:
        return
    with locked(path.parent / ".upgrade.lock", on_wait=lambda: None):
        if (revision := _revision(engine)) != HEAD:
            _run_revisions(engine, path, revision)


def _run_revisions(engine: Engine, path: Path, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise MachineError(
            f"was written by a newer mlspring (revision {revision})",
            file=path,
            fix="update mlspring, or choose another folder with MLSPRING_HOME",
        )
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA foreign_keys = OFF")  # a table that is rebuilt must not cascade
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise InternalError("an upgrade of the board broke a reference; it is undone")


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what a person can do about it."""
    try:
        with disk_errors(path):
            yield
    except DatabaseError as error:
        said = str(error.orig)
        if "not a database" in said or "malformed" in said:
            fix = "move it and the files beside it away; a new board is made then"
            raise DataError("is damaged or no board", file=path, fix=fix) from error
        if "locked" in said:
            found = f"another process has kept the board busy for {WAIT_SECONDS:.0f} s"
            raise MachineError(found, file=path, fix="try again when it is done") from error
        if any(word in said for word in ("full", "readonly", "unable to open", "disk I/O")):
            fix = "free some space, or choose a folder that you may write with MLSPRING_HOME"
            raise MachineError(
                f"the board cannot be written: {said}", file=path, fix=fix
            ) from error
        raise
