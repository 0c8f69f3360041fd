"""The classifiers at hand: shipped, published, or trained at first use and kept.

home()/classifiers/1f0c9a77d2e4b861/     hash of name, training and pictures
    checkpoints/member-0.safetensors     weights; a resumable state while it is in training
    log.jsonl                            its learning curve
    classifier.json                      accuracy: written last
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import nn
from torch.nn import functional as F

from mlspring.core.errors import DataError, RecipeError
from mlspring.core.files import home, read_json, write_json
from mlspring.core.kept import kept
from mlspring.core.picture_arrays import fingerprint
from mlspring.core.progress import say
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw10_attack import models
from mlspring.homeworks.hw10_attack.cifar_resnet import read_given
from mlspring.homeworks.hw10_attack.data import FETCH, NUM_CLASSES, Data
from mlspring.homeworks.hw10_attack.models import Classifier
from mlspring.homeworks.hw10_attack.recipe import GIVEN, ClassifierTraining, NetworksKnobs
from mlspring.kit import checkpoint, device, image_augment, labelled_split
from mlspring.kit.batches import EpochBatches
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.labelled_split import Split
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, generator, seed_everything
from mlspring.kit.state import clip_gradients, with_adamw
from mlspring.kit.training import Bookkeeper

FOLDER = Path(__file__).parent
SHIPPED = FOLDER / "proxies"
VERSION = 1  # of the way that a classifier is trained; part of its folder's name
SEED = 0  # of weights and batches, with the network's name
CLIP_NORM = 5.0
MAKE = "python -m benchmarks.networks_hw10"


def open_networks(
    names: Sequence[str],
    knobs: NetworksKnobs,
    data: Data,
    request: Request,
    hardware: Hardware,
    ranks: Ranks = ALONE,
) -> dict[str, Classifier]:
    """Return classifiers by name, frozen and on the device; those that are missing are trained.

    Of several processes that ask at once one trains and the others wait.

    Raises:
        DataError: there are no pictures to train on, or a published file is missing or damaged.
        RecipeError: shipped weights are asked for on pictures of other classes.
    """
    networks = {}
    for name in names:
        if name in GIVEN:
            network = read_given(name, _given_file(name, data), FETCH)
        elif knobs.source == "shipped":
            network = _shipped(name, data)
        else:
            network = _trained(name, knobs, data, request, ranks)
        networks[name] = hardware.to_device(network.eval().requires_grad_(False))
    return networks


def _given_file(name: str, data: Data) -> Path:
    if name not in data.given:
        file = f"pretrained/{name.removeprefix('given/')}*.th"
        expected = "published weights beside the pictures, or no given/ in networks.proxies"
        raise DataError(f"the data have no {file}", expected=expected, fix=FETCH)
    return data.given[name]


def _shipped(name: str, data: Data) -> Classifier:
    if not data.is_painted:
        found = "networks.source = 'shipped', but these networks know the painted classes alone"
        raise RecipeError(found, fix="--set networks.source=trained, or a recipe of laptop/")
    network = models.build(name)
    fix = f"--set networks.source=trained trains it now; {MAKE} trains and writes all"
    checkpoint.load_weights(SHIPPED / f"{name}.safetensors", network, fix=fix)
    return network


def _trained(
    name: str, knobs: NetworksKnobs, data: Data, request: Request, ranks: Ranks
) -> Classifier:
    if len(data.train_labels) == 0 or len(data.valid_labels) == 0:
        raise DataError(
            f"there are no pictures to train {name!r} on",
            expected="training/<class>/*.png beside the benign pictures, or a zip in cifar10/",
            fix="or attack published networks alone: --set 'networks.proxies=[\"given/resnet20\"]'",
        )
    training = training_of(knobs)
    folder = folder_of(name, training, data)
    if ranks.is_main:
        hardware = device.choose(request.device, request.precision, work="conv")
        make_classifier(name, models.build, training, data, folder, hardware)
    ranks.wait()
    network = models.build(name)
    file = folder / "checkpoints" / "member-0.safetensors"
    fix = f"remove {folder}; the next run trains the network anew"
    checkpoint.load_weights(file, network, fix=fix)
    return network


def training_of(knobs: NetworksKnobs) -> ClassifierTraining:
    """Return the numbers of ``classifiers/<training>.toml``, for as many steps as asked for."""
    file = FOLDER / "classifiers" / f"{knobs.training}.toml"
    return load_recipe(ClassifierTraining, file, [f"steps={knobs.steps}"])


def folder_of(name: str, training: ClassifierTraining, data: Data) -> Path:
    """Return where a trained classifier is kept, whether or not it is there yet."""
    numbers = training.model_dump(exclude={"checkpoint_seconds", "validate_every"})
    learnt = (data.train_images, data.train_labels, data.valid_images, data.valid_labels)
    parts = [VERSION, name, numbers, fingerprint(*learnt)]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return home() / "classifiers" / digest[:16]


def make_classifier(
    name: str,
    build: Callable[[str], Classifier],
    training: ClassifierTraining,
    data: Data,
    folder: Path,
    hardware: Hardware,
) -> float:
    """Train the network called ``name`` in ``folder``, unless it is there; return its accuracy.

    A training that was stopped goes on where it stood.
    """
    made = folder / "classifier.json"
    request = Request(homework="hw10", recipe=name, seed=SEED)
    with kept(folder, request, doing=f"training {name}") as run:
        if not made.exists():
            seed_everything(SEED, "weights", name)
            accuracy = train_classifier(build(name), training, data, run, hardware)
            write_json(made, {"name": name, "accuracy": accuracy})
            say(f"{name}: {accuracy:.3f} of the held-out pictures, kept in {folder}")
    return float(read_json(made)["accuracy"])


def train_classifier(
    network: Classifier, training: ClassifierTraining, data: Data, run: Run, hardware: Hardware
) -> float:
    """Train one classifier, from its last state if it has one; return its held-out accuracy."""
    split = labelled_split.by_part(data, hardware)
    name = run.request.recipe
    state = with_adamw(hardware.to_device(network.body).train(), training)
    batches = EpochBatches(split.train, training.batch_size, derive_seed(SEED, name))
    with Bookkeeper(run, 0, state, training, training.steps, ALONE, f"train {name}") as books:
        for step in books.steps():
            # batch, augmented
            rows = batches.rows(step)
            pixels, labels = split.pixels.index_select(0, rows), split.labels[rows]
            stream = generator(SEED, name, "augment", step)
            draws = image_augment.draw(training.augment, batches.size, stream)
            images, targets = image_augment.prepare(
                pixels, labels, NUM_CLASSES, draws, slice(0, batches.size)
            )

            # forward, loss, backward, clip
            with hardware.autocast():
                logits = state.model(hardware.images_to_device(images)).float()
            loss = F.cross_entropy(logits, targets, label_smoothing=training.label_smoothing)
            state.optimizer.zero_grad()
            loss.backward()
            clip_gradients(state.model, CLIP_NORM)

            # step
            rate = set_learning_rate(state.optimizer, training, step, training.warmup_steps)
            state.optimizer.step()
            state.update_average(step)

            # validate
            hits = (logits.argmax(1) == labels).float().mean()
            books.add(train__loss=loss.detach(), train__accuracy=hits)
            if books.validates():
                measured = _measure(state.final, split, hardware)
                books.log(epoch=batches.epochs(step), **measured, learning_rate=rate)
            if books.due():
                books.save()
        accuracy = measured["valid__accuracy"]
        metadata = {"network": name, "accuracy": accuracy, "steps": training.steps}
        checkpoint.save_weights(weights_path(run, 0), Classifier(state.final), metadata)
        books.finish()
    return accuracy


def _measure(model: nn.Module, split: Split, hardware: Hardware) -> dict[str, float]:
    return labelled_split.measure(*labelled_split.predict_held_out(model, split, hardware))
