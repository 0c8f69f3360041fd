"""What every training loop repeats around the lesson: resume, running means, log, save, finish.

The loop is written out in each homework. The bookkeeper sees no batch and calls no network, no loss
and no optimizer; it keeps the numbers that the loop gives it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from mlspring.core.errors import InternalError
from mlspring.core.progress import bar
from mlspring.core.recipe_sections import LoopKnobs
from mlspring.core.runs import Run
from mlspring.kit import checkpoint
from mlspring.kit.distributed import Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.state import TrainState

BAR_SECONDS = 0.1  # between two updates of the progress bar: a small network's step takes 0.4 ms


@dataclass
class Bookkeeper:
    """The books of one network: ``with Bookkeeper(...) as books: for step in books.steps(): ...``.

    Args:
        run: holds log and states; ``number`` is the network's in both.
        state: filled from its last saved state, if there is one.
        knobs: the recipe's ``[train]``; ``num_steps`` of the whole training.
        ranks: rank 0 alone writes; ``label`` of the progress bar.
        extra: JSON values that a resumed loop needs beside; given as they are before step 1.
    """

    run: Run
    number: int
    state: TrainState[Any]
    knobs: LoopKnobs
    num_steps: int
    ranks: Ranks
    label: str
    extra: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._path = self.run.checkpoints / f"member-{self.number}.state.safetensors"
        kept = checkpoint.load_state(self._path, self.state.modules, self.state.optimizer) or {}
        self.extra |= kept.get("extra", {})
        self._names, self._sums = kept.get("names", []), torch.tensor(kept.get("sums", []))
        self.start = self.step = self._drawn = int(kept.get("step", 0))
        self._began = time.perf_counter() - kept.get("seconds", 0.0)
        self._saved = self._shown = time.perf_counter()
        self.run.rewind_log(lambda e: (e["member"], e["step"]) <= (self.number, self.start))
        self._drawing = bar(self.label, self.num_steps, unit="steps", done=self.start)
        self._bar = self._drawing.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._drawing.__exit__(*error)

    def steps(self) -> Iterator[int]:
        """Yield the steps that are left, counted from 1: those behind the last saved one."""
        for step in range(self.start + 1, self.num_steps + 1):
            self.step = step
            yield step
            if time.perf_counter() - self._shown >= BAR_SECONDS or step == self.num_steps:
                self._bar.advance(step - self._drawn)
                self._drawn, self._shown = step, time.perf_counter()

    def add(self, **values: Tensor) -> None:
        """Add scalars of this step to the running means, e.g. ``train__loss=loss.detach()``."""
        new = torch.stack([*values.values(), torch.ones_like(next(iter(values.values())))])
        if new.requires_grad:
            raise InternalError("a running mean would keep the graphs of all steps: detach first")
        # The first step after a log starts the sums; on the device, so that no step waits for it.
        self._sums = self._sums.to(new.device) + new if len(self._sums) else new
        self._names = list(values)

    def validates(self) -> bool:
        """Return whether a validation follows this step."""
        return self.step % self.knobs.validate_every == 0 or self.step == self.num_steps

    def log(self, **values: Any) -> None:
        """Log the running means, which then start anew, and ``values`` of a validation.

        Raises:
            RecipeError: a number is not finite: training diverged.
        """
        *sums, count = self._sums.tolist()
        means = {n: round(s / count, 5) for n, s in zip(self._names, sums, strict=True)}
        measured = means | values
        numbers = {name: value for name, value in measured.items() if isinstance(value, float)}
        check_finite(self.step, numbers.pop("learning_rate", self.knobs.learning_rate), **numbers)
        seconds = round(time.perf_counter() - self._began, 2)
        self.run.log(member=self.number, step=self.step, **measured, seconds=seconds)
        told = [n for n in numbers if n.startswith(("train__loss", "valid__"))]
        self._bar.advance(0, ", ".join(f"{n.replace('__', ' ')} {numbers[n]:.4g}" for n in told))
        self._names, self._sums = [], torch.tensor([])

    def due(self) -> bool:
        """Return whether this process should save a state after this step."""
        waited = time.perf_counter() - self._saved >= self.knobs.checkpoint_seconds
        return self.ranks.is_main and waited and self.step < self.num_steps

    def save(self) -> None:
        """Write a resumable state: a kill loses what comes after it, and nothing else."""
        kept = {"step": self.step, "seconds": time.perf_counter() - self._began}
        kept |= {"names": self._names, "sums": self._sums.tolist(), "extra": self.extra}
        checkpoint.save_state(self._path, self.state.modules, self.state.optimizer, kept)
        self._saved = time.perf_counter()

    def finish(self) -> None:
        """Remove the state, once the weights are saved; wait for the other processes."""
        if self.ranks.is_main:
            self._path.unlink(missing_ok=True)
        self.ranks.wait()
