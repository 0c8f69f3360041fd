"""Figures leave a PNG, an SVG and the numbers; the same figure is the same bytes."""

import itertools
from pathlib import Path

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
