"""Playing: states that go on exactly, whole episodes, actions that are the softmax's."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
import torch

from mlspring.homeworks.hw12_lander import rollout
from mlspring.homeworks.hw12_lander.rollout import WHOLE_EPISODES, VectorEnv, empty, sampled
from mlspring.kit.distributed import ALONE, Ranks
from tests.homeworks.hw12.cases import begun, fixed_policy, greedy


def test_a_state_goes_on_to_the_last_bit() -> None:
    left_alone, stopped = begun(0, 3), begun(0, 3)
    for envs in (left_alone, stopped):
        for _ in range(3):
            envs.rollout(greedy, 37)
    resumed = VectorEnv(0, 3, ALONE)
    resumed.load_state_dict(stopped.state_dict())
    assert resumed.state_dict() == left_alone.state_dict()
    for _ in range(3):
        ours, theirs = resumed.rollout(greedy, 37), left_alone.rollout(greedy, 37)
        for field in fields(ours):
            assert (getattr(ours, field.name) == getattr(theirs, field.name)).all(), field.name
        assert resumed.state_dict() == left_alone.state_dict()
    assert (resumed.num_rollouts, resumed.num_steps) == (6, 6 * 37 * 3)


def test_totals_are_those_of_whole_episodes_across_rollouts() -> None:
    envs = begun(0, 2)
    rollouts = [envs.rollout(greedy, 17) for _ in range(12)]
    rewards = np.concatenate([r.rewards for r in rollouts])
    dones = np.concatenate([r.dones for r in rollouts])
    expected = []
    for env in range(2):
        ends = np.flatnonzero(dones[:, env]) + 1
        expected += [part.sum() for part in np.split(rewards[:, env], ends)[: len(ends)]]
    assert len(expected) >= 3
    assert sorted(total for total, _ in envs.finished) == pytest.approx(sorted(expected), rel=1e-4)
    assert {last for _, last in envs.finished} == {-100.0}
    told = envs.statistics()
    assert told["env_steps"] == 12 * 17 * 2
    assert told["train__episodes"] == len(expected)
    assert told["train__reward"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert told["train__last_reward"] == -100.0
    assert envs.statistics() == {"env_steps": 12 * 17 * 2}, "told once"


def test_the_last_observation_is_not_the_next_episode_s_first() -> None:
    given = begun(0, 1, max_steps=9).rollout(greedy, 20)
    assert given.truncated[:, 0].nonzero()[0].tolist() == [8, 17]
    assert not given.terminated.any()
    assert (given.next_observations[8] != given.observations[9]).any()
    assert (given.next_observations[7] == given.observations[8]).all()


def test_whole_episodes_are_whole() -> None:
    envs, firsts = begun(0, 4), []
    for _ in range(2):
        given = envs.rollout(greedy, WHOLE_EPISODES)
        assert (given.dones.sum(0) == 1).all()
        assert (given.valid.sum(0) == given.dones.argmax(0) + 1).all()
        assert not given.rewards[~given.valid].any(), "no step after the end"
        assert given.valid.any(1).all(), "no empty steps"
        assert envs.statistics()["train__episodes"] == 4
        firsts.append(given.observations[0])
    assert (firsts[0] != firsts[1]).any()
    assert len(np.unique(firsts[0][:, 2])) == 4, "environments have episodes of their own"


@pytest.mark.parametrize("horizon", [WHOLE_EPISODES, 25])
def test_processes_play_what_one_plays(horizon: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each its share, with the same episodes; here without the exchange between them."""
    monkeypatch.setattr(rollout, "_gather", lambda mine, _: mine)
    whole = begun(5, 5).rollout(greedy, horizon)
    for rank in range(2):
        share = begun(5, 5, ranks=Ranks(rank, 2))
        monkeypatch.setattr(share, "_keep", lambda *_: None)
        given = share.rollout(greedy, horizon)
        assert (given.rewards == whole.rewards[: len(given.rewards), share.shard]).all()


def test_rollouts_of_processes_stand_side_by_side() -> None:
    """Two threads stand for the processes; the shorter rollout is filled up."""
    parts = [empty(3, 2), empty(5, 1)]
    for number, part in enumerate(parts):
        part.valid[:] = True
        part.rewards[:] = np.arange(part.rewards.size).reshape(part.rewards.shape) + 10 * number
        part.terminated[-1] = True
    both, box = threading.Barrier(2), {}

    class Rank:
        size = 2

        def __init__(self, rank: int) -> None:
            self.rank = rank

        def gather(self, part: torch.Tensor) -> torch.Tensor:
            box[self.rank] = part
            both.wait(10)
            joined = torch.cat([box[0], box[1]])
            both.wait(10)
            return joined

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda rank: rollout._gather(parts[rank], Rank(rank)), (0, 1))
    for field in fields(first):
        assert (getattr(first, field.name) == getattr(second, field.name)).all()
    assert first.rewards.shape == (5, 3)
    assert first.observations.shape == (5, 3, 8)
    assert (first.rewards[:3, :2] == parts[0].rewards).all()
    assert (first.rewards[:, 2:] == parts[1].rewards).all()
    assert first.valid.sum(0).tolist() == [3, 3, 5]
    assert first.dones.argmax(0).tolist() == [2, 2, 4]


def test_sampled_actions_have_the_softmax_s_probabilities() -> None:
    shares = [0.1, 0.2, 0.3, 0.4]
    envs, seen = VectorEnv(0, 50, ALONE), np.zeros((50, 8), np.float32)
    uniform = envs.uniform(400)
    act = sampled(fixed_policy(np.log(shares).tolist()), uniform)
    actions = np.stack([act(seen, t) for t in range(400)])
    found = np.bincount(actions.ravel(), minlength=4) / actions.size
    assert found == pytest.approx(shares, abs=0.015)  # 4 standard errors
    assert (envs.uniform(400) == uniform).all()
    envs.num_rollouts = 1
    assert (envs.uniform(400) != uniform).any(), "each rollout has numbers of its own"
    assert (
        VectorEnv(0, 50, Ranks(1, 2)).uniform(9) == VectorEnv(0, 50, ALONE).uniform(9)[:, 25:]
    ).all()
