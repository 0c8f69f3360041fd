"""The moving average against its closed form."""

import torch
from torch import nn

from mlspring.kit.ema import EMA


def test_constant_weights_are_approached_geometrically() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = EMA(model, decay=0.5)
    nn.init.ones_(model.weight)
    for update in range(100, 104):  # past the warm-up: min(0.5, 101/110) = 0.5
        average.update(update)
    torch.testing.assert_close(average.model.weight.item(), 1 - 0.5**4)


def test_the_first_average_forgets_the_initial_weights_quickly() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = EMA(model, decay=0.999)
    nn.init.ones_(model.weight)
    average.update(0)
    torch.testing.assert_close(average.model.weight.item(), 0.9)


def test_counters_are_copied_and_no_gradient_is_asked() -> None:
    model = nn.BatchNorm1d(2)
    average = EMA(model, decay=0.9)
    model(torch.randn(8, 2))
    average.update(50)
    assert average.model.num_batches_tracked.item() == 1
    assert not any(p.requires_grad for p in average.model.parameters())
