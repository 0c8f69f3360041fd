"""One execution, one folder: everything a run leaves behind, and the way back into it.

runs/hw03/strong/20261122-131500-s0/
    recipe.toml        the resolved recipe
    environment.json   versions, commit, device, threads, and the request itself
    log.jsonl          one object a line: step, epoch, group/name values, seconds
    checkpoints/       weights (safetensors) and the resumable state
    submission.csv     as in the course
    result.json        score, level, points, seconds per phase, memory, rate
    figures/           PNG + SVG + the CSV behind each
"""

import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from mlspring.core.environment import environment, peak_memory_mib
from mlspring.core.errors import DataError, RunError
from mlspring.core.files import disk_errors, read_json, write_json, write_text

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for; stored in the run, so that ``resume`` asks for the same.

    Args:
        homework: ``hw01`` .. ``hw15``.
        recipe: a level, another recipe's name, or the stem of a TOML file.
        data: ``world`` or the folder in the official layout.
        seed: fixes every random choice.
        device: where to compute; ``precision``: in which arithmetic.
        submit: whether to hand the submission in on the local board.
    """

    homework: str
    recipe: str
    data: str = "world"
    seed: int = 0
    device: Device = "auto"
    precision: Precision = "auto"
    submit: bool = True


@dataclass(frozen=True, kw_only=True)
class Training:
    """What training reports back.

    Args:
        validation: the homework's metric on data held out from training, or None.
        items_per_second: training examples seen a second, loading included.
    """

    validation: float | None
    items_per_second: float


_written: Path | None = None  # the run whose lock this process took last


def unfinished() -> Path | None:
    """Return the run that this process was writing and has not finished, None where none is."""
    if _written is None or not (_written / "environment.json").exists():
        return None
    return None if (_written / "result.json").exists() else _written


class Run:
    """A run folder, opened for writing by one process or for reading by any."""

    def __init__(self, folder: Path, request: Request, *, writable: bool = True) -> None:
        self.folder, self.request, self.writable = folder, request, writable
        self.seconds: dict[str, float] = {}
        self.memory_mib: dict[str, float] = {}
        self._log: IO[str] | None = None
        self._lock: IO[str] | None = None

    # ---- life

    @classmethod
    def create(cls, root: Path, request: Request, recipe_toml: str) -> "Run":
        """Make a new folder under ``root``; one in the same second gets a suffix.

        Raises:
            MachineError: the disk is full or ``root`` cannot be written.
        """
        parent = root / request.homework / request.recipe
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

        Raises:
            RunError: no such run, a damaged one, or one that another process is writing.
        """
        if not (folder / "environment.json").exists():
            fix = "runs are folders like runs/hw03/strong/20261122-131500-s0"
            raise RunError("is not a run folder", file=folder, fix=fix)
        try:
            request = Request(**read_json(folder / "environment.json")["request"])
            run = cls(folder, request, writable=writable)
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
        with disk_errors(self.folder):
            self._lock = (self.folder / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            found = "another process is writing this run"
            fix = "wait until it ends, or stop it first"
            raise RunError(found, file=self.folder, fix=fix) from error
        global _written
        _written = self.folder

    def close(self) -> None:
        """Close the log and give the lock back."""
        for stream in (self._log, self._lock):
            if stream is not None:
                with suppress(OSError):  # log() has told of a full disk already
                    stream.close()
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
        """The content of ``environment.json``: versions, hardware and the request."""
        return dict(read_json(self.folder / "environment.json"))

    @property
    def result(self) -> dict[str, Any] | None:
        """The content of ``result.json``, or None while the run is not finished."""
        path = self.folder / "result.json"
        return dict(read_json(path)) if path.exists() else None

    def log(self, **values: Any) -> None:
        """Append one object to ``log.jsonl``; ``train__loss`` becomes ``train/loss``."""
        if not self.writable:
            return
        path = self.folder / "log.jsonl"
        entry = {key.replace("__", "/"): value for key, value in values.items()}
        with disk_errors(path):
            if self._log is None:
                if path.exists() and not path.read_bytes().endswith(b"\n"):
                    self.rewind_log(lambda entry: True)  # what follows a half line would be lost
                self._log = path.open("a", encoding="utf-8")
            self._log.write(json.dumps(entry) + "\n")
            self._log.flush()

    def read_log(self) -> list[dict[str, Any]]:
        """Return the log's objects in order; a half line at the end, after a kill, is left out."""
        path = self.folder / "log.jsonl"
        if not path.exists():
            return []
        entries = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return entries

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
        """Add facts to ``environment.json``, e.g. the device and precision that were chosen."""
        if self.writable:
            path = self.folder / "environment.json"
            write_json(path, read_json(path) | values)

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
