"""A landing as an animated picture, by Gymnasium's own renderer; no window is opened.

The renderer is pygame's, which is loaded here, when something is drawn, and never for training.
"""

import os
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core.errors import MachineError
from mlspring.homeworks.hw12_lander.environment import lander_class

WIDTH, HEIGHT = 300, 200  # half of what is rendered
STRIDE, FPS = 4, 50  # every fourth step is a frame
HEADLESS = {"SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"}


def frames(lists: Sequence[NDArray[np.int64]], seed: int, number: int) -> list[Image.Image]:
    """Return pictures of the episode ``number`` (from 0) of the judge's, played by its list.

    The lists before it are played, too: where an episode begins depends on them.

    Raises:
        MachineError: pygame is not installed.
    """
    load_renderer()
    made = lander_class()()
    for episode, actions in enumerate(lists[:number]):
        made.reset(seed=seed if episode == 0 else None)
        for action in actions.tolist():
            made.advance(action)
    made.render_mode = "rgb_array"  # from here on its engines leave sparks
    made.reset(seed=seed if number == 0 else None)
    shown = []
    for step, action in enumerate(lists[number].tolist()):
        made.step(action)
        picture = made.render()  # every step: by each picture a spark grows older
        if step % STRIDE == 0 or step == len(lists[number]) - 1:
            shown.append(Image.fromarray(picture).reduce(2))
    return shown


def load_renderer() -> None:
    """Load pygame without a window, a sound or a word.

    Raises:
        MachineError: it is not installed.
    """
    for name, value in HEADLESS.items():
        os.environ.setdefault(name, value)
    try:
        with warnings.catch_warnings():  # what it says of its own dependencies is not ours
            warnings.simplefilter("ignore")
            import pygame.gfxdraw  # noqa: F401
    except ImportError as error:
        fix = 'pip install "gymnasium[box2d]"'
        raise MachineError(f"a landing cannot be drawn ({error})", fix=fix) from error
