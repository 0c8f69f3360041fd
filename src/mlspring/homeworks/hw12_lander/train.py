"""Training of homework 12: each method's loop is written out in its own file of ``methods``.

Play a rollout, learn from it, play again. Under ``torchrun`` the processes share the playing, which
costs most, and learn alike from what all of them played. Every random choice is a function of
(seed, purpose, rollout or step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw12_lander.agent import NUMBER, new_state
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.methods import a2c, dqn, ppo, reinforce
from mlspring.homeworks.hw12_lander.models import ActorCritic, DuelingQNetwork, PolicyNetwork
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.memory import part_with_large_blocks
from mlspring.worlds.lander import environment


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train the agent unless it is finished; return its mean reward on held-out episodes."""
    ranks = distributed.start(recipe.collect.num_envs, run.request.device)
    hardware = device.choose_for(run, work="dense", ranks=ranks)
    part_with_large_blocks()  # otherwise small Box2D allocations fragment the heap
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    run.note(simulator=environment.versions())
    num_steps, start = 0, time.perf_counter()
    if not ranks.broadcast(weights_path(run, NUMBER).exists()):
        with one_thread():
            num_steps = train_agent(recipe, run, hardware, ranks)
    rate = num_steps / (time.perf_counter() - start)
    reward = checkpoint.read_metadata(weights_path(run, NUMBER))["reward"]
    return Training(validation=reward, items_per_second=round(rate, 1))


def train_agent(recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks) -> int:
    """Train a new network by the recipe's method; return the environment steps taken."""
    new, others = (recipe, run.request.seed, hardware), (recipe, run, hardware, ranks)
    match recipe.method.name:
        case "reinforce":
            return reinforce.train_agent(new_state(PolicyNetwork, *new), *others)
        case "a2c":
            return a2c.train_agent(new_state(ActorCritic, *new), *others)
        case "ppo":
            return ppo.train_agent(new_state(ActorCritic, *new), *others)
        case "dqn":
            return dqn.train_agent(new_state(DuelingQNetwork, *new), *others)


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
