"""Figures of attention: where each head looks, and what share of it goes to each aim."""

import numpy as np

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.data import Data
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.homeworks.hw09_explain.text.attention import AIMS, best_head
from mlspring.homeworks.hw09_explain.text.cells import Draw, chosen, named, of_method, table
from mlspring.homeworks.hw09_explain.text.explain import Numbers, read
from mlspring.kit import style


@of_method("attention")
def attention(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw where each head looks in the shown text: a row is from a token, a column to one."""
    tensors, numbers = read(run)
    looks, tokens = tensors["attention"].numpy(), numbers["shown"]["tokens"]
    layers, heads = chosen(len(looks)), chosen(looks.shape[1])
    figure = style.new_figure(2.1 * len(heads) + 0.3, 2.2 * len(layers) + 0.5)
    panels = figure.subplots(len(layers), len(heads), squeeze=False)
    for row, layer in zip(panels, layers, strict=True):
        for axes, head in zip(row, heads, strict=True):
            axes.imshow(looks[layer, head], cmap="Greys", vmin=0, interpolation="nearest")
            style.hide_axes(axes)
            aim, share = most_looked_at(numbers, layer, head)
            title = f"layer {layer + 1}, head {head + 1}\n{aim} {share:.2f}"
            axes.set_title(title, fontsize=7, loc="center", fontweight="normal")
    figure.suptitle("Where heads look in one text; named: what they look at most in all texts")
    table = np.round(looks.reshape(-1, *looks.shape[2:]), 5)
    rows = [
        (number // looks.shape[1] + 1, number % looks.shape[1] + 1, token, *line)
        for number, one in enumerate(table)
        for token, line in zip(tokens, one.tolist(), strict=True)
    ]
    style.save(figure, run.figures, "attention", ("layer", "head", "from", *tokens), rows)


@of_method("attention")
def looks(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the heads that look most at the same token and at the answer, with the tokens named."""
    tensors, numbers = read(run)
    names, rows = named(numbers["shown"]["tokens"]), []
    figure = style.new_figure(14.0, 7.2)
    for axes, aim in zip(figure.subplots(1, 2), ("same token", "answer"), strict=True):
        layer, head = best_head(numbers["trained"]["aims"][aim]["share"])
        found = tensors["attention"][layer - 1, head - 1].numpy()
        axes.imshow(found, cmap="Greys", vmin=0, interpolation="nearest")
        axes.set_xticks(range(len(names)), names, fontsize=6, rotation=90)
        axes.set_yticks(range(len(names)), names, fontsize=6)
        axes.grid(visible=False)
        axes.set(title=f"{aim}: layer {layer}, head {head}", xlabel="to", ylabel="from")
        rows += [
            (aim, layer, head, token, *line)
            for token, line in zip(names, np.round(found, 5).tolist(), strict=True)
        ]
    header = ("aim", "layer", "head", "from", *numbers["shown"]["tokens"])
    style.save(figure, run.figures, "looks", header, rows)


@of_method("attention")
def heads(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the share that goes to each aim, of all heads; say what an untrained encoder has."""
    _, numbers = read(run)
    ours, fresh = numbers["trained"]["aims"], numbers["untrained"]["aims"]
    layers, count = np.array(ours["next"]["share"]).shape
    figure = style.new_figure(10.2, 2 * (1.3 + 0.3 * layers))
    panels = list(figure.subplots(2, 4).flat)
    for axes, aim in zip(panels, AIMS, strict=False):
        found = np.array(ours[aim]["share"])
        table(axes, found, 0.0, max(found.max(), 1e-12))
        best = np.max(fresh[aim]["share"])
        axes.set_title(f"{aim}\nuntrained {best:.2f}, even {ours[aim]['even']:.2f}", fontsize=9)
        axes.set_xticks(range(count), [str(k + 1) for k in range(count)], fontsize=7)
        axes.set_yticks(range(layers), [str(k + 1) for k in range(layers)], fontsize=7)
        axes.set(xlabel="head", ylabel="layer")
    panels[-1].set_axis_off()
    figure.suptitle("Share of a token's attention that goes to ...")
    rows = [
        (
            *(aim, layer + 1, head + 1, ours[aim]["share"][layer][head]),
            *(fresh[aim]["share"][layer][head], ours[aim]["even"]),
        )
        for aim in AIMS
        for layer in range(layers)
        for head in range(count)
    ]
    header = ("aim", "layer", "head", "share", "untrained", "even")
    style.save(figure, run.figures, "heads", header, rows)


def most_looked_at(numbers: Numbers, layer: int, head: int) -> tuple[str, float]:
    """Return the aim that gets most of a head's attention, against an even share, and its share."""
    aims = numbers["trained"]["aims"]
    excess = {aim: aims[aim]["share"][layer][head] - aims[aim]["even"] for aim in AIMS}
    aim = max(excess, key=lambda name: excess[name])
    return aim, aims[aim]["share"][layer][head]


FIGURES: dict[str, Draw] = {"attention": attention, "looks": looks, "heads": heads}
