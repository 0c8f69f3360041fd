"""Homework 2 as the notebook trains it: every window written out, frames collated one by one.

    python -m benchmarks.notebooks.hw02 DIR --level medium

The hints are more frames in a window (medium), batch norm and dropout (strong), a recurrent network
on whole utterances (boss). There a file is opened for each utterance, its vocal tract stretched by
itself, and utterances of any lengths are padded to the longest of their batch.
"""

import copy
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, move_average, run
from mlspring.core import cepstra
from mlspring.homeworks.hw02_phonemes import models
from mlspring.homeworks.hw02_phonemes.augment import NUM_FACTORS, stretched, stretches
from mlspring.homeworks.hw02_phonemes.utterances import speaker_of

Labels = Mapping[str, Sequence[int]]  # the class of each frame, by utterance


class LibriDataset(Dataset):
    """Hands out one window at a time."""

    def __init__(self, windows: Tensor, labels: Tensor) -> None:
        self.windows, self.labels = windows, labels

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one window (39 n,) and its class."""
        return self.windows[index], self.labels[index]


class UtteranceDataset(Dataset):
    """Opens the file of an utterance whenever it is asked for."""

    def __init__(self, folder: Path, names: Sequence[str], labels: Labels, largest: float) -> None:
        self.folder, self.names, self.labels = folder, names, labels
        self.matrices = stretches(largest) if largest else None

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return frames (t, 39) and their classes (t,)."""
        name = self.names[index]
        feature = torch.load(self.folder / f"{name}.pt")
        if self.matrices is not None:
            scales = torch.from_numpy(cepstra.deviations(feature.numpy())).float()
            matrix = self.matrices[random.randrange(NUM_FACTORS)]
            length = torch.tensor([len(feature)])
            feature = stretched(feature[None], length, scales[None], matrix[None])[0]
        return feature, torch.tensor(self.labels[name])


def collate(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return utterances padded to one length, their lengths, and the classes one after another."""
    features, labels = zip(*batch, strict=True)
    lengths = torch.tensor([len(feature) for feature in features])
    return pad_sequence(features, batch_first=True), lengths, torch.cat(labels)


def concat_feat(features: Tensor, n: int) -> Tensor:
    """Return the windows of an utterance, (t, 39 n), n copies of it that are shifted."""
    if n == 1:
        return features
    shifted = []
    for by in range(-(n // 2), n // 2 + 1):
        rows = (torch.arange(len(features)) + by).clamp(0, len(features) - 1)
        shifted.append(features[rows])
    return torch.cat(shifted, 1)


def preprocess(folder: Path, names: Sequence[str], labels: Labels, n: int) -> tuple[Tensor, Tensor]:
    """Return all windows and labels of some utterances, in one buffer."""
    num_frames = sum(len(labels[name]) for name in names)
    windows = torch.empty(num_frames, 39 * n)
    targets = torch.empty(num_frames, dtype=torch.long)
    at = 0
    for name in names:
        feature = concat_feat(torch.load(folder / f"{name}.pt"), n)
        windows[at : at + len(feature)] = feature
        targets[at : at + len(feature)] = torch.LongTensor(labels[name])
        at += len(feature)
    return windows, targets


def loaders(way: Way) -> list[DataLoader]:
    """Return the loader to train from and the one to validate from."""
    recipe, root = way.recipe, way.folder / "libriphone"
    labels = {}
    for line in (root / "train_labels.txt").read_text().splitlines():
        name, *classes = line.split(" ")
        labels[name] = [int(c) for c in classes]
    names = (root / "train_split.txt").read_text().split()
    speakers = sorted({speaker_of(name) for name in names})
    random.Random(1337).shuffle(speakers)
    trained = set(speakers[: int(len(speakers) * (1 - recipe.data.held_out))])
    folder, size, made = root / "feat" / "train", recipe.train.batch_size, []
    for is_train in (True, False):
        part = [name for name in names if (speaker_of(name) in trained) == is_train]
        if recipe.model.name == "window":
            data = LibriDataset(*preprocess(folder, part, labels, recipe.model.frames))
            made.append(DataLoader(data, batch_size=size, shuffle=is_train))
            continue
        length = sum(len(labels[name]) for name in part) / len(part)
        stretch = recipe.augment.stretch if is_train else 0.0
        utterances = UtteranceDataset(folder, part, labels, stretch)
        count = max(1, round(size / length))
        made.append(DataLoader(utterances, count, shuffle=is_train, collate_fn=collate))
    return made


def train(way: Way) -> None:
    """Train with the level's numbers."""
    knobs = way.recipe.train
    train_loader, valid_loader = loaders(way)
    model = models.build(way.recipe.model).to(way.device)
    average = copy.deepcopy(model) if knobs.ema_decay else model
    criterion = nn.CrossEntropyLoss(label_smoothing=knobs.label_smoothing)
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
    )
    for step, (*inputs, labels) in way.updates(train_loader, knobs.steps):
        way.set_rate(optimizer, step)
        loss = criterion(model(*inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        if knobs.clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=knobs.clip_norm)
        optimizer.step()
        if knobs.ema_decay:
            move_average(average, model, knobs.ema_decay, step)
        if way.validates(step):
            way.validated(way.accuracy(average, valid_loader))


if __name__ == "__main__":
    run("hw02", train)
