"""Homework 12 with two secret episodes, a policy of a few weights, and recipes of a few steps."""

from pathlib import Path

import numpy as np

from mlspring.homeworks.hw12_lander import submission
from mlspring.worlds import landings
from mlspring.worlds.lander import environment, episodes
from mlspring.worlds.lander.policy import Policy

NUM_SECRET = 2
IDS = ["1", "2", "3", "4", "5"]  # of the judge's episodes


def write_rules(folder: Path) -> Path:
    """Write a folder in the layout of one's own, with the course's rules."""
    folder.mkdir(parents=True)
    landings.write_rules(folder)
    return folder


def write_answers(path: Path) -> Path:
    """Write the judge's five episodes and two secret ones."""
    folder = path.parent / f"{path.stem}-made"
    folder.mkdir(exist_ok=True)
    landings.write([landings.make(0, 0, NUM_SECRET)], folder, folder)
    (folder / "answers.csv").rename(path)
    return path


def policy(seed: int = 0, units: int = 8) -> Policy:
    """Return a policy of random weights; it crashes within some seventy steps."""
    rng = np.random.default_rng(seed)
    shapes = ((units, environment.NUM_OBSERVED), (environment.NUM_ACTIONS, units))
    return Policy(
        weights=[rng.normal(0, 0.5, shape).astype(np.float32) for shape in shapes],
        biases=[np.zeros(shape[0], np.float32) for shape in shapes],
        activation="tanh",
    )


def played() -> list[list[int]]:
    """Return what a random policy does in the judge's episodes."""
    made = episodes.play_consecutive(policy().greedy, landings.SEED, landings.NUM_EPISODES)
    return [episode.actions.tolist() for episode in made]


def write_played(answers: Path, path: Path) -> Path:
    """Write a submission that is valid: these lists, and the policy."""
    actions = tuple(np.array(actions) for actions in played())
    submission.write(path, IDS, submission.HandedIn(actions=actions, policy=policy()))
    return path


def notebook_file(lists: list[list[object]], path: Path) -> Path:
    """Write lists as the course's notebook does."""
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    np.save(path, array, allow_pickle=True)
    return path


# A few short episodes: what a test may spend.
SMALL = (
    "collect.num_envs=4",
    "collect.horizon=8",
    "collect.held_out=3",
    "model.hidden=[8]",
    "replay.learning_starts=64",
    "replay.capacity=200",
    "train.batch_size=16",
    "train.steps=24",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)
