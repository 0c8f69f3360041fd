"""Networks of homework 11: feature extractor, label predictor, domain classifier.

Shapes: n pictures of s x s pixels, one channel; features are (n, 8 width), logits (n, num_classes).
"""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation.losses import reverse
from mlspring.homeworks.hw11_adaptation.recipe import Recipe

CODE = 64  # numbers that the instance loss compares


def build(recipe: Recipe, num_classes: int) -> "Adapter":
    """Return the networks of a recipe, with fresh weights."""
    knobs = recipe.model
    extractors = {
        "plain": PlainExtractor,
        "residual": ResidualExtractor,
        "deep": lambda width, norm: ResidualExtractor(width, norm, first_stride=2),
    }
    num_features = 8 * knobs.width
    predictor = LinearPredictor if knobs.name == "deep" else LabelPredictor
    norm = OwnNorm if knobs.norm == "own" else nn.BatchNorm2d
    return Adapter(
        extract=extractors[knobs.name](knobs.width, norm),
        classify=predictor(num_features, num_classes),
        opponent={
            "source_only": lambda: None,
            "dann": lambda: DomainClassifier(num_features),
            "mcd": lambda: predictor(num_features, num_classes),
        }[recipe.adapt.method](),
        project=Projector(num_features) if recipe.adapt.needs_twins else None,
    )


class OwnNorm(nn.BatchNorm2d):
    """Batch norm whose scale and offset are shared, but whose statistics are each domain's own.

    The first ``num_photos`` rows are photos. Where edges are dense in one domain and sparse in the
    other, a channel's mean tells the domain and nothing else. Source: Li et al. 2016 (AdaBN,
    arXiv:1603.04779), Chang et al. 2019 (arXiv:1906.03950).
    """

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
        photos = F.batch_norm(
            x[:n],
            self.photo_mean,
            self.photo_var,
            self.weight,
            self.bias,
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )
        return photos if n == len(x) else torch.cat((photos, super().forward(x[n:])))


NewNorm = Callable[[int], nn.Module]


class PlainExtractor(nn.Sequential):
    """The sample code's extractor; at width 64 it has 2,142,336 parameters.

    Five times convolution - batch norm - ReLU - pooling; what is left of the picture is averaged,
    which at 32 x 32 pixels is a single position. Source: HW11 notebook.
    """

    def __init__(self, width: int, norm: NewNorm = nn.BatchNorm2d) -> None:
        channels = [1, width, 2 * width, 4 * width, 4 * width, 8 * width]
        stages = [
            nn.Sequential(
                nn.Conv2d(c_in, c_out, 3, stride=1, padding=1),
                norm(c_out),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2),
            )
            for c_in, c_out in itertools.pairwise(channels)
        ]
        super().__init__(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())  # (n, 8 width)


class ResidualBlock(nn.Module):
    """relu(f(x) + shortcut(x)), f being two 3 x 3 convolutions (He et al. 2016, arXiv:1512.03385).

    Same as hw03's: a halving shortcut averages first, and the last batch norm starts at zero.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, norm: NewNorm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.norm1 = norm(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.norm2 = norm(c_out)
        nn.init.zeros_(self.norm2.weight)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.AvgPool2d(stride))
        if stride > 1 or c_in != c_out:
            self.shortcut.append(nn.Conv2d(c_in, c_out, 1, bias=False))
            self.shortcut.append(norm(c_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c_out, s / stride, s / stride) for (n, c_in, s, s)."""
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


class ResidualExtractor(nn.Sequential):
    """A small residual network that halves the picture at once, for speed.

    With a ``first_stride`` of 2 it halves four times in all, which suits 64 x 64 pixels.
    """

    def __init__(self, width: int, norm: NewNorm = nn.BatchNorm2d, first_stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
            norm(width),
            nn.ReLU(inplace=True),  # (n, width, s/2, s/2)
            ResidualBlock(width, 2 * width, first_stride, norm),
            ResidualBlock(2 * width, 4 * width, 2, norm),
            ResidualBlock(4 * width, 8 * width, 2, norm),  # (n, 8 width, s/8, s/8) or half that
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )


class LabelPredictor(nn.Sequential):
    """Three fully connected layers; with 512 features and 10 classes 530,442 parameters."""

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__(
            nn.Linear(num_features, num_features),
            nn.ReLU(),
            nn.Linear(num_features, num_features),
            nn.ReLU(),
            nn.Linear(num_features, num_classes),
        )


class LinearPredictor(nn.Sequential):
    """One layer: what classes share must then lie in the features."""

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__(nn.Linear(num_features, num_classes))


class Projector(nn.Sequential):
    """Two layers from features to the codes that the instance loss compares.

    What that loss wants forgotten, such as an angle, is forgotten here and not in the features.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__(
            nn.Linear(num_features, num_features), nn.ReLU(), nn.Linear(num_features, CODE)
        )


class DomainClassifier(nn.Sequential):
    """Five fully connected layers to one logit, high = photo; with 512 features 1,055,233."""

    def __init__(self, num_features: int) -> None:
        layers = [
            nn.Sequential(
                nn.Linear(num_features, num_features), nn.BatchNorm1d(num_features), nn.ReLU()
            )
            for _ in range(4)
        ]
        super().__init__(*layers, nn.Linear(num_features, 1))


class Adapter(nn.Module):
    """Extractor and label predictor, with the opponent that the extractor learns to defeat.

    Args:
        extract: pictures to features.
        classify: features to logits.
        opponent: a domain classifier (DANN), a second label predictor (MCD) or none.
        project: features to codes for ``adapt.twins``, or none.
    """

    def __init__(
        self,
        extract: nn.Module,
        classify: nn.Module,
        opponent: nn.Module | None,
        project: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.extract, self.classify, self.opponent = extract, classify, opponent
        self.project = project

    def features(self, images: Tensor, num_photos: int) -> Tensor:
        """Return the features of (n, 1, s, s), of which the first ``num_photos`` are photos."""
        for norm in self.modules():
            if isinstance(norm, OwnNorm):
                norm.num_photos = num_photos
        return self.extract(images)

    def forward(
        self, images: Tensor, weight: float = 0.0, num_photos: int = 0
    ) -> tuple[Tensor, ...]:
        """Return what the losses need of (n, 1, s, s); photos, if any, stand before drawings.

        - ``logits`` (n, num_classes)
        - ``rivals``: DANN: domain logits (n, 1); MCD: the second predictor's logits
        - ``held``: MCD: both predictors' logits (2 n, num_classes) on features whose gradient is
          reversed with ``weight``, as DANN's domain logits are
        - ``codes`` (n, 64): with ``adapt.twins``, in training, and always last

        An output that a method has no use for is left out.
        """
        features = self.features(images, num_photos)
        outputs = self._answers(features, weight)
        if self.project is None or not self.training:
            return outputs
        return (*outputs, self.project(features))

    def _answers(self, features: Tensor, weight: float) -> tuple[Tensor, ...]:
        logits = self.classify(features)
        if self.opponent is None:
            return (logits,)
        reversed_features = reverse(features, weight)
        if isinstance(self.opponent, DomainClassifier):
            return logits, self.opponent(reversed_features)
        return (
            logits,
            self.opponent(features),
            self.classify(reversed_features),
            self.opponent(reversed_features),
        )
