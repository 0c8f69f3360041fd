"""What a method works with, and the one face that every method has.

Shapes: n images a batch, m recalled ones, P parameter tensors of the network. A list of P tensors
has the order and shapes of ``model.parameters()``.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.models import Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import MethodName, Recipe
from mlspring.homeworks.hw14_lifelong.tasks import Stream

Tensors = list[Tensor]


class Notes(nn.Module):
    """What a method remembers from step to step, as buffers: saved and resumed like weights."""

    def __init__(self, tensors: Mapping[str, Sequence[Tensor]]) -> None:
        super().__init__()
        self.counts = {name: len(values) for name, values in tensors.items()}
        for name, values in tensors.items():
            for index, value in enumerate(values):
                self.register_buffer(f"{name}_{index}", value)

    def __getitem__(self, name: str) -> Tensors:
        """Return the tensors noted under ``name``, to be changed in place."""
        return [getattr(self, f"{name}_{index}") for index in range(self.counts[name])]


@dataclass(frozen=True, kw_only=True)
class Learner:
    """One network in training, its optimizer and what its method notes.

    Args:
        method: the method's name.
        strength: its lambda.
        autocast: returns the context in which the loop's forward passes run.
    """

    model: Perceptron
    optimizer: torch.optim.Optimizer
    notes: Notes
    stream: Stream
    recipe: Recipe
    seed: int
    method: MethodName
    strength: float
    autocast: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def parameters(self) -> Tensors:
        """The network's P parameters."""
        return list(self.model.parameters())

    @property
    def gradients(self) -> Tensors:
        """The P gradients of the step."""
        return [p.grad for p in self.model.parameters()]  # type: ignore[misc]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images of a step with what the network says to them.

    Args:
        images: fp32 (n, 784), 0..1.
        labels: int64 (n,).
        mask: (n, 10), 0 where an output is open to the image, else -inf.
        scale: what makes this process's mean its part of the mean over all processes.
        logits: (n, 10), once the network has seen them.
    """

    images: Tensor
    labels: Tensor
    mask: Tensor
    scale: float = 1.0
    logits: Tensor | None = None

    def share(self, part: slice, scale: float) -> "Batch":
        """Return one process's part of the batch."""
        return Batch(
            images=self.images[part], labels=self.labels[part], mask=self.mask[part], scale=scale
        )

    def seen_by(self, logits: Tensor) -> "Batch":
        """Return the batch with its logits."""
        return Batch(
            images=self.images,
            labels=self.labels,
            mask=self.mask,
            scale=self.scale,
            logits=logits,
        )

    def cross_entropy(self) -> Tensor:
        """Return the mean loss over the open outputs; 0 where this process has no image."""
        if not len(self.labels):
            return self.logits.sum()  # type: ignore[union-attr]
        return F.cross_entropy(self.logits + self.mask, self.labels) * self.scale


def no_notes(model: Perceptron, recipe: Recipe, num_tasks: int) -> dict[str, Sequence[Tensor]]:
    """Return nothing to remember."""
    return {}


def recall_nothing(learner: Learner, stage: int, step: int) -> Batch | None:
    """Return no old images."""
    return None


def plain_loss(learner: Learner, stage: int, new: Batch, old: Batch | None) -> Tensor:
    """Return the cross entropy: of the new task, or of all tasks seen where old images came along.

    Each of the k tasks seen weighs alike: L = L_new / k + (1 - 1/k) L_old.
    """
    if old is None:
        return new.cross_entropy()
    share = 1 / (stage + 1)
    return share * new.cross_entropy() + (1 - share) * old.cross_entropy()


def do_nothing(learner: Learner, stage: int, step: int) -> None:
    """Leave everything as it is."""


def by_network(learner: Learner, stage: int) -> Callable[[Tensor], Tensor]:
    """Return what answers: the network's logits (n, 10) of images (n, 784)."""
    return learner.model


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method as what it does at each moment of the loop; each default is plain fine-tuning.

    Args:
        title: as in figures.
        paper: where its equations are.
        family: guards, distillation, replay, or bound.
        labels: what it needs labels for, beside the loss of the new task.
        notes: (model, recipe, tasks) -> tensors to remember.
        recall: (learner, stage, step) -> old images to learn from in this step.
        loss: (learner, stage, new batch, recalled batch) -> what is minimised.
        adjust: after backward: may change the gradients.
        follow: after the step: may take notes of the path.
        conclude: when a task ends: takes notes for the next one.
        answer: (learner, stage) -> what gives images (n, 784) scores (n, 10), the largest wins.
        guards: whether ``notes["importance"]`` and ``notes["anchor"]`` guard the weights.
    """

    title: str
    paper: str
    family: str
    labels: str = "nothing"
    notes: Callable[[Perceptron, Recipe, int], Mapping[str, Sequence[Tensor]]] = no_notes
    recall: Callable[[Learner, int, int], Batch | None] = recall_nothing
    loss: Callable[[Learner, int, Batch, Batch | None], Tensor] = plain_loss
    adjust: Callable[[Learner, int, int], None] = do_nothing
    follow: Callable[[Learner, int, int], None] = do_nothing
    conclude: Callable[[Learner, int, int], None] = do_nothing
    answer: Callable[[Learner, int], Callable[[Tensor], Tensor]] = by_network
    guards: bool = False


def zeros(model: Perceptron) -> Tensors:
    """Return a zero for every parameter."""
    return [torch.zeros_like(p, requires_grad=False) for p in model.parameters()]
