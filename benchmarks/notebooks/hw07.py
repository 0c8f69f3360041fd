"""Homework 7 as the notebook trains it: lists for each item, all padded, one question at a time.

    python -m benchmarks.notebooks.hw07 DIR --level simple

The hints are linear decay and a smaller stride (medium), windows anywhere around the answer
(strong), pairs that are spans, and several networks (boss). The pre-trained encoder is ours and
lies ready, as bert-base-chinese does on the hub: its making is on no clock.
"""

import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, run
from mlspring.core.source import official
from mlspring.homeworks.hw07_reading import data as files
from mlspring.homeworks.hw07_reading.encoder import Encoder, open_encoder
from mlspring.homeworks.hw07_reading.models import SPECIALS, ReadingNet
from mlspring.homeworks.hw07_reading.recipe import Recipe
from mlspring.homeworks.hw07_reading.train import NUM_VALID
from mlspring.kit import device
from mlspring.kit.distributed import ALONE


class Questions(Dataset):
    """Builds the lists of ids of a question whenever it is asked for: one window, or all."""

    def __init__(self, file: Path, encoder: Encoder, recipe: Recipe, *, train: bool) -> None:
        self.part = files.read_part(file, answered=True)
        self.tokens, self.recipe, self.train = encoder.tokenizer, recipe, train
        self.questions = self.tokens.encode(self.part.questions)
        self.paragraphs = self.tokens.encode(self.part.paragraphs)

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.questions)

    def sequence(self, question: list[int], window: list[int]) -> tuple[list[int], list[int]]:
        """Return ids and segments of [CLS] question [SEP] window [SEP], padded to the longest."""
        knobs, tokens = self.recipe.window, self.tokens
        ids = [tokens.cls, *question, tokens.sep, *window, tokens.sep]
        own = [
            1 + (self.recipe.encoder.match and t in question and t != tokens.unk) for t in window
        ]
        segments = [0] * (len(question) + 2) + own + [1]
        empty = [0] * (knobs.question + knobs.length + SPECIALS - len(ids))
        return ids + empty, segments + empty

    def __getitem__(self, index: int) -> Any:
        """Return ids, segments, start and end; else ids and segments of all windows, and starts."""
        knobs = self.recipe.window
        question = self.questions[index].ids.tolist()[-knobs.question :]
        paragraph = self.paragraphs[self.part.paragraph_ids[index]]
        ids = paragraph.ids.tolist()
        if not self.train:
            starts = range(0, max(len(ids) - knobs.length + knobs.stride, 1), knobs.stride)
            both = [self.sequence(question, ids[s : s + knobs.length]) for s in starts]
            return torch.tensor(both), torch.tensor(list(starts)), len(question) + 2
        start, end = int(self.part.starts[index]), int(self.part.ends[index])
        held = [t for t, (a, b) in enumerate(paragraph.offsets) if b > start and a <= end]
        highest = max(0, min(held[0], len(ids) - knobs.length))
        begin = min(max(0, (held[0] + held[-1]) // 2 - knobs.length // 2), highest)
        if knobs.place == "anywhere":
            begin = random.randint(min(max(0, held[-1] - knobs.length + 1), highest), highest)
        shift = len(question) + 2 - begin
        sequence = self.sequence(question, ids[begin : begin + knobs.length])
        places = [held[0] + shift, min(held[-1] - begin, knobs.length - 1) + len(question) + 2]
        return (*(torch.tensor(x) for x in sequence), torch.tensor(places))


def answer(logits: Tensor, first: int, recipe: Recipe) -> tuple[float, int, int]:
    """Return score, start and end of one window's logits (2, L)."""
    if recipe.span.rule == "sample":
        (start, end), places = logits.max(1)
        return float(start + end), int(places[0]), int(places[1])
    best = (-1e9, first, first)
    for start in range(first, logits.shape[1] - 1):
        for end in range(start, min(start + recipe.span.longest, logits.shape[1] - 1)):
            best = max(best, (float(logits[0, start] + logits[1, end]), start, end))
    return best


@torch.no_grad()
def exact_match(way: Way, model: ReadingNet, loader: DataLoader, dataset: Questions) -> float:
    """Return the share of the first questions that are right, read one after another."""
    model.eval()
    hits = total = 0
    for index, ((both, starts, first),) in zip(range(NUM_VALID), loader, strict=False):
        logits = model(*both.to(way.device).unbind(1)).cpu()
        found = [answer(one, first, way.recipe) for one in logits]
        best = max(range(len(found)), key=lambda k: found[k][0])
        _, start, end = found[best]
        which = dataset.part.paragraph_ids[index]
        offsets, shift = dataset.paragraphs[which].offsets, int(starts[best]) - first
        inside = start + shift >= 0 and end + shift < len(offsets) and start <= end
        text = dataset.part.paragraphs[which]
        told = text[offsets[start + shift, 0] : offsets[end + shift, 1]] if inside else ""
        hits += told == dataset.part.answers[index]
        total += 1
    model.train()
    return hits / total


def train(way: Way) -> None:
    """Train with the level's numbers."""
    recipe, knobs = way.recipe, way.recipe.train
    hardware = device.choose(str(way.device), "fp32", work="dense")  # type: ignore[arg-type]
    encoder = open_encoder(recipe, files.load(official(way.folder), recipe), hardware, ALONE)
    way.start_clock()
    sets = [
        Questions(way.folder / f"hw7_{part}.json", encoder, recipe, train=part == "train")
        for part in ("train", "dev")
    ]
    loader = DataLoader(sets[0], knobs.batch_size, shuffle=True)
    dev_loader = DataLoader(sets[1], 1, collate_fn=list)
    way.rounds = recipe.span.members
    for _ in range(way.rounds):
        model = ReadingNet(encoder.config)
        model.bert.load_state_dict(dict(encoder.weights))
        model.to(way.device)
        optimizer = torch.optim.AdamW(
            model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay
        )
        for step, (ids, segments, places) in way.updates(loader, knobs.steps):
            way.set_rate(optimizer, step)
            logits = model(ids, segments)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), places.flatten())
            optimizer.zero_grad()
            loss.backward()
            if knobs.clip_norm:
                torch.nn.utils.clip_grad_norm_(model.parameters(), knobs.clip_norm)
            optimizer.step()
            if way.validates(step):
                way.validated(exact_match(way, model, dev_loader, sets[1]))


if __name__ == "__main__":
    run("hw07", train)
