"""The loops: held-out episodes choose the weights; recipes that cannot work are sentences."""

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw12_lander import models, predict, train
from mlspring.homeworks.hw12_lander.agent import held_out_rewards, held_out_seeds, measure
from mlspring.homeworks.hw12_lander.methods import reinforce
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit.seeding import derive_seed
from mlspring.worlds import landings
from tests.homeworks.hw12.cases import RULES, WORLD, small_recipe


def test_held_out_episodes_are_nobody_else_s() -> None:
    ours = set(held_out_seeds(1000))
    secret = set(landings.make(0, 0)["seeds"].tolist())
    training = {derive_seed(0, "episode", env, n) for env in range(16) for n in range(100)}
    assert not ours & (secret | {landings.SEED})
    assert not ours & training
    assert len(ours) == 1000


@pytest.mark.parametrize("name", ["sample", "simple", "medium", "strong", "boss", "dqn"])
def test_the_best_weights_are_kept(name: str, tmp_path: Path) -> None:
    made = small_recipe(name, "train.learning_rate=0.05")
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
    assert all(("train/value_loss" in e) == (name in ("medium", "strong", "boss")) for e in log)
    assert all(("train/entropy" in e) == (name != "dqn") for e in log)
    run.close()


def test_what_is_measured_by_hand() -> None:
    rows = np.array([[10.0, 100.0], [30.0, -100.0], [20.0, 0.3], [20.0, 100.0]])
    assert measure(rows) == {
        "valid__reward": 20.0,
        "valid__spread": round(50**0.5, 5),
        "valid__landed": 0.5,
    }


@pytest.mark.parametrize(
    ("name", "override", "sentence"),
    [
        ("boss", "collect.horizon=0", "collect.horizon = 0, but ppo takes rollouts of at least 1"),
        ("dqn", "collect.horizon=0", "collect.horizon = 0, but dqn takes"),
        ("strong", "collect.horizon=-1", "collect.horizon"),
        ("dqn", "train.batch_size=2000", "more than replay.learning_starts"),
        ("dqn", "replay.learning_starts=100000", "more than replay.capacity"),
        ("boss", "model.hidden=[0]", "greater than or equal to 1"),
        ("boss", "model.hidden=[64, 1025]", "less than or equal to 1024"),
        ("boss", "model.hidden=[]", "list should have at least 1 item"),
        ("boss", "model.hidden=[1, 1, 1, 1, 1, 1, 1, 1]", "list should have at most 7 items"),
    ],
)
def test_impossible_recipes_are_sentences(name: str, override: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        load_recipe(Recipe, WORLD / f"{name}.toml", [override])


@pytest.mark.parametrize("name", ["sample", "simple", "medium", "strong", "boss", "dqn"])
def test_official_recipes_are_the_world_s(name: str) -> None:
    """The environment is the same, whoever's rules say which episodes are judged."""
    official = load_recipe(Recipe, SPEC.folder / "recipes" / "official" / f"{name}.toml")
    assert official == load_recipe(Recipe, WORLD / f"{name}.toml")


def test_the_mean_return_is_the_baseline_of_reinforce(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, played = [], []
    loss_of, returns_of = reinforce.loss_of, reinforce.discounted_returns

    def watched(logits: Tensor, actions: Tensor, advantages: Tensor, knobs: object) -> object:
        seen.append(advantages.numpy().copy())
        return loss_of(logits, actions, advantages, knobs)

    def returns(rewards: np.ndarray, dones: np.ndarray, gamma: float) -> np.ndarray:
        played.append((returns_of(rewards, dones, gamma), dones))
        return played[-1][0]

    monkeypatch.setattr(reinforce, "loss_of", watched)
    monkeypatch.setattr(reinforce, "discounted_returns", returns)
    run = Run.create(tmp_path, Request(homework="hw12", recipe="simple", device="cpu"), "")
    train.train(small_recipe("simple", "train.steps=1"), RULES, run)
    run.close()
    every, dones = played[0]
    taken = np.concatenate([every[: dones[:, n].argmax() + 1, n] for n in range(every.shape[1])])
    expected = (taken - taken.mean()) / taken.std()
    assert np.sort(seen[0]) == pytest.approx(np.sort(expected), abs=1e-4)
