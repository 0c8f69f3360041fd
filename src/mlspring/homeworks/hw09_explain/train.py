"""The training loop of homework 9, written out, and then the explanations.

The course gives its network; here a small one is trained, the same under ``torchrun``. Every random
choice is a function of (seed, purpose, step), so a resumed run ends with the weights of an
uninterrupted one.
"""

import time
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw09_explain import network
from mlspring.homeworks.hw09_explain.data import NUM_CLASSES, Data
from mlspring.homeworks.hw09_explain.explain import explain
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.homeworks.hw09_explain.text.explain import explain_texts
from mlspring.kit import checkpoint, device, distributed, image_augment
from mlspring.kit.batches import EpochBatches
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.labelled_split import Split, by_part, measure, predict_held_out
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator, seed_everything
from mlspring.kit.state import TrainState
from mlspring.kit.training import Bookkeeper

WEIGHT_DECAY = 0.01
AUGMENT = AugmentKnobs(
    flip=0.5,
    rotate=0,
    zoom_min=0.7,
    shift=0.1,
    stretch=0.1,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    tint=0.05,
    erase=0,
    mixup=0,
    cutmix=0,
)


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train or find what is explained, explain its answers; return its accuracy, held out.

    That of the picture network, or of the encoder where the run explains no pictures.
    """
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained, start, accuracy = 0, time.perf_counter(), None
    if recipe.looks:
        num_trained = get_network(recipe, data, run, hardware, ranks)
    rate = round(num_trained / (time.perf_counter() - start), 1)
    if ranks.is_main:
        if recipe.looks:
            explain(recipe, data, run, hardware)
            accuracy = checkpoint.read_metadata(weights_path(run, 0))["accuracy"]
        if recipe.reads:
            found, texts_a_second = explain_texts(recipe, data.folder, run, hardware)
            if not recipe.looks:
                accuracy, rate = found, texts_a_second
    ranks.wait()
    return Training(validation=accuracy, items_per_second=rate)


def get_network(recipe: Recipe, data: Data, run: Run, hardware: Hardware, ranks: Ranks) -> int:
    """Put the picture network into ``run``, unless it is there; return the pictures seen."""
    num_trained = 0
    if not ranks.broadcast(weights_path(run, 0).exists()):
        if not recipe.network.file:
            network.demand_training_pictures(data)
        if recipe.network.file or recipe.network.keep:
            if ranks.is_main:
                num_trained = put_network(recipe, data, run, hardware)
        else:
            num_trained = train_network(recipe, data, run, hardware, ranks)
        ranks.wait()
    return num_trained


def put_network(recipe: Recipe, data: Data, run: Run, hardware: Hardware) -> int:
    """Put a network that is given, or kept for all runs, into ``run``; return the pictures seen."""
    if recipe.network.file:
        network.take_given(recipe, data, run, hardware)
        return 0
    make = partial(train_network, recipe, data, hardware=hardware, ranks=ALONE)
    folder = network.picture_folder(recipe, data, run.request.seed)
    return network.keep(folder, 0, network.fresh(recipe), run, make)


def train_network(recipe: Recipe, data: Data, run: Run, hardware: Hardware, ranks: Ranks) -> int:
    """Train the network, from its last state if it has one; return the pictures seen."""
    knobs, seed, split = recipe.train, run.request.seed, by_part(data.pictures, hardware)
    state = new_state(recipe, seed, hardware)
    wrapped = ranks.wrap(state.model)
    batches = EpochBatches(split.train, knobs.batch_size, derive_seed(seed, "network"))
    shard = ranks.shard(batches.size)
    with Bookkeeper(run, 0, state, knobs, knobs.steps, ranks, "train") as books:
        for step in books.steps():
            # batch: this process's shard, augmented
            rows, stream = batches.rows(step), generator(seed, "augment", step)
            pixels, labels = split.pixels.index_select(0, rows), split.labels[rows]
            draws = image_augment.draw(AUGMENT, batches.size, stream)
            images, targets = image_augment.prepare(pixels, labels, NUM_CLASSES, draws, shard)

            # forward, loss
            with hardware.autocast():
                logits = wrapped(hardware.images_to_device(images)).float()
            loss = loss_of(logits, targets)

            # backward, step
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(batches.size)).backward()
            rate = set_learning_rate(state.optimizer, knobs, step)
            state.optimizer.step()

            # validate
            hits = (logits.argmax(1) == labels[shard]).float().mean()
            books.add(train__loss=loss.detach(), train__accuracy=hits)
            if books.validates():
                measured = measure(*predict_held_out(state.model, split, hardware, ranks))
                books.log(epoch=batches.epochs(step), **measured, learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            save_network(run, state.model, split, hardware)
        books.finish()
    return (step - books.start) * batches.size


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross entropy of ``logits`` (n, 11) against class probabilities (n, 11)."""
    return F.cross_entropy(logits, targets)


def new_state(recipe: Recipe, seed: int, hardware: Hardware) -> TrainState[nn.Module]:
    """Return a network with fresh weights, which depend on the seed, and AdamW."""
    seed_everything(seed, "weights")
    model = hardware.to_device(network.fresh(recipe)).train()
    rate = recipe.train.learning_rate
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=WEIGHT_DECAY, fused=True)
    return TrainState(model=model, optimizer=optimizer)


def save_network(run: Run, model: nn.Module, split: Split, hardware: Hardware) -> None:
    """Write the weights with how pixels are normalised, and the accuracy in fp32."""
    exact = Hardware(device=hardware.device, precision="fp32", channels_last=True)
    right = measure(*predict_held_out(model, split, exact))["valid__accuracy"]
    checkpoint.save_weights(weights_path(run, 0), model, network.OWN | {"accuracy": right})
