"""The attack of homework 10, written out; the same under ``torchrun``.

What is trained here are the pictures: the loss of the proxies rises, and the networks stay as
they are. All pictures are attacked at once, in pixels from 0 to 255. Every random choice is a
function of (seed, step), so a resumed attack ends with the pictures of an uninterrupted one.
"""

import time
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw10_attack import attacks, study
from mlspring.homeworks.hw10_attack.data import Data
from mlspring.homeworks.hw10_attack.models import logits_of
from mlspring.homeworks.hw10_attack.networks import open_networks
from mlspring.homeworks.hw10_attack.recipe import AttackKnobs, Recipe, TrainKnobs
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import generator
from mlspring.kit.state import TrainState
from mlspring.kit.training import Bookkeeper


class Perturbed(nn.Module):
    """The pictures while they are attacked: ``images`` and, for momentum, ``direction``."""

    def __init__(self, benign: Tensor) -> None:
        super().__init__()
        self.images = nn.Parameter(benign.clone())  # (N, 3, S, S), 0 .. 255
        self.direction: Tensor
        self.register_buffer("direction", torch.zeros_like(benign))


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Attack what is not attacked yet; return the accuracy of the networks held out."""
    ranks = distributed.start(len(data.labels), run.request.device)
    hardware = device.choose_for(run, work="dense", ranks=ranks)  # signs of gradients: full digits
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    names = [*recipe.networks.proxies, *recipe.networks.held_out]
    networks = open_networks(names, recipe.networks, data, run.request, hardware, ranks)
    benign, labels = on_device(data, hardware)
    start, num_done = time.perf_counter(), 0
    if not ranks.broadcast(weights_path(run, 0).exists()):
        num_done = attack(recipe, networks, benign, labels, run, hardware, ranks)
    rate = num_done / (time.perf_counter() - start)
    if ranks.is_main and not study.path(run).exists():
        study.measure(recipe, networks, data, finished(recipe, benign, run), run)
    ranks.wait()
    validation = checkpoint.read_metadata(weights_path(run, 0))["held_out_accuracy"]
    return Training(validation=validation, items_per_second=round(rate, 1))


def attack(
    recipe: Recipe,
    networks: Mapping[str, nn.Module],
    benign: Tensor,
    labels: Tensor,
    run: Run,
    hardware: Hardware,
    ranks: Ranks = ALONE,
) -> int:
    """Attack the pictures, from the last state if there is one; return pictures times steps."""
    knobs, rule = recipe.train, recipe.attack
    proxies = [networks[name] for name in recipe.networks.proxies]
    held_out = [networks[name] for name in recipe.networks.held_out]
    state = new_state(benign, rule, knobs)
    shard = ranks.shard(len(benign))
    with Bookkeeper(run, 0, state, knobs, knobs.steps, ranks, "attack") as books:
        for step in books.steps():
            # views: what the proxies see in this step
            stream = generator(run.request.seed, "views", step)
            views = attacks.draw_views(rule, benign, labels, stream)

            # forward, loss, backward: this process's shard of the pictures
            images = state.model.images.detach()
            with hardware.autocast():
                gradient, losses, hits = attacks.input_gradient(
                    proxies, images[shard], labels[shard], views[shard], rule
                )

            # momentum, of a gradient as large for every picture; step; projection
            gradient = attacks.smooth(gradient, rule.smoothing)
            if ranks.size > 1:
                gradient = ranks.gather(gradient).to(benign.device)
            ascend(state, gradient, benign, rule)

            # validate: what would be handed in, whole numbers
            books.add(train__loss=losses.mean(), train__accuracy=hits.mean())
            if books.validates():
                final = attacks.to_integers(state.model.images.detach(), benign, rule.epsilon)
                measured = measure(held_out, final, labels)
                books.log(**measured, learning_rate=state.optimizer.param_groups[0]["lr"])
            if books.due():
                books.save()
        if ranks.is_main:
            metadata = {"held_out_accuracy": measured["valid__accuracy"]}
            checkpoint.save_weights(weights_path(run, 0), state.model, metadata)
        books.finish()
    return (knobs.steps - books.start) * len(benign)


def ascend(
    state: TrainState[Perturbed], gradient: Tensor, benign: Tensor, rule: AttackKnobs
) -> None:
    """Take one signed step up the gradient, within the budget.

    g <- mu g + gradient / mean |gradient|,  x <- clip(x + alpha sign(g)): arXiv:1607.02533, and
    with mu > 0 arXiv:1710.06081. The optimizer adds alpha, its rate, times what stands in ``grad``.
    """
    model = state.model
    model.direction.mul_(rule.momentum).add_(attacks.normalised(gradient))
    model.images.grad = model.direction.sign()
    state.optimizer.step()
    with torch.no_grad():
        model.images.copy_(attacks.project(model.images, benign, rule.epsilon))


def new_state(benign: Tensor, rule: AttackKnobs, knobs: TrainKnobs) -> TrainState[Perturbed]:
    """Return the pictures ready for their first step: signed gradient ascent."""
    model = Perturbed(benign)
    alpha = knobs.learning_rate * rule.epsilon
    optimizer = torch.optim.SGD([model.images], lr=alpha, maximize=True)
    return TrainState(model=model, optimizer=optimizer)


def measure(networks: Sequence[nn.Module], pictures: Tensor, labels: Tensor) -> dict[str, float]:
    """Return mean accuracy and mean loss of networks on uint8 pictures (N, 3, S, S)."""
    logits = [logits_of(network, pictures) for network in networks]
    losses = attacks.ensemble_losses(logits, labels, "losses")
    right = [(one.argmax(1) == labels).double().mean().item() for one in logits]
    accuracy, loss = sum(right) / len(right), losses.mean().item()
    return {"valid__loss": round(loss, 5), "valid__accuracy": round(accuracy, 5)}


def finished(recipe: Recipe, benign: Tensor, run: Run) -> Tensor:
    """Return the pictures of a finished attack as whole numbers, uint8 (N, 3, S, S).

    Raises:
        RunError: their file is missing, damaged or of other pictures.
    """
    model = Perturbed(benign)
    checkpoint.load_weights(weights_path(run, 0), model)
    return attacks.to_integers(model.images.detach(), benign, recipe.attack.epsilon)


def on_device(data: Data, hardware: Hardware) -> tuple[Tensor, Tensor]:
    """Return benign pictures as floats (N, 3, S, S) from 0 to 255, and labels (N,)."""
    benign = torch.from_numpy(data.test_images).permute(0, 3, 1, 2).float()
    return hardware.images_to_device(benign), torch.from_numpy(data.labels).to(hardware.device)
