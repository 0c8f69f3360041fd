"""Pruning: masks against torch's own, and smaller networks against their masked originals."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from mlspring.homeworks.hw13_compression import prune
from mlspring.homeworks.hw13_compression.architecture import NAMES, Architecture, layout
from mlspring.homeworks.hw13_compression.cost import count_macs, count_parameters
from mlspring.homeworks.hw13_compression.models import build
from tests.homeworks.hw13.test_models import odd


def trained(architecture: Architecture) -> nn.Module:
    """Return a network in double precision whose norms have statistics and factors of their own."""
    torch.manual_seed(0)
    model = build(architecture).double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model


def zero_channels(
    architecture: Architecture, state: dict[str, Tensor], kept: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Return the state_dict in which the other channels are always zero: what shrinking equals."""
    zeroed = {name: value.clone() for name, value in state.items()}
    for name, dims in layout(architecture.name).items():
        is_affine = name.endswith((".weight", ".bias")) and len(dims) == 1
        if is_affine and isinstance(dims[0], str):
            mask = torch.zeros(architecture.groups[dims[0]]).to(zeroed[name])
            mask[kept[dims[0]]] = 1
            zeroed[name] *= mask
    return zeroed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.77])
def test_masks_of_a_layer_are_torch_s(name: str, share: float) -> None:
    model = trained(odd(name))
    ours = prune.sparse_weights(model, share)
    theirs = copy.deepcopy(model)
    for module in theirs.modules():
        if isinstance(module, nn.Conv2d):
            torch_prune.l1_unstructured(module, "weight", share)
            torch_prune.remove(module, "weight")
    for tensor, value in theirs.state_dict().items():
        assert torch.equal(ours[tensor], value), tensor


def test_masks_change_neither_the_network_nor_its_cost() -> None:
    model = trained(odd("plain"))
    before = copy.deepcopy(model.state_dict())
    masked = copy.deepcopy(model)
    masked.load_state_dict(prune.sparse_weights(model, 0.9))
    assert count_parameters(masked) == count_parameters(model)
    assert count_macs(masked, 64) == count_macs(model, 64)
    for tensor, value in model.state_dict().items():
        assert torch.equal(value, before[tensor])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.8, 0.5, 0.2])
def test_a_smaller_network_answers_as_its_masked_original(name: str, share: float) -> None:
    architecture = odd(name)
    model = trained(architecture)
    state = model.state_dict()
    channels = prune.remaining(architecture, share)
    smaller, shrunk = prune.shrink(architecture, model, channels)
    kept = prune.strongest(prune.channel_scores(architecture, state), channels)
    model.load_state_dict(zero_channels(architecture, state, kept))
    images = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    torch.testing.assert_close(shrunk.eval()(images), model(images), rtol=1e-10, atol=1e-10)
    assert smaller.num_parameters == count_parameters(shrunk) < architecture.num_parameters
    assert count_macs(shrunk, 64) < count_macs(model, 64)


def test_keeping_everything_changes_nothing() -> None:
    architecture = odd("inverted")
    model = trained(architecture)
    everything = prune.remaining(architecture, 1.0)
    _, same = prune.shrink(architecture, model, everything)
    for tensor, value in same.state_dict().items():
        assert torch.equal(value, model.state_dict()[tensor])


def test_a_channel_that_says_nothing_goes_first() -> None:
    architecture = odd("residual")
    model = trained(architecture)
    for conv in (model.blocks[1].second, model.blocks[1].shortcut):  # both make group c2
        conv.norm.weight.data[3] = 0
    kept = prune.strongest(
        prune.channel_scores(architecture, model.state_dict()),
        {group: num - 1 for group, num in architecture.groups.items()},
    )
    assert 3 not in kept["c2"].tolist()
    assert kept["c2"].tolist() == sorted(kept["c2"].tolist())


def test_a_score_is_the_filter_s_size_behind_its_norm() -> None:
    architecture = Architecture(name="plain", channels=(2, 1, 1, 1))
    model = build(architecture)
    first = model.blocks[0]
    first.conv.weight.data[0], first.conv.weight.data[1] = 1.0, -2.0
    first.norm.weight.data[:] = torch.tensor([3.0, -0.5])
    first.norm.running_var[:] = torch.tensor([1.0, 4.0]) - 1e-5
    scores = prune.channel_scores(architecture, model.state_dict())
    torch.testing.assert_close(scores["c0"], torch.tensor([27 * 3.0, 54 * 0.5 / 2]))
    first.norm.running_var[:] = 0.0  # a channel that never changes: batch norm's own 1e-5 is left
    scores = prune.channel_scores(architecture, model.state_dict())
    torch.testing.assert_close(scores["c0"], torch.tensor([27 * 3.0, 54 * 0.5]) / 1e-5**0.5)


def test_every_group_keeps_a_channel() -> None:
    assert set(prune.remaining(odd("plain"), 0.01).values()) == {1}
