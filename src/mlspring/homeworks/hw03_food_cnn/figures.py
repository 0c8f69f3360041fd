"""The report figures of homework 3, each with the numbers behind it."""

import itertools
from collections.abc import Callable

import torch
from matplotlib.patches import FancyArrowPatch

from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.core.runs import Run
from mlspring.core.texts import count
from mlspring.homeworks.hw03_food_cnn.data import Data
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.homeworks.hw03_food_cnn.train import held_out_confusion
from mlspring.kit import charts, image_augment, style
from mlspring.kit.seeding import generator
from mlspring.worlds.food import CLASS_NAMES

NUM_VARIANTS = 7

# Question 1 may use another transform than training; this one serves recipes without augmentation.
SHOWCASE = AugmentKnobs(
    flip=0.5,
    rotate=20,
    zoom_min=0.7,
    shift=0.05,
    stretch=0.2,
    brightness=0.3,
    contrast=0.3,
    saturation=0.3,
    tint=0.1,
    erase=0.3,
    mixup=0,
    cutmix=0,
)


def q1_augmentation(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw one picture and what the training transform makes of it; say how many are equal."""
    knobs = recipe.augment
    active = image_augment.draw(knobs, 1, generator(0)).maps is not None
    knobs, name = (
        (knobs, "this recipe") if active else (SHOWCASE, "a showcase, as this recipe has none")
    )
    pixels = torch.from_numpy(data.train_images[:1].copy()).expand(NUM_VARIANTS, -1, -1, -1)
    draws = image_augment.draw(knobs, NUM_VARIANTS, generator(run.request.seed, "question 1"))
    variants = image_augment.vary(pixels, draws) * image_augment.STD + image_augment.MEAN
    differences = [
        (i, j, (variants[i] - variants[j]).abs().mean().item())
        for i, j in itertools.combinations(range(NUM_VARIANTS), 2)
    ]
    num_equal = sum(difference == 0 for _, _, difference in differences)
    if num_equal:  # a mirror alone makes two pictures, not seven
        name += f" ({count(num_equal, 'pair')} equal: it changes little)"
    figure = style.new_figure(7.2, 3.9)
    panels = figure.subplots(2, 4).flat
    pictures = [pixels[0].numpy() / 255, *variants.clamp(0, 1).permute(0, 2, 3, 1).numpy()]
    for number, (axes, picture) in enumerate(zip(panels, pictures, strict=True)):
        axes.imshow(picture)
        axes.set_title("original" if number == 0 else f"draw {number}", loc="center", fontsize=9)
        style.hide_axes(axes)
    figure.suptitle(f"One picture through the training transform: {name}", fontsize=11)
    style.save(
        figure,
        run.figures,
        "q1_augmentation",
        ("draw a", "draw b", "mean absolute difference"),
        [(i + 1, j + 1, round(d, 5)) for i, j, d in differences],
    )


def q2_residual_wiring(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the forward pass of ``models.ResidualNetwork``: which layers a skip surrounds."""
    layers = [
        ("1", "3 to 64", False),
        ("2", "64 to 64", True),
        ("3", "64 to 128, stride 2", False),
        ("4", "128 to 128", True),
        ("5", "128 to 256, stride 2", False),
        ("6", "256 to 256", True),
    ]
    figure = style.new_figure(9.0, 2.4)
    axes = figure.subplots()
    axes.set_xlim(-0.9, 12.5)
    axes.set_ylim(-1.0, 1.1)
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "#444444"}
    axes.text(-0.55, -0.22, "image", ha="center", va="center", fontsize=9)
    axes.annotate("", (0.38, 0), (-0.8, 0), arrowprops={"arrowstyle": "-|>", "lw": 1})
    for number, (name, channels, skipped) in enumerate(layers):
        x = 1.9 * number + 0.9
        axes.text(x, 0, f"layer {name}", ha="center", va="center", fontsize=9, bbox=box)
        axes.text(x, -0.62, channels.replace(", ", "\n"), ha="center", va="center", fontsize=7.5)
        join = "+" if skipped else ""
        axes.text(x + 0.95, -0.22, f"{join}relu", ha="center", va="center", fontsize=8)
        axes.annotate("", (x + 1.38, 0), (x + 0.55, 0), arrowprops={"arrowstyle": "-|>", "lw": 1})
        if skipped:
            axes.add_patch(
                FancyArrowPatch(
                    (x - 0.62, 0.18),
                    (x + 0.78, 0.18),
                    connectionstyle="arc3,rad=-0.65",
                    arrowstyle="-|>",
                    mutation_scale=11,
                    color=style.COLOURS[0],
                )
            )
            axes.text(x + 0.08, 0.66, f"+ x{number}", ha="center", fontsize=8)
    axes.text(12.1, 0, "fc", ha="center", va="center", fontsize=9, bbox=box)
    style.hide_axes(axes)
    axes.set_title("Residual_Network: the sum comes before the ReLU, skips only where shapes agree")
    rows = [(name, channels, "x" + str(int(name) - 1) if s else "") for name, channels, s in layers]
    style.save(figure, run.figures, "q2_residual_wiring", ("layer", "channels", "adds"), rows)


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw loss and accuracy against the epoch, training and held out, one line a member."""
    charts.loss_and_accuracy(run.read_log(), run.figures)


def confusion(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw which class is taken for which, on held-out pictures."""
    charts.confusion(held_out_confusion(recipe, run), CLASS_NAMES, run.figures)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_augmentation": q1_augmentation,
    "q2_residual_wiring": q2_residual_wiring,
    "learning_curves": learning_curves,
    "confusion": confusion,
}
