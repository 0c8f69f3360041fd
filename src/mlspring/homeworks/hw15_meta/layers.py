"""Convolution, pooling and statistics for many tasks at once, made to be differentiated twice.

A batch is (n, t * c, s, s): image i of every task, c channels a task, so that one grouped operation
serves all tasks. torch's own gradients of gradients go through the groups of a convolution one by
one, and through a pooling in the slower memory layout. Here each gradient is an operation of this
file again: all are linear, and the gradient of a linear map is its adjoint.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

aten = torch.ops.aten


def grouped_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Return 3 x 3 convolutions (n, t * c_out, s, s) of x (n, t * c_in, s, s), padded by one.

    Args:
        x: images of all tasks.
        weight: (t, c_out, c_in, 3, 3).
    """
    return _Conv.apply(x, weight.flatten(0, 1), len(weight))


def max_pool(x: Tensor) -> Tensor:
    """Return the largest of each 2 x 2 pixels of x (n, c, s, s); an odd last row is left out."""
    return _Pool.apply(x)[0]


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance (c,) over images and pixels of x (n, c, s, s): fp32 at least."""
    return _Moments.apply(x)


def widened(x: Tensor) -> Tensor:
    """Return x in fp32 where it is narrower: losses and statistics are no work for bf16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _adjoint(slope: Tensor, x: Tensor, weight: Tensor, groups: int, of_input: bool) -> Tensor:
    """Return the gradient of a convolution: by its input, or else by its weight."""
    one, mask = [1, 1], [of_input, not of_input, False]
    found = aten.convolution_backward(
        slope, x, weight, None, one, one, one, False, [0, 0], groups, mask
    )
    return found[0] if of_input else found[1]


class _Conv(Function):
    """(x, w) -> x * w, linear in both."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, groups: int) -> Tensor:
        return F.conv2d(x, weight, padding=1, groups=groups)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, weight, ctx.groups = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        by_x, by_weight = ctx.needs_input_grad[:2]
        return (
            _ConvByInput.apply(slope, x, weight, ctx.groups) if by_x else None,
            _ConvByWeight.apply(slope, x, weight, ctx.groups) if by_weight else None,
            None,
        )


class _ConvByInput(Function):
    """(g, w) -> the gradient by x of <g, x * w>; of x only the shape is used."""

    @staticmethod
    def forward(slope: Tensor, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        return _adjoint(slope, x, weight, groups, of_input=True)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        slope, _, weight, ctx.groups = inputs
        ctx.save_for_backward(slope, weight)

    @staticmethod
    def backward(ctx: Any, other: Tensor) -> tuple[Tensor | None, ...]:
        slope, weight = ctx.saved_tensors
        by_slope, _, by_weight, _ = ctx.needs_input_grad
        return (
            _Conv.apply(other, weight, ctx.groups) if by_slope else None,
            None,
            _ConvByWeight.apply(slope, other, weight, ctx.groups) if by_weight else None,
            None,
        )


class _ConvByWeight(Function):
    """(g, x) -> the gradient by w of <g, x * w>; of w only the shape is used."""

    @staticmethod
    def forward(slope: Tensor, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        return _adjoint(slope, x, weight, groups, of_input=False)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        slope, x, _, ctx.groups = inputs
        ctx.save_for_backward(slope, x)

    @staticmethod
    def backward(ctx: Any, other: Tensor) -> tuple[Tensor | None, ...]:
        slope, x = ctx.saved_tensors
        by_slope, by_x = ctx.needs_input_grad[:2]
        return (
            _Conv.apply(x, other, ctx.groups) if by_slope else None,
            _ConvByInput.apply(slope, x, other, ctx.groups) if by_x else None,
            None,
            None,
        )


class _Pool(Function):
    """x -> the largest of each window, and its place; the gradient goes to where it stood."""

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        largest, places = F.max_pool2d(x, 2, return_indices=True)
        return largest, places

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(output[1])
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.sides = inputs[0].shape[2:]

    @staticmethod
    def backward(ctx: Any, slope: Tensor | None, _: None) -> Tensor | None:
        return None if slope is None else _Unpool.apply(slope, *ctx.saved_tensors, ctx.sides)


class _Unpool(Function):
    """g -> nought, but g at the places of an image with the sides given."""

    @staticmethod
    def forward(slope: Tensor, places: Tensor, sides: tuple[int, int]) -> Tensor:
        is_last = places.is_contiguous(memory_format=torch.channels_last)
        like = torch.empty(
            *slope.shape[:2],
            *sides,
            dtype=slope.dtype,
            device=slope.device,
            memory_format=torch.channels_last if is_last else torch.contiguous_format,
        )
        two, nought, one = [2, 2], [0, 0], [1, 1]
        return aten.max_pool2d_with_indices_backward(
            slope, like, two, two, nought, one, False, places
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])
        ctx.sides = inputs[2]

    @staticmethod
    def backward(ctx: Any, other: Tensor) -> tuple[Tensor | None, ...]:
        return _Pick.apply(other, *ctx.saved_tensors, ctx.sides), None, None


class _Pick(Function):
    """y -> its values at the places."""

    @staticmethod
    def forward(y: Tensor, places: Tensor, sides: tuple[int, int]) -> Tensor:
        rows, order = (part.permute(0, 2, 3, 1) for part in (y, places))
        picked = rows.flatten(1, 2).gather(1, order.flatten(1, 2))  # channels are contiguous
        return picked.view(order.shape).permute(0, 3, 1, 2)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])
        ctx.sides = inputs[2]

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        return _Unpool.apply(slope, *ctx.saved_tensors, ctx.sides), None, None


class _Moments(Function):
    """x -> mean and variance of each channel, in one pass each way."""

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        # The running statistics are not wanted, but their type is that of the outcome.
        kind = torch.promote_types(x.dtype, torch.float32)
        running = x.new_zeros(2, x.shape[1], dtype=kind)
        mean, variance = torch.batch_norm_update_stats(x, running[0], running[1], 0.0)
        return mean, variance

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(inputs[0], output[0])

    @staticmethod
    def backward(ctx: Any, by_mean: Tensor, by_variance: Tensor) -> Tensor:
        x, mean = ctx.saved_tensors
        share = x.shape[1] / x.numel()
        factor = 2 * share * by_variance
        return scaled(x, factor, share * by_mean - mean * factor)


def scaled(x: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """Return x * factor + offset, both of which are (c,), for x (n, c, s, s) in x's type."""
    factor, offset = (row.to(x.dtype).view(-1, 1, 1) for row in (factor, offset))
    return torch.addcmul(offset, x, factor)
