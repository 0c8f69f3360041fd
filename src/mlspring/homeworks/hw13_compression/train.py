"""The training loop of homework 13, written out; the same under ``torchrun``.

A run trains the student, then fine-tunes smaller copies of it whose channels were pruned, and
measures all of them. The teacher, where one is needed, goes through the same loop once for all
runs. Every random choice is a function of (seed, network, step), so a resumed run ends with the
weights of an uninterrupted one.
"""

import time
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.errors import RunError
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw13_compression import compress, networks
from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.homeworks.hw13_compression.networks import STUDENT, Setup
from mlspring.homeworks.hw13_compression.recipe import DistillKnobs, Recipe
from mlspring.homeworks.hw13_compression.teacher import Teacher, load, open_teacher
from mlspring.kit import checkpoint, device, distributed, evaluate, image_augment, labelled_split
from mlspring.kit.batches import EpochBatches
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.labelled_split import Split, measure, predict_held_out
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator
from mlspring.kit.state import TrainState, clip_gradients, with_adamw
from mlspring.kit.training import Bookkeeper

CLIP_NORM = 10.0  # largest norm of the gradient, as in the sample
LOG_PARTS = (("train", "valid"), ("finetune", "pruned"))  # pruned copies have curves of their own


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train and measure whatever is not finished; return the student's held-out accuracy."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = networks.hardware_for(recipe.student.name, run, ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    split = labelled_split.by_part(data, hardware)
    teacher = make_teacher(recipe, data, split, run, ranks) if recipe.needs_teacher else None
    num_trained = 0
    start = time.perf_counter()
    for setup in networks.setups(recipe, run, teacher):
        if not ranks.broadcast(weights_path(run, setup.number).exists()):
            num_trained += train_network(setup, split, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    if ranks.is_main and not compress.path(run).exists():
        names = networks.names_of(recipe.compress.keep)
        finished = [networks.finished(run, number, name) for number, name in enumerate(names)]
        compress.measure(run, finished, teacher, split, recipe.compress, hardware)
    ranks.wait()
    confusion = held_out_confusion(run)
    return Training(
        validation=(confusion.trace() / confusion.sum()).item(), items_per_second=round(rate, 1)
    )


def train_network(
    setup: Setup, split: Split, run: Run, hardware: Hardware, ranks: Ranks = ALONE
) -> int:
    """Train one network, from its last state if it has one; return the pictures seen."""
    knobs, number, seed = setup.train, setup.number, setup.seed
    state = new_state(setup, hardware)
    network = ranks.wrap(state.model)
    batches = EpochBatches(split.train, knobs.batch_size, derive_seed(seed, number))
    shard = ranks.shard(batches.size)
    learnt, held = LOG_PARTS[number > 0]
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, f"train {setup.name}") as books:
        for step in books.steps():
            # batch: this process's shard, augmented
            rows = batches.rows(step)
            pixels, labels = split.pixels.index_select(0, rows), split.labels[rows]
            stream = generator(seed, "augment", number, step)
            draws = image_augment.draw(setup.augment, batches.size, stream)
            images, targets = image_augment.prepare(pixels, labels, NUM_CLASSES, draws, shard)

            # forward, loss: the teacher sees the very pictures that the student sees
            with hardware.autocast():
                logits = network(hardware.images_to_device(images)).float()
            soft = setup.teacher.forward(images) if setup.teacher else None
            loss = distillation_loss(logits, targets, soft, setup.distill)

            # backward, clip
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(batches.size)).backward()
            clip_gradients(state.model, CLIP_NORM)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()
            state.update_average(step)

            # validate
            hits = (logits.argmax(1) == labels[shard]).float().mean()
            books.add(**{f"{learnt}__loss": loss.detach(), f"{learnt}__accuracy": hits})
            if books.validates():
                outcome = predict_held_out(state.final, split, hardware, ranks)
                values = measure(*outcome, held)
                books.log(epoch=batches.epochs(step), **values, learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            confusion = evaluate.confusion_matrix(*outcome).tolist()
            metadata = setup.architecture.metadata(confusion=confusion)
            checkpoint.save_weights(weights_path(run, number), state.final, metadata)
        books.finish()
    return (knobs.steps - books.start) * batches.size


def distillation_loss(
    logits: Tensor, targets: Tensor, teacher_logits: Tensor | None, knobs: DistillKnobs
) -> Tensor:
    """Return (1 - alpha) CE(targets, student) + alpha T^2 KL(teacher_T || student_T).

    Args:
        logits: of the student, (n, 11).
        targets: class probabilities (n, 11), one-hot unless pictures were mixed.
        teacher_logits: for the same pictures, (n, 11); None: cross-entropy alone.
        knobs: alpha is ``weight``, T is ``temperature``.
    """
    hard = F.cross_entropy(logits, targets)
    if teacher_logits is None:
        return hard
    soft = soft_label_loss(logits, teacher_logits, knobs.temperature)
    return (1 - knobs.weight) * hard + knobs.weight * soft


def soft_label_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T^2 KL(teacher_T || student_T), the mean over the pictures of logits (n, 11).

    The divergence is a sum over the classes (torch's ``batchmean``, not ``mean``). Gradients of the
    soft labels shrink by about T^2, which the factor undoes, so that T can change without a new
    weight. Source: Hinton et al. 2015, arXiv:1503.02531.
    """
    divergence = F.kl_div(
        F.log_softmax(student / temperature, dim=1),
        F.log_softmax(teacher / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return temperature**2 * divergence


def new_state(setup: Setup, hardware: Hardware) -> TrainState[nn.Module]:
    """Return the network ready for its first step."""
    return with_adamw(hardware.to_device(setup.model).train(), setup.train)


def make_teacher(recipe: Recipe, data: Data, split: Split, run: Run, ranks: Ranks) -> Teacher:
    """Return the recipe's teacher, trained now if no run has needed it before.

    Raises:
        RunError: a resumed run began with another teacher.
    """
    hardware = device.choose(run.request.device, run.request.precision, work="conv")
    hardware = replace(hardware, precision=ranks.broadcast(hardware.precision))

    def make(own: Run) -> dict[str, Any]:
        """Train the teacher in its own folder, unless it is given; return what was measured."""
        if recipe.teacher.source == "trained" and not weights_path(own, 0).exists():
            train_network(networks.teacher_setup(recipe), split, own, hardware)
        return compress.examine(load(recipe.teacher, data, own.folder), split, hardware)

    teacher = open_teacher(recipe, data, hardware, ranks, make)
    known = run.state.get("teacher")
    if run.writable and known is not None and known["sha256"] != teacher.digest:
        fix = "start a new run: students of two teachers are not one student"
        raise RunError("the teacher has changed since this run began", file=run.folder, fix=fix)
    run.note(teacher={"sha256": teacher.digest, "accuracy": teacher.measured["accuracy"]})
    return teacher


def held_out_confusion(run: Run) -> Tensor:
    """Return the student's confusion matrix over the held-out pictures."""
    return torch.tensor(checkpoint.read_metadata(weights_path(run, STUDENT))["confusion"])
