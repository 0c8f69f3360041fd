"""Food pictures as the notebooks of homework 3 and 13 show them: each opened and changed by itself.

The changes are those of ``kit.image_augment`` that the levels use, one after another with Pillow.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch import Tensor
from torch.utils.data import Dataset

from mlspring.core.errors import RecipeError
from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.kit.image_augment import MEAN, STD

LEFT_OUT = ("stretch", "erase", "mixup", "cutmix")  # no level uses them


class FoodDataset(Dataset):
    """Opens, resizes, cuts, changes and normalises a file whenever an item is asked for.

    With ``crop`` an item is a random window of so many pixels.
    """

    def __init__(
        self, files: Sequence[Path], size: int, augment: AugmentKnobs | None, crop: int = 0
    ) -> None:
        self.files, self.size, self.augment, self.crop = list(files), size, augment, crop
        self.labels = [label_of(file) for file in self.files]
        for name in LEFT_OUT if augment else ():
            if getattr(augment, name):
                raise RecipeError(f"augment.{name} is not re-stated here")

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one picture (3, s, s) and its label."""
        image = Image.open(self.files[index]).convert("RGB").resize((self.size, self.size))
        if self.crop:
            left, top = (random.randint(0, self.size - self.crop) for _ in range(2))
            image = image.crop((left, top, left + self.crop, top + self.crop))
        if self.augment is not None:
            image = vary(image, self.augment)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - MEAN) / STD, self.labels[index]


def label_of(file: Path) -> int:
    """Return the class in a file's name, ``8_806.jpg``."""
    return int(file.name.split("_")[0])


def files_of(root: Path, part: str) -> list[Path]:
    """Return the pictures of a part."""
    return sorted((root / part).glob("*.jpg"))


def vary(image: Image.Image, knobs: AugmentKnobs) -> Image.Image:
    """Return a picture changed at random, step by step."""
    if random.random() < knobs.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if knobs.rotate:
        angle = random.uniform(-knobs.rotate, knobs.rotate)
        image = image.rotate(angle, Image.Resampling.BILINEAR)
    if knobs.zoom_min < 1:
        side = image.width * random.uniform(knobs.zoom_min, 1)
        left, top = (random.uniform(0, image.width - side) for _ in range(2))
        window = (left, top, left + side, top + side)
        image = image.resize(image.size, Image.Resampling.BILINEAR, box=window)
    if knobs.shift:
        right, down = (random.uniform(-1, 1) * knobs.shift * image.width / 2 for _ in range(2))
        moved = (1, 0, right, 0, 1, down)
        way = Image.Transform.AFFINE
        image = image.transform(image.size, way, moved, Image.Resampling.BILINEAR)
    for span, kind in (
        (knobs.brightness, ImageEnhance.Brightness),
        (knobs.contrast, ImageEnhance.Contrast),
        (knobs.saturation, ImageEnhance.Color),
    ):
        if span:
            image = kind(image).enhance(random.uniform(1 - span, 1 + span))
    if knobs.tint:
        factors = [random.uniform(1 - knobs.tint, 1 + knobs.tint) for _ in range(3)]
        bands = zip(image.split(), factors, strict=True)
        image = Image.merge("RGB", [band.point([f * v for v in range(256)]) for band, f in bands])
    return image
