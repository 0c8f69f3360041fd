"""What a run trains: the student, then smaller copies of it; first weights and files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlspring.core.errors import RecipeError
from mlspring.core.runs import Run
from mlspring.homeworks.hw13_compression import compress, held_out, models, prune
from mlspring.homeworks.hw13_compression.architecture import Architecture
from mlspring.homeworks.hw13_compression.recipe import (
    AugmentKnobs,
    DistillKnobs,
    Recipe,
    TrainKnobs,
)
from mlspring.homeworks.hw13_compression.teacher import Teacher
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import seed_everything

STUDENT, TEACHER = "student", "teacher"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One network to train.

    Args:
        number: 0 the student, 1 .. its pruned copies; ``member`` of the log.
        name: of its files.
        architecture: what it is; ``model`` with its first weights.
        train: the loop's numbers.
        augment: how its pictures are changed.
        distill: what it learns from ``teacher``, None where it learns from labels alone.
        seed: of its batches.
    """

    number: int
    name: str
    architecture: Architecture
    model: nn.Module
    train: TrainKnobs
    augment: AugmentKnobs
    distill: DistillKnobs
    teacher: Teacher | None
    seed: int


def hardware_for(recipe: Recipe, run: Run, ranks: Ranks = ALONE) -> Hardware:
    """Return where and in which arithmetic the student computes.

    Left to choose, a CPU works in fp32 on depthwise convolutions: they move numbers more than they
    multiply, and torch's bf16 kernels for them are slower. Measured on two cores, a step of 64
    pictures: separable 121 ms in bf16 and 74 in fp32, inverted 242 and 181, plain 143 and 330.
    """
    request = run.request
    on_cpu = request.device == "cpu" or not torch.cuda.is_available()
    depthwise = recipe.student.name in ("separable", "inverted")
    if request.precision == "auto" and on_cpu and depthwise:
        return device.choose(request.device, "fp32", work="conv")
    return device.choose_for(run, work="conv", ranks=ranks)


def pruned_names(recipe: Recipe) -> list[str]:
    """Return the names of the student's pruned copies."""
    return recipe.compress.names


def tasks(recipe: Recipe, run: Run, teachers: Sequence[Teacher]) -> Iterator[Task]:
    """Yield the student, then its pruned copies, each made of the one before when that is finished.

    Channels go in turns with training between them: that keeps more than taking them at once. Of
    two teachers the student may start as the first, and learns from the last, the assistant.
    """
    seed = run.request.seed
    common = {
        "augment": recipe.augment,
        "distill": recipe.distill,
        "teacher": teachers[-1] if teachers else None,
        "seed": seed,
    }
    architecture, model = first_weights(recipe, teachers[0] if teachers else None, seed)
    yield Task(
        number=0,
        name=STUDENT,
        architecture=architecture,
        model=model,
        train=recipe.train,
        **common,
    )
    knobs = recipe.train.model_copy(
        update={
            "steps": recipe.compress.finetune_steps,
            "validate_every": recipe.compress.finetune_steps,
            "learning_rate": recipe.compress.finetune_rate,
            "schedule": "cosine",
            "warmup_steps": 0,
        }
    )
    names = (STUDENT, *pruned_names(recipe))
    for number, share in enumerate(recipe.compress.keep, start=1):
        large = finished(run, names[number - 1])
        state = large.model.state_dict()
        kept = prune.strongest(
            prune.channel_scores(large.architecture, state), compress.remaining(architecture, share)
        )
        smaller, model = prune.shrink(large.architecture, state, kept)
        yield Task(
            number=number,
            name=names[number],
            architecture=smaller,
            model=model,
            train=knobs,
            **common,
        )


def first_weights(
    recipe: Recipe, teacher: Teacher | None, seed: int
) -> tuple[Architecture, nn.Module]:
    """Return the student before training: drawn, or the teacher's strongest channels.

    Raises:
        RecipeError: the student is to have more channels than the teacher.
    """
    architecture = recipe.architecture
    if recipe.student.start == "fresh" or teacher is None:
        seed_everything(seed, "weights", 0)
        return architecture, models.build(architecture)
    large, state = teacher.architecture, teacher.model.state_dict()
    for group, num in architecture.groups.items():
        if num > large.groups[group]:
            found = f"student.channels asks for {num} channels of {group}"
            expected = f"at most the teacher's {large.groups[group]}, for student.start = 'teacher'"
            raise RecipeError(found, expected=expected)
    kept = prune.strongest(prune.channel_scores(large, state), architecture.groups)
    return prune.shrink(large, {name: value.cpu() for name, value in state.items()}, kept)


def save(run: Run, task: Task, model: nn.Module, outcome: tuple[Tensor, Tensor]) -> None:
    """Write a finished network with its description and its confusion matrix."""
    facts = {
        "architecture": task.architecture.name,
        "channels": list(task.architecture.channels),
        "confusion": held_out.confusion_matrix(*outcome).tolist(),
    }
    checkpoint.save_weights(weights_path(run, task.name), model, facts)


def finished(run: Run, name: str) -> compress.Network:
    """Return a finished network on the CPU.

    Raises:
        RunError: its file is missing or damaged.
    """
    file = weights_path(run, name)
    facts = checkpoint.read_metadata(file)
    architecture = Architecture(name=facts["architecture"], channels=tuple(facts["channels"]))
    model = models.build(architecture)
    checkpoint.load_weights(file, model)
    return compress.Network(
        name=name, architecture=architecture, model=model.eval(), num_bytes=file.stat().st_size
    )


def held_out_confusion(run: Run) -> Tensor:
    """Return the student's confusion matrix over the held-out pictures."""
    return torch.tensor(checkpoint.read_metadata(weights_path(run, STUDENT))["confusion"])
