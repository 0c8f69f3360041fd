"""DQN: learn action values Q(s, a) from transitions that were played long ago, too.

    loss = smooth_l1(Q(s, a), r + gamma Q'(s', argmax_a' Q(s', a')))

Q' is the target network, a copy that follows in jumps; after a terminated episode there is only r.
Sources: Mnih et al. 2015 (Nature 518:529); double: van Hasselt et al. 2016 (arXiv:1509.06461).
"""

import copy
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander.agent import learning, save_if_due, validate
from mlspring.homeworks.hw12_lander.models import DuelingQNetwork, policy_of
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import ActFn, Rollout
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import generator
from mlspring.kit.state import TrainState, clip_gradients
from mlspring.worlds.lander.environment import NUM_ACTIONS, NUM_OBSERVED, Actions, Floats
from mlspring.worlds.lander.policy import Policy

TARGET_EVERY = 500  # updates between copies to the target network
EPSILON_END, EPSILON_STEPS = 0.05, 20_000  # share of random actions in the end; updates until then


def train_agent(
    state: TrainState[DuelingQNetwork], recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train the action values, from their last state if any; return the environment steps taken."""
    knobs, seed, horizon = recipe.train, run.request.seed, recipe.collect.horizon
    target_network = copy.deepcopy(state.model)
    replay_buffer = ReplayBuffer(recipe.replay.capacity).to(hardware.device)
    others = {"target": target_network, "replay_buffer": replay_buffer}
    state = replace(state, others={**state.others, **others})
    with learning(state, recipe, run, ranks) as (books, envs):
        for step in books.steps():
            # rollout into the replay buffer, several at first; batch from all it holds
            policy, share = policy_of(state.model), epsilon(step - 1)
            while True:
                act = epsilon_greedy(policy, envs.uniform(horizon), share)
                replay_buffer.add(envs.rollout(act, horizon), recipe.method.reward_scale)
                if len(replay_buffer) >= recipe.replay.learning_starts:
                    break
            batch = replay_buffer.sample(knobs.batch_size, generator(seed, "memory", step))

            # forward, loss
            with hardware.autocast():
                loss = loss_of(state.model, target_network, batch, recipe.method.gamma)

            # backward, clip
            state.optimizer.zero_grad()
            loss.backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step)
            state.optimizer.step()
            if step % TARGET_EVERY == 0:
                target_network.load_state_dict(state.model.state_dict())

            # validate
            books.add(train__loss=loss.detach())
            if books.validates():
                held_out = recipe.collect.held_out
                validate(state, books, envs, held_out, epsilon=share, learning_rate=rate)
            save_if_due(books, envs)
    return envs.num_played


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """Steps drawn from the replay buffer, n of them.

    Args:
        observations: float32 (n, 8); ``next_observations`` likewise, after the step.
        actions: int64 (n,).
        rewards: float32 (n,).
        terminated: float32 (n,), 1 where nothing follows; a truncated episode would go on.
    """

    observations: Tensor
    next_observations: Tensor
    actions: Tensor
    rewards: Tensor
    terminated: Tensor


TRANSITION = [part.name for part in fields(Transitions)]


def loss_of(
    model: DuelingQNetwork, target_network: DuelingQNetwork, batch: Transitions, gamma: float
) -> Tensor:
    """Return the smooth L1 loss of Q(s, a) against r + gamma Q'(s', argmax Q(s', .)).

    The network that learns chooses the next action and the target network values it (double): the
    largest of noisy values alone would be too large.
    """
    q_values = model(batch.observations).gather(1, batch.actions[:, None]).squeeze(1)
    with torch.no_grad():
        next_actions = model(batch.next_observations).argmax(1, keepdim=True)
        next_values = target_network(batch.next_observations).gather(1, next_actions).squeeze(1)
        targets = batch.rewards + gamma * (1 - batch.terminated) * next_values
    return F.smooth_l1_loss(q_values, targets)


class ReplayBuffer(nn.Module):
    """The last ``capacity`` transitions; the oldest is overwritten first.

    A module of buffers only, so that a resumable state holds it like a network.
    """

    rewards: Tensor
    num_added: Tensor

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.register_buffer("observations", torch.zeros(capacity, NUM_OBSERVED))
        self.register_buffer("next_observations", torch.zeros(capacity, NUM_OBSERVED))
        self.register_buffer("actions", torch.zeros(capacity, dtype=torch.int64))
        self.register_buffer("rewards", torch.zeros(capacity))
        self.register_buffer("terminated", torch.zeros(capacity))
        self.register_buffer("num_added", torch.zeros((), dtype=torch.int64))  # ever

    def __len__(self) -> int:
        return min(int(self.num_added), self.capacity)

    def add(self, rollout: Rollout, reward_scale: float) -> None:
        """Keep the steps of a rollout, the last ``capacity`` of them."""
        device = self.rewards.device
        valid = torch.from_numpy(rollout.valid)
        num = min(int(valid.sum()), self.capacity)
        rows = (torch.arange(num, device=device) + int(self.num_added)) % self.capacity
        for name in TRANSITION:
            values = torch.from_numpy(getattr(rollout, name))[valid][-num:].to(device)
            if name == "rewards":
                values = values * reward_scale
            buffer = getattr(self, name)
            buffer[rows] = values.to(buffer.dtype)
        self.num_added += num

    def sample(self, num: int, stream: torch.Generator) -> Transitions:
        """Return ``num`` transitions, each drawn from all, with replacement."""
        rows = torch.randint(len(self), (num,), generator=stream).to(self.rewards.device)
        return Transitions(**{name: getattr(self, name)[rows] for name in TRANSITION})


def epsilon(step: int, end: float = EPSILON_END, num_steps: int = EPSILON_STEPS) -> float:
    """Return the share of random actions at ``step`` (counted from 0): linear from 1 to ``end``."""
    done = min(step / num_steps, 1.0)
    return 1 + (end - 1) * done


def epsilon_greedy(policy: Policy, uniform: Floats, share: float) -> ActFn:
    """Return the best actions, but random ones in a ``share`` of the steps.

    Args:
        policy: chooses the best action.
        uniform: random numbers in [0, 1), (T, n, 4); of a step the first decides whether the
            action is random, the second which one.
        share: epsilon.
    """

    def act(observations: Floats, step: int) -> Actions:
        anything = (uniform[step, :, 1] * NUM_ACTIONS).astype(np.int64)
        return np.where(uniform[step, :, 0] < share, anything, policy.greedy(observations))

    return act
