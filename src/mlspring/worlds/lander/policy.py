"""A policy as numbers: the networks that may be handed in, computed by numpy alone.

The judge runs no code of a learner's; it multiplies these matrices. Architecture ``perceptron``:
dense layers with one activation between them, eight observations in, four outputs (logits, or the
values of the actions); the largest chooses the action.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.worlds.lander.environment import NUM_ACTIONS, NUM_OBSERVED, Floats

ARCHITECTURE = "perceptron"
ACTIVATIONS = ("tanh", "relu")
MAX_LAYERS, MAX_UNITS = 8, 1024
MAX_SIZE = 1e6  # of a weight or bias
MAX_SEEN, MAX_REACH = 1e3, 1e30  # observations stay far below; float32 ends at 3.4e38


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A perceptron from observations to logits.

    Args:
        weights: float32 (outputs, inputs) of each layer, as torch keeps them.
        biases: float32 (outputs,) of each layer.
        activation: between the layers, ``tanh`` or ``relu``.
    """

    weights: Sequence[Floats]
    biases: Sequence[Floats]
    activation: str

    def check(self) -> None:
        """Check that the layers lead from 8 observations to 4 finite logits.

        Raises:
            ValueError: layers that do not fit together, too many or too wide, or numbers that are
                not finite, or so large that logits may not be.
        """
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation {self.activation!r} is not one of {ACTIVATIONS}")
        if not 1 <= len(self.weights) <= MAX_LAYERS or len(self.weights) != len(self.biases):
            raise ValueError(f"has {len(self.weights)} layers, expected 1 to {MAX_LAYERS}")
        inputs, reach = NUM_OBSERVED, MAX_SEEN
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if weight.ndim != 2 or weight.shape[1] != inputs or bias.shape != weight.shape[:1]:
                raise ValueError(
                    f"layer {number} has shapes {weight.shape} and {bias.shape}, "
                    f"expected (n, {inputs}) and (n,)"
                )
            if not 1 <= len(weight) <= MAX_UNITS:
                raise ValueError(f"layer {number} has {len(weight)} units, at most {MAX_UNITS}")
            reach = _reach(weight, bias, reach, f"layer {number}")
            reach = 1.0 if self.activation == "tanh" else reach
            inputs = len(weight)
        if inputs != NUM_ACTIONS:
            raise ValueError(f"the last layer has {inputs} units, expected {NUM_ACTIONS}")

    def logits(self, observations: Floats) -> Floats:
        """Return the logits of each observation: (n, 8) -> (n, 4)."""
        values = observations
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number and self.activation == "tanh":
                np.tanh(values, out=values)
            elif number:
                np.maximum(values, 0, out=values)
            values = values @ weight.T
            values += bias
        return values

    def greedy(self, observations: Floats) -> NDArray[np.int64]:
        """Return the action of the largest logit: (n, 8) -> (n,)."""
        chosen: NDArray[np.int64] = self.logits(observations).argmax(1)
        return chosen

    def tensors(self) -> dict[str, Floats]:
        """Return the layers by name: ``layers.0.weight``, ``layers.0.bias`` ..."""
        named = {f"layers.{n}.weight": weight for n, weight in enumerate(self.weights)}
        return named | {f"layers.{n}.bias": bias for n, bias in enumerate(self.biases)}


def _reach(weight: NDArray[Any], bias: NDArray[Any], before: float, name: str) -> float:
    """Return the largest value that a layer can reach from inputs of at most ``before`` in size.

    Raises:
        ValueError: it holds what is not finite or too large, or that value is too large.
    """
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ValueError(f"{name} holds values that are NaN or infinite")
    sizes = np.abs(weight.astype(np.float64)), np.abs(bias.astype(np.float64))
    if (largest := float(max(sizes[0].max(), sizes[1].max()))) > MAX_SIZE:
        raise ValueError(f"{name} holds a number of size {largest:.3g}, at most {MAX_SIZE:.0e}")
    reached = float((sizes[0].sum(1) * before + sizes[1]).max())
    if reached > MAX_REACH:
        raise ValueError(
            f"{name} may reach {reached:.0e}, at most {MAX_REACH:.0e}: smaller weights"
        )
    return reached


def from_tensors(tensors: Mapping[str, NDArray[Any]], activation: str) -> Policy:
    """Return the checked policy in ``tensors``, the reverse of ``Policy.tensors``.

    Raises:
        ValueError: a tensor is missing, unknown, no float, or of a wrong shape; says which.
    """
    num_layers = sum(name.endswith(".weight") for name in tensors)
    names = [f"layers.{n}.{kind}" for n in range(num_layers) for kind in ("weight", "bias")]
    if missing := [name for name in names if name not in tensors]:
        raise ValueError(f"lacks the tensor {missing[0]}")
    if extra := sorted(set(tensors) - set(names)):
        raise ValueError(f"has a tensor {extra[0][:80]!r} that no {ARCHITECTURE} has")
    for name in names:
        if tensors[name].dtype.kind != "f":
            raise ValueError(f"{name} is {tensors[name].dtype}, expected floats")
    layers = [tensors[name] for name in names]
    Policy(weights=layers[::2], biases=layers[1::2], activation=activation).check()
    layers = [layer.astype(np.float32) for layer in layers]  # checked before: 1e300 has no float32
    return Policy(weights=layers[::2], biases=layers[1::2], activation=activation)
