"""What is found out about the encoder: computed once, kept in one file.

texts.safetensors in the run's folder:
    attention          of the shown text, (layers, heads, L, L)
    coordinates        first two components of its tokens, (layers + 1, L - special ones, 2)
    <distance>         between the ten mentions of the shown word, (layers + 1, 10, 10)
    metadata           numbers, of the encoder and of an untrained one beside it
"""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlspring.core.progress import bar
from mlspring.core.runs import Run
from mlspring.homeworks.hw09_explain import network
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.homeworks.hw09_explain.text import attention, embeddings
from mlspring.homeworks.hw09_explain.text.encoder import (
    QUESTION,
    SPECIAL_PART,
    TEXT,
    Encoded,
    Encoder,
    ReadingNet,
    own_config,
)
from mlspring.homeworks.hw09_explain.text.given import given, of_run, untrained
from mlspring.homeworks.hw09_explain.text.train import MEMBER, train_encoder
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.seeding import derive_seed
from mlspring.worlds.senses.texts import Text, draw_mentions, draw_text, two_senses

FILE = "texts.safetensors"
VERSION = 1  # of the way that an encoder is trained, and of its texts; part of its folder's name
SHOWN_EACH, MEASURED_EACH = 5, 20  # mentions of a word in each sense: in the figure, in the means

Numbers = dict[str, Any]


def explain_texts(
    recipe: Recipe, beside: Path | None, run: Run, hardware: Hardware
) -> tuple[float | None, float]:
    """Train or find the encoder and write what is found out, unless it is there.

    Returns its accuracy, None if nobody measured it, and the texts that it saw a second.
    ``beside``: the folder of the user's data.
    """
    rate = 0.0
    if not (run.folder / FILE).exists():
        exact = Hardware(device=hardware.device, precision="fp32", channels_last=False)
        start = time.perf_counter()
        encoder, num_seen = open_encoder(recipe, beside, run, exact)
        rate = round(num_seen / (time.perf_counter() - start), 1)
        write(recipe, run, encoder, exact)
    accuracy: float | None = read(run)[1]["encoder"]["accuracy"]
    return accuracy, rate


def open_encoder(
    recipe: Recipe, beside: Path | None, run: Run, hardware: Hardware
) -> tuple[Encoder, int]:
    """Return the given encoder, or our own, from the run, kept for all runs, or trained now.

    And how many texts it saw now.

    Raises:
        DataError: the given one cannot be used.
    """
    if recipe.text.model:
        return given(recipe.text.model, beside, hardware), 0
    num_seen = 0
    weights, make = weights_path(run, MEMBER), partial(train_encoder, recipe, hardware=hardware)
    if not weights.exists() and recipe.network.keep:
        shape = recipe.text.model_dump(exclude={"model", "word", "texts"})
        folder = network.folder_of("text", VERSION, run.request.seed, shape)
        num_seen = network.keep(folder, MEMBER, ReadingNet(own_config(recipe.text)), run, make)
    elif not weights.exists():
        num_seen = make(run)
    return of_run(weights, hardware), num_seen


def write(recipe: Recipe, run: Run, encoder: Encoder, hardware: Hardware) -> None:
    """Write what is found out about an encoder."""
    seed = run.request.seed
    texts = [draw_text(seed, "shown", number) for number in range(recipe.text.texts)]
    fresh = untrained(encoder, derive_seed(seed, "untrained"), hardware)
    both = {"trained": encoder, "untrained": fresh}
    numbers: Numbers = {"encoder": encoder.told}
    tensors = show(encoder, texts[0], numbers)
    with bar("read", 2 * len(both), unit="encoders") as progress:
        for name, one in both.items():
            numbers[name] = read_texts(one, texts)
            progress.advance(1)
            vectors = mentions(one, seed)
            numbers[name]["distances"] = senses(vectors)
            progress.advance(1)
            if name == "trained":
                tensors |= shown_distances(vectors[recipe.text.word])
    known = draw_mentions(recipe.text.word, SHOWN_EACH, seed)
    numbers["mentions"] = [(one.sense, one.text) for one in known]
    tensors = {name: value.float() for name, value in tensors.items()}
    checkpoint.write_tensors(run.folder / FILE, tensors, numbers)


def read(run: Run) -> tuple[dict[str, Tensor], Numbers]:
    """Return tensors and numbers that ``explain`` wrote.

    Raises:
        RunError: they are missing or damaged.
    """
    return checkpoint.read_tensors(run.folder / FILE)


def show(encoder: Encoder, text: Text, numbers: Numbers) -> dict[str, Tensor]:
    """Return attention and components of one text; its tokens are added to the numbers."""
    one = encoder.encode(text.text, text.question)
    vectors, looks = encoder.states(one)
    kept = torch.from_numpy(one.parts != SPECIAL_PART)
    found = [embeddings.principal(layer[kept]) for layer in vectors]
    answer = one.inside(text.start, text.start + len(text.answer))
    roles = np.where(answer, "answer", np.where(one.parts == QUESTION, "question", "text"))
    numbers["shown"] = {
        "tokens": one.names,
        "roles": np.where(one.parts == SPECIAL_PART, "special", roles).tolist(),
        "explained": [shares.tolist() for _, shares in found],
    }
    coordinates = torch.stack([places for places, _ in found])
    return {"attention": looks, "coordinates": coordinates}


def read_texts(encoder: Encoder, texts: list[Text]) -> Numbers:
    """Return what heads look at and how tokens lie, means over texts.

    ``aims``: of each aim the share (layers, heads) and the one of a head that looks at all alike.
    ``layers``: of each layer ``answer``, the distance of the answer to the rest of the text over
    that within the rest, and ``question``, the distance of the question to the sentence that
    answers it over that to the other sentences; distances are cosine.
    """
    shares: dict[str, list[Tensor]] = {aim: [] for aim in attention.AIMS}
    even: dict[str, list[float]] = {aim: [] for aim in attention.AIMS}
    lies: list[list[tuple[float, float]]] = []
    for text in texts:
        one = encoder.encode(text.text, text.question)
        vectors, looks = encoder.states(one)
        answer = one.inside(text.start, text.start + len(text.answer))
        for aim, mask in attention.aims_of(one, answer).items():
            shares[aim].append(attention.shares(looks, mask))
            even[aim].append(attention.even_share(mask))
        lies.append([ratios(layer, one, text) for layer in vectors])
    means = np.array(lies).mean(0).round(5).tolist()  # (layers + 1, 2)
    return {
        "aims": {
            aim: {
                "share": rounded(torch.stack(found).nanmean(0)),
                "even": round(float(np.nanmean(even[aim])), 5),
            }
            for aim, found in shares.items()
        },
        "layers": [{"answer": answer, "question": question} for answer, question in means],
    }


def ratios(layer: Tensor, one: Encoded, text: Text) -> tuple[float, float]:
    """Return how far the answer lies from the rest, and the question from its sentence."""
    table = embeddings.cosine(layer, layer)
    answer = torch.from_numpy(one.inside(text.start, text.start + len(text.answer)))
    rest = torch.from_numpy(one.parts == TEXT) & ~answer
    asks = torch.from_numpy(one.parts == QUESTION)
    sentence = torch.from_numpy(one.inside(*text.sentence))
    others = torch.from_numpy(one.parts == TEXT) & ~sentence
    mean = embeddings.mean_distance
    within, away = mean(table, rest, rest), mean(table, asks, others)
    return mean(table, answer, rest) / within, mean(table, asks, sentence) / away


def mentions(encoder: Encoder, seed: int) -> dict[str, Tensor]:
    """Return the vectors of each word with two senses, the mean of its tokens, in its sentences.

    Each (2 n, layers + 1, D), n of the first sense before n of the second.
    """
    found = {}
    for word in two_senses():
        vectors = []
        for one in draw_mentions(word, MEASURED_EACH, seed):
            sequence = encoder.encode(one.text)
            inside = sequence.inside(one.start, one.start + len(word))
            vectors.append(encoder.states(sequence)[0][:, torch.from_numpy(inside)].mean(1))
        found[word] = torch.stack(vectors)
    return found


def senses(vectors: Mapping[str, Tensor]) -> Numbers:
    """Return of each distance a list of layers: of each word how far its senses lie apart.

    And ``other words``: the mean distance to the other words over that within a word.
    """
    first = torch.arange(2 * MEASURED_EACH) < MEASURED_EACH
    everything = torch.cat([*vectors.values()])
    which = torch.arange(len(vectors)).repeat_interleave(2 * MEASURED_EACH)
    found: Numbers = {}
    for name, distance in embeddings.DISTANCES.items():
        found[name] = []
        for layer in range(everything.shape[1]):
            of_all = everything[:, layer]
            table, mean = distance(of_all, of_all), embeddings.mean_distance
            row = {}
            for number, word in enumerate(vectors):
                inside = which == number
                row[word] = embeddings.senses_apart(table[inside][:, inside], first)
            away = [mean(table, which == n, which != n) for n in range(len(vectors))]
            within = [mean(table, which == n, which == n) for n in range(len(vectors))]
            row["other words"] = sum(away) / max(sum(within), 1e-12)
            found[name].append({key: round(value, 5) for key, value in row.items()})
    return found


def shown_distances(vectors: Tensor) -> dict[str, Tensor]:
    """Return each distance between the shown mentions of a word, (layers + 1, 10, 10)."""
    chosen = [*range(SHOWN_EACH), *range(MEASURED_EACH, MEASURED_EACH + SHOWN_EACH)]
    shown = vectors[chosen].transpose(0, 1)
    return {
        name: torch.stack([distance(layer, layer) for layer in shown])
        for name, distance in embeddings.DISTANCES.items()
    }


def rounded(values: Tensor) -> list[Any]:
    """Return a tensor as nested lists with five digits."""
    return np.round(values.double().numpy(), 5).tolist()
