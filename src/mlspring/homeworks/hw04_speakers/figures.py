"""The report figures of homework 4, each with the numbers behind it."""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mlspring.core.runs import Run
from mlspring.homeworks.hw04_speakers.batches import on_device, outputs_of_all, whole
from mlspring.homeworks.hw04_speakers.conformer import ConformerBlock, SelfAttention
from mlspring.homeworks.hw04_speakers.data import FRAMES_A_SECOND, Data
from mlspring.homeworks.hw04_speakers.models import AttentionPooling, SpeakerNet, TransformerBlock
from mlspring.homeworks.hw04_speakers.predict import trained
from mlspring.homeworks.hw04_speakers.recipe import Recipe
from mlspring.homeworks.hw04_speakers.train import make_split, new_model
from mlspring.kit import charts, checkpoint, device, style
from mlspring.kit.checkpoint import weights_path

NUM_SPEAKERS, MOST_EACH = 10, 30  # of the map of embeddings; utterances of a speaker
MOST_FRAMES = 256  # of the utterance whose attention is shown
NUM_HEADS = 2  # shown of a block
USUAL_KERNEL = 31  # Gulati et al. 2020: drawn where a recipe has no convolution
COLOURS = (*style.COLOURS, "#882255", "#999933", "#000000")
MARKERS = (*style.MARKERS, "*", "<", ">")
CONVOLUTIONS = {  # whether they make the tokens, whether the blocks have the module
    (True, True): "tokens, blocks",
    (True, False): "tokens",
    (False, True): "blocks",
    (False, False): "none",
}
# of each block: what a part is called, and the modules that it is
PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "Transformer": {"self-attention": ("attention",), "feed-forward": ("feed_forward",)},
    "Conformer": {
        "1/2 feed-forward": ("before",),
        "self-attention,\nrelative positions": ("attention",),
        "convolution": ("convolution",),
        "1/2 feed-forward ": ("after",),
    },
}


def q1_blocks(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the Transformer's block and the Conformer's, each module with its weights."""
    knobs = recipe.model.model_copy(update={"kernel": recipe.model.kernel or USUAL_KERNEL})
    blocks = {"Transformer": TransformerBlock(knobs), "Conformer": ConformerBlock(knobs)}
    figure = style.new_figure(9.0, 3.4)
    axes = figure.subplots()
    axes.set(xlim=(-0.7, 8.2), ylim=(-0.8, 2.4))
    box = {"boxstyle": "round,pad=0.4", "edgecolor": "#444444"}
    rows = []
    for height, (name, parts) in zip((1.5, 0.0), PARTS.items(), strict=True):
        axes.text(-0.6, height + 0.55, name, fontweight="bold")
        end, arrow = 2.05 * len(parts) - 0.2, {"arrowstyle": "-|>", "lw": 1}
        axes.annotate("", (end, height), (-0.6, height), arrowprops=arrow)
        for place, (part, names) in enumerate(parts.items()):
            weights = num_weights(blocks[name], names)
            rows.append((name, part.strip().replace("\n", " "), weights))
            x = 0.6 + 2.05 * place
            face = box | {"facecolor": "#cfe3f2" if part == "convolution" else "white"}
            axes.text(x, height, part, ha="center", va="center", fontsize=9, bbox=face)
            axes.text(x, height - 0.55, f"{weights:,} weights", ha="center", fontsize=7.5)
            axes.text(x + 1.02, height + 0.1, "+ norm", ha="center", fontsize=9)
    style.hide_axes(axes)
    axes.set_title(f"A block of width {knobs.width}; + adds a module's input, norm: layer norm")
    style.save(figure, run.figures, "q1_blocks", ("block", "module", "weights"), rows)


def num_weights(block: nn.Module, names: tuple[str, ...]) -> int:
    """Return how many weights some modules of a block have together."""
    return sum(p.numel() for name in names for p in block.get_submodule(name).parameters())


def q2_convolution(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw accuracy on held-out utterances against the convolutions there are, with intervals."""
    rows = []
    for number in range(recipe.num_members):
        told = checkpoint.read_metadata(weights_path(run, number))
        knobs = recipe.model_of(number)
        model = new_model(recipe, number, len(data.speakers))
        share, weights = told["accuracy"], num_weights(model, ("prenet", "blocks"))
        half = 1.96 * math.sqrt(share * (1 - share) / told["num_held"])
        name = CONVOLUTIONS[bool(knobs.channels), bool(knobs.kernel)]
        rows.append((name, weights, share, round(half, 5)))
    names, sizes, shares, halves = zip(*rows, strict=True)
    figure = style.new_figure()
    axes = figure.subplots()
    axes.errorbar(range(len(rows)), shares, yerr=halves, linestyle="none", marker="o", capsize=3)
    for place, (weights, share) in enumerate(zip(sizes, shares, strict=True)):
        text, at = f"{share:.3f}\n{weights:,} weights", (place, share)
        axes.annotate(text, at, (8, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_xticks(range(len(rows)), names)
    axes.set(xlim=(-0.5, len(rows) - 0.2), ylim=(0, 1.02))
    more = "\n(with and without: mlspring run hw04 convolution)" if len(rows) == 1 else ""
    axes.set(xlabel="convolutions" + more, ylabel="share of held-out utterances right")
    axes.set_title(f"{recipe.model.encoder.capitalize()} after {recipe.train.steps:,} steps")
    header = ("convolutions", "weights below the pooling", "accuracy", "+-")
    style.save(figure, run.figures, "q2_convolution", header, rows)


def attention(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw an utterance, which frames look at which, and what each counts in the pooling."""
    hardware = device.choose_for(run, work="dense")
    model = trained(recipe, data, run, hardware)
    frames = whole(on_device(data.train, hardware).of(torch.tensor([0])))[0][:, :MOST_FRAMES]
    maps, pooled = attention_of(model, frames)
    shown = dict.fromkeys((0, len(maps) - 1))  # the first and the last block
    heads = [(k, h) for k in shown for h in range(min(NUM_HEADS, len(maps[0])))]
    figure = style.new_figure(2.4 * max(len(heads), 3) + 0.4, 5.4)
    upper, lower = figure.subfigures(2, 1, squeeze=False)[:, 0]
    sound, weight = upper.subplots(2, 1, sharex=True)
    seconds = frames.shape[1] / FRAMES_A_SECOND
    bands = frames[0].T.cpu().numpy()
    sound.imshow(bands, origin="lower", aspect="auto", extent=(0, seconds, 0, len(bands)))
    sound.set(ylabel="mel band", title=f"An utterance of {data.speakers[data.labels[0]]}")
    sound.grid(visible=False)
    weight.plot((np.arange(len(pooled)) + 0.5) * seconds / len(pooled), pooled * len(pooled))
    weight.set(xlabel="seconds", ylabel="weight, mean 1", title=f"{recipe.model.pooling} pooling")
    panels, rows = lower.subplots(1, len(heads), squeeze=False)[0], []
    for axes, (k, h) in zip(panels, heads, strict=True):
        axes.imshow(maps[k][h], origin="lower", cmap="Greys", extent=(0, seconds, 0, seconds))
        axes.set(title=f"block {k + 1}, head {h + 1}", xlabel="s, looked at")
        axes.grid(visible=False)
        best, most = maps[k][h].argmax(1), np.round(maps[k][h].max(1), 6)
        rows += [(k + 1, h + 1, *row) for row in zip(range(len(best)), best, most, strict=True)]
    panels[0].set_ylabel("s, who looks")
    header = ("block", "head", "token", "looks most at", "with weight")
    style.save(figure, run.figures, "attention", header, rows)


@torch.inference_mode()
def attention_of(
    model: SpeakerNet, frames: Tensor
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """Return each block's attention (heads, t, t) and the pooling's weights (t,), of one utterance.

    Args:
        model: in evaluation mode.
        frames: log mel energies (1, frames, 40).
    """
    maps: list[NDArray[np.float32]] = []

    def keep(attention: SelfAttention, given: tuple[Tensor, Tensor | None]) -> None:
        maps.append(attention.weights(*given)[0].cpu().numpy())

    parts = [part for part in model.modules() if isinstance(part, SelfAttention)]
    hooks = [part.register_forward_pre_hook(keep) for part in parts]
    tokens, mask = model.encode(frames, None)
    for hook in hooks:
        hook.remove()
    if isinstance(model.pooling, AttentionPooling):
        return maps, model.pooling.weights(tokens, mask)[0].cpu().numpy()
    return maps, np.full(tokens.shape[1], 1 / tokens.shape[1], np.float32)


def embeddings(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw a t-SNE map of the embeddings of ten speakers, learnt and held-out utterances."""
    hardware = device.choose_for(run, work="dense")
    model = trained(recipe, data, run, hardware)
    split = make_split(data, recipe.data.held_out, run.request.seed, hardware)
    is_held = ~np.isin(np.arange(len(data.labels)), split.train.numpy())
    chosen = np.argsort(-np.bincount(data.labels), kind="stable")[:NUM_SPEAKERS]
    each = [np.flatnonzero(data.labels == speaker) for speaker in chosen]
    rows = np.concatenate([r[np.argsort(~is_held[r], kind="stable")][:MOST_EACH] for r in each])
    vectors = outputs_of_all(model.embed, split.source.of(torch.from_numpy(rows)), hardware).numpy()
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    points, labels, held = tsne(vectors), data.labels[rows], is_held[rows]
    figure = style.new_figure(7.6, 5.2)
    axes = figure.subplots()
    for number, speaker in enumerate(chosen):
        for part, size in ((held, 60), (~held, 18)):
            x, y = points[(labels == speaker) & part].T
            name = data.speakers[speaker] if size == 60 else None
            axes.scatter(x, y, s=size, color=COLOURS[number], marker=MARKERS[number], label=name)
    near = share_of_same_neighbours(vectors, labels)
    axes.set_title(f"t-SNE of embeddings; large: held out. Nearest of the same speaker: {near:.0%}")
    style.hide_axes(axes)
    figure.legend(loc="outside right center", fontsize=8)
    table = [
        (data.speakers[label], "held out" if h else "learnt", *np.round(p, 4))
        for label, h, p in zip(labels, held, points, strict=True)
    ]
    style.save(figure, run.figures, "embeddings", ("speaker", "part", "x", "y"), table)


def tsne(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return t-SNE's map (n, 2) of vectors (n, d) (van der Maaten & Hinton 2008)."""
    from sklearn.manifold import TSNE  # here: half a second, 70 MB

    near = min(20, (len(vectors) - 1) / 3)
    mapped = TSNE(init="pca", random_state=0, perplexity=near, max_iter=500).fit_transform(vectors)
    return np.asarray(mapped, np.float64)


def share_of_same_neighbours(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the share of unit vectors (n, d) whose nearest other has the same label."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    return float((labels[cosines.argmax(1)] == labels).mean())


def learning_curves(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw loss and accuracy against the epoch; training is on segments, held out is whole."""
    charts.loss_and_accuracy(run.read_log(), run.figures, items="utterances")


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "q1_blocks": q1_blocks,
    "q2_convolution": q2_convolution,
    "attention": attention,
    "embeddings": embeddings,
    "learning_curves": learning_curves,
}
