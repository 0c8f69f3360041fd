"""The training loop of homework 11, written out; the same under ``torchrun``.

One network, or several whose predictions are averaged. Every random choice is a function of (seed,
member, step), so a resumed run ends with the weights of an uninterrupted one. No label of a drawing
is read anywhere here: there is none to read.
"""

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw11_adaptation import batches, models, monitors
from mlspring.homeworks.hw11_adaptation.batches import Batch, DomainBatches, Domains
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.losses import loss_of, refines, reversal_weight
from mlspring.homeworks.hw11_adaptation.models import Adapter
from mlspring.homeworks.hw11_adaptation.recipe import AdaptKnobs, Recipe
from mlspring.homeworks.hw11_adaptation.smoothness import worst_drawings
from mlspring.homeworks.hw11_adaptation.transform import to_input
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator, seed_everything
from mlspring.kit.state import TrainState, clip_gradients, with_adamw
from mlspring.kit.training import Bookkeeper

CLIP_NORM = 10.0  # the reversed gradient has no lower bound, so its steps need one


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the accuracy on photos held out."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    start = time.perf_counter()
    domains = batches.to_device(data, recipe.data, hardware)
    num_trained = 0
    members = range(recipe.train.members)
    for number in members:
        if not ranks.broadcast(weights_path(run, number).exists()):
            num_trained += train_network(number, domains, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    metadata = [checkpoint.read_metadata(weights_path(run, number)) for number in members]
    accuracy = sum(member["valid__accuracy"] for member in metadata) / len(metadata)
    return Training(validation=accuracy, items_per_second=round(rate, 1))


def train_network(
    number: int, domains: Domains, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the pictures seen."""
    knobs, seed = recipe.train, derive_seed(run.request.seed, number)
    state = new_state(number, recipe, domains.num_classes, run.request.seed, hardware)
    network = ranks.wrap(state.model)
    train_rows, held_out = batches.split(domains.labels, recipe.data.hold_out, seed)
    pictures = monitors.validation_set(domains, held_out, recipe.augment)
    sampler = DomainBatches(domains, train_rows, recipe, seed)
    stages = monitors.stages(knobs.steps) if number == 0 and ranks.is_main else {}
    label = f"train {number + 1}/{knobs.members}"
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, label) as books:
        for step in books.steps():
            # batch: this process's shard of photos and of drawings, each augmented
            batch, progress = sampler.batch(step, ranks), (step - 1) / knobs.steps
            images = shown(state.model, batch, recipe, progress, hardware, (seed, step))

            # forward, loss: both domains in one batch, so that batch norm sees them together
            weight = reversal_weight(recipe.adapt, progress)
            with hardware.autocast():
                outputs = network(hardware.images_to_device(images), weight, len(batch.labels))
            teacher = teach(state.final, batch.plain, recipe.adapt, progress, hardware)
            loss, terms = loss_of(outputs, batch.labels, teacher, recipe.adapt, knobs, progress)

            # backward, clip, step
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(sampler.size)).backward()
            clip_gradients(state.model, CLIP_NORM)
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()
            state.update_average(step)

            # validate
            hits = outputs.logits[: len(batch.labels)].argmax(1) == batch.labels
            books.add(train__loss=terms["class"].detach(), train__accuracy=hits.float().mean())
            if step in stages:
                monitors.save_features(run, stages[step], state.final, domains, hardware)
            if books.validates():
                values, predictions = monitors.measure(state.final, pictures, hardware, ranks)
                books.log(epoch=sampler.epochs(step), **values, **logged(terms), learning_rate=rate)
                if ranks.is_main:
                    monitors.save_predictions(run, number, step, predictions)
            if books.due():
                books.save()
        if ranks.is_main:
            metadata = values | {"num_classes": domains.num_classes}
            checkpoint.save_weights(weights_path(run, number), state.final, metadata)
        books.finish()
    return 2 * (step - books.start) * sampler.size


def shown(
    model: Adapter,
    batch: Batch,
    recipe: Recipe,
    progress: float,
    hardware: Hardware,
    keys: tuple[int, int],
) -> Tensor:
    """Return the pictures of a step: photos, drawings, and the drawings moved, as asked for."""
    if not recipe.needs_drawings:
        return batch.photos
    if not recipe.adapt.smooth or progress < recipe.adapt.start:
        return batch.images
    draws = generator("smooth", *keys)
    return torch.cat((batch.images, worst_drawings(model, batch.drawings, hardware, draws)))


def logged(terms: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the terms of a step's loss as log values."""
    return {f"term__{name}": round(term.item(), 5) for name, term in terms.items()}


@torch.no_grad()
def teach(
    average: Adapter, drawings: Tensor, knobs: AdaptKnobs, progress: float, hardware: Hardware
) -> Tensor | None:
    """Return the moving average's logits of uint8 drawings (n, s, s); None: none are needed."""
    if not (refines(knobs, progress) or (knobs.pseudo and progress >= knobs.start)):
        return None
    images = hardware.images_to_device(to_input(drawings))
    with hardware.autocast():
        return average(images).logits.float()


def new_state(
    number: int, recipe: Recipe, num_classes: int, seed: int, hardware: Hardware
) -> TrainState[Adapter]:
    """Return a network with fresh weights, which depend on the seed and its number."""
    seed_everything(seed, "weights", number)
    model = models.build(recipe.model, recipe.adapt, num_classes)
    return with_adamw(hardware.to_device(model).train(), recipe.train)
