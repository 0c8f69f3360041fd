"""The figures of the text half, each with the numbers behind it; dark is much, or near.

Where no font has Chinese characters, tokens are called by their number; the CSV files name them.
"""

from collections.abc import Callable
from functools import wraps

import numpy as np

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.data import Data
from mlspring.homeworks.hw09_explain.mosaic import absent
from mlspring.homeworks.hw09_explain.recipe import Recipe, TextMethod
from mlspring.homeworks.hw09_explain.text.attention import AIMS
from mlspring.homeworks.hw09_explain.text.cells import chosen, named, table
from mlspring.homeworks.hw09_explain.text.embeddings import DISTANCES
from mlspring.homeworks.hw09_explain.text.explain import read
from mlspring.homeworks.hw09_explain.text.train import MEMBER
from mlspring.kit import charts, style

ROLES = {  # colour, marker and size of a token
    "question": ("#0072B2", "^", 26),
    "text": ("#bbbbbb", "o", 16),
    "answer": ("#000000", "D", 40),
}
Draw = Callable[[Run, Recipe, Data], None]


def of_method(method: TextMethod) -> Callable[[Draw], Draw]:
    """Return a decorator: the figure is drawn where its method is in the recipe."""

    def decorate(draw: Draw) -> Draw:
        @wraps(draw)
        def drawn(run: Run, recipe: Recipe, data: Data) -> None:
            if method in recipe.explain.methods:
                return draw(run, recipe, data)
            return absent(run, draw.__name__)

        return drawn

    return decorate


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
    figure.suptitle("Where heads look in one text, and the largest share of the text's mean")
    table = np.round(looks.reshape(-1, *looks.shape[2:]), 5)
    rows = [
        (number // looks.shape[1] + 1, number % looks.shape[1] + 1, token, *line)
        for number, one in enumerate(table)
        for token, line in zip(tokens, one.tolist(), strict=True)
    ]
    style.save(figure, run.figures, "attention", ("layer", "head", "from", *tokens), rows)


@of_method("attention")
def heads(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the share that goes to each aim, of all heads; say what an untrained encoder has."""
    _, numbers = read(run)
    ours, fresh = numbers["trained"]["aims"], numbers["untrained"]["aims"]
    layers, count = np.array(ours["next"]["share"]).shape
    figure = style.new_figure(10.2, 2 * (1.3 + 0.3 * layers))
    panels = list(figure.subplots(2, 4).flat)
    for axes, aim in zip(panels, AIMS, strict=False):
        table(axes, np.array(ours[aim]["share"]), 0.0, 1.0)
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


@of_method("embeddings")
def embeddings(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw the tokens of the shown text by their first two components, a panel a layer."""
    tensors, numbers = read(run)
    shown, places = numbers["shown"], tensors["coordinates"].numpy()
    kept = [row for row, role in enumerate(shown["roles"]) if role != "special"]
    names = named([shown["tokens"][row] for row in kept])
    roles = [shown["roles"][row] for row in kept]
    layers = chosen(len(places))
    figure = style.new_figure(10.5, 3.5 * -(-len(layers) // 3) + 0.6)
    panels = list(figure.subplots(-(-len(layers) // 3), 3, squeeze=False).flat)
    for axes, layer in zip(panels, layers, strict=False):
        for role, (colour, marker, size) in ROLES.items():
            x, y = places[layer, [one == role for one in roles]].T
            axes.scatter(x, y, c=colour, marker=marker, s=size, label=role)
        for name, (x, y) in zip(names, places[layer], strict=True):
            axes.annotate(name, (x, y), (2, 2), textcoords="offset points", fontsize=7)
        first, second = shown["explained"][layer]
        axes.set_title(f"layer {layer}: {first:.0%} + {second:.0%}", fontsize=9)
        axes.tick_params(labelsize=6)
    for axes in panels[len(layers) :]:
        axes.set_axis_off()
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle("Tokens by two principal components, and the variance that these explain")
    rows = [
        (layer, token, role, *np.round(place, 5), *np.round(shown["explained"][layer], 5))
        for layer, of_layer in enumerate(places)
        for token, role, place in zip(
            [shown["tokens"][row] for row in kept], roles, of_layer, strict=True
        )
    ]
    header = ("layer", "token", "role", "first", "second", "first explains", "second explains")
    style.save(figure, run.figures, "embeddings", header, rows)


@of_method("embeddings")
def layers(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw how far the answer and the question's sentence lie from the rest, over the layers."""
    _, numbers = read(run)
    figure = style.new_figure(8.2, 3.4)
    titles = {"answer": "Answer to the rest of the text", "question": "Question to its sentence"}
    said = {"answer": "over the distance within the rest", "question": "over that to the others"}
    for axes, key in zip(figure.subplots(1, 2), titles, strict=True):
        for name, marker in (("trained", "o"), ("untrained", "s")):
            line = [layer[key] for layer in numbers[name]["layers"]]
            axes.plot(line, marker=marker, label=name)
        axes.axhline(1, color="#444444", lw=0.8, linestyle=":")
        axes.set(title=titles[key], xlabel="layer", ylabel=said[key])
    figure.axes[0].legend()
    both = zip(numbers["trained"]["layers"], numbers["untrained"]["layers"], strict=True)
    rows = [(k, *ours.values(), *fresh.values()) for k, (ours, fresh) in enumerate(both)]
    header = ("layer", "answer", "question", "answer untrained", "question untrained")
    style.save(figure, run.figures, "layers", header, rows)


@of_method("distances")
def distances(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw both distances between a word in ten sentences, in the first and in the last layer."""
    tensors, numbers = read(run)
    count = len(numbers["mentions"])
    labels = [f"{sense} {k % (count // 2) + 1}" for k, (sense, _) in enumerate(numbers["mentions"])]
    beside = [text for _, text in numbers["mentions"]] if style.cjk_font() else labels
    figure = style.new_figure(11.0, 9.0)
    panels = figure.subplots(2, 2)
    for row, name in zip(panels, DISTANCES, strict=True):
        last = len(tensors[name]) - 1
        for axes, layer in zip(row, (0, last), strict=True):
            found = tensors[name][layer].numpy()
            table(axes, found, 0.0, max(float(tensors[name][[0, last]].max()), 1e-12), near=True)
            axes.set_title(f"{name} distance, layer {layer}", fontsize=10)
            axes.set_xticks(range(count), labels, rotation=90, fontsize=7)
            axes.set_yticks(range(count), beside if layer == 0 else labels, fontsize=7)
    word = recipe.text.word if style.cjk_font() else "A word"
    figure.suptitle(f"{word} in ten sentences; dark is near")
    rows = [
        (name, layer, *numbers["mentions"][k], *np.round(line, 5))
        for name in DISTANCES
        for layer, found in enumerate(tensors[name].tolist())
        for k, line in enumerate(found)
    ]
    header = ("distance", "layer", "sense", "sentence", *labels)
    style.save(figure, run.figures, "distances", header, rows)


@of_method("distances")
def senses(run: Run, _recipe: Recipe, _data: Data) -> None:
    """Draw how far two senses of a word lie apart, and two words, over the layers."""
    _, numbers = read(run)
    figure, rows = style.new_figure(8.2, 3.6), []
    for axes, name in zip(figure.subplots(1, 2), DISTANCES, strict=True):
        for who, marker in (("trained", "o"), ("untrained", "s")):
            of_layers = numbers[who]["distances"][name]
            words = [word for word in of_layers[0] if word != "other words"]
            line = [sum(layer[word] for word in words) / len(words) for layer in of_layers]
            axes.plot(line, marker=marker, label=f"{who}, mean of {len(words)} words")
            rows += [
                (name, who, k, *layer.values(), round(mean, 5))
                for k, (layer, mean) in enumerate(zip(of_layers, line, strict=True))
            ]
        axes.axhline(1, color="#444444", lw=0.8, linestyle=":")
        axes.set(title=f"{name} distance", xlabel="layer", ylabel="two senses over one sense")
    figure.axes[0].legend()
    header = ("distance", "encoder", "layer", *of_layers[0], "mean")
    style.save(figure, run.figures, "senses", header, rows)


def reading_curves(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw how the encoder learnt: both losses together, and the answers found."""
    entries = [entry for entry in run.read_log() if entry["member"] == MEMBER]
    if not entries:
        return absent(run, "reading_curves")
    figure = style.new_figure(7.6, 3.4)
    units = {"loss": "nats; held out: of the ends alone", "accuracy": "share of answers found"}
    for axes, (name, unit) in zip(figure.subplots(1, 2), units.items(), strict=True):
        charts.curves(axes, entries, name, against="step")
        axes.set(title=name.capitalize(), xlabel="step", ylabel=unit)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    header = ("step", "train/loss", "valid/loss", "train/accuracy", "valid/accuracy")
    rows = [[entry.get(key, "") for key in header] for entry in entries]
    return style.save(figure, run.figures, "reading_curves", header, rows)


def most_looked_at(numbers: dict[str, dict[str, dict]], layer: int, head: int) -> tuple[str, float]:
    """Return the aim that gets most of a head's attention, against an even share, and its share."""
    aims = numbers["trained"]["aims"]
    excess = {aim: aims[aim]["share"][layer][head] - aims[aim]["even"] for aim in AIMS}
    aim = max(excess, key=lambda name: excess[name])
    return aim, aims[aim]["share"][layer][head]


FIGURES: dict[str, Draw] = {
    "attention": attention,
    "heads": heads,
    "embeddings": embeddings,
    "layers": layers,
    "distances": distances,
    "senses": senses,
    "reading_curves": reading_curves,
}
