"""Playing and the loop: stories that go on exactly, chances that are the softmax's, recipes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw12_lander import held_out, predict, rollout, train
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.methods import policy_gradient, returns
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import Players, blank
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit import device
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.seeding import derive_seed
from mlspring.worlds import landings
from tests.tiny.landings import SMALL, policy

WORLD = SPEC.folder / "recipes" / "world"
HARDWARE = device.choose("cpu", "fp32", work="dense")
RULES = Data(seed=543, num_episodes=2, max_steps=1000)


def recipe(name: str, *overrides: str) -> Recipe:
    return load_recipe(Recipe, WORLD / f"{name}.toml", (*SMALL, *overrides))


def greedy(observations: np.ndarray, step: int) -> np.ndarray:
    return policy().greedy(observations)


def test_a_story_goes_on_to_the_last_bit() -> None:
    left_alone, stopped = (Players(0, 3, 1000, ALONE) for _ in range(2))
    for players in (left_alone, stopped):
        players.go_on(None)
        for _ in range(3):
            players.play(greedy, 37)
    resumed = Players(0, 3, 1000, ALONE)
    resumed.go_on(stopped.story())
    assert resumed.story() == left_alone.story()
    for _ in range(3):
        ours, theirs = resumed.play(greedy, 37), left_alone.play(greedy, 37)
        for field in fields(ours):
            assert (getattr(ours, field.name) == getattr(theirs, field.name)).all(), field.name
        assert resumed.finished == left_alone.finished
    assert resumed.num_rounds == 6


def test_totals_are_those_of_whole_episodes_across_rounds() -> None:
    players = Players(0, 2, 1000, ALONE)
    players.go_on(None)
    rounds, finished = [], []
    for _ in range(12):
        rounds.append(players.play(greedy, 17))
        finished += players.finished
    rewards = np.concatenate([r.rewards for r in rounds])
    ended = np.concatenate([r.ended for r in rounds])
    expected = []
    for env in range(2):
        ends = np.flatnonzero(ended[:, env]) + 1
        expected += [part.sum() for part in np.split(rewards[:, env], ends)[: len(ends)]]
    assert len(expected) >= 3
    assert sorted(total for total, _ in finished) == pytest.approx(sorted(expected), rel=1e-4)
    assert {last for _, last in finished} == {-100.0}


def test_the_last_observation_is_not_the_next_episode_s_first() -> None:
    players = Players(0, 1, 9, ALONE)
    players.go_on(None)
    made = players.play(greedy, 20)
    assert made.truncated[:, 0].nonzero()[0].tolist() == [8, 17]
    assert not made.terminated.any()
    assert (made.following[8] != made.observations[9]).any()
    assert (made.following[7] == made.observations[8]).all()


def test_whole_episodes_are_whole() -> None:
    players = Players(0, 4, 1000, ALONE)
    players.go_on(None)
    firsts = []
    for _ in range(2):
        made = players.play(greedy, 0)
        assert (made.ended.sum(0) == 1).all()
        assert (made.taken.sum(0) == made.ended.argmax(0) + 1).all()
        assert not made.rewards[~made.taken].any(), "no step after the end"
        assert made.taken.any(1).all(), "no empty steps"
        assert len(players.finished) == 4
        firsts.append(made.observations[0])
    assert (firsts[0] != firsts[1]).any()
    assert len(np.unique(firsts[0][:, 2])) == 4, "environments have episodes of their own"


def test_whole_episodes_make_the_critic_a_baseline_alone() -> None:
    """All rewards until the episode's end count, as in REINFORCE, less what the critic expected."""
    made = recipe("strong", "method.gae_lambda=1.0", "collect.horizon=0")
    model = train.new_state(0, made, 0, HARDWARE).model
    players = Players(0, 4, 1000, ALONE)
    players.go_on(None)
    given = players.play(greedy, made.horizon)
    assert not given.truncated.any()
    with torch.no_grad():
        said = model(torch.from_numpy(given.observations).flatten(0, 1))[1].numpy()
    said = said.reshape(given.taken.shape) * given.taken
    found, targets = policy_gradient.judge(given, said, model, made.method, HARDWARE)
    rewards = given.rewards * np.float32(made.method.reward_scale)
    sums = returns.discounted(rewards, given.ended, made.method.gamma)
    assert found[given.taken] == pytest.approx((sums - said)[given.taken], abs=1e-4)
    assert targets[given.taken] == pytest.approx(sums[given.taken], abs=1e-4)


@pytest.mark.parametrize("horizon", [0, 25])
def test_processes_play_what_one_plays(horizon: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each its share, with the same episodes; here without the exchange between them."""
    monkeypatch.setattr("mlspring.homeworks.hw12_lander.rollout._together", lambda mine, _: mine)
    alone = Players(5, 5, 1000, ALONE)
    alone.go_on(None)
    whole = alone.play(greedy, horizon)
    for rank in range(2):
        share = Players(5, 5, 1000, Ranks(rank, 2))
        monkeypatch.setattr(share, "_remember", lambda *_: None)
        share.go_on(None)
        made = share.play(greedy, horizon)
        there = whole.rewards[: len(made.rewards), share.share]
        assert (made.rewards == there).all()


def test_rounds_of_processes_stand_side_by_side() -> None:
    """Two threads stand for the processes; the shorter round is filled up with untaken steps."""
    parts = [blank(3, 2), blank(5, 1)]
    for number, part in enumerate(parts):
        part.taken[:] = True
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
        first, second = pool.map(lambda rank: rollout._together(parts[rank], Rank(rank)), (0, 1))
    for field in fields(first):
        assert (getattr(first, field.name) == getattr(second, field.name)).all()
    assert first.rewards.shape == (5, 3)
    assert first.observations.shape == (5, 3, 8)
    assert (first.rewards[:3, :2] == parts[0].rewards).all()
    assert (first.rewards[:, 2:] == parts[1].rewards).all()
    assert first.taken.sum(0).tolist() == [3, 3, 5]
    assert first.ended.argmax(0).tolist() == [2, 2, 4]


def test_sampled_actions_have_the_softmax_s_probabilities() -> None:
    made = recipe("boss", "collect.num_envs=50", "collect.horizon=400")
    member = train.new_state(0, made, 0, HARDWARE)
    with torch.no_grad():
        member.model.head.weight.zero_()
        member.model.head.bias.copy_(torch.log(torch.tensor([0.1, 0.2, 0.3, 0.4])))
    players = Players(0, 1, 1000, ALONE)
    players.num_envs, players.share = 50, slice(0, 50)
    choose = train.chooser(member, made, 0, players, 1)
    seen = np.zeros((50, 8), np.float32)
    actions = np.stack([choose(seen, t) for t in range(400)])
    shares = np.bincount(actions.ravel(), minlength=4) / actions.size
    assert shares == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.015)  # 4 standard errors
    again = np.stack([train.chooser(member, made, 0, players, 1)(seen, t) for t in range(2)])
    assert (again == actions[:2]).all()
    players.num_rounds = 1
    assert (train.chooser(member, made, 0, players, 1)(seen, 0) != actions[0]).any()


def test_exploring_takes_a_random_action_in_its_share() -> None:
    made = recipe("dqn", "collect.num_envs=1000", "replay.epsilon_end=0.4")
    member = train.new_state(0, made, 0, HARDWARE)
    with torch.no_grad():
        member.model.head.bias.copy_(torch.tensor([0.0, 0.0, 9.0, 0.0]))
    players = Players(0, 1, 1000, ALONE)
    players.num_envs, players.share = 1000, slice(0, 1000)
    choose = train.chooser(member, made, 0, players, 10**9)
    actions = choose(np.zeros((1000, 8), np.float32), 0)
    assert (actions == 2).mean() == pytest.approx(0.7, abs=0.06)  # 0.6 + 0.4 / 4
    assert (actions == 0).mean() == pytest.approx(0.1, abs=0.04)


def test_every_pass_sees_every_step_once() -> None:
    made = recipe("boss", "collect.horizon=16", "method.epochs=3")
    assert made.round_steps == 12
    items = list(range(64))
    batches = train.minibatches(items, made, 0, 0)
    assert len(batches) == 12
    passes = [torch.cat(batches[i : i + 4]).tolist() for i in (0, 4, 8)]
    assert all(sorted(order) == items for order in passes)
    assert passes[0] != passes[1] != passes[2]
    assert train.minibatches(items, made, 0, 1)[0].tolist() != batches[0].tolist()


def test_held_out_episodes_are_nobody_else_s() -> None:
    ours = set(held_out.seeds(1000))
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
    rewards = [entry["valid/reward"] for entry in run.read_log()]
    assert len(rewards) == 6
    assert told.validation == max(rewards)
    assert told.items_per_second > 0
    trained = predict.trained_policy(made, run)
    played = held_out.rewards(trained, made, RULES.max_steps)
    assert played[:, 0].mean() == pytest.approx(max(rewards), abs=1e-4)
    handed_in = predict.predict(made, RULES, run)
    assert len(handed_in.actions) == 2
    run.close()


@pytest.mark.parametrize(
    ("name", "override", "sentence"),
    [
        ("boss", "model.critic=none", "needs a critic"),
        ("simple", "model.critic=shared", "has no critic"),
        ("simple", "method.credit=gae", "takes 'immediate' or 'return'"),
        ("boss", "method.credit=return", "takes 'gae'"),
        ("boss", "collect.horizon=0", "collect.horizon = 0, but ppo takes rounds of at least 1"),
        ("dqn", "collect.horizon=0", "collect.horizon = 0, but dqn takes"),
        ("strong", "collect.horizon=-1", "collect.horizon"),
        ("dqn", "train.batch_size=2000", "more than replay.begin"),
        ("dqn", "replay.begin=100000", "more than replay.capacity"),
        ("boss", "model.hidden=[]", "at least one layer"),
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
    assert held_out.measure(rows) == {
        "valid__reward": 20.0,
        "valid__spread": round(50**0.5, 5),
        "valid__landed": 0.5,
    }
    assert held_out.playing([(1.0, -100.0), (4.0, 100.0)]) == {
        "train__episodes": 2,
        "train__reward": 2.5,
        "train__last_reward": 0.0,
    }
    assert held_out.playing([]) == {}
