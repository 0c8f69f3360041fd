"""The networks of homework 7: a small BERT, its head for hidden tokens, its head for spans.

B sequences of a batch, L tokens of a sequence, D numbers of a token, V tokens of the vocabulary.
A sequence is [CLS] question [SEP] window [SEP], with a segment number for each token.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertEmbeddings
from transformers.utils import logging

from mlspring.homeworks.hw07_reading.recipe import EncoderKnobs, WindowKnobs

SPECIALS = 3  # [CLS] and two [SEP] of a sequence

logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def config_of(knobs: EncoderKnobs, window: WindowKnobs, vocabulary_size: int) -> dict[str, Any]:
    """Return the values of ``BertConfig`` for an encoder of our own."""
    return {
        "vocab_size": vocabulary_size,
        "hidden_size": knobs.width,
        "num_hidden_layers": knobs.layers,
        "num_attention_heads": knobs.heads,
        "intermediate_size": knobs.feed_forward,
        "hidden_dropout_prob": knobs.dropout,
        "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": window.question + window.length + SPECIALS,
        "type_vocab_size": 4 if knobs.match else 2,
        "initializer_range": round(knobs.width**-0.5, 4),
        "convolution": knobs.convolution,
    }


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
        -math.log(10_000) * torch.arange(0, positions.shape[1], 2) / len(positions[0])
    )
    waves = torch.stack([torch.sin(place * rates), torch.cos(place * rates)], 2).flatten(1)
    with torch.no_grad():
        positions.copy_(math.sqrt(2) * config["initializer_range"] * waves)
    return bert


class MaskedNet(nn.Module):
    """BERT with the head that names hidden tokens; its last layer is the word embedding."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.bert = new_bert(config)
        width = config["hidden_size"]
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(config["vocab_size"]))

    def forward(self, ids: Tensor, segments: Tensor, hidden: Tensor) -> Tensor:
        """Return logits (n, V) of the n tokens that ``hidden``, bool (B, L), chooses."""
        states = self.bert(ids, ids.ne(0), segments).last_hidden_state[hidden]  # (n, D)
        words = self.bert.embeddings.word_embeddings.weight
        return F.linear(self.transform(states), words, self.bias)


class ReadingNet(nn.Module):
    """BERT with one dense layer above, D to 2: how well a token starts and ends the answer."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.bert = new_bert(config)
        self.span = nn.Linear(config["hidden_size"], 2)

    def forward(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Return logits (B, 2, L) of starts and ends, of every token but padding (id 0).

        Args:
            ids: tokens, int64 (B, L); padding stands behind.
            segments: 0 question, 1 window, 2 or 3 a token of the window that both have.
        """
        mask = ids.ne(0)
        states = self.bert(ids, mask, segments).last_hidden_state  # (B, L, D)
        logits: Tensor = self.span(states).float().transpose(1, 2)  # (B, 2, L)
        return logits.masked_fill(~mask[:, None], -1e4)
