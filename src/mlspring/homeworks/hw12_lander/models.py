"""The networks of homework 12: a policy, a policy with a critic, and action values.

n  observations
8  numbers of an observation
4  actions
"""

import math

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw12_lander.recipe import ModelKnobs
from mlspring.worlds.lander.environment import NUM_ACTIONS, NUM_OBSERVED, Floats
from mlspring.worlds.lander.policy import Policy

HIDDEN_GAIN, SMALL_GAIN = math.sqrt(2), 0.01  # a small last layer: every action is likely at first


class PolicyNetwork(nn.Module):
    """The logits of a policy pi(a|s) (reinforce)."""

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        self.activation = knobs.activation
        self.body = _layers(knobs)
        self.head = _linear(knobs.hidden[-1], NUM_ACTIONS, SMALL_GAIN)

    def forward(self, observations: Tensor) -> Tensor:
        """Return logits (n, 4) of observations (n, 8)."""
        return _in_float32(self.head(self.body(observations)))


class ActorCritic(nn.Module):
    """The logits of a policy, and layers of their own for the value V(s) (a2c, ppo)."""

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        self.activation = knobs.activation
        self.body = _layers(knobs)
        self.head = _linear(knobs.hidden[-1], NUM_ACTIONS, SMALL_GAIN)
        self.critic_body = _layers(knobs)
        self.critic = _linear(knobs.hidden[-1], 1, 1.0)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, 4) and values (n,) of observations (n, 8)."""
        logits = _in_float32(self.head(self.body(observations)))
        return logits, self.values(observations)

    def values(self, observations: Tensor) -> Tensor:
        """Return values (n,) of observations (n, 8)."""
        return _in_float32(self.critic(self.critic_body(observations))).squeeze(1)


class DuelingQNetwork(nn.Module):
    """Action values Q = V + A - mean A (dqn).

    Source: Wang et al. 2016 (arXiv:1511.06581), eq. 9.
    """

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        self.activation = knobs.activation
        self.body = _layers(knobs)
        self.head = _linear(knobs.hidden[-1], NUM_ACTIONS, SMALL_GAIN)  # A
        self.value = _linear(knobs.hidden[-1], 1, 1.0)  # V

    def forward(self, observations: Tensor) -> Tensor:
        """Return q_values (n, 4) of observations (n, 8)."""
        features = self.body(observations)
        advantages = _in_float32(self.head(features))
        values = _in_float32(self.value(features))  # (n, 1)
        return values + advantages - advantages.mean(1, keepdim=True)


Network = PolicyNetwork | ActorCritic | DuelingQNetwork


def build(method: str, knobs: ModelKnobs) -> Network:
    """Return the network of a method, with orthogonal weights and biases of zero."""
    if method == "reinforce":
        return PolicyNetwork(knobs)
    return DuelingQNetwork(knobs) if method == "dqn" else ActorCritic(knobs)


def policy_of(network: Network) -> Policy:
    """Return the layers that choose actions, as numpy arrays: what plays and what is handed in.

    They are a copy, which later updates do not change. The value of a dueling network is left out:
    it moves the four action values alike.
    """
    linear = [layer for layer in (*network.body, network.head) if isinstance(layer, nn.Linear)]
    return Policy(
        weights=[_to_numpy(layer.weight) for layer in linear],
        biases=[_to_numpy(layer.bias) for layer in linear],
        activation=network.activation,
    )


def _layers(knobs: ModelKnobs) -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = NUM_OBSERVED
    for units in knobs.hidden:
        activation = nn.Tanh() if knobs.activation == "tanh" else nn.ReLU()
        layers += [_linear(inputs, units, HIDDEN_GAIN), activation]
        inputs = units
    return nn.Sequential(*layers)


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        nn.init.orthogonal_(layer.weight, gain)
        nn.init.zeros_(layer.bias)
    return layer


def _in_float32(outputs: Tensor) -> Tensor:
    """Return outputs in 32 bits at least: losses are not taken in halves."""
    return outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs


def _to_numpy(parameter: Tensor) -> Floats:
    return parameter.detach().to("cpu", torch.float32, copy=True).numpy()
