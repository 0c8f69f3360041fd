"""Predictions of a whole data set, in batches, in order, shared over the ranks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlspring.kit import image_augment
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks

EVAL_BATCH = 128


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


def predict_images(
    model: nn.Module,
    pixels: Tensor,
    hardware: Hardware,
    ranks: Ranks = ALONE,
    *,
    batch_size: int = EVAL_BATCH,
) -> Tensor:
    """Return logits (n, num_classes) of pictures, each seen once as it is; in evaluation mode.

    Args:
        model: on the device; its mode is as before afterwards.
        pixels: uint8 (n, s, s, 3), on the device or not.
        hardware: where and in which arithmetic to compute.
        ranks: each rank computes its share; all ranks get all logits.
        batch_size: pictures at once.
    """

    def forward(part: slice) -> Tensor:
        images = image_augment.to_input(pixels[part].to(hardware.device))
        with hardware.autocast():
            logits: Tensor = model(hardware.images_to_device(images))
        return logits

    was_training = model.training
    ranks.sync_buffers(model.eval())  # what is measured is what rank 0 saves
    logits = predict_all(forward, len(pixels), batch_size, ranks)
    model.train(was_training)
    return logits


def confusion_matrix(logits: Tensor, targets: Tensor) -> Tensor:
    """Return how often an item of class i was called j: int64 (C, C), of logits (n, C)."""
    num_classes = logits.shape[1]
    cells = targets * num_classes + logits.argmax(1)
    return torch.bincount(cells, minlength=num_classes**2).view(num_classes, num_classes)


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """Return the share of rows of ``logits`` (N, C) whose largest entry is ``targets`` (N,)."""
    return (logits.argmax(1) == targets).double().mean().item()
