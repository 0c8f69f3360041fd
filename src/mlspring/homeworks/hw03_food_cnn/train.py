"""The training loop of homework 3, written out; the same under ``torchrun``.

A run trains one network, or one for each fold of a cross validation. Every random choice is a
function of (seed, member, step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.progress import bar
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw03_food_cnn import models, transform
from mlspring.homeworks.hw03_food_cnn.data import NUM_CLASSES, Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.ema import EMA
from mlspring.kit.evaluate import accuracy, predict_all
from mlspring.kit.schedules import factor
from mlspring.kit.seeding import epoch_order, generator, mix, seed_everything

EVAL_BATCH = 128
FRESH = {"step": 0, "seconds": 0.0, "sums": [0.0, 0.0, 0.0]}


@dataclass(frozen=True, kw_only=True)
class Split:
    """Pictures of one member: uint8 (n, s, s, 3) with labels int64 (n,), on the device.

    Args:
        pixels: the pool that is trained on, shared by the members.
        labels: their classes.
        train: positions in the pool to train on.
        held_pixels: pictures to validate on.
        held_labels: their classes.
    """

    pixels: Tensor
    labels: Tensor
    train: Tensor
    held_pixels: Tensor
    held_labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network in training, its moving average (itself where that is off) and its optimizer."""

    number: int
    model: nn.Module
    average: EMA | None
    optimizer: torch.optim.Optimizer

    @property
    def final(self) -> nn.Module:
        """The network that predicts."""
        return self.average.model if self.average else self.model

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a resumable state must hold."""
        return {"model": self.model, "final": self.final} if self.average else {"model": self.model}


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the accuracy on held-out pictures."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained = 0
    start = time.perf_counter()
    for number, split in enumerate(splits(recipe, data, run.request.seed, hardware)):
        if not ranks.broadcast(weights_path(run, number).exists()):
            num_trained += train_member(number, split, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    confusion = held_out_confusion(recipe, run)
    return Training(
        validation=(confusion.trace() / confusion.sum()).item(), items_per_second=round(rate, 1)
    )


def train_member(
    number: int, split: Split, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the pictures seen."""
    knobs, seed = recipe.train, run.request.seed
    member = new_member(number, recipe, seed, hardware)
    network = ranks.wrap(member.model)
    state_path = run.checkpoints / f"member-{number}.state.safetensors"
    facts = checkpoint.load_state(state_path, member.modules, member.optimizer) or FRESH
    run.rewind_log(lambda e: (e["member"], e["step"]) <= (number, facts["step"]))

    batch_size = min(knobs.batch_size, len(split.train))
    epoch_steps = len(split.train) // batch_size  # the rest has its turn in other epochs
    share = ranks.share(batch_size)
    sums = torch.tensor(facts["sums"], device=hardware.device)  # loss and hits since the last log
    began = saved = time.perf_counter()
    label = f"train {number + 1}/{recipe.num_members}"
    with bar(label, knobs.steps, unit="steps", done=facts["step"]) as progress:
        for step in range(facts["step"] + 1, knobs.steps + 1):
            epoch, position = divmod(step - 1, epoch_steps)
            if position == 0 or step == facts["step"] + 1:
                order = split.train[epoch_order(len(split.train), mix(seed, number), epoch)]

            # batch: this process's share, augmented
            batch = order[position * batch_size :][:batch_size]
            pixels, labels = split.pixels.index_select(0, batch), split.labels[batch]
            stream = generator(seed, "augment", number, step)
            draws = transform.draw(recipe.augment, batch_size, stream)
            images, targets = transform.prepare(pixels, labels, NUM_CLASSES, draws, share)

            # forward
            if recipe.model.dropout:
                seed_everything(seed, "dropout", number, step, ranks.rank)
            with hardware.autocast():
                logits = network(hardware.place_images(images)).float()
            loss = F.cross_entropy(logits, targets, label_smoothing=knobs.label_smoothing)

            # backward, clip
            member.optimizer.zero_grad()
            (loss * ranks.scale(batch_size)).backward()
            if knobs.clip_norm:
                nn.utils.clip_grad_norm_(member.model.parameters(), knobs.clip_norm)

            # step, on schedule
            rate = factor(knobs.schedule, step - 1, knobs.steps, knobs.warmup_steps)
            for group in member.optimizer.param_groups:
                group["lr"] = knobs.learning_rate * rate
            member.optimizer.step()
            if member.average:
                member.average.update(member.model, step)

            # log, validate
            hits = (logits.argmax(1) == labels[share]).float().mean()
            sums += torch.stack((loss.detach(), hits, torch.ones_like(hits)))
            progress.advance()
            if step % knobs.validate_every == 0 or step == knobs.steps:
                means = (sums[:2] / sums[2]).tolist()
                sums.zero_()
                ranks.agree(member.final)  # what is measured is what rank 0 saves
                held_out = predict_held_out(member.final, split, hardware, ranks)
                member.model.train()
                measured = measure(*held_out)
                losses = {"train__loss": means[0], "valid__loss": measured["valid__loss"]}
                check_finite(step, knobs.learning_rate, **losses)
                seconds = facts["seconds"] + time.perf_counter() - began
                run.log(
                    member=number,
                    step=step,
                    epoch=round(step / epoch_steps, 3),
                    train__loss=round(means[0], 5),
                    train__accuracy=round(means[1], 5),
                    **measured,
                    learning_rate=group["lr"],
                    seconds=round(seconds, 2),
                )

            # save
            now = time.perf_counter()
            if ranks.is_main and now - saved >= knobs.checkpoint_seconds and step < knobs.steps:
                reached = {"step": step, "seconds": facts["seconds"] + now - began}
                reached["sums"] = sums.tolist()
                checkpoint.save_state(state_path, member.modules, member.optimizer, reached)
                saved = now
    if ranks.is_main:
        confusion = confusion_matrix(*held_out).tolist()
        checkpoint.save_weights(weights_path(run, number), member.final, {"confusion": confusion})
        state_path.unlink(missing_ok=True)
    ranks.wait()
    return (knobs.steps - facts["step"]) * batch_size


def new_member(number: int, recipe: Recipe, seed: int, hardware: Hardware) -> Member:
    """Return a member with fresh weights, which depend on the seed and its number."""
    seed_everything(seed, "weights", number)
    model = models.build(recipe.model, recipe.data.image_size, NUM_CLASSES)
    model = hardware.place(model).train()
    return Member(
        number=number,
        model=model,
        average=EMA(model, recipe.train.ema_decay) if recipe.train.ema_decay else None,
        optimizer=torch.optim.AdamW(
            model.parameters(),
            recipe.train.learning_rate,
            weight_decay=recipe.train.weight_decay,
            fused=True,
        ),
    )


def predict_held_out(
    model: nn.Module, split: Split, hardware: Hardware, ranks: Ranks = ALONE
) -> tuple[Tensor, Tensor]:
    """Return logits (n, 11) and labels (n,) of the held-out pictures, on the CPU."""

    def forward(part: slice) -> Tensor:
        images = transform.to_input(split.held_pixels[part])
        with hardware.autocast():
            return model(hardware.place_images(images))

    model.eval()
    logits = predict_all(forward, len(split.held_labels), EVAL_BATCH, ranks)
    return logits, split.held_labels.cpu()


def measure(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Return loss and accuracy; every picture counts once, whatever its batch."""
    loss = F.cross_entropy(logits, labels).item()
    return {"valid__loss": round(loss, 5), "valid__accuracy": round(accuracy(logits, labels), 5)}


def confusion_matrix(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how often a picture of class i was called j: int64 (11, 11)."""
    cells = labels * NUM_CLASSES + logits.argmax(1)
    return torch.bincount(cells, minlength=NUM_CLASSES**2).view(NUM_CLASSES, NUM_CLASSES)


def held_out_confusion(recipe: Recipe, run: Run) -> Tensor:
    """Return the confusion matrix over the held-out pictures of all finished members."""
    members = range(recipe.num_members)
    facts = (checkpoint.read_facts(weights_path(run, number)) for number in members)
    return torch.stack([torch.tensor(fact["confusion"]) for fact in facts]).sum(0)


def splits(recipe: Recipe, data: Data, seed: int, hardware: Hardware) -> Iterator[Split]:
    """Yield the pictures of each member; on the CPU the memory maps themselves, not copies.

    Without folds: train on the training part, hold out the validation part. With folds: the pool in
    stratified parts, each held out by one member (the official files are sorted by class, so
    unshuffled folds would miss whole classes).
    """

    def place(array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(hardware.device)

    images, classes = data.train_images, data.train_labels
    if recipe.data.folds and recipe.data.pool == "training+validation":
        images = np.concatenate((images, data.valid_images))
        classes = np.concatenate((classes, data.valid_labels))
    pixels, labels = place(images), place(classes)
    if not recipe.data.folds:
        yield Split(
            pixels=pixels,
            labels=labels,
            train=torch.arange(len(labels), device=hardware.device),
            held_pixels=place(data.valid_images),
            held_labels=place(data.valid_labels),
        )
        return
    from sklearn.model_selection import StratifiedKFold  # here: half a second, 70 MB

    folds = StratifiedKFold(recipe.data.folds, shuffle=True, random_state=seed)
    for train_part, held_out in folds.split(np.zeros(len(classes)), classes):
        held = place(held_out)
        yield Split(
            pixels=pixels,
            labels=labels,
            train=place(train_part),
            held_pixels=pixels[held],
            held_labels=labels[held],
        )
