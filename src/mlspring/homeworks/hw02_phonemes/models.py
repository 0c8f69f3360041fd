"""Networks of homework 2: dense layers on a window of frames, and a BiLSTM on whole utterances.

Shapes: b utterances of up to t frames, or m windows of n frames; 39 features a frame; logits are
(frames, 41), frame after frame, utterance after utterance.
"""

import math

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw02_phonemes.recipe import ModelKnobs, Recipe
from mlspring.homeworks.hw02_phonemes.utterances import NUM_CLASSES, NUM_FEATURES
from mlspring.kit.device import lstm_arithmetic


def build(knobs: ModelKnobs) -> "Network":
    """Return the network of a recipe, with fresh weights."""
    return BiLSTM(knobs) if knobs.name == "recurrent" else WindowNet(knobs)


class WindowNet(nn.Sequential):
    """Blocks of linear layer, batch norm, ReLU and dropout, then a linear layer.

    With one frame, two layers of 256 units, no batch norm and no dropout it is the sample code's
    network of 86,569 parameters (whose ``hidden_layers = 1`` makes two). Source: HW02 notebook.
    """

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        self.num_frames = knobs.frames
        units = NUM_FEATURES * knobs.frames
        for _ in range(knobs.layers):
            self.append(nn.Linear(units, knobs.width))
            if knobs.batch_norm:
                self.append(nn.BatchNorm1d(knobs.width))
            self.append(nn.ReLU())
            if knobs.dropout:
                self.append(nn.Dropout(knobs.dropout))
            units = knobs.width
        self.append(nn.Linear(units, NUM_CLASSES))


class BiLSTM(nn.Module):
    """Layers of two LSTMs each, one forwards and one backwards in time, then a linear layer.

    The one that goes backwards begins at the last frame of each utterance, not in the padding: its
    input is turned around utterance by utterance. So what is padded changes no logit. Several
    frames (``stride``) are read as one input and get their logits from one output.
    Source: Graves & Schmidhuber 2005, doi:10.1016/j.neunet.2005.06.042.
    """

    def __init__(self, knobs: ModelKnobs) -> None:
        super().__init__()
        self.stride = knobs.stride
        units = [NUM_FEATURES * knobs.stride] + [2 * knobs.width] * knobs.layers
        self.forwards, self.backwards = (
            nn.ModuleList(nn.LSTM(u, knobs.width, batch_first=True) for u in units[:-1])
            for _ in range(2)
        )
        self.dropout = nn.Dropout(knobs.dropout)
        self.classify = nn.Linear(units[-1], NUM_CLASSES * knobs.stride)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (sum of lengths, 41) for padded utterances (b, t, 39)."""
        num_utterances, num_frames, _ = inputs.shape
        missing = -num_frames % self.stride
        x = nn.functional.pad(inputs, (0, 0, 0, missing))
        x = x.reshape(num_utterances, -1, NUM_FEATURES * self.stride)
        turned = turned_around((lengths + self.stride - 1) // self.stride, x.shape[1])
        with lstm_arithmetic(x.device):
            for ahead, back in zip(self.forwards, self.backwards, strict=True):
                (there, _), (back_again, _) = ahead(x), back(reordered(x, turned))
                x = self.dropout(torch.cat((there, reordered(back_again, turned)), dim=2))
        logits = self.classify(x).view(num_utterances, -1, NUM_CLASSES)  # a row a frame again
        real = torch.arange(logits.shape[1], device=lengths.device) < lengths[:, None]
        return logits[real]


Network = WindowNet | BiLSTM


def turned_around(lengths: Tensor, num_steps: int) -> Tensor:
    """Return where each step goes when every utterance is turned around, int64 (b, num_steps).

    Padding stays where it is; turning around twice changes nothing.
    """
    steps = torch.arange(num_steps, device=lengths.device)
    return torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)


def reordered(x: Tensor, places: Tensor) -> Tensor:
    """Return x (b, t, d) with its steps in the order of ``places`` (b, t)."""
    return x.gather(1, places[:, :, None].expand_as(x))


def num_parameters(knobs: ModelKnobs) -> int:
    """Return how many weights the network of a recipe has."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(knobs).parameters())


def as_large(knobs: ModelKnobs, layers: int) -> ModelKnobs:
    """Return the dense network with another number of layers and about as many weights.

    With L layers of d units, b numbers a unit beside its weights (bias, batch norm) and 39 n inputs
    there are (L - 1) d^2 + (39 n + b L + 41) d + 41 weights, which is solved for d.
    """
    wanted = num_parameters(knobs) - NUM_CLASSES
    beside = 3 if knobs.batch_norm else 1
    linear = NUM_FEATURES * knobs.frames + beside * layers + NUM_CLASSES
    square = layers - 1
    root = math.sqrt(linear**2 + 4 * square * wanted)
    width = 2 * wanted / (linear + root)  # also where the square is 0
    return knobs.model_copy(update={"layers": layers, "width": max(1, round(width))})


def of_member(recipe: Recipe, number: int) -> ModelKnobs:
    """Return the network of a member: the recipe's own, then those of the two questions."""
    own, study = recipe.model, recipe.study
    variants = [as_large(own, layers) for layers in study.layers]
    variants += [own.model_copy(update={"dropout": rate}) for rate in study.dropout]
    return own if number == 0 else variants[number - 1]
