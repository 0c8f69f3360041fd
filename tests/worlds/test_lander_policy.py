"""Policies that are handed in: which are refused, and that the others compute their layers."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw12_lander import submission
from mlspring.worlds.lander.policy import Policy, from_tensors
from tests.tiny.landings import IDS, policy


def policy_file(tensors: dict[str, np.ndarray], path: Path) -> Path:
    activation = "relu" if len(tensors) > 4 else "tanh"
    words = json.dumps({"architecture": "perceptron", "activation": activation})
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"metadata": words}))
    return path


def deep(weight: float, num_layers: int) -> dict[str, np.ndarray]:
    """Return layers of eight units, four at last, all of whose weights are this large."""
    made = {}
    for number in range(num_layers):
        units = 4 if number == num_layers - 1 else 8
        made[f"layers.{number}.weight"] = np.full((units, 8), weight, np.float32)
        made[f"layers.{number}.bias"] = np.zeros(units, np.float32)
    return made


def broken(**changes: object) -> dict[str, np.ndarray]:
    return {**policy().tensors(), **changes}


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        (broken(more=np.zeros(1, np.float32)), "has a tensor 'more'"),
        ({"layers.0.weight": np.zeros((4, 8), np.float32)}, "lacks the tensor layers.0.bias"),
        (broken(**{"layers.1.bias": np.full(4, np.nan, np.float32)}), "NaN or infinite"),
        (broken(**{"layers.1.bias": np.zeros(3, np.float32)}), "layer 1 has shapes"),
        (broken(**{"layers.0.weight": np.zeros((8, 7), np.float32)}), r"expected \(n, 8\)"),
        (broken(**{"layers.1.bias": np.zeros(4, np.int64)}), "expected floats"),
        (
            broken(**{"layers.1.bias": np.full(4, 1e300)}),
            r"layer 1 holds .* 1e\+300, at most 1e\+06",
        ),
        (broken(**{"layers.0.bias": np.full(8, -3e38, np.float32)}), "layer 0 holds .* 3e\\+38"),
        (broken(**{"layers.1.bias": np.full(4, -np.inf)}), "NaN or infinite"),
        (deep(1e5, 7), r"layer 4 may reach .*, at most 1e\+30"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_wrong_policies_are_rejected(
    tensors: dict[str, np.ndarray], sentence: str, tmp_path: Path
) -> None:
    path = policy_file(tensors, tmp_path / "p.safetensors")
    with pytest.raises(SubmissionError, match=sentence):
        submission.read(path, IDS)


@pytest.mark.filterwarnings("error")
def test_the_largest_numbers_that_are_taken_stay_finite(tmp_path: Path) -> None:
    """Just below the bound, seen from as far as observations can be thought to go."""
    path = policy_file(deep(1e5, 3), tmp_path / "p.safetensors")
    found = submission.read(path, IDS).policy
    assert np.isfinite(found.logits(np.full((1, 8), 1e3, np.float32))).all()
    assert found.logits(np.full((1, 8), 1e3, np.float32)).max() > 1e20
    doubles = {name: t.astype(np.float64) for name, t in policy().tensors().items()}
    found = submission.read(policy_file(doubles, path), IDS).policy
    assert found.weights[0].dtype == np.float32


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "does not say which network"),
        ('{"architecture": "transformer", "activation": "tanh"}', "'transformer'"),
        ('{"architecture": "perceptron", "activation": "exec"}', "'exec' is not one of"),
    ],
)
def test_unknown_networks_are_rejected(words: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    path.write_bytes(safetensors.numpy.save(policy().tensors(), metadata={"metadata": words}))
    with pytest.raises(SubmissionError, match=sentence):
        submission.read(path, IDS)


def test_a_policy_computes_its_layers() -> None:
    """One hidden unit that sees only the speed downwards decides between two engines."""
    first = np.zeros((1, 8), np.float32)
    first[0, 3] = 1.0
    made = from_tensors(
        {
            "layers.0.weight": first,
            "layers.0.bias": np.array([0.5], np.float32),
            "layers.1.weight": np.array([[0.0], [0.0], [2.0], [0.0]], np.float32),
            "layers.1.bias": np.array([1.0, 0.0, 0.0, 0.0], np.float32),
        },
        "relu",
    )
    seen = np.zeros((3, 8), np.float32)
    seen[:, 3] = (-1.0, 0.5, 0.0)
    assert made.logits(seen)[:, 2].tolist() == [0.0, 2.0, 1.0]
    assert made.greedy(seen).tolist() == [0, 2, 0]
    tanh = Policy(weights=made.weights, biases=made.biases, activation="tanh")
    assert tanh.logits(seen)[1, 2] == pytest.approx(2 * np.tanh(1.0))
