"""The labelled pictures on the device, and what a network makes of those it never trained on."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw13_compression import transform
from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import accuracy, predict_all

EVAL_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Split:
    """Labelled pictures: uint8 (n, s, s, 3) with labels int64 (n,), on the device.

    Args:
        pixels: training pictures, then validation pictures.
        labels: their classes.
        train: positions to train on.
        held_out: positions to validate on.
    """

    pixels: Tensor
    labels: Tensor
    train: Tensor
    held_out: Tensor


def split(data: Data, hardware: Hardware) -> Split:
    """Return the training part to train on, the validation part held out."""
    pixels = torch.from_numpy(np.concatenate((data.train_images, data.valid_images)))
    labels = torch.from_numpy(np.concatenate((data.train_labels, data.valid_labels)))
    num_train = len(data.train_labels)
    positions = torch.arange(len(labels))
    return Split(
        pixels=pixels.to(hardware.device),
        labels=labels.to(hardware.device),
        train=positions[:num_train].to(hardware.device),
        held_out=positions[num_train:].to(hardware.device),
    )


def some(whole: Split, num_pictures: int) -> Split:
    """Return the split with every k-th held-out picture, ``num_pictures`` of them at most."""
    every = -(-len(whole.held_out) // num_pictures)
    return Split(
        pixels=whole.pixels,
        labels=whole.labels,
        train=whole.train,
        held_out=whole.held_out[::every],
    )


# Same as hw03: train.predict_held_out
def predict_held_out(
    model: nn.Module, split: Split, hardware: Hardware, ranks: Ranks = ALONE
) -> tuple[Tensor, Tensor]:
    """Return logits (n, 11) and labels (n,) of the held-out pictures, on the CPU."""

    def forward(part: slice) -> Tensor:
        images = transform.to_input(split.pixels[split.held_out[part]])
        with hardware.autocast():
            return model(hardware.place_images(images))

    model.eval()
    logits = predict_all(forward, len(split.held_out), EVAL_BATCH, ranks)
    return logits, split.labels[split.held_out].cpu()


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
