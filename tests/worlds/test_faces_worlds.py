"""Both worlds of faces: shapes, truth apart, halves even, the same bytes by any process."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mlspring.worlds.faces.anomalies import KINDS, NARROW, draw_anomaly
from mlspring.worlds.faces.anomaly_world import anomaly_world, tiny_anomaly_world
from mlspring.worlds.faces.drawing import draw
from mlspring.worlds.faces.face_world import face_world, tiny_face_world
from mlspring.worlds.faces.factors import FACTORS, from_row, sample_face, to_row
from mlspring.worlds.world import build, folder, verify

NUM_TEST = 4 * len(KINDS)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("faces")))
        return build(tiny_face_world(), processes=1)


@pytest.fixture(scope="module")
def anomalies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("anomalies")))
        return build(tiny_anomaly_world(), processes=1)


def names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def answers(place: Path) -> list[dict[str, str]]:
    with (place / "private" / "answers.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def kinds(place: Path) -> list[str]:
    found: list[str] = json.loads((place / "private" / "kinds.json").read_text(encoding="utf-8"))
    return found


def test_faces_have_the_shapes_that_are_told(faces: Path) -> None:
    assert names(faces / "public") == {"faces.npy"}
    assert names(faces / "private") == {
        *("factors.npy", "factors.json", "held_out.npy", "held_out_factors.npy")
    }
    pictures = np.load(faces / "public" / "faces.npy", mmap_mode="r", allow_pickle=False)
    assert isinstance(pictures, np.memmap)
    assert pictures.shape == (64, 64, 64, 3) and pictures.dtype == np.uint8
    held_out = np.load(faces / "private" / "held_out.npy", mmap_mode="r", allow_pickle=False)
    assert held_out.shape == (16, 64, 64, 3)
    everything = [picture.tobytes() for part in (pictures, held_out) for picture in part]
    assert len(set(everything)) == 80


def test_factors_are_those_of_their_faces(faces: Path) -> None:
    rows = np.load(faces / "private" / "factors.npy", allow_pickle=False)
    pictures = np.load(faces / "public" / "faces.npy", allow_pickle=False)
    assert rows.shape == (64, len(FACTORS)) and rows.dtype == np.float32
    for number in (0, 37):
        rng = np.random.default_rng([0, 1, number + 1])
        face = sample_face(rng)
        assert np.array_equal(rows[number], to_row(face))
        assert np.array_equal(pictures[number], draw(face, int(rng.integers(2**32))))
        near = draw(from_row(rows[number]), 0).astype(int)  # another texture
        apart = [np.abs(picture - near).mean() for picture in pictures]
        assert int(np.argmin(apart)) == number


def test_columns_are_told_so_that_modes_can_be_counted(faces: Path) -> None:
    columns = json.loads((faces / "private" / "factors.json").read_text(encoding="utf-8"))
    rows = np.load(faces / "private" / "factors.npy", allow_pickle=False)
    assert [column["name"] for column in columns] == [factor.name for factor in FACTORS]
    for column, values in zip(columns, rows.T, strict=True):
        if "choices" in column:
            assert set(values.tolist()) <= set(range(len(column["choices"])))
        else:
            assert column["low"] <= values.min() and values.max() <= column["high"] + 1e-6


def test_anomalies_have_the_courses_files(anomalies: Path) -> None:
    assert names(anomalies / "public") == {"trainingset.npy", "testingset.npy"}
    assert names(anomalies / "private") == {
        *("answers.csv", "kinds.json", "test_factors.npy", "factors.json")
    }
    for name, count in (("trainingset", 36), ("testingset", NUM_TEST)):
        path = anomalies / "public" / f"{name}.npy"
        pictures = np.load(path, mmap_mode="r", allow_pickle=False)
        assert pictures.shape == (count, 64, 64, 3) and pictures.dtype == np.uint8
        assert len({picture.tobytes() for picture in pictures}) == count


def test_half_of_the_test_is_wrong_evenly_and_shuffled(anomalies: Path) -> None:
    rows, wrong = answers(anomalies), kinds(anomalies)
    assert list(rows[0]) == ["ID", "Anomaly", "Usage"]
    assert [row["ID"] for row in rows] == [str(number) for number in range(NUM_TEST)]
    assert [row["Anomaly"] for row in rows] == [str(int(kind != "normal")) for kind in wrong]
    assert Counter(wrong) == {"normal": NUM_TEST // 2, **dict.fromkeys(KINDS, 2)}
    halves = Counter((kind, row["Usage"]) for kind, row in zip(wrong, rows, strict=True))
    for kind in ("normal", *KINDS):
        assert halves[kind, "Public"] == halves[kind, "Private"]
    order = [row["Anomaly"] for row in rows]
    assert order != sorted(order) and order != sorted(order, reverse=True)


def test_a_test_face_has_what_is_said_wrong(anomalies: Path) -> None:
    pictures = np.load(anomalies / "public" / "testingset.npy", allow_pickle=False)
    rows = np.load(anomalies / "private" / "test_factors.npy", allow_pickle=False)
    for number, kind in list(enumerate(kinds(anomalies)))[:12]:
        rng = np.random.default_rng([0, 2, number + 1])
        face = sample_face(rng, NARROW)
        texture = int(rng.integers(2**32))
        assert np.array_equal(rows[number], to_row(face))
        right = kind == "normal"
        meant = draw(face, texture) if right else draw_anomaly(face, texture, kind)
        assert np.array_equal(pictures[number], meant)


def test_bytes_do_not_depend_on_processes_or_shards(faces: Path, anomalies: Path) -> None:
    other = build(tiny_face_world(), processes=2)
    assert verify(tiny_face_world(), full=True) is None
    for name in ("public/faces.npy", "private/held_out.npy", "private/factors.npy"):
        assert (other / name).read_bytes() == (faces / name).read_bytes()
    cut_otherwise = anomaly_world(num_shards=7, num_train=36, num_test=NUM_TEST)
    other = build(cut_otherwise, processes=2)
    for name in ("public/trainingset.npy", "public/testingset.npy", "private/answers.csv"):
        assert (other / name).read_bytes() == (anomalies / name).read_bytes()


def test_another_seed_is_another_world() -> None:
    for world in (tiny_face_world, tiny_anomaly_world):
        assert folder(world(seed=1)) != folder(world())
    places = {folder(world()) for world in (face_world, tiny_face_world, anomaly_world)}
    assert len(places | {folder(tiny_anomaly_world())}) == 4


def test_the_full_worlds_have_the_sizes_that_are_told() -> None:
    assert face_world().description.startswith("20,000 drawn faces")
    assert "2,000 more" in face_world().description
    assert anomaly_world().description.startswith("10,000 normal drawn faces and 2,000")
