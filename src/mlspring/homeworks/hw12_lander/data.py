"""The rules of the game: the built-in ones, or a folder of one's own with other episodes.

    DIR/environment.json    {"environment": "LunarLander-v3", "seed": 543, "episodes": 5,
                             "max_steps": 1000}

The course ships no data: its judge plays five episodes, the consecutive resets after one seeding
with 543. A folder of one's own names another seed, or another number of episodes.
"""

import shutil
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from mlspring.core.errors import DataError
from mlspring.core.files import read_json
from mlspring.core.recipe import Section
from mlspring.core.source import Source
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.worlds.lander import episodes, pictures
from mlspring.worlds.lander.environment import ACTIONS, MAX_STEPS, Actions, Floats, versions
from mlspring.worlds.lander.fast_env import NAME
from mlspring.worlds.landings import FILE, landings_world
from mlspring.worlds.world import World


class Data(Section):
    """The content of ``environment.json``: which episodes are played for the test."""

    environment: Literal["LunarLander-v3"] = Field(description="as Gymnasium registers it")
    seed: int = Field(ge=0, lt=2**63, description="of the one seeding before the test episodes")
    episodes: int = Field(ge=1, le=100, description="consecutive test episodes")
    max_steps: Literal[1000] = Field(description="after which one is truncated, as the judge does")

    @property
    def ids(self) -> list[str]:
        """Of the test episodes, in order: ``1``, ``2`` ..."""
        return [str(number) for number in range(1, self.episodes + 1)]


def world() -> World:
    """Return the built-in data set of the homework."""
    return landings_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the rules of ``source``.

    Raises:
        DataError: ``environment.json`` is missing, damaged, of another environment, or of episodes
            that the judge does not play.
    """
    return _read(source.folder)


def test_ids(source: Source) -> list[str]:
    """Return the ids of the test episodes, in order."""
    return _read(source.folder).ids


def describe(data: Data) -> dict[str, str]:
    """Return the data card: the environment's versions, and what an episode is."""
    packages = versions()
    del packages["environment"]
    return {
        "environment": ", ".join([NAME, *(f"{k} {v}" for k, v in packages.items())]),
        "observation": "8 numbers: x, y, their speeds, angle and its speed, contact of each leg",
        "actions": ", ".join(f"{i} {name}" for i, name in enumerate(ACTIONS)),
        "an episode": f"ends at rest (+100), in a crash or out of view (-100), or after "
        f"{MAX_STEPS:,} steps",
        "test episodes": f"{data.episodes} consecutive resets after one seeding with {data.seed}",
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return the first test episode with one action at every step: a row of frames each.

    Raises:
        MachineError: Gymnasium or pygame is not installed.
    """
    rows = {}
    for action, name in enumerate(ACTIONS):
        policy = partial(_always, action)
        (episode,) = episodes.play_consecutive(policy, data.seed, num_episodes=1)
        stride = -(-len(episode.actions) // 11)  # twelve pictures with the last one
        frames = pictures.frames([episode.actions], data.seed, 0, stride=stride, sparks=False)
        rows[f"always {action}: {name}"] = np.stack([np.asarray(frame) for frame in frames])
    return rows


def _always(action: int, observations: Floats) -> Actions:
    return np.full(len(observations), action)


def export(world_folder: Path, to: Path) -> None:
    """Write the rules under ``to``; the seeds of the secret episodes stay with the judge."""
    to.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(world_folder / "public" / FILE, to / FILE)


def _read(folder: Path) -> Data:
    path = folder / FILE
    fix = "see: mlspring data hw12 --export DIR for an example"
    if not path.is_file():
        raise DataError("is missing", file=path, expected="the rules of the episodes", fix=fix)
    try:
        return Data.model_validate(read_json(path))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"]) or "the file"
        found = f"{key}: {problem['msg']}, found {problem['input']!r:.60}"
        raise DataError(found, file=path, fix=fix) from error
