"""The report figures of homework 5, each with the numbers behind it."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.runs import Run
from mlspring.homeworks.hw05_translation.batches import Corpus, flat
from mlspring.homeworks.hw05_translation.cleaning import written_chinese
from mlspring.homeworks.hw05_translation.data import Data
from mlspring.homeworks.hw05_translation.predict import finished
from mlspring.homeworks.hw05_translation.recipe import Recipe
from mlspring.homeworks.hw05_translation.score import bleu
from mlspring.homeworks.hw05_translation.transformer import positions
from mlspring.homeworks.hw05_translation.vocabulary import Vocabulary
from mlspring.kit import charts, style

NUM_PLACES = 128  # whose encodings are compared
MOST_TOKENS = 24  # of the sentence whose alignment is drawn
NUM_MEASURED, NUM_BINS = 500, 5  # held-out sentences; groups of like length, equally many in each


def q1_positions(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw how alike the positional encodings of two places are: their cosine."""
    alike = similarity(positions(NUM_PLACES, recipe.model.width)).numpy()
    figure = style.new_figure(8.6, 4.0)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
    picture = left.imshow(alike, vmin=-1, vmax=1, cmap="RdBu_r")
    left.set(xlabel="place", ylabel="place", title="Cosine of two encodings")
    left.grid(visible=False)
    figure.colorbar(picture, ax=left, shrink=0.8)
    middle = NUM_PLACES // 2
    right.plot(np.arange(NUM_PLACES) - middle, alike[middle])
    right.set(xlabel="places from the middle one", ylabel="cosine")
    right.set_title(f"{recipe.model.width} numbers a place")
    header = ("place", *range(NUM_PLACES))
    rows = [(place, *np.round(row, 5)) for place, row in enumerate(alike)]
    style.save(figure, run.figures, "q1_positions", header, rows)


def similarity(encodings: Tensor) -> Tensor:
    """Return the cosines (n, n) of encodings (n, d); a row of zeros, as of padding, has 0."""
    unit = F.normalize(encodings, dim=1)
    return unit @ unit.T


def q2_gradient_norm(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the norm of the gradient before clipping, every step, and where clipping acted."""
    norms = np.array([norm for entry in run.read_log() for norm in entry.get("train/norms", [])])
    steps, bound = np.arange(1, len(norms) + 1), recipe.train.clip_norm
    over = norms > bound if bound else np.zeros(len(norms), bool)
    figure = style.new_figure(7.4, 3.8)
    axes = figure.subplots()
    axes.plot(steps, norms, linewidth=0.7, label="norm of the gradient")
    axes.plot(steps[over], norms[over], ".", markersize=4, color=style.COLOURS[4], label="clipped")
    if bound:
        axes.axhline(bound, color=style.COLOURS[2], linewidth=1, label=f"clip_norm {bound:g}")
    for half, side in zip(np.array_split(np.flatnonzero(over), 2), (14, -75), strict=True):
        if len(half):  # the course asks for two places
            place = half[norms[half].argmax()]
            text, at = f"step {steps[place]}: {norms[place]:.1f}", (steps[place], norms[place])
            arrow = {"arrowstyle": "->"}
            axes.annotate(
                text, at, (side, -3), textcoords="offset points", arrowprops=arrow, fontsize=8
            )
    axes.set(yscale="log", xlabel="step", ylabel="norm before clipping")
    axes.set_title(f"Clipping acted in {over.mean():.0%} of the steps")
    figure.legend(loc="outside lower center", ncols=3)
    rows = zip(steps, norms, np.where(over, 1, 0), strict=True)
    style.save(figure, run.figures, "q2_gradient_norm", ("step", "norm", "clipped"), rows)


def alignment(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw which source tokens each token of a translation looks at, of a held-out sentence."""
    done = finished(recipe, run)
    english = [data.held.english[sentence_to_show(data, done.words)]]
    source, target = flat(done.words.encode(english)), flat([done.tokens(english)[0].tokens])
    batch = Corpus(source, target).batch(torch.tensor([0])).to(done.hardware.device)
    with torch.inference_mode():
        looks = done.model.alignment(batch.source, batch.inputs)[0]
    weights = looks.float().cpu().numpy()
    above, beside = (
        [done.words.piece(t) for t in side[0].tolist()] for side in (batch.source, batch.targets)
    )
    figure = style.new_figure(1.8 + 0.42 * len(above), 1.6 + 0.3 * len(beside))
    axes = figure.subplots()
    axes.imshow(weights, cmap="Greys", vmin=0, aspect="auto")
    # without a font for them Chinese tokens get their numbers
    names = beside if style.cjk_font() else [str(number + 1) for number in range(len(beside))]
    axes.set_xticks(range(len(above)), [_plain(piece) for piece in above], rotation=60, ha="right")
    axes.set_yticks(range(len(names)), [_plain(piece) for piece in names])
    axes.grid(visible=False)
    axes.set(xlabel="source", ylabel="translation", title="Who looks where")
    rows = [(piece, *np.round(row, 4)) for piece, row in zip(beside, weights, strict=True)]
    style.save(figure, run.figures, "alignment", ("token", *above), rows)


def sentence_to_show(data: Data, words: Vocabulary) -> int:
    """Return the row of the longest held-out sentence that fits the figure."""
    lengths = np.array([len(tokens) for tokens in words.encode(data.held.english)])
    return int(np.where(lengths <= MOST_TOKENS, lengths, -lengths).argmax())


def _plain(piece: str) -> str:
    return piece.replace("▁", " ").replace("$", r"\$") if piece != "▁" else "_"


def length(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw BLEU of held-out sentences, translated as the test is, against their length."""
    english, chinese = (side[:NUM_MEASURED] for side in (data.held.english, data.held.chinese))
    lines, references = finished(recipe, run).lines(english), [*map(written_chinese, chinese)]
    order = np.argsort([len(line.split()) for line in english], kind="stable")
    rows = []
    for part in np.array_split(order, min(NUM_BINS, len(order))):
        words = [len(english[i].split()) for i in part]
        found, _ = bleu([lines[i] for i in part], [references[i] for i in part])
        rows.append((min(words), max(words), len(part), round(float(found.score), 3)))
    figure = style.new_figure()
    axes = figure.subplots()
    axes.bar(range(len(rows)), [row[3] for row in rows], width=0.6)
    for place, row in enumerate(rows):
        axes.text(place, row[3], f"{row[3]:.1f}", ha="center", va="bottom", fontsize=9)
    axes.set_xticks(range(len(rows)), [f"{low} to {high}" for low, high, _, _ in rows])
    axes.set(xlabel="English words, signs included", ylabel="BLEU")
    axes.set_title(f"{len(english)} held-out sentences, by length")
    header = ("words from", "words to", "sentences", "BLEU")
    style.save(figure, run.figures, "length", header, rows)


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw loss and BLEU against the step; training is with label smoothing and dropout."""
    entries, figure = run.read_log(), style.new_figure(7.6, 3.6)
    panels = figure.subplots(1, 2)
    for axes, name, unit in zip(panels, ("loss", "bleu"), ("nats a token", "BLEU"), strict=True):
        charts.curves(axes, entries, name, against="step")
        axes.set(xlabel="step", ylabel=unit)
    panels[0].set_title("Loss")
    panels[1].set_title("Greedy translations, held out")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    header = ("step", "epoch", "train/loss", "valid/loss", "valid/bleu", "learning_rate")
    rows = [[entry.get(key, "") for key in header] for entry in entries]
    style.save(figure, run.figures, "learning_curves", header, rows)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_positions": q1_positions,
    "q2_gradient_norm": q2_gradient_norm,
    "alignment": alignment,
    "length": length,
    "learning_curves": learning_curves,
}
