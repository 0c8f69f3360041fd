"""The networks: the sample's pair, and a pair in the manner of StyleGAN2.

Letters: N pictures, Z numbers of a latent, W of a style, C channels, S side of a map, d the
recipe's width. A generator takes latents (N, Z) and returns pictures (N, 3, 64, 64) from
-1 to 1; a discriminator takes those and returns one number each, (N,): a logit or a critic's value,
so it ends without sigmoid. Maps go 4 > 8 > 16 > 32 > 64, and back.
"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 64
SLOPE = 0.2  # of leaky ReLU
GROUP = 4  # pictures whose spread the StyleGAN discriminator sees
NORM_EPS = 1e-8


# ---- the sample's pair: DCGAN, arXiv:1511.06434


class Generator(nn.Module):
    """The sample's generator: a linear layer, then four transposed convolutions that double S."""

    def __init__(self, z_dim: int, feature_dim: int) -> None:
        super().__init__()
        widths = [feature_dim * factor for factor in (8, 4, 2, 1)]
        self.num_latents = z_dim
        self.first = nn.Sequential(
            nn.Linear(z_dim, widths[0] * 16, bias=False), nn.BatchNorm1d(widths[0] * 16), nn.ReLU()
        )
        layers: list[nn.Module] = [nn.Unflatten(1, (widths[0], 4, 4))]
        for inputs, outputs in itertools.pairwise(widths):
            layers += [_double(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.rest = nn.Sequential(*layers, _double(widths[-1], 3), nn.Tanh())
        self.apply(normal_weights)

    def forward(self, latents: Tensor) -> Tensor:
        """Return pictures (N, 3, 64, 64) of latents (N, Z)."""
        return self.rest(self.first(latents))


class Discriminator(nn.Module):
    """The sample's discriminator, without its sigmoid: five convolutions, four of stride 2.

    A critic is built without batch norm: its slope is about each picture alone, and statistics
    over a batch would mix pictures.
    """

    def __init__(self, feature_dim: int, *, batch_norm: bool) -> None:
        super().__init__()
        widths = [feature_dim * factor for factor in (1, 2, 4, 8)]
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for inputs, outputs in itertools.pairwise(widths):
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1))
            layers += [nn.BatchNorm2d(outputs)] if batch_norm else []
            layers.append(nn.LeakyReLU(SLOPE))
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4))
        self.apply(normal_weights if batch_norm else he_weights)

    def forward(self, images: Tensor) -> Tensor:
        """Return a logit or value of each picture: (N,)."""
        return self.layers(images).flatten()


def _double(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 5, 2, padding=2, output_padding=1, bias=False)


def normal_weights(module: nn.Module) -> None:
    """Draw a layer's first weights as in the sample: N(0, 0.02), of norms N(1, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def he_weights(module: nn.Module) -> None:
    """Draw a convolution's first weights so that maps keep their size (arXiv:1502.01852).

    Without norm, the sample's N(0, 0.02) would shrink them layer by layer: a critic without slope.
    """
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        nn.init.kaiming_normal_(module.weight, SLOPE)
        nn.init.zeros_(module.bias)


# ---- the StyleGAN pair: arXiv:1912.04958, made small


class Equal(nn.Module):
    """A linear layer whose weights are N(0, 1) and scaled when used: equal learning rates.

    ``rate`` makes it learn slower than others, as the mapping network does.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs)."""
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class Mapping(nn.Module):
    """From latents to styles: four layers, so that styles need not be Gaussian."""

    def __init__(self, z_dim: int, w_dim: int, num_layers: int = 4) -> None:
        super().__init__()
        widths = [z_dim] + [w_dim] * num_layers
        pairs = itertools.pairwise(widths)
        self.layers = nn.ModuleList(Equal(i, o, rate=0.01) for i, o in pairs)

    def forward(self, latents: Tensor) -> Tensor:
        """Return styles (N, W) of latents (N, Z), whose length does not matter."""
        x = latents * (latents.square().mean(1, keepdim=True) + NORM_EPS).rsqrt()
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE) * math.sqrt(2)
        return x


class ModulatedConv(nn.Module):
    """A convolution whose weights depend on the picture: w_oikl s_i, then each output at norm 1.

    Scaling weights (N times) or the maps around one convolution is the same; the latter is cheap:
    y_o = d_o * sum_i w_oi * (s_i x_i) with d_o = (sum_ikl (s_i w_oikl)^2)^(-1/2).
    With ``doubles`` it is a transposed convolution that doubles S. Its kernel of 4 x 4 is one of
    3 x 3 smoothed, so that no checkerboard comes of it (StyleGAN2 blurs the maps instead).
    """

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, *, side: int = 3, doubles: bool = False
    ) -> None:
        super().__init__()
        self.side, self.doubles = side, doubles
        shape = (inputs, outputs) if doubles else (outputs, inputs)
        self.weight = nn.Parameter(torch.randn(*shape, self.side, self.side))
        self.scale = 1 / math.sqrt(inputs * self.side**2)
        self.style = Equal(w_dim, inputs, bias=1.0)

    def forward(self, x: Tensor, w: Tensor, *, demodulate: bool = True) -> Tensor:
        """Return (N, outputs, S or 2 S, ..) of maps (N, inputs, S, S) and styles (N, W)."""
        s, weight = self.style(w), self.weight * self.scale  # (N, inputs)
        x = x * s[:, :, None, None].to(x.dtype)
        if self.doubles:
            weight = 2 * F.avg_pool2d(F.pad(weight, (1, 1, 1, 1)), 2, stride=1)  # 4 x 4
            # A quarter of the kernel falls on each pixel: 2 keeps the variance.
            x = 2 * F.conv_transpose2d(x, weight, stride=2, padding=1)
        else:
            x = F.conv2d(x, weight, padding=self.side // 2)
        if not demodulate:
            return x
        squares = weight.float().square().sum((2, 3))  # (inputs, outputs), or the other way round
        total = s.float().square() @ (squares if self.doubles else squares.T)  # (N, outputs)
        return x * (total + NORM_EPS).rsqrt()[:, :, None, None].to(x.dtype)


class StyleLayer(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, *, doubles: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, w_dim, doubles=doubles)
        self.strength = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Return (N, outputs, S or 2 S, ..); ``noise`` has one number a pixel, (N, S * S)."""
        x = self.conv(x, w)
        noise = noise.to(x.dtype).view(len(x), 1, *x.shape[2:])
        x = x + self.strength.to(x.dtype) * noise + self.bias.to(x.dtype)[:, None, None]
        return F.leaky_relu(x, SLOPE) * math.sqrt(2)


class StyleGenerator(nn.Module):
    """Styles lead every layer from one learnt 4 x 4 map to 64 x 64; colours add up on the way.

    A latent's first ``z_dim`` numbers make the style, the others are the noise of all layers: what
    a picture is like, and the chance in its strands.
    """

    def __init__(self, z_dim: int, feature_dim: int) -> None:
        super().__init__()
        widths = [feature_dim * factor for factor in (8, 8, 4, 2, 1)]
        self.z_dim, w_dim = z_dim, 8 * feature_dim
        self.noises = [side * side for side in (4, 8, 16, 32, 64)]
        self.num_latents = z_dim + sum(self.noises)
        self.mapping = Mapping(z_dim, w_dim)
        self.start = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        pairs = list(zip(widths[:1] + widths, widths, strict=False))
        self.layers = nn.ModuleList(
            StyleLayer(i, o, w_dim, doubles=number > 0) for number, (i, o) in enumerate(pairs)
        )
        self.colours = nn.ModuleList(ModulatedConv(c, 3, w_dim, side=1) for c in widths)

    def forward(self, latents: Tensor) -> Tensor:
        """Return pictures (N, 3, 64, 64) of latents (N, num_latents)."""
        z, *noises = latents.split([self.z_dim, *self.noises], dim=1)
        w = self.mapping(z)
        x = self.start.expand(len(latents), -1, -1, -1)
        image = x.new_zeros(len(x), 3, 2, 2)
        for layer, colour, noise in zip(self.layers, self.colours, noises, strict=True):
            x = layer(x, w, noise)
            larger = F.interpolate(image, scale_factor=2.0, mode="bilinear")
            image = larger + colour(x, w, demodulate=False)
        return image


class StyleDiscriminator(nn.Module):
    """Convolutions without norm; before the last the spread over a few pictures is one map more.

    Pictures that are all alike have no spread, so a generator that makes one picture is caught
    (arXiv:1710.10196).
    """

    def __init__(self, feature_dim: int) -> None:
        super().__init__()
        widths = [feature_dim * factor for factor in (1, 2, 4, 8)]
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise([3, *widths]):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(widths[-1] + 1, 1, 4)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N,)."""
        x = self.layers(images)  # (N, 8 d, 4, 4)
        return self.last(torch.cat([x, spread(x)], dim=1)).flatten()


def spread(maps: Tensor) -> Tensor:
    """Return the mean standard deviation over groups of pictures as maps (N, 1, S, S).

    A group is every (N / 4)-th picture; where 4 does not divide N, all N are one.
    """
    num, _, height, width = maps.shape
    size = GROUP if num % GROUP == 0 else num
    grouped = maps.float().reshape(size, num // size, -1)
    deviation = (grouped.var(0, unbiased=False) + NORM_EPS).sqrt().mean(1)  # (N / size,)
    return deviation.repeat(size).to(maps.dtype)[:, None, None, None].expand(-1, 1, height, width)
