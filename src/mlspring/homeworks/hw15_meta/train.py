"""The training loop of homework 15, written out; the same under ``torchrun``.

An item is a task: five characters, one support image each. A run trains one network and, where the
recipe has a study, further ones on fewer characters. Every random choice is a function of (seed,
purpose, step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time

import torch
from torch import Tensor

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw15_meta.data import Data
from mlspring.homeworks.hw15_meta.fast import losses_of
from mlspring.homeworks.hw15_meta.methods import METHODS, Learner
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import InnerLoop, MethodKnobs, Recipe, TrainKnobs
from mlspring.homeworks.hw15_meta.tasks import (
    Pool,
    Tasks,
    make_pools,
    make_tasks,
    validation_tasks,
)
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.ema import EMA
from mlspring.kit.evaluate import predict_all
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import generator, seed_everything
from mlspring.kit.state import TrainState, clip_gradients
from mlspring.kit.training import Bookkeeper
from mlspring.worlds.glyphs import NUM_WAYS

EVAL_BATCH = 16  # tasks
CLIP_NORM = 10.0  # the largest norm of the gradient


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train what is not finished; return the first network's accuracy on held-out alphabets."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained, start = 0, time.perf_counter()
    for number in range(recipe.num_members):
        if not ranks.broadcast(weights_path(run, number).exists()):
            characters, is_fixed = recipe.num_characters(number), recipe.method.name == "transfer"
            seed, where = run.request.seed, hardware.device
            pools = make_pools(data, recipe.data, seed, where, characters, is_fixed)
            num_trained += train_network(number, pools, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    accuracy = checkpoint.read_metadata(weights_path(run, 0))["accuracy"]
    return Training(validation=accuracy, items_per_second=round(rate, 1))


def train_network(
    number: int,
    pools: tuple[Pool, Pool],
    recipe: Recipe,
    run: Run,
    hardware: Hardware,
    ranks: Ranks,
) -> int:
    """Train one network, from its last state if it has one; return the tasks seen."""
    knobs, method, seed = recipe.train, recipe.method, run.request.seed
    state = new_state(recipe.model.width, method, knobs, seed, hardware)
    network = ranks.wrap(Learner(state.model, recipe.training_loop))
    pool, unseen = pools[0], validation_tasks(pools[1], knobs.valid_tasks, seed)
    shard = ranks.shard(knobs.batch_size)
    label = f"train {number + 1}/{recipe.num_members}"
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, label) as books:
        for step in books.steps():
            # batch: all processes draw the same tasks and take their shard
            stream = generator(seed, "tasks", step)
            tasks = make_tasks(pool, knobs.batch_size, method.ways, method.queries, stream)[shard]

            # forward, loss: the method's function in methods.py adapts to all tasks at once
            with hardware.autocast():
                losses, logits = network(tasks)

            # backward, clip
            state.optimizer.zero_grad()
            (losses.mean() * ranks.loss_scale(knobs.batch_size)).backward()
            clip_gradients(state.model, CLIP_NORM)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step)
            state.optimizer.step()
            state.update_average(step)

            # validate
            hits = (logits.argmax(2) == tasks.labels).float()
            query_losses = losses_of(logits.detach(), tasks.labels)
            books.add(train__loss=query_losses.mean(), train__accuracy=hits.mean())
            if books.validates():
                answers = answer(state.final, recipe.test_loop, unseen, hardware, ranks)
                thousands = round(step * knobs.batch_size / 1000, 3)
                books.log(epoch=thousands, **measure(answers, unseen), learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            metadata = {**interval(answers, unseen), "characters": len(pool.images)}
            checkpoint.save_weights(weights_path(run, number), state.final, metadata)
        books.finish()
    return (step - books.start) * knobs.batch_size


def new_state(
    width: int, method: MethodKnobs, knobs: TrainKnobs, seed: int, hardware: Hardware
) -> TrainState[Conv4]:
    """Return a network with fresh weights, which depend on the seed: the same for all members."""
    seed_everything(seed, "weights")
    model = hardware.to_device(new_model(width, method)).train()
    return TrainState(
        model=model,
        average=EMA(model, knobs.ema_decay) if knobs.ema_decay else None,
        optimizer=torch.optim.Adam(model.parameters(), knobs.learning_rate, fused=True),
    )


def new_model(width: int, method: MethodKnobs) -> Conv4:
    """Return the network that a method trains."""
    num_outputs = 0 if method.name == "protonet" else NUM_WAYS  # it compares features
    rates = (method.inner_rate,) * method.inner_steps if method.learnt_rates else ()
    return Conv4(width, num_outputs, rates)


def answer(
    model: Conv4, inner: InnerLoop, tasks: Tasks, hardware: Hardware, ranks: Ranks = ALONE
) -> Tensor:
    """Return logits (t, q, 5) of the queries of unseen tasks, on the CPU; labels are not read."""

    def forward(part: slice) -> Tensor:
        # Answers need gradients of their own: predict_all's inference mode has none.
        with torch.inference_mode(False), torch.enable_grad(), hardware.autocast():
            some = tasks[part]
            logits = METHODS[inner.method].answer(model, some.support, some.query, inner)
            return logits.detach()

    return predict_all(forward, len(tasks), EVAL_BATCH, ranks)


def measure(logits: Tensor, tasks: Tasks) -> dict[str, float]:
    """Return loss and accuracy over all query images."""
    labels = tasks.labels.cpu()
    accuracy = (logits.argmax(2) == labels).double().mean().item()
    loss = losses_of(logits, labels).mean().item()
    return {"valid__loss": round(loss, 5), "valid__accuracy": round(accuracy, 5)}


def interval(logits: Tensor, tasks: Tasks) -> dict[str, float]:
    """Return the mean ``accuracy`` and half the width of its 95 % interval over tasks."""
    each = (logits.argmax(2) == tasks.labels.cpu()).double().mean(1)
    spread = each.std(correction=1).item() if len(each) > 1 else 0.0
    half = 1.96 * spread / len(each) ** 0.5
    return {"accuracy": round(each.mean().item(), 5), "half_width": round(half, 5)}
