"""What only real photos and sketches need; ``recipes/laptop/boss.toml`` alone uses it.

Sketches show an object and nothing around it, in lines of any thickness. So a network must learn
from photos to look at the object alone, and from sketches what shape is, before any class is known.

Shapes: n pictures of h x w pixels; s x s where they are square.
"""

import math

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation import edges
from mlspring.kit import augment

# positive pairs
TEMPERATURE = 0.2
PHOTO_PAIRS = 0.2  # weight of the photos' own term
CODE_SIZE = 64
CLUTTER = 0.8  # probability of a photo's edges over the second version of a drawing

# changes of lines
ZOOM_MAX, STRETCH = 1.3, 0.3  # a picture may shrink, and change its aspect
THICK = 0.3  # probability of lines a pixel thicker
CONTRAST = 0.3  # largest fraction of the brightness cut off at either end

# outlines of objects
FLOOR = 0.15  # how much of an edge stays where nothing parts it from the border
SAME = 4.0  # colours that differ by less, of 255, are one surface
SWEEPS = 3  # of four directions each: distances around two corners


def contrastive_loss(codes: Tensor) -> Tensor:
    """Return SimCLR's loss (NT-Xent) in nats: at most log(2 n - 1).

    ``codes`` (2 n, f): rows i and n + i are a positive pair, the same picture changed in two ways.
    With s = cos(z_i, z_j) / TEMPERATURE it is -log(exp s_pair / sum of exp s over all others).
    Source: Chen et al. 2020, arXiv:2002.05709.
    """
    codes = F.normalize(codes, dim=1)
    similarity = codes @ codes.T / TEMPERATURE
    itself = torch.eye(len(codes), device=codes.device).bool()
    pairs = torch.arange(len(codes), device=codes.device).roll(len(codes) // 2)
    return F.cross_entropy(similarity.masked_fill(itself, -math.inf), pairs)


class Projector(nn.Sequential):
    """Two layers from features to the codes of positive pairs.

    What their loss wants forgotten, such as an angle, is forgotten here and not in the features.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__(
            nn.Linear(num_features, num_features), nn.ReLU(), nn.Linear(num_features, CODE_SIZE)
        )


class DomainNorm(nn.BatchNorm2d):
    """Batch norm whose scale and offset are shared, but whose statistics are each domain's own.

    The first ``num_photos`` rows are photos. Where edges are dense in one domain and sparse in the
    other, a channel's mean tells the domain and nothing else. Source: Li et al. 2016 (AdaBN,
    arXiv:1603.04779), Chang et al. 2019 (arXiv:1906.03950).
    """

    photo_mean: Tensor
    photo_var: Tensor

    def __init__(self, num_channels: int) -> None:
        super().__init__(num_channels)
        self.num_photos = 0
        self.register_buffer("photo_mean", torch.zeros(num_channels))
        self.register_buffer("photo_var", torch.ones(num_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c, h, w), each domain normalised on its own."""
        n = self.num_photos
        if not n:
            return super().forward(x)
        mean, var = self.photo_mean, self.photo_var
        photos = F.batch_norm(x[:n], mean, var, self.weight, self.bias, training=self.training)
        return photos if n == len(x) else torch.cat((photos, super().forward(x[n:])))


def draw_clutter(n: int, generator: Generator) -> Tensor:
    """Return how bright a photo's edges are over each of n drawings: (n,) in [0, 1), many 0."""
    chosen = torch.rand(n, generator=generator) < CLUTTER
    return torch.rand(n, generator=generator) * chosen


def clutter(drawings: Tensor, photos: Tensor, strength: Tensor) -> Tensor:
    """Return drawings (n, 1, s, s) with a photo's edges (n, 1, s, s) over each.

    A photo's centre, where its object is, is moved to the corners: what lies over the drawing is
    background. So the features learn to ignore what photos always have and drawings never.
    """
    half = photos.shape[-1] // 2
    background = photos.roll((half, half), (2, 3))
    return torch.maximum(drawings, background * strength.to(drawings)[:, None, None, None])


def cut_contrast(images: Tensor, ends: Tensor) -> Tensor:
    """Return pictures (n, 1, s, s) in [0, 1] with both ``ends`` (n, 2) cut off, the rest spread.

    Faint edges vanish, and how strong an edge is tells less: a drawing's strokes are all alike.
    """
    ends = augment.beside(ends, images)
    dark, bright = ends[:, 0, None, None, None], 1 - ends[:, 1, None, None, None]
    return ((images - dark) / (bright - dark)).clamp(0, 1)


def thicken(images: Tensor, chosen: Tensor) -> Tensor:
    """Return pictures (n, 1, s, s); the bright lines of the ``chosen`` (n,) are a pixel thicker."""
    thicker = F.max_pool2d(F.pad(images, (1, 0, 1, 0)), 2, stride=1)  # to the right and down
    return torch.where(augment.beside(chosen, images)[:, None, None, None] > 0, thicker, images)


def object_edges(photos: Tensor, blur: float) -> Tensor:
    """Return the colour edges of uint8 photos (n, h, w, 3), weak near the background, as uint8.

    Each picture is scaled so that its 97th percentile is white.
    """
    channels = photos.unbind(-1)
    strength = torch.stack([torch.hypot(*edges.gradients(c, blur)) for c in channels]).amax(0)
    inside = edges.scaled(distance_to_border(photos), 0.95)[:, None].float() / 255
    near = F.max_pool2d(inside, 5, stride=1, padding=2)[:, 0]  # an outline lies half outside
    return edges.scaled(strength * (FLOOR + (1 - FLOOR) * near), 0.97)


def distance_to_border(photos: Tensor) -> Tensor:
    """Return how much colour must change on the cheapest way from the border: floats (n, h, w).

    A step costs 0.5 and the distance of the two colours beyond ``SAME``. What touches the border,
    as backgrounds do, is near, an object is far. Source: Wei et al. 2012 (geodesic saliency).
    """
    colours = photos.float().permute(0, 3, 1, 2)
    colours = F.avg_pool2d(F.pad(colours, (1,) * 4, mode="replicate"), 3, stride=1)
    far = torch.full_like(colours[:, 0], math.inf)
    far[:, (0, -1)] = 0
    far[:, :, (0, -1)] = 0
    for _ in range(SWEEPS):
        for axis in (1, 2):
            lines = far.unbind(axis)  # views of ``far``: writing to them writes to it
            change = colours.diff(dim=axis + 1).norm(dim=1)
            costs = ((change - SAME).clamp(min=0) + 0.5).unbind(axis)
            for i, cost in enumerate(costs, start=1):
                torch.minimum(lines[i], lines[i - 1] + cost, out=lines[i])
            for i in range(len(costs) - 1, -1, -1):
                torch.minimum(lines[i], lines[i + 1] + costs[i], out=lines[i])
    return far
