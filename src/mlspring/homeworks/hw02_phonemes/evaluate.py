"""Logits of every frame of some utterances, in order, whatever the network reads."""

import torch
from torch import Tensor

from mlspring.homeworks.hw02_phonemes.models import BiLSTM, Network, WindowNet
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import predict_all
from mlspring.kit.frames import Frames, padded, windows

EVAL_FRAMES, EVAL_UTTERANCES = 4096, 16


def logits_of(
    model: Network, frames: Frames, numbers: Tensor, hardware: Hardware, ranks: Ranks = ALONE
) -> Tensor:
    """Return logits (frames, 41) of the utterances ``numbers``, on the CPU; in evaluation mode.

    Args:
        model: on the device; its mode is as before afterwards.
        frames: all that there are, on the device.
        numbers: int64, which utterances, in the order of the result.
        hardware: in which arithmetic to compute.
        ranks: each rank computes its share; all ranks get all logits.
    """
    was_training = model.training
    ranks.sync_buffers(model.eval())  # what is measured is what rank 0 saves
    logits = (
        _of_utterances(model, frames, numbers, hardware, ranks)
        if isinstance(model, BiLSTM)
        else _of_windows(model, frames, frames.rows(numbers), hardware, ranks)
    )
    model.train(was_training)
    return logits


def _of_windows(
    model: WindowNet, frames: Frames, rows: Tensor, hardware: Hardware, ranks: Ranks
) -> Tensor:
    def forward(part: slice) -> Tensor:
        with hardware.autocast():
            logits: Tensor = model(windows(frames, rows[part], model.num_frames))
        return logits

    return predict_all(forward, len(rows), EVAL_FRAMES, ranks)


def _of_utterances(
    model: BiLSTM, frames: Frames, numbers: Tensor, hardware: Hardware, ranks: Ranks
) -> Tensor:
    """Return the logits; utterances of like lengths are computed together, so little is padded."""
    lengths = frames.lengths(numbers)
    order = lengths.argsort(stable=True)

    def forward(part: slice) -> Tensor:
        with hardware.autocast():
            logits: Tensor = model(*padded(frames, numbers[order[part]]))
        return logits

    by_length = predict_all(forward, len(numbers), EVAL_UTTERANCES, ranks)
    ends = lengths.cumsum(0)
    places = Frames(features=by_length, offsets=torch.cat((ends[:1] * 0, ends)))
    logits = torch.empty_like(by_length)
    logits[places.rows(order).cpu()] = by_length
    return logits
