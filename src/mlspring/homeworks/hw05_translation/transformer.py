"""The Transformer (Vaswani et al. 2017, arXiv:1706.03762), pre-norm, with tied embeddings.

Shapes: b sentences, s source tokens, t target tokens, d numbers of a token (width), h heads, v
tokens of the vocabulary. Padding stands at the end of a sentence and changes no result: no token
attends to it.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw05_translation.recipe import ModelKnobs
from mlspring.homeworks.hw05_translation.vocabulary import PAD

Heads = tuple[Tensor, Tensor]  # keys and values, (b, h, n, d / h) each


@dataclass
class State:
    """What the decoder knows: the source, and in a search the tokens so far.

    Args:
        real: bool (b, 1, 1, s), True where there is a source token.
        memory: keys and values of the source, for each layer.
        past: keys and values of the target so far, for each layer; None: nothing is kept.
        length: target tokens so far.
    """

    real: Tensor
    memory: list[Heads]
    past: list[Heads] | None = None
    length: int = 0

    def select(self, rows: Tensor) -> "State":
        """Return the state of some sentences, in any order, also several times."""

        def of(heads: list[Heads]) -> list[Heads]:
            return [(keys[rows], values[rows]) for keys, values in heads]

        past = None if self.past is None else of(self.past)
        return State(self.real[rows], of(self.memory), past, self.length)


class Transformer(nn.Module):
    """From source tokens (b, s) and target tokens (b, t) to logits (b, t, v)."""

    def __init__(self, knobs: ModelKnobs, num_tokens: int) -> None:
        super().__init__()
        self.width, self.dropout = knobs.width, knobs.dropout
        self.embedding = nn.Embedding(num_tokens, knobs.width, padding_idx=PAD)
        self.encoder = nn.ModuleList(Block(knobs) for _ in range(knobs.layers))
        self.decoder = nn.ModuleList(Block(knobs, crossed=True) for _ in range(knobs.layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(knobs.width), nn.LayerNorm(knobs.width)
        nn.init.normal_(self.embedding.weight, std=knobs.width**-0.5)
        with torch.no_grad():
            self.embedding.weight[PAD] = 0

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Return the logits of the token after each of ``inputs``."""
        return self.decode(self.encode(source), inputs)

    def encode(self, source: Tensor, *, keep_past: bool = False) -> State:
        """Return the state before the first target token; ``keep_past``: as a search wants it."""
        real = (source != PAD)[:, None, None]
        x = self._embed(source, 0)
        for block in _blocks(self.encoder):
            x = block(x, real)
        x = self.encoder_norm(x)
        memory = [block.cross.heads_of(x) for block in _blocks(self.decoder)]
        return State(real, memory, [] if keep_past else None)

    def decode(self, state: State, tokens: Tensor) -> Tensor:
        """Return logits (b, t, v) after ``tokens`` (b, t), which follow those of the state.

        Where the state keeps the past, it takes the new tokens in: then one at a time.
        """
        x, past = self._embed(tokens, state.length), state.past
        kept = []
        for number, block in enumerate(_blocks(self.decoder)):
            before = past[number] if past else None
            x, heads = block.look_back(x, before)
            x = block.look_at(x, state.memory[number], state.real)
            kept.append(heads)
        if past is not None:
            state.past, state.length = kept, state.length + tokens.shape[1]
        return F.linear(self.decoder_norm(x), self.embedding.weight)

    def alignment(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Return how much each target token looks at each source token: (b, t, s), rows sum to 1.

        The mean over the heads of the last layer.
        """
        state, x = self.encode(source), self._embed(inputs, 0)
        for number, block in enumerate(_blocks(self.decoder)):
            x, _ = block.look_back(x, None)
            keys, _ = state.memory[number]
            weights = block.cross.weights(block.cross_norm(x), keys, state.real)
            x = block.look_at(x, state.memory[number], state.real)
        return weights.mean(1)

    def _embed(self, tokens: Tensor, start: int) -> Tensor:
        places = positions(start + tokens.shape[1], self.width, tokens.device)[start:]
        x = self.embedding(tokens) * math.sqrt(self.width) + places
        return F.dropout(x, self.dropout, self.training)


class Block(nn.Module):
    """Self-attention, in a decoder attention to the source, a dense layer; each adds to x.

    The norm comes before each (pre-norm, Xiong et al. 2020, arXiv:2002.04745): so the sum itself
    passes from layer to layer unchanged, and training needs less warm-up.
    """

    def __init__(self, knobs: ModelKnobs, *, crossed: bool = False) -> None:
        super().__init__()
        width, self.dropout = knobs.width, knobs.dropout
        self.own_norm, self.own = nn.LayerNorm(width), Attention(width, knobs.heads)
        if crossed:
            self.cross_norm, self.cross = nn.LayerNorm(width), Attention(width, knobs.heads)
        self.dense = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, knobs.hidden),
            nn.ReLU(),
            nn.Dropout(knobs.dropout),
            nn.Linear(knobs.hidden, width),
        )

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Return x (b, s, d) after an encoder's block."""
        y = self.own_norm(x)
        x = self._add(x, self.own(y, self.own.heads_of(y), real))
        return self._add(x, self.dense(x))

    def look_back(self, x: Tensor, past: Heads | None) -> tuple[Tensor, Heads]:
        """Return x (b, t, d) after self-attention, and keys and values of all tokens so far."""
        y = self.own_norm(x)
        keys, values = self.own.heads_of(y)
        if past is not None:
            keys, values = torch.cat((past[0], keys), 2), torch.cat((past[1], values), 2)
        return self._add(x, self.own(y, (keys, values), None)), (keys, values)

    def look_at(self, x: Tensor, memory: Heads, real: Tensor) -> Tensor:
        """Return x (b, t, d) after attention to the source and the dense layer."""
        x = self._add(x, self.cross(self.cross_norm(x), memory, real))
        return self._add(x, self.dense(x))

    def _add(self, x: Tensor, change: Tensor) -> Tensor:
        return x + F.dropout(change, self.dropout, self.training)


def _blocks(modules: nn.ModuleList) -> list[Block]:
    return cast("list[Block]", modules)


class Attention(nn.Module):
    """softmax(q k / sqrt(d / h)) v in h heads of d / h numbers each."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        for layer in (self.query, self.key_value, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, heads: Heads, real: Tensor | None) -> Tensor:
        """Return what x (b, t, d) gathers.

        Args:
            x: what asks.
            heads: keys and values of n tokens.
            real: bool (b, 1, 1, n), which of them may be looked at; None: those up to one's own.
        """
        causal = real is None and x.shape[1] > 1
        query = self._split(self.query(x))
        y = F.scaled_dot_product_attention(query, *heads, attn_mask=real, is_causal=causal)
        return self.out(y.transpose(1, 2).flatten(2))  # (b, t, d)

    def heads_of(self, x: Tensor) -> Heads:
        """Return keys and values of x (b, n, d)."""
        keys, values = self.key_value(x).chunk(2, -1)
        return self._split(keys), self._split(values)

    def weights(self, x: Tensor, keys: Tensor, real: Tensor) -> Tensor:
        """Return the weights themselves, (b, h, t, n), which ``forward`` never writes down."""
        scores = self._split(self.query(x)) @ keys.transpose(2, 3) / math.sqrt(keys.shape[3])
        return scores.masked_fill(~real, -torch.inf).softmax(-1)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.num_heads, -1)).transpose(1, 2)  # (b, h, n, d / h)


def positions(num: int, width: int, device: torch.device | None = None) -> Tensor:
    """Return the positional encodings (num, width): sines of falling frequency, then cosines.

    Entry i of place p is sin(p w_i), entry i + width / 2 is cos(p w_i), w_i = 10000^(-2 i / width).
    """
    places = torch.arange(num, device=device, dtype=torch.float32)
    steps = torch.arange(0, width, 2, device=device, dtype=torch.float32)
    angles = places[:, None] * torch.exp(-math.log(10_000.0) / width * steps)
    return torch.cat((angles.sin(), angles.cos()), 1)
