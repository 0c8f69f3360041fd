"""What a finished network is told by: its file's metadata, and one sentence."""

from typing import Any

from mlspring.core.runs import Run
from mlspring.homeworks.hw14_lifelong import metrics
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.learner import Learner
from mlspring.homeworks.hw14_lifelong.metrics import Matrix
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path


def save_network(run: Run, number: int, learner: Learner, matrix: Matrix) -> None:
    """Write a finished network's weights with all that the figures tell of it.

    Where weights have an importance, it is kept, too: of each pixel (784), the sum over the units
    that it feeds; of each layer, the mean over its weights; and the sum over all.
    """
    metadata: dict[str, Any] = {
        "matrix": matrix,
        "scenario": learner.stream.scenario,
        "method": learner.method,
        "tasks": [task.name for task in learner.stream.tasks],
        "kept": kept_bytes(learner),
    }
    if METHODS[learner.method].is_regulariser:
        importance = learner.state["importance"]
        layers = [weights.mean().item() for weights in importance[::2]]
        metadata |= {
            "pixels": [float(f"{value:.4g}") for value in importance[0].sum(0).tolist()],
            "layers": [float(f"{value:.4g}") for value in layers],
            "importance": float(f"{sum(part.sum().item() for part in importance):.5g}"),
        }
    checkpoint.save_weights(weights_path(run, number), learner.model, metadata)


def kept_bytes(learner: Learner) -> int:
    """Return the bytes that a method holds beside the network and the task being learnt."""
    state: int = sum(buffer.nbytes for buffer in learner.state.buffers())
    old = learner.stream.tasks[:-1] if learner.method == "joint" else ()  # it keeps every image
    return state + sum(task.pixels.nbytes for task in old)


def outcome(run: Run, number: int) -> dict[str, Any]:
    """Return what ``save_network`` kept of a finished network.

    Raises:
        RunError: it is not finished.
    """
    return checkpoint.read_metadata(weights_path(run, number))


def in_words(metadata: dict[str, Any]) -> str:
    """Return one line about a finished network."""
    matrix = metadata["matrix"]
    return (
        f"{METHODS[metadata['method']].title} ({metadata['scenario']}): "
        f"{metrics.final_accuracy(matrix):.2f} % over all tasks, each task at its own end "
        f"{metrics.plasticity(matrix):.2f} %, forgetting {metrics.forgetting(matrix):.2f}"
    )
