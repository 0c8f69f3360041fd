"""Segments and whole utterances on the device, gathered from one array of all frames.

Where an utterance begins and how long it is stays on the CPU, so that no step waits for a GPU.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw04_speakers.data import Utterances
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks

MOST_FRAMES = 8192  # of a batch of whole utterances, padding included
Batch = tuple[Tensor, Tensor | None]  # frames (b, t, 40), mask (b, t); None: nothing is padded


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Some utterances.

    Args:
        frames: (T, 40), all there are, on the device.
        starts: (n,), the first frame of each of n utterances.
        lengths: (n,), how many frames each has.
    """

    frames: Tensor
    starts: Tensor
    lengths: Tensor

    def of(self, rows: Tensor) -> "Frames":
        """Return some of the utterances; their frames are not copied."""
        return replace(self, starts=self.starts[rows], lengths=self.lengths[rows])


def on_device(utterances: Utterances, hardware: Hardware) -> Frames:
    """Return the utterances; on the CPU their frames are the memory map itself, not a copy."""
    frames, offsets, lengths = (
        torch.from_numpy(array)
        for array in (utterances.frames, utterances.offsets, utterances.lengths)
    )
    return Frames(frames=frames.to(hardware.device), starts=offsets[:-1], lengths=lengths)


def segments(chosen: Frames, num_frames: int, draws: Tensor) -> Batch:
    """Return one random segment of each of b utterances; a shorter one is taken whole.

    Args:
        chosen: the utterances.
        num_frames: of a segment.
        draws: (b,) from 0 to 1, where in its utterance each segment begins.
    """
    room = (chosen.lengths - num_frames).clamp(min=0)
    first = (draws * (room + 1)).long().clamp(max=room)
    lengths = chosen.lengths.clamp(max=num_frames)
    return whole(replace(chosen, starts=chosen.starts + first, lengths=lengths), num_frames)


def whole(source: Frames, num_frames: int = 0) -> Batch:
    """Return all utterances of ``source``, padded to ``num_frames`` or the longest of them."""
    num_frames = num_frames or int(source.lengths.max())
    steps, device = torch.arange(num_frames), source.frames.device
    mask = steps < source.lengths[:, None]
    places = torch.where(mask, source.starts[:, None] + steps, source.starts[:, None])
    frames = source.frames[places.to(device)].float()
    return frames, (None if bool(mask.all()) else mask.to(device))


def by_length(lengths: Tensor, most_frames: int = MOST_FRAMES) -> Iterator[Tensor]:
    """Yield rows of utterances of like length, as many at once as ``most_frames`` hold.

    Attention needs memory for every pair of tokens, so long utterances also come in smaller
    batches: the square of the length counts from 512 frames on.
    """
    order = lengths.argsort(stable=True)
    counts = lengths[order].tolist()
    start = 0
    for end in range(1, len(counts) + 1):
        longest = counts[end] if end < len(counts) else 0
        weight = longest * max(1.0, longest / 512)
        if end == len(counts) or (end - start + 1) * weight > most_frames:
            yield order[start:end]
            start = end


@torch.inference_mode()
def outputs_of_all(
    forward: Callable[[Tensor, Tensor | None], Tensor],
    source: Frames,
    hardware: Hardware,
    ranks: Ranks = ALONE,
) -> Tensor:
    """Return ``forward`` of every whole utterance, in order, as fp32 on the CPU: (n, ...).

    ``forward`` takes frames (b, t, 40) and their mask. Each rank computes its share; all ranks get
    all outputs.
    """
    batches = list(by_length(source.lengths))
    mine = batches[ranks.rank :: ranks.size]
    order = torch.cat([rows for rank in range(ranks.size) for rows in batches[rank :: ranks.size]])
    parts = []
    for rows in mine or [order[:1]]:
        with hardware.autocast():
            parts.append(forward(*whole(source.of(rows))).float())
    # With fewer batches than ranks some have none; theirs is empty, but of the outputs' shape.
    gathered = ranks.gather(torch.cat(parts) if mine else parts[0][:0])
    return torch.empty_like(gathered).index_copy_(0, order, gathered)


def logits_of_all(
    model: nn.Module, source: Frames, hardware: Hardware, ranks: Ranks = ALONE
) -> Tensor:
    """Return logits (n, speakers) of whole utterances; in evaluation mode, as before afterwards."""
    was_training = model.training
    ranks.sync_buffers(model.eval())  # what is measured is what rank 0 saves
    logits = outputs_of_all(model, source, hardware, ranks)
    model.train(was_training)
    return logits
