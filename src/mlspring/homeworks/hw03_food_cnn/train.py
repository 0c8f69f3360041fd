"""The training loop of homework 3, written out; the same under ``torchrun``.

A run trains one network, or one for each fold of a cross validation. Every random choice is a
function of (seed, member, step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw03_food_cnn import models
from mlspring.homeworks.hw03_food_cnn.data import NUM_CLASSES, Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe, TrainKnobs
from mlspring.kit import checkpoint, device, distributed, evaluate, image_augment, labelled_split
from mlspring.kit.batches import EpochBatches
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.labelled_split import Split, measure, predict_held_out
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator, seed_everything
from mlspring.kit.state import TrainState, clip_gradients, with_adamw
from mlspring.kit.training import Bookkeeper


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the accuracy on held-out pictures."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained = 0
    start = time.perf_counter()
    for number, split in enumerate(splits(recipe, data, run.request.seed, hardware)):
        if not ranks.broadcast(weights_path(run, number).exists()):
            num_trained += train_network(number, split, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    confusion = held_out_confusion(recipe, run)
    return Training(
        validation=(confusion.trace() / confusion.sum()).item(), items_per_second=round(rate, 1)
    )


def train_network(
    number: int, split: Split, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the pictures seen."""
    knobs, seed = recipe.train, run.request.seed
    state = new_state(number, recipe, seed, hardware)
    network = ranks.wrap(state.model)
    batches = EpochBatches(split.train, knobs.batch_size, derive_seed(seed, number))
    shard = ranks.shard(batches.size)
    label = f"train {number + 1}/{recipe.num_members}"
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, label) as books:
        for step in books.steps():
            # batch: this process's shard, augmented
            rows, stream = batches.rows(step), generator(seed, "augment", number, step)
            pixels, labels = split.pixels.index_select(0, rows), split.labels[rows]
            pixels = random_windows(pixels, knobs.crop_size, stream)
            draws = image_augment.draw(recipe.augment, batches.size, stream)
            images, targets = image_augment.prepare(pixels, labels, NUM_CLASSES, draws, shard)

            # forward, loss
            if recipe.model.dropout:
                seed_everything(seed, "dropout", number, step, ranks.rank)
            with hardware.autocast():
                logits = network(hardware.images_to_device(images)).float()
            loss = loss_of(logits, targets, knobs)

            # backward, clip
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(batches.size)).backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()
            state.update_average(step)

            # validate
            hits = (logits.argmax(1) == labels[shard]).float().mean()
            books.add(train__loss=loss.detach(), train__accuracy=hits)
            if books.validates():
                held_out = predict_held_out(state.final, split, hardware, ranks)
                books.log(epoch=batches.epochs(step), **measure(*held_out), learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            confusion = {"confusion": evaluate.confusion_matrix(*held_out).tolist()}
            checkpoint.save_weights(weights_path(run, number), state.final, confusion)
        books.finish()
    return (step - books.start) * batches.size


def random_windows(pixels: Tensor, side: int, stream: torch.Generator) -> Tensor:
    """Return a random window of each picture: (n, s, s, 3) to (n, side, side, 3); side 0: as given.

    A step on 64 of 96 pixels costs half. The scale stays, so whole pictures can be predicted.
    """
    if not side:
        return pixels
    n, s = pixels.shape[:2]
    tops, lefts = torch.randint(s - side + 1, (2, n), generator=stream).to(pixels.device)
    windows = pixels.unfold(1, side, 1).unfold(2, side, 1)  # (n, tops, lefts, 3, side, side)
    return windows[torch.arange(n, device=pixels.device), tops, lefts].permute(0, 2, 3, 1)


def loss_of(logits: Tensor, targets: Tensor, knobs: TrainKnobs) -> Tensor:
    """Return the cross entropy of ``logits`` (n, 11) against class probabilities (n, 11).

    -sum_c t_c log softmax(logits)_c, averaged over the batch; label smoothing moves a share of
    each t to all classes alike (Szegedy et al. 2016, arXiv:1512.00567).
    """
    return F.cross_entropy(logits, targets, label_smoothing=knobs.label_smoothing)


def new_state(number: int, recipe: Recipe, seed: int, hardware: Hardware) -> TrainState[nn.Module]:
    """Return a network with fresh weights, which depend on the seed and its number."""
    seed_everything(seed, "weights", number)
    model = models.build(recipe.model, recipe.data.image_size, NUM_CLASSES)
    return with_adamw(hardware.to_device(model).train(), recipe.train)


def held_out_confusion(recipe: Recipe, run: Run) -> Tensor:
    """Return the confusion matrix over the held-out pictures of all finished members."""
    paths = (weights_path(run, number) for number in range(recipe.num_members))
    matrices = [torch.tensor(checkpoint.read_metadata(path)["confusion"]) for path in paths]
    return torch.stack(matrices).sum(0)


def splits(recipe: Recipe, data: Data, seed: int, hardware: Hardware) -> Iterator[Split]:
    """Yield the pictures of each member; on the CPU the memory maps themselves, not copies.

    Without folds: train on the training part, hold out the validation part. With folds: the pool in
    stratified parts, each held out by one member (the official files are sorted by class, so
    unshuffled folds would miss whole classes).
    """

    def on_device(array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(hardware.device)

    if not recipe.data.folds:
        yield labelled_split.by_part(data, hardware)
        return
    images, classes = data.train_images, data.train_labels
    if recipe.data.pool == "training+validation":
        images = np.concatenate((images, data.valid_images))
        classes = np.concatenate((classes, data.valid_labels))
    pixels, labels = on_device(images), on_device(classes)
    from sklearn.model_selection import StratifiedKFold  # here: half a second, 70 MB

    folds = StratifiedKFold(recipe.data.folds, shuffle=True, random_state=seed)
    for train_part, held_out in folds.split(np.zeros(len(classes)), classes):
        held = on_device(held_out)
        yield Split(
            pixels=pixels,
            labels=labels,
            train=on_device(train_part),
            held_pixels=pixels[held],
            held_labels=labels[held],
        )
