"""Beam search over a batch: the most likely translations, or tokens drawn at random.

Shapes: n sentences still in search, k beginnings (beams) of each, v tokens of the vocabulary.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mlspring.homeworks.hw05_translation.batches import Sentences, by_length
from mlspring.homeworks.hw05_translation.models import Translator
from mlspring.homeworks.hw05_translation.vocabulary import BACK, EOS, PAD
from mlspring.kit.device import Hardware
from mlspring.kit.seeding import generator

NEVER = [PAD, BACK]  # are no part of a translation
LIMIT, MORE = 1.2, 10  # a translation has at most 1.2 times the tokens of its source and 10 more
MOST_TOKENS = {"cpu": 4096, "cuda": 65_536}  # of the sources of a batch, times beginnings


@dataclass(frozen=True, kw_only=True)
class How:
    """How to search.

    Args:
        beam: beginnings that are kept at once; 1 is greedy, 0 draws each token at random.
        length_penalty: a; hypotheses compete by log p / length^a.
        seed: of what is drawn.
    """

    beam: int
    length_penalty: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """A translation: its tokens without the end, and log p / length^a, the end included."""

    tokens: list[int]
    score: float


@torch.inference_mode()
def translate(model: Translator, sources: Sentences, how: How, hardware: Hardware) -> list[Found]:
    """Return the best translation found of every sentence, in order.

    The model is on the device; in evaluation mode meanwhile, as before afterwards.
    """
    was_training = model.training
    model.eval()
    found: dict[int, Found] = {}
    most = MOST_TOKENS[hardware.device.type] // max(how.beam, 1)
    for rows in by_length(sources.lengths, most):
        stream = None if how.beam else generator(how.seed, "draw", int(rows[0]))
        source = sources.padded(rows).to(hardware.device)
        longest = (LIMIT * sources.lengths[rows] + MORE).long().to(hardware.device)
        with hardware.autocast():
            best = search(model, source, longest, how, stream)
        found |= dict(zip(rows.tolist(), best, strict=True))
    model.train(was_training)
    return [found[row] for row in range(len(found))]


def search(
    model: Translator,
    source: Tensor,
    longest: Tensor,
    how: How,
    stream: torch.Generator | None = None,
) -> list[Found]:
    """Return the best hypothesis of each source (n, s), by a model in evaluation mode.

    A sentence is done when as many hypotheses have ended as there are beams, or at ``longest`` (n,)
    tokens, the end included; then it leaves the batch. ``stream`` draws tokens; None: the most
    likely ones are taken.
    """
    beam, device = max(how.beam, 1), source.device
    ids = torch.arange(len(source), device=device)  # of the sentences still in search
    state: Any = model.encode(source, keep_past=True).select(ids.repeat_interleave(beam))
    tokens = torch.full((len(source), beam, 1), EOS, device=device)
    scores = torch.full((len(source), beam), -torch.inf, device=device)
    scores[:, 0] = 0  # at the start all beginnings are alike
    num_ended = torch.zeros_like(ids)
    best: list[Found] = [Found([], -torch.inf)] * len(source)
    for length in range(1, int(longest.max()) + 1):
        logits = model.decode(state, tokens[:, :, -1].reshape(-1, 1))[:, 0].float()
        log_p = _allowed(logits.view(len(ids), beam, -1), longest == length)
        beams, words, totals = candidates(scores[:, :, None] + log_p, 2 * beam, stream)

        # those that end among the first k are hypotheses
        ends = (words == EOS) & totals.isfinite()
        ends[:, beam:] = False
        for row, place in ends.nonzero().tolist():
            score = totals[row, place].item() / length**how.length_penalty
            if score > best[ids[row]].score:
                best[ids[row]] = Found(tokens[row, beams[row, place], 1:].tolist(), score)
        num_ended = num_ended + ends.sum(1)

        # the others go on, from the beams that they came from
        going = (num_ended < beam) & (longest > length)
        if not going.any():
            break
        chosen = (words == EOS)[going].int().argsort(dim=1, stable=True)[:, :beam]
        beams, words, scores = (x[going].gather(1, chosen) for x in (beams, words, totals))
        rows = going.nonzero()  # (m, 1)
        tokens = torch.cat((tokens[rows, beams], words[:, :, None]), 2)
        state = state.select((rows * beam + beams).flatten())
        ids, num_ended, longest = ids[going], num_ended[going], longest[going]
    return best


def candidates(
    totals: Tensor, num: int, stream: torch.Generator | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best ``num`` ways to go on: beams, tokens and totals, (n, num) each, best first.

    Args:
        totals: log probabilities (n, k, v) of every beginning with every token behind it.
        num: how many.
        stream: adds noise to the order: -log(-log u) of uniform u makes the first one a fair draw
            (the Gumbel trick), where there is one beginning.
    """
    flat, num_tokens = totals.flatten(1), totals.shape[2]
    order = flat
    if stream is not None:
        noise = torch.rand(flat.shape, generator=stream, dtype=torch.float64)
        order = flat - noise.log().neg().log().float().to(flat.device)
    order, chosen = order.topk(min(num, flat.shape[1]))
    return chosen // num_tokens, chosen % num_tokens, flat.gather(1, chosen)


def _allowed(logits: Tensor, at_limit: Tensor) -> Tensor:
    """Return log probabilities (n, k, v); at its limit (n,) a sentence can only end."""
    logits[:, :, NEVER] = -torch.inf
    log_p = logits.log_softmax(2)
    others = torch.arange(log_p.shape[2], device=log_p.device) != EOS
    return log_p.masked_fill(at_limit[:, None, None] & others, -torch.inf)
