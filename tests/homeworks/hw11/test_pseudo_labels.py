"""Pseudo-labels where the teacher never answers with some class."""

import pytest
import torch

from mlspring.homeworks.hw11_adaptation.losses import pseudo_labels


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_a_class_without_any_mass_gets_none_and_no_nan(balance: float) -> None:
    """Its mean mass is 0 in fp32, and 0 / 0 would make every target of the batch no number."""
    logits = torch.tensor([[1.0, 0.0, -1000.0], [0.0, 1.0, -1000.0]])
    targets = pseudo_labels(logits, balance)
    torch.testing.assert_close(targets[:, :2], logits[:, :2].softmax(1))  # equal masses: no change
    assert targets[:, 2].tolist() == [0.0, 0.0]
