"""Outlines that objects are made of: what a photo fills and a pen follows; nothing is drawn here.

An object is a list of parts in the square [-1, 1] x [-1, 1], x to the right and y down, in the
order of painting.
"""

from dataclasses import dataclass

import numpy as np

from mlspring.worlds.shapes import Points, circle, turned

BODY, SECOND, DARK = range(3)  # an object's colours


@dataclass(frozen=True, kw_only=True)
class Part:
    """One outline of an object.

    Args:
        points: (n, 2), in [-1, 1].
        closed: whether it encloses a face, which a photo fills; else it is a line.
        tone: which of the object's colours it has.
        detail: whether a hasty drawer may leave it out.
    """

    points: Points
    closed: bool = True
    tone: int = BODY
    detail: bool = False


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, num: int = 20) -> Points:
    """Return an ellipse around (x, y), turned by ``angle`` radians: (num, 2)."""
    return np.asarray(turned(circle(num) * (rx, ry), angle) + np.array([x, y]))


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Points:
    """Return a part of an ellipse's rim between two angles: (10, 2)."""
    t = np.linspace(start, end, 10)
    return np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], 1)


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """Return a rectangle: (4, 2)."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def path(*points: tuple[float, float]) -> Points:
    """Return corners as an array: (n, 2)."""
    return np.array(points)


def limb(start: tuple[float, float], end: tuple[float, float], wide: float, thin: float) -> Points:
    """Return a tapering quadrilateral from ``start`` to ``end``, widths across."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-6)
    across = np.array([-along[1], along[0]])
    return np.stack([a - across * wide, b - across * thin, b + across * thin, a + across * wide])
