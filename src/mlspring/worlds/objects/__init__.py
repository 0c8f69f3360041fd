"""The ten objects of the domain pair, numbered as in the course.

Each call draws new proportions and one of several views. A drawer thinks of a cat's face where a
camera sees the whole animal: ``drawn`` makes each view as common as it is in that domain.
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
