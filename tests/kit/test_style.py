"""Figures leave a PNG, an SVG and the numbers; the same figure is the same bytes."""

import copy
import itertools
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from mlspring.kit import style


def draw(folder: Path) -> None:
    with style.house_style():
        figure = style.new_figure()
        axes = figure.subplots()
        axes.plot([0, 1], [1, 2])
        style.save(figure, folder, "line", ("x", "y"), [(0, 1), (1, 2)])


def test_three_files_and_the_numbers(tmp_path: Path) -> None:
    draw(tmp_path)
    assert (tmp_path / "line.csv").read_text() == "x,y\n0,1\n1,2\n"
    assert (tmp_path / "line.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "line.svg").read_text()


def test_drawing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    draw(tmp_path / "a")
    draw(tmp_path / "b")
    for name in ("line.png", "line.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_colours_differ_in_grey() -> None:
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    shades = [grey(colour) for colour in style.COLOURS[:3]]
    assert min(abs(a - b) for a, b in itertools.pairwise(shades)) > 20


def test_a_font_that_was_installed_after_the_list_was_made_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    file = tmp_path / "new.ttf"
    font = TTFont(font_manager.findfont("DejaVu Sans"))
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = "Noto Sans TC"
    font.save(file)
    manager = copy.deepcopy(font_manager.fontManager)
    manager.ttflist = [known for known in manager.ttflist if known.name not in style.CJK_FONTS]
    monkeypatch.setattr(style.font_manager, "fontManager", manager)
    found: list[str] = []
    monkeypatch.setattr(style.font_manager, "findSystemFonts", lambda: found)
    style._add_new_fonts.cache_clear()
    assert style.cjk_font() is None
    found += [str(tmp_path / "broken.ttf"), str(file)]
    style._add_new_fonts.cache_clear()  # as in the next process
    assert style.cjk_font() == "Noto Sans TC"
    style._add_new_fonts.cache_clear()
