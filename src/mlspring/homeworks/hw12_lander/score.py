"""Mean total reward: of the judge's five episodes (public), and of secret ones (private).

Public, as in the course: each action list is played in its episode, and counts only if the episode
is done exactly at the list's last action; a submission without lists lets its policy play. Private:
the policy plays episodes that nobody has seen, because five known ones can be learnt by heart.
Lists alone are played there as they stand, and then nothing is done.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core import answers as answer_table
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.score import Score
from mlspring.homeworks.hw12_lander.submission import HandedIn
from mlspring.worlds.lander import episodes
from mlspring.worlds.lander.environment import Actions

HEADER = ("id", "seed")
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class JudgedEpisodes:
    """What the judge plays."""

    ids: list[str]  # of the public episodes, for which a submission has lists
    seed: int  # the one seed of the public episodes, which are consecutive
    secret: list[int]  # seeds of the private episodes


def read_answers(path: Path) -> JudgedEpisodes:
    """Return the episodes.

    Raises:
        DataError: the answers are not ``id,seed,Usage``, or their public rows are not the
            consecutive episodes of one seed.
    """
    key = answer_table.read_answers(path, header=HEADER)
    seeds = key.table.integers(1, 0, MAX_SEED)
    public = seeds[key.is_public]
    if (public != public[0]).any():
        expected = "one seed: consecutive resets after one seeding"
        raise DataError("the public rows have several seeds", file=path, expected=expected)
    ids = [name for name, shown in zip(key.ids, key.is_public, strict=True) if shown]
    return JudgedEpisodes(ids=ids, seed=int(public[0]), secret=seeds[~key.is_public].tolist())


def score(values: HandedIn, answers: JudgedEpisodes) -> Score:
    """Return the mean total rewards; pure: the same values, the same score.

    ``details`` holds the 95 % interval of the private mean, normal approximation over episodes, and
    the number of secret episodes.

    Raises:
        SubmissionError: a list ends before its episode or goes on after it; names the list.
    """
    public, totals = [], np.zeros(0)
    if values.policy is not None:
        totals = episodes.play_seeded(values.policy.greedy, answers.secret)[:, 0]
        if values.actions is None:
            played = episodes.play_consecutive(values.policy.greedy, answers.seed, len(answers.ids))
            public = [episode.total for episode in played]
    if values.actions is not None:
        public = _replayed(values.actions, answers.seed)
        if values.policy is None:
            totals = episodes.replay_seeded(values.actions, answers.secret)
    low, high = interval(totals)
    details = {"private_low": low, "private_high": high, "private_episodes": float(len(totals))}
    return Score(public=float(np.mean(public)), private=float(totals.mean()), details=details)


def interval(totals: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of ``totals``, (n,): mean +- 1.96 s / sqrt(n)."""
    spread = float(totals.std(ddof=1)) if len(totals) > 1 else 0.0
    half = 1.96 * spread / len(totals) ** 0.5
    return float(totals.mean()) - half, float(totals.mean()) + half


def _replayed(lists: tuple[Actions, ...], seed: int) -> list[float]:
    """Return the total reward of each list in its episode."""
    try:
        return [episode.total for episode in episodes.replay_consecutive(lists, seed)]
    except ValueError as error:
        raise SubmissionError(
            str(error),
            expected="an episode that is done exactly at the last action",
            fix=f"seed once with {seed}, then reset before each list; physics differ between "
            "versions and processors: hand the policy in as well, without lists",
        ) from error
