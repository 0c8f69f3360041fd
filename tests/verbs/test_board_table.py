import json
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from mlspring import catalog
from mlspring.core.spec import Spec
from mlspring.judge.boards import Board, board
from mlspring.judge.service import open_store, submit
from mlspring.judge.store import Store
from mlspring.verbs.board_table import board_rows, board_table
from tests.judge import fake_island


def shown(board: Board, me: str | None = None, width: int = 80) -> str:
    stream = StringIO()
    Console(file=stream, width=width, color_system=None).print(board_table(board, me=me))
    return stream.getvalue()


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    monkeypatch.setattr(catalog, "part", fake_island.part)
    return fake_island.make_spec(tmp_path / "island")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return fake_island.write_answers(tmp_path / "answers.csv")


@pytest.fixture
def store() -> Store:
    return open_store()


@pytest.fixture
def filled(store: Store, spec: Spec, answers: Path, tmp_path: Path) -> Store:
    for number, name in enumerate(["ann", "[red]bob[/red]", "蔡" * 30, "x" * 64]):
        file = fake_island.write_submission(tmp_path / "mine.csv", number + 1, 4 - number)
        submit(store, spec, file, name, answers=answers)
    return store


@pytest.mark.parametrize("private", [False, True])
def test_a_board_fits_80_columns_and_cuts_no_number(
    filled: Store, spec: Spec, private: bool
) -> None:
    text = shown(board(filled, spec, private=private), me="ann")
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    for row in board(filled, spec, private=private).rows:
        assert spec.metric.show(row.public) in text
    assert "[red]bob[/red]" in text  # a name is text, never markup
    assert ("private" in text.splitlines()[2]) == private


def test_ones_own_row_is_marked_without_colour(filled: Store, spec: Spec) -> None:
    marked = [line for line in shown(board(filled, spec), me="ANN").splitlines() if ">" in line]
    assert len(marked) == 1 and "ann" in marked[0]
    assert ">" not in shown(board(filled, spec))


def test_lines_have_no_rank_points_or_count(filled: Store, spec: Spec) -> None:
    baseline = next(
        line for line in shown(board(filled, spec)).splitlines() if "baseline: boss" in line
    )
    assert baseline.split() == ["baseline:", "boss", "1.00000"]


def test_title_and_notes_say_what_is_ranked(filled: Store, spec: Spec) -> None:
    text = shown(board(filled, spec, source="official"))
    assert "hw99 Counting: public board, official data" in text
    assert "accuracy, higher is better" in text
    assert "no private baseline is known for official data" in text.replace("\n", " ")


def test_a_huge_error_does_not_push_the_name_out(
    store: Store, spec: Spec, answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        fake_island, "score", lambda *_: fake_island.Score(public=1.5e30, private=0.0)
    )
    file = fake_island.write_submission(tmp_path / "mine.csv", 1, 1)
    submit(store, spec, file, "ann", answers=answers)
    row = next(line for line in shown(board(store, spec)).splitlines() if "ann" in line)
    assert "1.5e+30" in row


def test_rows_are_plain_json(filled: Store, spec: Spec) -> None:
    rows = json.loads(json.dumps(board_rows(board(filled, spec, private=True))))
    ann = next(row for row in rows if row["name"] == "ann")
    assert ann["points"] == {"public": 0.5, "private": 2.0, "total": 2.5}
    assert ann["received"].endswith("+00:00")
    assert {row["kind"] for row in rows} == {"learner", "baseline"}


@pytest.mark.parametrize("real", catalog.SPECS, ids=lambda spec: spec.id)
def test_every_homework_has_a_board(store: Store, real: Spec) -> None:
    assert real.title in shown(board(store, real))
