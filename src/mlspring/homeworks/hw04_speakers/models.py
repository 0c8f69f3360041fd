"""Networks that hear who speaks: a Transformer encoder or a Conformer, a pooling, a classifier.

Shapes: b utterances, t tokens, d units (``model.width``), n speakers. ``mask`` is bool (b, t), True
where there is sound; None where nothing is padded. What is padded changes no result: attention,
convolution, batch norm and pooling never see it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.speech_features import NUM_MELS
from mlspring.homeworks.hw04_speakers import conformer
from mlspring.homeworks.hw04_speakers.recipe import ModelKnobs


class SpeakerNet(nn.Module):
    """From log mel frames to one logit a speaker.

    frames -> standardised -> tokens -> encoder -> pooling -> embedding -> logits

    Args:
        knobs: which encoder and pooling.
        num_speakers: n.
        scale: of the cosines that are the logits; 0: a dense layer makes them.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, knobs: ModelKnobs, num_speakers: int, scale: float) -> None:
        super().__init__()
        self.every = knobs.every
        self.register_buffer("mean", torch.zeros(NUM_MELS))
        self.register_buffer("scale", torch.ones(NUM_MELS))
        self.prenet: nn.Module = (
            conformer.Subsampling(NUM_MELS, knobs.channels, knobs.width)
            if knobs.channels
            else nn.Linear(NUM_MELS, knobs.width)
        )
        block = conformer.ConformerBlock if knobs.encoder == "conformer" else TransformerBlock
        self.blocks = nn.ModuleList(block(knobs) for _ in range(knobs.layers))
        self.pooling = (
            AttentionPooling(knobs.width) if knobs.pooling == "attention" else MeanPooling()
        )
        if scale:
            self.embedding: nn.Module = nn.Linear(knobs.width, knobs.width)
            self.classifier: nn.Module = CosineClassifier(knobs.width, num_speakers, scale)
        else:
            self.embedding = nn.Sequential(nn.Linear(knobs.width, knobs.width), nn.ReLU())
            self.classifier = nn.Linear(knobs.width, num_speakers)

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits (b, n) of log mel energies (b, frames, 40)."""
        logits: Tensor = self.classifier(self.embed(frames, mask))
        return logits

    def embed(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return one vector an utterance, (b, d)."""
        tokens, mask = self.encode(frames, mask)
        embedded: Tensor = self.embedding(self.pooling(tokens, mask))
        return embedded

    def encode(self, frames: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the encoder's output (b, t, d) and the mask of its tokens."""
        tokens, mask = self.tokens(frames, mask)
        for block in self.blocks:
            tokens = block(tokens, mask)
        return tokens, mask

    def tokens(self, frames: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return what the first block gets: made by convolutions, or every ``every``-th frame."""
        frames = (frames - self.mean) * self.scale
        if isinstance(self.prenet, conformer.Subsampling):
            made: tuple[Tensor, Tensor | None] = self.prenet(frames, mask)
            return made
        mask = None if mask is None else mask[:, :: self.every]
        return self.prenet(frames[:, :: self.every]), mask


class TransformerBlock(nn.Module):
    """The encoder layer of Vaswani et al. 2017, arXiv:1706.03762: attention, two dense layers.

    Each is added to its input, and the sum normalised.
    """

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        self.attention = conformer.SelfAttention(knobs.width, knobs.heads)
        self.feed_forward = conformer.FeedForward(knobs, nn.ReLU())
        self.norms = nn.ModuleList(nn.LayerNorm(knobs.width) for _ in range(2))
        self.dropout = nn.Dropout(knobs.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (b, t, d)."""
        x = self.norms[0](x + self.dropout(self.attention(x, mask)))
        normed: Tensor = self.norms[1](x + self.feed_forward(x))
        return normed


class MeanPooling(nn.Module):
    """The mean over the tokens."""

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (b, d) of (b, t, d)."""
        if mask is None:
            return x.mean(1)
        weights = mask / mask.sum(1, keepdim=True)
        return torch.einsum("bt,btd->bd", weights.to(x.dtype), x)


class AttentionPooling(nn.Module):
    """Self-attention pooling: a mean whose weights the tokens themselves give.

    a = softmax_t(w . h_t), e = sum_t a_t h_t (Safari et al. 2020, arXiv:2008.01077).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (b, d) of (b, t, d)."""
        return torch.einsum("bt,btd->bd", self.weights(x, mask), x)

    def weights(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the weight of each token, (b, t); those of an utterance sum to 1."""
        scores = self.score(x)[..., 0]
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        return scores.softmax(1)


class CosineClassifier(nn.Module):
    """Logits s cos(e, w_k): neither the length of an embedding nor of a class's vector counts."""

    def __init__(self, width: int, num_speakers: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_speakers, width))
        nn.init.xavier_uniform_(self.weight)
        self.scale = scale

    def forward(self, embedded: Tensor) -> Tensor:
        """Return (b, n) of (b, d)."""
        return self.scale * F.linear(F.normalize(embedded), F.normalize(self.weight))
