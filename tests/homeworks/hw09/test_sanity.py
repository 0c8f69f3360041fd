"""Weights made random from the top: which layers, in which order, and what that does to maps."""

import torch

from mlspring.homeworks.hw09_explain.methods.gradients import saliency
from mlspring.homeworks.hw09_explain.sanity import randomised, weighted_layers
from mlspring.homeworks.hw09_explain.truth import edges, rank_correlation
from tests.homeworks.hw09.cases import network, pictures

LAYERS = ["network.fc.3", "network.fc.0", "network.cnn.4", "network.cnn.0"]


def test_layers_come_from_the_top() -> None:
    assert weighted_layers(network()) == LAYERS


def test_a_copy_has_fresh_weights_in_its_layer_and_above_and_nowhere_else() -> None:
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    names = []
    for name, changed in randomised(model, seed=0):
        names.append(name)
        moved = {
            key.rpartition(".")[0]
            for key, value in changed.state_dict().items()
            if not torch.equal(value, before[key])
        }
        batch_norms = {f"network.cnn.{int(n[-1]) + 1}" for n in names if ".cnn." in n}
        assert moved == set(names) | batch_norms
        assert not changed.training
    assert names == LAYERS
    after = model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_the_fresh_weights_depend_on_the_seed_alone() -> None:
    def last(seed: int) -> torch.Tensor:
        *_, (_, changed) = randomised(network(), seed)
        return changed.state_dict()["network.cnn.0.weight"]

    assert torch.equal(last(0), last(0))
    assert not torch.equal(last(0), last(1))


def test_a_gradient_changes_with_the_weights_and_an_edge_detector_does_not() -> None:
    model, (images, labels) = network(), pictures()
    before = saliency(model, images, labels).amax(1)
    *_, (_, fresh) = randomised(model, seed=0)
    after = saliency(fresh, images, labels).amax(1)
    assert rank_correlation(before, after).abs().max() < 0.6
    assert rank_correlation(edges(images), edges(images)).min() == 1.0
