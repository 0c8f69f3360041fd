"""The report figures of homework 12, each with the numbers behind it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from matplotlib.ticker import EngFormatter

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander import submission
from mlspring.homeworks.hw12_lander.agent import held_out_seeds
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.methods.advantages import (
    Array,
    discounted_returns,
    generalised_advantages,
)
from mlspring.homeworks.hw12_lander.models import ActorCritic, Network, policy_of
from mlspring.homeworks.hw12_lander.predict import trained
from mlspring.homeworks.hw12_lander.recipe import MethodKnobs, Recipe
from mlspring.homeworks.hw12_lander.rollout import sampled
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit import charts, style
from mlspring.kit.seeding import generator
from mlspring.worlds.lander import episodes, pictures
from mlspring.worlds.lander.environment import ACTIONS, NUM_ACTIONS, Actions, Floats
from mlspring.worlds.lander.episodes import Episode

NUM_SPREAD = 8  # episodes behind the spread of the estimators
GAMMA = 0.99  # of the discounted sum where the recipe's own gamma is 0
# Of the four actions; in grey the first and the third differ by brightness, the others by pattern.
FILLS = (
    ("#cccccc", ""),
    (style.COLOURS[1], "//"),
    (style.COLOURS[2], ""),
    (style.COLOURS[3], ".."),
)


def learning_curves(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw the total reward against the environment's steps, in training and held out.

    The band is the 95 % interval of the held-out mean, normal approximation over its episodes.
    """
    log = [entry for entry in run.read_log() if "valid/reward" in entry]
    steps = np.array([entry["env_steps"] for entry in log])
    held_out = np.array([entry["valid/reward"] for entry in log])
    spread = np.array([entry["valid/spread"] for entry in log])
    half = 1.96 * spread / np.sqrt(recipe.collect.held_out)
    figure = style.new_figure(7.2, 3.6)
    axes = figure.subplots()
    charts.curves(axes, log, "reward", against="env_steps")
    colour = charts.PARTS[1][2]
    axes.fill_between(steps, held_out - half, held_out + half, color=colour, alpha=0.2, lw=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("steps of the environment")
    axes.set_ylabel("total reward of an episode")
    axes.set_title("Total reward: drawn actions in training, the best ones held out")
    figure.legend(loc="outside lower center", ncols=2)
    header = ["step", "env_steps", "train/reward", "train/last_reward", "valid/reward"]
    header += ["valid/spread", "valid/landed"]
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "learning_curves", header, rows)


def advantage_spread(run: Run, recipe: Recipe, _data: Data) -> None:
    """Draw how far the estimators of the same actions' advantages spread, in units of reward.

    The policy plays eight episodes with drawn actions; each estimator is of the same steps.
    """
    spreads = estimator_spreads(recipe.method, trained(recipe, run), run.request.seed)
    figure = style.new_figure(6.4, 3.4)
    axes = figure.subplots()
    axes.barh(list(spreads), list(spreads.values()), color=style.COLOURS[0])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    for row, value in enumerate(spreads.values()):
        axes.text(value, row, f" {value:.1f}", va="center", fontsize=8)
    axes.margins(x=0.12)
    axes.set_xlabel("standard deviation over the steps, reward")
    axes.set_title(f"Estimators of the advantage, {NUM_SPREAD} episodes")
    rows = [(name, round(value, 5)) for name, value in spreads.items()]
    style.save(figure, run.figures, "advantage_spread", ("estimator", "deviation"), rows)


def estimator_spreads(knobs: MethodKnobs, network: Network, seed: int) -> dict[str, float]:
    """Return the standard deviation of each estimator over the steps of the same episodes.

    Those with a critic are there only where the method trains one.
    """
    policy, stream = policy_of(network), generator(seed, "spread")

    def draw_actions(observations: Floats) -> Actions:
        uniform = torch.rand(1, len(observations), NUM_ACTIONS, generator=stream)
        return sampled(policy, uniform.numpy())(observations, 0)

    estimates: dict[str, list[Array]] = {}
    for episode in episodes.play_consecutive(draw_actions, held_out_seeds(1)[0], NUM_SPREAD):
        for name, values in _estimates(episode, network, knobs).items():
            estimates.setdefault(name, []).append(values[:, 0])
    return {name: float(np.concatenate(parts).std()) for name, parts in estimates.items()}


def _estimates(episode: Episode, network: Network, knobs: MethodKnobs) -> dict[str, Array]:
    """Return every estimator of one episode's steps, (T, 1) each, in units of reward."""
    rewards = episode.rewards[:, None].astype(np.float32)
    dones = np.arange(len(rewards))[:, None] == len(rewards) - 1
    gamma = knobs.gamma or GAMMA
    estimates: dict[str, Array] = {
        "v0: its own reward": rewards,
        "v1: all later rewards": discounted_returns(rewards, dones, 1.0),
        "v2: later rewards, discounted": discounted_returns(rewards, dones, gamma),
    }
    if isinstance(network, ActorCritic):
        with torch.no_grad():
            outputs = network.values(torch.from_numpy(episode.observations)).numpy()
        values = outputs[:, None] / knobs.reward_scale
        terminated = dones & episode.terminated
        for name, gae_lambda in (
            ("v3.5: v2 less the critic", 1.0),
            ("v4: one step and the critic", 0.0),
            (f"generalised, lambda {knobs.gae_lambda:g}", knobs.gae_lambda),
        ):
            estimates[name] = generalised_advantages(
                rewards, values[:-1], values[1:], terminated, dones, gamma, gae_lambda
            )
    return estimates


def action_histogram(run: Run, _recipe: Recipe, data: Data) -> None:
    """Draw which engines fired in each test episode, with its reward."""
    played = handed_in(run, data)
    counts = np.stack([np.bincount(e.actions, minlength=NUM_ACTIONS) for e in played])
    figure = style.new_figure(7.2, 3.4)
    axes = figure.subplots()
    rows_at, left = np.arange(len(played)), np.zeros(len(played))
    for action, name in enumerate(ACTIONS):
        colour, hatch = FILLS[action]
        fill: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": "white"}
        axes.barh(rows_at, counts[:, action], left=left, label=name, **fill)
        left += counts[:, action]
    labels = [f"{n + 1}: {episode.total:.0f}" for n, episode in enumerate(played)]
    axes.set_yticks(rows_at, labels)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("steps")
    axes.set_ylabel("episode: total reward")
    axes.set_title("Actions in the test episodes")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    header = ("episode", *ACTIONS, "total reward", "landed")
    rows = [
        (n + 1, *row, round(e.total, 5), e.landed)
        for n, (row, e) in enumerate(zip(counts.tolist(), played, strict=True))
    ]
    style.save(figure, run.figures, "action_histogram", header, rows)


def landing(run: Run, _recipe: Recipe, data: Data) -> None:
    """Draw the best test episode: its path, and speed and angle over time; animate it as a gif."""
    played = handed_in(run, data)
    number = int(np.argmax([episode.total for episode in played]))
    best, seen = played[number], played[number].observations
    seconds = np.arange(len(seen)) / pictures.FPS
    figure = style.new_figure(8.0, 3.8)
    path, course = figure.subplots(1, 2)
    path.plot(seen[:, 0], seen[:, 1], color=style.COLOURS[0], label="path")
    fired = seen[:-1][best.actions == 2]
    path.scatter(fired[:, 0], fired[:, 1], s=8, color=style.COLOURS[4], label="main engine")
    path.axhline(0, color="#888888", lw=0.8)
    path.plot([-0.2, 0.2], [0, 0], "-", color=style.COLOURS[1], lw=4, label="pad")
    path.set_xlabel("x, half widths")
    path.set_ylabel("y, half heights")
    path.set_title(f"Episode {number + 1}: {best.total:.0f}")
    for column, name, line in (
        (3, "vertical speed", "-"),
        (2, "sideways", "--"),
        (4, "angle", ":"),
    ):
        course.plot(seconds, seen[:, column], line, label=name)
    course.set_xlabel("seconds")
    course.set_ylabel("as observed")
    course.set_title("Speed and angle (radians)")
    for axes in (path, course):  # below, where they cover no curve
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3, fontsize=8)
    header = ("step", "x", "y", "vx", "vy", "angle", "spin", "left leg", "right leg", "action")
    actions = [*best.actions.tolist(), ""]
    rows = [(t, *np.round(row, 5).tolist(), actions[t]) for t, row in enumerate(seen)]
    style.save(figure, run.figures, "landing", header, rows)
    lists = [episode.actions for episode in played]
    pictures.save_gif(run.figures / "landing.gif", lists, data.seed, number)


def handed_in(run: Run, data: Data) -> list[Episode]:
    """Return the test episodes as they were handed in."""
    lists = submission.read(run.folder / SPEC.submission_name, data.ids).actions or ()
    return episodes.replay_consecutive(lists, data.seed)


FIGURES: dict[str, Callable[[Run, Recipe, Data], None]] = {
    "learning_curves": learning_curves,
    "advantage_spread": advantage_spread,
    "action_histogram": action_histogram,
    "landing": landing,
}
