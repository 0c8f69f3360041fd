"""PPO: several passes over each rollout; the policy stays near the one that played it.

    rho = pi(a|s) / pi_old(a|s)
    loss = -mean(min(rho A, clip(rho, 1 - e, 1 + e) A)) + value_weight * mean((V(s) - target)^2)
           - entropy_weight * H(pi)

Source: Schulman et al. 2017 (arXiv:1707.06347), eq. 7.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander.agent import learning, save_if_due, validate
from mlspring.homeworks.hw12_lander.methods.advantages import advantages_and_targets
from mlspring.homeworks.hw12_lander.models import ActorCritic, policy_of
from mlspring.homeworks.hw12_lander.recipe import MethodKnobs, Recipe
from mlspring.homeworks.hw12_lander.rollout import Rollout, sampled
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, epoch_order
from mlspring.kit.state import TrainState, clip_gradients


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Steps to learn from, n of them, on the device.

    Args:
        observations: float32 (n, 8).
        actions: int64 (n,).
        log_probs: float32 (n,), of the actions under the policy that took them.
        advantages: float32 (n,).
        targets: float32 (n,), what the critic should have said.
    """

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.actions)

    def rows(self, chosen: Tensor) -> "Batch":
        """Return the steps at the positions ``chosen``."""
        return Batch(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def train_agent(
    state: TrainState[ActorCritic], recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train actor and critic, from their last state if any; return the environment steps taken."""
    knobs, horizon, epochs = recipe.train, recipe.collect.horizon, recipe.method.epochs
    with learning(state, recipe, run, ranks) as (books, envs):
        for step in books.steps():
            # rollout
            act = sampled(policy_of(state.model), envs.uniform(horizon))
            steps = to_batch(envs.rollout(act, horizon), state.model, recipe.method, hardware)
            rate = set_learning_rate(state.optimizer, knobs, step)

            # several updates, each on a minibatch of it
            order_seed = derive_seed(run.request.seed, "round", step)
            for positions in minibatches(len(steps), knobs.batch_size, epochs, order_seed):
                batch = steps.rows(positions.to(hardware.device))

                # forward, loss
                with hardware.autocast():
                    logits, values = state.model(batch.observations)
                loss, value_loss, entropy = loss_of(logits, values, batch, recipe.method)

                # backward, clip, step
                state.optimizer.zero_grad()
                loss.backward()
                clip_gradients(state.model, knobs.clip_norm)
                state.optimizer.step()
                means = {"train__value_loss": value_loss, "train__entropy": entropy}
                books.add(train__loss=loss.detach(), **{k: v.detach() for k, v in means.items()})

            # validate
            if books.validates():
                validate(state, books, envs, recipe.collect.held_out, learning_rate=rate)
            save_if_due(books, envs)
    return envs.num_played


def loss_of(
    logits: Tensor, values: Tensor, batch: Batch, knobs: MethodKnobs
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss above, the critic's part of it without weight, and the mean entropy.

    Args:
        logits: of pi, (n, 4).
        values: V(s), (n,).
        batch: n steps.
        knobs: the weights, and e.
    """
    log_policy = F.log_softmax(logits, 1)
    log_probs = log_policy.gather(1, batch.actions[:, None]).squeeze(1)
    entropy = -(log_policy.exp() * log_policy).sum(1).mean()
    ratio = (log_probs - batch.log_probs).exp()
    clipped = ratio.clamp(1 - knobs.clip_ratio, 1 + knobs.clip_ratio)
    policy_loss = -torch.minimum(ratio * batch.advantages, clipped * batch.advantages).mean()
    value_loss = F.mse_loss(values, batch.targets)
    loss = policy_loss + knobs.value_weight * value_loss - knobs.entropy_weight * entropy
    return loss, value_loss, entropy


@torch.no_grad()
def to_batch(rollout: Rollout, model: ActorCritic, knobs: MethodKnobs, hardware: Hardware) -> Batch:
    """Return the steps of a rollout with what the policy and the critic said of them then."""
    observations, actions = rollout.tensors(hardware.device)
    with hardware.autocast():
        logits, values = model(observations)
        advantages, targets = advantages_and_targets(rollout, values, model.values, knobs)
    return Batch(
        observations=observations,
        actions=actions,
        log_probs=F.log_softmax(logits, 1).gather(1, actions[:, None]).squeeze(1),
        advantages=advantages,
        targets=targets,
    )


def minibatches(num_steps: int, batch_size: int, num_passes: int, seed: int) -> list[Tensor]:
    """Return the positions of the steps that each update of a rollout learns from.

    Each pass has an order of its own; what does not fill a minibatch is left out of that pass.
    """
    if batch_size >= num_steps:
        return [torch.arange(num_steps)] * num_passes
    used = num_steps // batch_size * batch_size
    orders = (epoch_order(num_steps, seed, number)[:used] for number in range(num_passes))
    return [part for order in orders for part in order.split(batch_size)]
