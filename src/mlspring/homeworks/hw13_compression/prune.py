"""Pruning: weights set to zero, which saves nothing, and channels taken out, which does.

A *mask* keeps every tensor's shape, so the arithmetic stays (report question 3). *Shrinking* makes
a smaller network of the channels that are kept.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw13_compression.architecture import Architecture, layout
from mlspring.homeworks.hw13_compression.models import build

Tensors = dict[str, Tensor]
EPSILON = 1e-5  # of batch norm


def sparse_weights(model: nn.Module, share: float) -> Tensors:
    """Return the state_dict with the smallest ``share`` of each convolution's weights at zero.

    Source: the course's sample (L1 unstructured on every Conv2d). ``model`` is not changed.
    """
    state = {name: value.clone() for name, value in model.state_dict().items()}
    for name in (f"{n}.weight" for n, m in model.named_modules() if isinstance(m, nn.Conv2d)):
        sizes = state[name].abs().flatten()
        keep = torch.ones_like(sizes, dtype=torch.bool)
        keep[sizes.topk(round(share * len(sizes)), largest=False).indices] = False
        state[name] *= keep.view_as(state[name])
    return state


def channel_scores(architecture: Architecture, state: Mapping[str, Tensor]) -> Tensors:
    """Return by group how much each channel matters: the size of the filters that make it.

    The L1 norm of a filter (Li et al. 2017, arXiv:1608.08710) times the factor of the batch norm
    after it, summed over all filters of the group: two that are added together count both.
    """
    scores = {group: torch.zeros(size) for group, size in architecture.groups.items()}
    dims = layout(architecture.name)
    for name, (group, *_) in ((n, d) for n, d in dims.items() if len(d) == 4):
        filters = state[name].float().abs().sum(dim=(1, 2, 3))
        norm = _norm_after(name, dims)
        variance = state[f"{norm}.running_var"].float()
        factor = state[f"{norm}.weight"].float().abs() / (variance + EPSILON).sqrt()
        scores[str(group)] += filters * factor
    return scores


def remaining(architecture: Architecture, share: float) -> dict[str, int]:
    """Return how many channels of each group are left when ``share`` of them is kept."""
    return {group: max(1, round(share * num)) for group, num in architecture.groups.items()}


def strongest(scores: Mapping[str, Tensor], channels: Mapping[str, int]) -> Tensors:
    """Return by group the sorted indices of its channels with the largest scores, so many each."""
    return {group: scores[group].topk(num).indices.sort().values for group, num in channels.items()}


def shrink(
    architecture: Architecture, model: nn.Module, channels: Mapping[str, int]
) -> tuple[Architecture, nn.Module]:
    """Return the smaller network of the strongest channels, so many of each group; on the CPU."""
    state = {name: value.cpu() for name, value in model.state_dict().items()}
    kept = strongest(channel_scores(architecture, state), channels)
    sizes = tuple(len(kept[group]) for group in architecture.groups)
    smaller = Architecture(name=architecture.name, channels=sizes)
    tensors = {}
    for name, dims in layout(architecture.name).items():
        value = state[name]
        for axis, dim in enumerate(dims):
            if isinstance(dim, str):
                value = value.index_select(axis, kept[dim])
        tensors[name] = value.clone()
    shrunk = build(smaller).to(next(iter(tensors.values())).dtype)
    shrunk.load_state_dict(tensors)
    return smaller, shrunk


def _norm_after(conv: str, dims: Mapping[str, object]) -> str:
    """Return the batch norm that follows a convolution: the next one in the state_dict."""
    names = list(dims)
    following = names[names.index(conv) + 1 :]
    return next(n for n in following if n.endswith(".running_var")).removesuffix(".running_var")
