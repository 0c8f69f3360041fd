"""What the report's questions ask for, from short trainings of their own: ``study.json`` of a run.

Five pairs learn from the same faces in the same order: a GAN, WGAN with weights clipped at three
sizes, and WGAN with gradient penalty. The last four begin with the same weights and differ in
nothing but how their critics are bounded: no batch norm, RMSprop, one update of the critic for each
of the generator. Nothing here changes what is handed in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.files import write_json
from mlspring.core.progress import track
from mlspring.core.runs import Run
from mlspring.homeworks.hw06_gan import losses, methods, samples
from mlspring.homeworks.hw06_gan.batches import Faces
from mlspring.homeworks.hw06_gan.data import Data
from mlspring.homeworks.hw06_gan.methods import Batch
from mlspring.homeworks.hw06_gan.recipe import DifferentKnobs, MethodKnobs, MethodName, Recipe
from mlspring.kit.device import Hardware
from mlspring.kit.seeding import generator, seed_everything

BATCH_SIZE, RATE = 16, 2e-4
PENALTY = 10.0
MOMENTS = 5  # at which the distance is measured
PICTURES = 200  # by which
BATCHES = 4  # over which the norms of gradients are averaged
GAN, WGAN = "GAN", "WGAN, c = 0.1"  # whose losses stand side by side


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One of the trainings."""

    name: MethodName
    clip: float = 0.01


SETTINGS: dict[str, Setting] = {
    GAN: Setting(name="dcgan"),
    "WGAN, c = 0.001": Setting(name="wgan", clip=0.001),
    "WGAN, c = 0.01": Setting(name="wgan", clip=0.01),
    WGAN: Setting(name="wgan", clip=0.1),
    "WGAN-GP": Setting(name="wgan_gp"),
}


def path(run: Run) -> Path:
    """Return the file of what was measured."""
    return run.folder / "study.json"


def measure(recipe: Recipe, data: Data, run: Run, hardware: Hardware) -> None:
    """Train the five pairs and write the file."""
    told = {}
    for name in track(SETTINGS, "study", len(SETTINGS), unit="trainings"):
        told[name] = train_shortly(SETTINGS[name], recipe, data, run.request.seed, hardware)
    write_json(path(run), told)


def train_shortly(
    setting: Setting, recipe: Recipe, data: Data, seed: int, hardware: Hardware
) -> dict[str, Any]:
    """Return ``losses`` of all steps, ``distances`` by step, a critic's ``norms`` by layer."""
    short = _short(recipe, setting)
    knobs, num_steps = short.method, recipe.study.steps
    seed_everything(seed, "study")
    pair = hardware.to_device(methods.new_pair(short.model, knobs)).train()
    optimizer: torch.optim.Optimizer = torch.optim.RMSprop(pair.parameters(), RATE)
    if setting.name == "dcgan":  # the others are compared by their gradients
        optimizer = methods.new_optimizer(pair, knobs, RATE)
    faces = Faces(short, data, seed, hardware)
    moments = {round(num_steps * (i + 1) / MOMENTS) for i in range(MOMENTS)}
    curve, distances = [], {}
    for step in range(1, num_steps + 1):
        loss = methods.discriminator_loss(pair.discriminator, faces.batch(pair, step), knobs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if setting.name == "wgan":
            losses.clip_weights(pair.discriminator, setting.clip)
        pair.discriminator.requires_grad_(False)
        own = methods.generator_loss(pair.discriminator(faces.generated(pair, step)), knobs)
        optimizer.zero_grad()
        own.backward()
        optimizer.step()
        pair.discriminator.requires_grad_(True)
        curve.append(loss.detach())
        if step in moments and setting.name != "wgan_gp":
            latents = samples.draw_latents(pair.generator, PICTURES, generator(seed, "fixed"))
            pictures = samples.draw_pictures(pair.generator, latents, hardware)
            distances[step] = samples.distance_to(pictures, data.valid[:PICTURES])
    batches = [faces.batch(pair, num_steps + 1 + i) for i in range(BATCHES)]
    norms = torch.stack([layer_gradients(pair.discriminator, batch) for batch in batches])
    return {
        "losses": [round(value, 5) for value in torch.stack(curve).tolist()],
        "distances": distances,
        "norms": norms.log10().mean(0).tolist() if setting.name != "dcgan" else [],
    }


def _short(recipe: Recipe, setting: Setting) -> Recipe:
    """Return the recipe of one short training."""
    width = min(recipe.study.feature_dim, recipe.model.feature_dim)
    widths = {"feature_dim": width, "discriminator_dim": width}
    how = {"name": setting.name, "clip": setting.clip, "penalty": PENALTY, "critic_steps": 1}
    method = MethodKnobs(**{**recipe.method.model_dump(), **how, "beta1": 0.5, "beta2": 0.999})
    return recipe.model_copy(
        update={
            "model": recipe.model.model_copy(update=widths),
            "method": method,
            "augment": DifferentKnobs(translate=0.0, cutout=0.0, colour=0.0),
            "train": recipe.train.model_copy(update={"batch_size": BATCH_SIZE}),
        }
    )


def layer_gradients(critic: nn.Module, batch: Batch) -> Tensor:
    """Return the L2 norm of d loss / d output of each convolution, from the pictures on: (L,).

    The loss is the critic's without penalty, so that all settings are told by the same quantity.
    """
    outputs: list[Tensor] = []
    seen = torch.cat([batch.real, batch.fake])
    for layer in critic.get_submodule("layers"):  # type: ignore[attr-defined]
        seen = layer(seen)
        if isinstance(layer, nn.Conv2d):
            outputs.append(seen)
    real, fake = seen.flatten().chunk(2)
    loss = losses.wasserstein_critic_loss(real, fake)
    gradients = torch.autograd.grad(loss, outputs)
    tiny = torch.finfo(torch.float32).tiny
    return torch.stack([gradient.float().norm().clamp_min(tiny) for gradient in gradients])
