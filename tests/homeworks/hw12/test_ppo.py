"""PPO's batches: what actor and critic said of a rollout, in shuffled parts."""

import torch

from mlspring.homeworks.hw12_lander.methods import ppo
from mlspring.homeworks.hw12_lander.methods.advantages import (
    advantages_and_targets,
)
from mlspring.homeworks.hw12_lander.models import ActorCritic
from tests.homeworks.hw12.cases import HARDWARE, network, random_rollout, recipe


def test_a_batch_of_ppo_is_what_actor_and_critic_said() -> None:
    made = recipe("boss")
    model, rollout = network(made).float(), random_rollout(num_steps=9)
    assert isinstance(model, ActorCritic)
    batch = ppo.to_batch(rollout, model, made.method, HARDWARE)
    observations, actions = rollout.tensors(torch.device("cpu"))
    with torch.no_grad():
        logits, values = model(observations)
    assert torch.equal(batch.observations, observations) and torch.equal(batch.actions, actions)
    expected = torch.distributions.Categorical(logits=logits).log_prob(actions)
    assert torch.allclose(batch.log_probs, expected, atol=1e-6)
    both = advantages_and_targets(rollout, values, model.values, made.method)
    assert torch.equal(batch.advantages, both[0]) and torch.equal(batch.targets, both[1])
    assert not any(getattr(batch, name).requires_grad for name in ("log_probs", "advantages"))


def test_every_pass_sees_every_step_once_in_an_order_of_its_own() -> None:
    orders = {}
    for seed in (0, 1):
        batches = ppo.minibatches(64, 16, 3, seed)
        assert [len(batch) for batch in batches] == [16] * 12
        orders[seed] = [tuple(torch.cat(batches[i : i + 4]).tolist()) for i in (0, 4, 8)]
        assert all(sorted(order) == list(range(64)) for order in orders[seed])
    assert len({*orders[0], *orders[1]}) == 6, "no two passes are alike, in whatever rollout"


def test_a_rollout_that_fills_no_minibatch_is_one() -> None:
    assert [batch.tolist() for batch in ppo.minibatches(12, 16, 2, 0)] == [list(range(12))] * 2
    left_out = ppo.minibatches(40, 16, 1, 0)
    assert [len(batch) for batch in left_out] == [16, 16], "what fills no minibatch is left out"
