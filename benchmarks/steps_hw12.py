"""One training step of homework 12 (REINFORCE), with its episodes played, and on fixed ones."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mlspring.core.errors import RecipeError
from mlspring.homeworks.hw12_lander.agent import new_state
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.methods import reinforce
from mlspring.homeworks.hw12_lander.methods.advantages import discounted_returns, standardised
from mlspring.homeworks.hw12_lander.models import PolicyNetwork, policy_of
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import WHOLE_EPISODES, VectorEnv, sampled
from mlspring.kit import device
from mlspring.kit.distributed import ALONE
from mlspring.kit.state import clip_gradients


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return an update that plays its episodes, and one that learns from the first ones again.

    What other homeworks load is played here, so the rates' ratio is the share of learning.

    Raises:
        RecipeError: the recipe is of another method.
    """
    if recipe.method.name != "reinforce":
        raise RecipeError(f"method.name = {recipe.method.name!r}", expected="'reinforce'")
    hardware = device.choose("auto", "auto", work="dense")
    state = new_state(PolicyNetwork, recipe, 0, hardware)
    envs = VectorEnv(0, recipe.collect.num_envs, ALONE)
    envs.load_state_dict(None)

    def play() -> tuple[Tensor, Tensor, Tensor]:
        act = sampled(policy_of(state.model), envs.uniform(WHOLE_EPISODES))
        rollout = envs.rollout(act, WHOLE_EPISODES)
        returns = discounted_returns(rollout.rewards, rollout.dones, recipe.method.gamma)
        advantages = torch.from_numpy(standardised(returns[rollout.valid]))
        return *rollout.tensors(hardware.device), advantages.to(hardware.device)

    def learn(observations: Tensor, actions: Tensor, advantages: Tensor) -> None:
        with hardware.autocast():
            logits = state.model(observations)
        loss, _ = reinforce.loss_of(logits, actions, advantages, recipe.method)
        state.optimizer.zero_grad()
        loss.backward()
        clip_gradients(state.model, recipe.train.clip_norm)
        state.optimizer.step()

    first = play()
    return lambda: learn(*play()), lambda: learn(*first)
