"""Windows and whole utterances against plain loops; what a wide window costs in memory."""

import tracemalloc

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mlspring.core.errors import UserError
from mlspring.homeworks.hw02_phonemes.batches import (
    Batch,
    FrameBatches,
    UtteranceBatches,
    make_batches,
)
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.frames import Frames
from tests.homeworks.hw02.tools import recipe
from tests.kit.speech import frames

LENGTHS = [5, 1, 9, 4, 7, 6, 3, 8]


def test_an_epoch_visits_every_frame_once_with_its_label() -> None:
    data = frames(LENGTHS)
    batches = FrameBatches(data, data.rows(torch.tensor([0, 2, 4])), 3, 7, 0, ALONE)
    seen, targets = [], []
    for step in (1, 2, 3):
        batch = batches.batch(step)
        seen += batch.inputs[0].view(7, 3, 39)[:, 1, 0].int().tolist()
        targets += batch.targets.tolist()
        assert batch.loss_scale == 1
    assert data.labels is not None
    assert sorted(seen) == [*range(5), *range(6, 15), *range(19, 26)]
    assert targets == data.labels[torch.tensor(seen)].tolist()


def peak_bytes(n: int, num_frames: int) -> int:
    """Return the most memory that holding the data and taking batches of windows needs.

    Tensors share the memory of NumPy's arrays, which tracemalloc counts; what torch takes for a
    batch is counted by its size.
    """
    tracemalloc.start()
    features: NDArray[np.float32] = np.zeros((num_frames, 39), np.float32)
    data = Frames(
        features=torch.from_numpy(features),
        offsets=torch.arange(0, num_frames + 1, 500),
        labels=torch.zeros(num_frames, dtype=torch.uint8),
    )
    batches = FrameBatches(data, torch.arange(num_frames), n, 512, 0, ALONE)
    taken = max(batches.batch(step).inputs[0].nbytes for step in (1, 2))
    around = 512 * n * 8  # bytes of the rows that a batch gathers
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = [data.offsets, data.labels, batches._batches._rows, batches._batches._order]
    return peak + taken + around + sum(t.nbytes for t in held if t is not None)


def test_a_wide_window_needs_hardly_more_memory_than_one_frame() -> None:
    """The course's loader needs 21 times as much for n = 21."""
    one, wide = (peak_bytes(n, 100_000) for n in (1, 21))
    assert one > 100_000 * 39 * 4
    assert wide < 1.2 * one


def test_no_array_is_larger_than_a_batch_whatever_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            nonlocal largest
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                largest = max(largest, result.untyped_storage().nbytes())
            return result

    data = frames([500] * 20)
    batches = FrameBatches(data, torch.arange(10_000), 21, 64, 0, ALONE)
    batches.batch(1)
    with Watch():
        batches.batch(2)
        batches.batch(3)
    assert largest <= max(64 * 21 * 39 * 4, 10_000 * 8)


def test_an_epoch_visits_every_utterance_once_whole() -> None:
    data = frames(LENGTHS)
    batches = UtteranceBatches(data, torch.arange(8), 12, 0, ALONE, 0.0)
    assert batches.size == 2  # 12 frames of 5.4 on average
    seen: list[int] = []
    for step in range(1, 5):
        batch = batches.batch(step)
        inputs, lengths = batch.inputs
        numbers = inputs[:, 0, 1].int()
        assert lengths.tolist() == [LENGTHS[i] for i in numbers]
        assert batch.targets.tolist() == data.targets(data.rows(numbers.long())).tolist()
        seen += numbers.tolist()
    assert sorted(seen) == list(range(8))
    assert batches.epochs(4) == 1
    orders = {tuple(batches._shuffled(epoch).tolist()) for epoch in range(5)}
    assert len(orders) > 1


def test_utterances_of_a_batch_are_alike_in_length() -> None:
    lengths = np.random.default_rng(0).integers(50, 900, 400).tolist()
    data = frames(lengths)
    batches = UtteranceBatches(data, torch.arange(400), 4000, 0, ALONE, 0.0)
    padding = real = 0
    for step in range(1, batches.per_epoch + 1):
        _, taken = batches.batch(step).inputs
        padding += int(len(taken) * taken.max() - taken.sum())
        real += int(taken.sum())
    assert padding / (padding + real) < 0.1  # of batches drawn at random 45 % are padding


@pytest.mark.parametrize("name", ["window", "recurrent"])
@pytest.mark.parametrize("size", [2, 3])
def test_processes_share_a_step_and_weigh_its_frames_alike(name: str, size: int) -> None:
    level = "boss" if name == "recurrent" else "medium"
    data, numbers = frames(LENGTHS), torch.arange(8)
    chosen = recipe(f"world/{level}", "train.batch_size=17", "augment.stretch=0.0")

    def batch(ranks: Ranks) -> Batch:
        return make_batches(chosen.model, chosen, data, numbers, 0, ranks).batch(2)

    whole, parts = batch(ALONE), [batch(Ranks(rank, size)) for rank in range(size)]
    assert torch.cat([part.targets for part in parts]).tolist() == whole.targets.tolist()
    assert whole.loss_scale == 1
    # the mean over processes of (scale x mean loss) is the mean over all frames
    for part in parts:
        assert part.loss_scale / size * len(whole.targets) == pytest.approx(len(part.targets))


def test_more_processes_than_utterances_are_told() -> None:
    with pytest.raises(UserError, match=r"3 processes share a step of 2 utterances"):
        UtteranceBatches(frames(LENGTHS), torch.arange(8), 12, 0, Ranks(0, 3), 0.0)
