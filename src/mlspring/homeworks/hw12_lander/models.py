"""The networks of homework 12: an actor with or without a critic, and action values."""

import math

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw12_lander.environment import NUM_ACTIONS, NUM_OBSERVED, Floats
from mlspring.homeworks.hw12_lander.policy import Policy
from mlspring.homeworks.hw12_lander.recipe import ModelKnobs

HIDDEN_GAIN, SMALL_GAIN = math.sqrt(2), 0.01  # a small last layer: every action is likely at first


class Agent(nn.Module):
    """Preferences of the four actions, and the value of where the lander is.

    The preferences are the logits of a policy, or the action values of a Q-network.

    Args:
        knobs: layers, activation, and whether the value has layers of its own.
    """

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        self.activation, self.dueling = knobs.activation, knobs.dueling
        self.body = _layers(knobs)
        self.head = _linear(knobs.hidden[-1], NUM_ACTIONS, SMALL_GAIN)
        separate = knobs.critic == "separate"
        self.critic_body = _layers(knobs) if separate else None
        values = knobs.critic != "none" or knobs.dueling
        self.critic = _linear(knobs.hidden[-1], 1, 1.0) if values else None

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Return preferences (n, 4) and values (n,), zeros without a critic, of (n, 8).

        With ``dueling``, Q = V + A - mean A (Wang et al. 2016, arXiv:1511.06581, eq. 9).
        """
        features = self.body(observations)
        preferences = _whole(self.head(features))
        if self.critic is None:
            return preferences, preferences.new_zeros(len(preferences))
        if self.critic_body is not None:
            features = self.critic_body(observations)
        values = _whole(self.critic(features)).squeeze(1)
        if self.dueling:
            preferences = values[:, None] + preferences - preferences.mean(1, keepdim=True)
        return preferences, values

    def policy(self) -> Policy:
        """Return the actor's numbers, by which it acts in the environment and before the judge.

        They are a copy, which later updates do not change. Of a dueling network the value is left
        out: it moves all preferences alike.
        """
        linear = [*(m for m in self.body if isinstance(m, nn.Linear)), self.head]
        return Policy(
            weights=[_numbers(layer.weight) for layer in linear],
            biases=[_numbers(layer.bias) for layer in linear],
            activation=self.activation,
        )


def build(knobs: ModelKnobs) -> Agent:
    """Return the network that the recipe names, with orthogonal weights and biases of zero."""
    return Agent(knobs)


def _layers(knobs: ModelKnobs) -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = NUM_OBSERVED
    for units in knobs.hidden:
        between = nn.Tanh() if knobs.activation == "tanh" else nn.ReLU()
        layers += [_linear(inputs, units, HIDDEN_GAIN), between]
        inputs = units
    return nn.Sequential(*layers)


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        nn.init.orthogonal_(layer.weight, gain)
        nn.init.zeros_(layer.bias)
    return layer


def _whole(values: Tensor) -> Tensor:
    """Return values in 32 bits at least: losses are not taken in halves."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def _numbers(parameter: Tensor) -> Floats:
    return parameter.detach().to("cpu", torch.float32, copy=True).numpy()
