"""Scores beside what is known of their pictures, for the figures: after training and prediction.

Of the world it is known what is wrong with each test picture. Of other data nobody knows it here;
then held-out normal pictures stand beside the same with a fault planted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlspring.core.runs import Run
from mlspring.homeworks.hw08_anomaly import submission
from mlspring.homeworks.hw08_anomaly.data import Data
from mlspring.homeworks.hw08_anomaly.predict import SCORE, examine, finished, suspicion, to_images
from mlspring.homeworks.hw08_anomaly.recipe import Recipe
from mlspring.homeworks.hw08_anomaly.spec import SPEC
from mlspring.homeworks.hw08_anomaly.train import held_out
from mlspring.kit import device
from mlspring.worlds.faces.anomaly_world import NORMAL, kinds_of_test

PLANTED = "a box turned"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Pictures whose truth is known.

    Args:
        scores: of each, float64 (n,).
        kinds: what is wrong with each, ``normal`` or the name of a kind, (n,).
        images: their pixels as the network sees them, (n, 3, s, s), values -1 .. 1; a world's are
            uint8 (n, 64, 64, 3).
    """

    scores: NDArray[np.float64]
    kinds: NDArray[np.str_]
    images: Tensor

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which are anomalies, (n,)."""
        return self.kinds != NORMAL

    def of_kind(self, kind: str) -> NDArray[np.float64]:
        """Return the scores of the pictures of a kind."""
        return self.scores[self.kinds == kind]


def judge(run: Run, recipe: Recipe, data: Data) -> Judged:
    """Return the world's test pictures with the scores handed in, or held-out ones with faults."""
    if data.is_world:
        ids = [str(row) for row in range(len(data.test))]
        scores = submission.read(run.folder / SPEC.submission_name, ids)
        kinds = np.array(kinds_of_test(0, len(ids)))
        return Judged(scores=scores, kinds=kinds, images=torch.from_numpy(data.test))
    hardware = device.choose_for(run, work=recipe.work)
    model = finished(run, 0, recipe, hardware)
    parts = held_out(data, recipe.data.image_size, hardware)
    found = [
        examine(model, part.__getitem__, len(part), recipe.score, hardware)[:, SCORE].double()
        for part in parts
    ]
    kinds = np.repeat([NORMAL, PLANTED], len(parts[0]))
    return Judged(scores=torch.cat(found).numpy(), kinds=kinds, images=torch.cat(parts).cpu())


@torch.inference_mode()
def maps(
    run: Run, recipe: Recipe, judged: Judged, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pictures (k, s, s, 3), values 0 .. 1, and how suspicious their places are."""
    hardware = device.choose_for(run, work=recipe.work)
    model = finished(run, 0, recipe, hardware)
    images = judged.images[torch.from_numpy(rows)]
    if images.dtype == torch.uint8:
        images = to_images(images, recipe.data.image_size, hardware)
    images = hardware.images_to_device(images)
    with hardware.autocast():
        seen = model(images)
    found = suspicion(images, seen, recipe.score.by)
    pixels = (images.permute(0, 2, 3, 1) + 1) / 2
    return pixels.cpu().double().numpy(), found.cpu().double().numpy()
