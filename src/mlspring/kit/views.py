"""Test-time augmentation: predictions averaged over random views of each test picture."""

import torch
from torch import Tensor, nn

from mlspring.core.progress import Bar
from mlspring.core.recipe_sections import AugmentKnobs, ViewKnobs
from mlspring.kit import image_augment
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import EVAL_BATCH, predict_all
from mlspring.kit.seeding import generator


def num_passes(knobs: ViewKnobs) -> int:
    """Return how often a network looks at each picture."""
    return 1 + (knobs.views if knobs.views_weight else 0)


def probabilities(
    model: nn.Module,
    pixels: Tensor,
    hardware: Hardware,
    augment: AugmentKnobs,
    knobs: ViewKnobs,
    keys: tuple[int, ...],
    progress: Bar,
) -> Tensor:
    """Return class probabilities (n, num_classes) of uint8 pictures (n, s, s, 3), on the CPU.

    p = a * mean over views of softmax(f(view)) + (1 - a) * softmax(f(picture)), as on the HW03
    slides, with a = ``knobs.views_weight``.

    Args:
        model: a network in evaluation mode, on the device.
        pixels: the pictures, on the CPU.
        hardware: where and in which arithmetic to compute.
        augment: what a view changes.
        knobs: number of views and their weight a.
        keys: seeds of the views, beside the number of each.
        progress: advanced once a pass.
    """

    def one_pass(view: int | None) -> Tensor:
        def forward(part: slice) -> Tensor:
            batch = pixels[part].to(hardware.device)
            if view is None:
                inputs = image_augment.to_input(batch)
            else:
                stream = generator("view", *keys, view, part.start)
                draws = image_augment.draw(augment, len(batch), stream)
                inputs = image_augment.vary(batch, draws)
            with hardware.autocast():
                logits: Tensor = model(hardware.images_to_device(inputs)).float()
            return logits.softmax(1)

        done = predict_all(forward, len(pixels), EVAL_BATCH)
        progress.advance()
        return done

    num_views = num_passes(knobs) - 1
    if not num_views:
        return one_pass(None)
    views = torch.zeros(()) + sum(one_pass(view) for view in range(num_views))
    return knobs.views_weight * views / num_views + (1 - knobs.views_weight) * one_pass(None)
