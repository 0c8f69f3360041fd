"""Networks as descriptions: the shape of every tensor from a name and a few numbers of channels.

No torch here: a recipe and the file handed in are checked by these lines alone. ``models.build``
makes the network of a description.

A dimension is a number or the name of a group of channels. Channels that are added together, or
that a depthwise convolution passes on, are one group: pruning removes them together
(``prune.shrink``).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NUM_CLASSES = 11
NAMES = ("plain", "separable", "inverted", "residual", "resnet18")
MAX_PARAMETERS = 100_000
MAX_CHANNELS = 4096
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of batch norm: not weights

Dim = int | str
Layout = dict[str, tuple[Dim, ...]]
Tensors = Iterator[tuple[str, tuple[Dim, ...]]]
Plan = tuple[tuple[str, str, int], ...]

# Blocks of the networks as (group in, group out, stride); equal groups are added to each other.
SEPARABLE: Plan = (
    *(("c0", "c1", 1), ("c1", "c2", 2), ("c2", "c3", 1)),
    *(("c3", "c4", 2), ("c4", "c5", 1), ("c5", "c6", 2), ("c6", "c7", 1)),
)
INVERTED: Plan = (
    *(("c0", "c1", 1), ("c1", "c2", 2), ("c2", "c2", 1)),
    *(("c2", "c3", 2), ("c3", "c3", 1), ("c3", "c4", 2), ("c4", "c4", 1)),
)
RESIDUAL: Plan = (("c0", "c1", 1), ("c1", "c2", 2), ("c2", "c3", 2), ("c3", "c4", 2))
RESNET18: Plan = (
    *(("c0", "c0", 1), ("c0", "c0", 1), ("c0", "c1", 2), ("c1", "c1", 1)),
    *(("c1", "c2", 2), ("c2", "c2", 1), ("c2", "c3", 2), ("c3", "c3", 1)),
)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network: its name and the number of channels of each of its ``group_names``, in order.

    Raises:
        ValueError: no such name, or not as many sensible numbers as there are groups.
    """

    name: str
    channels: tuple[int, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.name not in NAMES:
            shown = repr(self.name[:80]) if isinstance(self.name, str) else "of that kind"
            raise ValueError(f"no architecture {shown}, there are {', '.join(NAMES)}")
        names = group_names(self.name)
        if len(self.channels) != len(names):
            raise ValueError(
                f"{self.name} has {len(names)} groups of channels ({', '.join(names)}), "
                f"{len(self.channels)} numbers are given"
            )
        for number in self.channels:
            if type(number) is not int or not 1 <= number <= MAX_CHANNELS:
                raise ValueError(f"{str(number)[:80]} channels, expected 1 to {MAX_CHANNELS}")

    def metadata(self, **more: Any) -> dict[str, Any]:
        """Return what a file of weights says of its network, and ``more``."""
        return {"architecture": self.name, "channels": list(self.channels), **more}

    @property
    def groups(self) -> dict[str, int]:
        """Number of channels by group."""
        return dict(zip(group_names(self.name), self.channels, strict=True))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor of the network's state_dict, in its order."""
        sizes = self.groups
        return {
            name: tuple(dim if isinstance(dim, int) else sizes[dim] for dim in dims)
            for name, dims in layout(self.name).items()
        }

    def difference(self, shapes: Mapping[str, tuple[int, ...]]) -> str | None:
        """Return how a state_dict of these shapes differs from the network's; None: it fits."""
        own = self.shapes
        for name in (*sorted(shapes), *own):
            wanted, given = own.get(name), shapes.get(name)
            if wanted is None:
                return f"has a tensor {name[:80]!r}, which {self.name} has not"
            if given is None:
                return f"lacks the tensor {name}"
            if given != wanted:
                return f"{name} has shape {given}, not {wanted} as {self.name}{[*self.channels]}"
        return None

    @property
    def num_parameters(self) -> int:
        """Weights and biases; batch norm's running statistics are no parameters."""
        return sum(math.prod(s) for n, s in self.shapes.items() if not n.endswith(STATISTICS))


def group_names(name: str) -> tuple[str, ...]:
    """Return the groups of channels of an architecture in the order of its tensors."""
    dims = (dim for shape in layout(name).values() for dim in shape if isinstance(dim, str))
    return tuple(dict.fromkeys(dims))


def layout(name: str) -> Layout:
    """Return every tensor of an architecture with its dimensions, in the state_dict's order."""
    networks = (_plain, _separable, _inverted, _residual, _resnet18)
    return dict(networks[NAMES.index(name)]())


def residual(width: int) -> Architecture:
    """Return the teacher's network: the residual one, its blocks multiples of ``width``."""
    shares = (1, 2, 2, 4, 4, 8, 8, 8, 8)
    return Architecture(name="residual", channels=tuple(share * width for share in shares))


def resnet18() -> Architecture:
    """Return the course's teacher, 11,182,155 parameters."""
    channels = (64, 64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512)
    return Architecture(name="resnet18", channels=channels)


def _norm(name: str, c: Dim) -> Tensors:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (c,)
    yield f"{name}.num_batches_tracked", ()


def _conv_norm(name: str, c_out: Dim, c_in: Dim, side: int, *, bias: bool = False) -> Tensors:
    yield f"{name}.conv.weight", (c_out, c_in, side, side)
    if bias:
        yield f"{name}.conv.bias", (c_out,)
    yield from _norm(f"{name}.norm", c_out)


def _linear(name: str, c_in: Dim) -> Tensors:
    yield f"{name}.weight", (NUM_CLASSES, c_in)
    yield f"{name}.bias", (NUM_CLASSES,)


def _plain() -> Tensors:
    channels: tuple[Dim, ...] = (3, "c0", "c1", "c2")
    for i, c_in in enumerate(channels):
        yield from _conv_norm(f"blocks.{i}", f"c{i}", c_in, 3, bias=True)
    yield from _linear("classify", "c3")


def _separable() -> Tensors:
    yield from _conv_norm("stem", "c0", 3, 3)
    for i, (c_in, c_out, _) in enumerate(SEPARABLE):
        yield from _conv_norm(f"blocks.{i}.depthwise", c_in, 1, 3)
        yield from _conv_norm(f"blocks.{i}.pointwise", c_out, c_in, 1)
    yield from _linear("classify", SEPARABLE[-1][1])


def _inverted() -> Tensors:
    yield from _conv_norm("stem", "c0", 3, 3)
    for i, (c_in, c_out, _) in enumerate(INVERTED):
        yield from _conv_norm(f"blocks.{i}.expand", f"e{i}", c_in, 1)
        yield from _conv_norm(f"blocks.{i}.depthwise", f"e{i}", 1, 3)
        yield from _conv_norm(f"blocks.{i}.project", c_out, f"e{i}", 1)
    yield from _linear("classify", INVERTED[-1][1])


def _residual() -> Tensors:
    yield from _conv_norm("stem", "c0", 3, 3)
    for i, (c_in, c_out, _) in enumerate(RESIDUAL):
        yield from _conv_norm(f"blocks.{i}.first", f"i{i}", c_in, 3)
        yield from _conv_norm(f"blocks.{i}.second", c_out, f"i{i}", 3)
        yield from _conv_norm(f"blocks.{i}.shortcut", c_out, c_in, 1)
    yield from _linear("classify", RESIDUAL[-1][1])


def _resnet18() -> Tensors:
    """Yield torchvision's names, which the course's teacher checkpoint has."""
    yield "conv1.weight", ("c0", 3, 7, 7)
    yield from _norm("bn1", "c0")
    for i, (c_in, c_out, stride) in enumerate(RESNET18):
        name = f"layer{i // 2 + 1}.{i % 2}"
        yield f"{name}.conv1.weight", (f"i{i}", c_in, 3, 3)
        yield from _norm(f"{name}.bn1", f"i{i}")
        yield f"{name}.conv2.weight", (c_out, f"i{i}", 3, 3)
        yield from _norm(f"{name}.bn2", c_out)
        if stride > 1:
            yield f"{name}.downsample.0.weight", (c_out, c_in, 1, 1)
            yield from _norm(f"{name}.downsample.1", c_out)
    yield from _linear("fc", "c3")
