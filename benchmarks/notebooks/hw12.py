"""Homework 12 as the notebook trains it: one lander, one action at a time.

    python -m benchmarks.notebooks.hw12 DIR --level medium

The hints are a sum of later rewards (simple), a critic (medium), PPO (strong) and its tuning
(boss). An update learns from as many steps as in ours, all of them played in one environment. What
is noted after each update are the environment's steps, not a score.
"""

from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from benchmarks.notebooks.way import Way, run
from mlspring.homeworks.hw12_lander.models import build


@dataclass
class Steps:
    """What was played: lists, an entry a step."""

    states: list[Any] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)  # "", "terminated" or "truncated"
    next_states: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rewards)


class Player:
    """One environment and what plays it."""

    def __init__(self, way: Way, network: nn.Module) -> None:
        self.way, self.network = way, network
        self.env = gymnasium.make("LunarLander-v3")
        self.state, _ = self.env.reset(seed=way.seed)

    def play(self, num_episodes: int = 0, num_steps: int = 0) -> Steps:
        """Return so many whole episodes, or so many steps, which the next call goes on from."""
        steps, done = Steps(), 0
        while (done < num_episodes) if num_episodes else (len(steps) < num_steps):
            self.way.check_time()
            with torch.no_grad():
                action = Categorical(logits=self.logits(self.state)).sample().item()
            state, reward, terminated, truncated, _ = self.env.step(action)
            steps.states.append(self.state)
            steps.actions.append(action)
            steps.rewards.append(float(reward) * self.way.recipe.method.reward_scale)
            steps.next_states.append(state)
            steps.ends.append("terminated" if terminated else "truncated" if truncated else "")
            self.state = state
            if terminated or truncated:
                done += 1
                self.state, _ = self.env.reset()
        return steps

    def logits(self, state: Any) -> Tensor:
        """Return the logits (1, 4) of the actions in one state."""
        outputs = self.network(torch.from_numpy(state)[None].to(self.way.device))
        return outputs[0] if isinstance(outputs, tuple) else outputs


def returns(steps: Steps, gamma: float) -> list[float]:
    """Return the discounted sum of the rewards after each step of its episode."""
    backwards, later = [], 0.0
    for reward, end in zip(reversed(steps.rewards), reversed(steps.ends), strict=True):
        later = reward + gamma * (0.0 if end else later)
        backwards.append(later)
    return backwards[::-1]


@torch.no_grad()
def advantages(way: Way, steps: Steps, network: nn.Module) -> tuple[list[float], list[float]]:
    """Return generalised advantages, and what the critic should have said."""
    knobs, backwards, later = way.recipe.method, [], 0.0
    asked = torch.from_numpy(np.stack([steps.states, steps.next_states])).to(way.device)
    before, after = (network.values(states).tolist() for states in asked)
    for i in reversed(range(len(steps))):
        follows = 0.0 if steps.ends[i] == "terminated" else after[i]
        delta = steps.rewards[i] + knobs.gamma * follows - before[i]
        later = delta + knobs.gamma * knobs.gae_lambda * (0.0 if steps.ends[i] else later)
        backwards.append(later)
    found = backwards[::-1]
    return found, [a + b for a, b in zip(found, before, strict=True)]


def standardised(values: list[float], device: torch.device) -> Tensor:
    """Return values of mean 0 and deviation 1."""
    tensor = torch.tensor(values, device=device)
    return (tensor - tensor.mean()) / (tensor.std() + 1e-9)


def train(way: Way) -> None:
    """Play and learn in turns with the level's numbers."""
    collect, method, knobs = way.recipe.collect, way.recipe.method, way.recipe.train
    network = build(method.name, way.recipe.model).to(way.device)
    optimizer = torch.optim.Adam(network.parameters(), knobs.learning_rate)
    player, num_steps = Player(way, network), 0

    def learn(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        if knobs.clip_norm:
            nn.utils.clip_grad_norm_(network.parameters(), max_norm=knobs.clip_norm)
        optimizer.step()

    for step in range(1, knobs.steps + 1):
        way.set_rate(optimizer, step)
        if method.name == "reinforce":
            played = player.play(num_episodes=collect.num_envs)
        else:
            played = player.play(num_steps=collect.num_envs * collect.horizon)
        states = torch.from_numpy(np.stack(played.states)).to(way.device)
        actions = torch.tensor(played.actions, device=way.device)
        if method.name == "reinforce":
            worth = standardised(returns(played, method.gamma), way.device)
            policy = Categorical(logits=network(states))
            learn(-(policy.log_prob(actions) * worth).mean())
        else:
            found, wanted = advantages(way, played, network)
            worth, targets = standardised(found, way.device), torch.tensor(wanted).to(way.device)
            with torch.no_grad():
                before = Categorical(logits=network(states)[0]).log_prob(actions)
            for rows in minibatches(len(played), knobs.batch_size, method):
                logits, values = network(states[rows])
                policy = Categorical(logits=logits)
                log_probs, gains = policy.log_prob(actions[rows]), worth[rows]
                if method.name == "ppo":
                    ratio = (log_probs - before[rows]).exp()
                    clipped = ratio.clamp(1 - method.clip_ratio, 1 + method.clip_ratio)
                    loss = -torch.minimum(ratio * gains, clipped * gains).mean()
                else:
                    loss = -(log_probs * gains).mean()
                loss = loss + method.value_weight * nn.functional.mse_loss(values, targets[rows])
                learn(loss - method.entropy_weight * policy.entropy().mean())
        num_steps += len(played)
        way.validated(num_steps)


def minibatches(num_steps: int, size: int, method: Any) -> list[Tensor]:
    """Return the rows of each update: of PPO some at a time, several passes; else all at once."""
    if method.name != "ppo":
        return [torch.arange(num_steps)]
    return [rows for _ in range(method.epochs) for rows in torch.randperm(num_steps).split(size)]


if __name__ == "__main__":
    run("hw12", train)
