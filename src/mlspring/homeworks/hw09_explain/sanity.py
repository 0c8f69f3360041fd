"""A check that a map depends on what the network has learnt: its weights are made random.

Layer by layer from the top, each one with those above it; a map that stays the same explains the
picture, not the network. Source: Adebayo et al. 2018, arXiv:1810.03292.
"""

import copy
from collections.abc import Iterator
from typing import TypeVar

from torch import nn

from mlspring.kit.seeding import seed_everything

M = TypeVar("M", bound=nn.Module)


def weighted_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers with weights, the last one first, without batch norms."""
    kinds = (nn.Conv2d, nn.Linear)
    return [name for name, layer in model.named_modules() if isinstance(layer, kinds)][::-1]


def randomised(model: M, seed: int) -> Iterator[tuple[str, M]]:
    """Yield copies of ``model`` in which ever more layers are as before training.

    The first copy has a fresh last layer, the last one is fresh altogether. A batch norm belongs to
    the layer before it. The fresh weights of a layer depend on the seed and the layer's name only.
    """
    changed = copy.deepcopy(model)
    layers = dict(changed.named_modules())
    names = [name for name, layer in layers.items() if hasattr(layer, "reset_parameters")]
    above = len(names)
    for name in weighted_layers(model):
        start = names.index(name)
        for reset in names[start:above]:
            seed_everything(seed, "sanity", reset)
            layers[reset].reset_parameters()
        above = start
        yield name, copy.deepcopy(changed).eval()
