"""What all re-statements share: the command's words, the level's recipe, the clock.

    python -m benchmarks.notebooks.hw03 DIR --level strong [--seed 0] [--device cpu]
        [--until SCORE] [--stop-after SECONDS] [--set section.key=value ...]

trains on the course's files in DIR and prints one JSON object: seconds and score of each
validation, the seconds in all, what ended it (training, score or time), the share of the recipe's
updates that were done by then, and the peak memory. It
ends after the recipe's updates; with --until when a validation has that score, however many updates
that takes: the schedule of the learning rate then begins anew on the same weights.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring import catalog
from mlspring.core.errors import DataError
from mlspring.core.machine import peak_memory_mib
from mlspring.kit import device
from mlspring.kit.schedules import set_learning_rate
from mlspring.verbs import recipes

CLOSE = 1e-6  # scores of equal counts may differ in their last digit


class Ended(Exception):  # noqa: N818
    """Why a run ends before its training does: ``score`` or ``time``."""


class Way:
    """One run of a notebook: what it trains with, and its clock.

    Args:
        homework: e.g. ``hw03``.
        words: of the command line.
    """

    def __init__(self, homework: str, words: Sequence[str] | None = None) -> None:
        parser = argparse.ArgumentParser(prog=f"python -m benchmarks.notebooks.{homework}")
        parser.add_argument("folder", type=Path)
        parser.add_argument("--level", required=True)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", default="cpu")
        parser.add_argument("--until", type=float)
        parser.add_argument("--stop-after", type=float, default=math.inf)
        parser.add_argument("--set", action="append", default=[])
        told = parser.parse_args(words)
        spec = catalog.find(homework)
        file = recipes.find_recipe(spec, told.level, "world")
        self.recipe: Any = recipes.load(spec, file, tuple(told.set))
        self.folder, self.seed, self.device = told.folder, told.seed, torch.device(told.device)
        self._until, self._stop_after = told.until, told.stop_after
        self._higher = spec.metric.higher_is_better
        self.reached: list[tuple[float, float]] = []
        self.rounds = 1  # networks or tasks, each with the recipe's updates
        self._done, self._planned = 0, 0
        torch.manual_seed(self.seed)
        random.seed(self.seed)
        self.start_clock()

    def start_clock(self) -> None:
        """Count from now; what came before costs nothing."""
        self._start = time.perf_counter()

    def seconds(self) -> float:
        """Return the seconds so far; a GPU has done by then all that it was told."""
        device.synchronize()
        return round(time.perf_counter() - self._start, 3)

    def check_time(self) -> None:
        """End the run when its time is up."""
        if time.perf_counter() - self._start > self._stop_after:
            raise Ended("time")

    def updates(
        self, batches: Iterable[Any], steps: int
    ) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
        """Yield the numbers of the updates and their batches on the device, epoch after epoch.

        There are ``steps`` of them, or with a wanted score as many as it takes.
        """
        number, self._planned = 0, steps * self.rounds
        while True:
            before = number
            for batch in batches:
                number += 1
                if number > steps and self._until is None:
                    return
                self.check_time()
                yield number, self.on_device(batch)
                self._done += 1
            if number == before:  # it would ask for ever
                raise DataError("there is no batch to train from")

    def share(self) -> float:
        """Return the updates done over those of the recipe, of all its networks or tasks."""
        return self._done / self._planned if self._planned else 0.0

    def on_device(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the tensors of a batch on the device."""
        tensors = batch if isinstance(batch, (tuple, list)) else (batch,)
        return tuple(tensor.to(self.device) for tensor in tensors)

    def set_rate(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Give ``optimizer`` the recipe's rate of ``step``, counted from 1."""
        knobs = self.recipe.train
        within = (step - 1) % knobs.steps + 1
        set_learning_rate(optimizer, knobs, within, getattr(knobs, "warmup_steps", 0))

    def validates(self, step: int) -> bool:
        """Return whether a validation follows ``step``: as often as in ours."""
        knobs = self.recipe.train
        return step % knobs.validate_every == 0 or step % knobs.steps == 0

    def validated(self, score: float) -> None:
        """Note a validation; end the run if its score is the wanted one or better."""
        self.reached.append((self.seconds(), score))
        better = score if self._higher else -score
        if self._until is not None:
            wanted = self._until if self._higher else -self._until
            if better >= wanted - CLOSE:
                raise Ended("score")
        self.check_time()

    def accuracy(
        self, model: Callable[..., Tensor], loader: Iterable[Any], change: Sequence[nn.Module] = ()
    ) -> float:
        """Return the share of the items of ``loader`` that ``model`` gets right.

        ``change`` are the networks behind it, to be put into evaluation mode.
        """
        for network in change or [model]:
            network.eval()
        hits = total = 0
        with torch.no_grad():
            for batch in loader:
                *inputs, labels = self.on_device(batch)
                hits += (model(*inputs).argmax(dim=-1) == labels).sum().item()
                total += len(labels)
        for network in change or [model]:
            network.train()
        return hits / total


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the average of a network's weights after ``step``, tensor by tensor."""
    weight = min(decay, (1 + step) / (10 + step))
    theirs = model.state_dict()
    for name, mine in average.state_dict().items():
        if mine.is_floating_point():
            mine.mul_(weight).add_(theirs[name], alpha=1 - weight)
        else:
            mine.copy_(theirs[name])


def run(homework: str, train: Callable[[Way], None], words: Sequence[str] | None = None) -> None:
    """Train as the command line says and print what came of it."""
    way, ended = Way(homework, words), "training"
    try:
        train(way)
    except Ended as reason:
        ended = str(reason)
    told = {"reached": way.reached, "seconds": way.seconds(), "ended": ended}
    told |= {"share": way.share()}
    print(json.dumps(told | {"peak_memory_mib": peak_memory_mib(), **device.gpu_memory()}))
