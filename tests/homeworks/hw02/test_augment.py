"""Stretched utterances: normalised, as many as there were, the same on any number of processes."""

import numpy as np
import torch

from mlspring.core.cepstra import difference_matrix
from mlspring.homeworks.hw02_phonemes.augment import NUM_FACTORS, Stretch, stretched, stretches
from mlspring.kit.frames import Frames, padded

LENGTHS = [60, 35, 48]
NUMBERS = torch.tensor([2, 0, 1])


def speech() -> tuple[Frames, torch.Tensor]:
    """Return utterances with features like the course's, and the cepstra's deviations."""
    draw = np.random.default_rng(0)
    scales = draw.uniform(0.5, 2, (3, 13))
    parts = []
    for length, scale in zip(LENGTHS, scales, strict=True):
        cepstra = draw.normal(0, 1, (length, 13)) * scale
        first = cepstra @ difference_matrix()
        every = np.concatenate((cepstra, first, first @ difference_matrix()), 1)
        parts.append((every - every.mean(0)) / every.std(0, ddof=1))
    frames = Frames(
        features=torch.from_numpy(np.concatenate(parts)).float(),
        offsets=torch.tensor([0, *np.cumsum(LENGTHS).tolist()]),
    )
    return frames, torch.from_numpy(scales).float()


def test_the_middle_stretch_gives_the_same_features_back() -> None:
    frames, _ = speech()
    inputs, lengths = padded(frames, NUMBERS)
    change = Stretch(frames, 0.2, 0)
    middle = stretches(0.2)[NUM_FACTORS // 2].expand(3, -1, -1)
    found = stretched(inputs, lengths, change.scales[NUMBERS], middle)
    torch.testing.assert_close(found, inputs, rtol=1e-3, atol=1e-3)


def test_a_stretched_utterance_is_normalised_and_its_padding_stays() -> None:
    frames, _ = speech()
    inputs, lengths = padded(frames, NUMBERS)
    change = Stretch(frames, 0.2, 0)
    found = change((inputs, lengths), NUMBERS, step=4, at=0)
    for place, length in enumerate(lengths.tolist()):
        real = found[place, :length].double()
        torch.testing.assert_close(real.mean(0), torch.zeros(39).double(), rtol=0, atol=1e-5)
        variance = real.var(0, correction=1)
        torch.testing.assert_close(variance, torch.ones(39).double(), rtol=1e-3, atol=1e-3)
        assert not found[place, length:].any()
        assert (found[place, :length] - inputs[place, :length]).abs().mean() > 0.01


def test_what_is_drawn_depends_on_step_and_place_alone() -> None:
    frames, _ = speech()
    batch = padded(frames, NUMBERS)
    change = Stretch(frames, 0.2, 7)
    whole = change(batch, NUMBERS, step=5, at=0)
    parts = [
        change((batch[0][part], batch[1][part]), NUMBERS[part], step=5, at=part.start)
        for part in (slice(0, 1), slice(1, 3))
    ]
    torch.testing.assert_close(whole, torch.cat(parts))
    again, other = Stretch(frames, 0.2, 7), Stretch(frames, 0.2, 8)
    assert torch.equal(again(batch, NUMBERS, step=5, at=0), whole)
    assert not torch.allclose(again(batch, NUMBERS, step=6, at=0), whole, atol=0.01)
    assert not torch.allclose(other(batch, NUMBERS, step=5, at=0), whole, atol=0.01)
