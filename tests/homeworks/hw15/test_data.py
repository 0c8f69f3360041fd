"""The data of homework 15: both sources, the course's layout, and what is wrong told in time."""

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError, RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.source import Source, official
from mlspring.homeworks.hw15_meta import data as island
from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.spec import SPEC
from mlspring.worlds.glyphs import tiny_glyph_world
from mlspring.worlds.world import build
from tests.tiny import glyphs

CHARACTER = Path("Omniglot/images_background/Script_1.0/character02")


def recipe(*overrides: str, name: str = "strong") -> Recipe:
    path = SPEC.folder / "recipes" / "world" / f"{name}.toml"
    return load_recipe(Recipe, path, [*glyphs.SMALL, *overrides])


def load(folder: Path, *overrides: str) -> Data:
    return island.load(official(folder), recipe(*overrides))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return glyphs.write_omniglot(tmp_path / "data")


def test_a_folder_is_read_in_order(folder: Path) -> None:
    data = load(folder)
    assert data.images.shape == (16, 4, 28, 28)
    assert data.alphabets.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert data.names == ("Script_0", "Script_1", "Script_2", "Script_3")
    assert data.support.shape == data.query.shape == (4, 5, 28, 28)
    assert np.array_equal(data.images[5, 2], np.asarray(glyphs.sign(5, 2)))
    assert np.array_equal(data.support[3, 1], np.asarray(glyphs.sign(20 + 15 + 1, 50)))
    shown = glyphs.query_class(2, 3)
    assert np.array_equal(data.query[2, 3], np.asarray(glyphs.sign(20 + 10 + shown, 51)))
    assert island.test_ids(official(folder)) == [str(number) for number in range(20)]


def test_folders_inside_and_hidden_files_do_not_matter(folder: Path) -> None:
    expected = load(folder)
    (folder / CHARACTER / "._0006_01.png").write_bytes(b"resource fork")
    (folder / "Omniglot-test/support/._0000").write_bytes(b"resource fork")
    (folder / "Omniglot-test/support/0000/Thumbs.db").write_bytes(b"small pictures")
    turned = folder / "Omniglot/images_background/Script_1.90"
    shutil.copytree(folder / "Omniglot/images_background/Script_1.0", turned)
    found = load(folder)
    assert np.array_equal(found.images, expected.images)
    assert np.array_equal(found.support, expected.support)
    flat = folder / "Omniglot"
    assert np.array_equal(load(flat).images, expected.images)


def test_the_parts_are_found_where_archives_nest_them(folder: Path) -> None:
    expected = load(folder)
    nested = folder.parent / "kaggle"
    for archive, part in (("omniglot", "Omniglot"), ("omniglot-test", "Omniglot-test")):
        (nested / archive).mkdir(parents=True)
        (folder / part).rename(nested / archive / part)
    data = load(nested)
    assert np.array_equal(data.images, expected.images)
    assert np.array_equal(data.query, expected.query)
    assert island.test_ids(official(nested)) == [str(number) for number in range(20)]


def test_two_sets_of_characters_are_one_too_many(folder: Path) -> None:
    shutil.copytree(folder / "Omniglot", folder / "again")
    with pytest.raises(DataError, match=r"holds Omniglot/images_background and again/images_back"):
        load(folder)


def test_without_a_test_part_there_are_no_tasks_and_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(folder)
    assert "no test tasks" not in capsys.readouterr().err
    shutil.rmtree(folder / "Omniglot-test")
    data = load(folder)
    assert "no test tasks (Omniglot-test/" in capsys.readouterr().err
    assert data.support.shape == data.query.shape == (0, 5, 28, 28)
    assert island.test_ids(official(folder)) == []


def test_a_world_written_out_reads_the_same(tmp_path: Path) -> None:
    made = build(tiny_glyph_world(), processes=1)
    source = Source(kind="world", folder=made / "public")
    world = island.load(source, recipe("data.held_out=5"))
    island.export(made, tmp_path / "out")
    again = load(tmp_path / "out", "data.held_out=5")
    assert np.array_equal(again.support, world.support)
    assert np.array_equal(again.query, world.query)
    assert {image.tobytes() for image in again.images} == {i.tobytes() for i in world.images}
    assert len(set(again.names)) == len(set(world.alphabets))
    assert island.test_ids(source) == island.test_ids(official(tmp_path / "out"))
    assert not list((tmp_path / "out").rglob("answers*"))


def test_the_data_card_tells_the_numbers_and_shows_pictures(folder: Path) -> None:
    data = load(folder)
    card = island.describe(data)
    assert card["characters"].startswith("16 of 4 alphabets, 4 drawings each")
    assert card["test tasks"].startswith("4 of 5 characters")
    assert card["alphabets"] == "Script_0 4, Script_1 4, Script_2 4, Script_3 4"
    rows = island.contact_sheet(data)
    assert np.array_equal(rows["Script_2"], data.images[8:12, 0])
    assert np.array_equal(rows["test task 0: query"], data.query[0])


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("Omniglot", "has no folder images_background"),
        ("Omniglot-test/query/0002/image_3.png", r"0002/image_3.png: is missing"),
        ("Omniglot-test/query/0002", r"query: task 0002 is missing"),
        ("Omniglot-test/support/0001", r"support: task 0001 is missing"),
        ("Omniglot-test/query", r"query: is missing"),
        (f"{CHARACTER}/0006_02.png", r"character02: holds 3 drawing\(s\); expected 4"),
    ],
)
def test_what_is_missing_is_named(folder: Path, lost: str, message: str) -> None:
    remove(folder / lost)
    with pytest.raises(DataError, match=message):
        load(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("0006_01.png", b"no png", "is no image"),
        ("0006_01.png", b"\x89PNG\r\n\x1a\n cut", "is"),
        ("0006_01.png", b"", "empty"),
        ("notes.txt", b"hello", "is no picture"),
    ],
)
def test_what_is_broken_is_named(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / CHARACTER / name).write_bytes(content)
    with pytest.raises(DataError, match=f"(?s){name}.*{message}"):
        load(folder)


@pytest.mark.parametrize(
    ("method", "closed", "named"),
    [
        ("stat", "Omniglot/images_background", "Omniglot"),
        ("iterdir", CHARACTER, "character02"),
        ("iterdir", "Omniglot-test/query/0002", "0002"),
    ],
)
def test_what_may_not_be_read_or_entered_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, method: str, closed: str | Path, named: str
) -> None:
    original = getattr(Path, method)

    def refuse(self: Path, *arguments: object, **options: object) -> object:
        if self == folder / closed:
            raise PermissionError(13, "Permission denied")
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(
        DataError, match=rf"{named}: the folder cannot be read\n  -> chmod -R u\+rX"
    ):
        load(folder)


def test_an_empty_character_is_named(folder: Path) -> None:
    for file in (folder / CHARACTER).iterdir():
        file.unlink()
    with pytest.raises(DataError, match="character02: holds no picture"):
        load(folder)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.held_out=4", "there are 4 alphabets"),
        ("method.queries=4", "a character has 4 drawings"),
        ("data.held_out=3", "may leave fewer than 5"),
        ("data.held_out=1", "may leave fewer than 5"),
        ("study.characters=[5, 1000]", "study.characters asks for 1,000 characters"),
    ],
)
def test_a_recipe_that_asks_for_more_than_there_is_is_refused(
    folder: Path, override: str, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load(folder, override)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["method.ways=6"], "only protonet"),
        (["data.turns=3"], "data.turns"),
        (["method.name=protonet", "method.learnt_rates=true"], "protonet learns no rates"),
        (["method.name=transfer", "study.characters=[5]"], "there is no study"),
        (["study.characters=[3]"], "study.characters"),
        (["method.name=matching"], "method.name"),
        (["method.name=transfer", "data.turns=4"], "data.turns: transfer"),
        (
            ["method.name=protonet", "method.ways=20", "study.characters=[5]"],
            "less than method.ways",
        ),
    ],
)
def test_an_impossible_recipe_is_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(*overrides)


def test_the_course_s_files_are_read(real_data: Path, tmp_path: Path) -> None:
    for name in ("Omniglot.tar.gz", "Omniglot-test.tar.gz"):
        with tarfile.open(real_data / "hw15" / name) as archive:
            archive.extractall(tmp_path, filter="data")
    data = load(tmp_path, "data.held_out=6")
    assert data.images.shape == (964, 20, 28, 28)
    assert len(data.names) == 30
    assert data.support.shape == data.query.shape == (640, 5, 28, 28)
    assert island.test_ids(official(tmp_path)) == [str(number) for number in range(3200)]
    assert 0.85 < data.images.mean() / 255 < 0.99, "dark ink on white"
