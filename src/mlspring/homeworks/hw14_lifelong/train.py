"""The training loop of homework 14, written out; the same under ``torchrun``.

A run trains one network for each method (and scenario), all from the same initial weights and in
the same order of batches, so that what differs is the method. A method acts at named moments of the
loop (``methods.learner.Method``). Every random choice is a function of (seed, purpose, task, step),
so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.progress import say
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw14_lifelong import metrics
from mlspring.homeworks.hw14_lifelong.data import Data
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, MethodState
from mlspring.homeworks.hw14_lifelong.methods.regularisers import penalty
from mlspring.homeworks.hw14_lifelong.metrics import Matrix
from mlspring.homeworks.hw14_lifelong.models import Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.tasks import Stream, make_stream, to_input
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.batches import EpochBatches
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.evaluate import accuracy, predict_all
from mlspring.kit.seeding import derive_seed, seed_everything
from mlspring.kit.training import Bookkeeper

EVAL_BATCH = 2048


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every network that is not finished; return the mean of their final accuracies."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="wide", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained, start = 0, time.perf_counter()
    for scenario in recipe.data.scenarios:
        stream = make_stream(recipe.data, scenario, data, run.request.seed, hardware.device)
        for number, member in enumerate(recipe.members):
            if member[0] == scenario and not ranks.broadcast(weights_path(run, number).exists()):
                num_trained += train_network(number, stream, recipe, run, hardware, ranks)
                if ranks.is_main:
                    final = metrics.final_accuracy(outcome(run, number)["matrix"])
                    say(f"{METHODS[member[1]].title} ({scenario}): {final:.2f} % over all tasks")
    rate = round(num_trained / (time.perf_counter() - start), 1)
    outcomes = [outcome(run, number) for number in range(len(recipe.members))]
    mean = fmean(metrics.final_accuracy(network["matrix"]) for network in outcomes)
    return Training(validation=mean, items_per_second=rate)


def train_network(
    number: int, stream: Stream, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network on all tasks, from its last state if it has one; return the images seen."""
    knobs, num_steps = recipe.train, recipe.train.steps_per_task * len(stream)
    learner = new_state(number, stream, recipe, run.request.seed, hardware)
    method, network = METHODS[learner.method], ranks.wrap(learner.model)
    batches = [task_batches(learner, stage) for stage in range(len(stream))]
    extra = {"matrix": [measure(learner, None, hardware, ranks, ahead=True)[1]]}
    label = f"train {number + 1}/{len(recipe.members)}, {method.title}"
    with Bookkeeper(run, number, learner.saved, knobs, num_steps, ranks, label, extra) as books:
        for step in books.steps():
            stage, within = divmod(step - 1, knobs.steps_per_task)
            if within == 0:
                learner.optimizer.state.clear()  # a new Adam for every task, as in the notebook

            # batch: new images, and old ones where the method replays some
            new = new_batch(stream, stage, batches[stage].rows(within + 1)).shard(ranks)
            old = method.replay_batch(learner, stage, step)

            # forward, loss, backward; the method may change the gradients
            new, old = forward(network, new, old and old.shard(ranks), hardware)
            loss = method.loss(learner, stage, new, old)
            learner.optimizer.zero_grad()
            loss.backward()
            method.after_backward(learner, stage, step)

            # step; the method may measure what it did
            learner.optimizer.step()
            method.after_step(learner, stage, step)

            # validate: on every task seen so far, on all of them when a task ends
            is_right = (new.logits + new.mask).argmax(1) == new.labels
            books.add(train__loss=loss.detach(), train__accuracy=100 * is_right.float().mean())
            task_ends = within + 1 == knobs.steps_per_task
            if books.validates() or task_ends:
                measured = measure(learner, stage, hardware, ranks, ahead=task_ends)
                books.log(
                    epoch=batches[stage].epochs(step), **log_values(learner, stage, *measured)
                )
            if task_ends:
                books.extra["matrix"].append(measured[1])
                method.on_task_end(learner, stage, step)
            if books.due():
                books.save()
        if ranks.is_main:
            save_network(run, number, learner, books.extra["matrix"])
        books.finish()
    return (num_steps - books.start) * knobs.batch_size


def new_state(
    number: int, stream: Stream, recipe: Recipe, seed: int, hardware: Hardware
) -> Learner:
    """Return a learner with fresh weights, the same for every method."""
    _, name = recipe.members[number]
    seed_everything(seed, "weights")
    model = hardware.to_device(Perceptron(recipe.model.hidden)).train()
    return Learner(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), recipe.train.learning_rate, fused=True),
        state=MethodState(METHODS[name].remembered(model, recipe.method)),
        stream=stream,
        knobs=recipe.method,
        loop=recipe.train,
        seed=seed,
        method=name,
        strength=recipe.strength.of(name),
        autocast=hardware.autocast,
    )


def task_batches(learner: Learner, stage: int) -> EpochBatches:
    """Return the batches of a task: the same for every method."""
    rows = torch.arange(len(learner.stream.tasks[stage].labels), device=learner.stream.device)
    return EpochBatches(rows, learner.loop.batch_size, derive_seed(learner.seed, stage))


def new_batch(stream: Stream, stage: int, rows: Tensor) -> Batch:
    """Return images of the task being learnt: ``rows`` (n,) of its training part."""
    task, mask = stream.tasks[stage], stream.masks[stage][stage].expand(len(rows), -1)
    return Batch(images=to_input(task.pixels[rows]), labels=task.labels[rows], mask=mask)


def forward(
    network: nn.Module, new: Batch, old: Batch | None, hardware: Hardware
) -> tuple[Batch, Batch | None]:
    """Return both batches with their logits, from one pass over their images together."""
    images = new.images if old is None else torch.cat((new.images, old.images))
    with hardware.autocast():
        logits = network(images).float()
    count = len(new.labels)
    return new.with_logits(logits[:count]), old and old.with_logits(logits[count:])


def measure(
    learner: Learner, stage: int | None, hardware: Hardware, ranks: Ranks, ahead: bool = False
) -> tuple[list[float], list[float]]:
    """Return loss and accuracy in % on the test part of each task seen; ``ahead``: of all tasks.

    Nothing is drawn: measuring does not change training (in the notebook its shuffled test loaders
    do). A task that is not learnt yet is measured with the outputs that would be open to it. Before
    the first task (``stage`` None) the network itself answers, whatever the method: all methods
    start from it, and forward transfer is counted from it.
    """
    method, stage = METHODS["finetune" if stage is None else learner.method], stage or 0
    classify = method.classifier(learner, stage)
    num_tasks = len(learner.stream) if ahead else stage + 1
    losses, accuracies = [], []
    for number, task in enumerate(learner.stream.tasks[:num_tasks]):
        mask = learner.stream.masks[max(stage, number)][number]

        def forward(part: slice, pixels: Tensor = task.test_pixels) -> Tensor:
            with hardware.autocast():
                return classify(to_input(pixels[part])).float()

        scores = predict_all(forward, len(task.test_labels), EVAL_BATCH, ranks) + mask.cpu()
        labels = task.test_labels.cpu()
        losses.append(nn.functional.cross_entropy(scores, labels).item())
        accuracies.append(100 * accuracy(scores, labels))
    return losses, accuracies


def log_values(
    learner: Learner, stage: int, losses: list[float], accuracies: list[float]
) -> dict[str, Any]:
    """Return what the log says of a validation.

    ``valid__accuracy`` is the course's metric, the plain mean over the tasks seen so far, each
    counted once. The set grows with every task, so the curve falls at a change of task even where
    nothing is forgotten (HW14 slides, "Metric").
    """
    seen = slice(0, stage + 1)
    is_regulariser = METHODS[learner.method].is_regulariser
    return {
        "scenario": learner.stream.scenario,
        "method": learner.method,
        "task": stage + 1,
        "train__penalty": round(penalty(learner), 6) if is_regulariser else 0.0,
        "valid__loss": round(fmean(losses[seen]), 5),
        "valid__accuracy": round(fmean(accuracies[seen]), 3),
        "tasks": [round(value, 3) for value in accuracies],
    }


def save_network(run: Run, number: int, learner: Learner, matrix: Matrix) -> None:
    """Write a finished network's weights with all that the figures tell of it.

    Where weights have an importance, it is kept, too: of each pixel (784), the sum over the units
    that it feeds, and the sum over all weights.
    """
    metadata: dict[str, Any] = {
        "matrix": matrix,
        "scenario": learner.stream.scenario,
        "method": learner.method,
        "tasks": [task.name for task in learner.stream.tasks],
        "kept": kept_bytes(learner),
    }
    if METHODS[learner.method].is_regulariser:
        importance = learner.state["importance"]
        metadata["pixels"] = [float(f"{value:.4g}") for value in importance[0].sum(0).tolist()]
        metadata["importance"] = float(f"{sum(part.sum().item() for part in importance):.5g}")
    checkpoint.save_weights(weights_path(run, number), learner.model, metadata)


def kept_bytes(learner: Learner) -> int:
    """Return the bytes that a method holds beside the network and the task being learnt."""
    state: int = sum(buffer.nbytes for buffer in learner.state.buffers())
    old = learner.stream.tasks[:-1] if learner.method == "joint" else ()  # it keeps every image
    return state + sum(task.pixels.nbytes for task in old)


def outcome(run: Run, number: int) -> dict[str, Any]:
    """Return what ``save_network`` kept of a finished network.

    Raises:
        RunError: it is not finished.
    """
    return checkpoint.read_metadata(weights_path(run, number))
