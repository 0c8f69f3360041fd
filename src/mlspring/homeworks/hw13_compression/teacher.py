"""The network that students learn from: trained once and kept, or the course's own checkpoint.

home()/teachers/1f0c9a77d2e4b861/     hash of its recipe and of the pictures
    checkpoints/member-0.safetensors  weights; a resumable state while it is in training
    log.jsonl                         its learning curve
    teacher.json                      accuracy, costs, pruning curve: written last
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.errors import DataError
from mlspring.core.files import home, read_json, sha256, write_json
from mlspring.core.kept import kept
from mlspring.core.progress import say
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw13_compression.architecture import Architecture, residual, resnet18
from mlspring.homeworks.hw13_compression.data import TEACHER, Data, fingerprint
from mlspring.homeworks.hw13_compression.models import build
from mlspring.homeworks.hw13_compression.recipe import (
    Recipe,
    TeacherKnobs,
    TeacherTraining,
    TrainKnobs,
)
from mlspring.kit import checkpoint
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.given_checkpoint import read_state_dict

VERSION = 2  # of the way that a teacher is trained and kept; part of its folder's name
SEED = 0  # of its weights and batches
FETCH = "mlspring fetch hw13"

Make = Callable[[Run], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A finished network, on the CPU and in evaluation mode."""

    name: str  # in tables, e.g. pruned-50
    architecture: Architecture
    model: nn.Module
    file: Path  # of its weights


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A finished teacher, on the device and frozen."""

    architecture: Architecture
    model: nn.Module
    hardware: Hardware
    measured: dict[str, Any]  # what teacher.json says, e.g. accuracy on the validation pictures
    digest: str  # SHA-256 of its weights' file

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, 11), in fp32, of normalised images (n, 3, s, s)."""
        with self.hardware.autocast():
            logits: Tensor = self.model(self.hardware.images_to_device(images)).float()
        return logits


def training_of(recipe: Recipe) -> tuple[TrainKnobs, TeacherTraining]:
    """Return the loop of our own teacher, with the student's batches, and its other numbers."""
    file = Path(__file__).parent / "teachers" / f"{recipe.teacher.training}.toml"
    told = load_recipe(TeacherTraining, file)
    values = told.model_dump(exclude={"augment"}) | {"steps": recipe.teacher.steps}
    return recipe.train.model_copy(update=values), told


def open_teacher(
    recipe: Recipe, data: Data, hardware: Hardware, ranks: Ranks, make: Make
) -> Teacher:
    """Return the teacher of a recipe, made by the first process that needs it.

    Of several processes that ask at once one works and the others wait; under ``torchrun`` it is
    the first. ``make`` trains, or only examines, the teacher in the folder of the run that it gets,
    and returns what it measured; a training that was stopped goes on where it stood.

    Raises:
        DataError: the given checkpoint is missing, damaged or of another network.
    """
    folder = folder_of(recipe, data)
    made = folder / "teacher.json"
    if ranks.is_main and not made.exists():
        request = Request(homework="hw13", recipe="teacher", seed=SEED)
        with kept(folder, request, doing="training the teacher") as run:
            if not made.exists():
                measured = make(run)
                write_json(made, measured)
                accuracy = measured["accuracy"]
                say(f"teacher: {accuracy:.3f} of the held-out pictures, kept in {folder}")
    ranks.wait()
    network = load(recipe.teacher, data, folder)
    return Teacher(
        architecture=network.architecture,
        model=hardware.to_device(network.model).requires_grad_(False),
        hardware=hardware,
        measured=read_json(made),
        digest=sha256(network.file),
    )


def folder_of(recipe: Recipe, data: Data) -> Path:
    """Return where the teacher is kept, whether or not it is there yet."""
    knobs = recipe.teacher
    parts: list[Any] = [VERSION, fingerprint(data), knobs.source]
    if knobs.source == "given":
        parts.append(sha256(given_file(data)))
    else:
        loop, told = training_of(recipe)
        parts += [knobs.width, loop.model_dump(exclude={"checkpoint_seconds", "validate_every"})]
        parts += [told.augment.model_dump()]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return home() / "teachers" / digest[:16]


def load(knobs: TeacherKnobs, data: Data, folder: Path) -> Network:
    """Return the finished teacher on the CPU.

    Raises:
        DataError: the given checkpoint is missing, damaged or of another network.
        RunError: the kept weights are damaged.
    """
    if knobs.source == "given":
        architecture, file = resnet18(), given_file(data)
        model = read_resnet18(file)
    else:
        architecture, file = residual(knobs.width), folder / "checkpoints" / "member-0.safetensors"
        model = build(architecture)
        fix = f"remove {folder}; the next run trains the teacher anew"
        checkpoint.load_weights(file, model, fix=fix)
    return Network(name="teacher", architecture=architecture, model=model.eval(), file=file)


def given_file(data: Data) -> Path:
    """Return the course's checkpoint beside the pictures.

    Raises:
        DataError: it is not there.
    """
    if data.teacher is None:
        raise DataError(
            f"the data has no {TEACHER}",
            expected="the course's teacher beside training/, for teacher.source = 'given'",
            fix=f"{FETCH}, or train one: --set teacher.source=trained",
        )
    return data.teacher


def read_resnet18(file: Path) -> nn.Module:
    """Return the network in a checkpoint with torchvision's names; nothing in it is executed.

    Raises:
        DataError: no state_dict of tensors, of another network, or with NaN in it.
    """
    expected = "the state_dict of a ResNet-18 for 11 classes, 122 tensors"
    state = read_state_dict(file, expected=expected, fetch=FETCH)
    if wrong := resnet18().difference({name: tuple(value.shape) for name, value in state.items()}):
        raise DataError(wrong, file=file, expected=expected, fix=f"fetch it again: {FETCH}")
    model = build(resnet18())
    model.load_state_dict(state)
    return model
