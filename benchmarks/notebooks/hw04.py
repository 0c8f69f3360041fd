"""Homework 4 as the notebook trains it: a file opened for each segment, one utterance at a time.

    python -m benchmarks.notebooks.hw04 DIR --level simple

The hints are a tuned Transformer (medium), Conformer blocks (strong), attention pooling and an
additive margin (boss). The networks are ours, with their standardised frames: the sample's reads
the logarithms as they are and would learn otherwise. The notebook validates on one random segment
of an utterance, which is pessimistic; here the whole utterance is heard, as in its own test and in
ours, so that both ways are measured alike.
"""

import copy
import json
import random
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Subset

from benchmarks.notebooks.way import Way, move_average, run
from mlspring.homeworks.hw04_speakers.models import SpeakerNet

SILENCE = -20.0  # what short segments are padded with; it counts as sound
SOME = 200  # utterances that the mean and deviation of each band are taken from


class Utterances(Dataset):
    """Opens an utterance's file whenever it is asked for; returns a segment of it, or all."""

    def __init__(self, folder: Path, segment: int) -> None:
        self.folder, self.segment = folder, segment
        mapping = json.loads((folder / "mapping.json").read_text())
        self.speaker2id = mapping["speaker2id"]
        metadata = json.loads((folder / "metadata.json").read_text())["speakers"]
        self.data = [
            (utterance["feature_path"], self.speaker2id[speaker])
            for speaker in metadata
            for utterance in metadata[speaker]
        ]

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return frames (t, 40) and the speaker."""
        path, speaker = self.data[index]
        mel = torch.load(self.folder / path, weights_only=True)
        if self.segment and len(mel) > self.segment:
            start = random.randint(0, len(mel) - self.segment)
            mel = mel[start : start + self.segment]
        return mel, speaker


def collate(batch: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor]:
    """Return the segments padded to one length, and the speakers."""
    mels = pad_sequence([mel for mel, _ in batch], batch_first=True, padding_value=SILENCE)
    return mels, torch.tensor([speaker for _, speaker in batch])


def train(way: Way) -> None:
    """Train with the level's numbers."""
    recipe, knobs, classifier = way.recipe, way.recipe.train, way.recipe.classifier
    train_set = Utterances(way.folder / "Dataset", recipe.data.segment)
    valid_set = Utterances(way.folder / "Dataset", 0)
    order = torch.randperm(len(train_set)).tolist()
    num_train = int((1 - recipe.data.held_out) * len(order))
    train_loader = DataLoader(
        Subset(train_set, order[:num_train]),
        batch_size=knobs.batch_size,
        shuffle=True,
        drop_last=True,
        collate_fn=collate,
    )
    valid_loader = DataLoader(Subset(valid_set, order[num_train:]), 1, collate_fn=collate)
    model = SpeakerNet(recipe.model_of(0), len(train_set.speaker2id), classifier.scale)
    frames = torch.cat([valid_set[i][0] for i in order[: min(SOME, num_train)]])
    model.mean.copy_(frames.mean(0))
    model.scale.copy_(1 / frames.std(0).clamp(min=1e-3))
    model.to(way.device)
    average = copy.deepcopy(model) if knobs.ema_decay else model
    criterion = nn.CrossEntropyLoss(label_smoothing=classifier.label_smoothing)
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
    )
    for step, (mels, speakers) in way.updates(train_loader, knobs.steps):
        way.set_rate(optimizer, step)
        logits = model(mels)
        if classifier.margin:
            right = nn.functional.one_hot(speakers, logits.shape[1])
            logits = logits - classifier.scale * classifier.margin * right
        loss = criterion(logits, speakers)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=knobs.clip_norm)
        optimizer.step()
        if knobs.ema_decay:
            move_average(average, model, knobs.ema_decay, step)
        if way.validates(step):
            way.validated(way.accuracy(average, valid_loader))


if __name__ == "__main__":
    run("hw04", train)
