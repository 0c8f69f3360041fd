"""What a network costs: parameters, multiply-adds, milliseconds, each counted on the real module.

Parameters are not speed: the sample's student has 1/127 of the given teacher's parameters and 47 %
of its multiply-adds. So the three stand side by side wherever a network is described.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlspring.core.progress import bar
from mlspring.homeworks.hw13_compression.architecture import Architecture

WARM_UPS = 3
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """One convolution, batch norm or linear layer.

    Args:
        name: as in the state dict.
        kind: e.g. ``3x3``, ``3x3 depthwise``, ``linear``, ``norm``.
        parameters: weights and biases.
        macs: multiply-adds for one picture.
    """

    name: str
    kind: str
    parameters: int
    macs: int


def count_parameters(*models: nn.Module) -> int:
    """Return the parameters of one network or an ensemble, each stored number once.

    Shared modules count once, frozen parameters count, bare ``nn.Parameter`` count. Buffers of
    floats count too, since a buffer can hold trained weights; batch norm's running statistics do
    not: they describe data.
    """
    seen: dict[int, int] = {}
    for model in models:
        for tensor in [*model.parameters(), *_weight_buffers(model)]:
            seen[id(tensor)] = tensor.numel()
    return sum(seen.values())


def _weight_buffers(model: nn.Module) -> list[Tensor]:
    return [
        buffer
        for module in model.modules()
        for buffer in module.buffers(recurse=False)
        if buffer.is_floating_point() and not isinstance(module, NORMS)
    ]


def layer_costs(model: nn.Module, image_size: int) -> list[LayerCost]:
    """Return the cost of every convolution, norm and linear layer, in order of execution.

    A convolution of k x k over groups of the c_in channels makes s' s' c_out (c_in / groups) k k
    multiply-adds; biases, norms and pooling make none, as is usual.
    """
    found: list[LayerCost] = []
    names = {module: name for name, module in model.named_modules()}

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        # multiply-adds behind one number of the output
        per_value = 0 if isinstance(module, NORMS) else module.weight[0].numel()
        found.append(
            LayerCost(
                name=names[module],
                kind=_kind(module),
                parameters=sum(p.numel() for p in module.parameters()),
                macs=output[0].numel() * per_value,
            )
        )

    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.BatchNorm2d)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    was_training = model.training
    try:
        parameter = next(model.parameters())
        with torch.inference_mode():  # and in eval: a count must not move batch statistics
            model.eval()(torch.zeros(1, 3, image_size, image_size).to(parameter))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return found


def count_macs(model: nn.Module, image_size: int) -> int:
    """Return the multiply-adds of one picture."""
    return sum(layer.macs for layer in layer_costs(model, image_size))


def _kind(layer: nn.Module) -> str:
    if not isinstance(layer, nn.Conv2d):
        return "linear" if isinstance(layer, nn.Linear) else "norm"
    side = layer.kernel_size[0]
    depthwise = layer.groups == layer.in_channels and layer.groups > 1
    return f"{side}x{side} depthwise" if depthwise else f"{side}x{side}"


def median_milliseconds(
    forwards: Mapping[str, Callable[[Tensor], Tensor]], images: Tensor, repeats: int
) -> dict[str, float]:
    """Return the median time of each network on ``images``, on this process's threads.

    The networks take turns, each turn begun by another one, so that another program's load, and
    what a network leaves in the caches, fall on all alike; the first turns do not count.
    """
    names = list(forwards)
    times: dict[str, list[float]] = {name: [] for name in forwards}
    label = f"time batches of {len(images)}"
    with torch.inference_mode(), bar(label, WARM_UPS + repeats, unit="turns") as progress:
        for turn in range(WARM_UPS + repeats):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                start = time.perf_counter()
                forwards[name](images)
                spent = time.perf_counter() - start
                if turn >= WARM_UPS:
                    times[name].append(1000 * spent)
            progress.advance()
    return {name: statistics.median(values) for name, values in times.items()}


def separable_saving(c_in: int, c_out: int, side: int) -> tuple[int, int]:
    """Return the weights of a plain convolution and of its depthwise + pointwise replacement.

    I O k k against I k k + I O (HW13 slides), biases apart.
    """
    return c_in * c_out * side * side, c_in * side * side + c_in * c_out


def separable_pairs(architecture: Architecture) -> list[tuple[str, int, int]]:
    """Return name, weights as plain 3 x 3, weights as depthwise + pointwise, of each such step.

    A step is a 3 x 3 convolution of the network, or a depthwise one with the pointwise one behind
    it: what stands there and what could stand there instead.
    """
    shapes = [(n, s) for n, s in architecture.shapes.items() if len(s) == 4]
    found = []
    for place, (name, (c_out, c_in, side, _)) in enumerate(shapes):
        if side == 3 and ".depthwise." in name:
            pair = separable_saving(c_out, shapes[place + 1][1][0], side)
        elif side == 3:
            pair = separable_saving(c_in, c_out, side)
        else:
            continue
        step = name.removesuffix(".weight").removesuffix(".conv").removesuffix(".depthwise")
        found.append((step, *pair))
    return found


def softness(logits: Tensor, temperatures: Sequence[float]) -> dict[float, list[float]]:
    """Return, for each temperature, the mean probability of the most likely class, the second ...

    Args:
        logits: (n, num_classes).
        temperatures: divisors of the logits.
    """
    return {
        t: (logits.double() / t).softmax(1).sort(1, descending=True).values.mean(0).tolist()
        for t in temperatures
    }
