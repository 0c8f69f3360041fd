"""One measured run as a process of its own, and the file of JSON lines that keeps it."""

import hashlib
import json
import os
import signal
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from mlspring.core.environment import environment
from mlspring.core.errors import InternalError, RecipeError
from mlspring.core.files import disk_errors
from mlspring.core.processes import run_measured


@dataclass(frozen=True, kw_only=True)
class Child:
    """What a finished process left behind.

    Args:
        code: exit status, negative after a signal.
        stdout: everything it printed there.
        seconds: wall time from its start to its end, the interpreter's own start included.
        memory_mib: the largest resident memory of the process or of one of its children.
    """

    code: int
    stdout: str
    seconds: float
    memory_mib: float


Runner = Callable[[Sequence[str], Path], Child]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One run to measure; two equal tasks are the same run, which is not done again.

    Args:
        homework: ``hw01`` .. ``hw15``.
        level: the recipe's name.
        seed: of the run.
        recipe: hash of the recipe's values; comments and blank lines do not count.
        world: name, version, seed and library hash of the world, as its folder is called.
        changes: keys of the recipe that this run changes, as ``--set`` takes them.
    """

    homework: str
    level: str
    seed: int
    recipe: str
    world: str
    changes: tuple[str, ...] = ()


def run_child(arguments: Sequence[str], messages: Path) -> Child:
    """Return how ``mlspring ARGUMENTS`` went in a process; its stderr is kept in ``messages``.

    The process ends with this one, whatever ends it: ``python -m mlspring.watched`` is the command
    line that does. This process must be small and never imports torch: see ``run_measured``.
    """
    command = [sys.executable, "-m", "mlspring.watched", *arguments]
    messages.parent.mkdir(parents=True, exist_ok=True)
    answer = messages.with_suffix(".out")
    with answer.open("wb") as out, messages.open("wb") as err, _stoppable():
        cost = run_measured(command, stdout=out, stderr=err)
    stdout = answer.read_text(encoding="utf-8", errors="replace")
    answer.unlink()
    return Child(stdout=stdout, **asdict(cost))


def measure(
    task: Task, out: Path, run: Runner, parts: Sequence[str] = ("public", "private")
) -> dict[str, Any]:
    """Return the record of one run: the task, the whole process's cost, its ``result.json``.

    Raises:
        InternalError: the run failed, or printed no result with a score of each of ``parts``.
    """
    arguments = ["run", task.homework, task.level, "--seed", str(task.seed)]
    arguments += ["--out", str(out / "runs"), "--no-submit", "--json"]
    arguments += [word for change in task.changes for word in ("--set", change)]
    messages = out / "messages" / f"{task.homework}-{task.level}-s{task.seed}.txt"
    about = environment()
    child = run(arguments, messages)
    name = f"{task.homework} {task.level}, seed {task.seed}"
    if child.code != 0:
        raise failed(f"the run of {name} ended with exit code {child.code}", messages)
    result = _last_json(child.stdout)
    score = (result or {}).get("score") or {}
    if not all(isinstance(score.get(part), int | float) for part in parts):
        raise failed(f"the run of {name} printed no {' and no '.join(parts)} score", messages)
    return asdict(task) | {
        "process_seconds": child.seconds,
        "process_memory_mib": child.memory_mib,
        "result": result,
        "environment": about,
    }


def recipe_hash(path: Path) -> str:
    """Return 16 hexadecimal digits that stand for the values in a recipe file.

    Raises:
        RecipeError: the file is missing or is not TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise RecipeError("there is no such recipe", file=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"is not valid TOML: {error}", file=path) from error
    return values_hash(table)


def values_hash(values: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for the values of a recipe, in whichever order."""
    canonical = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def read_records(path: Path) -> dict[Task, dict[str, Any]]:
    """Return the finished runs in ``path`` by task; a half line after a kill is left out."""
    if not path.exists():
        return {}
    records = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
            known = {"changes": ()} | record
            values = {key: known[key] for key in Task.__dataclass_fields__}
            task = Task(**values | {"changes": tuple(values["changes"])})
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
        records[task] = record
    return records


def append_record(path: Path, record: dict[str, Any]) -> None:
    """Add one line to ``path``, on the disk before this returns."""
    with disk_errors(path), path.open("ab+") as stream:
        stream.seek(0, os.SEEK_END)
        if stream.tell() > 0:
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":  # a killed process left half a line
                stream.write(b"\n")
        stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let ``kill`` end the block as Ctrl-C does, not this process alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _last_json(text: str) -> dict[str, Any] | None:
    """Return the object that ``text`` ends with, or None."""
    start = ("\n" + text).rfind("\n{")
    try:
        value = json.loads(text[start:]) if start >= 0 else None
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def failed(what: str, messages: Path) -> InternalError:
    """Return the error, with the last words of the process that ``messages`` holds."""
    words = messages.read_text(encoding="utf-8", errors="replace") if messages.exists() else ""
    said = [line for line in words.splitlines()[-8:] if line.strip()]
    fix = f"all it said is in {messages}; the same command goes on where this one stopped"
    return InternalError(what, fix=fix, details=said)
