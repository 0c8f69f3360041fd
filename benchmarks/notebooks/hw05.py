"""Homework 5 as the notebook trains it: fairseq's way, without fairseq.

    python -m benchmarks.notebooks.hw05 DIR --level strong

A data set gives sentences one by one, a loader pads what a sampler put together by tokens, and
every validation translates all held-out sentences with a beam of five. The hints are the schedule
(medium), the Transformer (strong) and back-translation (boss), whose backward model is trained and
whose Chinese is translated in the same way. Networks and subwords are ours.
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.notebooks.way import Way, run
from mlspring.core.source import Source
from mlspring.homeworks.hw05_translation import data as reader
from mlspring.homeworks.hw05_translation.models import Translator, build
from mlspring.homeworks.hw05_translation.tasks import Task, backward_task, forward_task
from mlspring.homeworks.hw05_translation.train import NUM_TRANSLATED
from mlspring.homeworks.hw05_translation.vocabulary import BACK, EOS, PAD, Vocabulary, trained

BEAM, BATCH = 5, 32

Pair = tuple[list[int], list[int]]
Updates = Callable[[Iterable[Any], int], Iterator[tuple[int, tuple[Tensor, ...]]]]


class Sentences(Dataset):
    """Pairs as tokens, one at a time."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return source and target, ended."""
        source, target = self.pairs[index]
        return torch.tensor([*source, EOS]), torch.tensor([*target, EOS])


class ByTokens:
    """Groups of like length of at most so many tokens, in another order every epoch."""

    def __init__(self, pairs: Sequence[Pair], most: int) -> None:
        self.lengths = [max(map(len, pair)) + 1 for pair in pairs]
        self.most = most

    def __iter__(self) -> Iterator[list[int]]:
        order = random.sample(range(len(self.lengths)), len(self.lengths))
        groups: list[list[int]] = [[]]
        for row in sorted(order, key=lambda row: self.lengths[row]):
            if groups[-1] and (len(groups[-1]) + 1) * self.lengths[row] > self.most:
                groups.append([])
            groups[-1].append(row)
        yield from random.sample(groups, len(groups))


def collate(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return sources, decoder inputs (the end moved to the front) and targets, padded."""
    sources, targets = (
        nn.utils.rnn.pad_sequence(list(side), batch_first=True, padding_value=PAD)
        for side in zip(*batch, strict=True)
    )
    moved = torch.cat((torch.full_like(targets[:, :1], EOS), targets[:, :-1]), 1)
    return sources, moved.masked_fill(moved == PAD, EOS), targets


def train(way: Way) -> None:
    """Train with the level's numbers; boss trains the backward model before."""
    recipe = way.recipe
    data = reader.load(Source(kind="official", folder=way.folder), recipe)
    text = [*data.train.english, *data.train.chinese, *data.held.english, *data.held.chinese]
    words = Vocabulary(trained(text, recipe.data.vocabulary))
    pairs = list(
        zip(words.encode(data.train.english), words.encode(data.train.chinese), strict=True)
    )
    if recipe.back.sentences:
        turned = [(target, source) for source, target in pairs]
        model = learn(way, turned, backward_task(recipe, data, words), before(way))
        chinese = words.encode(data.mono[: recipe.back.sentences])
        english = translated(way, model, chinese, max(recipe.back.beam, 1))
        pairs += [([BACK, *e], z) for e, z in zip(english, chinese, strict=True) if e]
    learn(way, pairs, forward_task(recipe, data, words, None), way.updates)


def learn(way: Way, pairs: Sequence[Pair], task: Task, updates: Updates) -> Translator:
    """Return a trained network; the held-out sentences of the forward one tell the run's score."""
    knobs = task.knobs
    model = build(way.recipe.model, task.num_tokens).to(way.device)
    criterion = nn.CrossEntropyLoss(
        ignore_index=PAD, label_smoothing=knobs.label_smoothing, reduction="sum"
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, (0.9, 0.98), 1e-9, knobs.weight_decay
    )
    sampler = ByTokens(pairs, knobs.batch_tokens)
    loader = DataLoader(Sentences(pairs), batch_sampler=sampler, collate_fn=collate)
    held = range(len(task.held))
    sources = [task.held.source.padded(torch.tensor([row]))[0, :-1].tolist() for row in held]
    for step, (source, inputs, targets) in updates(loader, knobs.steps):
        way.set_rate(optimizer, step)
        logits = model(source, inputs).flatten(0, 1)
        loss = criterion(logits, targets.flatten()) / (targets != PAD).sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), knobs.clip_norm or torch.inf)
        optimizer.step()
        if way.validates(step) and updates == way.updates:
            found = translated(way, model, sources, BEAM)
            way.validated(task.bleu(found[:NUM_TRANSLATED]))
    return model


def before(way: Way) -> Updates:
    """Return how a network is trained whose validations nobody waits for."""

    def updates(batches: Iterable[Any], steps: int) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
        endless = itertools.chain.from_iterable(itertools.repeat(batches))
        for number, batch in enumerate(itertools.islice(endless, steps), 1):
            way.check_time()
            yield number, way.on_device(batch)

    return updates


@torch.no_grad()
def translated(
    way: Way, model: Translator, sources: Sequence[list[int]], beam: int
) -> list[list[int]]:
    """Return the translations of sentences, a batch after the other in their order.

    As fairseq does it: keys and values are kept, and a sentence that is done waits for the batch.
    """
    model.eval()
    found: list[list[int]] = []
    for start in range(0, len(sources), BATCH):
        ended = [torch.tensor([*s, EOS]) for s in sources[start : start + BATCH]]
        source = nn.utils.rnn.pad_sequence(ended, True, PAD).to(way.device)
        found += beams_of(way, model, source, beam)
    model.train()
    return found


def beams_of(way: Way, model: Translator, source: Tensor, beam: int) -> list[list[int]]:
    """Return the best translations of sources (n, s) by log p / length."""
    num = len(source)
    state = model.encode(source.repeat_interleave(beam, 0), keep_past=True)
    tokens = torch.full((num * beam, 1), EOS, device=way.device)
    scores = torch.zeros(num, beam, device=way.device)
    scores[:, 1:] = -torch.inf
    best: list[tuple[float, list[int]]] = [(-torch.inf, [])] * num
    ended = [0] * num
    for length in range(1, int(1.2 * source.shape[1]) + 11):
        way.check_time()
        log_p = model.decode(state, tokens[:, -1:])[:, -1].log_softmax(1)
        log_p[:, [PAD, BACK]] = -torch.inf
        totals = (scores[:, :, None] + log_p.view(num, beam, -1)).flatten(1)
        values, places = totals.topk(2 * beam)
        rows, words, kept = [], [], []
        for n in range(num):
            going = 0
            for rank, (value, place) in enumerate(
                zip(values[n].tolist(), places[n].tolist(), strict=True)
            ):
                parent, word = divmod(place, log_p.shape[1])
                row = n * beam + parent
                if word == EOS:
                    if rank < beam and ended[n] < beam:
                        ended[n] += 1
                        best[n] = max(best[n], (value / length, tokens[row, 1:].tolist()))
                elif going < beam:
                    going += 1
                    rows.append(row)
                    words.append(word)
                    kept.append(value)
        state = state.select(torch.tensor(rows, device=way.device))
        tokens = torch.cat((tokens[rows], torch.tensor(words, device=way.device)[:, None]), 1)
        scores = torch.tensor(kept, device=way.device).view(num, beam)
        if min(ended) == beam:
            break
    unended = tokens.view(num, beam, -1)[:, 0, 1:].tolist()
    return [tokens if score > -torch.inf else unended[n] for n, (score, tokens) in enumerate(best)]


if __name__ == "__main__":
    run("hw05", train)
