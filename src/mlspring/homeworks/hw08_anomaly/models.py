"""Networks of homework 8: autoencoders whose narrow middle only normal faces fit through.

Shapes: n pictures of s x s pixels, values -1 .. 1, (n, 3, s, s); a code is (n, z).
"""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw08_anomaly.recipe import ClassifierKnobs, ModelKnobs

STRIDE = 2  # pixels of the picture a cell of the classifier's map


class Seen(NamedTuple):
    """What a network makes of pictures.

    Args:
        images: reconstructions (n, 3, s, s).
        mean: of the code (n, z); without a variational part the code itself.
        log_variance: of the code (n, z); None where it is not variational.
        logits: of having been spoilt there, (n, s / 2, s / 2); None without a classifier.
    """

    images: Tensor
    mean: Tensor
    log_variance: Tensor | None
    logits: Tensor | None


def build(knobs: ModelKnobs, classifier: ClassifierKnobs, size: int) -> "Autoencoder":
    """Return the network of a recipe, with fresh weights."""
    extra = Classifier(classifier.width, classifier.compares) if classifier.width else None
    return Autoencoder(knobs, size, extra)


class Autoencoder(nn.Module):
    """x -> code -> x', and where there is a classifier, (x, x') -> what was spoilt.

    The codes of several encoders are added, and so are what the decoders draw of it. A variational
    one gives mean and log variance of a normal distribution, from which the code is drawn in
    training; else the code is its mean (Kingma & Welling 2014, arXiv:1312.6114). No ReLU stands on
    either: the sample's keeps means from being negative and variances from being below 1.
    """

    def __init__(self, knobs: ModelKnobs, size: int, classifier: "Classifier | None") -> None:
        super().__init__()
        units, self.is_variational = knobs.units, knobs.kl_weight > 0
        numbers = knobs.latent * (1 + self.is_variational)
        encoders, decoders = [], []
        if knobs.encoder in ("conv", "multi"):
            encoders.append(_conv_encoder(size, units, numbers))
            decoders.append(_conv_decoder(size, units, knobs.latent))
        if knobs.encoder == "multi":
            encoders.append(_patch_encoder(size, units, numbers))
        if knobs.encoder in ("dense", "multi"):
            # Among several it is linear: principal components, which are learnt in a few steps.
            layers = units if knobs.encoder == "dense" else []
            encoders.append(_dense_encoder(size, layers, numbers))
            decoders.append(_dense_decoder(size, layers, knobs.latent))
        self.encoders, self.decoders = nn.ModuleList(encoders), nn.ModuleList(decoders)
        self.classifier = classifier

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return mean and log variance of the code, each (n, z); the latter None if it is plain."""
        code = torch.stack([encoder(images) for encoder in self.encoders]).sum(0)
        if not self.is_variational:
            return code, None
        mean, log_variance = code.chunk(2, dim=1)
        return mean, log_variance

    def decode(self, code: Tensor) -> Tensor:
        """Return the pictures of codes (n, z): (n, 3, s, s), values -1 .. 1."""
        return torch.stack([decoder(code) for decoder in self.decoders]).sum(0).tanh()

    def forward(self, images: Tensor, draws: Tensor | None = None) -> Seen:
        """Return what becomes of pictures (n, 3, s, s).

        ``draws`` (n, z) of a standard normal distribution move a variational code from its mean;
        without them a code is its mean.
        """
        mean, log_variance = self.encode(images)
        code = mean
        if log_variance is not None and draws is not None:
            code = mean + draws * (log_variance / 2).exp()
        found = self.decode(code)  # (n, 3, s, s)
        logits = None if self.classifier is None else self.classifier(images, found.detach())
        return Seen(found, mean, log_variance, logits)


class Classifier(nn.Module):
    """(x, x') -> a logit for each 2 x 2 pixels: was the picture spoilt here?

    Its error does not reach the autoencoder, whose picture it only compares with.
    """

    def __init__(self, width: int, compares: bool) -> None:
        super().__init__()
        self.compares = compares
        self.layers = nn.Sequential(
            _conv(6 if compares else 3, width, stride=1),
            _conv(width, 2 * width, stride=STRIDE),  # (n, 2 width, s/2, s/2)
            _conv(2 * width, 2 * width, stride=1),
            _conv(2 * width, 2 * width, stride=1),
            nn.Conv2d(2 * width, 1, 1),
        )

    def forward(self, images: Tensor, found: Tensor) -> Tensor:
        """Return logits (n, s / 2, s / 2) of pictures and their reconstructions."""
        logits: Tensor = self.layers(torch.cat((images, found), 1) if self.compares else images)
        return logits[:, 0]


def _conv(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


def _dense_encoder(size: int, units: list[int], numbers: int) -> nn.Sequential:
    """Return the sample's: with units 128, 64, 12, code 3 and 64 pixels half of 3,176,419."""
    layers: list[nn.Module] = [nn.Flatten()]
    widths = [3 * size * size, *units]
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], numbers))


def _dense_decoder(size: int, units: list[int], latent: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    widths = [latent, *reversed(units)]
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    layers += [nn.Linear(widths[-1], 3 * size * size)]
    return nn.Sequential(*layers, nn.Unflatten(1, (3, size, size)))


def _conv_encoder(size: int, channels: list[int], numbers: int) -> nn.Sequential:
    """Return the sample's convolutions, which halve the side each, and a narrow linear layer."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise([3, *channels]):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    side = size >> len(channels)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * side * side, numbers))


def _conv_decoder(size: int, channels: list[int], latent: int) -> nn.Sequential:
    side, last = size >> len(channels), channels[-1]
    layers: list[nn.Module] = [nn.Linear(latent, last * side * side)]
    layers += [nn.Unflatten(1, (last, side, side)), nn.BatchNorm2d(last), nn.ReLU(inplace=True)]
    for before, after in itertools.pairwise(reversed(channels)):
        layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(channels[0], 3, 4, stride=2, padding=1))


def _patch_encoder(size: int, channels: list[int], numbers: int) -> nn.Sequential:
    """Return an encoder of an eighth of the side a patch: what is where, in one step."""
    patch, width = size // 8, channels[-1]
    return nn.Sequential(
        nn.Conv2d(3, width, patch, stride=patch, bias=False),  # (n, width, 8, 8)
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(width * 64, numbers),
    )
