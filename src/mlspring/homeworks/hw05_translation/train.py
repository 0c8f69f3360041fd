"""The training loop of homework 5, written out; the same under ``torchrun``.

A run trains one network; where there is back-translation, the backward model has gone through the
same loop before, once for all runs. Every random choice is a function of (seed, step), so a resumed
run ends with the weights of an uninterrupted one.
"""

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw05_translation import back, vocabulary
from mlspring.homeworks.hw05_translation.batches import TokenBatches, by_length
from mlspring.homeworks.hw05_translation.data import Data
from mlspring.homeworks.hw05_translation.models import WORK, Translator, build
from mlspring.homeworks.hw05_translation.recipe import Recipe, TrainKnobs
from mlspring.homeworks.hw05_translation.search import How, translate
from mlspring.homeworks.hw05_translation.tasks import Task, forward_task
from mlspring.homeworks.hw05_translation.vocabulary import PAD
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.ema import EMA
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, seed_everything
from mlspring.kit.state import TrainState
from mlspring.kit.training import Bookkeeper

NUM_TRANSLATED = 200  # held-out sentences that a validation translates, greedily
VALID_TOKENS = 8192


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train what is not finished; return the BLEU of held-out sentences, translated greedily."""
    ranks = distributed.start(None, run.request.device)
    hardware = device.choose_for(run, work=WORK[recipe.model.kind], ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    if ranks.is_main:
        vocabulary.open_vocabulary(recipe, data)
    ranks.wait()
    words, synthetic = vocabulary.open_vocabulary(recipe, data), None
    if recipe.back.sentences:
        synthetic = back.open_synthetic(recipe, data, words, run, hardware, ranks, train_network)
    task = forward_task(recipe, data, words, synthetic)
    num_trained, start = 0, time.perf_counter()
    if not ranks.broadcast(weights_path(run, 0).exists()):
        if ranks.is_main:
            vocabulary.keep(words, run)
        num_trained = train_network(task, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    bleu = checkpoint.read_metadata(weights_path(run, 0))["bleu"]
    return Training(validation=bleu, items_per_second=round(rate, 1))


def train_network(
    task: Task, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks = ALONE
) -> int:
    """Train one network, from its last state if it has one; return the pairs seen."""
    knobs, seed = task.knobs, run.request.seed
    state = new_state(recipe, task, seed, hardware)
    network, norms = ranks.wrap(state.model), state.others["norms"].values
    mixed = TokenBatches(task.train, knobs.batch_tokens, derive_seed(seed, 0))
    alone = TokenBatches(task.real, knobs.batch_tokens, derive_seed(seed, 1))
    with Bookkeeper(run, 0, state, knobs, knobs.steps, ranks, f"train {task.name}") as books:
        for step in books.steps():
            # batch: this process's share of pairs of like length, in the end of real ones
            last = step > task.num_mixed
            corpus, batches = (task.real, alone) if last else (task.train, mixed)
            batch = corpus.batch(batches.rows(step), ranks).to(hardware.device)

            # forward, loss
            seed_everything(seed, "dropout", step, ranks.rank)
            with hardware.autocast():
                logits = network(batch.source, batch.inputs).float()
            loss = loss_of(logits, batch.targets, batch.num_targets, knobs.label_smoothing)

            # backward, clip
            state.optimizer.zero_grad()
            (loss * ranks.size).backward()
            norms[step - 1] = clipped(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()
            state.update_average(step)

            # validate
            books.add(train__loss=loss.detach() * ranks.size)
            if books.validates():
                own = measure(state.final, task, hardware) if ranks.is_main else None
                measured = ranks.broadcast(own) | {"epoch": mixed.epochs(step)}
                new = norms_since_last(norms, step, knobs)
                books.log(**measured, train__norms=new, learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            told = {"bleu": measured["valid__bleu"], "loss": measured["valid__loss"]}
            checkpoint.save_weights(weights_path(run, 0), state.final, told)
        books.finish()
    return round((knobs.steps - books.start) * mixed.pairs_per_step)


def loss_of(logits: Tensor, targets: Tensor, num_targets: int, smoothing: float = 0.0) -> Tensor:
    """Return the cross entropy of logits (b, t, v) with smoothed targets (b, t), a token's mean.

    The right token's target is 1 - e + e / v, every other's e / v, with e = ``smoothing`` (Szegedy
    et al. 2016, arXiv:1512.00567). PAD is no target. The sum is divided by ``num_targets``, the
    tokens of the batch over all processes.
    """
    flat, right = logits.flatten(0, 1), targets.flatten()
    total = F.cross_entropy(
        flat, right, ignore_index=PAD, label_smoothing=smoothing, reduction="sum"
    )
    return total / num_targets


def clipped(model: nn.Module, largest: float) -> Tensor:
    """Scale the gradients down to the norm ``largest``, 0: leave them; return the norm before."""
    return nn.utils.clip_grad_norm_(model.parameters(), largest or torch.inf)


def norms_since_last(norms: Tensor, step: int, knobs: TrainKnobs) -> list[float]:
    """Return the gradients' norms before clipping, of every step since the last validation."""
    first = (step - 1) // knobs.validate_every * knobs.validate_every
    return [round(norm, 4) for norm in norms[first:step].tolist()]


@torch.inference_mode()
def measure(model: Translator, task: Task, hardware: Hardware) -> dict[str, float]:
    """Return loss, a token's mean without smoothing, and BLEU of greedy translations, held out."""
    was_training = model.training
    model.eval()
    total, num = 0.0, 0
    for rows in by_length(task.held.longest, VALID_TOKENS):
        batch = task.held.batch(rows).to(hardware.device)
        with hardware.autocast():
            logits = model(batch.source, batch.inputs).float()
        total += loss_of(logits, batch.targets, 1).item()
        num += batch.num_targets
    model.train(was_training)
    found = translate(model, task.held.source.first(NUM_TRANSLATED), How(beam=1), hardware)
    bleu = task.bleu([one.tokens for one in found])
    return {"valid__loss": round(total / num, 5), "valid__bleu": round(bleu, 3)}


def new_state(recipe: Recipe, task: Task, seed: int, hardware: Hardware) -> TrainState[Translator]:
    """Return a network with fresh weights, its optimizer, its average and a place for norms."""
    knobs = task.knobs
    model = hardware.to_device(new_model(recipe, task.num_tokens, seed)).train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        knobs.learning_rate,
        betas=(0.9, 0.98),
        eps=1e-9,
        weight_decay=knobs.weight_decay,
        fused=True,
    )
    average = LastMean(model, knobs) if knobs.average_last > 1 else None
    norms = hardware.to_device(Norms(knobs.steps))
    return TrainState(model=model, optimizer=optimizer, average=average, others={"norms": norms})


def new_model(recipe: Recipe, num_tokens: int, seed: int = 0) -> Translator:
    """Return the network; its weights depend on the seed alone."""
    seed_everything(seed, "weights")
    return build(recipe.model, num_tokens)


class Norms(nn.Module):
    """The norm of the gradient of every step, on the device: no step waits for its number."""

    values: Tensor

    def __init__(self, num_steps: int) -> None:
        super().__init__()
        self.register_buffer("values", torch.zeros(num_steps))


class LastMean(EMA[Any]):
    """The mean of the weights after each of the last steps; before them, the weights themselves.

    The course averages the checkpoints of the last five epochs; so does this, a step each.
    """

    def __init__(self, model: Translator, knobs: TrainKnobs) -> None:
        super().__init__(model, 0.0)
        self._knobs = knobs

    @torch.no_grad()
    def update(self, num_updates: int) -> None:
        """Take the weights after step ``num_updates`` into the mean."""
        knobs = self._knobs
        number = num_updates - max(knobs.steps - knobs.average_last, 0)
        if number < 1 and num_updates % knobs.validate_every:
            return  # nobody asks for it yet
        mine, theirs = ([pair[side] for pair in self._floats] for side in (0, 1))
        torch._foreach_lerp_(mine, theirs, 1 / max(number, 1))
