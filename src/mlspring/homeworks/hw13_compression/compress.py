"""Compression as measured facts: the finished student beside its teacher, its pruned copies, int8.

All of it lands in the run's ``compression.json``, from which the figures are drawn.
"""

import copy
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.files import write_json
from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw13_compression import prune, transform
from mlspring.homeworks.hw13_compression.architecture import Architecture
from mlspring.homeworks.hw13_compression.cost import (
    count_macs,
    count_parameters,
    layer_costs,
    median_milliseconds,
    softness,
)
from mlspring.homeworks.hw13_compression.held_out import (
    Split,
    accuracy_of,
    predict_held_out,
    some,
)
from mlspring.homeworks.hw13_compression.quantize import stored_bytes, to_int8
from mlspring.homeworks.hw13_compression.recipe import CompressKnobs
from mlspring.homeworks.hw13_compression.teacher import Teacher, bare, like
from mlspring.kit.device import Hardware

SHARES = tuple(round(0.05 * i, 2) for i in range(20))  # 0 .. 0.95, as the slides' curve
TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 20.0)
LATENCY_BATCHES = (1, 64)
NUM_CALIBRATION = 128
CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=True)

Facts = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A finished network and its file.

    Args:
        name: how tables call it, e.g. ``student`` or ``pruned to 50 %``.
        architecture: what it is.
        model: the network on the CPU, in evaluation mode.
        num_bytes: size of its file.
    """

    name: str
    architecture: Architecture
    model: nn.Module
    num_bytes: int


def path(run: Run) -> Path:
    """Return the file of the measured facts."""
    return run.folder / "compression.json"


def measure(
    run: Run,
    networks: list[Network],
    teachers: Sequence[Teacher],
    split: Split,
    knobs: CompressKnobs,
    hardware: Hardware,
) -> None:
    """Measure the student (first of ``networks``), its pruned copies and the rest; write the facts.

    Of two teachers the second is the assistant, from which the student learnt.

    Accuracies are those of held-out pictures. Times are of plain eager torch in fp32 (int8 where
    said) on this CPU, with as many threads as the process has.
    """
    student = networks[0]
    size = split.pixels.shape[1]
    inputs = transform.to_input(split.held_pixels[: max(LATENCY_BATCHES)]).cpu()
    rows, forwards = [], {}
    for network in networks:
        rows.append(_row(network, split, size, hardware))
        forwards[network.name] = network.model
    forwards["masked"] = _masked(student)
    for who, teacher in zip(("teacher", "assistant"), teachers, strict=False):
        name = f"{who} ({teacher.architecture.name})"
        rows.append({"name": name, **{key: teacher.facts[key] for key in ROW_KEYS}})
        forwards[name] = copy.deepcopy(teacher.model).cpu()
    int8 = _int8(student, split)
    if int8 is not None:
        name = f"{student.name}, int8"
        forwards[name] = int8
        row = {"name": name, "parameters": rows[0]["parameters"], "macs": rows[0]["macs"]}
        row |= {"bytes": stored_bytes(int8), "accuracy": _int8_accuracy(int8, split)}
        rows.append(row)
    times = milliseconds(forwards, inputs, knobs.repeats)
    for row in rows:
        row["milliseconds"] = times[row["name"]]
    placed = hardware.to_device(copy.deepcopy(student.model))
    logits = predict_held_out(placed, split, hardware)[0]
    few = some(split, knobs.pictures)
    write_json(
        path(run),
        {
            "threads": torch.get_num_threads(),
            "repeats": knobs.repeats,
            "held_out": len(split.held_labels),
            "int8": "measured" if int8 is not None else "torch has no int8 for this CPU",
            "networks": rows,
            "masked_milliseconds": times["masked"],
            "layers": [vars(layer) for layer in layer_costs(student.model, size)],
            "softness": teachers[-1].facts["softness"] if teachers else softness_of(logits),
            "softness_of": ("student", "teacher", "assistant")[len(teachers)],
            "pruning": pruning_curves(student.architecture, placed, few, hardware, SHARES[::2]),
            "teacher_pruning": teachers[0].facts["pruning"] if teachers else None,
        },
    )


ROW_KEYS = ("parameters", "macs", "bytes", "accuracy")


def examine(network: Network, split: Split, hardware: Hardware) -> Facts:
    """Return the facts of a teacher that every run repeats: accuracy, costs, pruning, softness."""
    size = split.pixels.shape[1]
    logits = predict_held_out(hardware.to_device(network.model), split, hardware)[0]
    return {
        **_row(network, split, size, hardware),
        "held_out": len(split.held_labels),
        "softness": softness_of(logits),
        "pruning": pruning_curves(network.architecture, network.model, split, hardware, SHARES),
    }


def softness_of(logits: Tensor) -> Facts:
    """Return the mean sorted probabilities by temperature, with keys that JSON has."""
    return {f"{t:g}": probabilities for t, probabilities in softness(logits, TEMPERATURES).items()}


def pruning_curves(
    architecture: Architecture,
    model: nn.Module,
    split: Split,
    hardware: Hardware,
    shares: Sequence[float],
) -> Facts:
    """Return accuracy against the share removed, without any training afterwards.

    ``layer`` and ``global`` zero the smallest weights (report question 3); ``channels`` really
    takes the weakest channels out of every group.
    """
    state = {name: value.cpu() for name, value in bare(model).state_dict().items()}
    trial = copy.deepcopy(model)
    curves: Facts = {"pictures": len(split.held_labels), "layer": [], "global": [], "channels": []}
    with bar("prune", 2 * len(shares) + len(shares[::2]), unit="networks") as progress:
        for scope in ("layer", "global"):
            for share in shares:
                bare(trial).load_state_dict(prune.sparse_weights(bare(model), share, scope))
                curves[scope].append([share, accuracy_of(trial, split, hardware)])
                progress.advance()
        scores = prune.channel_scores(architecture, state)
        for share in shares[::2]:
            kept = prune.strongest(scores, remaining(architecture, 1 - share))
            _, smaller = prune.shrink(architecture, state, kept)
            trial = hardware.to_device(like(model, smaller))
            curves["channels"].append([share, accuracy_of(trial, split, hardware)])
            progress.advance()
    return curves


def remaining(architecture: Architecture, share: float) -> dict[str, int]:
    """Return how many channels of each group are left when ``share`` of them is kept."""
    return {group: max(1, round(share * num)) for group, num in architecture.groups.items()}


def milliseconds(
    forwards: dict[str, Callable[[Tensor], Tensor]], inputs: Tensor, repeats: int
) -> dict[str, Facts]:
    """Return by network the median milliseconds of a batch of 1 and of 64 pictures."""
    found: dict[str, Facts] = {name: {} for name in forwards}
    for num_images in LATENCY_BATCHES:
        shares = -(-num_images // len(inputs))
        images = CPU.images_to_device(inputs.repeat(shares, 1, 1, 1)[:num_images])
        for name, spent in median_milliseconds(forwards, images, repeats).items():
            found[name][str(num_images)] = round(spent, 4)
    return found


def _row(network: Network, split: Split, size: int, hardware: Hardware) -> Facts:
    placed = hardware.to_device(copy.deepcopy(network.model))
    return {
        "name": network.name,
        "parameters": count_parameters(network.model),
        "macs": count_macs(network.model, size),
        "bytes": network.num_bytes,
        "accuracy": accuracy_of(placed, split, hardware),
    }


def _masked(student: Network) -> nn.Module:
    """Return the student with half of its weights at zero: the same arithmetic as before."""
    masked = copy.deepcopy(student.model)
    masked.load_state_dict(prune.sparse_weights(student.model, 0.5, "layer"))
    return masked


def _int8(student: Network, split: Split) -> nn.Module | None:
    every = max(1, len(split.train) // NUM_CALIBRATION)
    positions = split.train[::every][:NUM_CALIBRATION]
    return to_int8(student.model, transform.to_input(split.pixels[positions]).cpu())


def _int8_accuracy(model: nn.Module, split: Split) -> float:
    pixels, labels = split.held_pixels.cpu(), split.held_labels.cpu()
    on_cpu = dataclasses.replace(split, held_pixels=pixels, held_labels=labels)
    return accuracy_of(model, on_cpu, CPU)
