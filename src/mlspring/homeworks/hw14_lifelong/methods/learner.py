"""What a method works with, and the moments of the loop at which a method may act.

Shapes: n images a batch, P parameter tensors of the network. A list of P tensors has the order and
the shapes of ``model.parameters()``.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw14_lifelong.data import NUM_CLASSES
from mlspring.homeworks.hw14_lifelong.models import Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import MethodKnobs, MethodName, TrainKnobs
from mlspring.homeworks.hw14_lifelong.tasks import Stream
from mlspring.kit.distributed import Ranks
from mlspring.kit.state import TrainState

Tensors = list[Tensor]
StateTensors = Mapping[str, Sequence[Tensor]]
NO_LOGITS = torch.empty(0, NUM_CLASSES)


class MethodState(nn.Module):
    """What a method remembers from step to step, as buffers: saved and resumed like weights.

    Args:
        tensors: lists of tensors by name, e.g. ``importance``, one tensor for each parameter.
    """

    num_replayable: int | None = None  # images in the replay buffer; None: not counted yet

    def __init__(self, tensors: StateTensors) -> None:
        super().__init__()
        self._counts = {name: len(values) for name, values in tensors.items()}
        for name, values in tensors.items():
            for index, value in enumerate(values):
                self.register_buffer(f"{name}_{index}", value)

    def __getitem__(self, name: str) -> Tensors:
        """Return the tensors called ``name``, to be changed in place."""
        return [getattr(self, f"{name}_{index}") for index in range(self._counts[name])]


@dataclass(frozen=True, kw_only=True)
class Learner:
    """One network in training, its optimizer and what its method remembers.

    Args:
        stream: the tasks.
        knobs: what the methods share; ``loop`` the numbers of the training loop.
        seed: of the run.
        method: the method's name, and ``strength`` its lambda.
        autocast: returns the context in which the loop's forward passes run.
    """

    model: Perceptron
    optimizer: torch.optim.Optimizer
    state: MethodState
    stream: Stream
    knobs: MethodKnobs
    loop: TrainKnobs
    seed: int
    method: MethodName
    strength: float
    autocast: Callable[[], AbstractContextManager[None]]

    @property
    def saved(self) -> TrainState[Perceptron]:
        """What a resumable state holds."""
        others = {"method": self.state}
        return TrainState(model=self.model, optimizer=self.optimizer, others=others)

    @property
    def parameters(self) -> Tensors:
        """The network's P parameters."""
        return list(self.model.parameters())

    @property
    def gradients(self) -> Tensors:
        """The P gradients of the step; after a backward pass every parameter has one."""
        return [p.grad for p in self.model.parameters() if p.grad is not None]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images of a step with the network's logits.

    Args:
        images: fp32 (n, 784), 0..1.
        labels: int64 (n,).
        mask: (n, 10), 0 where an output is open to the image, else -inf.
        scale: what makes this process's mean its part of the mean over all processes.
        logits: (n, 10), once the network has seen the images.
    """

    images: Tensor
    labels: Tensor
    mask: Tensor
    scale: float = 1.0
    logits: Tensor = NO_LOGITS

    def shard(self, ranks: Ranks) -> "Batch":
        """Return this process's part of the batch."""
        part, scale = ranks.shard(len(self.labels)), ranks.loss_scale(len(self.labels))
        images, labels, mask = self.images[part], self.labels[part], self.mask[part]
        return Batch(images=images, labels=labels, mask=mask, scale=scale)

    def with_logits(self, logits: Tensor) -> "Batch":
        """Return the batch with its logits (n, 10)."""
        return replace(self, logits=logits)

    def cross_entropy(self) -> Tensor:
        """Return the mean loss over the open outputs; 0 where this process has no image."""
        if not len(self.labels):
            return self.logits.sum()
        return F.cross_entropy(self.logits + self.mask, self.labels) * self.scale


def task_loss(learner: Learner, stage: int, new: Batch, old: Batch | None) -> Tensor:
    """Return the cross entropy: of the new task, or of all tasks seen where old images came along.

    Each of the k tasks seen weighs alike: L = L_new / k + (1 - 1/k) L_old.
    """
    if old is None:
        return new.cross_entropy()
    weight = 1 / (stage + 1)
    return weight * new.cross_entropy() + (1 - weight) * old.cross_entropy()


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method as what it does at each moment of the loop; each default is plain fine-tuning.

    ``stage`` counts the tasks from 0 and is the one being learnt; ``step`` counts the updates of
    the whole run from 1.

    Args:
        title: as in figures.
        zeros: what it remembers of every weight, 0 at first.
        copies: the same, at first the weights themselves.
        new_state: (model, knobs) -> what else it remembers.
        replay_batch: (learner, stage, step) -> old images to learn from in this step.
        loss: (learner, stage, new batch, replayed batch) -> what is minimised.
        after_backward: (learner, stage, step): may change the gradients.
        after_step: (learner, stage, step): may measure what the update did.
        on_task_end: (learner, stage, step): prepares for the next task.
        is_regulariser: whether ``state["importance"]`` and ``state["anchor"]`` hold weights fast.
        classifier: (learner, stage) -> what gives images (n, 784) scores (n, 10), the largest wins.
    """

    title: str
    zeros: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    new_state: Callable[[Perceptron, MethodKnobs], StateTensors] = lambda *_: {}
    replay_batch: Callable[[Learner, int, int], Batch | None] = lambda *_: None
    loss: Callable[[Learner, int, Batch, Batch | None], Tensor] = task_loss
    after_backward: Callable[[Learner, int, int], None] = lambda *_: None
    after_step: Callable[[Learner, int, int], None] = lambda *_: None
    on_task_end: Callable[[Learner, int, int], None] = lambda *_: None
    classifier: Callable[[Learner, int], Callable[[Tensor], Tensor]] = lambda made, _: made.model
    is_regulariser: bool = False

    def remembered(self, model: Perceptron, knobs: MethodKnobs) -> StateTensors:
        """Return all that the method remembers, before the first step."""
        zero = {name: zeros(model) for name in self.zeros}
        copied = {name: [p.detach().clone() for p in model.parameters()] for name in self.copies}
        return {**zero, **copied, **self.new_state(model, knobs)}


def zeros(model: nn.Module) -> Tensors:
    """Return a zero for every parameter."""
    return [torch.zeros_like(p, requires_grad=False) for p in model.parameters()]
