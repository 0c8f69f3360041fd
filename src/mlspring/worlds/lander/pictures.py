"""Episodes as pictures, by Gymnasium's own renderer; no window is opened.

The renderer is pygame's, which is loaded here, when something is drawn, and never for training.
"""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from mlspring.core.files import atomic_path
from mlspring.worlds.lander.environment import Actions
from mlspring.worlds.lander.fast_env import lander_class, not_installed

WIDTH, HEIGHT = 300, 200  # half of what is rendered
STRIDE, FPS = 4, 50  # every fourth step is a frame
HEADLESS = {"SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"}


def frames(
    lists: Sequence[Actions], seed: int, number: int, *, stride: int = STRIDE, sparks: bool = True
) -> list[Image.Image]:
    """Return pictures of the judge's episode ``number`` (from 0), played by its list.

    The lists before it are played, too: where an episode begins depends on them. Every ``stride``
    steps and the last one become a picture; without ``sparks`` of the engines that is much faster.

    Raises:
        MachineError: Gymnasium or pygame is not installed.
    """
    load_renderer()
    lander = lander_class()()
    for episode, actions in enumerate(lists[:number]):
        lander.reset(seed=seed if episode == 0 else None)
        for action in actions.tolist():
            lander.step(action)
    lander.render_mode = "rgb_array"
    lander.reset(seed=seed if number == 0 else None)
    take_step = lander.step_with_particles if sparks else lander.step
    pictures = []
    for step, action in enumerate(lists[number].tolist()):
        take_step(action)
        shown = step % stride == 0 or step == len(lists[number]) - 1
        if shown or sparks:  # with each picture a spark grows older
            picture = Image.fromarray(lander.render())
        if shown:
            pictures.append(picture.reduce(2))
    return pictures


def save_gif(path: Path, lists: Sequence[Actions], seed: int, number: int) -> None:
    """Write the judge's episode ``number`` as an animation, as fast as it was played."""
    first, *others = frames(lists, seed, number)
    milliseconds = 1000 * STRIDE // FPS
    with atomic_path(path) as partial:
        first.save(
            partial, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0
        )


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
        raise not_installed(error) from error
