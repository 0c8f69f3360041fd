"""The figures of the text half, each with the numbers behind it; dark is much, or near.

Where no font has Chinese characters, tokens are called by their number; the CSV files name them.
"""

import numpy as np

from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain.data import Data
from mlspring.homeworks.hw09_explain.mosaic import absent
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.homeworks.hw09_explain.text import heads
from mlspring.homeworks.hw09_explain.text.cells import Draw, chosen, named, of_method, table
from mlspring.homeworks.hw09_explain.text.embeddings import DISTANCES
from mlspring.homeworks.hw09_explain.text.explain import read
from mlspring.homeworks.hw09_explain.text.train import MEMBER
from mlspring.kit import charts, style

ROLES = {  # colour, marker and size of a token
    "question": ("#0072B2", "^", 26),
    "text": ("#bbbbbb", "o", 16),
    "answer": ("#000000", "D", 40),
}


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
    names = figure.axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=2)
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
    names = figure.axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=2)
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
    lines = figure.axes[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower center", ncols=2)
    header = ("step", "train/loss", "valid/loss", "valid/accuracy")
    rows = [[entry.get(key, "") for key in header] for entry in entries]
    return style.save(figure, run.figures, "reading_curves", header, rows)


FIGURES: dict[str, Draw] = {
    **heads.FIGURES,
    "embeddings": embeddings,
    "layers": layers,
    "distances": distances,
    "senses": senses,
    "reading_curves": reading_curves,
}
