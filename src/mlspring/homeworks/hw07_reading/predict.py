"""From finished networks to the answer of every question: windows, scores, spans, text."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.runs import Run
from mlspring.homeworks.hw07_reading import spans, windows
from mlspring.homeworks.hw07_reading.batches import Reader
from mlspring.homeworks.hw07_reading.data import Data, Part
from mlspring.homeworks.hw07_reading.models import SPECIALS, ReadingNet
from mlspring.homeworks.hw07_reading.recipe import Recipe, WindowKnobs
from mlspring.homeworks.hw07_reading.spans import NEVER, Rules, Scores
from mlspring.homeworks.hw07_reading.tokens import Tokenizer
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import predict_all

EVAL_BATCH = 128  # windows at once, of whichever questions


def predict(recipe: Recipe, data: Data, run: Run) -> NDArray[np.str_]:
    """Return the answer to every test question, (n,), without spaces at its ends."""
    hardware = device.choose_for(run, work=recipe.work)
    scores, reader = scores_of(recipe, data.test, run, hardware, recipe.span.members)
    return np.array(answers(reader, scores, spans.rules_of(recipe.span)))


def scores_of(
    recipe: Recipe, part: Part, run: Run, hardware: Hardware, members: int
) -> tuple[Scores, Reader]:
    """Return the mean scores of the run's first ``members`` networks, and the part as tokens."""
    model, reader = trained(recipe, part, run, 0, hardware)
    total = score(model, reader, recipe.window, hardware)
    for number in range(1, members):
        more = score(
            trained(recipe, part, run, number, hardware)[0], reader, recipe.window, hardware
        )
        total.logits[:] += more.logits
    total.logits[:] /= members
    return total, reader


def trained(
    recipe: Recipe, part: Part, run: Run, number: int, hardware: Hardware
) -> tuple[ReadingNet, Reader]:
    """Return a finished network of the run, and a part as its tokenizer reads it."""
    file = weights_path(run, number)
    told = checkpoint.read_metadata(file)
    model = ReadingNet(told["config"])
    checkpoint.load_weights(file, model)
    tokenizer = Tokenizer(told["tokenizer"])
    reader = Reader.of(part, tokenizer, recipe.window, recipe.encoder.match)
    return hardware.to_device(model).eval(), reader


def score(
    model: ReadingNet,
    reader: Reader,
    knobs: WindowKnobs,
    hardware: Hardware,
    ranks: Ranks = ALONE,
    *,
    rows: NDArray[np.int64] | None = None,
) -> Scores:
    """Return the scores of all windows of the questions ``rows`` (all), numbered from 0.

    Windows of like lengths are read together, whichever questions they are of.
    """
    rows = np.arange(len(reader.questions)) if rows is None else rows
    listed = [
        (place, row, start)
        for place, row in enumerate(rows.tolist())
        for start in windows.starts_of(
            len(reader.paragraph_of(row).ids), knobs.length, knobs.stride
        )
    ]
    questions, which, offsets = np.array(listed, np.int64).T
    sizes = np.array([len(reader.paragraph_of(row).ids) - start for _, row, start in listed])
    sizes = sizes.clip(max=knobs.length)
    firsts = np.array([len(reader.questions[row]) + SPECIALS - 1 for row in which])
    order = np.argsort(firsts + sizes, kind="stable")
    longest = int((firsts + sizes).max()) + 1

    def forward(part: slice) -> Tensor:
        chosen = order[part]
        batch = reader.sequences(which[chosen].tolist(), offsets[chosen].tolist(), knobs.length)
        ids, segments = (x.to(hardware.device) for x in (batch.ids, batch.segments))
        with hardware.autocast():
            logits = model(ids, segments)
        return torch.nn.functional.pad(logits, (0, longest - logits.shape[2]), value=NEVER)

    was_training = model.training
    model.eval()
    logits = np.empty((len(order), 2, longest), np.float32)
    logits[order] = predict_all(forward, len(order), EVAL_BATCH, ranks).numpy()
    model.train(was_training)
    return Scores(logits=logits, questions=questions, offsets=offsets, firsts=firsts, sizes=sizes)


def answers(
    reader: Reader, scores: Scores, rules: Rules, rows: NDArray[np.int64] | None = None
) -> list[str]:
    """Return the answers that the rules find; "" where the end stands before the start."""
    rows = np.arange(len(reader.questions)) if rows is None else rows
    found = []
    for row, window, first, last in zip(rows, *spans.choose(scores, rules), strict=True):
        paragraph, shift = reader.paragraph_of(row), scores.offsets[window] - scores.firsts[window]
        if not rules.raw:
            found.append(decoded(reader, row, int(scores.offsets[window]), first, last))
        elif scores.firsts[window] <= first <= last and last + shift < len(paragraph.ids):
            text = reader.part.paragraphs[reader.part.paragraph_ids[row]]
            found.append(
                windows.span_text(text, paragraph.offsets, first + shift, last + shift).strip()
            )
        else:
            found.append("")
    return found


def decoded(reader: Reader, row: int, offset: int, first: int, last: int) -> str:
    """Return names of tokens joined, as the sample decodes them: no spaces, and [UNK] stays."""
    pair = (reader.questions[row], reader.paragraph_of(row).ids[offset:])
    tokens = reader.tokenizer
    ids = np.concatenate([[tokens.cls], pair[0], [tokens.sep], pair[1], [tokens.sep]])
    names = [tokens.token(number) for number in ids[first : last + 1]]
    return "".join(name.removeprefix("##") for name in names)


def exact_match(found: list[str], truth: list[str]) -> NDArray[np.bool_]:
    """Return which answers are right to the letter, ASCII commas removed on both sides, (n,)."""
    pairs = zip(found, truth, strict=True)
    return np.array([a.replace(",", "").strip() == b.replace(",", "").strip() for a, b in pairs])
