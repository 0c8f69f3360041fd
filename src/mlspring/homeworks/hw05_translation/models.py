"""Two networks that translate: a recurrent one with attention here, a Transformer beside it.

Both have ``forward`` for training, and ``encode`` and ``decode`` for a search; what lies between is
a state that knows the source and the tokens so far. Both tie the embeddings of source, target and
output (Press & Wolf 2017, arXiv:1608.05859): one vocabulary, one table.

Shapes: b sentences, s source tokens, t target tokens, w width of an embedding, u units of the
recurrent state, v tokens of the vocabulary. Padding stands at the end of a sentence.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw05_translation.recipe import ModelKnobs
from mlspring.homeworks.hw05_translation.transformer import Transformer
from mlspring.homeworks.hw05_translation.vocabulary import PAD
from mlspring.kit.device import Work


@dataclass
class RecurrentState:
    """What the decoder knows.

    Args:
        real: bool (b, 1, s), True where there is a source token.
        memory: the encoder's outputs (b, s, u).
        hidden: the decoder's recurrent state (layers, b, u).
    """

    real: Tensor
    memory: Tensor
    hidden: Tensor

    def select(self, rows: Tensor) -> "RecurrentState":
        """Return the state of some sentences, in any order, also several times."""
        return replace(
            self, real=self.real[rows], memory=self.memory[rows], hidden=self.hidden[:, rows]
        )


class Recurrent(nn.Module):
    """A bidirectional GRU reads, a GRU writes; the token to read next asks the encoder's outputs.

    The course's sample: what attention finds is joined to the embedded token, then the GRU reads;
    so the query knows that token alone, not the GRU's state as in Luong et al. 2015
    (arXiv:1508.04025, "general" score). Divided by sqrt(u), no softmax is certain from the start.
    """

    def __init__(self, knobs: ModelKnobs, num_tokens: int) -> None:
        super().__init__()
        width, units, layers = knobs.width, knobs.hidden, knobs.layers
        self.embedding = nn.Embedding(num_tokens, width, padding_idx=PAD)
        self.dropout = nn.Dropout(knobs.dropout)
        between = knobs.dropout if layers > 1 else 0.0
        self.forwards, self.backwards = (
            nn.GRU(width, units // 2, layers, batch_first=True, dropout=between) for _ in range(2)
        )
        self.decoder = nn.GRU(width, units, layers, batch_first=True, dropout=between)
        self.query = nn.Linear(width, units, bias=False)
        self.joined = nn.Linear(width + units, width)
        self.out = nn.Linear(units, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        with torch.no_grad():
            self.embedding.weight[PAD] = 0

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Return the logits (b, t, v) of the token after each of ``inputs`` (b, t)."""
        return self.decode(self.encode(source), inputs)

    def encode(self, source: Tensor, *, keep_past: bool = False) -> RecurrentState:
        """Return the state before the first target token; a search needs no other one here.

        The second GRU reads each sentence turned round within its own length, so that for both
        directions padding comes last and cannot reach what is used.
        """
        real = source != PAD
        lengths = real.sum(1)
        x, turned = self._embed(source), turn(lengths, source.shape[1])
        ahead, _ = _read(self.forwards, x)
        back, _ = _read(self.backwards, _at(x, turned))
        memory = torch.cat((ahead, _at(back, turned)), 2)  # (b, s, u)
        # last of each direction: what either has read to its end
        last = _at(torch.cat((ahead, back), 2), lengths[:, None] - 1)  # (b, 1, u)
        hidden = last.transpose(0, 1).expand(self.decoder.num_layers, -1, -1)
        return RecurrentState(real[:, None], self.dropout(memory), hidden.contiguous())

    def decode(self, state: RecurrentState, tokens: Tensor) -> Tensor:
        """Return logits (b, t, v) after ``tokens`` (b, t); the state takes them in."""
        return self._look(state, tokens)[0]

    def alignment(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Return how much each target token looks at each source token: (b, t, s)."""
        return self._look(self.encode(source), inputs)[1]

    def _look(self, state: RecurrentState, tokens: Tensor) -> tuple[Tensor, Tensor]:
        x = self._embed(tokens)  # (b, t, w)
        scores = self.query(x) @ state.memory.transpose(1, 2) / state.memory.shape[2] ** 0.5
        weights = scores.masked_fill(~state.real, -torch.inf).softmax(-1)  # (b, t, s)
        x = torch.tanh(self.joined(torch.cat((x, weights @ state.memory), 2)))  # (b, t, w)
        outputs, state.hidden = _read(self.decoder, self.dropout(x), state.hidden)  # (b, t, u)
        return F.linear(self.out(self.dropout(outputs)), self.embedding.weight), weights

    def _embed(self, tokens: Tensor) -> Tensor:
        x: Tensor = self.dropout(self.embedding(tokens) * self.embedding.embedding_dim**0.5)
        return x


Translator = Recurrent | Transformer
WORK: dict[str, Work] = {"gru": "dense", "transformer": "wide"}  # what bf16 is worth, see _read


def build(knobs: ModelKnobs, num_tokens: int) -> Translator:
    """Return the network of a recipe with fresh weights."""
    return (Recurrent if knobs.kind == "gru" else Transformer)(knobs, num_tokens)


def turn(lengths: Tensor, longest: int) -> Tensor:
    """Return the places (b, s) that turn each sentence round and leave its padding where it is."""
    steps = torch.arange(longest, device=lengths.device)
    back = lengths[:, None] - 1 - steps
    return torch.where(back >= 0, back, steps)


def _read(gru: nn.GRU, x: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return outputs and last state, without autocast: in bf16 a CPU takes ten times as long."""
    with torch.autocast(x.device.type, enabled=False):
        outputs, last = gru(x.to(next(gru.parameters()).dtype), hidden)
    return outputs, last


def _at(x: Tensor, places: Tensor) -> Tensor:
    """Return x (b, s, n) at ``places`` (b, m): (b, m, n)."""
    return x.gather(1, places[:, :, None].expand(-1, -1, x.shape[2]))
