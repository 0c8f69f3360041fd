"""Estimators against numbers computed by hand, and against each other."""

import numpy as np
import pytest

from mlspring.homeworks.hw12_lander.methods.advantages import (
    discounted_returns,
    generalised_advantages,
    standardised,
)

REWARDS = np.array([[1.0], [2.0], [4.0], [8.0]])
NEVER = np.zeros((4, 1), bool)


def at(*steps: int) -> np.ndarray:
    marks = NEVER.copy()
    marks[list(steps)] = True
    return marks


def test_discounted_returns_by_hand() -> None:
    assert discounted_returns(REWARDS, at(3), 0.5)[:, 0].tolist() == [4.0, 6.0, 8.0, 8.0]
    assert discounted_returns(REWARDS, at(3), 1.0)[:, 0].tolist() == [15.0, 14.0, 12.0, 8.0]


def test_an_unfinished_episode_ends_with_its_last_reward() -> None:
    """The last step of a rollout counts its own reward, though no episode ended there."""
    assert discounted_returns(REWARDS, NEVER, 0.5)[:, 0].tolist() == [4.0, 6.0, 8.0, 8.0]
    assert discounted_returns(REWARDS, NEVER, 0.0).tolist() == REWARDS.tolist(), "v0"


def test_an_episode_s_end_stops_the_sum() -> None:
    """A sum over the joined batch would give the first episode the second's rewards."""
    assert discounted_returns(REWARDS, at(1, 3), 0.5)[:, 0].tolist() == [2.0, 2.0, 8.0, 8.0]


def test_environments_do_not_mix() -> None:
    rewards = np.concatenate((REWARDS, 10 * REWARDS), 1)
    ended = np.concatenate((at(1, 3), at(3)), 1)
    found = discounted_returns(rewards, ended, 0.5)
    assert found[:, 0].tolist() == [2.0, 2.0, 8.0, 8.0]
    assert found[:, 1].tolist() == [40.0, 60.0, 80.0, 80.0]


def test_generalised_advantages_by_hand() -> None:
    """Gamma 0.5, lambda 0.5; the last step terminated, so nothing follows it.

    delta = r + 0.5 V' - V = (1 + 1.5 - 2, 2 + 2 - 3, 4 + 0.5 - 4, 8 - 1) = (0.5, 1, 0.5, 7);
    A3 = 7, A2 = 0.5 + 0.25 * 7 = 2.25, A1 = 1 + 0.25 * 2.25 = 1.5625, A0 = 0.890625.
    """
    values = np.array([[2.0], [3.0], [4.0], [1.0]])
    following = np.array([[3.0], [4.0], [1.0], [99.0]])
    found = generalised_advantages(REWARDS, values, following, at(3), at(3), 0.5, 0.5)
    assert found[:, 0].tolist() == [0.890625, 1.5625, 2.25, 7.0]


def test_a_cut_episode_is_worth_what_the_critic_says_of_its_rest() -> None:
    values, following = np.zeros((4, 1)), np.full((4, 1), 10.0)
    cut = generalised_advantages(REWARDS, values, following, NEVER, at(1), 0.5, 1.0)
    terminated = generalised_advantages(REWARDS, values, following, at(1), at(1), 0.5, 1.0)
    assert cut[1, 0] == 2.0 + 5.0
    assert terminated[1, 0] == 2.0
    assert (cut[2:] == terminated[2:]).all(), "what comes later is another episode"


def test_lambda_one_is_the_return_less_the_critic() -> None:
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(2, 30, 3))
    ended = rng.random((30, 3)) < 0.2
    ended[-1] = True
    following = np.roll(values, -1, 0)
    found = generalised_advantages(rewards, values, following, ended, ended, 0.9, 1.0)
    assert found == pytest.approx(discounted_returns(rewards, ended, 0.9) - values)


def test_lambda_zero_is_one_step_and_the_critic() -> None:
    rng = np.random.default_rng(1)
    rewards, values, following = rng.normal(size=(3, 9, 2))
    found = generalised_advantages(
        rewards, values, following, np.zeros((9, 2), bool), np.zeros((9, 2), bool), 0.9, 0.0
    )
    assert found == pytest.approx(rewards + 0.9 * following - values)


def test_a_perfect_critic_leaves_no_advantage() -> None:
    values = discounted_returns(REWARDS, at(3), 0.5)
    following = np.append(values[1:], [[0.0]], 0)
    found = generalised_advantages(REWARDS, values, following, at(3), at(3), 0.5, 0.7)
    assert found == pytest.approx(0.0)


def test_standardised() -> None:
    found = standardised(np.array([1.0, 3.0]))
    assert found == pytest.approx([-1.0, 1.0])
    assert standardised(np.array([5.0, 5.0])).tolist() == [0.0, 0.0]
