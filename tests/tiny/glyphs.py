"""A folder like Omniglot's of a few signs, bars at angles of their own: learnable in a second."""

from pathlib import Path

import numpy as np
from PIL import Image

NUM_ALPHABETS, NUM_CHARACTERS, NUM_DRAWINGS = 4, 4, 4
NUM_TASKS = 4


def sign(character: int, drawer: int, side: int = 28) -> Image.Image:
    """Return a noisy picture, dark on white; the bar's angle and place tell the character."""
    draw = np.random.default_rng([character + 1, drawer + 1])
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    angle = np.pi * (character * 7 % 16) / 16
    offset = 6 * np.cos(character * 2.4) + draw.normal(0, 0.5)
    across = np.abs(x * np.sin(angle) - y * np.cos(angle) - offset)
    pixels = 255 * (across > 2.0) - draw.uniform(0, 30, (side, side))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write_omniglot(folder: Path, *, num_tasks: int = NUM_TASKS) -> Path:
    """Write alphabets and test tasks; return the folder to give --data."""
    for number in range(NUM_ALPHABETS * NUM_CHARACTERS):
        alphabet, place = divmod(number, NUM_CHARACTERS)
        target = folder / "Omniglot" / "images_background" / f"Script_{alphabet}.0"
        target = target / f"character{place + 1:02d}"
        target.mkdir(parents=True)
        for drawer in range(NUM_DRAWINGS):
            sign(number, drawer).save(target / f"{number + 1:04d}_{drawer + 1:02d}.png")
    for task in range(num_tasks):
        for part, drawer in (("support", 50), ("query", 51)):
            target = folder / "Omniglot-test" / part / f"{task:04d}"
            target.mkdir(parents=True)
            for place in range(5):
                shown = place if part == "support" else query_class(task, place)
                sign(20 + 5 * task + shown, drawer).save(target / f"image_{place}.png")
    return folder


def query_class(task: int, place: int) -> int:
    """Return the class that a query image of ``write_omniglot`` shows."""
    return (place + task + 1) % 5


def write_answers(path: Path, *, num_tasks: int = NUM_TASKS) -> Path:
    """Write the answers of ``write_omniglot``'s test part, every second task public."""
    usages = ("Public", "Private")
    rows = [
        f"{5 * task + place},{query_class(task, place)},{usages[task % 2]}"
        for task in range(num_tasks)
        for place in range(5)
    ]
    path.write_text("\n".join(["id,class,Usage", *rows]) + "\n")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.held_out=2",
    "model.width=4",
    "method.ways=5",
    "method.queries=1",
    "train.batch_size=4",
    "train.steps=24",
    "train.valid_tasks=6",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
    "study.characters=[]",  # the recipes' are more than there are
)
