"""A2C: a policy gradient whose baseline is a critic that learns V(s) beside it.

    loss = -mean(log pi(a|s) A) + value_weight * mean((V(s) - target)^2) - entropy_weight * H(pi)

A are generalised advantages of rollouts of ``collect.horizon`` steps, target = A + V(s).
Source: Mnih et al. 2016 (A3C, arXiv:1602.01783), its synchronous form.
"""

from torch import Tensor
from torch.nn import functional as F

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander.agent import learning, save_if_due, validate
from mlspring.homeworks.hw12_lander.methods.advantages import advantages_and_targets
from mlspring.homeworks.hw12_lander.models import ActorCritic, policy_of
from mlspring.homeworks.hw12_lander.recipe import MethodKnobs, Recipe
from mlspring.homeworks.hw12_lander.rollout import sampled
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.state import TrainState, clip_gradients


def train_agent(
    state: TrainState[ActorCritic], recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train actor and critic, from their last state if any; return the environment steps taken."""
    knobs, horizon = recipe.train, recipe.collect.horizon
    with learning(state, recipe, run, ranks) as (books, envs):
        for step in books.steps():
            # rollout: a few steps of each environment, which goes on in the next rollout
            act = sampled(policy_of(state.model), envs.uniform(horizon))
            rollout = envs.rollout(act, horizon)
            observations, actions = rollout.tensors(hardware.device)

            # forward, loss
            with hardware.autocast():
                logits, values = state.model(observations)
                advantages, targets = advantages_and_targets(
                    rollout, values.detach(), state.model.values, recipe.method
                )
            loss, value_loss, entropy = loss_of(
                logits, values, actions, advantages, targets, recipe.method
            )

            # backward, clip
            state.optimizer.zero_grad()
            loss.backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step)
            state.optimizer.step()

            # validate
            losses = {"train__value_loss": value_loss.detach(), "train__entropy": entropy.detach()}
            books.add(train__loss=loss.detach(), **losses)
            if books.validates():
                validate(state, books, envs, recipe.collect.held_out, learning_rate=rate)
            save_if_due(books, envs)
    return envs.num_played


def loss_of(
    logits: Tensor,
    values: Tensor,
    actions: Tensor,
    advantages: Tensor,
    targets: Tensor,
    knobs: MethodKnobs,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss above, the critic's part of it without weight, and the mean entropy.

    Args:
        logits: of pi, (n, 4).
        values: V(s), (n,).
        actions: int64 (n,).
        advantages: (n,), no gradient goes through them.
        targets: of the critic, (n,).
        knobs: the weights.
    """
    log_policy = F.log_softmax(logits, 1)
    log_probs = log_policy.gather(1, actions[:, None]).squeeze(1)
    entropy = -(log_policy.exp() * log_policy).sum(1).mean()
    policy_loss = -(log_probs * advantages).mean()
    value_loss = F.mse_loss(values, targets)
    loss = policy_loss + knobs.value_weight * value_loss - knobs.entropy_weight * entropy
    return loss, value_loss, entropy
