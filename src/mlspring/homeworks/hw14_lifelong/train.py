"""The training loop of homework 14, written out; the same under ``torchrun``.

A run trains one network for each method (and scenario), all from the same initial weights and in
the same order of batches, so that what differs is the method. Every random choice is a function of
(seed, purpose, task, step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.progress import bar, say
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw14_lifelong import metrics
from mlspring.homeworks.hw14_lifelong.data import Data
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.guards import penalty
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, Notes, by_network
from mlspring.homeworks.hw14_lifelong.models import Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.homeworks.hw14_lifelong.tasks import Stream, make_stream, to_input
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.evaluate import accuracy, predict_all
from mlspring.kit.seeding import derive_seed, epoch_order, seed_everything

EVAL_BATCH = 2048
FRESH: dict[str, Any] = {"step": 0, "seconds": 0.0, "sums": [0.0, 0.0, 0.0], "matrix": []}


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every network that is not finished; return the mean of their final accuracies."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="wide", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained = 0
    start = time.perf_counter()
    for scenario in recipe.data.scenarios:
        stream = make_stream(recipe.data, scenario, data, run.request.seed, hardware.device)
        for number, member in enumerate(recipe.members):
            if member[0] == scenario and not ranks.broadcast(weights_path(run, number).exists()):
                num_trained += train_member(number, stream, recipe, run, hardware, ranks)
                if ranks.is_main:
                    say(in_words(outcome(run, number)))
    rate = num_trained / (time.perf_counter() - start)
    matrices = [outcome(run, number)["matrix"] for number in range(recipe.num_members)]
    return Training(
        validation=fmean(metrics.final_accuracy(matrix) for matrix in matrices),
        items_per_second=round(rate, 1),
    )


def train_member(
    number: int, stream: Stream, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network on all tasks, from its last state if it has one; return the images seen."""
    knobs, seed = recipe.train, run.request.seed
    member = new_state(number, stream, recipe, seed, hardware)
    method = METHODS[member.method]
    network = ranks.wrap(member.model)
    modules = {"model": member.model, "notes": member.notes}
    state_path = run.checkpoints / f"member-{number}.state.safetensors"
    facts = checkpoint.load_state(state_path, modules, member.optimizer) or FRESH
    run.rewind_log(lambda e: (e["member"], e["step"]) <= (number, facts["step"]))
    matrix = list(facts["matrix"]) or [measure(member, None, len(stream), hardware, ranks)[1]]

    num_steps = knobs.steps_per_task * len(stream)
    sums = torch.tensor(facts["sums"], device=hardware.device)  # loss and hits since the last log
    began = saved = time.perf_counter()
    label = f"train {number + 1}/{recipe.num_members}, {method.title}"
    with bar(label, num_steps, unit="steps", done=facts["step"]) as progress:
        for step in range(facts["step"] + 1, num_steps + 1):
            stage, within = divmod(step - 1, knobs.steps_per_task)
            task = stream.tasks[stage]
            batch_size = min(knobs.batch_size, len(task.labels))
            epoch, position = divmod(within, len(task.labels) // batch_size)
            if within == 0:
                member.optimizer.state.clear()  # a new Adam for every task, as in the notebook
            if position == 0 or step == facts["step"] + 1:
                order = epoch_order(len(task.labels), derive_seed(seed, stage), epoch).to(
                    hardware.device
                )
                pixels, labels = task.pixels[order], task.labels[order]
                row = stream.mask(stage)[stage].expand(batch_size, -1)

            # batch: a slice of the epoch's order, and old images where the method recalls some
            part = slice(position * batch_size, (position + 1) * batch_size)
            new = Batch(images=to_input(pixels[part]), labels=labels[part], mask=row)
            new = share_of(new, ranks)
            old = share_of(method.recall(member, stage, step), ranks)

            # forward
            images = new.images if old is None else torch.cat((new.images, old.images))
            with hardware.autocast():
                logits = network(images).float()
            new = new.seen_by(logits[: len(new.labels)])
            old = old and old.seen_by(logits[len(new.labels) :])
            loss = method.loss(member, stage, new, old)

            # backward, and what the method does to the gradients
            member.optimizer.zero_grad()
            loss.backward()
            method.adjust(member, stage, step)

            # step
            member.optimizer.step()
            method.follow(member, stage, step)

            # log, validate on every task seen so far; on all of them when a task ends
            hits = ((logits[: len(new.labels)] + new.mask).argmax(1) == new.labels).float().mean()
            sums += torch.stack((loss.detach(), hits, torch.ones_like(hits)))
            progress.advance()
            ends = within + 1 == knobs.steps_per_task
            if (within + 1) % knobs.validate_every == 0 or ends:
                last = len(stream) if ends else stage + 1
                measured = measure(member, stage, last, hardware, ranks)
                entry = log_entry(member, stage, step, sums.tolist(), *measured)
                seconds = round(facts["seconds"] + time.perf_counter() - began, 2)
                run.log(member=number, step=step, **entry, seconds=seconds)
                sums.zero_()

            # conclude the task
            if ends:
                matrix.append(measured[1])
                method.conclude(member, stage, step)

            # save
            now = time.perf_counter()
            if ranks.is_main and now - saved >= knobs.checkpoint_seconds and step < num_steps:
                reached = {"step": step, "seconds": facts["seconds"] + now - began}
                reached |= {"sums": sums.tolist(), "matrix": matrix}
                checkpoint.save_state(state_path, modules, member.optimizer, reached)
                saved = now
    if ranks.is_main:
        found = {"matrix": matrix, **facts_about(member)}
        checkpoint.save_weights(weights_path(run, number), member.model, found)
        state_path.unlink(missing_ok=True)
    ranks.wait()
    return (num_steps - facts["step"]) * knobs.batch_size


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
        notes=Notes(METHODS[name].notes(model, recipe, len(stream))),
        stream=stream,
        recipe=recipe,
        seed=seed,
        method=name,
        strength=recipe.strength_of(name),
        autocast=hardware.autocast,
    )


def measure(
    member: Learner, stage: int | None, num_tasks: int, hardware: Hardware, ranks: Ranks = ALONE
) -> tuple[list[float], list[float]]:
    """Return loss and accuracy in % on the test part of each of the first ``num_tasks`` tasks.

    Nothing is drawn: measuring does not change training (in the notebook its shuffled test loaders
    do). A task that is not learnt yet is measured with the outputs that would be open to it. Where
    no task has begun (``stage`` None) the network itself answers, whatever the method: it is what
    all methods start from, and what forward transfer is counted from.
    """
    answer = (
        by_network(member, 0) if stage is None else METHODS[member.method].answer(member, stage)
    )
    losses, accuracies = [], []
    for number, task in enumerate(member.stream.tasks[:num_tasks]):
        mask = member.stream.mask(max(stage or 0, number))[number]

        def forward(part: slice, task=task) -> Tensor:  # type: ignore[no-untyped-def]
            with hardware.autocast():
                return answer(to_input(task.test_pixels[part])).float()

        scores = predict_all(forward, len(task.test_labels), EVAL_BATCH, ranks) + mask.cpu()
        labels = task.test_labels.cpu()
        losses.append(nn.functional.cross_entropy(scores, labels).item())
        accuracies.append(100 * accuracy(scores, labels))
    return losses, accuracies


def share_of(batch: Batch | None, ranks: Ranks) -> Batch | None:
    """Return this process's part of a batch."""
    if batch is None:
        return None
    count = len(batch.labels)
    return batch.share(ranks.shard(count), ranks.loss_scale(count))


def log_entry(
    member: Learner,
    stage: int,
    step: int,
    sums: list[float],
    losses: list[float],
    accuracies: list[float],
) -> dict[str, Any]:
    """Return what the log says of a validation; ``valid__accuracy`` is the course's metric.

    Raises:
        RecipeError: training diverged.
    """
    knobs, seen = member.recipe.train, slice(0, stage + 1)
    num_images = len(member.stream.tasks[stage].labels)
    entry = {"train__loss": round(sums[0] / sums[2], 5), "valid__loss": fmean(losses[seen])}
    check_finite(step, knobs.learning_rate, **entry)
    return entry | {
        "scenario": member.stream.scenario,
        "method": member.method,
        "task": stage + 1,
        "epoch": round(step / (num_images // min(knobs.batch_size, num_images)), 3),
        "train__accuracy": round(100 * sums[1] / sums[2], 3),
        "train__penalty": round(penalty(member), 6) if METHODS[member.method].guards else 0.0,
        "valid__loss": round(entry["valid__loss"], 5),
        "valid__accuracy": round(metrics.mean_accuracy(accuracies[seen]), 3),
        "tasks": [round(value, 3) for value in accuracies],
    }


def facts_about(member: Learner) -> dict[str, Any]:
    """Return what a finished network keeps beside weights and matrix.

    Where weights are guarded, also the importance: of each pixel (784), the sum over the units that
    it feeds; of each layer, the mean over its weights; and the sum over all.
    """
    facts: dict[str, Any] = {
        "scenario": member.stream.scenario,
        "method": member.method,
        "tasks": [task.name for task in member.stream.tasks],
        "kept": kept_bytes(member),
    }
    if METHODS[member.method].guards:
        importance = member.notes["importance"]
        layers = [weights.mean().item() for weights in importance[::2]]
        facts |= {
            "pixels": [float(f"{value:.4g}") for value in importance[0].sum(0).tolist()],
            "layers": [float(f"{value:.4g}") for value in layers],
            "importance": float(f"{sum(part.sum().item() for part in importance):.5g}"),
        }
    return facts


def kept_bytes(member: Learner) -> int:
    """Return the bytes that a method holds beside the network and the task being learnt."""
    noted: int = sum(buffer.nbytes for buffer in member.notes.buffers())
    old = member.stream.tasks[:-1] if member.method == "joint" else ()  # it keeps every image
    return noted + sum(task.pixels.nbytes for task in old)


def outcome(run: Run, number: int) -> dict[str, Any]:
    """Return what a finished network came to: method, scenario, matrix of accuracies, importance.

    Raises:
        RunError: it is not finished.
    """
    return checkpoint.read_metadata(weights_path(run, number))


def in_words(found: dict[str, Any]) -> str:
    """Return one line about a finished network."""
    matrix = found["matrix"]
    return (
        f"{METHODS[found['method']].title} ({found['scenario']}): "
        f"{metrics.final_accuracy(matrix):.2f} % over all tasks, each task at its own end "
        f"{metrics.plasticity(matrix):.2f} %, forgetting {metrics.forgetting(matrix):.2f}"
    )
