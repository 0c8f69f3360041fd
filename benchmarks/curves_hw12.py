"""Homework 12's methods on equal steps of the environment, each with its band over seeds.

    python -m benchmarks.curves_hw12 RUNS

RUNS is the folder of all runs, ``runs``. Draws the held-out total reward of the finished runs, one
line a recipe: the mean over its seeds, and a band from the worst to the best of them.
Writes ``results/hw12-curves.png``, ``.svg`` and ``.csv``.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from mlspring.core.errors import UserError
from mlspring.core.progress import say
from mlspring.core.runs import Run
from mlspring.core.spec import LEVELS
from mlspring.kit import style

RESULTS = Path(__file__).parent / "results"
NUM_POINTS = 100
LOWEST = -600.0  # the axis ends here: what lies below has flown away, and how far tells nothing

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]  # steps of the environment, reward


def main(folder: Path) -> None:
    """Draw the curves of the runs under ``folder``.

    Raises:
        UserError: there is no finished run of hw12.
    """
    by_recipe = curves(folder)
    if not by_recipe:
        fix = "mlspring run hw12 boss --seed 0, and so on"
        raise UserError("has no finished run of hw12", file=folder, fix=fix)
    rows = []
    with style.house_style():
        figure = style.new_figure(7.2, 4.2)
        axes = figure.subplots()
        for number, recipe in enumerate(sorted(by_recipe, key=_rank)):
            of_seeds = by_recipe[recipe]
            steps, low, mean, high = band(of_seeds)
            colour = style.COLOURS[number % len(style.COLOURS)]
            label = f"{recipe}, {len(of_seeds)} seed" + "s" * (len(of_seeds) > 1)
            dashes = style.LINE_STYLES[number % len(style.LINE_STYLES)]
            axes.plot(steps, mean, ls=dashes, color=colour, label=label)
            axes.fill_between(steps, low, high, color=colour, alpha=0.15, lw=0)
            columns = zip(steps, low, mean, high, strict=True)
            rows += [(recipe, *(round(float(v), 3) for v in row)) for row in columns]
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel("steps of the environment")
        axes.set_ylabel("held-out total reward")
        axes.set_title("Methods on equal steps: mean, worst and best seed")
        axes.set_ylim(bottom=max(LOWEST, axes.get_ylim()[0]))
        axes.legend(loc="lower right")
        header = ("recipe", "env_steps", "worst", "mean", "best")
        style.save(figure, RESULTS, "hw12-curves", header, rows)
    say(f"wrote {RESULTS / 'hw12-curves.png'}")


def curves(folder: Path) -> dict[str, list[Curve]]:
    """Return the held-out curves of the finished runs by recipe."""
    by_recipe: dict[str, list[Curve]] = defaultdict(list)
    for path in sorted(folder.glob("hw12/*/*/result.json")):
        run = Run.open(path.parent)
        log = [entry for entry in run.read_log() if "valid/reward" in entry]
        steps, rewards = (
            np.array([e[key] for e in log], float) for key in ("env_steps", "valid/reward")
        )
        by_recipe[run.request.recipe.removeprefix("world/")].append((steps, rewards))
    return dict(by_recipe)


def band(of_seeds: list[Curve]) -> tuple[NDArray[np.float64], ...]:
    """Return steps, worst, mean and best reward, (100,) each, where every seed was measured.

    Between two validations a curve is taken as straight.
    """
    first = max(steps[0] for steps, _ in of_seeds)
    last = min(steps[-1] for steps, _ in of_seeds)
    grid = np.linspace(first, last, NUM_POINTS)
    values = np.stack([np.interp(grid, steps, rewards) for steps, rewards in of_seeds])
    return grid, values.min(0), values.mean(0), values.max(0)


def _rank(recipe: str) -> tuple[int, str]:
    """Return the position of a recipe: the levels in their order, then the rest."""
    return (LEVELS.index(recipe) if recipe in LEVELS else len(LEVELS), recipe)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
