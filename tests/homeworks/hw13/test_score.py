"""The judge of homework 13: it runs the student itself, so that only its own work counts."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save
from torch import nn

from mlspring.catalog import find
from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw13_compression import score as scorer
from mlspring.homeworks.hw13_compression import submission
from mlspring.homeworks.hw13_compression.architecture import Architecture
from mlspring.judge.worker import judge_one, score_locally
from tests.tiny.compression import exactly, hand_in, nearest_colour, ones, weights, write_answers

SPEC = find("hw13")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return write_answers(tmp_path / "answers.csv", num_test=2)


def changed(name: str, value: float) -> bytes:
    """Return the student of colours with one number of a tensor replaced."""
    tensors: dict[str, NDArray[np.float32]] = load(nearest_colour())
    tensors[name].flat[0] = value
    metadata = json.dumps({"architecture": "plain", "channels": [6, 6, 6, 6]})
    return save(tensors, metadata={"metadata": metadata})


def test_a_student_that_knows_the_squares_has_all_right(answers: Path, tmp_path: Path) -> None:
    scored = score_locally(SPEC, hand_in(tmp_path / "s.zip", nearest_colour()), answers)
    assert (scored.public, scored.private) == (1.0, 1.0)
    assert scored.details == {"parameters": 27 * 6 + 3 * 54 * 6 + 4 * 3 * 6 + 7 * 11}


def test_public_and_private_are_counted_apart(answers: Path, tmp_path: Path) -> None:
    """Two pictures a class, the first public: a student that knows all but class 4."""
    lines = answers.read_text().splitlines()
    lines[1 + 2 * 4] = lines[1 + 2 * 4].replace(",4,", ",5,")
    answers.write_text("\n".join(lines) + "\n")
    scored = score_locally(SPEC, hand_in(tmp_path / "s.zip", nearest_colour()), answers)
    assert (scored.public, scored.private) == (10 / 11, 1.0)


def test_a_table_of_right_answers_does_not_help_a_network_of_zeros(
    answers: Path, tmp_path: Path
) -> None:
    tensors = {name: np.zeros_like(value) for name, value in ones().items()}
    metadata = {"metadata": json.dumps({"architecture": "plain", "channels": [2, 2, 2, 2]})}
    table = "".join(f"{row.rpartition(',')[0]}\n" for row in answers.read_text().splitlines())
    path = hand_in(tmp_path / "s.zip", save(tensors, metadata=metadata), table)
    scored = score_locally(SPEC, path, answers)
    assert (scored.public, scored.private) == (1 / 11, 1 / 11), "always class 0"


def test_what_the_judge_counts_is_what_the_network_computes(tmp_path: Path, answers: Path) -> None:
    """Against plain torch: the layers of the sample, applied by hand."""
    stream = np.random.default_rng(0)
    tensors = {
        name: value if name.endswith("tracked") else stream.random(value.shape, np.float32)
        for name, value in ones(channels=(3, 4, 5, 6)).items()
    }
    metadata = {"metadata": json.dumps({"architecture": "plain", "channels": [3, 4, 5, 6]})}
    student = submission.read(hand_in(tmp_path / "s.zip", save(tensors, metadata=metadata)), [])
    x = torch.tensor(np.load(tmp_path / "public" / "test_images.npy")).permute(0, 3, 1, 2)
    x = (x.double() / 255 - 0.5) / 0.25
    state = {name: torch.tensor(value).double() for name, value in tensors.items()}
    for i in range(4):
        conv, norm = f"blocks.{i}.conv", f"blocks.{i}.norm"
        x = nn.functional.conv2d(x, state[f"{conv}.weight"], state[f"{conv}.bias"])
        parts = ("running_mean", "running_var", "weight", "bias")
        x = nn.functional.batch_norm(x, *(state[f"{norm}.{part}"] for part in parts)).relu()
        x = nn.functional.max_pool2d(x, 2) if i else x
    logits = x.mean((2, 3)) @ state["classify.weight"].T + state["classify.bias"]
    key = scorer.read_answers(answers)
    right = logits.argmax(1).numpy() == key.labels
    scored = scorer.score(student, key)
    assert scored.public == right[key.answers.is_public].mean()
    assert scored.private == right[~key.answers.is_public].mean()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_must_be_finite(value: float, answers: Path, tmp_path: Path) -> None:
    path = hand_in(tmp_path / "s.zip", changed("classify.bias", value))
    verdict = judge_one(SPEC, path, answers, filename="mine.zip", isolated=False)
    assert verdict.state == "rejected"
    assert "mine.zip/student.safetensors: classify.bias holds values that are NaN" in str(
        verdict.message
    )


def test_logits_must_be_finite(answers: Path, tmp_path: Path) -> None:
    path = hand_in(tmp_path / "s.zip", changed("classify.weight", np.finfo(np.float32).max))
    with pytest.raises(
        SubmissionError, match=r"s\.zip/student\.safetensors: gives logits of .* that are NaN"
    ):
        score_locally(SPEC, path, answers)


def test_a_student_of_too_many_parameters_is_refused(answers: Path, tmp_path: Path) -> None:
    path = hand_in(tmp_path / "s.zip", weights(channels=exactly(100_001)))
    verdict = judge_one(SPEC, path, answers, filename="mine.zip", isolated=False)
    assert verdict.state == "rejected"
    assert "mine.zip: has 100,001 parameters; expected at most 100,000" in str(verdict.message)


def test_weights_other_than_the_architecture_s_are_never_scored(answers: Path) -> None:
    """The reader has counted the architecture; what is loaded must be that and nothing else."""
    architecture = Architecture(name="plain", channels=(2, 2, 2, 3))
    student = submission.Student(
        architecture=architecture, weights=weights(), file=Path("mine.zip")
    )
    with pytest.raises(RuntimeError, match="size mismatch"):
        scorer.score(student, scorer.read_answers(answers))


def test_half_precision_is_read(answers: Path, tmp_path: Path) -> None:
    tensors = load(nearest_colour())
    halved = {k: v if v.dtype == np.int64 else v.astype(np.float16) for k, v in tensors.items()}
    metadata = {"metadata": json.dumps({"architecture": "plain", "channels": [6, 6, 6, 6]})}
    path = hand_in(tmp_path / "s.zip", save(halved, metadata=metadata))
    assert score_locally(SPEC, path, answers).public == 1.0


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (None, "test_images.npy: is missing"),
        (b"nonsense", "test_images.npy: cannot be read"),
        (np.zeros((21, 32, 32, 3), np.uint8), r"is uint8 \(21, 32, 32, 3\); expected .*\(22, s, s"),
        (np.zeros((22, 32, 16, 3), np.uint8), r"is uint8 \(22, 32, 16, 3\)"),
        (np.zeros((22, 32, 32, 3), np.float32), "is float32"),
        (np.zeros(22, np.uint8), r"is uint8 \(22,\)"),
        (np.array([{}]), "cannot be read"),
    ],
)
def test_answers_need_their_pictures(
    pictures: object, message: str, answers: Path, tmp_path: Path
) -> None:
    file = tmp_path / "public" / "test_images.npy"
    file.unlink()
    if isinstance(pictures, bytes):
        file.write_bytes(pictures)
    elif pictures is not None:
        np.save(file, pictures, allow_pickle=True)
    with pytest.raises(DataError, match=message):
        scorer.read_answers(answers)
    path = hand_in(tmp_path / "s.zip", nearest_colour())
    verdict = judge_one(SPEC, path, answers, filename="mine.zip", isolated=False)
    assert verdict.state == "failed", "not the learner's fault"


def test_bad_answers_are_not_the_learner_s_fault(answers: Path, tmp_path: Path) -> None:
    answers.write_text(answers.read_text().replace("Public", "Secret"))
    with pytest.raises(DataError, match="Usage is 'Secret'"):
        score_locally(SPEC, hand_in(tmp_path / "s.zip", nearest_colour()), answers)
