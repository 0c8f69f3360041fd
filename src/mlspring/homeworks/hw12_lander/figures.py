"""The report figures of homework 12, each with the numbers behind it."""

import numpy as np
import torch
from matplotlib.ticker import EngFormatter

from mlspring.core.files import atomic_path
from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander import environment, held_out, models, pictures, submission
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.environment import ACTIONS, Episode
from mlspring.homeworks.hw12_lander.methods import returns
from mlspring.homeworks.hw12_lander.models import Agent
from mlspring.homeworks.hw12_lander.recipe import MethodKnobs, Recipe
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.kit import charts, checkpoint, style
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.seeding import generator

NUM_SPREAD = 8  # episodes behind the spread of the estimators


def draw(run: Run, recipe: Recipe, data: Data) -> None:
    """Draw every figure of the spec into ``run.figures``, and the animation ``landing.gif``."""
    model = models.build(recipe.model)
    checkpoint.load_weights(weights_path(run, 0), model)
    episodes = played(run, data)
    with style.house_style():
        reward_curves(run, recipe)
        advantage_spread(run, recipe, model, data)
        action_histogram(run, episodes)
        landing(run, data, episodes)


def played(run: Run, data: Data) -> list[Episode]:
    """Return the test episodes as they were handed in."""
    ids = [str(number) for number in range(1, data.num_episodes + 1)]
    lists = submission.read(run.folder / SPEC.submission_name, ids).actions
    waiting = iter(np.concatenate(lists).tolist())
    return environment.play_consecutive(
        lambda _: np.array([next(waiting)]), data.seed, data.num_episodes, data.max_steps
    )


def reward_curves(run: Run, recipe: Recipe) -> None:
    """Draw the total reward against the environment's steps, in training and held out.

    The band is the 95 % interval of the held-out mean, normal approximation over its episodes.
    """
    log = [entry for entry in run.read_log() if "valid/reward" in entry]
    steps = np.array([entry["env_steps"] for entry in log])
    held = np.array([entry["valid/reward"] for entry in log])
    spread = np.array([entry["valid/spread"] for entry in log])
    half = 1.96 * spread / np.sqrt(recipe.collect.held_out)
    figure = style.new_figure(7.2, 3.6)
    axes = figure.subplots()
    learnt = [(e["env_steps"], e["train/reward"]) for e in log if "train/reward" in e]
    mark = "." if len(log) < charts.FEWEST_POINTS else None
    colours = {part: colour for part, _, colour, _ in charts.PARTS}
    axes.plot(
        [x for x, _ in learnt],
        [y for _, y in learnt],
        color=colours["train"],
        marker=mark,
        label="training, actions drawn",
    )
    axes.plot(
        steps, held, "--", color=colours["valid"], marker=mark, label="held out, best actions"
    )
    axes.fill_between(steps, held - half, held + half, color=colours["valid"], alpha=0.2, lw=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("steps of the environment")
    axes.set_ylabel("total reward of an episode")
    axes.set_title("Total reward while learning")
    axes.legend(loc="lower right")
    header = ("step", "env_steps", "train/reward", "train/last_reward", "valid/reward")
    header += ("valid/spread", "valid/landed")
    rows = [[entry.get(key, "") for key in header] for entry in log]
    style.save(figure, run.figures, "reward_curves", header, rows)


def advantage_spread(run: Run, recipe: Recipe, model: Agent, data: Data) -> None:
    """Draw how far the estimators of the same actions' worth spread, in units of reward.

    The policy plays eight episodes with drawn actions; each estimator praises the same steps.
    """
    spreads = estimator_spreads(recipe, model, run.request.seed, data.max_steps)
    figure = style.new_figure(6.4, 3.4)
    axes = figure.subplots()
    names = list(spreads)
    axes.barh(range(len(names)), list(spreads.values()), color=style.COLOURS[0])
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    for place, value in enumerate(spreads.values()):
        axes.text(value, place, f" {value:.1f}", va="center", fontsize=8)
    axes.margins(x=0.12)
    axes.set_xlabel("standard deviation over the steps, reward")
    axes.set_title(f"What an action is praised for, {NUM_SPREAD} episodes")
    rows = [(name, round(value, 5)) for name, value in spreads.items()]
    style.save(figure, run.figures, "advantage_spread", ("estimator", "deviation"), rows)


def estimator_spreads(recipe: Recipe, model: Agent, seed: int, max_steps: int) -> dict[str, float]:
    """Return the standard deviation of each estimator over the steps of the same episodes.

    Those with a critic are there only where the recipe trains one.
    """
    policy, knobs = model.policy(), recipe.method
    stream = generator(seed, "spread")

    def drawn(observations: environment.Floats) -> environment.Actions:
        chances = torch.rand(len(observations), environment.NUM_ACTIONS, generator=stream)
        noise = -np.log(-np.log(chances.numpy().clip(1e-12, 1 - 1e-7)))
        return (policy.preferences(observations) + noise).argmax(1)

    episodes = environment.play_consecutive(drawn, held_out.seeds(1)[0], NUM_SPREAD, max_steps)
    praise: dict[str, list[returns.Array]] = {}
    for episode in episodes:
        for name, values in _estimates(episode, model, knobs).items():
            praise.setdefault(name, []).append(values)
    return {name: float(np.concatenate(parts).std()) for name, parts in praise.items()}


def _estimates(episode: Episode, model: Agent, knobs: MethodKnobs) -> dict[str, returns.Array]:
    """Return every estimator of one episode's steps, (T,) each, in units of reward."""
    rewards = episode.rewards[:, None].astype(np.float32)
    ended = np.zeros(rewards.shape, bool)
    ended[-1] = True
    found = {
        "v0: its own reward": rewards,
        "v1: all later rewards": returns.discounted(rewards, ended, 1.0),
        "v2: later rewards, discounted": returns.discounted(rewards, ended, knobs.gamma),
    }
    if knobs.credit == "gae":
        with torch.no_grad():
            said = model(torch.from_numpy(episode.observations))[1].numpy()
        values = said[:, None] / knobs.reward_scale
        stops = ended & episode.terminated
        for name, lam in (("v3.5: v2 less the critic", 1.0), ("v4: one step and the critic", 0.0)):
            found[name] = returns.generalised(
                rewards, values[:-1], values[1:], stops, ended, knobs.gamma, lam
            )
        found[f"generalised, lambda {knobs.gae_lambda:g}"] = returns.generalised(
            rewards, values[:-1], values[1:], stops, ended, knobs.gamma, knobs.gae_lambda
        )
    return {name: values[:, 0] for name, values in found.items()}


def action_histogram(run: Run, episodes: list[Episode]) -> None:
    """Draw which engines fired in each test episode, with its reward."""
    counts = np.stack([np.bincount(e.actions, minlength=len(ACTIONS)) for e in episodes])
    figure = style.new_figure(7.2, 3.4)
    axes = figure.subplots()
    places = np.arange(len(episodes))
    left = np.zeros(len(episodes))
    for action, name in enumerate(ACTIONS):
        axes.barh(places, counts[:, action], left=left, color=style.COLOURS[action], label=name)
        left += counts[:, action]
    labels = [f"{n + 1}: {episode.total:.0f}" for n, episode in enumerate(episodes)]
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("steps")
    axes.set_ylabel("episode: total reward")
    axes.set_title("Actions in the test episodes")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    header = ("episode", *ACTIONS, "total reward", "landed")
    rows = [
        (n + 1, *row, round(e.total, 5), e.landed)
        for n, (row, e) in enumerate(zip(counts.tolist(), episodes, strict=True))
    ]
    style.save(figure, run.figures, "action_histogram", header, rows)


def landing(run: Run, data: Data, episodes: list[Episode]) -> None:
    """Draw the best test episode: its path, and speed and angle over time; animate it as a gif."""
    number = int(np.argmax([episode.total for episode in episodes]))
    best = episodes[number]
    seen = best.observations
    seconds = np.arange(len(seen)) / pictures.FPS
    figure = style.new_figure(8.0, 3.4)
    path, course = figure.subplots(1, 2)
    path.plot(seen[:, 0], seen[:, 1], color=style.COLOURS[0])
    fired = seen[:-1][best.actions == 2]
    path.scatter(fired[:, 0], fired[:, 1], s=8, color=style.COLOURS[4], label="main engine")
    path.axhline(0, color="#888888", lw=0.8)
    path.plot([-0.2, 0.2], [0, 0], "-", color=style.COLOURS[1], lw=4, label="pad")
    path.set_xlabel("x, half widths")
    path.set_ylabel("y, half heights")
    path.set_title(f"Episode {number + 1}: {best.total:.0f}")
    path.legend(loc="upper right", fontsize=8)
    for column, name, line in (
        (3, "vertical speed", "-"),
        (2, "sideways", "--"),
        (4, "angle", ":"),
    ):
        course.plot(seconds, seen[:, column], line, label=name)
    course.set_xlabel("seconds")
    course.set_ylabel("as observed")
    course.set_title("Speed and angle (radians)")
    course.legend(loc="lower right", fontsize=8)
    header = ("step", "x", "y", "vx", "vy", "angle", "spin", "left leg", "right leg", "action")
    actions = [*best.actions.tolist(), ""]
    rows = [(t, *np.round(row, 5).tolist(), actions[t]) for t, row in enumerate(seen)]
    style.save(figure, run.figures, "landing", header, rows)
    animate(run, [episode.actions for episode in episodes], data.seed, number)


def animate(run: Run, lists: list[environment.Actions], seed: int, number: int) -> None:
    """Write ``landing.gif``: the episode as Gymnasium draws it."""
    shown = pictures.frames(lists, seed, number)
    milliseconds = 1000 * pictures.STRIDE // pictures.FPS
    with atomic_path(run.figures / "landing.gif") as partial:
        shown[0].save(
            partial,
            format="GIF",
            save_all=True,
            append_images=shown[1:],
            duration=milliseconds,
            loop=0,
        )
