"""The training loop of homework 4, written out; the same under ``torchrun``.

Every random choice is a function of (seed, step), so a resumed run ends with the weights of an
uninterrupted one.
"""

import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw04_speakers import batches
from mlspring.homeworks.hw04_speakers.batches import Frames
from mlspring.homeworks.hw04_speakers.data import Data
from mlspring.homeworks.hw04_speakers.models import SpeakerNet
from mlspring.homeworks.hw04_speakers.recipe import ClassifierKnobs, Recipe
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.batches import EpochBatches
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.labelled_split import measure
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator, seed_everything
from mlspring.kit.state import TrainState, clip_gradients, with_adamw
from mlspring.kit.training import Bookkeeper

ENOUGH = 50_000  # frames that the mean and deviation of each band are taken from


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train what is not finished; return the first network's accuracy on held-out utterances."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="dense", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained, start = 0, time.perf_counter()
    for number in range(recipe.num_members):
        if not ranks.broadcast(weights_path(run, number).exists()):
            num_trained += train_network(number, data, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    accuracy = checkpoint.read_metadata(weights_path(run, 0))["accuracy"]
    return Training(validation=accuracy, items_per_second=round(rate, 1))


def train_network(
    number: int, data: Data, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the segments seen."""
    knobs, seed = recipe.train, run.request.seed
    split = make_split(data, recipe.data.held_out, seed, hardware)
    state = new_state(number, recipe, split.source.frames, len(data.speakers), seed, hardware)
    network = ranks.wrap(state.model)
    order = EpochBatches(split.train, knobs.batch_size, derive_seed(seed, 0))
    shard = ranks.shard(order.size)
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, f"train {number + 1}") as books:
        for step in books.steps():
            # batch: this process's shard, a random segment of each utterance
            rows = order.rows(step)
            draws = torch.rand(order.size, generator=generator(seed, "segment", step))
            chosen, num_frames = split.source.of(rows[shard]), recipe.data.segment
            frames, mask = batches.segments(chosen, num_frames, draws[shard])
            targets = split.labels[rows[shard]].to(hardware.device)

            # forward, loss
            if recipe.model.dropout:
                seed_everything(seed, "dropout", step, ranks.rank)
            with hardware.autocast():
                logits = network(frames, mask).float()
            loss = loss_of(logits, targets, recipe.classifier)

            # backward, clip
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(order.size)).backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()
            state.update_average(step)

            # validate
            hits = (logits.argmax(1) == targets).float().mean()
            books.add(train__loss=loss.detach(), train__accuracy=hits)
            if books.validates():
                logits = batches.logits_of_all(state.final, split.held, hardware, ranks)
                measured = measure(logits, split.held_labels)
                books.log(epoch=order.epochs(step), **measured, learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            told = {"accuracy": measured["valid__accuracy"], "num_held": len(split.held_labels)}
            checkpoint.save_weights(weights_path(run, number), state.final, told)
        books.finish()
    return (step - books.start) * order.size


def loss_of(logits: Tensor, targets: Tensor, knobs: ClassifierKnobs) -> Tensor:
    """Return the cross entropy of ``logits`` (b, n) and speakers (b,), with an additive margin.

    Where logits are s cos_j, the right speaker's cosine counts m less:

        loss = - log( exp(s (cos_y - m)) / (exp(s (cos_y - m)) + sum_(j != y) exp(s cos_j)) )

    so cos_y must exceed all others by m before the loss falls (AM-softmax, Wang et al. 2018,
    arXiv:1801.05599). With m = 0 it is the plain cross entropy.
    """
    if knobs.margin:
        right = F.one_hot(targets, logits.shape[1])
        logits = logits - knobs.scale * knobs.margin * right
    return F.cross_entropy(logits, targets, label_smoothing=knobs.label_smoothing)


def new_state(
    number: int, recipe: Recipe, frames: Tensor, num_speakers: int, seed: int, hardware: Hardware
) -> TrainState[SpeakerNet]:
    """Return a network with fresh weights, which standardises by ``frames`` (T, 40)."""
    model = new_model(recipe, number, num_speakers, seed)
    sample = frames[:: max(len(frames) // ENOUGH, 1)].float()
    model.mean.copy_(sample.mean(0))
    model.scale.copy_(1 / sample.std(0).clamp(min=1e-3))
    return with_adamw(hardware.to_device(model).train(), recipe.train)


def new_model(recipe: Recipe, number: int, num_speakers: int, seed: int = 0) -> SpeakerNet:
    """Return network ``number``; its weights depend on the seed alone."""
    seed_everything(seed, "weights")
    return SpeakerNet(recipe.model_of(number), num_speakers, recipe.classifier.scale)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Utterances with labels int64 (n,): the rows ``train`` to learn from, ``held`` the others."""

    source: Frames
    labels: Tensor
    train: Tensor
    held: Frames
    held_labels: Tensor


def make_split(data: Data, share: float, seed: int, hardware: Hardware) -> Split:
    """Return the utterances with a ``share`` of each speaker's held out."""
    source, labels = batches.on_device(data.train, hardware), torch.from_numpy(data.labels)
    train, held = rows_of_split(labels, share, seed)
    held_out = source.of(held)
    return Split(source=source, labels=labels, train=train, held=held_out, held_labels=labels[held])


def rows_of_split(labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return the rows to learn from and those held out, a ``share`` of each speaker's utterances.

    One at least is held out of each speaker and one at least learnt from, whatever the share.
    """
    shuffled = torch.randperm(len(labels), generator=generator(seed, "held out"))
    order = shuffled[labels[shuffled].argsort(stable=True)]  # by speaker, shuffled within
    counts = labels.bincount()
    num_held = (share * counts).round().long().clamp(min=1).minimum(counts - 1)
    place = torch.arange(len(labels)) - (counts.cumsum(0) - counts)[labels[order]]
    is_held = place < num_held[labels[order]]
    return order[~is_held].sort().values, order[is_held].sort().values
