"""The labelled pictures on the device, and what a network makes of those it never trained on."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw13_compression import transform
from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import accuracy, predict_all

EVAL_BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Split:
    """Labelled pictures: uint8 (n, s, s, 3) with labels int64 (n,), on the device.

    Args:
        pixels: pictures to train on.
        labels: their classes.
        train: positions of all of them.
        held_pixels: pictures to validate on.
        held_labels: their classes.
    """

    pixels: Tensor
    labels: Tensor
    train: Tensor
    held_pixels: Tensor
    held_labels: Tensor


def split(data: Data, hardware: Hardware) -> Split:
    """Return the training part to train on, the validation part held out."""
    arrays = (data.train_images, data.train_labels, data.valid_images, data.valid_labels)
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


def some(whole: Split, num_pictures: int) -> Split:
    """Return the split with every k-th held-out picture, ``num_pictures`` of them at most."""
    every = -(-len(whole.held_labels) // num_pictures)
    pixels, labels = whole.held_pixels[::every], whole.held_labels[::every]
    return dataclasses.replace(whole, held_pixels=pixels, held_labels=labels)


# Same as hw03: train.predict_held_out
def predict_held_out(
    model: nn.Module, split: Split, hardware: Hardware, ranks: Ranks = ALONE
) -> tuple[Tensor, Tensor]:
    """Return logits (n, 11) and labels (n,) of the held-out pictures, on the CPU."""

    def forward(part: slice) -> Tensor:
        images = transform.to_input(split.held_pixels[part])
        with hardware.autocast():
            return model(hardware.images_to_device(images))

    model.eval()
    logits = predict_all(forward, len(split.held_labels), EVAL_BATCH, ranks)
    return logits, split.held_labels.cpu()


def accuracy_of(model: nn.Module, split: Split, hardware: Hardware) -> float:
    """Return the share of held-out pictures that ``model`` gets right."""
    return accuracy(*predict_held_out(model, split, hardware))


def measure(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Return loss and accuracy; every picture counts once, whatever its batch."""
    return F.cross_entropy(logits, labels).item(), accuracy(logits, labels)


# Same as hw03: train.confusion_matrix
def confusion_matrix(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how often a picture of class i was called j: int64 (11, 11)."""
    cells = labels * NUM_CLASSES + logits.argmax(1)
    return torch.bincount(cells, minlength=NUM_CLASSES**2).view(NUM_CLASSES, NUM_CLASSES)
