"""The training loop of homework 12, written out; the same under ``torchrun``.

Play a round, learn from it, play again. Processes share the playing, which costs most, and learn
alike from what all of them played. Every random choice is a function of (seed, purpose, round or
step), so a resumed run ends with the weights of an uninterrupted one.
"""

import copy
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mlspring.core.progress import bar
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw12_lander import environment, held_out, models
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.environment import Floats
from mlspring.homeworks.hw12_lander.methods import action_values, policy_gradient
from mlspring.homeworks.hw12_lander.methods.action_values import Memory
from mlspring.homeworks.hw12_lander.methods.policy_gradient import Items
from mlspring.homeworks.hw12_lander.models import Agent
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import Chooser, Players
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.memory import part_with_large_blocks
from mlspring.kit.schedules import lr_scale
from mlspring.kit.seeding import derive_seed, epoch_order, generator, seed_everything

NUMBER = 0  # a run trains one agent
FRESH: dict[str, Any] = {
    "step": 0,
    "seconds": 0.0,
    "played": 0,
    "story": None,
    "sums": [0.0, 0.0, 0.0, 0.0],
    "finished": [],
    "best": -math.inf,
}


@dataclass(frozen=True, kw_only=True)
class Member:
    """The agent in training, the best of it so far, its optimizer; of dqn also two memories.

    Args:
        model: the agent that learns.
        final: its weights when it did best on held-out episodes; these predict.
        target: dqn's slower network, or None.
        memory: dqn's transitions, or None.
    """

    model: Agent
    final: Agent
    optimizer: torch.optim.Optimizer
    target: Agent | None
    memory: Memory | None

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a resumable state must hold."""
        kept = {"model": self.model, "final": self.final}
        more = {"target": self.target, "memory": self.memory}
        return kept | {name: module for name, module in more.items() if module is not None}


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train the agent unless it is finished; return its mean reward on held-out episodes."""
    ranks = distributed.start(recipe.collect.num_envs, run.request.device)
    hardware = device.choose_for(run, work="dense", ranks=ranks)
    part_with_large_blocks()  # or the bodies of the landers keep the tensors' places
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    run.note(simulator=environment.versions())
    played = 0
    start = time.perf_counter()
    if not ranks.broadcast(weights_path(run, NUMBER).exists()):
        with one_thread():
            played = train_member(recipe, data, run, hardware, ranks)
    rate = played / (time.perf_counter() - start)
    facts = checkpoint.read_metadata(weights_path(run, NUMBER))
    return Training(validation=facts["reward"], items_per_second=round(rate, 1))


def train_member(recipe: Recipe, data: Data, run: Run, hardware: Hardware, ranks: Ranks) -> int:
    """Train the agent, from its last state if it has one; return the environment steps taken."""
    knobs, seed, round_steps = recipe.train, run.request.seed, recipe.round_steps
    member = new_state(NUMBER, recipe, seed, hardware)
    state_path = run.checkpoints / f"member-{NUMBER}.state.safetensors"
    facts = checkpoint.load_state(state_path, member.modules, member.optimizer) or FRESH
    run.rewind_log(lambda e: e["step"] <= facts["step"])
    players = Players(seed, recipe.collect.num_envs, data.max_steps, ranks)
    players.go_on(facts["story"])
    played, best, finished = facts["played"], facts["best"], list(facts["finished"])
    sums = torch.tensor(facts["sums"], device=hardware.device)  # losses since the last log

    began = saved = time.perf_counter()
    with bar("train", knobs.steps, unit="steps", done=facts["step"]) as progress:
        for step in range(facts["step"] + 1, knobs.steps + 1):
            number, position = divmod(step - 1, round_steps)

            # play a round, and see what each action was worth
            if position == 0:
                items, num_played = play_round(member, recipe, players, hardware, (seed, step))
                played, finished = played + num_played, finished + players.finished
                batches = minibatches(items, recipe, seed, number)

            # forward
            with hardware.autocast():
                losses = losses_of(member, items, batches, recipe, (seed, step, position))

            # backward, clip
            member.optimizer.zero_grad()
            losses[0].backward()
            if knobs.clip_norm:
                nn.utils.clip_grad_norm_(member.model.parameters(), knobs.clip_norm)

            # step, on schedule
            rate = lr_scale(knobs.schedule, step - 1, knobs.steps, knobs.warmup_steps)
            for group in member.optimizer.param_groups:
                group["lr"] = knobs.learning_rate * rate
            member.optimizer.step()
            if member.target is not None and step % recipe.replay.target_every == 0:
                member.target.load_state_dict(member.model.state_dict())

            # log, validate
            sums[:3] += losses.detach()
            sums[3] += 1
            progress.advance()
            if step % knobs.validate_every == 0 or step == knobs.steps:
                means = (sums[:3] / sums[3]).tolist()
                sums.zero_()
                check_finite(step, knobs.learning_rate, train__loss=means[0])
                measured = held_out.measure(
                    held_out.rewards(member.model.policy(), recipe, data.max_steps, ranks)
                )
                if measured["valid__reward"] > best:
                    best = measured["valid__reward"]
                    member.final.load_state_dict(member.model.state_dict())
                seconds = facts["seconds"] + time.perf_counter() - began
                run.log(
                    member=NUMBER,
                    step=step,
                    round=number + 1,
                    env_steps=played,
                    train__loss=round(means[0], 5),
                    train__value_loss=round(means[1], 5),
                    train__entropy=round(means[2], 5),
                    **held_out.playing(finished),
                    **measured,
                    learning_rate=group["lr"],
                    seconds=round(seconds, 2),
                )
                finished = []

            # save, where a round ends
            now = time.perf_counter()
            due = now - saved >= knobs.checkpoint_seconds and position == round_steps - 1
            if ranks.is_main and due and step < knobs.steps:
                reached = {"step": step, "seconds": facts["seconds"] + now - began}
                reached |= {"played": played, "story": players.story(), "sums": sums.tolist()}
                reached |= {"finished": finished, "best": best}
                checkpoint.save_state(state_path, member.modules, member.optimizer, reached)
                saved = now
    if ranks.is_main:
        checkpoint.save_weights(weights_path(run, NUMBER), member.final, {"reward": best})
        state_path.unlink(missing_ok=True)
    ranks.wait()
    return played - facts["played"]


def new_state(number: int, recipe: Recipe, seed: int, hardware: Hardware) -> Member:
    """Return an agent with fresh weights, which depend on the seed alone."""
    seed_everything(seed, "weights", number)
    model = hardware.to_device(models.build(recipe.model)).train()
    learns_values = recipe.method.name == "dqn"
    return Member(
        model=model,
        final=copy.deepcopy(model),
        optimizer=torch.optim.AdamW(
            model.parameters(),
            recipe.train.learning_rate,
            weight_decay=recipe.train.weight_decay,
            fused=True,
        ),
        target=copy.deepcopy(model) if learns_values else None,
        memory=Memory(recipe.replay.capacity).to(hardware.device) if learns_values else None,
    )


def play_round(
    member: Member, recipe: Recipe, players: Players, hardware: Hardware, moment: tuple[int, int]
) -> tuple[Items | None, int]:
    """Play a round; return what is learnt from it, and the steps taken.

    Dqn keeps it in its memory instead (then None is returned) and, at first, plays until the memory
    holds enough. ``moment`` is the seed and the step.
    """
    seed, step = moment
    num_played, ended = 0, []
    while True:
        made = players.play(chooser(member, recipe, seed, players, step), recipe.horizon)
        num_played, ended = num_played + made.num_steps, ended + players.finished
        if member.memory is None:
            return policy_gradient.prepare(made, member.model, recipe.method, hardware), num_played
        member.memory.add(made, recipe.method.reward_scale)
        if len(member.memory) >= recipe.replay.begin:
            players.finished = ended
            return None, num_played


def chooser(member: Member, recipe: Recipe, seed: int, players: Players, step: int) -> Chooser:
    """Return how actions are chosen in the next round, with all its chances drawn at once.

    A policy's action is the largest of preference + Gumbel noise, which has the probabilities of
    the softmax (Gumbel 1954); dqn takes the best action, but a random one in a share epsilon.
    """
    policy = member.model.policy()
    horizon = recipe.horizon or players.landers.max_steps
    stream = generator(seed, "act", players.num_rounds)
    chances = torch.rand(horizon, players.num_envs, environment.NUM_ACTIONS, generator=stream)
    mine: Floats = chances.numpy()[:, players.share]
    if member.memory is None:
        noise = -np.log(-np.log(mine.clip(1e-12, 1 - 1e-7)))
        return lambda observations, t: (policy.preferences(observations) + noise[t]).argmax(1)
    share = action_values.epsilon(step - 1, recipe.replay)

    def explore(observations: Floats, t: int) -> NDArray[np.int64]:
        best, anything = policy.greedy(observations), (mine[t, :, 1] * 4).astype(np.int64)
        return np.where(mine[t, :, 0] < share, anything, best)

    return explore


def minibatches(items: Items | None, recipe: Recipe, seed: int, number: int) -> list[Tensor]:
    """Return the positions of the items that each update of a round learns from.

    Each pass over a round has an order of its own; what does not fill a batch is left out of it.
    """
    if items is None:
        return []
    size = recipe.train.batch_size if recipe.method.name == "ppo" else len(items)
    num_passes = recipe.round_steps // max(len(items) // size, 1)
    if size >= len(items):
        return [torch.arange(len(items))] * num_passes
    batches: list[Tensor] = []
    for one in range(num_passes):
        order = epoch_order(len(items), derive_seed(seed, "round", number), one)
        batches += order[: len(order) // size * size].split(size)
    return batches


def losses_of(
    member: Member,
    items: Items | None,
    batches: list[Tensor],
    recipe: Recipe,
    moment: tuple[int, int, int],
) -> Tensor:
    """Return the loss to descend, the critic's part and the entropy, (3,).

    Args:
        member: the agent.
        items: of the round, or None where they are drawn from the memory.
        batches: positions of the items of each update of the round.
        recipe: whose method says what the loss is.
        moment: seed, step, and the step's position in its round.
    """
    seed, step, position = moment
    if items is not None:
        batch = items.part(batches[position].to(items.actions.device))
        losses = policy_gradient.loss(member.model, batch, recipe.method)
        return torch.stack((losses.total, losses.value, losses.entropy))
    drawn = member.memory.draw(recipe.train.batch_size, generator(seed, "memory", step))
    loss = action_values.loss(member.model, member.target, drawn, recipe.method, recipe.replay)
    return torch.stack((loss, loss, torch.zeros_like(loss)))


# Same as hw01: one_thread
@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: a step here is smaller than the cost of waking a second one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
