"""Mean total reward: of the judge's five episodes (public), and of secret ones (private).

Public, as in the course: each action list is played in its episode, and counts only if the episode
is done exactly at the list's last action; a submission without lists lets its policy play. Private:
the policy plays episodes that nobody has seen. Five known episodes can be learnt by heart; there a
list, which cannot see where it is, is played as it stands, and then nothing is done.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.answers import Answers, read_answers
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.score import Score
from mlspring.homeworks.hw12_lander import environment
from mlspring.homeworks.hw12_lander import submission as file_format

HEADER = ("id", "seed")
MAX_SEED = 2**63 - 1


def score(submission: Path, answers: Path) -> Score:
    """Return the mean total rewards of ``submission``; pure: the same files, the same score.

    ``details`` holds the 95 % interval of the private mean, normal approximation over episodes, and
    the number of secret episodes.

    Raises:
        SubmissionError: the learner's file is not in the format, or a list ends before its episode
            or goes on after it; names the list and the step.
        DataError: the answers are not ``id,seed,Usage``, or their public rows are not the
            consecutive episodes of one seed.
    """
    key = read_answers(answers, header=HEADER)
    handed_in = file_format.read(submission, _public_ids(key))
    seeds = key.table.integers(1, 0, MAX_SEED)
    judge_seed = _judge_seed(seeds[key.is_public], answers)
    if handed_in.actions is not None:
        public = _replayed(handed_in.actions, judge_seed, submission)
    else:
        played = environment.play_consecutive(
            handed_in.policy.greedy, judge_seed, int(key.is_public.sum())
        )
        public = [episode.total for episode in played]
    secret = seeds[~key.is_public].tolist()
    if handed_in.policy is not None:
        totals = environment.play_seeded(handed_in.policy.greedy, secret)[:, 0]
    else:
        totals = environment.replay_seeded(handed_in.actions, secret)
    low, high = interval(totals)
    return Score(
        public=float(np.mean(public)),
        private=float(totals.mean()),
        details={
            "private_low": low,
            "private_high": high,
            "private_episodes": float(len(totals)),
        },
    )


def interval(totals: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of ``totals``, (n,): mean +- 1.96 s / sqrt(n)."""
    spread = float(totals.std(ddof=1)) if len(totals) > 1 else 0.0
    half = 1.96 * spread / len(totals) ** 0.5
    return float(totals.mean()) - half, float(totals.mean()) + half


def answer_ids(answers: Path) -> list[str]:
    """Return the ids of the episodes that a submission has lists for."""
    return _public_ids(read_answers(answers, header=HEADER))


def _public_ids(key: Answers) -> list[str]:
    return [name for name, public in zip(key.ids, key.is_public, strict=True) if public]


def _judge_seed(seeds: NDArray[np.int64], answers: Path) -> int:
    """Return the one seed of the public rows."""
    if (seeds != seeds[0]).any():
        expected = "one seed: consecutive resets after one seeding"
        raise DataError("the public rows have several seeds", file=answers, expected=expected)
    return int(seeds[0])


def _replayed(lists: tuple[NDArray[np.int64], ...], seed: int, submission: Path) -> list[float]:
    """Return the total reward of each list in its episode."""
    replays = environment.replay_consecutive(lists, seed)
    for number, (actions, replay) in enumerate(zip(lists, replays, strict=False), start=1):
        if replay.done and replay.num_steps == len(actions):
            continue
        found = f"list {number} is over at step {len(actions)}, before its episode is done"
        if replay.done:
            found = f"list {number} has {len(actions)} actions, its episode took {replay.num_steps}"
        raise SubmissionError(
            found,
            file=submission,
            expected="an episode that is done exactly at the last action",
            fix=f"seed once with {seed}, then reset before each list; physics differ between "
            "versions and processors: hand the policy in as well, without lists",
        )
    return [replay.total for replay in replays]
