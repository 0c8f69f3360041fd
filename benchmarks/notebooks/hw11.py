"""Homework 11 as the notebook trains it: one picture at a time from disk, three optimizers in turn.

    python -m benchmarks.notebooks.hw11 DIR --level simple

The hints are another weight of the adversary (medium), drawings of equal classes (strong), and
pseudo-labels of a teacher with several networks, one after another (boss). The notebook seeks edges
with OpenCV anew for every item; here they are sought once, before the clock starts, which favours
the notebook. The score is the accuracy on photos held out, which says nothing of drawings.
"""

import copy
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset

from benchmarks.notebooks.way import Way, move_average, run
from mlspring.homeworks.hw11_adaptation import edges, models, transform
from mlspring.homeworks.hw11_adaptation.losses import drawing_terms, reversal_weight
from mlspring.homeworks.hw11_adaptation.recipe import DataKnobs


class Pictures(Dataset):
    """Opens and resizes a file whenever an item is asked for; photos are shown by their edges."""

    def __init__(self, files: list[Path], knobs: DataKnobs, *, augment: bool) -> None:
        self.files, self.size, self.augment = files, knobs.image_size, augment
        self.lines: dict[Path, Image.Image] = {}
        for file in files:
            if file.parent.parent.name == "train_data":
                grey = torch.from_numpy(np.array(self.opened(file)))[None]
                canny = edges.canny(grey, knobs.edge_blur, knobs.edge_low, knobs.edge_high)
                self.lines[file] = Image.fromarray(canny[0].numpy())

    def opened(self, file: Path) -> Image.Image:
        """Return a file as a grey picture."""
        with Image.open(file) as image:
            return image.convert("L").resize((self.size, self.size), Image.Resampling.BILINEAR)

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int, Tensor]:
        """Return one picture (1, s, s) in [0, 1], the number of its folder, and it unchanged."""
        file = self.files[index]
        image = plain = self.lines.get(file, self.opened(file))
        if self.augment:
            if random.random() < transform.FLIP:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            angle = random.uniform(-transform.ROTATE, transform.ROTATE)
            image = image.rotate(angle, Image.Resampling.NEAREST)
        pixels, unchanged = (
            torch.from_numpy(np.array(picture))[None].float() / 255 for picture in (image, plain)
        )
        return pixels, int(file.parent.name), unchanged


def train(way: Way) -> None:
    """Train each network with the level's numbers."""
    recipe, root = way.recipe, way.folder / "real_or_drawing"
    photos = sorted((root / "train_data").glob("*/*.bmp"))
    random.shuffle(photos)
    num_held = round(recipe.data.hold_out * len(photos))
    photo_set = Pictures(photos, recipe.data, augment=True)
    plain_set = Pictures(photos[:num_held], recipe.data, augment=False)
    drawings = sorted((root / "test_data").glob("*/*.bmp"))
    drawing_set = Pictures(drawings, recipe.data, augment=True)
    num_classes = len({file.parent.name for file in photos})
    way.start_clock()
    batch = {"batch_size": recipe.train.batch_size, "shuffle": True, "drop_last": True}
    photo_loader = DataLoader(Subset(photo_set, range(num_held, len(photos))), **batch)
    drawing_loader = DataLoader(drawing_set, **batch)
    valid_loader = DataLoader(plain_set, batch_size=recipe.train.batch_size)
    way.rounds = recipe.train.members
    for _ in range(way.rounds):
        train_network(way, photo_loader, drawing_loader, valid_loader, num_classes)


class Both:
    """Batches of photos and drawings side by side; an epoch is as long as the shorter loader."""

    def __init__(self, photos: DataLoader, drawings: DataLoader) -> None:
        self.loaders = photos, drawings

    def __iter__(self):
        """Yield photos, their labels, drawings, and the drawings unchanged."""
        for (photos, labels, _), (drawings, _, plain) in zip(*self.loaders, strict=False):
            yield photos, labels, drawings, plain


def train_network(
    way: Way, photos: DataLoader, drawings: DataLoader, held_out: DataLoader, num_classes: int
) -> None:
    """Train extractor, label predictor and domain classifier of one network."""
    knobs, adapt, width = way.recipe.train, way.recipe.adapt, way.recipe.model.width
    extract = models.PlainExtractor(width).to(way.device)
    classify = models.LabelPredictor(8 * width, num_classes).to(way.device)
    domain = models.DomainClassifier(8 * width).to(way.device)
    network = nn.Sequential(extract, classify)
    average = copy.deepcopy(network).eval() if knobs.ema_decay else network
    optimizers = [
        torch.optim.AdamW(part.parameters(), knobs.learning_rate, weight_decay=knobs.weight_decay)
        for part in (extract, classify, domain)
    ]
    batches = Both(photos, drawings)
    for step, (source, labels, target, plain) in way.updates(batches, knobs.steps):
        for optimizer in optimizers:
            way.set_rate(optimizer, step)
            optimizer.zero_grad()
        progress = (step - 1) / knobs.steps
        features = extract(torch.cat([source, target]))
        is_source = torch.zeros(len(features), 1, device=way.device)
        is_source[: len(source)] = 1
        loss = F.binary_cross_entropy_with_logits(domain(features.detach()), is_source)
        loss.backward()
        optimizers[2].step()
        logits = classify(features)
        loss = F.cross_entropy(logits[: len(source)], labels)
        fooled = F.binary_cross_entropy_with_logits(domain(features), is_source)
        loss = loss - reversal_weight(adapt, progress) * fooled
        if progress >= adapt.start:
            taught = teach(average, plain) if adapt.pseudo else None
            terms = drawing_terms(logits[len(source) :], taught, adapt, progress)
            loss = loss + sum(terms.values())
        loss.backward()
        optimizers[0].step()
        optimizers[1].step()
        if knobs.ema_decay:
            move_average(average, network, knobs.ema_decay, step)
        if way.validates(step):
            pairs = ((images, labels) for images, labels, _ in held_out)
            way.validated(way.accuracy(average, pairs))
            network.train()


@torch.no_grad()
def teach(average: nn.Module, plain: Tensor) -> Tensor:
    """Return the moving average's logits of unchanged drawings."""
    average.eval()
    return average(plain)


if __name__ == "__main__":
    run("hw11", train)
