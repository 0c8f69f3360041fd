"""Networks of homework 11: feature extractor, label predictor, domain classifier.

Shapes: n pictures of s x s pixels, one channel; features are (n, 8 width), logits (n, num_classes).
"""

import itertools
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation.losses import Outputs, Rivals, reverse
from mlspring.homeworks.hw11_adaptation.recipe import AdaptKnobs, ModelKnobs
from mlspring.homeworks.hw11_adaptation.sketches import DomainNorm, Projector

NewNorm = Callable[[int], nn.BatchNorm2d]


def build(knobs: ModelKnobs, adapt: AdaptKnobs, num_classes: int) -> "Adapter":
    """Return the networks of a recipe, with fresh weights."""
    norm: NewNorm = DomainNorm if knobs.norm == "own" else nn.BatchNorm2d
    num_features = 8 * knobs.width
    extract: nn.Module
    if knobs.name == "plain":
        extract = PlainExtractor(knobs.width, norm)
    else:
        extract = ResidualExtractor(
            knobs.width, norm, first_stride=2 if knobs.name == "deep" else 1
        )
    num_layers = 1 if knobs.name == "deep" else 3
    return Adapter(
        extract=extract,
        classify=LabelPredictor(num_features, num_classes, num_layers),
        domain_classifier=DomainClassifier(num_features) if adapt.method == "dann" else None,
        project=Projector(num_features) if adapt.positive_pairs else None,
        rival=LabelPredictor(num_features, num_classes, num_layers)
        if adapt.method == "mcd"
        else None,
    )


class Adapter(nn.Module):
    """Extractor and label predictor, with a domain classifier that the extractor learns to defeat.

    Args:
        extract: pictures to features.
        classify: features to logits.
        domain_classifier: features to one logit (DANN), or none.
        project: features to codes of positive pairs, or none.
        rival: a second label predictor (MCD), or none.
    """

    def __init__(
        self,
        extract: nn.Module,
        classify: "LabelPredictor",
        domain_classifier: "DomainClassifier | None",
        project: Projector | None = None,
        rival: "LabelPredictor | None" = None,
    ) -> None:
        super().__init__()
        self.extract, self.classify = extract, classify
        self.domain_classifier, self.project, self.rival = domain_classifier, project, rival

    def features(self, images: Tensor, num_photos: int) -> Tensor:
        """Return the features of (n, 1, s, s), of which the first ``num_photos`` are photos."""
        for norm in self.modules():
            if isinstance(norm, DomainNorm):
                norm.num_photos = num_photos
        features: Tensor = self.extract(images)
        return features

    def forward(self, images: Tensor, weight: float = 0.0, num_photos: int = 0) -> Outputs:
        """Return what the losses need of (n, 1, s, s); photos, if any, stand before drawings.

        The gradient of the domain logits, and of the two predictors' discrepancy, reaches the
        extractor times ``-weight``.
        """
        features = self.features(images, num_photos)
        logits = self.classify(features)
        domain_logits = codes = rivals = None
        if self.domain_classifier is not None:
            domain_logits = self.domain_classifier(reverse(features, weight))
        if self.project is not None and self.training:
            codes = self.project(features)
        if self.rival is not None and self.training:
            turned = reverse(features, weight)
            rivals = Rivals(self.rival(features), self.classify(turned), self.rival(turned))
        return Outputs(logits, domain_logits, codes, rivals)


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


class ResidualBlock(nn.Module):
    """relu(f(x) + shortcut(x)), f being two 3 x 3 convolutions (He et al. 2016, arXiv:1512.03385).

    As in homework 3: a halving shortcut averages first, and the last batch norm starts at zero.
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


class LabelPredictor(nn.Sequential):
    """Fully connected layers to logits; three with 512 features and 10 classes: 530,442 parameters.

    With a single layer, what the classes share must lie in the features.
    """

    def __init__(self, num_features: int, num_classes: int, num_layers: int = 3) -> None:
        hidden = [(nn.Linear(num_features, num_features), nn.ReLU()) for _ in range(num_layers - 1)]
        super().__init__(*itertools.chain(*hidden), nn.Linear(num_features, num_classes))
        self.num_classes = num_classes


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
