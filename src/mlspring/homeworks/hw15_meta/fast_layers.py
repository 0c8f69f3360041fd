"""Convolution, pooling and statistics for many tasks at once, made to be differentiated twice.

Nobody needs to read this to understand the homework: each function computes what torch's own does.
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
X, W, G = 0, 1, 2  # input, weight and gradient of a convolution: the order of aten's results


def grouped_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Return x (n, t * c_in, s, s) convolved by each task's weight (t, c_out, c_in, 3, 3)."""
    return _applied(_Conv, G, len(weight), x, weight.flatten(0, 1), None)


def max_pool(x: Tensor) -> Tensor:
    """Return the largest of each 2 x 2 pixels of x (n, c, s, s); an odd last row is left out."""
    return _applied(_Pool, x)[0]


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance (c,) over images and pixels of x (n, c, s, s): fp32 at least."""
    mean, variance = _applied(_Moments, x)
    return mean, variance


def at_least_fp32(x: Tensor) -> Tensor:
    """Return x in fp32 where it is narrower: losses and statistics are no work for bf16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def scale_channels(x: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """Return x * factor + offset in x's type, for x (n, c, s, s), factor and offset (c,)."""
    factor, offset = (row.to(x.dtype).view(-1, 1, 1) for row in (factor, offset))
    return torch.addcmul(offset, x, factor)


def _applied(function: type[Function], *inputs: Any) -> Tensor:
    result: Tensor = function.apply(*inputs)  # torch gives it no type
    return result


class _Conv(Function):
    """One of the three derivatives of the number <g, x * w>, where * is the convolution.

    It is linear in each of x, w and g. By g it is the convolution x * w itself, by x and by w
    torch's two gradients of it. The derivative by one of them is linear in the other two, so its
    own gradients are derivatives of the same number again, with the new gradient in its slot.
    """

    @staticmethod
    def forward(
        slot: int, groups: int, x: Tensor, weight: Tensor, grad: Tensor | None
    ) -> Tensor:  # of what stands in ``slot`` itself, the shape alone is used
        if slot == G:
            return F.conv2d(x, weight, padding=1, groups=groups)
        one, mask = [1, 1], [slot == X, slot == W, False]
        outputs = aten.convolution_backward(
            grad, x, weight, None, one, one, one, False, [0, 0], groups, mask
        )
        by_slot: Tensor = outputs[slot]
        return by_slot

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.slot, ctx.groups, *parts = inputs
        parts[ctx.slot] = None
        ctx.save_for_backward(*parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        parts: list[Tensor | None] = list(ctx.saved_tensors)
        parts[ctx.slot] = grads[0]
        by: list[Tensor | None] = [None, None, None]
        for slot in (G, X, W):  # in this order, which decides in which one gradients are summed
            if slot != ctx.slot and ctx.needs_input_grad[2 + slot]:
                by[slot] = _applied(_Conv, slot, ctx.groups, *parts)
        return None, None, *by


class _Pool(Function):
    """x -> the largest of each window, and its position; the gradient goes to that position."""

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        largest, positions = F.max_pool2d(x, 2, return_indices=True)
        return largest, positions

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(output[1])
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.sides = inputs[0].shape[2:]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Tensor | None:
        if grads[0] is None:
            return None
        return _applied(_Move, grads[0], *ctx.saved_tensors, ctx.sides, True)


class _Move(Function):
    """Scatters values to the positions of the largest pixels, zeros elsewhere; or gathers them.

    Each is the gradient of the other.
    """

    @staticmethod
    def forward(y: Tensor, positions: Tensor, sides: tuple[int, int], scatters: bool) -> Tensor:
        if not scatters:
            rows, order = (part.permute(0, 2, 3, 1) for part in (y, positions))
            gathered = rows.flatten(1, 2).gather(1, order.flatten(1, 2))  # channels are contiguous
            return gathered.view(order.shape).permute(0, 3, 1, 2)
        is_last = positions.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if is_last else torch.contiguous_format
        shape = (*y.shape[:2], *sides)
        shaped = torch.empty(shape, dtype=y.dtype, device=y.device, memory_format=layout)
        two, zero, one = [2, 2], [0, 0], [1, 1]
        pixels: Tensor = aten.max_pool2d_with_indices_backward(
            y, shaped, two, two, zero, one, False, positions
        )
        return pixels

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, positions, ctx.sides, ctx.scatters = inputs
        ctx.save_for_backward(positions)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        by_y = _applied(_Move, grads[0], *ctx.saved_tensors, ctx.sides, not ctx.scatters)
        return by_y, None, None, None


class _Moments(Function):
    """x -> mean and variance of each channel, in one pass each way."""

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        # The running statistics are not wanted, but their type decides that of the results.
        dtype = torch.promote_types(x.dtype, torch.float32)
        running = x.new_zeros(2, x.shape[1], dtype=dtype)
        mean, variance = torch.batch_norm_update_stats(x, running[0], running[1], 0.0)
        return mean, variance

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(inputs[0], output[0])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x, mean), (by_mean, by_variance) = ctx.saved_tensors, grads
        one_part = x.shape[1] / x.numel()  # of the mean: one over the number of pixels
        factor = 2 * one_part * by_variance
        return scale_channels(x, factor, one_part * by_mean - mean * factor)
