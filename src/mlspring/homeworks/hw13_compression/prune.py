"""Pruning: weights set to zero, which saves nothing, and channels taken out, which does.

A *mask* keeps every tensor's shape; the arithmetic stays (report question 3). *Shrinking* makes a
smaller network of the channels that are kept, with the same outputs as the masked one.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw13_compression.architecture import Architecture, layout
from mlspring.homeworks.hw13_compression.models import build

Tensors = dict[str, Tensor]
Kept = dict[str, Tensor]
EPSILON = 1e-5  # of batch norm


def sparse_weights(model: nn.Module, share: float, scope: Literal["layer", "global"]) -> Tensors:
    """Return the state dict with the smallest weights of the convolutions set to zero.

    Source: the course's sample (L1 unstructured, amount ``share`` of every Conv2d).

    Args:
        model: is not changed.
        share: of the weights to remove, 0 to 1.
        scope: ``layer`` removes the share in each convolution, ``global`` over all of them.
    """
    state = {name: value.clone() for name, value in model.state_dict().items()}
    names = [f"{n}.weight" for n, m in model.named_modules() if isinstance(m, nn.Conv2d)]
    parts = [names] if scope == "global" else [[name] for name in names]
    for part in parts:
        sizes = torch.cat([state[name].abs().flatten() for name in part])
        num_removed = round(share * len(sizes))
        keep = torch.ones_like(sizes, dtype=torch.bool)
        keep[sizes.topk(num_removed, largest=False).indices] = False
        for name, mask in zip(part, keep.split([state[n].numel() for n in part]), strict=True):
            state[name] *= mask.view_as(state[name])
    return state


def channel_scores(architecture: Architecture, state: Mapping[str, Tensor]) -> Tensors:
    """Return by group how much each channel matters: the size of the filters that make it.

    The L1 norm of a filter (Li et al. 2017, arXiv:1608.08710) times the factor of the batch norm
    after it, summed over all filters of the group: two that are added together count both.
    """
    scores = {group: torch.zeros(size) for group, size in architecture.groups.items()}
    dims = layout(architecture.name)
    for name, (group, *_) in ((n, d) for n, d in dims.items() if len(d) == 4):
        filters = state[name].detach().float().abs().sum(dim=(1, 2, 3)).cpu()
        norm = _norm_after(name, dims)
        variance = state[f"{norm}.running_var"].float().cpu()
        factor = state[f"{norm}.weight"].float().cpu().abs() / (variance + EPSILON).sqrt()
        scores[str(group)] += filters * factor
    return scores


def strongest(scores: Mapping[str, Tensor], channels: Mapping[str, int]) -> Kept:
    """Return the indices of the channels with the largest scores, so many of each group, sorted."""
    return {group: scores[group].topk(num).indices.sort().values for group, num in channels.items()}


def shrink(
    architecture: Architecture, state: Mapping[str, Tensor], kept: Kept
) -> tuple[Architecture, nn.Module]:
    """Return the smaller network that has only the ``kept`` channels, with their weights."""
    channels = tuple(len(kept[group]) for group in architecture.groups)
    smaller = Architecture(name=architecture.name, channels=channels)
    tensors = {}
    for name, dims in layout(architecture.name).items():
        value = state[name].detach()
        for axis, dim in enumerate(dims):
            if isinstance(dim, str):
                value = value.index_select(axis, kept[dim].to(value.device))
        tensors[name] = value.clone()
    model = build(smaller).to(next(iter(tensors.values())).dtype)
    model.load_state_dict(tensors)
    return smaller, model


def silence(architecture: Architecture, state: Mapping[str, Tensor], kept: Kept) -> Tensors:
    """Return the state dict in which the other channels are always zero: what shrinking equals."""
    silent = {name: value.clone() for name, value in state.items()}
    for name, dims in layout(architecture.name).items():
        is_affine = name.endswith((".weight", ".bias")) and len(dims) == 1
        if is_affine and isinstance(dims[0], str):
            mask = torch.zeros(architecture.groups[dims[0]]).to(silent[name])
            mask[kept[dims[0]]] = 1
            silent[name] *= mask
    return silent


def _norm_after(conv: str, dims: Mapping[str, object]) -> str:
    """Return the batch norm that follows a convolution: the next one in the state dict."""
    names = list(dims)
    following = names[names.index(conv) + 1 :]
    return next(n for n in following if n.endswith(".running_var")).removesuffix(".running_var")
