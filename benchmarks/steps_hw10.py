"""One step of homework 10's attack, with its views drawn or given: for loader efficiency."""

import itertools
from collections.abc import Callable
from typing import Any

from mlspring.core.runs import Request
from mlspring.homeworks.hw10_attack import attacks, train
from mlspring.homeworks.hw10_attack.attacks import Views
from mlspring.homeworks.hw10_attack.data import Data
from mlspring.homeworks.hw10_attack.networks import open_networks
from mlspring.homeworks.hw10_attack.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.seeding import generator


def make(recipe: Recipe, data: Data) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a step that draws what the proxies see, and the same step on one fixed draw.

    The pictures lie in memory all the time: a draw is all that there is to load.
    """
    hardware, rule = device.choose("auto", "auto", work="dense"), recipe.attack
    request = Request(homework="hw10", recipe="strong")
    opened = open_networks(recipe.networks.proxies, recipe.networks, data, request, hardware)
    proxies = list(opened.values())
    benign, labels = train.on_device(data, hardware)
    state = train.new_state(benign, rule, recipe.train)
    steps = itertools.count(1)

    def load() -> Views:
        return attacks.draw_views(rule, benign, labels, generator(0, "views", next(steps)))

    def learn(views: Views) -> None:
        images = state.model.images.detach()
        with hardware.autocast():
            gradient, _, _ = attacks.input_gradient(proxies, images, labels, views, rule)
        train.ascend(state, attacks.smooth(gradient, rule.smoothing), benign, rule)

    fixed = load()
    return (lambda: learn(load())), (lambda: learn(fixed))
