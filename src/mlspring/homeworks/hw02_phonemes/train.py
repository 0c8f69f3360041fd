"""The training loop of homework 2, written out; the same under ``torchrun``.

A run trains one network and, where the recipe has a study, further ones that differ in depth or
dropout. Every random choice is a function of (seed, member, step), so a resumed run ends with the
weights of an uninterrupted one.
"""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.errors import DataError
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw02_phonemes import models
from mlspring.homeworks.hw02_phonemes.batches import make_batches, on_device
from mlspring.homeworks.hw02_phonemes.data import Data
from mlspring.homeworks.hw02_phonemes.evaluate import logits_of
from mlspring.homeworks.hw02_phonemes.models import Network
from mlspring.homeworks.hw02_phonemes.recipe import Recipe, TrainKnobs
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.evaluate import confusion_matrix
from mlspring.kit.frames import Frames
from mlspring.kit.labelled_split import measure
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, seed_everything
from mlspring.kit.state import TrainState, clip_gradients, with_adamw
from mlspring.kit.training import Bookkeeper


@dataclass(frozen=True)
class Split:
    """All labelled utterances on the device, and which of them a network uses how.

    Args:
        frames: of all utterances.
        train: int64, the utterances to train on.
        held_out: int64, those to validate on.
    """

    frames: Frames
    train: Tensor
    held_out: Tensor


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the first one's held-out accuracy."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="wide", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    split = split_of(data, hardware)
    num_trained, start = 0, time.perf_counter()
    for number in range(recipe.num_members):
        if not ranks.broadcast(weights_path(run, number).exists()):
            num_trained += train_network(number, split, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    accuracy = checkpoint.read_metadata(weights_path(run, 0))["valid__accuracy"]
    return Training(validation=accuracy, items_per_second=round(rate, 1))


def train_network(
    number: int, split: Split, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the frames seen."""
    knobs, seed, network_knobs = recipe.train, run.request.seed, models.of_member(recipe, number)
    state = new_state(number, recipe, seed, hardware)
    network = ranks.wrap(state.model)
    order = derive_seed(seed, number)
    batches = make_batches(network_knobs, recipe, split.frames, split.train, order, ranks)
    label = f"train {number + 1}/{recipe.num_members}"
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, label) as books:
        for step in books.steps():
            # batch: this process's share
            batch = batches.batch(step)

            # forward, loss
            if network_knobs.dropout:
                seed_everything(seed, "dropout", number, step, ranks.rank)
            with hardware.autocast():
                logits = network(*batch.inputs).float()
            loss = loss_of(logits, batch.targets, knobs)

            # backward, clip
            state.optimizer.zero_grad()
            (loss * batch.loss_scale).backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()
            state.update_average(step)

            # validate
            hits = (logits.argmax(1) == batch.targets).float().mean()
            books.add(train__loss=loss.detach(), train__accuracy=hits)
            if books.validates():
                held_out = predict(state.final, split.frames, split.held_out, hardware, ranks)
                books.log(epoch=batches.epochs(step), **measure(*held_out), learning_rate=rate)
            if books.due():
                books.save()
        some = split.train[: len(split.held_out)]
        seen = predict(state.final, split.frames, some, hardware, ranks)
        if ranks.is_main:
            summary = summarise(held_out, seen)
            checkpoint.save_weights(weights_path(run, number), state.final, summary)
        books.finish()
    return (step - books.start) * batches.num_frames


def loss_of(logits: Tensor, targets: Tensor, knobs: TrainKnobs) -> Tensor:
    """Return the cross entropy of ``logits`` (m, 41) and classes (m,), the mean over frames.

    - log softmax(logits)_target; label smoothing moves a share of the target to all classes alike
    (Szegedy et al. 2016, arXiv:1512.00567). Padding has no logits, so it has no part in this.
    """
    return F.cross_entropy(logits, targets, label_smoothing=knobs.label_smoothing)


def new_state(number: int, recipe: Recipe, seed: int, hardware: Hardware) -> TrainState[Network]:
    """Return a network with fresh weights, which depend on the seed and its number."""
    seed_everything(seed, "weights", number)
    model = models.build(models.of_member(recipe, number))
    return with_adamw(hardware.to_device(model).train(), recipe.train)


def split_of(data: Data, hardware: Hardware) -> Split:
    """Return the utterances to train on and to validate on, on the device.

    Raises:
        DataError: no utterance has labels.
    """
    if not len(data.train):
        fix = "train on other data; for these: mlspring predict RUN --data DIR"
        raise DataError("the data have no labelled utterance to train on", fix=fix)
    parts = (torch.from_numpy(part).to(hardware.device) for part in (data.train, data.valid))
    return Split(on_device(data.labelled, hardware.device), *parts)


def predict(
    model: Network, frames: Frames, numbers: Tensor, hardware: Hardware, ranks: Ranks
) -> tuple[Tensor, Tensor]:
    """Return logits (m, 41) and classes (m,) of the frames of some utterances, on the CPU."""
    logits = logits_of(model, frames, numbers, hardware, ranks)
    return logits, frames.targets(frames.rows(numbers)).cpu()


def summarise(held_out: tuple[Tensor, Tensor], seen: tuple[Tensor, Tensor]) -> dict[str, Any]:
    """Return what is kept beside the weights: loss and accuracy of both parts, and the confusion.

    Args:
        held_out: logits and classes of frames to validate on.
        seen: the same of training frames, without dropout as well.
    """
    confusion = confusion_matrix(*held_out).tolist()
    return {**measure(*seen, "train"), **measure(*held_out), "confusion": confusion}
