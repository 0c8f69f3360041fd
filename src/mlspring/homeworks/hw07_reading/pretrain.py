"""Masked language modelling, written out: how an encoder of our own learns from text alone.

Some tokens of a window are hidden, and the network names them; only these have a loss. Source:
Devlin et al. 2019 (BERT, arXiv:1810.04805); hiding neighbours together: Joshi et al. 2020
(SpanBERT, arXiv:1907.10529). ``recall`` puts a phrase of the window before it, where a question
would stand, and hides half of that, so that the network learns to look up the place: recurring
spans as a pre-training for questions, Ram et al. 2021 (Splinter, arXiv:2101.00438).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.runs import Run
from mlspring.homeworks.hw07_reading.batches import joined
from mlspring.homeworks.hw07_reading.models import MaskedNet
from mlspring.homeworks.hw07_reading.recipe import Recipe, TrainKnobs
from mlspring.homeworks.hw07_reading.tokens import SPECIAL, Encoded, Tokenizer
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, seed_everything
from mlspring.kit.state import TrainState, clip_gradients
from mlspring.kit.training import Bookkeeper

SEED = 0  # of the weights and of what is hidden
SPAN = 3  # tokens that are hidden together
PHRASE = (8, 21)  # tokens of a phrase that is recalled: from, and below
PHRASE_SHARE = 0.5  # of these that are hidden
HELD_OUT = 64  # windows of the dev paragraphs that the loss is measured on

Texts = Sequence[NDArray[np.int32]]
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """A batch with hidden tokens: ``ids`` and ``segments`` (B, L), ``targets`` of ``hidden``."""

    ids: Tensor
    segments: Tensor
    hidden: Tensor  # bool (B, L)
    targets: Tensor  # int64 (number of hidden tokens,)


def pretrain(
    run: Run,
    recipe: Recipe,
    config: dict[str, Any],
    tokenizer: Tokenizer,
    texts: tuple[list[Encoded], list[Encoded]],
    hardware: Hardware,
) -> dict[str, Any]:
    """Train an encoder in the folder of its own run; return what it cost and how well it names.

    Args:
        run: where weights, state and log go.
        recipe: whose encoder it is.
        config: of the encoder.
        tokenizer: of the texts.
        texts: paragraphs to learn from, and others to measure on.
        hardware: where to compute.
    """
    knobs, loop = recipe.pretrain, loop_of(recipe)
    learnt, held = ([one.ids for one in part if len(one.ids)] for part in texts)
    fixed = hide(held, recipe, tokenizer, HELD_OUT, (SEED, "held out"))
    seed_everything(SEED, "encoder")
    state = with_optimizer(hardware.to_device(MaskedNet(config)).train(), loop)
    with Bookkeeper(run, 0, state, loop, loop.steps, ALONE, "pre-train") as books:
        for step in books.steps():
            # batch: windows with hidden tokens
            batch = hide(learnt, recipe, tokenizer, knobs.batch_size, (SEED, "hide", step))

            # forward, loss: of the hidden tokens alone
            if recipe.encoder.dropout:
                seed_everything(SEED, "pre-train dropout", step)
            loss = F.cross_entropy(*name_hidden(state.model, batch, hardware))

            # backward, clip, step
            state.optimizer.zero_grad()
            loss.backward()
            clip_gradients(state.model, loop.clip_norm)
            rate = set_learning_rate(state.optimizer, loop, step, loop.warmup_steps)
            state.optimizer.step()

            # validate
            books.add(train__loss=loss.detach())
            if books.validates():
                measured = measure(state.model, fixed, hardware)
                books.log(epoch=step, **measured, learning_rate=rate)
            if books.due():
                books.save()
        checkpoint.save_weights(weights_path(run, 0), state.model, config)
        books.finish()
    return {"steps": loop.steps, "seconds": run.read_log()[-1]["seconds"], **measured}


def with_optimizer(model: M, knobs: TrainKnobs) -> TrainState[M]:
    """Return a network before its first step, to be trained by AdamW (arXiv:1711.05101)."""
    optimizer = torch.optim.AdamW(
        model.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay, fused=True
    )
    return TrainState(model=model, optimizer=optimizer)


def loop_of(recipe: Recipe) -> TrainKnobs:
    """Return the numbers of the loop: the fine-tuning's, but for those of ``[pretrain]``."""
    known = recipe.pretrain.model_dump(exclude={"masking", "share"}) | {"schedule": "linear"}
    known["validate_every"] = max(1, recipe.pretrain.steps // 20)
    return recipe.train.model_copy(update=known)


def name_hidden(model: MaskedNet, batch: Hidden, hardware: Hardware) -> tuple[Tensor, Tensor]:
    """Return logits (n, V) of the n hidden tokens, and which tokens they are, (n,)."""
    ids, segments = (x.to(hardware.device) for x in (batch.ids, batch.segments))
    with hardware.autocast():
        logits = model(ids, segments, batch.hidden.to(hardware.device)).float()
    return logits, batch.targets.to(hardware.device)


@torch.inference_mode()
def measure(model: MaskedNet, batch: Hidden, hardware: Hardware) -> dict[str, float]:
    """Return loss and share of right names of a fixed batch."""
    logits, targets = name_hidden(model.eval(), batch, hardware)
    model.train()
    hits = (logits.argmax(1) == targets).double().mean()
    return {
        "valid__loss": round(F.cross_entropy(logits, targets).item(), 5),
        "valid__accuracy": round(hits.item(), 5),
    }


def hide(
    texts: Texts, recipe: Recipe, tokenizer: Tokenizer, size: int, keys: tuple[int | str, ...]
) -> Hidden:
    """Return ``size`` windows with hidden tokens; ``keys`` decide all that is random."""
    knobs, length = recipe.pretrain, recipe.window.length
    rng = np.random.default_rng(derive_seed(*keys))
    pairs, whole = [], []
    for which in rng.integers(len(texts), size=size):
        text = texts[which]
        start = int(rng.integers(max(1, len(text) - length + 1)))
        window = text[start : start + length]
        phrase = window[:0]
        if knobs.masking == "recall":
            count = min(int(rng.integers(*PHRASE)), len(window), recipe.window.question)
            begin = int(rng.integers(len(window) - count + 1))
            phrase = window[begin : begin + count]
        span = 1 if knobs.masking == "tokens" else SPAN
        masks = [mask_of(rng, len(phrase), PHRASE_SHARE, SPAN)]
        masks.append(mask_of(rng, len(window), knobs.share, span))
        given = [
            with_noise(rng, t, m, tokenizer) for t, m in zip((phrase, window), masks, strict=True)
        ]
        pairs.append((given[0], given[1]))
        whole.append((phrase, window, *masks))
    batch = joined(pairs, tokenizer, match=recipe.encoder.match)
    hidden, targets = torch.zeros_like(batch.ids, dtype=torch.bool), []
    for row, ((phrase, window, in_phrase, in_window), first) in enumerate(
        zip(whole, batch.firsts, strict=True)
    ):
        hidden[row, 1 : 1 + len(phrase)] = torch.from_numpy(in_phrase)
        hidden[row, first : first + len(window)] = torch.from_numpy(in_window)
        targets += [phrase[in_phrase], window[in_window]]
    told = torch.from_numpy(np.concatenate(targets).astype(np.int64))
    return Hidden(ids=batch.ids, segments=batch.segments, hidden=hidden, targets=told)


def mask_of(rng: np.random.Generator, count: int, share: float, span: int) -> NDArray[np.bool_]:
    """Return which of ``count`` tokens are hidden: about a ``share``, ``span`` together."""
    begins = rng.random(count + span - 1) < 1 - (1 - share) ** (1 / span)
    mask = np.zeros(count, bool)
    for k in range(span):
        mask |= begins[k : k + count]
    if count and not mask.any():
        mask[int(rng.integers(count))] = True
    return mask


def with_noise(
    rng: np.random.Generator, ids: NDArray[np.int32], mask: NDArray[np.bool_], tokens: Tokenizer
) -> NDArray[np.int32]:
    """Return the tokens with those of ``mask`` hidden: 8 of 10 [MASK], 1 any other, 1 as it is."""
    draw = rng.random(len(ids))
    other = rng.integers(len(SPECIAL), tokens.size, size=len(ids)).astype(np.int32)
    noisy = np.where(mask & (draw < 0.8), np.int32(tokens.mask), ids)
    return np.where(mask & (draw >= 0.9), other, noisy)
