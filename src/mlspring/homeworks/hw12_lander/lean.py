"""Gymnasium's lander with less Python around the same physics: equal numbers to the last bit.

Of a step of Gymnasium's about half is spent outside Box2D. This subclass leaves out what a run
never asks for (a check of the action, wind, continuous engines, particles), draws its two random
numbers from the same stream more directly, and adds floats instead of numpy's scalars. Formulas and
their order are Gymnasium's: where an episode goes depends on the last bit of every sum.
"""

import math
from types import ModuleType
from typing import Any

State = tuple[float, float, float, float, float, float, float, float]
Step = tuple[State, float, bool]  # observation, reward, whether the episode terminated


def lean_class(module: ModuleType) -> Any:
    """Return the subclass of ``module.LunarLander`` whose ``advance`` is its step, faster.

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

    def impulse(lander: Any, action: int, first: float, second: float) -> None:
        """Fire the engine of ``action``, 1 to 3; ``first`` and ``second`` disperse its thrust."""
        angle, position = lander.angle, lander.position
        up_x, up_y = sin(angle), cos(angle)
        side = -up_y  # (side, up_x) is across
        if action == 2:
            far = main_y + 2 * first
            x, y = up_x * far + side * second, -up_y * far - up_x * second
            place = (position[0] + x, position[1] + y)
            power = main_power
        else:
            far = 3 * second + (action - 2) * side_away
            x, y = up_x * first + side * far, -up_y * first - up_x * far
            place = (position[0] + x - up_x * side_x, position[1] + y + up_y * side_y)
            power = side_power
        lander.ApplyLinearImpulse((-x * power, -y * power), place, True)

    class LeanLander(module.LunarLander):  # type: ignore[name-defined,misc]
        """Gymnasium's LunarLander, discrete, without wind."""

        def advance(self, action: int) -> Step:
            """Take one step."""
            lander, draw = self.lander, self.np_random.random
            first = (-1.0 + 2.0 * draw()) / scale  # uniform(-1, 1), drawn whatever the action
            second = (-1.0 + 2.0 * draw()) / scale
            if action:
                impulse(lander, action, first, second)
            self.world.Step(1.0 / fps, 6 * 30, 2 * 30)

            place, speed, (left, right) = lander.position, lander.linearVelocity, self.legs
            x = (place.x - half_width) / half_width
            y = (place.y - (self.helipad_y + leg_down)) / half_height
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

    return LeanLander
