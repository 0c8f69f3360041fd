"""Where heads look: the share of their attention that goes to each of a few aims.

Shapes: attention (layers, heads, L, L) of a sequence of L tokens; its rows, from a token to all,
add up to 1. What stands behind a word for a head is in Vig 2019 (arXiv:1906.05714) and Clark et al.
2019 (arXiv:1906.04341).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.homeworks.hw09_explain.text.encoder import QUESTION, SPECIAL_PART, Encoded

AIMS = ("previous", "next", "itself", "[CLS]", "[SEP]", "same token", "answer")


def aims_of(one: Encoded, answer: NDArray[np.bool_]) -> dict[str, Tensor]:
    """Return for each aim which tokens each token should look at: bool (L, L).

    Only tokens of question and text look. ``same token`` is the same one elsewhere, and at
    ``answer`` those of the question look.

    Args:
        one: the sequence.
        answer: bool (L,), its tokens.
    """
    length = len(one.ids)
    place = torch.arange(length)
    step = place[None] - place[:, None]
    names, specials = np.array(one.names), torch.from_numpy(one.parts == SPECIAL_PART)
    alike = (one.ids[None] == one.ids[:, None]) & (step != 0)
    asks = torch.from_numpy(one.parts == QUESTION)
    wanted = {
        "previous": step == -1,
        "next": step == 1,
        "itself": step == 0,
        "[CLS]": torch.from_numpy(names == "[CLS]").expand(length, -1),
        "[SEP]": torch.from_numpy(names == "[SEP]").expand(length, -1),
        "same token": alike,
        "answer": asks[:, None] & torch.from_numpy(answer),
    }
    return {aim: mask & ~specials[:, None] for aim, mask in wanted.items()}


def shares(attention: Tensor, aim: Tensor) -> Tensor:
    """Return the mean share that goes to an aim: (layers, heads); over the tokens that have it.

    Args:
        attention: (layers, heads, L, L).
        aim: bool (L, L), from ``aims_of``; a row without True does not count.
    """
    looks = aim.any(1)
    if not looks.any():
        return attention.new_full(attention.shape[:2], torch.nan)
    return (attention * aim).sum(3)[:, :, looks].mean(2)


def even_share(aim: Tensor) -> float:
    """Return the share that goes to an aim where every token is looked at alike."""
    looks = aim.any(1)
    return aim[looks].double().mean().item() if looks.any() else float("nan")


def best_head(of_heads: Sequence[Sequence[float]]) -> tuple[int, int]:
    """Return layer and head, from 1, with the largest of the shares, a list of heads a layer."""
    most = [max(layer) for layer in of_heads]
    layer = most.index(max(most))
    return layer + 1, list(of_heads[layer]).index(most[layer]) + 1
