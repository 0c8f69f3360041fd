"""The judge: what it compares with, what it tells, copies and duplicates."""

from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError
from mlspring.homeworks.hw06_gan import diversity, features, score
from mlspring.homeworks.hw06_gan.submission import HandedIn, Pixels
from tests.tiny.gan import blots


def handed_in(pictures: Pixels) -> HandedIn:
    ids = tuple(f"{number}.jpg" for number in range(1, len(pictures) + 1))
    return HandedIn(pictures=pictures, ids=ids, file=Path("submission.tgz"))


@pytest.fixture(scope="module")
def answers() -> score.HeldOut:
    return score.HeldOut(faces=blots(240, seed=1), training=blots(300, seed=3))


def test_pictures_of_the_same_law_are_nearer_than_others(answers: score.HeldOut) -> None:
    same = score.score(handed_in(features.compressed(blots(120, seed=2))), answers)
    noise = np.random.default_rng(0).integers(0, 256, (120, 64, 64, 3)).astype(np.uint8)
    other = score.score(handed_in(noise), answers)
    for one, far in ((same.public, other.public), (same.private, other.private)):
        assert 0 < one < far / 3
    halves = same.details["frechet distance of two halves of real faces"]
    assert halves == other.details["frechet distance of two halves of real faces"]
    assert same.public < 2 * halves
    error = same.details["standard error of the kernel distance"]
    assert abs(same.details["kernel distance"]) < 5 * error < other.details["kernel distance"]
    assert 0 <= same.details["share of faces, detector"] <= 1


def test_a_score_is_a_pure_function_of_both_halves(answers: score.HeldOut) -> None:
    mine = handed_in(blots(120, seed=2))
    first = score.score(mine, answers)
    assert first == score.score(mine, answers)
    turned = score.HeldOut(faces=np.roll(answers.faces, 120, axis=0), training=answers.training)
    second = score.score(mine, turned)
    assert second.public == pytest.approx(first.private)
    assert second.private == pytest.approx(first.public)


def test_training_faces_handed_in_are_flagged(answers: score.HeldOut) -> None:
    assert answers.training is not None
    honest = blots(60, seed=2)
    copied = np.concatenate([honest[:40], answers.training[:10], answers.training[10:20, :, ::-1]])
    for pictures, num in ((honest, 0), (copied, 20)):
        told = score.score(handed_in(features.compressed(pictures)), answers).details
        assert told["copies of training faces"] == num
        assert told["duplicates"] == 0


def test_equal_pictures_are_counted(answers: score.HeldOut) -> None:
    few = features.compressed(blots(5, seed=2))
    told = score.score(handed_in(np.tile(few, (12, 1, 1, 1))), answers).details
    assert told["duplicates"] == 55
    assert told["modes covered"] <= 5


def test_the_nearest_face_is_that_of_a_search_without_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diversity, "BLOCK", 7)
    ours, training = diversity.thumbnails(blots(9, seed=4)), blots(30, seed=5)
    found, distances = diversity.nearest_of(ours, training)
    small = training.reshape(30, 8, 8, 8, 8, 3).mean((2, 4))
    for row, one in enumerate(ours.reshape(9, 8, 8, 3)):
        each = [
            min(np.sqrt(((one - s) ** 2).mean()), np.sqrt(((one[:, ::-1] - s) ** 2).mean()))
            for s in small
        ]
        assert found[row] == int(np.argmin(each))
        assert distances[row] == pytest.approx(min(each), abs=0.05)


def test_without_training_faces_nothing_is_said_of_copies(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    np.save(tmp_path / "private" / "held_out.npy", blots(40))
    held_out = score.read_answers(tmp_path / "private" / "held_out.npy")
    assert held_out.training is None and len(held_out.ids) == 1000
    assert "copies of training faces" not in score.score(handed_in(blots(20)), held_out).details
    (tmp_path / "public").mkdir()
    np.save(tmp_path / "public" / "faces.npy", blots(50))
    assert score.read_answers(tmp_path / "private" / "held_out.npy").training is not None


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((50, 64, 64, 3)), r"is float64 \(50, 64, 64, 3\)"),
        (np.zeros((50, 32, 32, 3), np.uint8), r"is uint8 \(50, 32, 32, 3\)"),
        (np.zeros((4, 64, 64, 3), np.uint8), "holds 4 faces"),
        (np.array([{}]), "cannot be read as .npy"),
    ],
)
def test_answers_that_are_none_are_told(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "held_out.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=said):
        score.read_answers(tmp_path / "held_out.npy")


def test_missing_and_damaged_answers_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing"):
        score.read_answers(tmp_path / "held_out.npy")
    np.save(tmp_path / "held_out.npy", blots(50))
    whole = (tmp_path / "held_out.npy").read_bytes()
    (tmp_path / "held_out.npy").write_bytes(whole[:5000])
    with pytest.raises(DataError, match="cannot be read as"):
        score.read_answers(tmp_path / "held_out.npy")
