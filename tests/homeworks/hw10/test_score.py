"""The judge: its budget is exact, its networks are sealed, and its score is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlspring.core.errors import DataError, InternalError, SubmissionError
from mlspring.homeworks.hw10_attack import defences, score, sealed, submission
from mlspring.homeworks.hw10_attack.models import Classifier
from mlspring.homeworks.hw10_attack.sealed import Member
from mlspring.kit.checkpoint import save_weights
from tests.tiny.attack import benign, hand_in, ids, write_answers

IDS = ids()


class Nearest(nn.Module):
    """Knows the benign pictures: the class whose mean colour is nearest."""

    def __init__(self) -> None:
        super().__init__()
        colours = benign().reshape(10, -1, 3).mean(1) / 255
        self.colours = nn.Parameter(torch.from_numpy((colours - 0.5) / 0.25).float())

    def forward(self, images: Tensor) -> Tensor:
        return -1000 * (images.mean((2, 3))[:, None] - self.colours).square().sum(-1)


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the answers of a judge of two networks that know the squares, one behind JPEG."""
    monkeypatch.setattr(sealed, "SEALED", {"nearest": Nearest})
    members = (Member("nearest", "none"), Member("nearest", "jpeg"))
    monkeypatch.setattr(sealed, "MEMBERS", members)
    monkeypatch.setattr(sealed, "FOLDER", tmp_path / "sealed")
    network = Classifier(Nearest()).half()
    save_weights(tmp_path / "sealed" / "nearest.safetensors", network, {})
    return write_answers(tmp_path / "answers.csv")


def handed(tmp_path: Path, pictures: np.ndarray) -> submission.HandedIn:
    return submission.read(hand_in(tmp_path / "submission.tgz", pictures), IDS)


def test_benign_pictures_are_all_right(judge: Path, tmp_path: Path) -> None:
    found = score.score(handed(tmp_path, benign()), score.read_answers(judge))
    assert (found.public, found.private) == (1.0, 1.0)
    assert found.details["nearest, defence none"] == 1.0
    assert found.details["class thingj"] == 1.0


def test_pictures_that_look_like_others_are_wrong_by_half_and_by_class(
    judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attacked pictures are those of the next class, in the public half of the first five."""
    monkeypatch.setattr(score, "MAX_EPSILON", 255)
    pictures = benign()
    pictures[0:10:2] = np.roll(benign(), -2, axis=0)[0:10:2]
    found = score.score(handed(tmp_path, pictures), score.read_answers(judge))
    assert (found.public, found.private) == (0.5, 1.0)
    assert found.details["class thinga"] == 0.5 and found.details["class thingj"] == 1.0
    assert found == score.score(handed(tmp_path, pictures), score.read_answers(judge)), "pure"


@pytest.mark.parametrize("sign", [-1, 1])
def test_eight_is_allowed_and_nine_in_one_pixel_is_not(
    judge: Path, tmp_path: Path, sign: int
) -> None:
    answers = score.read_answers(judge)
    pictures = (benign().astype(int) + 8 * sign).astype(np.uint8)
    score.score(handed(tmp_path, pictures), answers)
    pictures[3, 4, 5, 2] = (pictures[3, 4, 5, 2].astype(int) + sign).astype(np.uint8)
    with pytest.raises(SubmissionError) as raised:
        score.score(handed(tmp_path, pictures), answers)
    told = str(raised.value)
    assert "submission.tgz/thingb/thingb2.png: differs by 9" in told
    assert "in blue of row 4, column 5; expected at most 8" in told
    pictures[7:] = 0
    with pytest.raises(SubmissionError, match="so do 13 more pictures"):
        score.score(handed(tmp_path, pictures), answers)


def test_missing_weights_are_our_fault(
    judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(InternalError, match=r"(?s)nearest.safetensors.*benchmarks.networks_hw10"):
        score.score(handed(tmp_path, benign()), score.read_answers(judge))


def test_answers_without_their_pictures_are_told(judge: Path) -> None:
    file = judge.parent.parent / "public" / "benign_images.npy"
    np.save(file, benign()[:3])
    with pytest.raises(DataError, match="is uint8 \\(3, 32, 32, 3\\); expected benign pictures"):
        score.read_answers(judge)
    file.unlink()
    with pytest.raises(DataError, match="is missing"):
        score.read_answers(judge)


# ---- defences


def test_fewer_bits_leave_so_many_levels_and_move_little() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, -1)
    made = defences.fewer_bits(every, 4)
    assert len(np.unique(made)) == 16
    assert np.abs(made.astype(int) - every).max() <= 9
    assert {0, 255} <= set(made.flatten().tolist())
    assert np.array_equal(defences.fewer_bits(every, 8), every)


def test_the_median_removes_one_bright_pixel_and_keeps_an_edge() -> None:
    pictures = np.zeros((1, 8, 8, 3), np.uint8)
    pictures[0, 3, 3, 1] = 255
    assert defences.median(pictures).max() == 0
    pictures[0, :, 4:] = 200
    assert np.array_equal(defences.median(pictures)[0, :, 4:], pictures[0, :, 4:])


def test_jpeg_loses_more_at_a_lower_quality_and_takes_noise_with_it() -> None:
    draw = np.random.default_rng(0)
    smooth = np.add.outer(np.arange(32), np.arange(32))[..., None].repeat(3, -1) * 3
    noise = draw.choice([-8, 8], (1, 32, 32, 3))
    noisy = np.clip(smooth[None] + noise, 0, 255).astype(np.uint8)
    left = [np.abs(defences.jpeg(noisy, q).astype(int) - smooth).mean() for q in (95, 60, 31)]
    assert left[0] > left[1] > left[2]
    assert left[2] < 0.6 * np.abs(noisy.astype(int) - smooth).mean()
