"""Boards are read without waiting, without writing, and without hiding damage."""

import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import fake_island
import pytest

from mlspring.core.errors import DataError, MachineError, UserError
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge import database, salvage
from mlspring.judge.boards import board
from mlspring.judge.service import (
    open_for_reading,
    open_store,
    retry,
    submissions_of,
    submit,
)
from mlspring.judge.store import Store


@pytest.fixture
def filled(spec: Spec, answers: Path, tmp_path: Path) -> Store:
    """A store with three scored submissions of two learners."""
    store = open_store()
    for right, name in ((4, "ann"), (2, "bob"), (3, "ann")):
        file = fake_island.write_submission(tmp_path / "mine.csv", right, right)
        submit(store, spec, file, name, answers=answers)
    return store


def learners(store: Store, spec: Spec) -> list[tuple[str, float | None]]:
    rows = board(store, spec).rows
    return [(row.name, row.public) for row in rows if row.kind == "learner"]


def run_sql(store: Store, script: str) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        connection.executescript(f"PRAGMA foreign_keys = 0; {script}")


# ---- readers


def test_a_reader_does_not_wait_for_a_writer(
    filled: Store, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 60.0)
    with filled.writing() as session:
        session.connection().exec_driver_sql("UPDATE submissions SET public = 0")
        start = time.monotonic()
        seen = learners(open_for_reading(), spec)
        assert time.monotonic() - start < 30  # a wait would be twice as long
    assert seen == [("ann", 1.0), ("bob", 0.5)]


def test_a_reader_makes_nothing_where_there_is_nothing(spec: Spec) -> None:
    store = open_for_reading()
    assert learners(store, spec) == []
    assert submissions_of(store, spec, "ann") == []
    assert not store.folder.exists()


def test_a_reader_cannot_write(filled: Store) -> None:
    with (
        pytest.raises(MachineError, match="readonly"),
        open_for_reading().writing() as session,
    ):
        session.connection().exec_driver_sql("DELETE FROM submissions")


@pytest.mark.skipif(os.name == "nt", reason="folders of Windows know no such mode")
def test_a_board_is_read_where_nothing_can_be_written(
    filled: Store, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not filled.path.with_name("board.sqlite-wal").exists()
    # As root every folder can be written: refuse what SQLite would make beside the board.
    real = sqlite3.connect

    class Refusing(sqlite3.Connection):
        def execute(self, *_: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("unable to open database file")

    def refusing(database: str, **how: object) -> sqlite3.Connection:
        kind = sqlite3.Connection if "immutable" in database else Refusing
        return real(database, **how, factory=kind)

    monkeypatch.setattr(database.sqlite3, "connect", refusing)
    assert learners(open_for_reading(), spec) == [("ann", 1.0), ("bob", 0.5)]


def test_reading_leaves_a_dead_submission_to_the_judge(
    filled: Store, spec: Spec, answers: Path
) -> None:
    run_sql(filled, "UPDATE submissions SET state = 'received', public = NULL WHERE id = 3")
    assert learners(open_for_reading(), spec) == [("ann", 1.0), ("bob", 0.5)]
    assert filled.submission(3).state == State.RECEIVED
    assert open_store().submission(3).state == State.FAILED
    assert retry(filled, spec, 3, answers=answers).public == 0.75


def test_a_board_of_the_first_revision_is_read_as_it_is(filled: Store, spec: Spec) -> None:
    run_sql(
        filled,
        "DROP INDEX ix_submissions_board; DROP INDEX ix_submissions_state;"
        "UPDATE alembic_version SET version_num = '0001'",
    )
    before = filled.path.read_bytes()
    assert learners(open_for_reading(), spec) == [("ann", 1.0), ("bob", 0.5)]
    assert filled.path.read_bytes() == before
    assert learners(open_store(), spec) == [("ann", 1.0), ("bob", 0.5)]
    with closing(sqlite3.connect(filled.path)) as connection:
        query = "SELECT version_num FROM alembic_version"
        assert connection.execute(query).fetchall() == [(database.HEAD,)]


def test_a_newer_board_is_not_read(filled: Store) -> None:
    run_sql(filled, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MachineError, match="newer mlspring"):
        open_for_reading()
    with pytest.raises(MachineError, match="newer mlspring"):
        salvage.check()


def test_only_the_judges_account_can_read_what_it_keeps(filled: Store) -> None:
    for folder in (filled.folder, filled.files, filled.busy):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(filled.path.stat().st_mode) == 0o600
    filled.folder.chmod(0o755)  # as an older version made it
    filled.path.chmod(0o644)
    open_store()
    assert stat.S_IMODE(filled.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(filled.path.stat().st_mode) == 0o600


def test_a_board_reads_its_index_alone(filled: Store) -> None:
    query = (
        "EXPLAIN QUERY PLAN SELECT learner_id, MAX(public), COUNT(*) FROM submissions WHERE "
        "homework = 'a' AND source = 'b' AND state = 'scored' AND answers = 'c' GROUP BY learner_id"
    )
    with filled.reading() as session:
        plan = [str(row[-1]) for row in session.connection().exec_driver_sql(query)]
    assert len(plan) == 1 and "COVERING INDEX ix_submissions_board" in plan[0]


# ---- damage


DAMAGE = {
    "no JSON": "UPDATE submissions SET details = '{not json' WHERE id = 1",
    "no details": "UPDATE submissions SET details = '5' WHERE id = 1",
    "no time": "UPDATE submissions SET received = 'tomorrow' WHERE id = 1",
    "no number": "UPDATE submissions SET public = 'abc' WHERE id = 1",
    "no text": "UPDATE learners SET name = x'ff00fe' WHERE id = 1",
    "no learners": "DROP TABLE learners",
    "no column": "DROP INDEX ix_submissions_board; ALTER TABLE submissions DROP COLUMN details",
    "no revision": "DELETE FROM alembic_version",
    "no revisions": "DROP TABLE alembic_version",
    "no submissions": "DROP TABLE submissions",
}


@pytest.mark.parametrize("script", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_and_what_can_be_read_is_saved(
    filled: Store, spec: Spec, answers: Path, tmp_path: Path, script: str
) -> None:
    run_sql(filled, script)
    for look in (
        lambda: open_for_reading().submissions(),
        lambda: submissions_of(open_for_reading(), spec, "ann"),
        lambda: board(open_for_reading(), spec),
    ):
        try:
            look()
        except (DataError, UserError) as error:
            assert "mlspring board --check" in str(error)
    checked = salvage.check()
    assert checked.problems and checked.moved_to is not None
    assert (checked.moved_to / "board.sqlite").exists()
    store = open_store()
    kept = list(store.files.rglob("pred.csv")) + list(checked.moved_to.rglob("pred.csv"))
    assert len(kept) == 3  # nothing that was handed in is ever lost
    if "submissions" not in script.rsplit("DROP TABLE", maxsplit=1)[-1]:
        assert [s.number for s in store.submissions()] == [1, 2, 3]
        states = {s.number: s.state for s in store.submissions()}
        lost = "abc" in script
        assert states == {1: State.FAILED if lost else "scored", 2: "scored", 3: "scored"}
        if lost:
            assert retry(store, spec, 1, answers=answers).public == 1.0
    file = fake_island.write_submission(tmp_path / "next.csv", 1, 1)
    assert submit(store, spec, file, "cy", answers=answers).number == 4
    assert salvage.check().problems == []


@pytest.mark.parametrize("content", [b"", b"id,value\n" * 1000, None])
def test_a_board_that_is_gone_or_something_else_is_never_made_anew_in_silence(
    filled: Store, spec: Spec, content: bytes | None
) -> None:
    filled.path.unlink()
    if content is not None:
        filled.path.write_bytes(content)
    for opening in (open_store, open_for_reading):
        with pytest.raises(DataError, match="mlspring board --check"):
            opening()
    assert (filled.path.read_bytes() if filled.path.exists() else None) == content
    checked = salvage.check()
    assert (checked.num_submissions, checked.num_files_moved) == (0, 3)
    assert learners(open_store(), spec) == []


def test_a_page_cut_out_of_the_file_costs_no_more_than_its_rows(
    filled: Store, spec: Spec, answers: Path, tmp_path: Path
) -> None:
    file = fake_island.write_submission(tmp_path / "mine.csv", 1, 1)
    for number in range(20):
        submit(filled, spec, file, f"learner {number}", answers=answers)
    run_sql(filled, "PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(filled.path.read_bytes())
    content[-4096:] = os.urandom(4096)
    filled.path.write_bytes(content)
    checked = salvage.check()
    store = open_store()
    assert len(store.submissions()) == checked.num_submissions
    assert len([*store.files.rglob("pred.csv"), *store.folder.rglob("damaged-*/**/pred.csv")]) == 23


def test_a_whole_board_is_left_as_it_is(filled: Store) -> None:
    before = filled.path.read_bytes()
    checked = salvage.check()
    assert (checked.problems, checked.moved_to) == ([], None)
    assert (checked.num_submissions, checked.num_learners) == (3, 2)
    assert filled.path.read_bytes() == before
