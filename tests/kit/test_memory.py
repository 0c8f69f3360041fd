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


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_freed_tensors_cost_no_page_faults_again() -> None:
    for _ in range(3):  # without the call about half of all processes fault 200,000 times
        words = [sys.executable, "-c", STEPS]
        kept, faults = subprocess.check_output(words, text=True).split()
        if kept == "False":
            pytest.skip("this C library has no mallopt")
        assert int(faults) < 20_000


def test_another_system_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep_freed_pages()
