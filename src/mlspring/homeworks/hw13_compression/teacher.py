"""The network that students learn from: trained once and kept, or the course's own checkpoint.

home()/teachers/1f0c9a77d2e4b861/     hash of its recipe and of the pictures
    checkpoints/member-0.safetensors  weights; a resumable state while it is in training
    log.jsonl                         its learning curve
    teacher.json                      accuracy, costs, pruning curve: written last
"""

import hashlib
import json
import pickle
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.errors import DataError, RunError
from mlspring.core.files import disk_errors, home, read_json, sha256, write_json
from mlspring.core.locks import locked
from mlspring.core.progress import say
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw13_compression.architecture import Architecture, residual, resnet18
from mlspring.homeworks.hw13_compression.data import TEACHER, Data, fingerprint
from mlspring.homeworks.hw13_compression.models import build
from mlspring.homeworks.hw13_compression.recipe import TeacherKnobs, TeacherTraining, TrainKnobs
from mlspring.kit import checkpoint
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.image_augment import MEAN, STD

VERSION = 2  # of the way that a teacher is trained and kept; part of its folder's name
SEED = 0  # of its weights and batches
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A finished network, on the CPU and in evaluation mode."""

    name: str  # in tables, e.g. pruned-50
    architecture: Architecture
    model: nn.Module
    num_bytes: int  # of its file


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A finished teacher, on the device and frozen."""

    architecture: Architecture
    model: nn.Module  # takes images normalised as the student's
    hardware: Hardware
    measured: dict[str, Any]  # what teacher.json says, e.g. accuracy on the validation pictures
    digest: str  # SHA-256 of its weights' file

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, 11), in fp32, of normalised images (n, 3, s, s)."""
        with self.hardware.autocast():
            logits: Tensor = self.model(self.hardware.images_to_device(images)).float()
        return logits


class Renormalised(nn.Module):
    """A network that was trained on ImageNet's normalisation, fed with ours."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, 11) for images (n, 3, s, s)."""
        mean, std = (images.new_tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
        return self.model((images * STD + MEAN - mean) / std)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the network itself, without the change of normalisation around it."""
    return model.model if isinstance(model, Renormalised) else model


def wrap_like(model: nn.Module, other: nn.Module) -> nn.Module:
    """Return ``other`` behind the same change of normalisation as ``model``, if it has one."""
    return Renormalised(other) if isinstance(model, Renormalised) else other


def training_of(knobs: TeacherKnobs, train: TrainKnobs) -> tuple[TrainKnobs, TeacherTraining]:
    """Return the loop of our own teacher, with the student's batches, and its other numbers."""
    file = Path(__file__).parent / "teachers" / f"{knobs.training}.toml"
    told = load_recipe(TeacherTraining, file)
    values = told.model_dump(exclude={"augment"}) | {"steps": knobs.steps}
    return train.model_copy(update=values), told


def open_teacher(
    knobs: TeacherKnobs,
    train: TrainKnobs,
    data: Data,
    hardware: Hardware,
    ranks: Ranks,
    make: Callable[[Run], dict[str, Any]],
) -> Teacher:
    """Return the teacher of a recipe, made by the first process that needs it.

    Of several processes that ask at once one works and the others wait; under ``torchrun`` it is
    the first. ``make`` trains, or only examines, the teacher in the folder of the run that it gets,
    and returns what it measured; a training that was stopped goes on where it stood.

    Raises:
        DataError: the given checkpoint is missing, damaged or of another network.
    """
    folder = folder_of(knobs, train, data)
    if ranks.is_main and not (folder / "teacher.json").exists():
        waiting = "Another process is training the teacher; waiting for it"
        with disk_errors(folder), locked(folder / ".lock", on_wait=lambda: say(waiting)):
            if not (folder / "teacher.json").exists():
                with closing(_run(folder)) as run:
                    measured = make(run)
                write_json(folder / "teacher.json", measured)
                accuracy = measured["accuracy"]
                say(f"teacher: {accuracy:.3f} of the held-out pictures, kept in {folder}")
    ranks.wait()
    network, file = load(knobs, data, folder)
    return Teacher(
        architecture=network.architecture,
        model=hardware.to_device(network.model).eval().requires_grad_(False),
        hardware=hardware,
        measured=read_json(folder / "teacher.json"),
        digest=sha256(file),
    )


def folder_of(knobs: TeacherKnobs, train: TrainKnobs, data: Data) -> Path:
    """Return where the teacher is kept, whether or not it is there yet."""
    parts: list[Any] = [VERSION, fingerprint(data), knobs.source]
    if knobs.source == "given":
        parts.append(sha256(given_file(data)))
    else:
        loop, told = training_of(knobs, train)
        parts += [knobs.width, loop.model_dump(exclude={"checkpoint_seconds", "validate_every"})]
        parts += [told.augment.model_dump()]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return home() / "teachers" / digest[:16]


def load(knobs: TeacherKnobs, data: Data, folder: Path) -> tuple[Network, Path]:
    """Return the finished teacher on the CPU and the file of its weights.

    Raises:
        DataError: the given checkpoint is missing, damaged or of another network.
        RunError: the kept weights are damaged.
    """
    if knobs.source == "given":
        architecture, file = resnet18(), given_file(data)
        model: nn.Module = Renormalised(read_resnet18(file))
    else:
        architecture, file = residual(knobs.width), folder / "checkpoints" / "member-0.safetensors"
        model = build(architecture)
        try:
            checkpoint.load_weights(file, model)
        except RunError as error:
            fix = f"remove {folder}; the next run trains the teacher anew"
            raise RunError(error.found, file=file, fix=fix) from error
    size = file.stat().st_size
    return Network(name="teacher", architecture=architecture, model=model, num_bytes=size), file


def given_file(data: Data) -> Path:
    """Return the course's checkpoint beside the pictures.

    Raises:
        DataError: it is not there.
    """
    if data.teacher is None:
        raise DataError(
            f"the data has no {TEACHER}",
            expected="the course's teacher beside training/, for teacher.source = 'given'",
            fix="mlspring fetch hw13, or train one: --set teacher.source=trained",
        )
    return data.teacher


def read_resnet18(file: Path) -> nn.Module:
    """Return the network in a checkpoint with torchvision's names; nothing in it is executed.

    Raises:
        DataError: no state_dict of tensors, of another network, or with NaN in it.
    """
    expected = "the state_dict of a ResNet-18 for 11 classes, 122 tensors"
    again = "fetch it again: mlspring fetch hw13"
    save_it = f"save it as a state_dict: torch.save(model.state_dict(), {TEACHER!r})"
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        with file.open("rb") as stream:
            whole = stream.read(1) in (b"P", b"\x80")  # a zip, or a pickle as torch once wrote
        kind = "holds Python objects beside tensors, e.g. a whole module, which are never unpickled"
        found, fix = (kind, save_it) if whole else ("is no checkpoint", again)
        raise DataError(found, file=file, expected=expected, fix=fix) from error
    except DAMAGE as error:
        found = "is damaged or cut short"
        raise DataError(found, file=file, expected=expected, fix=again) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError("is no state_dict", file=file, expected=expected, fix=save_it)
    shapes, found_shapes = resnet18().shapes, {name: (*v.shape,) for name, v in state.items()}
    for name in (*shapes, *state):
        shown, shape, wanted = str(name)[:80], found_shapes.get(name), shapes.get(name)
        if shape != wanted:
            found = f"{shown!r} is missing" if shape is None else f"{shown!r} has shape {shape}"
            told = "no such tensor" if wanted is None else str(wanted)
            raise DataError(found, file=file, expected=told, fix=save_it)
        if not state[name].isfinite().all():
            found = f"{shown!r} holds values that are NaN or infinite"
            raise DataError(found, file=file, expected="finite weights", fix=again)
    model = build(resnet18())
    model.load_state_dict(state)
    return model


def _run(folder: Path) -> Run:
    """Return the folder as a run, so that the loop logs and resumes there as anywhere."""
    for half_written in folder.rglob("*.part"):  # of a killed process; the lock makes them ours
        half_written.unlink(missing_ok=True)
    return Run(folder, Request(homework="hw13", recipe="teacher", seed=SEED))
