"""Whole-set predictions: every item once, whatever the batch and the ranks."""

import pytest
import torch
from torch import Tensor

from mlspring.kit.distributed import Ranks
from mlspring.kit.evaluate import accuracy, predict_all


@pytest.mark.parametrize("batch_size", [1, 3, 10, 64])
def test_outputs_come_in_order_and_once(batch_size: int) -> None:
    items = torch.arange(10.0)
    outputs = predict_all(lambda part: items[part] ** 2, 10, batch_size)
    assert outputs.tolist() == [float(i * i) for i in range(10)]


def test_fewer_items_than_ranks_come_in_order_and_once() -> None:
    items = torch.arange(6.0).view(2, 3)
    parts: list[Tensor] = []

    class Recording(Ranks):
        def gather(self, part: Tensor) -> Tensor:
            parts.append(part)
            return part

    for rank in range(5):
        predict_all(lambda part: items[part], 2, 4, Recording(rank, 5))
    assert [part.shape[1:] for part in parts] == [(3,)] * 5
    assert torch.equal(torch.cat(parts), items)


def test_accuracy_counts_items_not_batches() -> None:
    logits = torch.eye(3)[[0, 1, 2, 2]]
    assert accuracy(logits, torch.tensor([0, 1, 2, 1])) == 0.75
