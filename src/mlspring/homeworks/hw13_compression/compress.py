"""What compression costs and gives: the student beside its teacher, its pruned copies and int8.

All of it is measured once a run and written to ``compression.json``, which the figures read.
"""

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.files import write_json
from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw13_compression import cost, prune
from mlspring.homeworks.hw13_compression.quantize import to_int8
from mlspring.homeworks.hw13_compression.recipe import CompressKnobs
from mlspring.homeworks.hw13_compression.teacher import Network, Teacher
from mlspring.kit import image_augment
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import accuracy
from mlspring.kit.labelled_split import Split, held_out_accuracy, predict_held_out

SHARES = tuple(round(0.05 * i, 2) for i in range(20))  # 0 .. 0.95, as the slides' curve
TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 20.0)
LATENCY_BATCHES = (1, 64)
NUM_CALIBRATION = 128  # training pictures that int8's ranges come from
CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=True)
COSTS = ("parameters", "macs", "bytes", "accuracy")

Measured = dict[str, Any]


def path(run: Run) -> Path:
    """Return the file of what was measured."""
    return run.folder / "compression.json"


def measure(
    run: Run,
    networks: Sequence[Network],
    teacher: Teacher | None,
    split: Split,
    knobs: CompressKnobs,
    hardware: Hardware,
) -> None:
    """Measure the student (first of ``networks``), its pruned copies and the rest; write it down.

    Accuracies are those of held-out pictures. Times are of plain eager torch in fp32 (int8 where
    said) on this CPU, with as many threads as the process has.
    """
    student = networks[0]
    rows = [costs_of(network, split, hardware) for network in networks]
    timed: dict[str, nn.Module] = {network.name: network.model for network in networks}
    timed["masked"] = copy.deepcopy(student.model)  # half of the weights at zero
    timed["masked"].load_state_dict(prune.sparse_weights(student.model, 0.5))
    if teacher is not None:
        name = f"teacher ({teacher.architecture.name})"
        rows.append({"name": name, **{key: teacher.measured[key] for key in COSTS}})
        timed[name] = copy.deepcopy(teacher.model).cpu()
    every = max(1, len(split.labels) // NUM_CALIBRATION)
    calibration = split.pixels[::every][:NUM_CALIBRATION]
    int8 = to_int8(student.model, image_augment.to_input(calibration).cpu())
    if int8 is not None:
        changed = {"name": "student, int8", "bytes": cost.stored_bytes(int8)}
        rows.append(rows[0] | changed | {"accuracy": held_out_accuracy(int8, split, CPU)})
        timed["student, int8"] = int8
    times = milliseconds(timed, split.held_pixels, knobs.repeats)
    logits, _ = answers_of(student, split, hardware)
    values = {
        "threads": torch.get_num_threads(),
        "repeats": knobs.repeats,
        "held_out": len(split.held_labels),
        "networks": [row | {"milliseconds": times[row["name"]]} for row in rows],
        "masked_milliseconds": times["masked"],
        "layers": cost.layer_costs(student.model, split.pixels.shape[1]),
        "softness": teacher.measured["softness"] if teacher else softness(logits),
        "softness_of": "teacher" if teacher else "student",
        "pruning": pruning_curves(student, subset(split, knobs.pictures), hardware, SHARES[::2]),
        "teacher_pruning": teacher.measured["pruning"] if teacher else None,
    }
    write_json(path(run), values)


def examine(network: Network, split: Split, hardware: Hardware) -> Measured:
    """Return what every run says of its teacher: accuracy, costs, softness, pruning curves."""
    return {
        **costs_of(network, split, hardware),
        "held_out": len(split.held_labels),
        "softness": softness(answers_of(network, split, hardware)[0]),
        "pruning": pruning_curves(network, split, hardware, SHARES),
    }


def costs_of(network: Network, split: Split, hardware: Hardware) -> Measured:
    """Return what a network costs and how many held-out pictures it gets right."""
    return {
        "name": network.name,
        "parameters": cost.count_parameters(network.model),
        "macs": cost.count_macs(network.model, split.pixels.shape[1]),
        "bytes": network.file.stat().st_size,
        "accuracy": accuracy(*answers_of(network, split, hardware)),
    }


def answers_of(network: Network, split: Split, hardware: Hardware) -> tuple[Tensor, Tensor]:
    """Return logits (n, 11) and labels (n,) of the held-out pictures."""
    return predict_held_out(hardware.to_device(copy.deepcopy(network.model)), split, hardware)


def subset(whole: Split, num_pictures: int) -> Split:
    """Return the split with every k-th held-out picture, ``num_pictures`` of them at most."""
    every = -(-len(whole.held_labels) // num_pictures)
    pixels, labels = whole.held_pixels[::every], whole.held_labels[::every]
    return dataclasses.replace(whole, held_pixels=pixels, held_labels=labels)


def softness(logits: Tensor) -> dict[str, list[float]]:
    """Return, by temperature, the mean probability of the most likely class, the second ..."""
    return {
        f"{t:g}": (logits.double() / t).softmax(1).sort(1, descending=True).values.mean(0).tolist()
        for t in TEMPERATURES
    }


def pruning_curves(
    network: Network, split: Split, hardware: Hardware, shares: Sequence[float]
) -> Measured:
    """Return accuracy against the share removed, without any training afterwards.

    ``layer`` sets the smallest weights of each layer to zero (report question 3); ``channels``
    really takes the weakest channels out of every group.
    """
    dense, architecture = network.model, network.architecture
    trial = hardware.to_device(copy.deepcopy(dense))
    curves: Measured = {"pictures": len(split.held_labels), "layer": [], "channels": []}
    with bar("prune", len(shares) + len(shares[::2]), unit="networks") as progress:
        for share in shares:
            trial.load_state_dict(prune.sparse_weights(dense, share))
            curves["layer"].append([share, held_out_accuracy(trial, split, hardware)])
            progress.advance()
        for share in shares[::2]:
            channels = prune.remaining(architecture, 1 - share)
            _, smaller = prune.shrink(architecture, dense, channels)
            right = held_out_accuracy(hardware.to_device(smaller), split, hardware)
            curves["channels"].append([share, right])
            progress.advance()
    return curves


def milliseconds(
    networks: dict[str, nn.Module], held_pixels: Tensor, repeats: int
) -> dict[str, dict[str, float]]:
    """Return by network the median milliseconds of a batch of 1 and of 64 pictures."""
    times: dict[str, dict[str, float]] = {name: {} for name in networks}
    for size in LATENCY_BATCHES:
        rows = torch.arange(size) % len(held_pixels)  # again from the first where they are few
        images = CPU.images_to_device(image_augment.to_input(held_pixels[rows].cpu()))
        for name, spent in cost.median_milliseconds(networks, images, repeats).items():
            times[name][str(size)] = round(spent, 4)
    return times
