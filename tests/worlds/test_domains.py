"""Photos and doodles: the same objects in both domains, balanced, answers apart, all different."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.worlds.domains import domains_world, tiny_domains_world
from mlspring.worlds.domains_doodle import dashes, dense, doodle, paper
from mlspring.worlds.domains_ground import ground
from mlspring.worlds.domains_photo import photo
from mlspring.worlds.objects import CLASS_NAMES, OUTLINES
from mlspring.worlds.world import build, folder

ARRAYS = ("source_images", "source_labels", "target_images")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("domains")))
        return build(tiny_domains_world(), processes=1)


def answers(world_folder: Path) -> list[dict[str, str]]:
    with (world_folder / "private" / "answers.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def array(world_folder: Path, name: str) -> NDArray[np.uint8]:
    loaded: NDArray[np.uint8] = np.load(world_folder / "public" / f"{name}.npy", allow_pickle=False)
    return loaded


def test_the_classes_are_the_courses_in_its_order() -> None:
    assert len(CLASS_NAMES) == len(OUTLINES) == 10
    assert (CLASS_NAMES[0], CLASS_NAMES[9]) == ("horse", "spider")
    assert [part.__name__ for part in OUTLINES] == list(CLASS_NAMES)


def test_both_domains_have_the_courses_shapes_and_are_balanced(tiny: Path) -> None:
    photos, drawings = array(tiny, "source_images"), array(tiny, "target_images")
    assert photos.shape == (60, 32, 32, 3) and photos.dtype == np.uint8
    assert drawings.shape == (80, 28, 28) and drawings.dtype == np.uint8
    labels = array(tiny, "source_labels")
    assert np.bincount(labels).tolist() == [6] * 10
    assert not np.all(np.diff(labels) >= 0)  # shuffled, not sorted by class


def test_training_can_read_no_class_of_a_drawing(tiny: Path) -> None:
    public = {path.name for path in (tiny / "public").iterdir()}
    assert public == {f"{name}.npy" for name in ARRAYS}
    assert [path.name for path in (tiny / "private").iterdir()] == ["answers.csv"]


def test_answers_name_every_drawing_and_halve_each_class(tiny: Path) -> None:
    rows = answers(tiny)
    assert list(rows[0]) == ["id", "label", "Usage"]
    assert [row["id"] for row in rows] == [str(i) for i in range(80)]
    usage = Counter((row["label"], row["Usage"]) for row in rows)
    assert set(usage.values()) == {4}
    assert len(usage) == 20


def test_answers_belong_to_their_drawings(tiny: Path) -> None:
    """Of a hundred doodles a class the nearest mean tells more than chance, if rows agree."""
    means = np.stack(
        [
            np.mean([doodle(np.random.default_rng([7, label, i]), label) for i in range(100)], 0)
            for label in range(10)
        ]
    ).reshape(10, -1)
    means -= means.mean(0)
    drawings = array(tiny, "target_images").reshape(80, -1).astype(float)
    scores = (drawings - drawings.mean(0)) @ (means / np.linalg.norm(means, axis=1)[:, None]).T
    truth = np.array([int(row["label"]) for row in answers(tiny)])
    assert (scores.argmax(1) == truth).mean() > 0.3


def test_pictures_are_the_same_by_two_processes_and_by_other_shards(tiny: Path) -> None:
    place = build(tiny_domains_world(), processes=2)
    for name in ARRAYS:
        assert np.array_equal(array(place, name), array(tiny, name))
    other = build(domains_world(seed=0, num_shards=7, photos=6, doodles=8), processes=1)
    assert np.array_equal(array(other, "target_images"), array(tiny, "target_images"))


def test_another_seed_makes_other_pictures() -> None:
    assert folder(tiny_domains_world(seed=1)) != folder(tiny_domains_world())
    for make in (photo, doodle):
        first, again = make(np.random.default_rng(1), 4), make(np.random.default_rng(1), 4)
        assert np.array_equal(first, again)
        assert not np.array_equal(first, make(np.random.default_rng(2), 4))


def test_no_picture_appears_twice(tiny: Path) -> None:
    for name in ("source_images", "target_images"):
        pictures = [picture.tobytes() for picture in array(tiny, name)]
        assert len(set(pictures)) == len(pictures)


@pytest.mark.parametrize("label", range(10))
def test_drawings_are_bright_lines_on_darker_paper_that_fill_the_frame(label: int) -> None:
    for seed in range(12):
        drawing = doodle(np.random.default_rng([label, seed]), label)
        assert 0.02 < (drawing > 127).mean() < 0.5
        assert (drawing < 60).mean() > 0.3
        ink = np.argwhere(drawing > 127)
        assert np.ptp(ink, axis=0).max() > 13


def test_papers_are_plain_behind_some_drawings_and_always_darker_than_ink() -> None:
    sheets = [np.asarray(paper(np.random.default_rng(seed))) for seed in range(60)]
    assert max(sheet.max() for sheet in sheets) < 127
    printed = [float((sheet > 0).mean()) for sheet in sheets]
    assert min(printed) < 0.12  # dotted
    assert 0.35 < max(printed) < 0.7  # squared


def test_dashes_cover_a_line_but_for_its_gaps() -> None:
    line = np.stack([np.arange(40.0), np.zeros(40)], 1)
    assert [piece.tolist() for piece in dashes(np.random.default_rng(0), line, None)] == [
        line.tolist()
    ]
    pieces = dashes(np.random.default_rng(0), line, (6, 2))
    drawn = [int(x) for piece in pieces for x in piece[:, 0]]
    assert len(pieces) >= 4
    assert max(len(piece) for piece in pieces) == 6
    assert drawn == sorted(set(drawn))  # no point twice
    inner = np.diff([piece[0, 0] for piece in pieces[1:]])
    assert set(inner.tolist()) == {8.0}


def test_most_photos_of_a_class_share_a_ground_and_some_have_another() -> None:
    """Waves behind dolphins change downwards and not across; grass behind horses the other way."""

    def across_beats_down(label: int) -> float:
        greys = [ground(np.random.default_rng([label, i]), label).mean(-1) for i in range(60)]
        blurred = [grey.reshape(32, 3, 32, 3).mean((1, 3)) for grey in greys]
        return float(
            np.mean([np.abs(np.diff(g, axis=1)).mean() > np.abs(np.diff(g, axis=0)).mean()
                     for g in blurred])
        )  # fmt: skip

    assert 0.7 < across_beats_down(0) < 1
    assert 0 < across_beats_down(8) < 0.3


@pytest.mark.parametrize("label", range(10))
def test_photos_vary_in_light_and_colour(label: int) -> None:
    photos = np.stack([photo(np.random.default_rng([label, i]), label) for i in range(12)])
    assert photos.std(axis=(1, 2, 3)).min() > 4  # no flat picture
    assert photos.mean(axis=(1, 2)).std(axis=0).min() > 10  # colours differ from photo to photo


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("label", range(10))
def test_outlines_stay_near_their_square(label: int, drawn: bool) -> None:
    for seed in range(20):
        parts = OUTLINES[label](np.random.default_rng([label, seed]), drawn)
        points = np.concatenate([part.points for part in parts])
        assert np.abs(points).max() < 1.6
        assert np.ptp(points, axis=0).min() > 0.25
        assert sum(not part.detail for part in parts) >= 1


def test_a_line_keeps_its_ends_when_points_are_added() -> None:
    line = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.5]])
    points = dense(line)
    assert np.allclose(points[[0, -1]], line[[0, -1]])
    assert np.hypot(*np.diff(points, axis=0).T).max() <= 0.09 + 1e-9
