"""What the system tells of this machine and of this process."""

import os
import subprocess
import sys
import types
from pathlib import Path

import psutil
import pytest

from mlspring.core import machine


def test_what_a_container_is_given_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("200000 100000\n")
    assert machine.cpu_quota(file) == 2.0
    file.write_text("max 100000\n")
    assert machine.cpu_quota(file) is None
    assert machine.cpu_quota(tmp_path / "none") is None
    file.write_text("flags : fpu amx_bf16 avx512_bf16 avx512f\n")
    assert machine.bf16_units(file) == ["amx_bf16", "avx512_bf16"]
    assert machine.bf16_units(tmp_path / "none") == []

    told = types.SimpleNamespace(available=512_000, total=1_024_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: told)
    assert machine.memory(tmp_path) == (512_000, 1_024_000)
    (tmp_path / "memory.max").write_text("204800\n")
    (tmp_path / "memory.current").write_text("102400\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 2400\n")
    assert machine.memory(tmp_path) == (104_800, 204_800)
    (tmp_path / "memory.current").write_text("300000\n")  # a bound that was lowered since
    assert machine.memory(tmp_path) == (0, 204_800)
    (tmp_path / "memory.max").write_text("9999999\n")  # more than the machine has
    assert machine.memory(tmp_path) == (512_000, 1_024_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory(tmp_path) == (512_000, 1_024_000)


def test_the_cores_are_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3}, raising=False)
    assert machine.num_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")  # Windows
    monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda self: [0, 3, 5], raising=False)
    assert machine.num_cores() == 3
    monkeypatch.delattr(psutil.Process, "cpu_affinity")  # macOS
    assert machine.num_cores() == os.cpu_count()


PEAK = """
import sys
import psutil
from mlspring.core import machine
if sys.argv[1] == "windows":
    sys.modules["resource"] = None
block = bytearray(100 * 2**20)
block[::4096] = b"x" * len(block[::4096])
print(machine.peak_memory_mib(), psutil.Process().memory_info().rss / 2**20)
"""


@pytest.mark.parametrize("system", ["unix", "windows"])
def test_the_peak_of_memory_is_that_of_this_process(system: str) -> None:
    command = [sys.executable, "-c", PEAK, system]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, now = map(float, done.stdout.split())
    assert 100 < now <= peak + 1  # MiB, and Linux counts the peak of whoever started it, too
    assert peak < 100_000


def test_only_rank_0_is_the_main_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert machine.is_main_process()
    monkeypatch.setenv("RANK", "0")
    assert machine.is_main_process()
    monkeypatch.setenv("RANK", "1")
    assert not machine.is_main_process()


def test_the_processor_has_a_name() -> None:
    assert machine.processor().strip()
