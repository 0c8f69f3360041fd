"""The network that students learn from: trained once and kept, or the course's own checkpoint.

An assistant between teacher and student is a teacher, too, that has learnt from the first.

home()/teachers/1f0c9a77d2e4b861/     hash of its recipe and of the pictures
    checkpoints/teacher.safetensors   weights; a resumable state while it is in training
    log.jsonl                         its learning curve
    facts.json                        accuracy, costs, pruning curve: written last
"""

import hashlib
import json
import pickle
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.errors import DataError, RunError
from mlspring.core.files import disk_errors, home, read_json, sha256, write_json
from mlspring.core.locks import locked
from mlspring.core.progress import say
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw13_compression.architecture import Architecture, residual, resnet18
from mlspring.homeworks.hw13_compression.data import TEACHER, Data, fingerprint
from mlspring.homeworks.hw13_compression.models import WithMaps, build, embed
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.homeworks.hw13_compression.transform import MEAN, STD
from mlspring.kit import checkpoint
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks

VERSION = 1  # of the way that a teacher is trained; part of its folder's name
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile)

Facts = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A finished teacher, ready to answer.

    Args:
        architecture: what network it is.
        model: on the device, in evaluation mode, frozen; takes images normalised as the student's.
        hardware: where and in which arithmetic it answers.
        facts: what ``facts.json`` says, e.g. ``accuracy`` on the validation pictures.
        digest: SHA-256 of its weights' file.
    """

    architecture: Architecture
    model: nn.Module
    hardware: Hardware
    facts: Facts
    digest: str

    @torch.no_grad()
    def answer(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return logits (n, num_classes), in fp32, and maps of normalised images (n, 3, s, s)."""
        with self.hardware.autocast():
            logits, maps = WithMaps(self.model)(self.hardware.images_to_device(images))
        return logits.float(), maps


class Renormalised(nn.Module):
    """A network trained on ImageNet's normalisation behind our own."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @property
    def classify(self) -> nn.Module:
        """The network's last layer."""
        return self.model.classify

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the network's maps."""
        mean, std = (images.new_tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
        return self.model.maps((images * STD + MEAN - mean) / std)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, num_classes) for images (n, 3, s, s)."""
        return self.classify(embed(self.maps(images)))


def bare(model: nn.Module) -> nn.Module:
    """Return the network itself, without the change of normalisation around it."""
    return model.model if isinstance(model, Renormalised) else model


def like(model: nn.Module, other: nn.Module) -> nn.Module:
    """Return ``other`` behind the same change of normalisation as ``model``, if it has one."""
    return Renormalised(other) if isinstance(model, Renormalised) else other


def open_teacher(
    recipe: Recipe,
    data: Data,
    hardware: Hardware,
    ranks: Ranks,
    make: Callable[[Run], Facts],
    tutor: Teacher | None = None,
) -> Teacher:
    """Return the teacher of a recipe, made by the first process that needs it.

    Of several processes that ask at once one works and the others wait; under ``torchrun`` it is
    the first. A training that was stopped goes on where it stood.

    Args:
        recipe: its teacher sections name the teacher.
        data: the labelled pictures; the given checkpoint's place.
        hardware: where it is to answer.
        ranks: this process among all.
        make: trains or only examines the teacher in the folder of the given run, returns its facts.
        tutor: whom it learns from, if it is an assistant.

    Raises:
        DataError: the given checkpoint is missing, damaged or of another network.
    """
    if recipe.teacher.source == "given":
        given_file(data)  # before anybody waits
    place = folder(recipe, data, tutor)
    if ranks.is_main and not (place / "facts.json").exists():
        with disk_errors(place), _turn(place):
            if not (place / "facts.json").exists():
                with closing(_run(place, recipe)) as run:
                    facts = make(run)
                write_json(place / "facts.json", facts)
                who = "assistant" if tutor else "teacher"
                say(f"{who}: {facts['accuracy']:.3f} of the held-out pictures, kept in {place}")
    ranks.wait()
    architecture, model, file = load(recipe, data, place)
    return Teacher(
        architecture=architecture,
        model=hardware.to_device(model).eval().requires_grad_(False),
        hardware=hardware,
        facts=read_json(place / "facts.json"),
        digest=sha256(file),
    )


def folder(recipe: Recipe, data: Data, tutor: Teacher | None = None) -> Path:
    """Return where the teacher is kept, whether or not it is there yet."""
    parts: list[Any] = [VERSION, fingerprint(data), recipe.teacher.source]
    if recipe.teacher.source == "given":
        parts.append(sha256(given_file(data)))
    else:
        sections = (recipe.teacher, recipe.teacher_augment, recipe.teacher_train)
        parts += [section.model_dump() for section in sections]
    if tutor is not None:
        parts += [tutor.digest, recipe.distill.model_dump()]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return home() / "teachers" / digest[:16]


def load(recipe: Recipe, data: Data, place: Path) -> tuple[Architecture, nn.Module, Path]:
    """Return the finished teacher's description, its network on the CPU, and the weights' file.

    Raises:
        DataError: the given checkpoint is missing, damaged or of another network.
        RunError: the kept weights are damaged.
    """
    if recipe.teacher.source == "given":
        file = given_file(data)
        return resnet18(), Renormalised(read_resnet18(file)), file
    architecture = residual(recipe.teacher.width)
    model = build(architecture)
    file = place / "checkpoints" / "teacher.safetensors"
    try:
        checkpoint.load_weights(file, model)
    except RunError as error:
        fix = f"remove {place}; the next run trains the teacher anew"
        raise RunError(error.found, file=file, fix=fix) from error
    return architecture, model, file


def given_file(data: Data) -> Path:
    """Return the course's checkpoint beside the pictures.

    Raises:
        DataError: it is not there.
    """
    if data.teacher is None:
        raise DataError(
            f"the data has no {TEACHER}",
            expected="the course's teacher beside training/, for teacher.source = 'given'",
            fix="mlspring fetch hw13, or let a world recipe train one: mlspring run hw13 "
            "world/strong --data DIR",
        )
    return data.teacher


def read_resnet18(file: Path) -> nn.Module:
    """Return the network in a checkpoint with torchvision's names; nothing in it is executed.

    Raises:
        DataError: no state dict of tensors, of another network, or with NaN in it.
    """
    expected = "the state dict of a ResNet-18 for 11 classes, 122 tensors"
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except DAMAGE as error:
        found = f"cannot be read as tensors ({str(error).splitlines()[0][:120]})"
        raise DataError(found, file=file, expected=expected, fix="fetch it again") from error
    shapes = resnet18().shapes
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError("is no state dict", file=file, expected=expected)
    for name in (*shapes, *state):
        shape = tuple(state[name].shape) if name in state else None
        if name not in shapes or shape != shapes[name]:
            what = f"{name} has shape {shape}" if shape is not None else f"{name} is missing"
            raise DataError(what, file=file, expected=f"{shapes.get(name, 'no such tensor')}")
        if not state[name].isfinite().all():
            found = f"{name} holds values that are NaN or infinite"
            raise DataError(found, file=file, expected="finite weights", fix="fetch it again")
    model = build(resnet18())
    model.load_state_dict(state)
    return model


def _run(place: Path, recipe: Recipe) -> Run:
    """Return the folder as a run, so that the loop logs and resumes there as anywhere."""
    for half_written in place.rglob("*.part"):  # of a killed process; the lock makes them ours
        half_written.unlink(missing_ok=True)
    return Run(place, Request(homework="hw13", recipe="teacher", seed=recipe.teacher.seed))


@contextmanager
def _turn(place: Path) -> Iterator[None]:
    """Hold the teacher's lock: of two processes that need it at once, one makes and one waits."""
    waiting = "Another process is training the teacher; waiting for it"
    with locked(place / ".lock", on_wait=lambda: say(waiting)):
        yield
