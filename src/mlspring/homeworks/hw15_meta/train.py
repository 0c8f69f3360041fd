"""The training loop of homework 15, written out; the same under ``torchrun``.

An item is a task: five characters, one support image each. A run trains one network and, where the
recipe has a study, further ones on fewer characters. Every random choice is a function of (seed,
purpose, step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlspring.core.progress import bar
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw15_meta.data import NUM_WAYS, Data
from mlspring.homeworks.hw15_meta.inner import Inner, losses_of
from mlspring.homeworks.hw15_meta.methods import METHODS, Learner
from mlspring.homeworks.hw15_meta.models import Conv4
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.homeworks.hw15_meta.tasks import Pool, Tasks, make_pools, make_tasks
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.ema import EMA
from mlspring.kit.evaluate import predict_all
from mlspring.kit.schedules import lr_scale
from mlspring.kit.seeding import generator, seed_everything

EVAL_BATCH = 16  # tasks
FRESH = {"step": 0, "seconds": 0.0, "sums": [0.0, 0.0, 0.0]}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network in training, its moving average (itself where that is off) and its optimizer."""

    number: int
    model: Conv4
    average: EMA | None
    optimizer: torch.optim.Optimizer

    @property
    def final(self) -> Conv4:
        """The network that predicts."""
        return self.average.model if self.average else self.model

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a resumable state must hold."""
        return {"model": self.model, "final": self.final} if self.average else {"model": self.model}


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the first's accuracy on unseen alphabets."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained = 0
    start = time.perf_counter()
    for number in range(recipe.num_members):
        if not ranks.broadcast(weights_path(run, number).exists()):
            pools = make_pools(recipe.of_member(number), data, run.request.seed, hardware.device)
            num_trained += train_member(number, pools, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    accuracy = checkpoint.read_metadata(weights_path(run, 0))["accuracy"]
    return Training(validation=accuracy, items_per_second=round(rate, 1))


def train_member(
    number: int,
    pools: tuple[Pool, Pool],
    recipe: Recipe,
    run: Run,
    hardware: Hardware,
    ranks: Ranks,
) -> int:
    """Train one network, from its last state if it has one; return the tasks seen."""
    knobs, seed, batch_size = recipe.train, run.request.seed, recipe.train.batch_size
    member = new_state(number, recipe, seed, hardware)
    network = ranks.wrap(Learner(member.model, recipe.method, recipe.model.norm))
    state_path = run.checkpoints / f"member-{number}.state.safetensors"
    facts = checkpoint.load_state(state_path, member.modules, member.optimizer) or FRESH
    run.rewind_log(lambda e: (e["member"], e["step"]) <= (number, facts["step"]))

    pool, unseen = pools[0], validation_tasks(pools[1], recipe, seed)
    share = ranks.shard(batch_size)
    sums = torch.tensor(facts["sums"], device=hardware.device)  # loss and hits since the last log
    began = saved = time.perf_counter()
    label = f"train {number + 1}/{recipe.num_members}"
    with bar(label, knobs.steps, unit="steps", done=facts["step"]) as progress:
        for step in range(facts["step"] + 1, knobs.steps + 1):
            # batch: all processes draw the same tasks and take their share
            stream = generator(seed, "tasks", step)
            ways, queries = recipe.method.ways, recipe.method.queries
            tasks = make_tasks(pool, batch_size, ways, queries, stream, recipe.augment)[share]

            # forward: the inner loop of all tasks, and what their queries lose
            with hardware.autocast():
                objective, logits = network(tasks, step)

            # backward, clip
            member.optimizer.zero_grad()
            (objective.mean() * ranks.loss_scale(batch_size)).backward()
            if knobs.clip_norm:
                nn.utils.clip_grad_norm_(member.model.parameters(), knobs.clip_norm)

            # step, on schedule
            rate = lr_scale(knobs.schedule, step - 1, knobs.steps, knobs.warmup_steps)
            for group in member.optimizer.param_groups:
                group["lr"] = knobs.learning_rate * rate
            member.optimizer.step()
            if member.average:
                member.average.update(step)

            # log, validate
            logits = logits.detach()
            loss = losses_of(logits, tasks.labels).mean()
            hits = (logits.argmax(2) == tasks.labels).float().mean()
            sums += torch.stack((loss, hits, torch.ones_like(hits)))
            progress.advance()
            if step % knobs.validate_every == 0 or step == knobs.steps:
                means = (sums[:2] / sums[2]).tolist()
                sums.zero_()
                answers = answer(member.final, recipe, unseen, hardware, ranks)
                measured = measure(answers, unseen)
                losses = {"train__loss": means[0], "valid__loss": measured["valid__loss"]}
                check_finite(step, knobs.learning_rate, **losses)
                run.log(
                    member=number,
                    step=step,
                    epoch=round(step * batch_size / 1000, 3),
                    train__loss=round(means[0], 5),
                    train__accuracy=round(means[1], 5),
                    **measured,
                    learning_rate=group["lr"],
                    seconds=round(facts["seconds"] + time.perf_counter() - began, 2),
                )

            # save
            now = time.perf_counter()
            if ranks.is_main and now - saved >= knobs.checkpoint_seconds and step < knobs.steps:
                reached = {"step": step, "seconds": facts["seconds"] + now - began}
                reached["sums"] = sums.tolist()
                checkpoint.save_state(state_path, member.modules, member.optimizer, reached)
                saved = now
    if ranks.is_main:
        found = facts_about(answers, unseen, len(pool.images))
        checkpoint.save_weights(weights_path(run, number), member.final, found)
        state_path.unlink(missing_ok=True)
    ranks.wait()
    return (knobs.steps - facts["step"]) * batch_size


def new_state(number: int, recipe: Recipe, seed: int, hardware: Hardware) -> Member:
    """Return a member with fresh weights, which depend on the seed: the same for all members."""
    seed_everything(seed, "weights")
    model = hardware.to_device(new_model(recipe, hardware)).train()
    return Member(
        number=number,
        model=model,
        average=EMA(model, recipe.train.ema_decay) if recipe.train.ema_decay else None,
        optimizer=torch.optim.Adam(model.parameters(), recipe.train.learning_rate, fused=True),
    )


def new_model(recipe: Recipe, hardware: Hardware) -> Conv4:
    """Return the recipe's network, whose convolutions are computed as suits the device."""
    num_outputs = NUM_WAYS if METHODS[recipe.method.name].has_head else 0
    way = "matmul" if hardware.device.type == "cuda" else "grouped"
    knobs = recipe.method
    rates = (knobs.inner_rate,) * knobs.inner_steps if knobs.learnt_rates else ()
    return Conv4(recipe.model.width, num_outputs, way, rates)


def validation_tasks(held_out: Pool, recipe: Recipe, seed: int) -> Tasks:
    """Return the tasks of a validation: 5 characters, one query image each, like the test's."""
    stream = generator(seed, "validation")
    return make_tasks(held_out, recipe.train.valid_tasks, NUM_WAYS, 1, stream)


def answer(
    model: Conv4,
    recipe: Recipe,
    tasks: Tasks,
    hardware: Hardware,
    ranks: Ranks = ALONE,
    inner_steps: int | None = None,
) -> Tensor:
    """Return logits (t, q, 5) of the queries of unseen tasks, on the CPU.

    Args:
        model: a trained network.
        recipe: names the method and its rate.
        tasks: their labels are not looked at.
        hardware: where the network is.
        ranks: each process answers its share.
        inner_steps: other than the recipe's.
    """
    steps = recipe.predict.inner_steps if inner_steps is None else inner_steps
    inner = Inner(steps=steps, rate=recipe.method.inner_rate, norm=recipe.model.norm)
    method, weights = METHODS[recipe.method.name], model.own()

    def forward(part: slice) -> Tensor:
        # Answers need gradients of their own: predict_all's inference mode has none.
        with torch.inference_mode(False), torch.enable_grad(), hardware.autocast():
            some = tasks[part]
            return method.answer(model, weights, some.support, some.query, inner).detach()

    return predict_all(forward, len(tasks), EVAL_BATCH, ranks)


def measure(logits: Tensor, tasks: Tasks) -> dict[str, float]:
    """Return loss and accuracy over all query images."""
    labels = tasks.labels.cpu()
    accuracy = (logits.argmax(2) == labels).double().mean().item()
    return {
        "valid__loss": round(losses_of(logits, labels).mean().item(), 5),
        "valid__accuracy": round(accuracy, 5),
    }


def facts_about(logits: Tensor, tasks: Tasks, num_characters: int) -> dict[str, float]:
    """Return what a finished network keeps beside its weights: accuracy, interval, characters."""
    return {**interval(logits, tasks), "characters": num_characters}


def interval(logits: Tensor, tasks: Tasks) -> dict[str, float]:
    """Return the mean ``accuracy`` and half the width of its 95 % interval over tasks."""
    each = (logits.argmax(2) == tasks.labels.cpu()).double().mean(1)
    spread = each.std(correction=1).item() if len(each) > 1 else 0.0
    half = 1.96 * spread / len(each) ** 0.5
    return {"accuracy": round(each.mean().item(), 5), "half_width": round(half, 5)}
