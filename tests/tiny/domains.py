"""A ``real_or_drawing`` folder of three shapes: coloured ones with labels, drawn ones without."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.homeworks.hw11_adaptation.spec import SPEC

NUM_CLASSES = 3
NUM_DRAWINGS = 36


def picture(label: int, index: int, *, drawn: bool, side: int = 32) -> Image.Image:
    """Return a square, a disc or a cross: a filled colour on noise, or white lines on black."""
    rng = np.random.default_rng([label, index, int(drawn)])
    ground = np.zeros((side, side, 3)) if drawn else 90 + rng.normal(0, 8, (side, side, 3))
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    ink = (255, 255, 255) if drawn else tuple(rng.integers(150, 256, 3).tolist())
    x, y = rng.integers(6, 9, 2).tolist()
    box = (x, y, x + side // 2, y + side // 2)
    look = {"outline": ink} if drawn else {"fill": ink}
    if label == 0:
        pen.rectangle(box, **look)
    elif label == 1:
        pen.ellipse(box, **look)
    else:
        pen.line(box, fill=ink, width=2 if drawn else 5)
        pen.line((box[0], box[3], box[2], box[1]), fill=ink, width=2 if drawn else 5)
    return image.convert("L") if drawn else image


def write_domains(folder: Path, *, num_photos: int = 16, side: int = 28) -> Path:
    """Write both domains, so many photos a class; return the folder to give --data."""
    root = folder / "real_or_drawing"
    for label in range(NUM_CLASSES):
        target = root / "train_data" / str(label)
        target.mkdir(parents=True)
        for index in range(num_photos):
            picture(label, index, drawn=False).save(target / f"{label * num_photos + index}.bmp")
    target = root / "test_data" / "0"
    target.mkdir(parents=True)
    for index in range(NUM_DRAWINGS):
        picture(index % NUM_CLASSES, index, drawn=True, side=side).save(target / f"{index:05d}.bmp")
    return folder


def recipe(*overrides: str) -> Recipe:
    """Return the world's simplest recipe, whose pictures have the size of these."""
    path = SPEC.folder / "recipes" / "world" / "simple.toml"
    return load_recipe(Recipe, path, ["data.image_size=32", *overrides])


def photo(folder: Path, name: str = "0/3.bmp") -> Path:
    """Return a photo of ``write_domains``."""
    return folder / "real_or_drawing" / "train_data" / name


def drawing(folder: Path, name: str = "00005.bmp") -> Path:
    """Return a drawing of ``write_domains``."""
    return folder / "real_or_drawing" / "test_data" / "0" / name


def write_answers(path: Path) -> Path:
    """Write the answers of ``write_domains``'s drawings: the first half public."""
    usages = ["Public"] * (NUM_DRAWINGS // 2) + ["Private"] * (NUM_DRAWINGS // 2)
    rows = [f"{i},{i % NUM_CLASSES},{usage}" for i, usage in enumerate(usages)]
    path.write_text("\n".join(["id,label,Usage", *rows]) + "\n")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.image_size=32",
    "model.width=4",
    "train.batch_size=32",
    "train.steps=24",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)
