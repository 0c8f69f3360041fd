"""The training loop of homework 7, written out; the same under ``torchrun``.

A run opens the pre-trained encoder (made at first use) and fine-tunes networks on it: those that
answer, and those that question 2 compares. Every random choice is a function of (seed, network,
step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.errors import RunError
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw07_reading import predict, spans, windows
from mlspring.homeworks.hw07_reading.batches import BucketedBatches, Reader
from mlspring.homeworks.hw07_reading.data import Data, Part
from mlspring.homeworks.hw07_reading.encoder import Encoder, open_encoder
from mlspring.homeworks.hw07_reading.models import ReadingNet
from mlspring.homeworks.hw07_reading.pretrain import with_optimizer
from mlspring.homeworks.hw07_reading.recipe import Recipe, TrainKnobs
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator, seed_everything
from mlspring.kit.state import TrainState, clip_gradients
from mlspring.kit.training import Bookkeeper

NUM_VALID = 300  # questions of the dev part that training is validated on


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A network to fine-tune: its number in the run, its recipe, the encoder that it begins as."""

    number: int
    recipe: Recipe
    encoder: Encoder


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train what is not finished; return the first network's exact match on dev questions."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work=recipe.work, ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained, start = 0, time.perf_counter()
    for number in range(recipe.num_networks):
        if not ranks.broadcast(weights_path(run, number).exists()):
            setup = set_up(number, recipe.of(number), data, run, hardware, ranks)
            num_trained += train_network(setup, data, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    match = checkpoint.read_metadata(weights_path(run, 0))["exact_match"]
    return Training(validation=match, items_per_second=round(rate, 1))


def train_network(setup: Setup, data: Data, run: Run, hardware: Hardware, ranks: Ranks) -> int:
    """Train one network, from its last state if it has one; return the questions seen."""
    number, recipe, encoder = setup.number, setup.recipe, setup.encoder
    knobs, seed = recipe.train, derive_seed(run.request.seed, number)
    reader, dev = (reader_of(part, recipe, encoder) for part in (data.train, data.dev))
    state = new_state(encoder, knobs, seed, hardware)
    network, order = ranks.wrap(state.model), new_batches(reader, recipe, seed)
    shard = ranks.shard(order.size)
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, f"train {number + 1}") as books:
        for step in books.steps():
            # batch: this process's shard, one window a question that holds the answer
            rows = order.rows(step)
            draws = torch.rand(order.size, generator=generator(seed, "window", step))
            batch = training_batch(reader, rows[shard], draws[shard].tolist(), recipe)
            ids, segments, targets = (x.to(hardware.device) for x in batch)

            # forward, loss
            if recipe.encoder.dropout:
                seed_everything(seed, "dropout", step, ranks.rank)
            with hardware.autocast():
                logits = network(ids, segments)
            loss = span_loss(logits, targets)

            # backward, clip
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(order.size)).backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()

            # validate
            hits = (logits.argmax(2) == targets).all(1).float().mean()
            books.add(train__loss=loss.detach(), train__accuracy=hits)
            if books.validates():
                measured = validate(state.model, dev, recipe, hardware, ranks)
                books.log(epoch=order.epochs(step), **measured, learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            found = {"exact_match": measured["valid__accuracy"], "num_valid": num_valid(dev)}
            checkpoint.save_weights(weights_path(run, number), state.model, found | about(encoder))
        books.finish()
    return (step - books.start) * order.size


def about(encoder: Encoder) -> dict[str, Any]:
    """Return what a network's file says of its encoder: equal for equal runs, so no seconds."""
    told = {key: value for key, value in encoder.told.items() if key != "seconds"}
    return {"config": encoder.config, "encoder": told, "tokenizer": encoder.tokenizer.text}


def span_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of two cross entropies: of the start's place and of the end's, in nats.

    Args:
        logits: of starts and ends, (B, 2, L).
        targets: their places in the sequence, int64 (B, 2).
    """
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def training_batch(
    reader: Reader, rows: Sequence[int], draws: Sequence[float], recipe: Recipe
) -> tuple[Tensor, Tensor, Tensor]:
    """Return a window of each question: ids and segments (B, L), places of the answer (B, 2)."""
    length, starts = recipe.window.length, []
    for row, draw in zip(rows, draws, strict=True):
        (first, last), num_tokens = reader.spans[row], len(reader.paragraph_of(row).ids)
        if recipe.window.place == "centred":
            starts.append(windows.centred_start(first, last, num_tokens, length))
        else:
            starts.append(windows.any_start(first, last, num_tokens, length, draw))
    batch = reader.sequences(rows, starts, length)
    inside = (reader.spans[rows] - np.array(starts)[:, None]).clip(0, length - 1)
    return batch.ids, batch.segments, torch.from_numpy(batch.firsts[:, None] + inside)


def validate(
    model: ReadingNet, dev: Reader, recipe: Recipe, hardware: Hardware, ranks: Ranks
) -> dict[str, float]:
    """Return the exact match on up to ``NUM_VALID`` dev questions, evenly spread, by the recipe."""
    rows = np.linspace(0, len(dev.questions) - 1, num_valid(dev)).astype(np.int64)
    scores = predict.score(model, dev, recipe.window, hardware, ranks, rows=rows)
    found = predict.answers(dev, scores, spans.rules_of(recipe.span), rows)
    truth = dev.part.answers
    match = predict.exact_match(found, [truth[row] for row in rows])
    return {"valid__accuracy": round(float(match.mean()), 5)}


def num_valid(dev: Reader) -> int:
    """Return how many dev questions training is validated on."""
    return min(NUM_VALID, len(dev.questions))


def reader_of(part: Part, recipe: Recipe, encoder: Encoder) -> Reader:
    """Return a part as an encoder's tokenizer reads it."""
    return Reader.of(part, encoder.tokenizer, recipe.window, recipe.encoder.match)


def new_state(
    encoder: Encoder, knobs: TrainKnobs, seed: int, hardware: Hardware
) -> TrainState[ReadingNet]:
    """Return a network on a pre-trained encoder; its head depends on the seed alone."""
    seed_everything(seed, "weights")
    model = ReadingNet(encoder.config)
    model.bert.load_state_dict(dict(encoder.weights))
    return with_optimizer(hardware.to_device(model).train(), knobs)


def new_batches(reader: Reader, recipe: Recipe, seed: int) -> BucketedBatches:
    """Return the order in which the questions that have an answer in tokens are learnt."""
    rows = np.flatnonzero(reader.spans[:, 0] >= 0)
    lengths = np.array([reader.length(row, recipe.window.length) for row in rows.tolist()])
    size = recipe.train.batch_size
    return BucketedBatches(torch.from_numpy(rows), torch.from_numpy(lengths), size, seed)


def set_up(
    number: int, recipe: Recipe, data: Data, run: Run, hardware: Hardware, ranks: Ranks
) -> Setup:
    """Return a network with its encoder, pre-trained now if no run has needed that before.

    Raises:
        RunError: a resumed run began with another encoder.
    """
    encoder = open_encoder(recipe, data, hardware, ranks)
    digests = run.state.get("encoders", {})
    digest = encoder.told.get("sha256", encoder.told["name"])
    if run.writable and digests.setdefault(str(number), digest) != digest:
        fix = "start a new run: networks of two encoders are not one network"
        raise RunError("the encoder has changed since this run began", file=run.folder, fix=fix)
    if ranks.is_main:
        took = {f"pretrain_seconds_{number}": encoder.told.get("seconds", "")}
        run.note(encoders=digests, **took)
    return Setup(number=number, recipe=recipe, encoder=encoder)
