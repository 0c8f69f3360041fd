"""The choice of device and arithmetic, and its memory."""

import json
from pathlib import Path

import pytest
import torch

from mlspring.core.errors import MachineError
from mlspring.core.runs import Precision, Request, Run
from mlspring.kit import device
from mlspring.kit.distributed import Ranks


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


@pytest.mark.parametrize(
    "content", ["{half", "[1, 2]", "null", "{}", "{KEY: 3}", '{KEY: {"fp32": 1}}']
)
def test_a_damaged_memory_is_measured_again(
    content: str, isolated_home: Path, steps: list[str]
) -> None:
    path = isolated_home / "machine.json"
    device.choose("cpu", "auto", work="conv")
    (key,) = json.loads(path.read_text())
    steps.clear()
    path.write_text(content.replace("KEY", json.dumps(key)))
    assert device.choose("cpu", "auto", work="conv").precision == "bf16"
    assert len(steps) == 6
    assert list(json.loads(path.read_text())) == [key]


def run_with(tmp_path: Path, asked: Precision, **noted: str) -> Run:
    request = Request(homework="hw03", recipe="simple", device="cpu", precision=asked)
    run = Run.create(tmp_path, request, "")
    run.note(**noted)
    run.close()
    return Run.open(run.folder)


def test_a_run_keeps_the_arithmetic_that_it_began_with(tmp_path: Path, steps: list[str]) -> None:
    began = run_with(tmp_path, "auto", precision="fp32")
    assert device.choose_for(began, work="conv").precision == "fp32"
    assert steps == [], "nothing needs to be measured again"
    fresh = run_with(tmp_path, "auto")
    assert device.choose_for(fresh, work="conv").precision == "bf16"
    told = run_with(tmp_path, "fp32", precision="bf16")
    assert device.choose_for(told, work="conv").precision == "fp32"


def test_a_run_keeps_the_threads_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [3]
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[-1])
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    request = Request(homework="hw03", recipe="simple", device="cpu", precision="fp32")
    with Run.create(tmp_path, request, "") as run:
        device.choose_for(run, work="dense")
        assert run.state["threads"] == 3
        threads.append(8)  # another machine
        device.choose_for(run, work="dense")
        assert threads[-1] == 3
        for odd in ("8", 0, -1, 10**9, True, None):  # a run from elsewhere
            run.note(threads=odd)
            device.choose_for(run, work="dense")
            assert run.state["threads"] == 3
        assert threads == [3, 8, 3]


def test_a_probe_that_cannot_be_remembered_still_chooses(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    def refuse(path: Path, value: object) -> None:
        raise MachineError("cannot be written", file=path)

    monkeypatch.setattr(device, "write_json", refuse)
    assert device.choose("cpu", "auto", work="conv").precision == "bf16"
    assert not (isolated_home / "machine.json").exists()


@pytest.mark.parametrize("choice", ["fp32", "bf16"])
def test_all_processes_compute_as_the_first(
    choice: str, tmp_path: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two processes measures nothing, and takes what it hears."""
    heard: list[object] = []

    def broadcast(ranks: Ranks, value: object) -> str:
        heard.append(value)
        return choice

    monkeypatch.setattr(Ranks, "broadcast", broadcast)
    run = run_with(tmp_path, "auto")
    assert device.choose_for(run, work="conv", ranks=Ranks(1, 2)).precision == choice
    assert (steps, heard) == ([], [None])
    device.choose_for(run, work="conv", ranks=Ranks(0, 2))
    assert heard[1:] == ["bf16"]


def test_dense_work_keeps_its_digits(steps: list[str]) -> None:
    assert device.choose("cpu", "auto", work="dense").precision == "fp32"
    assert steps == []


def test_wide_dense_work_is_measured_and_remembered_apart(
    isolated_home: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "measure_wide_step", lambda precision, place: 0.1)
    assert device.choose("cpu", "auto", work="conv").precision == "bf16"
    assert device.choose("cpu", "auto", work="wide").precision == "fp32"
    assert len(json.loads((isolated_home / "machine.json").read_text())) == 2
    assert not device.choose("cpu", "bf16", work="wide").channels_last


def test_missing_cuda_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MachineError, match="torch sees no CUDA device"):
        device.choose("cuda", "auto", work="conv")


def test_bf16_convolutions_really_run_in_bf16() -> None:
    hardware = device.choose("cpu", "bf16", work="conv")
    layer = hardware.to_device(torch.nn.Conv2d(3, 4, 3))
    with hardware.autocast():
        out = layer(hardware.images_to_device(torch.randn(2, 3, 8, 8)))
    assert out.dtype == torch.bfloat16
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)


def test_looking_for_an_lstm_in_bf16_draws_no_random_number() -> None:
    state = torch.get_rng_state()
    device._has_bf16_lstm.__wrapped__("cpu")
    assert torch.equal(torch.get_rng_state(), state)
