import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from mlspring.core.errors import DataError, InternalError, MachineError, RuleError, UserError
from mlspring.core.files import home
from mlspring.core.score import Score, State
from mlspring.judge import database
from mlspring.judge.records import Upload, Verdict
from mlspring.judge.rules import SELF_STUDY, Rules
from mlspring.judge.store import Store
from mlspring.judge.tables import Base

NOON = datetime(2022, 3, 1, 4, tzinfo=UTC)  # noon in Taipei
SCORED = Verdict(state=State.SCORED, score=Score(public=0.5, private=0.25), seconds=0.5)


def arrival(**more: object) -> Upload:
    values = {
        "homework": "hw99",
        "source": "world",
        "learner": "ann",
        "filename": "mine.csv",
        "file": f"hw99/{datetime.now(UTC).timestamp()}/pred.csv",
        "num_bytes": 3,
        "sha256": "00",
        "answers": "11",
        "received": NOON,
    }
    return Upload(**(values | more))


def sql(store: Store, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(store.path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


# ---- the file


def test_the_default_place_is_mlsprings_home() -> None:
    assert Store.open().path == home() / "judge" / "board.sqlite"


def test_tables_and_revisions_agree(store: Store) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_checks_of_the_tables_are_those_of_the_revisions(store: Store, tmp_path: Path) -> None:
    # Autogeneration does not see CHECK and AUTOINCREMENT; the stored text does.
    fresh = database.make_engine(tmp_path / "fresh.sqlite")
    Base.metadata.create_all(fresh)
    with fresh.connect() as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE sql LIKE '%CREATE TABLE %'"
        made = dict(map(tuple, connection.exec_driver_sql(query)))
    for table, text in made.items():
        (migrated,) = sql(store, f"SELECT sql FROM sqlite_master WHERE name = '{table}'")[0]
        for word in ("CHECK", "AUTOINCREMENT", "FOREIGN KEY", "UNIQUE"):
            assert str(migrated).count(word) == text.count(word), (table, word)


def test_the_newest_revision_is_the_one_the_store_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD


def test_an_older_store_is_upgraded_without_loss(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.finish(store.add(arrival(), SELF_STUDY).number, SCORED)
    revisions = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, revisions)
    # Rebuilds both tables, the referenced one too: the harshest thing a revision does.
    (revisions / "versions" / "0003_next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision, down_revision = '0003', '0002'\n"
        "def upgrade():\n"
        "    for table in ('learners', 'submissions'):\n"
        "        with op.batch_alter_table(table, recreate='always') as batch:\n"
        "            batch.add_column(sa.Column('note', sa.String(9), server_default='new'))\n"
    )
    monkeypatch.setattr(database, "MIGRATIONS", revisions)
    monkeypatch.setattr(database, "HEAD", "0003")
    after = Store.open(store.folder)
    assert after.submission(before.number) == before
    assert sql(after, "SELECT note FROM learners") == [("new",)]
    assert sql(after, "SELECT version_num FROM alembic_version") == [("0003",)]
    assert after.add(arrival(), SELF_STUDY).number == 2


def test_an_upgrade_that_breaks_changes_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.add(arrival(), SELF_STUDY)
    revisions = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, revisions)
    (revisions / "versions" / "0003_broken.py").write_text(
        "from alembic import op\nrevision, down_revision = '0003', '0002'\n"
        "def upgrade():\n    op.drop_table('submissions')\n    raise OSError('power cut')\n"
    )
    with monkeypatch.context() as broken:
        broken.setattr(database, "MIGRATIONS", revisions)
        broken.setattr(database, "HEAD", "0003")
        with pytest.raises(OSError, match="power cut"):
            Store.open(store.folder)
    assert Store.open(store.folder).submission(1) == before


def test_a_newer_store_is_left_alone(store: Store) -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(MachineError, match="newer mlspring"):
        Store.open(store.folder)


def test_a_file_that_is_no_board(tmp_path: Path) -> None:
    (tmp_path / "board.sqlite").write_text("id,value\n" * 1000)
    with pytest.raises(DataError, match="is damaged or no board"):
        Store.open(tmp_path)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "judge").mkdir()
    (tmp_path / "judge" / "board.sqlite").mkdir()
    with pytest.raises(MachineError, match="unable to open"):
        Store.open(tmp_path / "judge")
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="cannot be written"):
        Store.open(tmp_path / "file" / "judge")


def test_a_full_disk_is_a_sentence_and_the_store_stays_whole(store: Store) -> None:
    pages = int(str(sql(store, "PRAGMA page_count")[0][0]))
    large = Verdict(state=State.FAILED, message="x" * 100_000)
    entry = store.add(arrival(), SELF_STUDY)
    event = database.event

    def small(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(store._engine, "connect", small)
    with pytest.raises(MachineError, match="full"):
        store.finish(entry.number, large)
    event.remove(store._engine, "connect", small)
    assert store.submission(entry.number) == entry


def test_reopening_imports_neither_alembic_nor_torch(store: Store) -> None:
    script = (
        "import sys; from mlspring.judge.service import open_store; open_store();"
        "print([m for m in ('alembic', 'torch', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_readers_do_not_wait_for_a_writer(store: Store) -> None:
    store.add(arrival(), SELF_STUDY)
    assert sql(store, "PRAGMA journal_mode") == [("wal",)]
    with store.writing():
        assert len(store.submissions()) == 1


def test_foreign_keys_are_kept(store: Store) -> None:
    store.add(arrival(), SELF_STUDY)
    with pytest.raises(IntegrityError), store.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM learners")


# ---- what it keeps


def test_an_entry_comes_back_as_it_went_in(store: Store) -> None:
    added = store.add(arrival(learner="  Ann   Lee "), SELF_STUDY)
    assert (added.learner, added.state, added.received) == ("Ann Lee", State.RECEIVED, NOON)
    assert added.received.tzinfo is not None
    score = Score(public=1 / 3, private=0.25, details={"rows": 8.0})
    verdict = Verdict(state=State.SCORED, score=score, seconds=0.5)
    finished = store.finish(added.number, verdict)
    assert store.submission(added.number) == finished
    assert (finished.public, finished.private, finished.seconds) == (1 / 3, 0.25, 0.5)
    assert finished.details == {"rows": 8.0}


def test_two_spellings_of_a_name_are_one_learner(store: Store) -> None:
    store.add(arrival(learner="Zoë"), SELF_STUDY)
    store.add(arrival(learner="ZOE\u0308"), SELF_STUDY)
    assert {entry.learner for entry in store.submissions()} == {"Zoë"}
    assert len(store.submissions(learner="zoë")) == 2


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 65, "a\x1b[31m", "baseline: boss", "Baseline:x", "a\u202eb"]
)
def test_names_that_the_board_cannot_show(store: Store, name: str) -> None:
    with pytest.raises(UserError, match="another name"):
        store.add(arrival(learner=name), SELF_STUDY)
    assert store.submissions() == []


def test_a_verdict_is_given_once(store: Store) -> None:
    number = store.add(arrival(), SELF_STUDY).number
    store.finish(number, SCORED)
    with pytest.raises(InternalError, match="is scored already"):
        store.finish(number, SCORED)


def test_a_clock_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(InternalError, match="no time zone"):
        store.add(arrival(received=datetime(2022, 3, 1)), SELF_STUDY)


def test_entries_are_found_by_what_they_are(store: Store) -> None:
    store.finish(store.add(arrival(), SELF_STUDY).number, SCORED)
    store.add(arrival(homework="hw01"), SELF_STUDY)
    store.add(arrival(source="official", learner="bob"), SELF_STUDY)
    assert [e.number for e in store.submissions()] == [1, 2, 3]
    assert [e.number for e in store.submissions("hw99")] == [1, 3]
    assert [e.number for e in store.submissions("hw99", source="world")] == [1]
    assert [e.number for e in store.submissions(learner="BOB")] == [3]
    assert [e.number for e in store.submissions(state=State.RECEIVED)] == [2, 3]
    with pytest.raises(UserError, match="no submission 4"):
        store.submission(4)


@pytest.mark.parametrize(
    ("state", "counts"), [(State.SCORED, 1), (State.REJECTED, 0), (State.FAILED, 0)]
)
def test_rejected_and_failed_cost_nothing(store: Store, state: State, counts: int) -> None:
    number = store.add(arrival(), SELF_STUDY).number
    day = SELF_STUDY.day(NOON)
    assert store.num_counted("hw99", "world", "ann", day) == 1  # a place is held while judging
    score = Score(public=0.5, private=0.5) if state == State.SCORED else None
    store.finish(number, Verdict(state=state, score=score))
    assert store.num_counted("hw99", "world", "ann", day) == counts


def test_the_quota_is_per_learner_homework_and_source(store: Store) -> None:
    rules = Rules(quota=1)
    store.add(arrival(), rules)
    store.add(arrival(learner="bob"), rules)
    store.add(arrival(homework="hw01"), rules)
    store.add(arrival(source="official"), rules)
    with pytest.raises(RuleError):
        store.add(arrival(), rules)
    assert len(store.submissions()) == 4


def test_a_retry_cannot_stretch_the_day(store: Store) -> None:
    rules = Rules(quota=1)
    number = store.add(arrival(), rules).number
    store.finish(number, Verdict(state=State.FAILED))
    store.add(arrival(), rules)
    with pytest.raises(RuleError, match="used by others since"):
        store.reopen(number, "11", rules)
    assert store.submission(number).state == State.FAILED
    assert store.reopen(number, "11", SELF_STUDY).num_attempts == 2
