"""REINFORCE: raise the probability of an action by the rewards that came after it.

    grad J = mean over steps of  A_t grad log pi(a_t | s_t)

A_t = (G_t - b) / s: the return less the mean b of all returns (the baseline), over their deviation
s. Source: Williams 1992; in the course v0 (gamma = 0) to v3.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander.agent import learning, save_if_due, validate
from mlspring.homeworks.hw12_lander.methods.advantages import discounted_returns, standardised
from mlspring.homeworks.hw12_lander.models import PolicyNetwork, policy_of
from mlspring.homeworks.hw12_lander.recipe import MethodKnobs, Recipe
from mlspring.homeworks.hw12_lander.rollout import WHOLE_EPISODES, sampled
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.state import TrainState, clip_gradients


def train_agent(
    state: TrainState[PolicyNetwork], recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train the policy, from its last state if it has one; return the environment steps taken."""
    knobs = recipe.train
    with learning(state, recipe, run, ranks) as (books, envs):
        for step in books.steps():
            # rollout: one whole episode in each environment
            act = sampled(policy_of(state.model), envs.uniform(WHOLE_EPISODES))
            rollout = envs.rollout(act, WHOLE_EPISODES)
            observations, actions = rollout.tensors(hardware.device)
            rewards = rollout.rewards * np.float32(recipe.method.reward_scale)
            returns = discounted_returns(rewards, rollout.dones, recipe.method.gamma)
            advantages = torch.from_numpy(standardised(returns[rollout.valid])).to(hardware.device)

            # forward, loss
            with hardware.autocast():
                logits = state.model(observations)
            loss, entropy = loss_of(logits, actions, advantages, recipe.method)

            # backward, clip
            state.optimizer.zero_grad()
            loss.backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step)
            state.optimizer.step()

            # validate
            books.add(train__loss=loss.detach(), train__entropy=entropy.detach())
            if books.validates():
                validate(state, books, envs, recipe.collect.held_out, learning_rate=rate)
            save_if_due(books, envs)
    return envs.num_played


def loss_of(
    logits: Tensor, actions: Tensor, advantages: Tensor, knobs: MethodKnobs
) -> tuple[Tensor, Tensor]:
    """Return -mean(log pi(a|s) A) less the weighted entropy, and the policy's mean entropy.

    Args:
        logits: of pi, (n, 4).
        actions: int64 (n,).
        advantages: (n,).
        knobs: the entropy's weight.
    """
    log_policy = F.log_softmax(logits, 1)
    log_probs = log_policy.gather(1, actions[:, None]).squeeze(1)
    entropy = -(log_policy.exp() * log_policy).sum(1).mean()
    return -(log_probs * advantages).mean() - knobs.entropy_weight * entropy, entropy
