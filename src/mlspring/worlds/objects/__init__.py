"""The ten objects of the domain pair, numbered as in the course.

Each call draws new proportions and one of several views. A drawer leaves parts out and adds
others: ``drawn`` makes antennas, leaves or windows as common as they are in that domain.
"""

from collections.abc import Callable

import numpy as np

from mlspring.worlds.objects.animals import cat, dog, dolphin, horse, spider
from mlspring.worlds.objects.things import apple, bed, clock, plane, television
from mlspring.worlds.outlines import Part

Outline = Callable[[np.random.Generator, bool], list[Part]]

CLASS_NAMES: tuple[str, ...] = (
    "horse",
    "bed",
    "clock",
    "apple",
    "cat",
    "plane",
    "television",
    "dog",
    "dolphin",
    "spider",
)
OUTLINES: tuple[Outline, ...] = (
    horse,
    bed,
    clock,
    apple,
    cat,
    plane,
    television,
    dog,
    dolphin,
    spider,
)
