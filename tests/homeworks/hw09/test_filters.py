"""Filters: their maps are the network's own, and the ascent finds what a filter likes."""

import torch
from torch import nn

from mlspring.homeworks.hw09_explain.methods.filters import activations, excite
from tests.homeworks.hw09.cases import SIDE, network, pictures

ASCENT = {"num_steps": 60, "learning_rate": 0.05, "jitter": 1, "seed": 0}


def likes(*colours: tuple[float, float, float]) -> nn.Module:
    """Return a layer whose filter i answers to a colour."""
    layer = nn.Conv2d(3, len(colours), 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(colours)[:, :, None, None])
    return layer


def test_the_maps_are_those_of_the_layer() -> None:
    model, (images, _) = network(), pictures()
    inputs = (images - 0.5) / 0.25
    assert torch.allclose(
        activations(model.up_to(0), images, [1, 3]), model.network.cnn[0](inputs)[:, [1, 3]]
    )
    assert torch.allclose(
        activations(model.up_to(6), images, [0]), model.network.cnn[:7](inputs)[:, [0]]
    )


def test_the_ascent_paints_the_colour_that_a_filter_likes() -> None:
    found, way = excite(likes((1, -1, 0), (0, 0, 1)), [0, 1], SIDE, **ASCENT)
    assert found.shape == (2, 3, SIDE, SIDE)
    assert found[0, 0].min() > 0.99 and found[0, 1].max() < 0.01, "red and no green"
    assert found[1, 2].min() > 0.99, "blue"
    assert torch.allclose(way[-1], torch.ones(2), atol=0.02)


def test_excitement_rises_and_pictures_stay_pictures() -> None:
    found, way = excite(network().up_to(5), [0, 2, 5], SIDE, **ASCENT)
    assert (way[-1] > way[0]).all()
    assert found.min() >= 0 and found.max() <= 1
    assert way.shape == (61, 3)


def test_a_filter_s_picture_does_not_depend_on_the_others() -> None:
    features = network().up_to(5)
    together, _ = excite(features, [0, 2], SIDE, **ASCENT)
    alone, _ = excite(features, [2], SIDE, **ASCENT)
    assert torch.allclose(together[1], alone[0], atol=1e-3)


def test_the_ascent_leaves_the_weights_and_their_gradients_alone() -> None:
    features = network().up_to(5)
    before = [value.clone() for value in features.state_dict().values()]
    excite(features, [1], SIDE, **ASCENT)
    after = features.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(parameter.grad is None for parameter in features.parameters())
