"""Painted food: proportions as in the course, answers apart, pictures whole and all different."""

import csv
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.worlds.dishes import bread, soup
from mlspring.worlds.food import CLASS_NAMES, OFFICIAL_COUNTS, food_world, tiny_food_world
from mlspring.worlds.food_photo import DISHES, photo
from mlspring.worlds.food_table import TOPS, lay_table
from mlspring.worlds.paint import SIZE, Canvas, Material
from mlspring.worlds.shapes import Spot
from mlspring.worlds.world import build, folder

ARRAYS = ("train_images", "train_labels", "valid_images", "valid_labels", "test_images")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("food")))
        return build(tiny_food_world(), processes=1)


def answers(world_folder: Path) -> list[dict[str, str]]:
    with (world_folder / "private" / "answers.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def pictures(world_folder: Path, split: str) -> NDArray[np.uint8]:
    images: NDArray[np.uint8] = np.load(
        world_folder / "public" / f"{split}_images.npy", allow_pickle=False
    )
    return images


def test_the_classes_are_the_courses_in_its_order() -> None:
    assert len(CLASS_NAMES) == len(DISHES) == 11
    assert CLASS_NAMES[0] == "bread" and DISHES[0] is bread.BREAD
    assert CLASS_NAMES[9] == "soup" and DISHES[9] is soup.SOUP


def test_official_counts_have_the_courses_sums() -> None:
    sums = {split: sum(counts) for split, counts in OFFICIAL_COUNTS.items()}
    assert sums == {"train": 9866, "valid": 3430, "test": 3347}


def test_full_world_keeps_the_courses_proportions() -> None:
    assert "4,932 training, 1,716 validation and 1,676 test" in food_world(scale=0.5).description
    numbers = re.findall(r"([\d,]+) (training|validation|test)", food_world().description)
    train, valid, test = (int(number.replace(",", "")) for number, _ in numbers)
    assert train / valid == pytest.approx(9866 / 3430, rel=0.01)
    assert train / test == pytest.approx(9866 / 3347, rel=0.01)


def test_splits_and_classes_are_in_proportion(tiny: Path) -> None:
    for split in ("train", "valid"):
        labels = np.load(tiny / "public" / f"{split}_labels.npy", allow_pickle=False)
        assert labels.dtype == np.int64 and len(labels) == len(pictures(tiny, split))
        expected = [max(2, round(count * 0.01)) for count in OFFICIAL_COUNTS[split]]
        assert np.bincount(labels).tolist() == expected
        assert not np.all(np.diff(labels) >= 0)  # shuffled, not sorted by class


def test_public_holds_arrays_only_and_answers_lie_apart(tiny: Path) -> None:
    public = {path.name for path in (tiny / "public").iterdir()}
    assert public == {f"{name}.npy" for name in ARRAYS}
    assert [path.name for path in (tiny / "private").iterdir()] == ["answers.csv"]


def test_answers_name_every_test_picture_and_halve_each_class(tiny: Path) -> None:
    rows = answers(tiny)
    assert list(rows[0]) == ["Id", "Category", "Usage"]
    assert [row["Id"] for row in rows] == [f"{i:04d}" for i in range(1, len(rows) + 1)]
    assert len(rows) == len(pictures(tiny, "test"))
    usage = Counter((row["Category"], row["Usage"]) for row in rows)
    for label in range(11):
        assert abs(usage[str(label), "Public"] - usage[str(label), "Private"]) <= 1
    parts = Counter(row["Usage"] for row in rows)
    assert abs(parts["Public"] - parts["Private"]) <= 1


def test_pictures_are_the_same_by_one_process_and_two(tiny: Path) -> None:
    place = build(tiny_food_world(), processes=2)
    for name in ("manifest.json", "public", "private"):
        assert (place / name).exists()
    for name in [f"public/{array}.npy" for array in ARRAYS] + ["private/answers.csv"]:
        assert (place / name).read_bytes() == (tiny / name).read_bytes()


def test_bytes_do_not_depend_on_the_number_of_shards(tiny: Path) -> None:
    place = build(food_world(num_shards=7, scale=0.01), processes=1)
    assert np.array_equal(pictures(place, "test"), pictures(tiny, "test"))


def test_another_seed_paints_other_pictures(tiny: Path) -> None:
    assert folder(tiny_food_world(seed=1)) != folder(tiny_food_world())
    first = photo(np.random.default_rng(1), 3)
    again, other = photo(np.random.default_rng(1), 3), photo(np.random.default_rng(2), 3)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_no_picture_appears_twice(tiny: Path) -> None:
    everything = [image.tobytes() for split in ("train", "valid", "test")
                  for image in pictures(tiny, split)]  # fmt: skip
    assert len(set(everything)) == len(everything)


def test_corners_are_no_darker_than_the_table_beside_them(tiny: Path) -> None:
    """A rotated picture with empty corners would have constant black there."""
    images = np.concatenate([pictures(tiny, split) for split in ("train", "valid", "test")])
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]].astype(float)
    black = (corners.max(-1) == 0).mean()
    edges = images[:, [0, 0, -1, -1], [16, 48, 16, 48]].astype(float)
    assert black < 0.02
    assert corners.mean() > 0.8 * edges.mean()


def test_the_table_covers_the_whole_canvas() -> None:
    for seed in range(len(TOPS) * 3):
        canvas = Canvas(np.random.default_rng(seed))
        lay_table(canvas)
        pixels = np.asarray(canvas.color)
        assert pixels.shape == (SIZE, SIZE, 4)
        assert set(np.unique(pixels[..., 3])) <= {Material.TABLE, Material.CLOTH}
        assert (pixels[..., :3].max(-1) > 0).mean() > 0.99


@pytest.mark.parametrize("label", range(11))
def test_pictures_of_a_class_vary_in_light_and_content(label: int) -> None:
    pictures_of_class = [photo(np.random.default_rng([label, i]), label) for i in range(12)]
    for picture in pictures_of_class:
        assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
        assert picture.std() > 4  # not one flat colour
    means = np.array([picture.mean() for picture in pictures_of_class])
    assert means.std() > 5


@pytest.mark.parametrize("dish", [dish for dishes in DISHES for dish in dishes])
def test_every_dish_covers_part_of_its_spot_and_little_beyond(
    dish: Callable[[Canvas, Spot], None],
) -> None:
    for seed in range(4):
        canvas = Canvas(np.random.default_rng(seed))
        spot = Spot(x=0.0, y=0.0, radius=30.0, base=1.0)
        dish(canvas, spot)
        painted = np.asarray(canvas.height) > 0
        x, y = canvas.table_grid()
        inside = np.hypot(x, y) < spot.radius
        assert painted[inside].mean() > 0.08
        assert painted[np.hypot(x, y) > 2.2 * spot.radius].mean() < 0.03


def test_tiny_world_is_made_in_seconds() -> None:
    shutil.rmtree(folder(tiny_food_world()), ignore_errors=True)
    place = build(tiny_food_world(), processes=1)
    num_pictures = sum(len(pictures(place, split)) for split in ("train", "valid", "test"))
    assert 120 <= num_pictures <= 220
