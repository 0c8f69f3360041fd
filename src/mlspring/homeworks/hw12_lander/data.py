"""The rules of the game: the built-in ones, or a folder of one's own with other episodes.

    DIR/environment.json    {"environment": "LunarLander-v3", "seed": 543, "episodes": 5,
                             "max_steps": 1000}

The course ships no data: its judge plays five episodes, the consecutive resets after one seeding
with 543. A folder of one's own names another seed, or another number of episodes.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from mlspring.core.errors import DataError
from mlspring.core.files import read_json
from mlspring.core.recipe import Section
from mlspring.core.source import Source
from mlspring.homeworks.hw12_lander.environment import ACTIONS, MAX_STEPS, versions
from mlspring.homeworks.hw12_lander.fast_env import NAME
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.worlds.landings import FILE, landings_world
from mlspring.worlds.world import World


class Rules(Section):
    """The content of ``environment.json``."""

    environment: str = Field(description="name and version, as Gymnasium registers it")
    seed: int = Field(ge=0, lt=2**63, description="of the one seeding before the test episodes")
    episodes: int = Field(ge=1, le=100, description="consecutive test episodes")
    max_steps: int = Field(description="steps after which one is truncated; as the judge plays")


@dataclass(frozen=True, kw_only=True)
class Data:
    """Which episodes are played for the test, and how long one may be.

    Args:
        seed: of the one seeding before the test episodes.
        num_episodes: consecutive resets after it.
        max_steps: steps after which an episode is truncated, in training, too.
    """

    seed: int
    num_episodes: int
    max_steps: int


def world() -> World:
    """Return the built-in data set of the homework."""
    return landings_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the rules of ``source``.

    Raises:
        DataError: ``environment.json`` is missing, damaged, of another environment, or of episodes
            that the judge does not play.
    """
    rules = _rules(source.folder)
    return Data(seed=rules.seed, num_episodes=rules.episodes, max_steps=rules.max_steps)


def test_ids(source: Source) -> list[str]:
    """Return the ids of the test episodes, in order: ``1``, ``2`` ..."""
    return [str(number) for number in range(1, _rules(source.folder).episodes + 1)]


def describe(data: Data) -> dict[str, str]:
    """Return the facts of the data card."""
    packages = versions()
    del packages["environment"]
    return {
        "environment": ", ".join([NAME, *(f"{k} {v}" for k, v in packages.items())]),
        "observation": "8 numbers: x, y, their speeds, angle and its speed, contact of each leg",
        "actions": ", ".join(f"{i} {name}" for i, name in enumerate(ACTIONS)),
        "an episode": f"ends at rest (+100), in a crash or out of view (-100), or after "
        f"{data.max_steps:,} steps",
        "test episodes": f"{data.num_episodes} consecutive resets after one seeding with "
        f"{data.seed}",
    }


def export(world_folder: Path, to: Path) -> None:
    """Write the rules under ``to``; the seeds of the secret episodes stay with the judge."""
    to.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(world_folder / "public" / FILE, to / FILE)


def _rules(folder: Path) -> Rules:
    path = folder / FILE
    fix = "see: mlspring data hw12 --export DIR for an example"
    if not path.is_file():
        raise DataError("is missing", file=path, expected="the rules of the episodes", fix=fix)
    try:
        rules = Rules.model_validate(read_json(path))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise DataError(f"{key}: {problem['msg'].lower()}", file=path, fix=fix) from error
    if rules.environment != NAME:
        found = f"is about {rules.environment!r}"
        raise DataError(found, file=path, expected=repr(NAME))
    if rules.max_steps != MAX_STEPS:
        found, expected = f"max_steps is {rules.max_steps:,}", f"{MAX_STEPS}, as the judge plays"
        fix = f'write "max_steps": {MAX_STEPS}; seed and episodes may be others'
        raise DataError(found, file=path, expected=expected, fix=fix)
    return rules
