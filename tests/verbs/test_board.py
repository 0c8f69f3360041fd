"""What a learner is told of a score, a final, a failed submission, and of their best."""

import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from mlspring import catalog
from mlspring.core.errors import RuleError, UserError
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.core.table_submission import TableSubmission
from mlspring.homeworks.hw01_regression import data as island
from mlspring.judge import service
from mlspring.verbs import board, board_table, listing
from mlspring.worlds import epidemic, world
from tests.tiny.survey import SIZE

SPEC = catalog.find("hw01")
TINY = epidemic.epidemic_world(SIZE, name="epidemic-tiny")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The answers of a world of ten test rows, which stands in for the homework's own."""
    monkeypatch.setattr(island, "world", lambda: TINY)
    return world.build(TINY, processes=1) / "private" / "answers.csv"


def handed_in(answers: Path, path: Path, error: float = 0.0) -> Path:
    """A submission that is ``error`` too high in every row."""
    rows = [line.split(",") for line in answers.read_text().splitlines()]
    lines = [f"{number},{float(value) + error}" for number, value, _ in rows[1:]]
    path.write_text("\n".join([",".join(rows[0][:2]), *lines]) + "\n")
    return path


def shown(content: RenderableType) -> str:
    stream = StringIO()
    Console(file=stream, width=80, color_system=None).print(content)
    return stream.getvalue()


def without_lines(tmp_path: Path) -> Spec:
    """The same homework as an island without ``baselines.toml``."""
    folder = tmp_path / SPEC.island
    folder.mkdir()
    return replace(SPEC, folder=folder)


# ---- score


def test_a_level_is_claimed_by_the_worlds_answers_only(answers: Path, tmp_path: Path) -> None:
    file = handed_in(answers, tmp_path / "pred.csv")
    by_world = board.score(SPEC, file, None)
    assert (by_world["level"], by_world["source"]) == ("boss", "world")
    assert "reaches boss" in board.score_text(SPEC, by_world)

    copied = shutil.copyfile(answers, tmp_path / "copied.csv")
    assert board.score(SPEC, file, copied) == by_world

    other = tmp_path / "other.csv"  # the same rows, but other halves of the board
    swapped = {"Public": "Private", "Private": "Public"}
    rows = [line.rpartition(",") for line in answers.read_text().splitlines()]
    other.write_text("\n".join(f"{row},{swapped.get(u, u)}" for row, _, u in rows) + "\n")
    by_other = board.score(SPEC, file, other)
    assert (by_other["level"], by_other["source"]) == (None, None)
    assert "no baseline is known for these answers" in board.score_text(SPEC, by_other)


def test_other_answers_are_known_without_making_the_world(
    answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = handed_in(answers, tmp_path / "pred.csv")
    copied = shutil.copyfile(answers, tmp_path / "copied.csv")
    shutil.rmtree(world.folder(TINY))
    monkeypatch.setattr(world, "build", lambda world: pytest.fail("a world was made"))
    assert board.score(SPEC, file, copied)["level"] is None


def test_below_a_line_and_without_a_line_are_two_things(answers: Path, tmp_path: Path) -> None:
    file = handed_in(answers, tmp_path / "pred.csv", error=50.0)
    assert "below every baseline" in board.score_text(SPEC, board.score(SPEC, file, None))
    spec = without_lines(tmp_path)
    assert "no baseline is known for world data" in board.score_text(
        spec, board.score(spec, file, None)
    )
    for homework, words in (
        (SPEC, "below every baseline"),
        (spec, "no baseline is known for world data"),
    ):
        receipt = board.submit(homework, file, "me", rules="self-study", final=False, address=None)
        assert words in shown(board.receipt_text(homework, receipt))


# ---- finals


def test_a_final_without_room_is_refused_before_it_is_handed_in(
    answers: Path, tmp_path: Path
) -> None:
    file = handed_in(answers, tmp_path / "pred.csv")

    def submit(*, final: bool = True) -> int:
        return board.submit(SPEC, file, "ann", rules="self-study", final=final, address=None).number

    assert [submit(), submit()] == [1, 2]
    with pytest.raises(RuleError, match=r"another final; chosen: 1, 2; expected at most 2\n.*--fi"):
        submit()
    assert len(board.submissions(SPEC, "ann", rules="self-study")) == 2
    assert submit(final=False) == 3
    board.choose_finals(SPEC, "ann", "1", rules="self-study")
    assert submit() == 4
    finals = [r.number for r in board.submissions(SPEC, "ann", rules="self-study") if r.final]
    assert finals == [1, 4]


# ---- what failed on our side


def test_a_failed_submission_shows_its_reason_and_can_be_retried(
    answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = handed_in(answers, tmp_path / "pred.csv")

    def broken(*_: object) -> None:
        raise KeyError("a bug in the [/b] scorer")

    with monkeypatch.context() as patch:
        patch.setattr(TableSubmission, "score", broken)
        receipt = board.submit(SPEC, file, "ann", rules="self-study", final=False, address=None)
    assert receipt.state is State.FAILED
    said = "KeyError: 'a bug in the [/b] scorer'"
    mine = shown(board_table.own_text(SPEC, board.submissions(SPEC, "ann", rules="self-study")))
    for text in (mine, shown(board.receipt_text(SPEC, receipt))):
        assert said in text and "mlspring board hw01 --retry 1" in text
    # Under the course's rules a trace, which could tell of answers, is not shown.
    closed = shown(board_table.own_text(SPEC, board.submissions(SPEC, "ann", rules="course")))
    assert said not in closed and "--retry 1" in closed

    again = board.retry(SPEC, "1", rules="self-study")
    assert (again.number, again.state, again.level, again.reason) == (1, "scored", "boss", None)
    mine = shown(board_table.own_text(SPEC, board.submissions(SPEC, "ann", rules="self-study")))
    assert "retry" not in mine
    with pytest.raises(RuleError, match="submission 1 is scored"):
        board.retry(SPEC, "1", rules="self-study")
    with pytest.raises(UserError, match="no submission 2"):
        board.retry(SPEC, "2", rules="self-study")


# ---- your best


def test_your_best_is_of_the_world_that_the_board_is_of(
    answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = handed_in(answers, tmp_path / "pred.csv")
    store = service.open_store()

    def best() -> float | None:
        return next(entry["best"] for entry in listing.entries() if entry["id"] == "hw01")

    assert best() is None
    older = tmp_path / "older.csv"
    older.write_text(answers.read_text().replace("\n", "\r\n"))  # other bytes: another version
    service.submit(store, SPEC, file, "Me", answers=older)
    assert best() == pytest.approx(0.0, abs=1e-12)
    worse = handed_in(answers, tmp_path / "worse.csv", error=2.0)
    service.submit(store, SPEC, worse, "me", answers=answers)
    assert best() == pytest.approx(4.0)
    service.submit(store, SPEC, file, "bob", answers=answers)
    assert best() == pytest.approx(4.0)


def test_list_fits_80_columns_and_cuts_no_heading() -> None:
    baselines = {"simple": -1568.96, "medium": -118.28, "strong": 54.16, "boss": 250.77}
    entry = {"id": "hw12", "title": "COVID-19 cases prediction", "digits": 2, "best": -1431.25}
    console = Console(width=80, record=True, file=StringIO())
    console.print(listing.table([entry | {"baselines": baselines, "higher_is_better": True}]))
    text = console.export_text()
    for whole in ("COVID-19 cases prediction ↑", "strong", "yours", "-1431.25"):
        assert whole in text
    assert "…" not in text
