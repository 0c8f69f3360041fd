"""The labelled pictures on the device, and what a network makes of those it never trained on."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.kit import image_augment
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import accuracy, predict_all

EVAL_BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Split:
    """Pictures to train on and to validate on: uint8 (n, s, s, 3), labels int64 (n,)."""

    pixels: Tensor
    labels: Tensor
    held_pixels: Tensor
    held_labels: Tensor

    @property
    def positions(self) -> Tensor:
        """Positions of the pictures to train on: int64 (n,)."""
        return torch.arange(len(self.labels), device=self.labels.device)


def split(data: Data, hardware: Hardware) -> Split:
    """Return the training part to train on, the validation part held out."""
    arrays = {
        "pixels": data.train_images,
        "labels": data.train_labels,
        "held_pixels": data.valid_images,
        "held_labels": data.valid_labels,
    }
    return Split(**{k: torch.from_numpy(v).to(hardware.device) for k, v in arrays.items()})


def subset(whole: Split, num_pictures: int) -> Split:
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
        images = image_augment.to_input(split.held_pixels[part])
        with hardware.autocast():
            logits: Tensor = model(hardware.images_to_device(images))
        return logits

    was_training = model.training
    ranks.sync_buffers(model.eval())  # what is measured is what rank 0 saves
    logits = predict_all(forward, len(split.held_labels), EVAL_BATCH, ranks)
    model.train(was_training)
    return logits, split.held_labels.cpu()


def accuracy_of(model: nn.Module, split: Split, hardware: Hardware) -> float:
    """Return the share of held-out pictures that ``model`` gets right."""
    return accuracy(*predict_held_out(model, split, hardware))


# Same as hw03: train.confusion_matrix
def confusion_matrix(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how often a picture of class i was called j: int64 (11, 11)."""
    cells = labels * NUM_CLASSES + logits.argmax(1)
    return torch.bincount(cells, minlength=NUM_CLASSES**2).view(NUM_CLASSES, NUM_CLASSES)
