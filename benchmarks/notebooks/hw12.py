"""Homework 12 as the notebook trains it: one lander, one action at a time, five episodes an update.

    python -m benchmarks.notebooks.hw12 DIR RECIPE UPDATES SEED

plays with the recipe's network and discount, and prints one JSON object: the steps of the
environment after each update with the seconds since the start.
"""

import json
import sys
import time

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.spec import SPEC

NUM_EPISODES, LEARNING_RATE = 5, 0.001


class PolicyGradientNetwork(nn.Module):
    """Probabilities of the four actions."""

    def __init__(self, hidden: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        inputs = 8
        for units in hidden:
            self.layers.append(nn.Linear(inputs, units))
            inputs = units
        self.last = nn.Linear(inputs, 4)

    def forward(self, state: Tensor) -> Tensor:
        """Return probabilities (4,) of a state (8,)."""
        for layer in self.layers:
            state = torch.tanh(layer(state))
        return torch.softmax(self.last(state), dim=-1)


def main(level: str, updates: int, seed: int) -> None:
    """Train for so many updates and print the steps and the clock after each."""
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml")
    torch.manual_seed(seed)
    start = time.perf_counter()
    env = gymnasium.make("LunarLander-v3")
    network = PolicyGradientNetwork(recipe.model.hidden)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    num_steps, reached = 0, []
    state, _ = env.reset(seed=seed)
    for _ in range(updates):
        log_probs, returns = [], []
        for _ in range(NUM_EPISODES):
            rewards, done = [], False
            while not done:
                choice = Categorical(network(torch.FloatTensor(state)))
                action = choice.sample()
                log_probs.append(choice.log_prob(action))
                state, reward, terminated, truncated, _ = env.step(action.item())
                rewards.append(reward)
                done = terminated or truncated
            num_steps += len(rewards)
            backwards, later = [], 0.0
            for reward in reversed(rewards):
                later = reward + recipe.method.gamma * later
                backwards.append(later)
            returns += backwards[::-1]
            state, _ = env.reset()
        advantages = np.array(returns, np.float32)
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-9)
        loss = (-torch.stack(log_probs) * torch.from_numpy(advantages)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        reached.append((round(time.perf_counter() - start, 2), num_steps))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
