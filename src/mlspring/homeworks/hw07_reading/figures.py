"""The report figures of homework 7, each with the numbers behind it."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from mlspring.core.runs import Run
from mlspring.homeworks.hw07_reading import predict, spans
from mlspring.homeworks.hw07_reading.batches import Reader
from mlspring.homeworks.hw07_reading.data import Data
from mlspring.homeworks.hw07_reading.recipe import Recipe
from mlspring.homeworks.hw07_reading.spans import Rules, Scores
from mlspring.kit import charts, checkpoint, device, style
from mlspring.kit.checkpoint import weights_path

UNKNOWN = "[UNK]"
NUM_PARTS = 5  # of paragraphs by length, and of places in a paragraph

_KEPT: dict[tuple[Path, int], tuple[Scores, Reader]] = {}  # what several figures of a run show


def dev_scores(run: Run, recipe: Recipe, data: Data, members: int) -> tuple[Scores, Reader]:
    """Return the mean scores of ``members`` networks on all dev questions; kept for one run."""
    key = (run.folder, members)
    if key not in _KEPT:
        for old in [other for other in _KEPT if other[0] != run.folder]:
            del _KEPT[old]
        hardware = device.choose_for(run, work=recipe.work)
        _KEPT[key] = predict.scores_of(recipe, data.dev, run, hardware, members)
    return _KEPT[key]


def q1_rules(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw exact match on all dev questions, each rule added to those above it."""
    scores, reader = dev_scores(run, recipe, data, 1)
    ladder = spans.ladder(recipe.span.longest)
    cases: list[tuple[str, Scores, Rules]] = []
    window = recipe.window
    if window.stride < window.length and window.length % window.stride == 0:
        apart = scores.of(scores.offsets % window.length == 0)
        cases.append(("the sample's rule, windows apart", apart, Rules()))
        cases += [(f"+ a window each {window.stride}", scores, Rules())]
        ladder.pop(next(iter(ladder)))
    cases += [(name, scores, rules) for name, rules in ladder.items()]
    if recipe.span.members > 1:
        both, _ = dev_scores(run, recipe, data, recipe.span.members)
        cases.append((f"+ mean of {recipe.span.members} networks", both, cases[-1][2]))
    truth, rows, before = reader.part.answers, [], None
    for name, of_case, rules in cases:
        found = predict.answers(reader, of_case, rules)
        right = predict.exact_match(found, truth)
        before = right if before is None else before
        empty, unknown = sum(not text for text in found), sum(UNKNOWN in text for text in found)
        mended, spoiled = int((right & ~before).sum()), int((before & ~right).sum())
        rows.append((name, round(float(right.mean()), 5), mended, spoiled, empty, unknown))
        before = right
    figure = style.new_figure(7.6, 0.9 + 0.36 * len(rows))
    axes = figure.subplots()
    axes.barh(range(len(rows)), [row[1] for row in rows], color=style.COLOURS[0])
    for place, (_, match, mended, spoiled, empty, unknown) in enumerate(rows):
        told = f" {match:.3f}; mended {mended}, spoiled {spoiled}; empty {empty}, [UNK] {unknown}"
        axes.text(match, place, told, va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=8)
    axes.invert_yaxis()
    longest = max(row[1] for row in rows)
    axes.set(xlim=(0, 2.2 * longest + 0.01), xlabel="exact match")  # leaves room for the text
    axes.set_title(f"{len(truth):,} dev questions, each rule added")
    header = ("rule", "exact match", "mended", "spoiled", "empty", "with [UNK]")
    style.save(figure, run.figures, "q1_rules", header, rows)


def q2_encoders(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw exact match, size and time of each encoder that the run fine-tuned."""
    log, rows = run.read_log(), []
    for number in (0, *range(recipe.span.members, recipe.num_networks)):
        told = checkpoint.read_metadata(weights_path(run, number))
        encoder, match, count = told["encoder"], told["exact_match"], told["num_valid"]
        half = 1.96 * math.sqrt(match * (1 - match) / count)
        seconds = next(e["seconds"] for e in reversed(log) if e["member"] == number)
        name = f"{encoder['name']}, {told['config']['num_hidden_layers']} layers"
        sizes = (encoder["parameters"], encoder["vocabulary"])
        before = run.state.get(f"pretrain_seconds_{number}", "")
        rows.append((name, *sizes, match, round(half, 5), before, seconds))
    figure = style.new_figure(7.2, 1.4 + 0.5 * len(rows))
    axes = figure.subplots()
    matches, halves = ([row[k] for row in rows] for k in (3, 4))
    axes.barh(range(len(rows)), matches, xerr=halves, color=style.COLOURS[0], capsize=3)
    names = [f"{row[0]}\n{row[1]:,} parameters, {row[2]:,} tokens" for row in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    axes.invert_yaxis()
    hint = "" if len(rows) > 1 else "\n(others beside it: mlspring run hw07 encoders)"
    axes.set(xlabel=f"exact match on dev questions{hint}", xlim=(0, 1))
    axes.set_title("Encoders, fine-tuned alike")
    header = ["encoder", "parameters", "vocabulary", "exact match", "+-"]
    header += ["pre-training s", "fine-tuning s"]
    style.save(figure, run.figures, "q2_encoders", header, rows)


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the losses of pre-training and fine-tuning, and exact match."""
    log, told = run.read_log(), checkpoint.read_metadata(weights_path(run, 0))["encoder"]
    curve = told.get("curve", [])
    figure = style.new_figure(9.6, 3.4)
    before, loss, match = figure.subplots(1, 3)
    for place, label in ((1, "training"), (2, "held out")):
        before.plot([p[0] for p in curve], [p[place] for p in curve], label=label)
    before.set(title="Pre-training", xlabel="step", ylabel="loss of a hidden token, nats")
    charts.curves(loss, log, "loss", against="step")
    loss.set(title="Fine-tuning", xlabel="step", ylabel="loss of start and end, nats")
    charts.curves(match, log, "accuracy", against="step")
    match.set(title="Both ends right", xlabel="step", ylabel="share of questions")
    figure.legend(*match.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    keys = ("step", "train/loss", "valid/loss", "valid/accuracy")
    rows = [("pre-training", "", *point) for point in curve]
    rows += [("fine-tuning", e["member"], *(e.get(key, "") for key in keys)) for e in log]
    style.save(figure, run.figures, "learning_curves", ("phase", "member", *keys), rows)


def position(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw exact match by where the answer stands, and by how long the paragraph is."""
    scores, reader = dev_scores(run, recipe, data, recipe.span.members)
    right = predict.exact_match(
        predict.answers(reader, scores, spans.rules_of(recipe.span)), reader.part.answers
    )
    part = data.dev
    lengths = np.array([len(part.paragraphs[k]) for k in part.paragraph_ids])
    places = (part.starts + part.ends) / 2 / lengths
    figure = style.new_figure(7.6, 3.4)
    panels, rows = figure.subplots(1, 2, sharey=True), []
    edges = np.linspace(0, 1, NUM_PARTS + 1)
    rows += _shares(panels[0], "place", places, edges, right)
    panels[0].set(xlabel="answer's place in the paragraph, 0 to 1", ylabel="exact match")
    ends = np.quantile(lengths, np.linspace(0, 1, NUM_PARTS + 1))
    rows += _shares(panels[1], "length", lengths, np.unique(ends), right)
    panels[1].set(xlabel="characters of the paragraph", ylim=(0, 1.02))
    figure.suptitle("Dev questions, 95% intervals")
    header = ("by", "from", "to", "questions", "exact match", "+-")
    style.save(figure, run.figures, "position", header, rows)


def _shares(
    axes: Axes,
    name: str,
    values: NDArray[np.floating],
    edges: NDArray[np.floating],
    right: NDArray[np.bool_],
) -> list[tuple[object, ...]]:
    """Draw the share of right answers between each two edges; return the rows of a table."""
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    rows: list[tuple[object, ...]] = []
    for number in np.unique(bins):
        chosen = right[bins == number]
        share, low, high = (
            float(chosen.mean()),
            edges[number],
            edges[min(number + 1, len(edges) - 1)],
        )
        half = 1.96 * math.sqrt(share * (1 - share) / len(chosen))
        axes.errorbar(
            (low + high) / 2, share, yerr=half, marker="o", color=style.COLOURS[0], capsize=3
        )
        rows.append((name, round(float(low), 3), round(float(high), 3), len(chosen), share, half))
    return rows


def span_scores(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw the probabilities of start and end over the paragraph of one dev question."""
    scores, reader = dev_scores(run, recipe, data, recipe.span.members)
    counts = np.bincount(scores.questions)
    row = int(
        np.argmax(counts > 1)
    )  # the first whose paragraph has several windows, else the first
    mine = scores.of(scores.questions == row)
    powers = np.exp(mine.logits - mine.logits.max(2, keepdims=True))
    shares = powers / powers.sum(2, keepdims=True)
    tokens = reader.paragraph_of(row)
    best = np.zeros((2, len(tokens.ids)))
    for window, (offset, first, size) in enumerate(
        zip(mine.offsets, mine.firsts, mine.sizes, strict=True)
    ):
        seen = best[:, offset : offset + size]
        np.maximum(seen, shares[window][:, first : first + size], out=seen)
    part = data.dev
    start, end = part.starts[row], part.ends[row]
    figure = style.new_figure(8.4, 3.4)
    axes = figure.subplots()
    axes.axvspan(start - 0.5, end + 0.5, color="#d9d9d9", label="the answer")
    for offset in mine.offsets[1:]:
        axes.axvline(tokens.offsets[offset, 0], color="#999999", linewidth=0.6, linestyle=":")
    for values, name, edge in zip(best, ("start", "end"), (0, 1), strict=True):
        axes.plot(tokens.offsets[:, edge] - edge, values, label=name, linewidth=1.2)
    readable = style.cjk_font() is not None
    axes.set_title(part.questions[row] if readable else "A dev question", fontsize=10)
    axes.set(xlabel="character; dotted: a window begins", ylabel="largest probability over windows")
    axes.legend(loc="best")
    text = part.paragraphs[part.paragraph_ids[row]]
    rows = [
        (text[a:b], int(a), round(s, 6), round(e, 6))
        for (a, b), s, e in zip(tokens.offsets, *best.tolist(), strict=True)
    ]
    style.save(figure, run.figures, "span_scores", ("token", "character", "start", "end"), rows)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_rules": q1_rules,
    "q2_encoders": q2_encoders,
    "learning_curves": learning_curves,
    "position": position,
    "span_scores": span_scores,
}
