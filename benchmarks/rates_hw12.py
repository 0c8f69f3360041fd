"""Homework 12's rates: steps of the environment a second, alone, played, learnt from.

    python -m benchmarks.rates_hw12

Measures, turn by turn, and keeps the medians in ``results/hw12-rates.json``:

- the simulator alone, one environment, random actions;
- sixteen environments played by the boss's network, nothing learnt;
- the boss recipe itself: playing and learning, validation left out;
- the notebook's way: one environment, the network asked for one action at a time, one update after
  five episodes.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.distributions import Categorical

from mlspring import catalog
from mlspring.core.environment import environment
from mlspring.core.files import write_json
from mlspring.core.progress import say
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw12_lander import train
from mlspring.homeworks.hw12_lander.agent import new_state
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.methods.advantages import standardised
from mlspring.homeworks.hw12_lander.models import ActorCritic, PolicyNetwork, policy_of
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.rollout import VectorEnv, sampled
from mlspring.kit import device
from mlspring.kit.distributed import ALONE
from mlspring.worlds.lander.environment import MAX_STEPS, Landers
from mlspring.worlds.lander.fast_env import NAME

RESULTS = Path(__file__).parent / "results" / "hw12-rates.json"
WORLD = catalog.find("hw12").folder / "recipes" / "world"
NUM_TURNS, NUM_STEPS, NUM_ROLLOUTS = 3, 20_000, 4


def main() -> None:
    """Measure every rate in turns and write the medians."""
    measures = {
        "simulator": simulator,
        "played": played,
        "boss": learnt,
        "notebook": notebook,
    }
    turns = [{name: measure() for name, measure in measures.items()} for _ in range(NUM_TURNS)]
    medians = {name: round(statistics.median(turn[name] for turn in turns)) for name in measures}
    machine = environment()
    about = {key: machine[key] for key in ("processor", "cores", "commit")}
    write_json(RESULTS, {"unit": "steps a second", **medians, "turns": turns, **about})
    say(", ".join(f"{name} {rate:,}" for name, rate in medians.items()))


def simulator() -> float:
    """Return steps a second of one environment that does random things."""
    landers = Landers(1)
    landers.reset(0, 0)
    actions = np.random.default_rng(0).integers(0, 4, NUM_STEPS).tolist()
    start = time.perf_counter()
    for action in actions:
        _, terminated, truncated = landers.step(0, action)
        if terminated or truncated:
            landers.reset(0)
    return NUM_STEPS / (time.perf_counter() - start)


def played() -> float:
    """Return steps a second of the boss's environments, played by its first network."""
    recipe = load_recipe(Recipe, WORLD / "boss.toml")
    hardware = device.choose("cpu", "fp32", work="dense")
    model, horizon = new_state(ActorCritic, recipe, 0, hardware).model, recipe.collect.horizon
    envs = VectorEnv(0, recipe.collect.num_envs, ALONE)
    envs.load_state_dict(None)
    start = time.perf_counter()
    envs.rollout(sampled(policy_of(model), envs.uniform(horizon)), horizon)
    return envs.num_steps / (time.perf_counter() - start)


def learnt() -> float:
    """Return steps a second of the boss recipe: four rollouts, played and learnt from."""
    length = (f"train.steps={NUM_ROLLOUTS}", f"train.validate_every={NUM_ROLLOUTS}")
    sets = (*length, "collect.held_out=1")
    recipe = load_recipe(Recipe, WORLD / "boss.toml", sets)
    with tempfile.TemporaryDirectory() as name:
        request = Request(homework="hw12", recipe="boss", device="cpu", precision="fp32")
        run = Run.create(Path(name), request, "")
        rules = Data(environment=NAME, seed=543, episodes=5, max_steps=MAX_STEPS)
        rate = train.train(recipe, rules, run).items_per_second
        run.close()
    return rate


def notebook() -> float:
    """Return steps a second of the notebook's way, with the sample's network."""
    recipe = load_recipe(Recipe, WORLD / "sample.toml")
    network = PolicyNetwork(recipe.model)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001)
    landers = Landers(1)
    landers.reset(0, 0)
    start, num_steps = time.perf_counter(), 0
    while num_steps < NUM_STEPS // 4:
        log_probs, rewards = [], []
        for _ in range(5):
            done = False
            while not done:
                logits = network(torch.from_numpy(landers.observations.copy()))
                choice = Categorical(logits=logits[0])
                action = choice.sample()
                log_probs.append(choice.log_prob(action))
                reward, terminated, truncated = landers.step(0, int(action))
                rewards.append(reward)
                done = terminated or truncated
            landers.reset(0)
        advantages = standardised(np.array(rewards, np.float32))
        loss = (-torch.stack(log_probs) * torch.from_numpy(advantages)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        num_steps += len(rewards)
    return num_steps / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
