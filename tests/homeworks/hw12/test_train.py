"""Playing and the loops: states that go on exactly, actions that are the softmax's, recipes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw12_lander import agent, models, predict, rollout, train
from mlspring.homeworks.hw12_lander.agent import held_out_rewards, held_out_seeds, measure
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.methods import dqn, ppo
from mlspring.homeworks.hw12_lander.methods.advantages import (
    advantages_and_targets,
    discounted_returns,
    standardised,
)
from mlspring.homeworks.hw12_lander.methods.dqn import epsilon_greedy
from mlspring.homeworks.hw12_lander.models import ActorCritic
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import WHOLE_EPISODES, VectorEnv, empty, sampled
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit import device
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import derive_seed
from mlspring.worlds import landings
from mlspring.worlds.lander.fast_env import NAME
from mlspring.worlds.lander.policy import Policy
from tests.tiny.landings import SMALL, policy

WORLD = SPEC.folder / "recipes" / "world"
HARDWARE = device.choose("cpu", "fp32", work="dense")
RULES = Data(environment=NAME, seed=543, episodes=2, max_steps=1000)


def recipe(name: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, WORLD / f"{name}.toml", (*SMALL, *overrides))


def greedy(observations: np.ndarray, step: int) -> np.ndarray:
    return policy().greedy(observations)


def begun(seed: int, num_envs: int, max_steps: int = 1000, ranks: Ranks = ALONE) -> VectorEnv:
    """Return environments in their first episodes."""
    envs = VectorEnv(seed, num_envs, ranks, max_steps)
    envs.load_state_dict(None)
    return envs


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


def test_whole_episodes_make_the_critic_a_baseline_alone() -> None:
    """All rewards until the episode's end count, as in REINFORCE, less what the critic expected."""
    made = recipe("strong", "method.gae_lambda=1.0", "collect.horizon=0")
    model = agent.new_state(ActorCritic, made, 0, HARDWARE).model
    given = begun(0, 4).rollout(greedy, made.collect.horizon)
    assert not given.truncated.any()
    observations, _ = given.tensors(torch.device("cpu"))
    with torch.no_grad():
        values = model.values(observations)
    advantages, targets = advantages_and_targets(given, values, model.values, made.method)
    rewards = given.rewards * np.float32(made.method.reward_scale)
    returns = discounted_returns(rewards, given.dones, made.method.gamma)[given.valid]
    assert advantages.numpy() == pytest.approx(standardised(returns - values.numpy()), abs=1e-4)
    assert targets.numpy() == pytest.approx(returns, abs=1e-4)


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


def fixed_policy(logits: list[float]) -> Policy:
    """Return a policy with the same logits everywhere."""
    weights = [np.zeros((4, 8), np.float32)]
    return Policy(weights=weights, biases=[np.array(logits, np.float32)], activation="tanh")


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


def test_exploring_takes_a_random_action_in_its_share() -> None:
    envs = VectorEnv(0, 1000, ALONE)
    act = epsilon_greedy(fixed_policy([0.0, 0.0, 9.0, 0.0]), envs.uniform(1), 0.4)
    actions = act(np.zeros((1000, 8), np.float32), 0)
    assert (actions == 2).mean() == pytest.approx(0.7, abs=0.06)  # 0.6 + 0.4 / 4
    for other in (0, 1, 3):
        assert (actions == other).mean() == pytest.approx(0.1, abs=0.04)


def test_every_pass_sees_every_step_once_in_an_order_of_its_own() -> None:
    assert ppo.num_minibatches(64, 16) == 4
    orders = {}
    for seed in (0, 1):
        batches = ppo.minibatches(64, 16, 3, seed)
        assert [len(batch) for batch in batches] == [16] * 12
        orders[seed] = [tuple(torch.cat(batches[i : i + 4]).tolist()) for i in (0, 4, 8)]
        assert all(sorted(order) == list(range(64)) for order in orders[seed])
    assert len({*orders[0], *orders[1]}) == 6, "no two passes are alike, in whatever rollout"


def test_a_rollout_that_fills_no_minibatch_is_one() -> None:
    assert ppo.num_minibatches(12, 16) == 1
    assert [batch.tolist() for batch in ppo.minibatches(12, 16, 2, 0)] == [list(range(12))] * 2
    left_out = ppo.minibatches(40, 16, 1, 0)
    assert [len(batch) for batch in left_out] == [16, 16], "what fills no minibatch is left out"


def test_held_out_episodes_are_nobody_else_s() -> None:
    ours = set(held_out_seeds(1000))
    secret = set(landings.make(0, 0)["seeds"].tolist())
    training = {derive_seed(0, "episode", env, n) for env in range(16) for n in range(100)}
    assert not ours & (secret | {landings.SEED})
    assert not ours & training
    assert len(ours) == 1000


@pytest.mark.parametrize("name", ["simple", "medium", "strong", "boss", "dqn"])
def test_the_best_weights_are_kept(name: str, tmp_path: Path) -> None:
    made = recipe(name, "train.learning_rate=0.05")
    request = Request(homework="hw12", recipe=name, device="cpu", precision="fp32")
    run = Run.create(tmp_path, request, "")
    told = train.train(made, RULES, run)
    log = run.read_log()
    rewards = [entry["valid/reward"] for entry in log]
    assert len(rewards) == 6
    assert told.validation == max(rewards)
    assert told.items_per_second > 0
    trained = models.policy_of(predict.trained(made, run))
    played = held_out_rewards(trained, made.collect.held_out)
    assert played[:, 0].mean() == pytest.approx(max(rewards), abs=1e-4)
    handed_in = predict.predict(made, RULES, run)
    assert len(handed_in.actions) == 2
    assert all("train/loss" in entry for entry in log)
    assert all(("train/value_loss" in e) == (name in ("strong", "boss")) for e in log)
    assert all(("train/entropy" in e) == (name != "dqn") for e in log)
    run.close()


def test_the_target_network_follows_in_jumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every three updates it becomes the network that learns, and stays so until the next time."""
    weights, targets, original = [], [], dqn.loss_of

    def watched(model: nn.Module, target_network: nn.Module, *rest: object) -> torch.Tensor:
        weights.append(model.head.weight.detach().clone())
        targets.append(target_network.head.weight.clone())
        return original(model, target_network, *rest)

    monkeypatch.setattr(dqn, "loss_of", watched)
    monkeypatch.setattr(dqn, "TARGET_EVERY", 3)
    run = Run.create(tmp_path, Request(homework="hw12", recipe="dqn", device="cpu"), "")
    train.train(recipe("dqn", "train.steps=8", "train.validate_every=8"), RULES, run)
    run.close()
    assert len(weights) == 8
    assert not torch.equal(weights[0], weights[3])
    for update in range(8):  # weights[i] are those before update i
        assert torch.equal(targets[update], weights[update // 3 * 3])


@pytest.mark.parametrize(
    ("name", "override", "sentence"),
    [
        ("boss", "collect.horizon=0", "collect.horizon = 0, but ppo takes rollouts of at least 1"),
        ("dqn", "collect.horizon=0", "collect.horizon = 0, but dqn takes"),
        ("strong", "collect.horizon=-1", "collect.horizon"),
        ("dqn", "train.batch_size=2000", "more than replay.learning_starts"),
        ("dqn", "replay.learning_starts=100000", "more than replay.capacity"),
        ("boss", "model.hidden=[]", "at least one layer"),
        ("boss", "model.hidden=[1, 1, 1, 1, 1, 1, 1, 1]", "more than 7 layers"),
    ],
)
def test_impossible_recipes_are_sentences(name: str, override: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        load_recipe(Recipe, WORLD / f"{name}.toml", [override])


@pytest.mark.parametrize("name", ["simple", "medium", "strong", "boss", "dqn"])
def test_official_recipes_are_the_world_s(name: str) -> None:
    """The environment is the same, whoever's rules say which episodes are judged."""
    official = load_recipe(Recipe, SPEC.folder / "recipes" / "official" / f"{name}.toml")
    assert official == load_recipe(Recipe, WORLD / f"{name}.toml")


def test_what_is_measured_by_hand() -> None:
    rows = np.array([[10.0, 100.0], [30.0, -100.0], [20.0, 0.3], [20.0, 100.0]])
    assert measure(rows) == {
        "valid__reward": 20.0,
        "valid__spread": round(50**0.5, 5),
        "valid__landed": 0.5,
    }
