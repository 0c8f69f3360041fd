"""The networks of a run: as they start training, and as they are when it is done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from mlspring.core.errors import RecipeError
from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.core.runs import Run
from mlspring.homeworks.hw13_compression import models, prune
from mlspring.homeworks.hw13_compression.architecture import Architecture, residual
from mlspring.homeworks.hw13_compression.recipe import DistillKnobs, Recipe, TrainKnobs
from mlspring.homeworks.hw13_compression.teacher import SEED, Network, Teacher, training_of
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import seed_everything

STUDENT = 0  # of the networks of a run; 1, 2 .. are its pruned copies


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One network with its first weights, and what it is trained with."""

    name: str
    architecture: Architecture
    model: nn.Module
    train: TrainKnobs
    augment: AugmentKnobs
    distill: DistillKnobs
    seed: int  # of its batches
    teacher: Teacher | None = None  # None: it learns from labels alone
    number: int = STUDENT  # of the weights' file; 0 the teacher, too, 1 .. pruned copies


def setups(recipe: Recipe, run: Run, teacher: Teacher | None) -> Iterator[Setup]:
    """Yield the student, then its pruned copies, each made of the one before when that is finished.

    Channels go in turns with training between them: that keeps more than taking them at once.
    """
    architecture, model = first_weights(recipe, teacher, run.request.seed)
    names = names_of(recipe.compress.keep)
    student = Setup(
        name=names[STUDENT],
        architecture=architecture,
        model=model,
        train=recipe.train,
        augment=recipe.augment,
        distill=recipe.distill,
        seed=run.request.seed,
        teacher=teacher,
    )
    yield student
    steps, rate = recipe.compress.finetune_steps, recipe.compress.finetune_rate
    changed = {"steps": steps, "validate_every": steps, "learning_rate": rate}
    knobs = recipe.train.model_copy(update=changed | {"schedule": "cosine", "warmup_steps": 0})
    for number, share in enumerate(recipe.compress.keep, start=1):
        large = finished(run, number - 1, names[number - 1])
        channels = prune.remaining(architecture, share)
        smaller, model = prune.shrink(large.architecture, large.model, channels)
        copy = replace(student, name=names[number], number=number, train=knobs)
        yield replace(copy, architecture=smaller, model=model)


def first_weights(
    recipe: Recipe, teacher: Teacher | None, seed: int
) -> tuple[Architecture, nn.Module]:
    """Return the student before training: drawn, or the teacher's strongest channels.

    Raises:
        RecipeError: the student is to have more channels than the teacher.
    """
    architecture = recipe.architecture
    if recipe.student.start == "fresh" or teacher is None:
        seed_everything(seed, "weights", STUDENT)
        return architecture, models.build(architecture)
    large = teacher.architecture
    for group, num in architecture.groups.items():
        if num > large.groups[group]:
            found = f"student.channels asks for {num} channels of {group}"
            expected = f"at most the teacher's {large.groups[group]}, for student.start = 'teacher'"
            raise RecipeError(found, expected=expected)
    return prune.shrink(large, teacher.model, architecture.groups)


def teacher_setup(recipe: Recipe) -> Setup:
    """Return our own teacher before its training; it learns from labels alone."""
    knobs, told = training_of(recipe)
    architecture = residual(recipe.teacher.width)
    seed_everything(SEED, "weights", "teacher")
    return Setup(
        name="teacher",
        architecture=architecture,
        model=models.build(architecture),
        train=knobs,
        augment=told.augment,
        distill=recipe.distill,
        seed=SEED,
    )


def names_of(keep: list[float]) -> list[str]:
    """Return the names of a run's networks by number: ``pruned-75`` keeps 75 % of the channels."""
    return ["student", *(f"pruned-{100 * share:g}" for share in keep)]


def finished(run: Run, number: int, name: str) -> Network:
    """Return a finished network on the CPU.

    Raises:
        RunError: its file is missing or damaged.
    """
    file = weights_path(run, number)
    metadata = checkpoint.read_metadata(file)
    architecture = Architecture(name=metadata["architecture"], channels=(*metadata["channels"],))
    model = models.build(architecture)
    checkpoint.load_weights(file, model)
    return Network(name=name, architecture=architecture, model=model.eval(), file=file)


def hardware_for(student: str, run: Run, ranks: Ranks = ALONE) -> Hardware:
    """Return where and in which arithmetic the student computes.

    Left to choose, a CPU works in fp32 on depthwise convolutions: they move numbers more than they
    multiply, and torch's bf16 kernels for them are slower. Measured on two cores, a step of 64
    pictures: separable 121 ms in bf16 and 74 in fp32, inverted 242 and 181, plain 143 and 330.
    """
    request = run.request
    on_cpu = request.device == "cpu" or not torch.cuda.is_available()
    if request.precision == "auto" and on_cpu and student in ("separable", "inverted"):
        return device.choose(request.device, "fp32", work="conv")
    return device.choose_for(run, work="conv", ranks=ranks)
