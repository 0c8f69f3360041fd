"""From a finished generator to the faces that are handed in."""

from mlspring.core.runs import Run
from mlspring.homeworks.hw06_gan import samples
from mlspring.homeworks.hw06_gan.data import Data
from mlspring.homeworks.hw06_gan.features import Pixels
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.kit import device
from mlspring.kit.seeding import generator


def predict(recipe: Recipe, data: Data, run: Run) -> Pixels:
    """Return generated faces, uint8 (1000, 64, 64, 3): all that come, none chosen."""
    hardware = device.choose_for(run, work="conv")
    network = samples.finished(recipe, run, hardware)
    stream = generator(run.request.seed, "submission")
    latents = samples.draw_latents(network, len(data.test_ids), stream)
    return samples.draw_pictures(network, latents, hardware)
