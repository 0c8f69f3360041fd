"""Counting: parameters of awkward modules, multiply-adds against closed forms and torch's own."""

import math

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mlspring.homeworks.hw13_compression import cost
from mlspring.homeworks.hw13_compression.architecture import NAMES
from mlspring.homeworks.hw13_compression.compress import softness
from mlspring.homeworks.hw13_compression.cost import (
    count_macs,
    count_parameters,
    layer_costs,
    median_milliseconds,
)
from mlspring.homeworks.hw13_compression.models import build
from tests.homeworks.hw13.test_models import odd


def test_shared_modules_count_once_and_frozen_ones_count() -> None:
    shared = nn.Linear(3, 4).requires_grad_(False)
    assert count_parameters(nn.Sequential(shared, nn.Linear(4, 3), shared)) == 16 + 15


def test_the_statistics_of_batch_norm_do_not_count() -> None:
    assert count_parameters(nn.BatchNorm2d(10)) == 20


class Wrapped(nn.Module):
    """One layer behind the interface that counting uses."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), 16 * 16 * 8 * 3 * 9),
        (nn.Conv2d(3, 8, 3), 14 * 14 * 8 * 3 * 9),
        (nn.Conv2d(3, 8, 5, stride=2, padding=2), 8 * 8 * 8 * 3 * 25),
        (nn.Conv2d(3, 3, 3, padding=1, groups=3), 16 * 16 * 3 * 9),
        (nn.Conv2d(3, 9, 1), 16 * 16 * 9 * 3),
        (nn.Sequential(nn.Flatten(), nn.Linear(768, 5)), 768 * 5),
        (nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.ReLU()), 16 * 16 * 6),
    ],
)
def test_multiply_adds_have_closed_forms(layer: nn.Module, macs: int) -> None:
    assert count_macs(Wrapped(layer), 16) == macs


@pytest.mark.parametrize("name", NAMES)
def test_multiply_adds_agree_with_torch_s_counter(name: str) -> None:
    model = build(odd(name))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 64, 64))
    assert 2 * count_macs(model, 64) == counter.get_total_flops()


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_hold_all_parameters(name: str) -> None:
    model = build(odd(name))
    layers = layer_costs(model, 64)
    assert sum(layer["parameters"] for layer in layers) == count_parameters(model)
    depthwise = [layer for layer in layers if layer["kind"] == "3x3 depthwise"]
    assert bool(depthwise) == (name in ("separable", "inverted"))


def test_a_norm_belongs_to_the_layer_before_it() -> None:
    layers = layer_costs(build(odd("plain")), 32)
    assert [layer["name"] for layer in layers] == [*(f"blocks.{i}" for i in range(4)), "classify"]
    assert layers[0]["parameters"] == 3 * 27 + 3 + 2 * 3, "filters, bias, batch norm"
    assert layers[0]["macs"] == 30 * 30 * 3 * 27


def test_counting_changes_nothing() -> None:
    model = build(odd("plain")).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    count_macs(model, 64)
    assert torch.rand(1) == expected, "the generator moved"
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(module._forward_hooks for module in model.modules())


def test_the_median_time_ignores_warm_up_and_outliers(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([v for ms in (90, 90, 90, 1, 2, 50) for v in (0.0, ms / 1000)])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(clock))
    found = median_milliseconds({"x": lambda images: images}, torch.zeros(1), repeats=3)
    assert found == {"x": pytest.approx(2.0)}


def test_networks_take_turns() -> None:
    calls: list[str] = []

    def note(name: str) -> torch.Tensor:
        calls.append(name)
        return torch.zeros(1)

    median_milliseconds(
        {"a": lambda _: note("a"), "b": lambda _: note("b")}, torch.zeros(1), repeats=2
    )
    turns = [calls[i : i + 2] for i in range(0, len(calls), 2)]
    assert turns == [["a", "b"] if i % 2 == 0 else ["b", "a"] for i in range(cost.WARM_UPS + 2)]


def test_a_higher_temperature_is_softer() -> None:
    soft = softness(torch.tensor([[4.0, 0.0, -2.0], [1.0, 9.0, 0.0]]))
    assert list(soft) == ["1", "2", "4", "8", "20"]
    expected = [[math.exp(v / 4) for v in row] for row in ((4, 0, -2), (9, 1, 0))]
    means = [sum(row[i] / sum(row) for row in expected) / 2 for i in range(3)]
    assert soft["4"] == pytest.approx(means)
    largest = [probabilities[0] for probabilities in soft.values()]
    assert largest == sorted(largest, reverse=True)
