"""DQN: learn what an action is worth from what was played long ago, too.

Source: Mnih et al. 2015 (Nature 518:529); double: van Hasselt et al. 2016 (arXiv:1509.06461).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw12_lander.environment import NUM_OBSERVED
from mlspring.homeworks.hw12_lander.models import Agent
from mlspring.homeworks.hw12_lander.recipe import MethodKnobs, ReplayKnobs
from mlspring.homeworks.hw12_lander.rollout import Round


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """Steps drawn from the memory, n of them.

    Args:
        observations: float32 (n, 8); ``following`` likewise, after the step.
        actions: int64 (n,).
        rewards: float32 (n,).
        terminated: float32 (n,), 1 where nothing follows; a cut episode goes on.
    """

    observations: Tensor
    following: Tensor
    actions: Tensor
    rewards: Tensor
    terminated: Tensor


class Memory(nn.Module):
    """The last ``capacity`` transitions; the oldest is overwritten first.

    A module of buffers only, so that a resumable state holds it like a network.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.register_buffer("observations", torch.zeros(capacity, NUM_OBSERVED))
        self.register_buffer("following", torch.zeros(capacity, NUM_OBSERVED))
        self.register_buffer("actions", torch.zeros(capacity, dtype=torch.int64))
        self.register_buffer("rewards", torch.zeros(capacity))
        self.register_buffer("terminated", torch.zeros(capacity))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))  # transitions ever added

    def __len__(self) -> int:
        return min(int(self.seen), self.capacity)

    def add(self, made: Round, reward_scale: float) -> None:
        """Keep the steps of a round."""
        device, seen = self.rewards.device, int(self.seen)
        taken = torch.from_numpy(made.taken)
        num = min(int(taken.sum()), self.capacity)
        place = (torch.arange(num, device=device) + seen) % self.capacity
        for name in ("observations", "following", "actions", "rewards", "terminated"):
            values = torch.from_numpy(getattr(made, name))[taken][-num:].to(device)
            if name == "rewards":
                values = values * reward_scale
            buffer = getattr(self, name)
            buffer[place] = values.to(buffer.dtype)
        self.seen += num

    def draw(self, num: int, stream: torch.Generator) -> Transitions:
        """Return ``num`` transitions, each drawn from all, with replacement."""
        chosen = torch.randint(len(self), (num,), generator=stream).to(self.rewards.device)
        return Transitions(
            observations=self.observations[chosen],
            following=self.following[chosen],
            actions=self.actions[chosen],
            rewards=self.rewards[chosen],
            terminated=self.terminated[chosen],
        )


def loss(
    model: Agent, target: Agent, drawn: Transitions, knobs: MethodKnobs, replay: ReplayKnobs
) -> Tensor:
    """Return the smooth L1 loss of Q(s, a) against r + gamma Q'(s', a'), Q' the target network.

    a' is the best action by Q', or by Q with ``double``; behind a terminated episode lies nothing.
    """
    worth = model(drawn.observations)[0].gather(1, drawn.actions[:, None]).squeeze(1)
    with torch.no_grad():
        later = target(drawn.following)[0]
        by = model(drawn.following)[0] if replay.double else later
        best = later.gather(1, by.argmax(1, keepdim=True)).squeeze(1)
        wanted = drawn.rewards + knobs.gamma * (1 - drawn.terminated) * best
    return F.smooth_l1_loss(worth, wanted)


def epsilon(step: int, replay: ReplayKnobs) -> float:
    """Return the share of random actions at ``step`` (counted from 0): a line down from 1."""
    done = min(step / replay.epsilon_steps, 1.0)
    return 1 + (replay.epsilon_end - 1) * done
