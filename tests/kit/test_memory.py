"""Freed memory stays with the process."""

import subprocess
import sys

import pytest

from mlspring.kit import memory

STEPS = """
import resource, torch
from mlspring.kit.memory import keep_freed_pages
kept = keep_freed_pages()
layers = [torch.nn.Conv2d(32, 32, 3, padding=1) for _ in range(3)]
network, images = torch.nn.Sequential(*layers), torch.randn(64, 32, 32, 32)
for step in range(20):
    if step == 5:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    network(images).square().mean().backward()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


GAPS = """
import torch
from mlspring.kit import memory
memory.keep_freed_pages()
taken = {call}
small = []
for turn in range(400):
    large = [torch.zeros(1024, 64) for _ in range(4)]
    small += [torch.zeros(100 + turn) for _ in range(20)]  # stay, and lie between
    del large
    if turn == 40:
        before = int(open("/proc/self/statm").read().split()[1])
print(taken, (int(open("/proc/self/statm").read().split()[1]) - before) // 256)  # MiB
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_freed_tensors_cost_no_page_faults_again() -> None:
    for _ in range(3):  # without the call about half of all processes fault 200,000 times
        words = [sys.executable, "-c", STEPS]
        kept, faults = subprocess.check_output(words, text=True).split()
        if kept == "False":
            pytest.skip("this C library has no mallopt")
        assert int(faults) < 20_000


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_small_things_that_stay_do_not_make_the_heap_grow() -> None:
    words = [sys.executable, "-c", GAPS.format(call="memory.part_with_large_blocks()")]
    taken, grown = subprocess.check_output(words, text=True).split()
    if taken == "False":
        pytest.skip("this C library has no mallopt")
    assert int(grown) < 30  # the small tensors: 360 times 20 of 1 kB


def test_another_system_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep_freed_pages()
    assert not memory.part_with_large_blocks()
