"""The networks of homework 7: a small BERT, its head for hidden tokens, its head for spans.

B sequences of a batch, L tokens of a sequence, D numbers of a token, V tokens of the vocabulary.
A sequence is [CLS] question [SEP] window [SEP], with a segment number for each token.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw07_reading.recipe import EncoderKnobs, WindowKnobs
from mlspring.kit.bert import new_bert

SPECIALS = 3  # [CLS] and two [SEP] of a sequence


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
