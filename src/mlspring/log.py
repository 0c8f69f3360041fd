"""``mlspring.Log``: the log of a learner's own loop, in the format of ours."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from mlspring.face import Finished


class Log:
    """A run folder for a loop of one's own; its values become curves, report and board row.

    >>> with mlspring.Log("hw03", "my net") as log:
    ...     for epoch in range(5):
    ...         log(step=epoch, epoch=epoch, train__loss=0.5, valid__accuracy=0.6)
    ...     done = log.finish(validation=0.6, file="submission.csv")

    Args:
        hw: e.g. ``hw03``.
        name: of the loop, for the list of runs.
        data: what it was trained on: ``world`` or a folder.
        seed: that it used, for whoever runs it again.
        out: folder of all runs.
    """

    def __init__(
        self,
        hw: str,
        name: str = "loop",
        *,
        data: str | Path = "world",
        seed: int = 0,
        out: str | Path = "runs",
    ) -> None:
        from mlspring import catalog
        from mlspring.verbs import own_loop

        self._spec = catalog.find(hw)
        self._run = own_loop.start(self._spec, name, data=str(data), seed=seed, out=Path(out))
        self._began = time.perf_counter()

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return self._run.folder

    def __call__(
        self,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        step: int,
        epoch: float | None = None,
        member: int = 0,
        **more: Any,
    ) -> None:
        """Append one line to ``log.jsonl``.

        Args:
            values: by ``train/name`` and ``valid/name``.
            step: updates of the weights so far.
            epoch: passes over the training data so far; default: the step.
            member: which network, where there are several.
            more: values as ``train__name`` and ``valid__name``.
        """
        from mlspring.verbs.own_loop import log_values

        place = {"step": step, "epoch": step if epoch is None else epoch, "member": member}
        seconds = round(time.perf_counter() - self._began, 2)
        plain = log_values(place | dict(values or {}) | more)
        self._run.log(**plain, seconds=seconds)

    def finish(
        self,
        *,
        validation: float | None = None,
        file: str | Path | None = None,
        submit: bool = True,
    ) -> Finished:
        """Draw the curves, score the submission, and return the finished run.

        Args:
            validation: the homework's metric on data held out from training.
            file: the submission, where there is one.
            submit: whether to hand it in on the local board, too.
        """
        from mlspring.verbs import own_loop

        try:
            done = own_loop.finish(
                self._spec,
                self._run,
                validation=validation,
                file=None if file is None else Path(file),
                submit=submit,
                seconds=time.perf_counter() - self._began,
            )
        finally:
            self._run.close()
        return Finished.of(done)

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run.close()
