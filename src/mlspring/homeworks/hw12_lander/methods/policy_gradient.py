"""REINFORCE, actor-critic and PPO: raise the probability of what turned out well.

All three share what a round is turned into, and differ in how often they learn from it and in how
far a probability may move meanwhile.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw12_lander.methods import returns
from mlspring.homeworks.hw12_lander.models import Agent
from mlspring.homeworks.hw12_lander.recipe import MethodKnobs
from mlspring.homeworks.hw12_lander.rollout import Round
from mlspring.kit.device import Hardware


@dataclass(frozen=True, kw_only=True)
class Items:
    """The steps of a round as they are learnt from, n of them, on the device.

    Args:
        observations: float32 (n, 8).
        actions: int64 (n,).
        advantages: float32 (n,), what each action is praised for.
        returns: float32 (n,), what the critic should have said.
        log_probs: float32 (n,), of the actions under the policy that took them.
    """

    observations: Tensor
    actions: Tensor
    advantages: Tensor
    returns: Tensor
    log_probs: Tensor

    def __len__(self) -> int:
        return len(self.actions)

    def part(self, chosen: Tensor) -> "Items":
        """Return the items at the positions ``chosen``."""
        return Items(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The loss to descend, and its parts for the log."""

    total: Tensor
    policy: Tensor
    value: Tensor
    entropy: Tensor


@torch.no_grad()
def prepare(made: Round, model: Agent, knobs: MethodKnobs, hardware: Hardware) -> Items:
    """Return the taken steps of a round with their advantages, in the order (step, environment)."""
    taken = torch.from_numpy(made.taken)
    observations = torch.from_numpy(made.observations)[taken].to(hardware.device)
    actions = torch.from_numpy(made.actions)[taken].to(hardware.device)
    with hardware.autocast():
        preferences, said = model(observations)
    log_probs = _log_prob(preferences, actions)
    values = np.zeros(made.taken.shape, np.float32)
    values[made.taken] = said.cpu().numpy()
    advantages, targets = judge(made, values, model, knobs, hardware)
    advantages = advantages[made.taken]
    if knobs.normalise:
        advantages = returns.standardised(advantages)
    return Items(
        observations=observations,
        actions=actions,
        advantages=torch.from_numpy(advantages).to(hardware.device),
        returns=torch.from_numpy(targets[made.taken]).to(hardware.device),
        log_probs=log_probs,
    )


def judge(
    made: Round, values: returns.Array, model: Agent, knobs: MethodKnobs, hardware: Hardware
) -> tuple[returns.Array, returns.Array]:
    """Return advantages and the critic's targets, both (T, N)."""
    rewards = made.rewards * np.float32(knobs.reward_scale)
    if knobs.credit == "immediate":
        return rewards, rewards
    if knobs.credit == "return":
        sums = returns.discounted(rewards, made.ended, knobs.gamma)
        return sums, sums
    following = following_values(made, values, model, hardware)
    advantages = returns.generalised(
        rewards, values, following, made.terminated, made.ended, knobs.gamma, knobs.gae_lambda
    )
    return advantages, advantages + values


@torch.no_grad()
def following_values(
    made: Round, values: returns.Array, model: Agent, hardware: Hardware
) -> returns.Array:
    """Return the critic's value of what followed each step, (T, N).

    Inside an episode that is the next step's; the critic is asked again only where the limit of
    steps or the end of the round cut an episode.
    """
    following = np.empty_like(values)
    following[:-1] = values[1:]
    cut = made.truncated.copy()
    cut[-1] |= ~made.terminated[-1]
    if cut.any():
        with hardware.autocast():
            _, said = model(torch.from_numpy(made.following[cut]).to(hardware.device))
        following[cut] = said.cpu().numpy()
    return following


def loss(model: Agent, items: Items, knobs: MethodKnobs) -> Losses:
    """Return the loss of some items.

    - reinforce, actor_critic: -mean(log pi(a|s) A) (Williams 1992; Mnih et al. 2016,
      arXiv:1602.01783).
    - ppo: -mean(min(rho A, clip(rho, 1 - e, 1 + e) A)), rho = pi(a|s) / pi_old(a|s) (Schulman et
      al. 2017, arXiv:1707.06347, eq. 7).

    Both with ``value_weight`` times the critic's mean squared error, where there is one, and minus
    ``entropy`` times the policy's mean entropy.
    """
    preferences, values = model(items.observations)
    every = F.log_softmax(preferences, 1)
    log_probs = every.gather(1, items.actions[:, None]).squeeze(1)
    entropy = -(every.exp() * every).sum(1).mean()
    if knobs.name == "ppo":
        ratio = (log_probs - items.log_probs).exp()
        near = ratio.clamp(1 - knobs.clip_ratio, 1 + knobs.clip_ratio)
        policy = -torch.minimum(ratio * items.advantages, near * items.advantages).mean()
    else:
        policy = -(log_probs * items.advantages).mean()
    value = F.mse_loss(values, items.returns) if knobs.credit == "gae" else torch.zeros_like(policy)
    total = policy + knobs.value_weight * value - knobs.entropy * entropy
    return Losses(total=total, policy=policy, value=value, entropy=entropy)


def _log_prob(preferences: Tensor, actions: Tensor) -> Tensor:
    return F.log_softmax(preferences, 1).gather(1, actions[:, None]).squeeze(1)
