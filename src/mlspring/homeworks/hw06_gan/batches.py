"""Batches of real and of generated pictures, known from the number of the update alone."""

import torch
from torch import Tensor

from mlspring.homeworks.hw06_gan import samples
from mlspring.homeworks.hw06_gan.augment import augment, draw
from mlspring.homeworks.hw06_gan.data import Data
from mlspring.homeworks.hw06_gan.methods import Batch, Pair
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.kit.batches import EpochBatches
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import generator


class Faces:
    """Batches of real and of generated pictures: this process's shard of each.

    Args:
        recipe: of the run.
        data: the faces; they stay bytes in memory.
        seed: of the run.
        hardware: where pictures are computed.
        ranks: the processes that share a batch.
    """

    def __init__(
        self, recipe: Recipe, data: Data, seed: int, hardware: Hardware, ranks: Ranks = ALONE
    ) -> None:
        self.pixels = torch.from_numpy(data.train)  # (n, 64, 64, 3)
        if hardware.device.type != "cpu":
            self.pixels = self.pixels.to(hardware.device)
        rows = torch.arange(len(self.pixels), device=self.pixels.device)
        self._order = EpochBatches(rows, recipe.train.batch_size, seed)
        self._seed, self._hardware, self._knobs = seed, hardware, recipe.augment
        self._turns, self._shard = recipe.method.critic_steps, ranks.shard(self._order.size)
        self.scale = ranks.loss_scale(self._order.size)

    def real(self, update: int) -> Tensor:
        """Return the faces of an update, counted from 1, as floats: (N, 3, 64, 64)."""
        pixels = self.pixels.index_select(0, self._order.rows(update)[self._shard])
        return self._hardware.images_to_device(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1)

    def batch(self, pair: Pair, update: int, real: Tensor | None = None) -> Batch:
        """Return what the discriminator sees in an update; ``real`` faces may be given."""
        stream = generator(self._seed, "discriminator", update)
        latents = self._latents(pair, stream)
        changes = [draw(self._order.size, stream)[self._shard] for _ in range(2)]
        mix = torch.rand(self._order.size, generator=stream)[self._shard]
        with torch.no_grad(), self._hardware.autocast():
            fake = pair.generator(latents).float()
        real = self.real(update) if real is None else real
        return Batch(
            real=augment(real, changes[0], self._knobs),
            fake=augment(fake, changes[1], self._knobs),
            mix=mix.to(real.device),
            update=update,
        )

    def generated(self, pair: Pair, step: int) -> Tensor:
        """Return generated pictures, changed alike, with gradients: (N, 3, 64, 64)."""
        stream = generator(self._seed, "generator", step)
        images = pair.generator(self._latents(pair, stream)).float()
        return augment(images, draw(self._order.size, stream)[self._shard], self._knobs)

    def epochs(self, step: int) -> float:
        """Return how many passes over the faces the discriminator has made after ``step``."""
        return self._order.epochs(step * self._turns)

    def _latents(self, pair: Pair, stream: torch.Generator) -> Tensor:
        every = samples.draw_latents(pair.generator, self._order.size, stream)
        return every[self._shard].to(self._hardware.device)
