"""Gymnasium's lander with less Python around the same physics: equal numbers to the last bit.

About half of a step of Gymnasium's is spent outside Box2D. ``FastLunarLander.step`` leaves out what
a run never asks for (a check of the action, wind, continuous engines, particles), draws its two
random numbers from the same stream more directly, and adds floats instead of numpy's scalars.
Formulas and their order are Gymnasium's: the path of an episode depends on the last bit of every
sum.
"""

import functools
import importlib.util
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from mlspring.core.errors import MachineError

NAME = "LunarLander-v3"

State = tuple[float, float, float, float, float, float, float, float]
Step = tuple[State, float, bool]  # observation, reward, whether the episode terminated


def not_installed(problem: object) -> MachineError:
    """Return the error for a machine without Gymnasium, Box2D or pygame."""
    fix = 'pip install "mlspring[lander]"'
    if sys.version_info >= (3, 14):
        fix += "; Box2D has no build for this Python, but for Python 3.13"
    return MachineError(f"{NAME} cannot be loaded ({problem})", fix=fix)


@functools.cache
def lander_class() -> Callable[..., Any]:
    """Return ``FastLunarLander``, a subclass of Gymnasium's environment.

    The file of the environment is loaded alone: the package around it also loads pygame, which only
    pictures need.

    Raises:
        MachineError: Gymnasium or Box2D is not installed.
    """
    name = "mlspring_lunar_lander"
    try:
        package = importlib.util.find_spec("gymnasium.envs.box2d")
        (folder,) = package.submodule_search_locations  # type: ignore[union-attr,misc]
        spec = importlib.util.spec_from_file_location(name, Path(folder) / "lunar_lander.py")
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        sys.modules[name] = module
        with warnings.catch_warnings():  # where warnings are errors, Box2D's at import would crash
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)  # type: ignore[union-attr]
    except (ImportError, AttributeError, TypeError, OSError) as error:
        sys.modules.pop(name, None)
        raise not_installed(error) from error
    made: Callable[..., Any] = faster(module)
    return made


def faster(module: ModuleType) -> Any:
    """Return the subclass of ``module.LunarLander`` with the faster ``step``.

    Args:
        module: Gymnasium's ``lunar_lander``; its constants are the ones that count.
    """
    scale, fps = module.SCALE, module.FPS
    half_width, half_height = module.VIEWPORT_W / scale / 2, module.VIEWPORT_H / scale / 2
    main_power, side_power = module.MAIN_ENGINE_POWER, module.SIDE_ENGINE_POWER
    main_y, side_away = module.MAIN_ENGINE_Y_LOCATION / scale, module.SIDE_ENGINE_AWAY / scale
    side_y, side_x = module.SIDE_ENGINE_HEIGHT / scale, 17 / scale
    leg_down = module.LEG_DOWN / scale
    sin, cos, sqrt = math.sin, math.cos, math.sqrt

    def fire(lander: Any, action: int, first: float, second: float) -> None:
        """Fire the engine of ``action``, 1 to 3; ``first`` and ``second`` disperse its thrust."""
        angle, position = lander.angle, lander.position
        up_x, up_y = sin(angle), cos(angle)
        side = -up_y  # (side, up_x) is across
        if action == 2:
            distance = main_y + 2 * first
            x, y = up_x * distance + side * second, -up_y * distance - up_x * second
            point = (position[0] + x, position[1] + y)
            power = main_power
        else:
            distance = 3 * second + (action - 2) * side_away
            x, y = up_x * first + side * distance, -up_y * first - up_x * distance
            point = (position[0] + x - up_x * side_x, position[1] + y + up_y * side_y)
            power = side_power
        lander.ApplyLinearImpulse((-x * power, -y * power), point, True)

    class FastLunarLander(module.LunarLander):  # type: ignore[name-defined,misc]
        """Gymnasium's LunarLander, discrete, without wind."""

        prev_shaping: float | None
        step_with_particles = module.LunarLander.step  # Gymnasium's own, for pictures

        def step(self, action: int) -> Step:
            """Take one step; an episode that is over must be reset first."""
            lander, draw = self.lander, self.np_random.random
            first = (-1.0 + 2.0 * draw()) / scale  # uniform(-1, 1), drawn whatever the action
            second = (-1.0 + 2.0 * draw()) / scale
            if action:
                fire(lander, action, first, second)
            self.world.Step(1.0 / fps, 6 * 30, 2 * 30)

            position, speed, (left, right) = lander.position, lander.linearVelocity, self.legs
            x = (position.x - half_width) / half_width
            y = (position.y - (self.helipad_y + leg_down)) / half_height
            vx, vy = speed.x * half_width / fps, speed.y * half_height / fps
            angle, spin = lander.angle, 20.0 * lander.angularVelocity / fps
            on_left = 1.0 if left.ground_contact else 0.0
            on_right = 1.0 if right.ground_contact else 0.0

            shaping = -100 * sqrt(x * x + y * y) - 100 * sqrt(vx * vx + vy * vy)
            shaping = shaping - 100 * abs(angle) + 10 * on_left + 10 * on_right
            reward = 0.0 if self.prev_shaping is None else shaping - self.prev_shaping
            self.prev_shaping = shaping
            if action:
                reward -= 0.30 if action == 2 else 0.03
            terminated = self.game_over or abs(x) >= 1.0
            if terminated:
                reward = -100.0
            if not lander.awake:
                terminated, reward = True, 100.0
            return (x, y, vx, vy, angle, spin, on_left, on_right), reward, terminated

    return FastLunarLander
