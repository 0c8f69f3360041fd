"""A homework that exists only for tests: one number a row, the score is the share of equal ones.

The module is island and catalog at once: it answers for its own ``submission`` and ``score``. A
child process of the judge imports it by name, so what the scorer does is asked of the file itself:
a first baseline ``do: <something>`` in the *answers* makes it misbehave.
"""

import csv
import errno
import os
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from mlspring.core.errors import SubmissionError
from mlspring.core.score import Score
from mlspring.core.spec import Limits, Metric, Points, Spec

BASELINES = """
[world]
origin = "measured"
public = {simple = 0.25, medium = 0.5, strong = 0.75, boss = 1.0}
private = {simple = 0.25, medium = 0.5, strong = 0.75, boss = 1.0}

[official]
origin = "slides"
public = {simple = 0.5, boss = 0.9}
"""


def make_spec(folder: Path, *, higher_is_better: bool = True, baselines: str = BASELINES) -> Spec:
    """Return the spec of ``hw99``, its baselines written to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "baselines.toml").write_text(baselines)
    return Spec(
        id="hw99",
        folder=folder,
        title="Counting",
        title_zh="數數",
        topic="numbers",
        summary="Nothing -> numbers.",
        metric=Metric(
            name="accuracy", higher_is_better=higher_is_better, unit="share of rows", digits=5
        ),
        submission="table",
        submission_name="pred.csv",
        limits=Limits(max_bytes=10_000, max_rows=100),
        points=Points(public=0.5, private=0.5),
    )


def part(spec: Spec, name: str) -> ModuleType:
    """Stand in for ``catalog.part``."""
    assert name in ("submission", "score")
    return sys.modules[__name__]


def write_answers(path: Path, do: str = "") -> Path:
    """Write four public and four private rows whose answers are all 1."""
    rows = [f"{i},1,{'Public' if i < 4 else 'Private'}" for i in range(8)]
    path.write_text(f"do: {do}\n" + "\n".join(rows) + "\n")
    return path


def write_submission(path: Path, public: int, private: int) -> Path:
    """Write a file with so many right rows on each part (0 to 4)."""
    right = [1] * public + [0] * (4 - public) + [1] * private + [0] * (4 - private)
    path.write_text("id,value\n" + "".join(f"{i},{v}\n" for i, v in enumerate(right)))
    return path


@dataclass(frozen=True)
class Key:
    """The answers: what must be named, and the rest of each row."""

    ids: list[str]
    rows: list[str]
    do: str


def read_answers(path: Path) -> Key:
    """Return the answers; a scorer's contract."""
    do, *rows = path.read_text().splitlines()
    _misbehave(do.removeprefix("do: "), path)
    return Key([row.split(",")[0] for row in rows], rows, do)


BROKEN: dict[str, Callable[[], BaseException]] = {
    "value": lambda: ValueError("bad\x1b[31m offset\nscored"),
    "index": lambda: IndexError("string index out of range"),
    "recursion": RecursionError,
    "zip": lambda: zipfile.BadZipFile("Bad magic number"),
    "tar": lambda: tarfile.ReadError("truncated header"),
    "seek": lambda: OSError(errno.EINVAL, "Invalid argument"),
    "name": lambda: OSError(errno.ENAMETOOLONG, "File name too long"),
    "struct": lambda: struct.error("unpack requires a buffer of 4 bytes"),
    "end": EOFError,
    "bug": lambda: AttributeError("NoneType has no attribute"),
    "disk": lambda: OSError(errno.EIO, "Input/output error"),
    "memory": MemoryError,
}
"""What a reader may raise on a damaged file (the last three are no fault of a file)."""


def read(path: Path, ids: list[str]) -> list[int]:
    """Return the values; a reader's contract."""
    READ.append(path)
    if (broken := path.read_text().removeprefix("broken: ")) in BROKEN:
        raise BROKEN[broken]()
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    for number, (row, wanted) in enumerate(zip(rows, ids, strict=False), 2):
        if len(row) != 2 or row[0] != wanted or row[1] not in ("0", "1"):
            raise SubmissionError(f"{','.join(row)!r}", file=path, row=number, expected="0 or 1")
    if len(rows) != len(ids):
        raise SubmissionError(f"has {len(rows)} rows", file=path, expected=f"{len(ids)} rows")
    return [int(value) for _, value in rows]


READ: list[Path] = []
"""Every file that was read in this process."""


def score(values: list[int], answers: Key) -> Score:
    """Return the share of right values; a scorer's contract."""
    if answers.do == "do: nan":
        return Score(public=float("nan"), private=0.0)
    right = {"Public": 0, "Private": 0}
    for value, row in zip(values, answers.rows, strict=True):
        _, answer, usage = row.split(",")
        right[usage] += value == int(answer)
    return Score(
        public=right["Public"] / 4,
        private=right["Private"] / 4,
        details={"rows": len(values), "private_low": 0.0, "process": float(os.getpid())},
    )


def _misbehave(do: str, answers: Path) -> None:  # noqa: PLR0912  (a list of faults)
    match do:
        case "raise":
            raise KeyError("a bug in the scorer")
        case "blame":
            raise SubmissionError("the answers are broken", file=answers, row=3)
        case "print":
            sys.stdout.write("hello\n")
            sys.stdout.flush()
        case "memory":
            raise MemoryError
        case "exit":
            sys.exit(3)
        case "interrupt":
            raise KeyboardInterrupt
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "vanish":
            os._exit(7)
        case "close":  # and dies of a cause of its own a little later
            os.closerange(3, 64)
            time.sleep(0.5)
            os._exit(7)
        case "shout":
            sys.stderr.write("first words " + "x" * 50_000)
            sys.stderr.flush()
            os._exit(7)
        case "fork":
            helper = subprocess.Popen(["sleep", "60"])
            (answers.parent / "child.pid").write_text(str(helper.pid))
            helper.wait()
        case "sleep":
            (answers.parent / "child.pid").write_text(str(os.getpid()))
            time.sleep(60)
