"""The choice of device and arithmetic, and its memory."""

import json
from pathlib import Path

import pytest
import torch

from mlspring.core.errors import MachineError
from mlspring.kit import device


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Seconds of a made-up machine where bf16 is twice as fast; returns what was measured."""
    measured: list[str] = []

    def measure(precision: str, place: torch.device) -> float:
        measured.append(f"{precision} on {place}")
        return {"fp32": 0.2, "bf16": 0.1}[precision]

    monkeypatch.setattr(device, "measure_step", measure)
    return measured


def test_bf16_is_chosen_where_it_pays_and_remembered(isolated_home: Path, steps: list[str]) -> None:
    first = device.choose("cpu", "auto", work="conv")
    second = device.choose("cpu", "auto", work="conv")
    assert first.precision == second.precision == "bf16"
    assert steps == ["fp32 on cpu", "bf16 on cpu"] * 3
    (seconds,) = json.loads((isolated_home / "machine.json").read_text()).values()
    assert seconds == {"fp32": 0.2, "bf16": 0.1}


def test_fp32_stays_where_bf16_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "measure_step", lambda precision, place: 0.1)
    assert device.choose("cpu", "auto", work="conv").precision == "fp32"


def test_a_damaged_memory_is_measured_again(isolated_home: Path, steps: list[str]) -> None:
    (isolated_home / "machine.json").write_text("{half")
    assert device.choose("cpu", "auto", work="conv").precision == "bf16"
    assert len(steps) == 6


def test_dense_work_keeps_its_digits(steps: list[str]) -> None:
    assert device.choose("cpu", "auto", work="dense").precision == "fp32"
    assert steps == []


def test_missing_cuda_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MachineError, match="torch sees no CUDA device"):
        device.choose("cuda", "auto", work="conv")


def test_bf16_convolutions_really_run_in_bf16() -> None:
    hardware = device.choose("cpu", "bf16", work="conv")
    layer = hardware.place(torch.nn.Conv2d(3, 4, 3))
    with hardware.autocast():
        out = layer(hardware.place_images(torch.randn(2, 3, 8, 8)))
    assert out.dtype == torch.bfloat16
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)
