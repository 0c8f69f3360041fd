"""The training loop of homework 8, written out; the same under ``torchrun``.

A run trains the network of its recipe (0), then the two small ones of the report: a fully connected
autoencoder (1) and its variational twin (2). Every random choice is a function of (seed, network,
step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw08_anomaly import models, noise
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.models import Autoencoder, Seen
from mlspring.homeworks.hw08_anomaly.predict import ERROR, SCORE, examine, to_images
from mlspring.homeworks.hw08_anomaly.recipe import NoiseKnobs, Recipe, ScoreKnobs
from mlspring.homeworks.hw08_anomaly.score import roc_auc
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.batches import EpochBatches
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator, seed_everything
from mlspring.kit.state import TrainState
from mlspring.kit.training import Bookkeeper

FAULTS = NoiseKnobs(share=1.0, largest=0.5)  # of the pictures that validate


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every network that is not finished; return the first one's area on planted faults."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work=recipe.work, ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained, start = 0, time.perf_counter()
    for number in recipe.networks:
        if not ranks.broadcast(weights_path(run, number).exists()):
            num_trained += train_network(number, recipe.of(number), data, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    area = checkpoint.read_metadata(weights_path(run, 0))["auc"]
    return Training(validation=area, items_per_second=round(rate, 1))


def train_network(
    number: int, recipe: Recipe, data: Data, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the pictures seen."""
    knobs, seed = recipe.train, derive_seed(run.request.seed, number)
    state = new_state(recipe, seed, hardware)
    network = ranks.wrap(state.model)
    pixels, all_rows = torch.from_numpy(data.train), torch.arange(len(data.train))
    batches = EpochBatches(all_rows, knobs.batch_size, seed)
    shard, held = ranks.shard(batches.size), held_out(data, recipe.data.image_size, hardware)
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, f"train {number + 1}") as books:
        for step in books.steps():
            # batch: this process's shard; what is spoilt may show a face of another's
            chosen = pixels.index_select(0, batches.rows(step))
            images = to_images(chosen, recipe.data.image_size, hardware)
            given, where = noise.spoil(images, recipe.noise, generator(seed, "noise", step))
            given = hardware.images_to_device(given[shard])

            # forward, loss: against what the pictures were before
            draws = code_draws(batches.size, recipe, seed, step)[shard].to(hardware.device)
            with hardware.autocast():
                seen = network(given, draws)
            error, loss = losses(seen, images[shard], where[shard], recipe)

            # backward
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(batches.size)).backward()

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()

            # validate
            books.add(train__loss=loss.detach(), train__error=error.detach())
            if books.validates():
                measured = validate(state.model, held, recipe.score, hardware, ranks)
                books.log(epoch=batches.epochs(step), **measured, learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            area = {"auc": measured["valid__auc"]}
            checkpoint.save_weights(weights_path(run, number), state.model, area)
        books.finish()
    return (step - books.start) * batches.size


def losses(seen: Seen, images: Tensor, where: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Return the reconstruction's mean squared error, and the loss that is minimised.

    Args:
        seen: what the network made of the (spoilt) pictures.
        images: the pictures as they were, (n, 3, s, s).
        where: the places that were spoilt, 0 or 1, (n, s, s).
        recipe: the weights of the parts.
    """
    error = F.mse_loss(seen.images.float(), images)
    loss = error
    if seen.log_variance is not None:
        # Both parts are sums over what belongs to one picture, then means over the pictures; the
        # sample takes the mean of one over a batch's 24 million values and the sum of the other.
        divergence = kl_divergence(seen.mean.float(), seen.log_variance.float()).mean()
        loss = loss + recipe.model.kl_weight * divergence / images[0].numel()
    if seen.logits is not None:
        cells = F.avg_pool2d(where[:, None], models.STRIDE)[:, 0]  # share of a cell
        loss = loss + F.binary_cross_entropy_with_logits(seen.logits.float(), cells)
    return error, loss


def code_draws(n: int, recipe: Recipe, seed: int, step: int) -> Tensor:
    """Return what moves the codes of a whole batch from their means, (n, z); used by a VAE alone.

    Drawn for all processes alike, so that a batch is the same on one or on many.
    """
    return torch.randn(n, recipe.model.latent, generator=generator(seed, "code", step))


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, 1)) of codes (n, z), summed over a code: (n,).

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B.
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2


def new_state(recipe: Recipe, seed: int, hardware: Hardware) -> TrainState[Autoencoder]:
    """Return a network with fresh weights, which depend on the seed, and the sample's Adam."""
    seed_everything(seed, "weights")
    model = models.build(recipe.model, recipe.classifier, recipe.data.image_size)
    model = hardware.to_device(model).train()
    optimizer = torch.optim.Adam(model.parameters(), recipe.train.learning_rate, fused=True)
    return TrainState(model=model, optimizer=optimizer)


def held_out(data: Data, size: int, hardware: Hardware) -> tuple[Tensor, Tensor]:
    """Return the held-out faces and the same with a fault planted in each, (k, 3, s, s) both.

    Nobody has anomalies to validate with. A box that is turned stands for them: of a kind that is
    never in the training's noise, and the same in every run.
    """
    normal = to_images(torch.from_numpy(data.held_out), size, hardware)
    faulty, _ = noise.spoil(normal, FAULTS, generator(0, "faults"), noise.TO_VALIDATE)
    return normal, hardware.images_to_device(faulty)


def validate(
    model: Autoencoder,
    held: tuple[Tensor, Tensor],
    knobs: ScoreKnobs,
    hardware: Hardware,
    ranks: Ranks,
) -> dict[str, float]:
    """Return the mean error on held-out faces, and the area of the scores of ``held_out``."""
    normal, faulty = (
        examine(model, images.__getitem__, len(images), knobs, hardware, ranks) for images in held
    )
    scores = torch.cat((normal, faulty))[:, SCORE].double().numpy()
    area = roc_auc(scores, np.arange(len(scores)) >= len(normal))
    return {"valid__loss": round(normal[:, ERROR].mean().item(), 5), "valid__auc": round(area, 5)}
