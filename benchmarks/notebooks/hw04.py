"""Homework 4 as the notebook trains it: a file opened for each segment, one utterance at a time.

    python -m benchmarks.notebooks.hw04 DIR LEVEL EPOCHS SEED

prints one JSON object: the validation accuracy after each epoch with the seconds since the start.
The notebook validates on one random segment of an utterance, which is pessimistic; here the whole
utterance is heard, as in its own test and in ours, so that both ways are measured alike.
"""

import json
import random
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Subset

from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw04_speakers.recipe import ModelKnobs, Recipe
from mlspring.homeworks.hw04_speakers.spec import SPEC

SILENCE = -20.0  # what short segments are padded with; it counts as sound


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


class Classifier(nn.Module):
    """The sample's network: no mask, no positions, time first."""

    def __init__(self, knobs: ModelKnobs, num_speakers: int) -> None:
        super().__init__()
        d = knobs.width
        self.prenet = nn.Linear(40, d)
        layer = nn.TransformerEncoderLayer(
            d_model=d, dim_feedforward=knobs.feed_forward, nhead=knobs.heads
        )
        self.encoder = nn.TransformerEncoder(layer, knobs.layers)
        self.pred_layer = nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, num_speakers))

    def forward(self, mels: Tensor) -> Tensor:
        """Return logits (b, speakers) of frames (b, t, 40)."""
        out = self.prenet(mels).permute(1, 0, 2)
        return self.pred_layer(self.encoder(out).transpose(0, 1).mean(dim=1))


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """Return the share of utterances in ``loader`` that ``model`` gets right."""
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for mels, speakers in loader:
            hits += (model(mels).argmax(1) == speakers).sum().item()
            total += len(speakers)
    return hits / total


def main(folder: Path, level: str, epochs: int, seed: int) -> None:
    """Train with the level's numbers and print the accuracy and the clock after each epoch."""
    recipe = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / f"{level}.toml")
    torch.manual_seed(seed)
    random.seed(seed)
    start = time.perf_counter()
    train_set = Utterances(folder / "Dataset", recipe.data.segment)
    valid_set = Utterances(folder / "Dataset", 0)
    order = torch.randperm(len(train_set)).tolist()
    num_train = int((1 - recipe.data.held_out) * len(order))
    train_loader = DataLoader(
        Subset(train_set, order[:num_train]),
        batch_size=recipe.train.batch_size,
        shuffle=True,
        drop_last=True,
        collate_fn=collate,
    )
    valid_loader = DataLoader(Subset(valid_set, order[num_train:]), 1, collate_fn=collate)
    model = Classifier(recipe.model, len(train_set.speaker2id))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), recipe.train.learning_rate)
    reached = []
    for _ in range(epochs):
        model.train()
        for mels, speakers in train_loader:
            loss = criterion(model(mels), speakers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        reached.append((round(time.perf_counter() - start, 2), accuracy(model, valid_loader)))
    print(json.dumps({"reached": reached, "peak_memory_mib": peak_memory_mib()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
