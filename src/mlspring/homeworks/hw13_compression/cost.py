"""What a network costs: parameters, multiply-adds, bytes, milliseconds, on the real module.

Parameters are not speed: the sample's student has 1/127 of the given teacher's parameters and 47 %
of its multiply-adds. So all stand side by side wherever a network is described.
"""

import io
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.progress import bar

WARM_UPS = 3


def count_parameters(model: nn.Module) -> int:
    """Return the parameters of a network, frozen ones too; a shared one counts once.

    Batch norm's running statistics are buffers and do not count: they describe data.
    """
    return sum(parameter.numel() for parameter in model.parameters())


def layer_costs(model: nn.Module, image_size: int) -> list[dict[str, Any]]:
    """Return name, kind, ``parameters`` and ``macs`` of each layer, in order of execution.

    A convolution of k x k over groups of the c_in channels makes s' s' c_out (c_in / groups) k k
    multiply-adds; biases, norms and pooling make none, as is usual. The parameters of a batch norm
    count for the convolution before it.
    """
    layers: list[dict[str, Any]] = []
    names = {module: name for name, module in model.named_modules()}

    def add(module: nn.Module, inputs: Any, output: Tensor) -> None:
        if isinstance(module, nn.BatchNorm2d):
            layers[-1]["parameters"] += count_parameters(module)
            return
        assert isinstance(module.weight, Tensor)
        layer = {"name": names[module].removesuffix(".conv"), "kind": _kind(module)}
        macs = output[0].numel() * module.weight[0].numel()  # each value times its inputs
        layers.append(layer | {"parameters": count_parameters(module), "macs": macs})

    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
    hooks = [m.register_forward_hook(add) for m in model.modules() if isinstance(m, kinds)]
    was_training = model.training
    try:
        with torch.inference_mode():  # and in eval: a count must not move batch statistics
            images = torch.zeros(1, 3, image_size, image_size).to(next(model.parameters()))
            model.eval()(images)
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return layers


def count_macs(model: nn.Module, image_size: int) -> int:
    """Return the multiply-adds of one picture."""
    return sum(layer["macs"] for layer in layer_costs(model, image_size))


def _kind(layer: nn.Module) -> str:
    if not isinstance(layer, nn.Conv2d):
        return "linear"
    side = layer.kernel_size[0]
    depthwise = layer.groups == layer.in_channels and layer.groups > 1
    return f"{side}x{side} depthwise" if depthwise else f"{side}x{side}"


def stored_bytes(model: nn.Module) -> int:
    """Return the bytes of the network's state_dict as torch writes it."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(model.state_dict(), stream)
    return len(stream.getvalue())


def median_milliseconds(
    networks: Mapping[str, Callable[[Tensor], Tensor]], images: Tensor, repeats: int
) -> dict[str, float]:
    """Return the median time of each network on ``images``, on this process's threads.

    The networks take turns, each turn begun by another one, so that another program's load, and
    what a network leaves in the caches, fall on all alike; the first turns do not count.
    """
    names = list(networks)
    times: dict[str, list[float]] = {name: [] for name in names}
    label = f"time batches of {len(images)}"
    with torch.inference_mode(), bar(label, WARM_UPS + repeats, unit="turns") as progress:
        for turn in range(WARM_UPS + repeats):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                start = time.perf_counter()
                networks[name](images)
                times[name].append(1000 * (time.perf_counter() - start))
            progress.advance()
    return {name: statistics.median(values[WARM_UPS:]) for name, values in times.items()}
