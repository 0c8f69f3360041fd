"""How long a board of many submissions takes to read, and its memory: python -m benchmarks.board.

Fills a store in a folder of its own with rows as the judge writes them, then reads the public and
the private board as ``mlspring board`` does, in fresh processes.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from mlspring.judge.store import Store
from mlspring.judge.tables import Learner, Submission

START = datetime(2022, 3, 1, tzinfo=UTC)
READ = """
import json, sys, time
from pathlib import Path
from mlspring import catalog
from mlspring.judge import boards, service
spec, private = catalog.find("hw03"), sys.argv[2] == "private"
def peak():  # of this process alone; getrusage starts at the peak of who started it
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
before, start = peak(), time.process_time()
store = service.open_for_reading(Path(sys.argv[1]))
board = boards.board(store, spec, private=private, me="learner 7")
seconds = time.process_time() - start
print(json.dumps({"seconds": seconds, "mib": peak() - before, "rows": len(board.rows)}))
"""


def fill(folder: Path, num_submissions: int, num_learners: int) -> None:
    """Write the rows of a long course into a new store."""
    draw = random.Random(0)
    store = Store.open(folder)
    names = [f"learner {number}" for number in range(num_learners)]
    rows = [
        {
            "homework": "hw03",
            "source": "world",
            "learner_id": 1 + (number if number < num_learners else draw.randrange(num_learners)),
            "filename": "submission.csv",
            "file": f"hw03/{number:032x}/submission.csv",
            "num_bytes": 30_000,
            "sha256": f"{number:064x}",
            "answers": "0" * 64,
            "received": START + timedelta(seconds=number),
            "state": "scored",
            "public": draw.randrange(1000) / 1000,
            "private": draw.randrange(1000) / 1000,
            "final": draw.random() < 0.02,
        }
        for number in range(num_submissions)
    ]
    with store.writing() as session:
        session.execute(insert(Learner), [{"name": n, "key": n, "joined": START} for n in names])
        session.execute(insert(Submission), rows)


def main() -> None:
    """Print one line a board: learners, CPU seconds (the best of five), memory above the start."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--submissions", type=int, default=100_000)
    given = options.parse_args()
    for num_learners in (100, 1000, given.submissions):
        with tempfile.TemporaryDirectory() as scratch:
            fill(Path(scratch), given.submissions, num_learners)
            for part in ("public", "private"):
                command = [sys.executable, "-c", READ, scratch, part]
                runs = [
                    json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
                    for _ in range(5)
                ]
                best = min(run["seconds"] for run in runs)
                most = max(run["mib"] for run in runs)
                board = f"{given.submissions:,} submissions of {num_learners:,} learners, {part}"
                print(f"{board}: {best:.3f} s of CPU, {most:.1f} MiB more", flush=True)


if __name__ == "__main__":
    main()
