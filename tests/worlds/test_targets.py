"""Pictures to attack: balanced, seeded, named in natural order; halves of each class apart."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.worlds.targets.photo import CLASS_NAMES, CONTRAST, FAINT, dress, photo, texture
from mlspring.worlds.targets.pictures import benign_ids, targets_world, tiny_targets_world
from mlspring.worlds.world import build

ARRAYS = {"benign_images", "train_images", "train_labels", "valid_images", "valid_labels"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("targets")))
        return build(tiny_targets_world(), processes=1)


def array(world_folder: Path, name: str) -> NDArray[np.uint8]:
    loaded: NDArray[np.uint8] = np.load(world_folder / "public" / f"{name}.npy", allow_pickle=False)
    return loaded


def test_there_are_ten_classes_in_alphabetical_order_as_the_course_has_them() -> None:
    assert len(CLASS_NAMES) == 10
    assert list(CLASS_NAMES) == sorted(CLASS_NAMES)


def test_names_count_in_natural_order() -> None:
    names = benign_ids(20)
    assert len(names) == 200
    assert names[:2] == ["apple/apple1.png", "apple/apple2.png"]
    assert names[9:11] == ["apple/apple10.png", "apple/apple11.png"]
    assert names[-1] == "television/television20.png"


def test_every_part_is_balanced_and_of_its_shape(tiny: Path) -> None:
    for part, count in (("benign", 2), ("train", 6), ("valid", 2)):
        images = array(tiny, f"{part}_images")
        assert images.shape == (10 * count, 32, 32, 3) and images.dtype == np.uint8
        if part != "benign":
            labels = array(tiny, f"{part}_labels")
            assert np.bincount(labels).tolist() == [count] * 10
            assert not np.all(np.diff(labels) >= 0)  # shuffled, not sorted by class


def test_halves_of_the_board_hold_as_many_of_each_class_and_lie_apart(tiny: Path) -> None:
    assert {path.stem for path in (tiny / "public").iterdir()} == ARRAYS
    with (tiny / "private" / "answers.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["Id"] for row in rows] == benign_ids(2)
    assert all(CLASS_NAMES[int(row["Category"])] == row["Id"].split("/")[0] for row in rows)
    assert set(Counter((row["Category"], row["Usage"]) for row in rows).values()) == {1}


def test_no_picture_stands_in_two_parts(tiny: Path) -> None:
    every = [array(tiny, f"{part}_images") for part in ("benign", "train", "valid")]
    assert len({image.tobytes() for images in every for image in images}) == 100


def test_the_bytes_depend_on_the_seed_and_not_on_the_shards(tiny: Path) -> None:
    other = build(targets_world(seed=0, num_shards=3, counts=(2, 6, 2)), processes=1)
    assert all(np.array_equal(array(tiny, name), array(other, name)) for name in ARRAYS)
    reseeded = build(tiny_targets_world(seed=1), processes=1)
    assert not np.array_equal(array(tiny, "benign_images"), array(reseeded, "benign_images"))


@pytest.mark.parametrize("behind", [0.0, 60.0, 128.0, 190.0, 255.0])
def test_a_body_stands_out_from_what_is_behind_it(behind: float) -> None:
    for number in range(50):
        body, _, _ = dress(np.random.default_rng([1, number + 1]), behind)
        bright = max(body) * (1 - (1 - min(body) / max(body)) / 2)  # value * (1 - saturation / 2)
        assert abs(bright - behind) > 0.45 * CONTRAST[0]


def test_pictures_of_a_class_differ() -> None:
    made = [photo(np.random.default_rng([2, number + 1]), 3) for number in range(4)]
    assert len({picture.tobytes() for picture in made}) == 4


def test_a_texture_is_faint_and_of_its_class() -> None:
    """Half of what a network may learn from is smaller than what an attack may change."""
    for kind in range(10):
        made = texture(np.random.default_rng([4, kind + 1]), kind)
        assert made.shape == (32, 32)
        assert abs(float(made.mean())) < 0.3 and 0.8 < float(made.std()) <= 1.01
        assert np.abs(made * FAINT[1]).max() <= 17.5
    spectra = [
        [np.abs(np.fft.fft2(texture(np.random.default_rng([k, i + 1]), k))) for i in range(12)]
        for k in range(10)
    ]
    means = np.stack([np.mean(of_kind[:6], 0) for of_kind in spectra]).reshape(10, -1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    right = [
        (means @ one.ravel()).argmax() == kind
        for kind, of_kind in enumerate(spectra)
        for one in of_kind[6:]
    ]
    assert np.mean(right) > 0.7, "another cut of the same weave is known by its frequencies"
