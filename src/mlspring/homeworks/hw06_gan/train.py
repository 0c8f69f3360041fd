"""The training loop of homework 6, written out; the same under ``torchrun``.

A step is one update of the generator, before it come the discriminator's. Every random choice is a
function of (seed, purpose, step), so a resumed run ends with the weights of an uninterrupted one.
"""

import time
from dataclasses import dataclass

import torch.distributed as dist
from torch import nn

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw06_gan import losses, methods, samples, study
from mlspring.homeworks.hw06_gan.batches import Faces
from mlspring.homeworks.hw06_gan.data import Data
from mlspring.homeworks.hw06_gan.methods import Pair
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.ema import EMA
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import seed_everything
from mlspring.kit.state import TrainState
from mlspring.kit.training import Bookkeeper


@dataclass(frozen=True, kw_only=True)
class GanState(TrainState[Pair]):
    """A pair in training; ``trailing`` is the moving average of its generator, if wanted."""

    trailing: EMA[nn.Module] | None

    @property
    def sampler(self) -> nn.Module:
        """The generator that is measured, saved and hands in."""
        return self.trailing.model if self.trailing else self.model.generator


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train what is not finished; return the Frechet distance to held-out training faces."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    if ranks.is_main and not study.path(run).exists():
        study.measure(recipe, data, run, hardware)
    start, num_seen = time.perf_counter(), 0
    if not ranks.broadcast(weights_path(run, 0).exists()):
        num_seen = train_pair(recipe, data, run, hardware, ranks)
    rate = num_seen / (time.perf_counter() - start)
    ranks.wait()
    distance = checkpoint.read_metadata(weights_path(run, 0))["distance"]
    return Training(validation=distance, items_per_second=round(rate, 1))


def train_pair(
    recipe: Recipe, data: Data, run: Run, hardware: Hardware, ranks: Ranks = ALONE
) -> int:
    """Train the pair, from its last state if it has one; return the real pictures seen."""
    knobs, method, seed = recipe.train, recipe.method, run.request.seed
    state = new_state(recipe, seed, hardware)
    faces = Faces(recipe, data, seed, hardware, ranks)
    with Bookkeeper(run, 0, state, knobs, knobs.steps, ranks, "train") as books:
        for step in books.steps():
            # two rates, the generator's in its own proportion (Heusel et al. 2017)
            rate = set_learning_rate(state.optimizer, knobs, step)
            state.optimizer.param_groups[0]["lr"] = rate * method.generator_rate

            # the discriminator's updates; fakes are made without gradients for the generator
            for turn in range(method.critic_steps):
                batch = faces.batch(state.model, (step - 1) * method.critic_steps + turn + 1)
                with hardware.autocast():
                    loss = methods.discriminator_loss(state.model.discriminator, batch, method)
                state.optimizer.zero_grad()
                (loss * faces.scale).backward()
                average_gradients(state.model.discriminator, ranks)
                state.optimizer.step()
                if method.name == "wgan":
                    losses.clip_weights(state.model.discriminator, method.clip)

            # the generator's update: the discriminator only passes gradients on
            state.model.discriminator.requires_grad_(False)
            with hardware.autocast():
                seen = state.model.discriminator(faces.generated(state.model, step))
                own_loss = methods.generator_loss(seen, method)
            state.optimizer.zero_grad()
            (own_loss * faces.scale).backward()
            average_gradients(state.model.generator, ranks)
            state.optimizer.step()
            state.model.discriminator.requires_grad_(True)
            if state.trailing:
                state.trailing.update(step)

            # validate: how far pictures are from held-out faces, and what they look like
            books.add(train__loss=loss.detach(), train__generator_loss=own_loss.detach())
            if books.validates():
                measured = samples.measure(state.sampler, data, run, step, hardware, ranks)
                books.log(epoch=faces.epochs(step), **measured, learning_rate=rate)
            if books.due():
                books.save()
        if ranks.is_main:
            metadata = {"distance": measured["valid__distance"], "method": method.name}
            checkpoint.save_weights(weights_path(run, 0), state.sampler, metadata)
        books.finish()
    return (step - books.start) * method.critic_steps * knobs.batch_size


def new_state(recipe: Recipe, seed: int, hardware: Hardware) -> GanState:
    """Return the pair with fresh weights, which depend on the seed."""
    seed_everything(seed, "weights")
    pair = hardware.to_device(methods.new_pair(recipe.model, recipe.method)).train()
    trailing = EMA(pair.generator, recipe.train.ema_decay) if recipe.train.ema_decay else None
    return GanState(
        model=pair,
        optimizer=methods.new_optimizer(pair, recipe.method, recipe.train.learning_rate),
        trailing=trailing,
        others={"trailing": trailing.model} if trailing else {},
    )


def average_gradients(network: nn.Module, ranks: Ranks) -> None:
    """Give every process the mean of all processes' gradients.

    By hand: DistributedDataParallel cannot follow gradients of gradients.
    """
    if ranks.size > 1:
        for parameter in network.parameters():
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= ranks.size
