"""One painted photo of food: a table, a dish, what stands around it, and a camera."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter1d

from mlspring.worlds.dishes.bread import BREAD
from mlspring.worlds.dishes.dairy import DAIRY
from mlspring.worlds.dishes.dessert import DESSERT
from mlspring.worlds.dishes.egg import EGG
from mlspring.worlds.dishes.fried import FRIED
from mlspring.worlds.dishes.greens import GREENS, leaf
from mlspring.worlds.dishes.meat import MEAT
from mlspring.worlds.dishes.noodles import NOODLES
from mlspring.worlds.dishes.rice import RICE
from mlspring.worlds.dishes.seafood import SEAFOOD
from mlspring.worlds.dishes.soup import SOUP
from mlspring.worlds.food_plates import bare, board, bowl, pan, plate
from mlspring.worlds.food_table import clutter, lay_table
from mlspring.worlds.paint import SIZE, Canvas, Floats
from mlspring.worlds.shapes import Spot, hsv

DISHES = (BREAD, DAIRY, DESSERT, EGG, FRIED, MEAT, NOODLES, RICE, SEAFOOD, SOUP, GREENS)
SOUP_CLASS = DISHES.index(SOUP)
IN_BOWLS = {DISHES.index(NOODLES): 0.5, DISHES.index(RICE): 0.5, SOUP_CLASS: 1.0}
VESSELS = (plate, plate, plate, plate, board, pan, bare)


def photo(rng: np.random.Generator, label: int, size: int = 64) -> NDArray[np.uint8]:
    """Return an RGB picture (size, size, 3) of food class ``label``; ``rng`` decides the rest."""
    canvas = Canvas(rng)
    for _ in stages(canvas, label):
        pass
    return camera(rng, canvas.render(), size)


def stages(canvas: Canvas, label: int) -> Iterator[None]:
    """Paint the scene of a photo; pause before its dish, behind it, and when all is painted.

    ``worlds.food_masks`` looks at the canvas in these pauses to know which pixels are the dish.
    """
    rng = canvas.rng
    lay_table(canvas)
    if rng.random() < 0.15:
        _neighbour(canvas)
    spot = Spot(x=0.0, y=0.0, radius=rng.uniform(50, 92), base=0.0)
    in_bowl = rng.random() < IN_BOWLS.get(label, 0.12)
    vessel = bowl if in_bowl else VESSELS[rng.integers(len(VESSELS))]
    place = vessel(canvas, spot)
    if label != SOUP_CLASS and not in_bowl and rng.random() < 0.15:
        place = _side_dish(canvas, place, label)
    yield
    _serve(canvas, place, label)
    yield
    if rng.random() < 0.3:
        _garnish(canvas, place)
    if rng.random() < 0.3:
        clutter(canvas)
    yield


def _serve(canvas: Canvas, place: Spot, label: int) -> None:
    """Paint one of the dishes of a class; the first are the most common."""
    dishes = DISHES[label]
    dishes[int(len(dishes) * canvas.rng.random() ** 3)](canvas, place)


def _neighbour(canvas: Canvas) -> None:
    """Paint a second plate at the edge of the picture, with any food on it."""
    rng = canvas.rng
    angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(75, 95)
    radius = rng.uniform(25, 42)
    spot = Spot(x=math.cos(angle) * reach, y=math.sin(angle) * reach, radius=radius, base=0.0)
    label = int(rng.integers(len(DISHES)))
    vessel = bowl if label == SOUP_CLASS else plate
    _serve(canvas, vessel(canvas, spot), label)


def _side_dish(canvas: Canvas, place: Spot, label: int) -> Spot:
    """Paint some food of another class beside the main dish; return the place left for that."""
    rng = canvas.rng
    other = int(label + rng.integers(1, len(DISHES))) % len(DISHES)
    if other == SOUP_CLASS:
        other = len(DISHES) - 1
    angle, share = rng.uniform(0, 2 * math.pi), rng.uniform(0.3, 0.42)
    _serve(canvas, place.part(angle, 0.75, share), other)
    return place.part(angle + math.pi, 0.18, 0.86)


def _garnish(canvas: Canvas, place: Spot) -> None:
    """Scatter herbs, pepper, peas or a leaf over the dish."""
    rng = canvas.rng
    up = place.base + rng.uniform(3, 9)
    if rng.random() < 0.4:
        green = hsv(rng.uniform(0.24, 0.36), 0.7, rng.uniform(0.3, 0.7))
        for at in place.scatter(rng, rng.integers(1, 4), rng.uniform(0.2, 0.7)):
            leaf(canvas, at, rng.uniform(4, 9), green, up)
        return
    colors = [
        hsv(rng.choice([0.3, 0.27, 0.0, 0.08, 0.15]), rng.uniform(0.1, 0.9), rng.uniform(0.2, 1))
        for _ in range(2)
    ]
    canvas.dots(place.scatter(rng, rng.integers(4, 18), 0.75), rng.uniform(0.7, 2.1), colors, up)


def camera(rng: np.random.Generator, scene: Floats, size: int) -> NDArray[np.uint8]:
    """Return the scene as a camera takes it: light falls off, colours shift, blur and noise."""
    side = np.linspace(-1, 1, SIZE, dtype=np.float32)
    (across, down), corner = rng.normal(0, 0.14, 2).tolist(), abs(rng.normal(0, 0.1))
    light = 1 + across * side + down * side[:, None] - corner * (side**2 + side[:, None] ** 2)
    balance = rng.normal(1, 0.07, 3) * math.exp(rng.normal(0.12, 0.16))
    picture = scene * np.clip(light, 0.3, 2)[..., None] * balance.astype(np.float32)
    if rng.random() < 0.08:  # a moving hand
        picture = uniform_filter1d(picture, int(rng.integers(3, 8)), axis=int(rng.integers(2)))
    shrink = SIZE // size
    parts = [picture[y::shrink, x::shrink] for y in range(shrink) for x in range(shrink)]
    small = sum(parts[1:], parts[0]) / (255 * shrink * shrink)
    focus = abs(rng.normal(0, 0.4))
    if focus > 0.3:
        small = gaussian_filter(small, (focus, focus, 0))
    grey = small.mean(-1, keepdims=True)
    small = grey + (small - grey) * rng.uniform(0.65, 1.25)
    small = np.clip(small, 0, 1.6) ** rng.uniform(0.8, 1.25)
    small = np.where(small > 0.8, 0.8 + 0.2 * np.tanh((small - 0.8) / 0.2), small)  # soft whites
    grain = rng.standard_normal((size, size, 3), dtype=np.float32) * abs(rng.normal(0, 0.022))
    return np.asarray(np.clip((small + grain) * 255, 0, 255).astype(np.uint8))
