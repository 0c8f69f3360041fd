"""What a finished attack is measured by, once, for the figures: ``study.json`` of a run.

Nothing here changes what is handed in.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlspring.core.files import write_json
from mlspring.core.progress import track
from mlspring.core.runs import Run
from mlspring.homeworks.hw10_attack import attacks
from mlspring.homeworks.hw10_attack.data import Data
from mlspring.homeworks.hw10_attack.defences import jpeg
from mlspring.homeworks.hw10_attack.models import logits_of
from mlspring.homeworks.hw10_attack.recipe import AttackKnobs, Recipe
from mlspring.kit.seeding import generator

A_CLASS = 8  # pictures of a class behind the transfer matrix
STEPS = 5  # of the attacks behind it, at most
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the budget
QUALITIES = (95, 80, 60, 45, 31, 20, 10)  # of JPEG; 31 is imgaug's compression 70
COURSE_QUALITY = 31
WANTED = "dog/dog2.png"  # the course's picture for the question on JPEG

Networks = Mapping[str, nn.Module]


def path(run: Run) -> Path:
    """Return the file of what was measured."""
    return run.folder / "study.json"


def measure(recipe: Recipe, networks: Networks, data: Data, final: Tensor, run: Run) -> None:
    """Measure a finished attack, pictures ``final`` uint8 (N, 3, S, S), and write the file."""
    benign = torch.from_numpy(data.test_images).permute(0, 3, 1, 2).to(final.device)
    labels = torch.from_numpy(data.labels).to(final.device)
    rule = recipe.attack
    parts = {"proxies": recipe.networks.proxies, "held_out": recipe.networks.held_out}
    accuracies = {
        name: [accuracy(network, benign, labels), accuracy(network, final, labels)]
        for name, network in networks.items()
    }
    by_budget = {}
    for share in SHARES:
        noise = share * (final.float() - benign)
        less = attacks.to_integers(benign + noise, benign.float(), rule.epsilon)
        by_budget[f"{share * rule.epsilon:g}"] = [
            float(np.mean([accuracy(networks[name], less, labels) for name in names]))
            for names in parts.values()
        ]
    first = networks[recipe.networks.proxies[0]]
    measured = {**parts, "accuracies": accuracies, "by_budget": by_budget}
    measured["transfer"] = transfer(recipe, networks, benign, labels, run.request.seed)
    measured["jpeg"] = behind_jpeg(rule, first, data, benign, labels)
    write_json(path(run), measured)


def transfer(
    recipe: Recipe, networks: Networks, benign: Tensor, labels: Tensor, seed: int
) -> dict[str, dict[str, float]]:
    """Return the accuracy of each network on pictures attacked through each single one.

    The rule is the recipe's; steps and pictures are fewer, and alpha is so much larger.
    """
    rows = torch.cat([(labels == c).nonzero()[:A_CLASS, 0] for c in labels.unique()])
    some, wanted = benign[rows], labels[rows]
    steps = min(recipe.train.steps, STEPS)
    alpha = min(1.0, recipe.train.learning_rate * recipe.train.steps / steps)
    table = {}
    for name in track(networks, "transfer", len(networks), unit="networks"):
        made = attacked([networks[name]], some, wanted, recipe.attack, (steps, alpha, seed))
        table[name] = {other: accuracy(net, made, wanted) for other, net in networks.items()}
    return table


def attacked(
    proxies: Sequence[nn.Module],
    benign: Tensor,
    labels: Tensor,
    rule: AttackKnobs,
    numbers: tuple[int, float, int],
) -> Tensor:
    """Return pictures attacked in ``train.py``'s way, with nothing logged: uint8 (N, 3, S, S).

    ``numbers`` are the steps, alpha as a share of epsilon, and the seed.
    """
    steps, alpha, seed = numbers
    start = benign.float()
    images, direction = start.clone(), torch.zeros_like(start)
    for step in range(1, steps + 1):
        views = attacks.draw_views(rule, start, labels, generator(seed, "study", step))
        gradient, _, _ = attacks.input_gradient(proxies, images, labels, views, rule)
        gradient = attacks.normalised(attacks.smooth(gradient, rule.smoothing))
        direction = rule.momentum * direction + gradient
        images = attacks.project(
            images + alpha * rule.epsilon * direction.sign(), start, rule.epsilon
        )
    return attacks.to_integers(images, start, rule.epsilon)


def behind_jpeg(
    rule: AttackKnobs, network: nn.Module, data: Data, benign: Tensor, labels: Tensor
) -> dict[str, Any]:
    """Return what one network makes of FGSM on itself, before and after JPEG compression.

    The picture is the course's; where that is not there or is not fooled, the first that is.
    """
    plain = rule.model_copy(
        update={"momentum": 0.0, "diversity": 0.0, "smoothing": 1, "scales": 1, "admix": 0.0}
    )
    made = attacked([network], benign, labels, plain, (1, 1.0, 0))
    compressed = {q: compress(made, q) for q in QUALITIES}
    curve = {
        str(q): [accuracy(network, p, labels) for p in (compress(benign, q), compressed[q])]
        for q in QUALITIES
    }
    right = [logits_of(network, p).argmax(1) == labels for p in (benign, made)]
    fooled = right[0] & ~right[1]
    number = data.test_ids.index(WANTED) if WANTED in data.test_ids else 0
    if not fooled[number] and fooled.any():
        number = int(fooled.nonzero()[0, 0])
    one = slice(number, number + 1)
    kinds = {"benign": benign, "attacked": made, "compressed": compressed[COURSE_QUALITY]}
    told = {}
    for kind, pictures in kinds.items():
        mass = logits_of(network, pictures[one]).softmax(1)[0]
        told[kind] = {
            "class": data.class_names[int(mass.argmax())],
            "probability": round(float(mass.max()), 4),
            "pixels": pictures[number].permute(1, 2, 0).flatten().tolist(),
        }
    return {"id": data.test_ids[number], "curve": curve, "one": told, "quality": COURSE_QUALITY}


def compress(pictures: Tensor, quality: int) -> Tensor:
    """Return uint8 (N, 3, S, S) after JPEG compression, on the same device."""
    made = jpeg(pictures.permute(0, 2, 3, 1).contiguous().cpu().numpy(), quality)
    return torch.from_numpy(made).permute(0, 3, 1, 2).to(pictures.device)


def accuracy(network: nn.Module, pictures: Tensor, labels: Tensor) -> float:
    """Return the share of uint8 pictures (N, 3, S, S) that a network gets right."""
    right = logits_of(network, pictures).argmax(1) == labels
    return round(right.double().mean().item(), 5)
