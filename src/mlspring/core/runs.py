"""One execution, one folder: everything a run leaves behind, and the way back into it.

runs/hw03/strong/20261122-131500-s0/
    recipe.toml        the resolved recipe
    environment.json   versions, commit, machine, and the request itself; written once
    state.json         what the run notes on its way: device, precision, threads, submission
    log.jsonl          one object a line: step, epoch, group/name values, seconds
    checkpoints/       weights (safetensors) and the resumable state
    submission.csv     as in the course
    result.json        score, level, points, seconds per phase, memory, rate
    figures/           PNG + SVG + the CSV behind each
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from mlspring.core.environment import environment
from mlspring.core.errors import DataError, RunError
from mlspring.core.files import checked_name, disk_errors, write_json, write_text
from mlspring.core.foreign import demand_plain_tree, read_json_bounded, read_json_lines
from mlspring.core.locks import Lock, LockedError
from mlspring.core.machine import peak_memory_mib
from mlspring.core.recipe import folder_of
from mlspring.core.request import (
    Device,
    Precision,
    Request,
    Training,
    checked_request,
    checked_result,
)

__all__ = ["Device", "Precision", "Request", "Run", "Training"]


class Run:
    """A run folder, opened for writing by one process or for reading by any.

    As a context it is closed at the end; Ctrl-C inside leaves with ``stopped_run``, the folder of
    the run that can go on, as an attribute of the ``KeyboardInterrupt``.
    """

    def __init__(self, folder: Path, request: Request, *, writable: bool = True) -> None:
        self.folder, self.request, self.writable = folder, request, writable
        self.seconds: dict[str, float] = {}
        self.memory_mib: dict[str, float] = {}
        self._log: IO[str] | None = None
        self._lock: Lock | None = None

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, KeyboardInterrupt) and not (self.folder / "result.json").exists():
            error.stopped_run = self.folder  # type: ignore[attr-defined]
        self.close()

    # ---- life

    @classmethod
    def create(cls, root: Path, request: Request, recipe_toml: str) -> "Run":
        """Make a new folder under ``root``; one in the same second gets a suffix.

        Raises:
            MachineError: the disk is full, ``root`` cannot be written or its name is not UTF-8.
        """
        parent = checked_name(root / request.homework / folder_of(request.recipe))
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-s{request.seed}"
        with disk_errors(parent):
            parent.mkdir(parents=True, exist_ok=True)
            folder = _fresh_folder(parent, name)
        run = cls(folder, request)
        try:
            run.lock()
            write_text(folder / "recipe.toml", recipe_toml)
            write_json(folder / "environment.json", environment() | {"request": asdict(request)})
        except BaseException:
            run.close()
            shutil.rmtree(folder, ignore_errors=True)  # a full disk leaves no empty run
            raise
        return run

    @classmethod
    def open(cls, folder: Path, *, writable: bool = False) -> "Run":
        """Open an existing run; ``writable`` also takes its lock.

        The folder may come from elsewhere: it holds no links, and its files are checked.

        Raises:
            RunError: no such run, a damaged one, or one that another process is writing.
        """
        if not (folder / "environment.json").exists():
            fix = "runs are folders like runs/hw03/strong/20261122-131500-s0"
            raise RunError("is not a run folder", file=folder, fix=fix)
        demand_plain_tree(folder, RunError)
        try:
            run = cls(
                folder, checked_request(_read(folder / "environment.json")), writable=writable
            )
            if run.result is not None:
                run.seconds = dict(run.result["seconds"])
        except (DataError, KeyError, TypeError, ValueError) as error:
            fix = "environment.json or result.json was changed; make the run again"
            raise RunError(f"is damaged ({error})", file=folder, fix=fix) from error
        if writable:
            run.lock()
            for half_written in folder.rglob("*.part"):  # left by a kill; the lock makes them ours
                half_written.unlink(missing_ok=True)
        return run

    def lock(self) -> None:
        """Take the run's lock until this process ends.

        Raises:
            RunError: another process is writing this run.
            MachineError: the folder cannot be written.
        """
        try:
            self._lock = Lock(self.folder / ".lock")
        except LockedError as error:
            message = "another process is writing this run"
            fix = "wait until it ends, or stop it first"
            raise RunError(message, file=self.folder, fix=fix) from error

    def close(self) -> None:
        """Close the log and give the lock back."""
        if self._log is not None:
            with suppress(OSError):  # log() has told of a full disk already
                self._log.close()
        if self._lock is not None:
            self._lock.release()
        self._log = self._lock = None

    # ---- contents

    @property
    def checkpoints(self) -> Path:
        """Folder of weights and resumable states."""
        return self.folder / "checkpoints"

    @property
    def figures(self) -> Path:
        """Folder of the report figures."""
        return self.folder / "figures"

    @property
    def environment(self) -> dict[str, Any]:
        """The content of ``environment.json``: versions, machine and the request."""
        return _read(self.folder / "environment.json")

    @property
    def state(self) -> dict[str, Any]:
        """The content of ``state.json``, what ``note`` wrote; empty before the first note."""
        path = self.folder / "state.json"
        return _read(path) if path.exists() else {}

    @property
    def result(self) -> dict[str, Any] | None:
        """The content of ``result.json``, or None while the run is not finished."""
        path = self.folder / "result.json"
        return checked_result(_read(path)) if path.exists() else None

    def log(self, **values: Any) -> None:
        """Append one object to ``log.jsonl``; ``train__loss`` becomes ``train/loss``."""
        if not self.writable:
            return
        path = self.folder / "log.jsonl"
        named = {key.replace("__", "/"): value for key, value in values.items()}
        with disk_errors(path):
            if self._log is None:
                if path.exists() and not path.read_bytes().endswith(b"\n"):
                    self.rewind_log(lambda values: True)  # what follows a half line would be lost
                self._log = path.open("a", encoding="utf-8", newline="\n")
            self._log.write(json.dumps(named) + "\n")
            self._log.flush()

    def read_log(self) -> list[dict[str, Any]]:
        """Return the log's objects in order; a half line at the end, after a kill, is left out.

        Raises:
            DataError: a line is no JSON object, or the log is far too large.
        """
        path = self.folder / "log.jsonl"
        return list(read_json_lines(path, follow_links=False)) if path.exists() else []

    def rewind_log(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Drop the log's objects that ``keep`` refuses: what a resumed run will log again."""
        if not self.writable:
            return
        if self._log is not None:
            self._log.close()
            self._log = None
        kept = [entry for entry in self.read_log() if keep(entry)]
        write_text(self.folder / "log.jsonl", "".join(json.dumps(e) + "\n" for e in kept))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the block's wall-clock seconds to ``seconds[name]``; note the peak memory so far."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)
            self.memory_mib[name] = peak_memory_mib()

    def note(self, **values: Any) -> None:
        """Add values to ``state.json``, e.g. the device and precision that were chosen."""
        if self.writable:
            write_json(self.folder / "state.json", self.state | values)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write ``result.json``: the last thing a run does."""
        write_json(self.folder / "result.json", dict(result))


def _fresh_folder(parent: Path, name: str) -> Path:
    for attempt in range(1, 1000):
        folder = parent / (name if attempt == 1 else f"{name}-{attempt}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise RunError("has a thousand runs of this second", file=parent / name)


def _read(path: Path) -> dict[str, Any]:
    value = read_json_bounded(path, follow_links=False)
    if not isinstance(value, dict):
        raise DataError("holds no JSON object", file=path)
    return value
