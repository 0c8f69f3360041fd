"""One training step of homework 12, with its rounds played, and on one fixed round."""

from collections.abc import Callable
from typing import Any

from torch import nn

from mlspring.homeworks.hw12_lander import train
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import Players
from mlspring.kit import device
from mlspring.kit.distributed import ALONE


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return an update that plays a round whenever one is used up, and one on the first round.

    What other homeworks load is played here, so the rates' ratio is the share of learning.
    """
    hardware = device.choose("auto", "auto", work="dense")
    member = train.new_state(0, recipe, 0, hardware)
    players = Players(0, recipe.collect.num_envs, data.max_steps, ALONE)
    players.go_on(None)
    count = 0

    def play(step: int) -> Any:
        items, _ = train.play_round(member, recipe, players, hardware, (0, step))
        return items, train.minibatches(items, recipe, 0, step)

    def learn(items: Any, batches: Any, step: int) -> None:
        with hardware.autocast():
            moment = (0, step, step % recipe.round_steps)
            losses = train.losses_of(member, items, batches, recipe, moment)
        member.optimizer.zero_grad()
        losses[0].backward()
        nn.utils.clip_grad_norm_(member.model.parameters(), recipe.train.clip_norm)
        member.optimizer.step()

    fixed = held = play(1)

    def play_and_learn() -> None:
        nonlocal count, held
        if count % recipe.round_steps == 0:
            held = play(count + 1)
        learn(*held, count)
        count += 1

    return play_and_learn, lambda: learn(*fixed, count)
