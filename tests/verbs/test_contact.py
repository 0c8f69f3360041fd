"""The contact sheet: the pictures that a homework shows, in rows, whole."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlspring import catalog, cli
from mlspring.core.runs import Run
from mlspring.verbs import contact
from mlspring.verbs.report import page
from tests.contract.journey import run_tiny
from tests.tiny.islands import TINY

SPEC = catalog.find("hw01")
RED = np.full((3, 20, 10, 3), (255, 0, 0), np.uint8)
DARK = np.full((40, 8, 8), 20, np.uint8)


def colours(picture: Image.Image) -> set[Any]:
    return {colour for _, colour in picture.getcolors(1 << 20) or ()}


def test_every_row_and_picture_is_on_it_up_to_the_bounds() -> None:
    sheet = contact.sheet({"reds": RED, "darks": DARK})
    side, gap = contact.SIDE, contact.GAP
    assert sheet.width == contact.MOST_PICTURES * (side + gap) + gap
    assert {(255, 0, 0), (20, 20, 20), contact.PAPER} <= colours(sheet)
    red = sum(n for n, colour in sheet.getcolors(1 << 20) or () if colour == (255, 0, 0))
    assert red == 3 * side * (side // 2), "a picture keeps its shape: the longer side is SIDE"
    many = contact.sheet({str(i): DARK[:1] for i in range(40)})
    assert many.height < (contact.MOST_ROWS + 1) * (side + contact.CAPTION + 2 * gap)


def test_small_pictures_keep_hard_edges_and_large_ones_are_made_smaller() -> None:
    board = np.indices((8, 8)).sum(0) % 2 * np.uint8(255)
    assert colours(contact.sheet({"": board[None].astype(np.uint8)})) <= {
        (0, 0, 0),
        (255, 255, 255),
    } | {colour for colour in colours(contact.sheet({"": DARK[:1]})) if colour != (20, 20, 20)}
    assert contact.sheet({"": np.zeros((1, 500, 400), np.uint8)}).height < 100


def test_a_homework_without_pictures_has_none(tmp_path: Path) -> None:
    assert contact.write(SPEC, object(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def with_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    part = catalog.part(SPEC, "data")
    monkeypatch.setattr(
        part, "contact_sheet", lambda _: {"reds": RED, "none": DARK[:0]}, raising=False
    )


@pytest.mark.usefixtures("with_pictures")
def test_the_data_verb_writes_it_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = TINY["hw01"].write_data(tmp_path / "data")
    monkeypatch.setattr(sys, "argv", ["mlspring", "data", "hw01", "--data", str(folder)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    last = capsys.readouterr().out.splitlines()[-1]
    with Image.open(last.removeprefix("pictures: ")) as sheet:
        assert (255, 0, 0) in colours(sheet.convert("RGB"))


def test_pictures_that_cannot_be_shown_are_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = catalog.part(SPEC, "data")
    monkeypatch.setattr(part, "contact_sheet", lambda _: {"odd": np.zeros(3)}, raising=False)
    assert contact.write(SPEC, object(), tmp_path) is None
    assert "warning: no contact sheet of the data" in capsys.readouterr().err


@pytest.mark.usefixtures("with_pictures")
def test_a_run_keeps_it_and_its_report_shows_it(tmp_path: Path) -> None:
    run = run_tiny(SPEC, tmp_path, figures=False)
    assert (run.folder / contact.NAME).is_file()
    assert '<img class="sheet" src="data:image/png;base64,' in page.report(run).read_text()
    (run.folder / contact.NAME).unlink()
    assert 'class="sheet"' not in page.report(Run.open(run.folder)).read_text()
