"""Where the network comes from: trained in the run, trained once and kept, or given.

home()/explained/1f0c9a77d2e4b861/    hash of its recipe, its pictures and the seed
    checkpoints/member-0.safetensors  weights; a resumable state while it is in training
    log.jsonl                         its learning curve
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.errors import DataError, RunError
from mlspring.core.files import home
from mlspring.core.kept import kept
from mlspring.core.progress import say
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw09_explain import models
from mlspring.homeworks.hw09_explain.data import NUM_CLASSES, Data
from mlspring.homeworks.hw09_explain.models import FoodCNN, OnPixels
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.evaluate import accuracy
from mlspring.kit.given_checkpoint import read_state_dict
from mlspring.kit.image_augment import MEAN, STD

VERSION = 1  # of the way that a network is trained and kept; part of its folder's name
OWN = {"mean": MEAN, "std": STD}  # how pixels of 0 .. 1 are normalised in our training
GIVEN = {"mean": 0.0, "std": 1.0}  # in the course's (HW09 notebook): not at all

Make = Callable[[Run], int]


def keep(folder: Path, number: int, model: nn.Module, run: Run, make: Make) -> int:
    """Put a kept network into ``run``, trained by ``make`` where it is the first to need it.

    Of several processes that ask at once one works and the others wait; a training that was stopped
    goes on where it stood. Returns what ``make`` did, the items it saw; 0 where it had no work.

    Args:
        folder: where it is kept, from ``folder_of``.
        number: of the network in its own folder and in ``run``.
        model: of its kind; its weights are overwritten.
        run: gets weights and log.
        make: trains it in the folder's own run.
    """
    trained, request = 0, Request(homework="hw09", recipe="network", seed=run.request.seed)
    with kept(folder, request, doing="training the network") as place:
        weights = weights_path(place, number)
        if not weights.exists():
            trained = make(place)
            say(f"the network is kept in {folder}")
        fix = f"remove {folder}; the next run trains the network anew"
        checkpoint.load_weights(weights, model, fix=fix)
        metadata = checkpoint.read_metadata(weights)
        run.rewind_log(lambda entry: entry["member"] < number)
        for entry in place.read_log():
            run.log(**entry)
        checkpoint.save_weights(weights_path(run, number), model, metadata)
    return trained


def picture_folder(recipe: Recipe, data: Data, seed: int) -> Path:
    """Return where the picture network is kept, whether or not it is there yet."""
    loop = recipe.train.model_dump(exclude={"checkpoint_seconds", "validate_every"})
    shape = recipe.network.model_dump(exclude={"file", "keep"})
    pixels = hashlib.sha256(data.pictures.train_images[::97].tobytes())
    pixels.update(data.pictures.train_labels.tobytes())
    return folder_of(VERSION, seed, recipe.data.image_size, shape, loop, pixels.hexdigest())


def folder_of(*parts: Any) -> Path:
    """Return the folder of a network that depends on JSON values, and on nothing else."""
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return home() / "explained" / digest[:16]


def fresh(recipe: Recipe) -> FoodCNN:
    """Return the recipe's network with fresh weights."""
    return models.build(recipe.network, recipe.data.image_size, NUM_CLASSES)


def demand_training_pictures(data: Data) -> None:
    """Do nothing where there are pictures to train on.

    Raises:
        DataError: there are none, so a network must be given.
    """
    if not len(data.pictures.train_images):
        raise DataError(
            "the data has no training pictures",
            expected="training/ and validation/ as in Food-11, or a network that is given",
            fix=f"--set network.file={data.checkpoint or 'FILE.safetensors'}",
        )


def take_given(recipe: Recipe, data: Data, run: Run, hardware: Hardware) -> None:
    """Put the given network into ``run`` with its accuracy on the validation pictures.

    Raises:
        DataError: there is no such file, or it is damaged or of another network.
    """
    file = given_file(recipe, data)
    model = fresh(recipe)
    if file.suffix == ".safetensors":
        try:
            checkpoint.load_weights(file, model)
            metadata = OWN | checkpoint.read_metadata(file)
        except (RunError, AttributeError, TypeError, ValueError) as error:
            raise _other(file, recipe) from error
    else:
        state = read_state_dict(
            file, expected=_expected(recipe), fetch="mlspring fetch hw09", inside="model_state_dict"
        )
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            raise _other(file, recipe) from error
        metadata = GIVEN
    told = {name: float(metadata[name]) for name in ("mean", "std")}
    model = hardware.to_device(model).eval()
    right = held_out_accuracy(OnPixels(model, told["mean"], told["std"]), data, hardware)
    run.log(member=0, step=0, valid__accuracy=round(right, 5), seconds=0.0)
    checkpoint.save_weights(weights_path(run, 0), model, told | {"accuracy": right})


def given_file(recipe: Recipe, data: Data) -> Path:
    """Return the file that ``network.file`` means: as it stands, or beside the pictures.

    Raises:
        DataError: there is no such file.
    """
    name = Path(recipe.network.file).expanduser()
    if name.is_file():
        return name
    if data.checkpoint is not None and name == Path(data.checkpoint.name):
        return data.checkpoint
    raise DataError(
        "there is no such file",
        file=name,
        expected="weights to explain: .safetensors of a run of hw09, or the course's .pth",
        fix="mlspring fetch hw09, or train a network: --set network.file=",
    )


def explained(recipe: Recipe, run: Run, hardware: Hardware) -> OnPixels:
    """Return the run's network, on the device, in evaluation mode, on pixels in 0 .. 1.

    In fp32: a map is made of small differences.

    Raises:
        RunError: the weights are missing or damaged.
    """
    path, model = weights_path(run, 0), fresh(recipe)
    checkpoint.load_weights(path, model)
    told = checkpoint.read_metadata(path)
    return OnPixels(hardware.to_device(model), told["mean"], told["std"]).eval()


@torch.no_grad()
def held_out_accuracy(model: OnPixels, data: Data, hardware: Hardware) -> float:
    """Return the share of the validation pictures that ``model`` gets right."""
    pixels = torch.from_numpy(data.pictures.valid_images)
    logits = [model(hardware.images_to_device(to_unit(part))).cpu() for part in pixels.split(64)]
    return accuracy(torch.cat(logits), torch.from_numpy(data.pictures.valid_labels))


def to_unit(pixels: Tensor) -> Tensor:
    """Return uint8 pictures (n, s, s, 3) as floats (n, 3, s, s) in 0 .. 1."""
    return pixels.permute(0, 3, 1, 2).float() / 255


def _other(file: Path, recipe: Recipe) -> DataError:
    fix = "give network.blocks, channels and hidden, and data.image_size, as it was trained"
    return DataError("holds another network", file=file, expected=_expected(recipe), fix=fix)


def _expected(recipe: Recipe) -> str:
    knobs = recipe.network
    return (
        f"blocks {knobs.blocks} of {knobs.channels} channels, {knobs.hidden} hidden units, "
        f"{recipe.data.image_size} x {recipe.data.image_size} pixels"
    )
