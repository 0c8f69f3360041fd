"""A small BERT that learns in minutes: fresh weights that begin well, neighbours, marked matches.

B sequences of a batch, L tokens of a sequence, D numbers of a token.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertEmbeddings
from transformers.utils import logging

WAVELENGTH = 10_000  # 2 pi times this: tokens of the slowest wave; a config may have its own

logging.disable_progress_bar()  # type: ignore[no-untyped-call]


class Embeddings(BertEmbeddings):
    """BERT's embeddings, to which a convolution adds what stands next to each token.

    x + GELU(conv(x)), normalised. Attention looks anywhere and has to learn first where next door
    is; which words stand before a name or a number is there at once. Source: convolutions below
    self-attention, Yu et al. 2018 (QANet, arXiv:1804.09541).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)  # type: ignore[no-untyped-call]
        width, span = config.hidden_size, config.convolution
        self.neighbours = nn.Conv1d(width, width, span, padding=span // 2)
        self.neighbours_norm = nn.LayerNorm(width)
        nn.init.normal_(self.neighbours.weight, std=(span * width) ** -0.5)

    def forward(self, input_ids: Any, **other: Any) -> Any:  # type: ignore[override]
        """Return numbers of each token (B, L, D); padding (id 0) is no neighbour of any."""
        x = super().forward(input_ids, **other) * input_ids.ne(0)[:, :, None]
        near = F.gelu(self.neighbours(x.transpose(1, 2)).transpose(1, 2))
        normed: Tensor = self.neighbours_norm(x + near)
        return normed


def new_bert(config: Mapping[str, Any]) -> BertModel:
    """Return a BERT with fresh weights, its positions sines and cosines (Vaswani et al. 2017).

    They are learnt further; drawn anew, they would take most of a short pre-training to tell
    neighbours from strangers. Weights are drawn with 1 / sqrt(width): with BERT's 0.02 a narrow
    network's attention adds next to nothing at first, and it stays for hundreds of steps with
    answers that fit the paragraph and not the question.
    """
    bert = BertModel(BertConfig(**config), add_pooling_layer=False)
    if config["convolution"]:
        drawn = bert.embeddings.state_dict()
        bert.embeddings = Embeddings(bert.config)
        bert.embeddings.load_state_dict(drawn, strict=False)
    positions = bert.embeddings.position_embeddings.weight
    place = torch.arange(len(positions))[:, None]
    rates = torch.exp(
        -math.log(config.get("wavelength", WAVELENGTH))
        * torch.arange(0, positions.shape[1], 2)
        / len(positions[0])
    )
    waves = torch.stack([torch.sin(place * rates), torch.cos(place * rates)], 2).flatten(1)
    with torch.no_grad():
        positions.copy_(math.sqrt(2) * config["initializer_range"] * waves)
    return bert


def shared(
    question: NDArray[np.int32], window: NDArray[np.int32], never: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return 1 for each token of the window that the question has, 2 if a neighbour follows, too.

    Names and rare words of a question are found again whole, frequent characters one by one.

    Args:
        question: tokens.
        window: tokens (T,).
        never: tokens that are not compared.
    """
    asked, found = question.astype(np.int64), window.astype(np.int64)
    single = np.isin(found, asked[~np.isin(asked, never)])
    pairs = np.isin(found[:-1] << 32 | found[1:], asked[:-1] << 32 | asked[1:])
    pairs &= single[:-1] & single[1:]
    whole = np.zeros(len(found), bool)
    whole[:-1] |= pairs
    whole[1:] |= pairs
    return single.astype(np.int64) + whole
