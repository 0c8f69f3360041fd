"""Drawn letters: scripts apart, shapes distinct, one pen, the same bytes by any process."""

import csv
from collections import Counter
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from mlspring.worlds import glyphs
from mlspring.worlds.glyph_pen import SIDE, drawing, ink_of, plain, strokes
from mlspring.worlds.world import build, folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("glyphs")))
        return build(glyphs.tiny_glyph_world(), processes=1)


def arrays(world_folder: Path) -> dict[str, np.ndarray]:
    public = world_folder / "public"
    return {path.stem: np.load(path, allow_pickle=False) for path in public.iterdir()}


def answers(world_folder: Path) -> list[dict[str, str]]:
    with (world_folder / "private" / "answers.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_parts_have_the_shapes_that_are_told(tiny: Path) -> None:
    found = arrays(tiny)
    assert set(found) == {"train_images", "train_alphabets", "test_support", "test_query"}
    num_characters = len(found["train_images"])
    assert found["train_images"].shape == (num_characters, 20, SIDE, SIDE)
    assert found["train_alphabets"].shape == (num_characters,)
    assert found["test_support"].shape == found["test_query"].shape == (12, 5, SIDE, SIDE)
    assert found["train_alphabets"].min() >= 0 and found["train_alphabets"].max() < 20
    assert [path.name for path in (tiny / "private").iterdir()] == ["answers.csv"]


def test_answers_name_every_query_once_and_halve_the_tasks(tiny: Path) -> None:
    rows = answers(tiny)
    assert list(rows[0]) == ["id", "class", "Usage"]
    assert [row["id"] for row in rows] == [str(number) for number in range(60)]
    for task in range(12):
        mine = rows[5 * task : 5 * task + 5]
        assert sorted(row["class"] for row in mine) == list("01234")
        assert len({row["Usage"] for row in mine}) == 1, "a task is public or private as a whole"
    assert Counter(row["Usage"] for row in rows) == {"Public": 30, "Private": 30}


def test_a_query_shows_the_character_of_its_class_by_another_hand(tiny: Path) -> None:
    """The answer's support image is nearer than chance would have it, and never the same one."""
    found = arrays(tiny)
    classes = np.array([int(row["class"]) for row in answers(tiny)]).reshape(12, 5)
    ink = {name: 255.0 - found[f"test_{name}"].reshape(12, 5, -1) for name in ("support", "query")}
    apart = np.linalg.norm(ink["query"][:, :, None] - ink["support"][:, None], axis=-1)
    assert apart.min() > 0
    assert (apart.argmin(2) == classes).mean() > 0.35, "chance is 0.2"


def test_scripts_of_the_tests_are_none_of_training() -> None:
    spans = {
        name: [(a.first, a.last) for a in alphabets]
        for name, alphabets in (("train", glyphs.TRAIN_ALPHABETS), ("test", glyphs.TEST_ALPHABETS))
    }
    for first, last in spans["train"]:
        assert all(last < start or end < first for start, end in spans["test"])


def test_characters_are_letters_without_accents_and_none_twice() -> None:
    letters = [letter for _, letter in glyphs.characters()]
    assert len(letters) == len(set(letters)) > 1200
    assert "É" not in letters and "E" in letters
    assert len(glyphs.characters(3)) == 3 * 28


def test_of_shapes_that_look_alike_only_the_first_is_kept() -> None:
    shapes = np.stack([plain(strokes(letter)) for letter in "AOΑОXქ"])  # the third is Greek
    assert glyphs.distinct(shapes).tolist() == [True, True, False, False, True, True]


def test_the_bytes_do_not_depend_on_processes_or_shards(tiny: Path, isolated_home: Path) -> None:
    world = glyphs.glyph_world(num_shards=3, most=3)
    place = build(world, processes=2)
    for name in ("train_images", "train_alphabets", "test_support", "test_query"):
        path = f"public/{name}.npy"
        assert (place / path).read_bytes() == (tiny / path).read_bytes()
    assert answers(place) == answers(tiny)


@pytest.mark.parametrize("library", ["matplotlib", "scikit-image"])
def test_another_font_or_another_centre_line_is_another_world(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, real = folder(glyphs.glyph_world()), metadata.version
    other = {library: "0.0.1"}
    monkeypatch.setattr(metadata, "version", lambda name: other.get(name) or real(name))
    assert folder(glyphs.glyph_world()) != place


def test_another_seed_draws_other_letters() -> None:
    lines = strokes("b")
    first, again, other = (drawing(lines, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_centre_line_lies_in_its_box_and_its_dot_is_a_part_of_its_own() -> None:
    for letter, num_parts in (("i", 2), ("l", 1), ("ξ", 1), ("ث", 4)):
        points, parts = strokes(letter)
        assert points.shape == (len(parts), 2)
        assert np.abs(points).max() == pytest.approx(0.5)
        assert len(np.unique(parts)) == num_parts, letter


def test_ink_is_dark_on_white_and_as_wide_as_the_pen() -> None:
    line = np.stack((np.zeros(41), np.linspace(-10, 10, 41)), 1).astype(np.float32)
    picture = ink_of(line, radius=2.0)
    widths = (255.0 - picture[10:18]).sum(1) / 255
    assert widths == pytest.approx(np.full(8, 4.0), abs=0.05)
    assert picture[0].min() == 255


def test_drawings_stay_on_the_page_and_differ() -> None:
    for letter in "lWმᐁ":
        lines = strokes(letter)
        made = np.stack([drawing(lines, np.random.default_rng([7, i])) for i in range(30)])
        border = np.concatenate([made[:, 0], made[:, -1], made[:, :, 0], made[:, :, -1]])
        assert border.min() > 100, "no stroke is cut off"
        assert len({image.tobytes() for image in made}) == 30
        ink = (255.0 - made).mean((1, 2)) / 255
        assert ink.min() > 0.01 and ink.max() < 0.5
