"""Predictions of a whole data set, in batches, in order, shared over the ranks."""

from collections.abc import Callable

import torch
from torch import Tensor

from mlspring.kit.distributed import ALONE, Ranks


@torch.inference_mode()
def predict_all(
    forward: Callable[[slice], Tensor], num_items: int, batch_size: int, ranks: Ranks = ALONE
) -> Tensor:
    """Return ``forward`` of all items, in order, as fp32 on the CPU: shape (num_items, ...).

    Args:
        forward: outputs of the items in a slice, first axis the items.
        num_items: how many there are; every one is visited once, whatever the number of ranks.
        batch_size: items a call.
        ranks: each rank computes its share; all ranks get all outputs.
    """
    mine = ranks.shard(num_items)
    starts = range(mine.start, mine.stop, batch_size)
    # To the CPU all at once: a GPU would have to be waited for after every batch.
    parts = [forward(slice(i, min(i + batch_size, mine.stop))).float() for i in starts]
    if not parts:  # fewer items than ranks: an empty shard still needs the outputs' shape
        parts = [forward(slice(0, 1))[:0].float()]
    return ranks.gather(torch.cat(parts))


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """Return the share of rows of ``logits`` (N, C) whose largest entry is ``targets`` (N,)."""
    return (logits.argmax(1) == targets).double().mean().item()
