"""The worker processes that make a world's shards."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from mlspring.core.errors import UserError
from mlspring.worlds import shards as shards_module
from mlspring.worlds.shards import Shard, make_shards

SOURCE = Path(shards_module.__file__).parents[2]


def draw(seed: int, shard: int) -> Shard:
    return {"x": np.random.default_rng([seed, shard]).normal(size=(5, 3))}


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(
        "import os, sys, time\n"
        "from mlspring.worlds.shards import make_shards\n"
        "def slow(seed, shard):\n"
        "    print(os.getpid(), flush=True)\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    make_shards(slow, 0, 2, 2, lambda: None)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdout is not None
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while any(alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(worker) for worker in workers)


def alive(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_script_without_guard_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shards_module.multiprocessing.current_process(), "_inheriting", True, raising=False
    )
    with pytest.raises(UserError, match="__main__"):
        make_shards(draw, 0, 2, 2, lambda: None)
