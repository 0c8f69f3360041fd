"""Whole-set predictions: every item once, whatever the batch and the ranks."""

import pytest
import torch
from torch import Tensor, nn

from mlspring.kit import device
from mlspring.kit.distributed import Ranks
from mlspring.kit.evaluate import accuracy, confusion_matrix, predict_all, predict_images


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


def test_a_cell_of_the_confusion_is_true_class_by_called_class() -> None:
    logits = torch.eye(11)[[0, 3, 3, 10]]
    confusion = confusion_matrix(logits, torch.tensor([0, 3, 2, 10]))
    assert confusion.shape == (11, 11) and confusion.sum() == 4
    assert [confusion[0, 0], confusion[3, 3], confusion[2, 3], confusion[10, 10]] == [1, 1, 1, 1]


@pytest.mark.parametrize("batch_size", [1, 4, 128])
def test_pictures_are_seen_as_they_are_in_evaluation_mode(batch_size: int) -> None:
    """The mean colour behind a batch norm whose statistics are its own, not the batch's."""
    model = nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).train()
    model[0].running_mean[:] = torch.tensor([0.5, 0.0, -0.5])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    pixels = torch.randint(0, 256, (10, 8, 8, 3), dtype=torch.uint8)
    hardware = device.choose("cpu", "fp32", work="conv")
    logits = predict_images(hardware.to_device(model), pixels, hardware, batch_size=batch_size)
    colours = (pixels.double().mean((1, 2)) / 255 - 0.5) / 0.25
    expected = (colours - torch.tensor([0.5, 0.0, -0.5])) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(logits.double(), expected, rtol=1e-4, atol=1e-4)
    assert model.training, "its mode is as before"
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
