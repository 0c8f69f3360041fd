"""A landing as an animated picture, drawn from the environment's own shapes; no window, no pygame.

Gymnasium's renderer draws the same polygons but needs pygame, which this project does not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mlspring.homeworks.hw12_lander.environment import Landers

WIDTH, HEIGHT = 300, 200
METRES = 20.0, 400 / 30  # what the environment shows, 600 x 400 pixels of 30 a metre
SKY, GROUND, FLAG = (0, 0, 0), (255, 255, 255), (204, 204, 0)
FLAME = (230, 120, 20)
STRIDE, FPS = 4, 50  # every fourth step is a frame

Point = tuple[float, float]


def frames(lists: Sequence[NDArray[np.int64]], seed: int, number: int) -> list[Image.Image]:
    """Return pictures of the episode ``number`` (from 0) of the judge's, played by its list.

    The lists before it are played, too: where an episode begins depends on them.
    """
    landers = Landers(1)
    shown = []
    for episode, actions in enumerate(lists[: number + 1]):
        landers.begin(0, seed if episode == 0 else None)
        for step, action in enumerate(actions.tolist()):
            landers.act(0, action)
            if episode == number and (step % STRIDE == 0 or step == len(actions) - 1):
                shown.append(frame(landers.environments[0], action))
    return shown


def frame(environment: Any, action: int) -> Image.Image:
    """Return a picture (300 x 200) of the environment as it stands."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(picture)
    for shape in environment.sky_polys:
        draw.polygon([_pixel(point) for point in shape], fill=SKY)
    for x in (environment.helipad_x1, environment.helipad_x2):
        foot, top = environment.helipad_y, environment.helipad_y + 50 / 30
        draw.line([_pixel((x, foot)), _pixel((x, top))], fill=GROUND)
        flag = [(x, top), (x, top - 10 / 30), (x + 25 / 30, top - 5 / 30)]
        draw.polygon([_pixel(point) for point in flag], fill=FLAG)
    lander = environment.lander
    for local in _flames(action):
        draw.polygon([_pixel(lander.GetWorldPoint(point)) for point in local], fill=FLAME)
    for body in environment.drawlist:
        for fixture in body.fixtures:
            corners = [_pixel(body.transform * corner) for corner in fixture.shape.vertices]
            draw.polygon(corners, fill=tuple(body.color1), outline=tuple(body.color2))
    return picture


def _flames(action: int) -> list[list[Point]]:
    """Return the flame of the engine that fires, in metres from the lander's middle."""
    below, side = -10 / 30, 14 / 30
    if action == 2:
        return [[(-5 / 30, below), (5 / 30, below), (0.0, below - 16 / 30)]]
    if action in (1, 3):
        sign = 1 if action == 1 else -1  # it fires outwards, on the side it pushes from
        return [[(sign * side, 8 / 30), (sign * side, 14 / 30), (sign * (side + 0.35), 11 / 30)]]
    return []


def _pixel(point: Any) -> Point:
    return point[0] / METRES[0] * WIDTH, HEIGHT - point[1] / METRES[1] * HEIGHT
