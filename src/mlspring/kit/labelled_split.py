"""Labelled pictures on the device: those that a network trains on, and those held out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.labelled_images import LabelledImages
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import accuracy, predict_images


@dataclass(frozen=True, kw_only=True)
class Split:
    """Pictures of one network: uint8 (n, s, s, 3) with labels int64 (n,), on the device.

    Args:
        pixels: the pool that is trained on; ``labels`` its classes.
        train: positions in the pool to train on, int64.
        held_pixels: pictures to validate on; ``held_labels`` their classes.
    """

    pixels: Tensor
    labels: Tensor
    train: Tensor
    held_pixels: Tensor
    held_labels: Tensor


def by_part(images: LabelledImages, hardware: Hardware) -> Split:
    """Return the training part to train on, the validation part held out.

    On the CPU these are the memory maps themselves, not copies.
    """
    arrays = (images.train_images, images.train_labels, images.valid_images, images.valid_labels)
    pixels, labels, held_pixels, held_labels = (
        torch.from_numpy(array).to(hardware.device) for array in arrays
    )
    return Split(
        pixels=pixels,
        labels=labels,
        train=torch.arange(len(labels), device=hardware.device),
        held_pixels=held_pixels,
        held_labels=held_labels,
    )


def predict_held_out(
    model: nn.Module, split: Split, hardware: Hardware, ranks: Ranks = ALONE
) -> tuple[Tensor, Tensor]:
    """Return logits (n, num_classes) and labels (n,) of the held-out pictures, on the CPU."""
    logits = predict_images(model, split.held_pixels, hardware, ranks)
    return logits, split.held_labels.cpu()


def held_out_accuracy(model: nn.Module, split: Split, hardware: Hardware) -> float:
    """Return the share of held-out pictures that ``model`` gets right."""
    return accuracy(*predict_held_out(model, split, hardware))


def measure(logits: Tensor, labels: Tensor, part: str = "valid") -> dict[str, float]:
    """Return cross-entropy and accuracy for the log; each picture counts once, whatever its batch.

    The names are ``valid__loss`` and ``valid__accuracy``, or begin with another ``part``.
    """
    loss = F.cross_entropy(logits, labels).item()
    right = accuracy(logits, labels)
    return {f"{part}__loss": round(loss, 5), f"{part}__accuracy": round(right, 5)}
