"""Train the networks of homework 10 on its world and write them into the package.

    python -m benchmarks.networks_hw10 [NAME ...] [--steps N]

Without names: all proxies and all of the judge's networks. Each is trained once and kept in
MLSPRING_HOME; a training that was stopped goes on. Written are half-precision weights, the proxies'
into ``proxies/`` and the judge's into ``sealed/`` of the homework's folder.
"""

import argparse
from pathlib import Path

from mlspring.core.recipe import load_recipe
from mlspring.core.source import Source
from mlspring.homeworks.hw10_attack import data, models, networks, sealed
from mlspring.homeworks.hw10_attack.models import Classifier
from mlspring.homeworks.hw10_attack.recipe import Recipe
from mlspring.kit import checkpoint, device
from mlspring.worlds.world import build

# Updates where they differ from the recipes' networks.steps.
STEPS = {"inverted": 600}


def main() -> None:
    """Train what is named, write it, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of networks; default: all")
    parser.add_argument("--steps", type=int, help="updates of each; default: as they shipped")
    given = parser.parse_args()
    recipe = load_recipe(Recipe, networks.FOLDER / "recipes" / "world" / "boss.toml")
    pictures = data.load(Source(kind="world", folder=build(data.world()) / "public"), recipe)
    hardware = device.choose("auto", "auto", work="conv")
    places = dict.fromkeys(models.PROXIES, (models.build, networks.SHIPPED))
    places |= dict.fromkeys(sealed.SEALED, (sealed.build, sealed.FOLDER))
    if unknown := sorted(set(given.names) - set(places)):
        parser.error(f"no network {unknown[0]!r}; there are {', '.join(places)}")
    for name in given.names or places:
        make, to = places[name]
        steps = given.steps or STEPS.get(name, recipe.networks.steps)
        training = networks.training_of(recipe.networks.model_copy(update={"steps": steps}))
        folder = networks.folder_of(name, training, pictures)
        accuracy = networks.make_classifier(name, make, training, pictures, folder, hardware)
        target = Path(to) / f"{name}.safetensors"
        write_halves(folder / "checkpoints" / "member-0.safetensors", make(name), target)
        print(f"{name}: {accuracy:.4f} held out, {target.stat().st_size:,} bytes")


def write_halves(file: Path, network: Classifier, to: Path) -> None:
    """Write finished weights, those in ``file``, in half precision, as the package has them."""
    checkpoint.load_weights(file, network)
    checkpoint.save_weights(to, network.half(), checkpoint.read_metadata(file))


if __name__ == "__main__":
    main()
