"""The loop of the encoder, written out: it names hidden tokens, and then finds answers, too.

The first steps read single sentences: in a short sequence a head soon finds out who a token's
neighbours are, in a long one it does not in minutes. Then come whole texts, three of four with a
question. What step k reads depends on the seed and k only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.recipe import Recipe, TrainKnobs
from mlspring.homeworks.hw09_explain.text.encoder import (
    SPECIAL,
    Encoded,
    ReadingNet,
    encode,
    own_config,
    own_tokenizer,
    padded,
)
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, seed_everything
from mlspring.kit.state import TrainState, clip_gradients
from mlspring.kit.training import Bookkeeper
from mlspring.worlds.senses.texts import draw_text

MEMBER = 1  # its number in a run; the picture network is 0
WITHOUT_QUESTION = 4  # every fourth text
SENTENCES = 4  # for each text, in the steps that read sentences alone
WARMUP_STEPS, WEIGHT_DECAY, CLIP_NORM = 50, 0.01, 1.0
NUM_VALID = 256  # held-out texts
NO_TARGET = -100  # what cross entropy leaves out


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Texts with hidden tokens.

    Args:
        ids: int64 (B, L), 0 behind a text.
        segments: int64 (B, L).
        names: the hidden tokens, int64 (B, L), ``NO_TARGET`` elsewhere.
        ends: first and last token of the answer, int64 (B, 2), or ``NO_TARGET``.
    """

    ids: Tensor
    segments: Tensor
    names: Tensor
    ends: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return it on a device."""
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


def train_encoder(recipe: Recipe, run: Run, hardware: Hardware) -> int:
    """Train the encoder, from its last state if it has one; return the texts seen."""
    loop, seed, tokenizer = loop_of(recipe), run.request.seed, own_tokenizer()
    held_out = draw_batch(tokenizer, "valid", 0, NUM_VALID, 0.0, seed).to(hardware.device)
    state = new_state(recipe, seed, hardware)
    with Bookkeeper(run, MEMBER, state, loop, loop.steps, ALONE, "train the encoder") as books:
        for step in books.steps():
            # batch: what no other step reads, some of its tokens hidden
            batch = batch_of(tokenizer, step, recipe, seed).to(hardware.device)

            # forward, loss
            with hardware.autocast():
                names, ends = state.model(batch.ids, batch.segments)
            loss = loss_of(names.float(), ends.float(), batch)

            # backward, clip, step
            state.optimizer.zero_grad()
            loss.backward()
            clip_gradients(state.model, CLIP_NORM)
            rate = set_learning_rate(state.optimizer, loop, step, WARMUP_STEPS)
            state.optimizer.step()

            # validate
            books.add(train__loss=loss.detach())
            if books.validates():
                measured = measure(state.model, held_out)
                books.log(epoch=step, **measured, learning_rate=rate)
            if books.due():
                books.save()
        about = {"accuracy": measured["valid__accuracy"], "tokenizer": tokenizer.to_str()}
        about |= {"config": own_config(recipe.text)}
        checkpoint.save_weights(weights_path(run, MEMBER), state.model, about)
        books.finish()
    return (step - books.start) * loop.batch_size


def loop_of(recipe: Recipe) -> TrainKnobs:
    """Return the numbers of the loop."""
    known: dict[str, Any] = recipe.text.model_dump(include={"batch_size", "steps", "learning_rate"})
    known |= {"schedule": "linear", "validate_every": max(1, recipe.text.steps // 10)}
    return recipe.train.model_copy(update=known)


def new_state(recipe: Recipe, seed: int, hardware: Hardware) -> TrainState[ReadingNet]:
    """Return an encoder with fresh weights, which depend on the seed, and AdamW."""
    seed_everything(seed, "encoder")
    model = hardware.to_device(ReadingNet(own_config(recipe.text))).train()
    rate = recipe.text.learning_rate
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=WEIGHT_DECAY, fused=True)
    return TrainState(model=model, optimizer=optimizer)


def batch_of(tokenizer: Tokenizer, step: int, recipe: Recipe, seed: int) -> Batch:
    """Return what a step learns from: sentences alone in the first steps, then texts."""
    knobs, size = recipe.text, recipe.text.batch_size
    if step > knobs.alone:
        return draw_batch(tokenizer, "train", step, size, knobs.hidden, seed)
    count, sequences = SENTENCES * size, []
    for row in range(count):
        one = draw_text(seed, "sentences", step * count + row)
        sequences.append(encode(tokenizer, one.text[slice(*one.sentence)]))
    rng = np.random.default_rng(derive_seed(seed, "hide alone", step))
    return hide(tokenizer, sequences, torch.full((count, 2), NO_TARGET), knobs.hidden, rng)


def draw_batch(
    tokenizer: Tokenizer, split: str, step: int, size: int, share: float, seed: int
) -> Batch:
    """Return the texts of a step, a ``share`` of their tokens hidden; 0: all have questions."""
    texts = [draw_text(seed, split, step * size + row) for row in range(size)]
    ends, sequences = torch.full((size, 2), NO_TARGET), []
    for row, one in enumerate(texts):
        alone = bool(share) and row % WITHOUT_QUESTION == 0
        sequences.append(encode(tokenizer, one.text, "" if alone else one.question))
        if not alone:
            inside = np.flatnonzero(sequences[row].inside(one.start, one.start + len(one.answer)))
            ends[row] = torch.from_numpy(inside[[0, -1]])
    rng = np.random.default_rng(derive_seed(seed, "hide", split, step))
    return hide(tokenizer, sequences, ends, share, rng)


def hide(
    tokenizer: Tokenizer,
    sequences: Sequence[Encoded],
    ends: Tensor,
    share: float,
    rng: np.random.Generator,
) -> Batch:
    """Return a batch with a ``share`` of the tokens hidden.

    Of these 8 of 10 are [MASK], 1 is any other and 1 as it is (Devlin et al. 2019).
    """
    ids, segments = padded(sequences)
    drawn, kind = (torch.from_numpy(rng.random(tuple(ids.shape))) for _ in range(2))
    other = torch.from_numpy(rng.integers(len(SPECIAL), tokenizer.get_vocab_size(), ids.shape))
    hidden = (drawn < share) & (ids >= len(SPECIAL))
    names = torch.where(hidden, ids, NO_TARGET)
    noisy = torch.where(kind < 0.8, SPECIAL.index("[MASK]"), torch.where(kind < 0.9, other, ids))
    ids = torch.where(hidden, noisy, ids)
    return Batch(ids=ids, segments=segments, names=names, ends=ends)


def loss_of(names: Tensor, ends: Tensor, batch: Batch) -> Tensor:
    """Return the cross entropy of the hidden tokens plus that of both ends of the answers, nats.

    Args:
        names: logits of the tokens (B, L, V).
        ends: logits of starts and ends (B, 2, L).
        batch: with the targets.
    """
    hidden = F.cross_entropy(names.flatten(0, 1), batch.names.flatten())
    found = F.cross_entropy(ends.flatten(0, 1), batch.ends.flatten(), reduction="sum")
    return hidden + found / (batch.ends != NO_TARGET).sum().clamp(min=1)  # none of sentences alone


def right(ends: Tensor, batch: Batch) -> Tensor:
    """Return 1 for each question whose answer has both ends right, else 0."""
    asked = batch.ends[:, 0] != NO_TARGET
    return (ends.argmax(2) == batch.ends).all(1)[asked].float()


@torch.inference_mode()
def measure(model: ReadingNet, batch: Batch) -> dict[str, float]:
    """Return the loss of the ends and the share of answers found, on held-out texts."""
    _, ends = model(batch.ids, batch.segments)
    loss = F.cross_entropy(ends.flatten(0, 1), batch.ends.flatten())
    share = right(ends, batch).mean()
    return {"valid__loss": round(loss.item(), 5), "valid__accuracy": round(share.item(), 5)}
