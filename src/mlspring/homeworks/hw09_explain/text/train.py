"""The loop of the encoder, written out: it names hidden tokens and finds answers, both at once.

Three of four texts have a question; the others are read alone, as the sentences are that distances
are measured in. What step k reads depends on the seed and k only.
"""

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
            # batch: texts that no other step reads, some of their tokens hidden
            size, share = loop.batch_size, recipe.text.hidden
            batch = draw_batch(tokenizer, "train", step, size, share, seed).to(hardware.device)

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
            hits = right(ends.detach(), batch).mean()
            books.add(train__loss=loss.detach(), train__accuracy=hits)
            if books.validates():
                measured = measure(state.model, held_out)
                books.log(epoch=step, **measured, learning_rate=rate)
            if books.due():
                books.save()
        about = {"accuracy": measured["valid__accuracy"], "tokenizer": tokenizer.to_str()}
        about |= {"config": own_config(recipe.text)}
        checkpoint.save_weights(weights_path(run, MEMBER), state.model, about)
        books.finish()
    return (step - books.start) * size


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


def draw_batch(
    tokenizer: Tokenizer, split: str, step: int, size: int, share: float, seed: int
) -> Batch:
    """Return the texts of a step, a ``share`` of their tokens hidden; 0: all have questions.

    Of the hidden tokens 8 of 10 are [MASK], 1 is any other and 1 as it is (Devlin et al. 2019).
    """
    texts = [draw_text(seed, split, step * size + row) for row in range(size)]
    alone = [bool(share) and row % WITHOUT_QUESTION == 0 for row in range(size)]
    sequences = [
        encode(tokenizer, one.text, "" if without else one.question)
        for one, without in zip(texts, alone, strict=True)
    ]
    ends = torch.full((size, 2), NO_TARGET)
    for row, (one, sequence) in enumerate(zip(texts, sequences, strict=True)):
        if not alone[row]:
            inside = np.flatnonzero(sequence.inside(one.start, one.start + len(one.answer)))
            ends[row] = torch.from_numpy(inside[[0, -1]])
    ids, segments = padded(sequences)
    rng = np.random.default_rng(derive_seed(seed, "hide", split, step))
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
    return hidden + F.cross_entropy(ends.flatten(0, 1), batch.ends.flatten())


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
