"""Counting: parameters of awkward modules, multiply-adds against closed forms and torch's own."""

import math

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mlspring.homeworks.hw13_compression import cost
from mlspring.homeworks.hw13_compression.architecture import NAMES, Architecture
from mlspring.homeworks.hw13_compression.cost import (
    count_macs,
    count_parameters,
    layer_costs,
    median_milliseconds,
    separable_pairs,
    separable_saving,
    softness,
)
from mlspring.homeworks.hw13_compression.models import build
from tests.homeworks.test_hw13_models import odd


def test_shared_modules_count_once() -> None:
    shared = nn.Linear(3, 4)
    assert count_parameters(nn.Sequential(shared, nn.Linear(4, 3), shared)) == 16 + 15
    assert count_parameters(shared, shared, nn.Linear(3, 4)) == 32


def test_bare_and_frozen_parameters_and_buffers_of_weights_count() -> None:
    module = nn.Module()
    module.scale = nn.Parameter(torch.ones(7))
    module.frozen = nn.Parameter(torch.ones(5), requires_grad=False)
    module.register_buffer("stem", torch.ones(3, 2))
    module.register_buffer("hidden", torch.ones(4), persistent=False)
    module.register_buffer("steps", torch.tensor(3))
    assert count_parameters(module) == 7 + 5 + 6 + 4


def test_the_statistics_of_batch_norm_do_not_count() -> None:
    assert count_parameters(nn.BatchNorm2d(10)) == 20


def test_an_ensemble_is_added_up() -> None:
    assert count_parameters(nn.Linear(3, 4), nn.Linear(4, 5)) == 16 + 25


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
    assert sum(layer.parameters for layer in layers) == count_parameters(model)
    depthwise = [layer for layer in layers if layer.kind == "3x3 depthwise"]
    assert bool(depthwise) == (name in ("separable", "inverted"))


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


def test_a_separable_convolution_saves_as_on_the_slides() -> None:
    assert separable_saving(64, 64, 3) == (36_864, 4_672)
    plain = nn.Conv2d(64, 64, 3, bias=False)
    parts = nn.Sequential(
        nn.Conv2d(64, 64, 3, groups=64, bias=False), nn.Conv2d(64, 64, 1, bias=False)
    )
    assert (count_parameters(plain), count_parameters(parts)) == separable_saving(64, 64, 3)


def test_each_3_x_3_step_is_counted_both_ways() -> None:
    plain = Architecture(name="plain", channels=(32, 32, 64, 100))
    assert separable_pairs(plain) == [
        ("blocks.0", 864, 123),
        ("blocks.1", 9_216, 1_312),
        ("blocks.2", 18_432, 2_336),
        ("blocks.3", 57_600, 6_976),
    ]
    thin = Architecture(name="separable", channels=(1, 5, 6, 7, 8, 9, 10, 11))
    pairs = separable_pairs(thin)
    assert [name for name, *_ in pairs] == ["stem", *(f"blocks.{i}" for i in range(7))]
    assert pairs[1] == ("blocks.0", 9 * 1 * 5, 9 * 1 + 1 * 5)
    stem, *blocks = pairs
    weights = {n: math.prod(s) for n, s in thin.shapes.items() if len(s) == 4}
    assert sum(weights.values()) == stem[1] + sum(separable for *_, separable in blocks)


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
    logits = torch.tensor([[4.0, 0.0, -2.0], [1.0, 9.0, 0.0]])
    soft = softness(logits, (1.0, 4.0, 1e9))
    assert soft[1.0][0] > soft[4.0][0] > soft[1e9][0]
    assert soft[1e9] == pytest.approx([1 / 3] * 3)
    assert all(sum(probabilities) == pytest.approx(1) for probabilities in soft.values())
