"""The Conformer's block: attention hears all of an utterance, a convolution the nearby sounds.

Source: Gulati et al. 2020, arXiv:2005.08100. Half a feed-forward module, self-attention with
relative positions, the convolution module, the other half; each is added to its input. Below the
blocks convolutions make the tokens. Shapes and ``mask`` as in ``models``.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw04_speakers.recipe import ModelKnobs


class ConformerBlock(nn.Module):
    """x + FF/2, + attention, + convolution, + FF/2; each sum normalised, as in the Transformer.

    The paper normalises what goes into a module, and the last sum alone.
    """

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        width, dropout = knobs.width, knobs.dropout
        self.before, self.after = (FeedForward(knobs, nn.SiLU()) for _ in range(2))
        self.attention = SelfAttention(width, knobs.heads, relative=True)
        self.convolution = Convolution(width, knobs.kernel, dropout) if knobs.kernel else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4 if knobs.kernel else 3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (b, t, d)."""
        x = self.norms[0](x + 0.5 * self.before(x))
        x = self.norms[1](x + self.dropout(self.attention(x, mask)))
        if self.convolution is not None:
            x = self.norms[2](x + self.convolution(x, mask))
        normed: Tensor = self.norms[-1](x + 0.5 * self.after(x))
        return normed


class FeedForward(nn.Sequential):
    """Two dense layers."""

    def __init__(self, knobs: ModelKnobs, between: nn.Module) -> None:
        width, hidden, p = knobs.width, knobs.feed_forward, knobs.dropout
        first, second = nn.Linear(width, hidden), nn.Linear(hidden, width)
        super().__init__(first, between, nn.Dropout(p), second, nn.Dropout(p))


class Subsampling(nn.Module):
    """A token of every 2^k frames, made by k convolutions from the frames and bands around them.

    Each has 3 frames x 3 bands and stride 2; a dense layer makes a token of what they leave. Batch
    norm and relu follow every layer. The paper has k = 2 and no norm (figure 1).
    """

    def __init__(self, num_bands: int, channels: list[int], width: int) -> None:
        super().__init__()
        sizes = pairwise((1, *channels))  # kernel 3, stride 2, padding 1
        self.convolutions = nn.ModuleList(nn.Conv2d(*c, 3, 2, 1, bias=False) for c in sizes)
        self.norms = nn.ModuleList(MaskedBatchNorm(outputs) for outputs in channels)
        self.join = nn.Linear(channels[-1] * math.ceil(num_bands / 2 ** len(channels)), width)
        self.norm = MaskedBatchNorm(width)

    def forward(self, frames: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return tokens (b, t / 2^k, d) of frames (b, t, bands), and their mask; rounded up."""
        x = frames[..., None]  # (b, t, bands, channels)
        if mask is not None:  # beyond the end is 0, as at the borders of every convolution
            x = x.masked_fill(~mask[..., None, None], 0.0)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = convolution(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            mask = None if mask is None else mask[:, ::2]
            x = F.relu(norm(x, mask))
        return F.relu(self.norm(self.join(x.flatten(2)), mask)), mask


class Convolution(nn.Module):
    """What neighbouring tokens make together.

    Pointwise convolution and GLU, depthwise convolution over ``kernel`` tokens, batch norm, swish,
    pointwise convolution. A pointwise convolution is a dense layer on each token.
    """

    def __init__(self, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.gate = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.batch_norm = MaskedBatchNorm(width)
        self.pointwise = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (b, t, d)."""
        x = F.glu(self.gate(x), dim=-1)
        if mask is not None:  # beyond the end is 0, as at the borders of every convolution
            x = x.masked_fill(~mask[..., None], 0.0)
        x = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        mixed: Tensor = self.dropout(self.pointwise(F.silu(self.batch_norm(x, mask))))
        return mixed


class MaskedBatchNorm(nn.Module):
    """Batch norm over all tokens with sound: padding is in no mean and no variance."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (b, t, .., d), where nothing sounds 0."""
        if mask is None:
            normed: Tensor = self.norm(x.flatten(0, -2))
            return normed.view_as(x)
        normed = self.norm(x[mask].flatten(0, -2))
        sounding = mask.view(*mask.shape, *[1] * (x.ndim - 2))
        return torch.zeros_like(x, dtype=normed.dtype).masked_scatter(sounding, normed)


class SelfAttention(nn.Module):
    """Every token asks all others: softmax(q k^T / sqrt(d_head)) v, in several heads.

    With ``relative`` a score also depends on how far apart two tokens are: it is (q_i + u) . k_j +
    (q_i + v) . r_(i - j). u and v are learnt, r is a projected sine and cosine of the distance (Dai
    et al. 2019, arXiv:1901.02860, section 3.3).
    """

    def __init__(self, width: int, heads: int, *, relative: bool = False) -> None:
        super().__init__()
        self.heads, self.relative = heads, relative
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        if relative:
            self.distance = nn.Linear(width, width, bias=False)
            self.content_bias = nn.Parameter(torch.zeros(heads, 1, width // heads))
            self.distance_bias = nn.Parameter(torch.zeros(heads, 1, width // heads))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (b, t, d)."""
        q, k, v = self._heads(x)
        if self.relative:
            heard = self._weights(q, k, mask) @ v
        else:
            keys = None if mask is None else mask[:, None, None]
            heard = F.scaled_dot_product_attention(q, k, v, attn_mask=keys)
        joined: Tensor = self.join(heard.transpose(1, 2).flatten(2))
        return joined

    def weights(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return how much token i takes from token j, (b, heads, t, t); each row sums to 1."""
        q, k, _ = self._heads(x)
        return self._weights(q, k, mask)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, (b, heads, t, d / heads) each."""
        parts = self.project(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = parts.unbind(0)
        return q, k, v

    def _weights(self, q: Tensor, k: Tensor, mask: Tensor | None) -> Tensor:
        if self.relative:
            far = (q + self.distance_bias) @ self._distances(q).transpose(1, 2)
            scores = (q + self.content_bias) @ k.transpose(2, 3) + by_distance(far)
        else:
            scores = q @ k.transpose(2, 3)
        scores = scores / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None], -math.inf)
        return scores.softmax(-1)

    def _distances(self, q: Tensor) -> Tensor:
        """Return r of the distances t - 1, t - 2 .. 1 - t, (heads, 2 t - 1, d / heads)."""
        t, width = q.shape[2], self.distance.in_features
        far = torch.arange(t - 1, -t, -1, device=q.device, dtype=torch.float32)
        rates = torch.exp(torch.arange(0, width, 2, device=q.device) * (-math.log(10_000) / width))
        angles = far[:, None] * rates
        waves = torch.stack((angles.sin(), angles.cos()), -1).flatten(1)
        return self.distance(waves.to(q.dtype)).unflatten(1, (self.heads, -1)).transpose(0, 1)


def by_distance(scores: Tensor) -> Tensor:
    """Return (.., t, t), at (i, j) the score of i at distance i - j.

    Args:
        scores: (.., t, 2 t - 1), of token i at distance t - 1, t - 2 .. 1 - t. Written into one
            line one element a row shorter, its rows shift as needed (Dai et al. 2019, appendix B).
    """
    t = scores.shape[-2]
    shifted = F.pad(scores, (0, 1)).flatten(-2)[..., t - 1 : -1]
    return shifted.unflatten(-1, (t, 2 * t - 1))[..., :t]
