"""Where and in which arithmetic to compute, chosen by measurement and remembered per machine."""

import functools
import platform
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import home, read_json, write_json
from mlspring.core.machine import processor
from mlspring.core.runs import Device, Precision, Run
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.memory import keep_freed_pages

M = TypeVar("M", bound=nn.Module)
Work = Literal["conv", "dense", "wide"]

MAX_THREADS = 1024
MIN_GAIN = 1.15  # bf16 must be this much faster than fp32 to be chosen: noise is not a gain


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """The choice: a device, an arithmetic, a memory layout for images."""

    device: torch.device
    precision: Literal["fp32", "bf16"]
    channels_last: bool

    def to_device(self, model: M) -> M:
        """Return ``model`` on the device in the chosen layout."""
        if self.channels_last:
            return model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return model.to(self.device)

    def images_to_device(self, images: Tensor) -> Tensor:
        """Return images (N, C, H, W) on the device in the chosen layout."""
        if self.channels_last:
            return images.to(self.device, memory_format=torch.channels_last, non_blocking=True)
        return images.to(self.device, non_blocking=True)

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which forward passes run."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()


def choose(device: Device, precision: Precision, *, work: Work) -> Hardware:
    """Return the hardware for a request; ``auto`` takes CUDA if there, bf16 where it pays.

    Convolutions run in bf16 with channels_last where a probe of two seconds found that faster on
    this machine; the answer is remembered in ``machine.json``. So do wide dense layers (a thousand
    units). Small dense networks stay in fp32: they gain no time and lose digits.

    Raises:
        MachineError: CUDA was asked for and is not there.
    """
    name = device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise MachineError(
            "torch sees no CUDA device", fix="use --device cpu, or see: mlspring doctor"
        )
    chosen = torch.device(name)
    if name == "cpu":
        keep_freed_pages()
    else:  # else cuDNN adds gradients in an order of its own, and two equal runs differ in fp32
        torch.backends.cudnn.deterministic = True
    if work == "dense":
        arithmetic = "fp32" if precision == "auto" else precision
        return Hardware(device=chosen, precision=arithmetic, channels_last=False)
    if precision == "auto":
        pays = _bf16_pays(chosen) if work == "conv" else _bf16_pays(chosen, "wide")
        precision = "bf16" if pays else "fp32"
    return Hardware(device=chosen, precision=precision, channels_last=work == "conv")


def choose_for(run: Run, *, work: Work, ranks: Ranks = ALONE) -> Hardware:
    """Return the hardware of a run: the arithmetic that it noted earlier, or else rank 0's choice.

    So all processes of a run, its resumption and its predictions compute in one arithmetic, also
    where each would have measured something else.

    Raises:
        MachineError: CUDA was asked for and is not there.
    """
    _keep_threads(run)
    device, precision = run.request.device, run.request.precision
    if device == "cuda" and run.result is not None and not torch.cuda.is_available():
        device = "cpu"  # a finished run of another machine: its networks predict here, too
    if precision == "auto":
        noted = run.state.get("precision")
        if noted not in ("fp32", "bf16") and ranks.is_main:
            noted = choose(device, "auto", work=work).precision
        precision = ranks.broadcast(noted)
    return choose(device, precision, work=work)


def lstm_arithmetic(device: torch.device) -> AbstractContextManager[None]:
    """Return the context of LSTMs: without autocast where the device cannot run them in bf16."""
    if torch.is_autocast_enabled(device.type) and not _has_bf16_lstm(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


@functools.cache
def _has_bf16_lstm(device: str) -> bool:
    """Return whether torch can run an LSTM in bf16: on a processor without AVX-512 it cannot."""
    with torch.device("meta"):  # draws no weights: the seeds stay as they are
        lstm = nn.LSTM(8, 8)
    lstm.to_empty(device=device)
    try:
        with torch.autocast(device, torch.bfloat16):
            lstm(torch.zeros(1, 1, 8, device=device))
    except RuntimeError:
        return False
    return True


def gpu_memory() -> dict[str, Any]:
    """Return the name of the GPU and the most memory that tensors took there, in MiB; {}: none."""
    if not torch.cuda.is_initialized():
        return {}
    most = torch.cuda.max_memory_allocated() / 2**20
    return {"gpu": torch.cuda.get_device_name(), "gpu_memory_mib": round(most, 1)}


def synchronize() -> None:
    """Wait until a GPU in use has done all that it was given: before a clock is read."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _keep_threads(run: Run) -> None:
    """Compute with as many threads as the run did before; else note how many there are.

    Sums are split over the threads, so the last digits of all weights depend on their number.
    """
    noted = run.state.get("threads")
    if type(noted) is int and 1 <= noted <= MAX_THREADS:
        torch.set_num_threads(noted)
    else:
        run.note(threads=torch.get_num_threads())


def _bf16_pays(device: torch.device, work: Literal["conv", "wide"] = "conv") -> bool:
    """Return the remembered or measured answer for this processor, torch and thread count."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    path = home() / "machine.json"
    key = f"{platform.machine()}/{processor()}/torch {torch.__version__}/{torch.get_num_threads()}"
    key += "" if work == "conv" else f"/{work}"
    measure = measure_step if work == "conv" else measure_wide_step
    remembered = _remembered(path)
    if key not in remembered:
        # turn by turn and the best of each: other programs' load falls on both alike
        turns = [(measure("fp32", device), measure("bf16", device)) for _ in range(3)]
        fp32, bf16 = (min(times) for times in zip(*turns, strict=True))
        remembered[key] = {"fp32": round(fp32, 5), "bf16": round(bf16, 5)}
        with suppress(MachineError):  # where the folder is somebody else's, it is measured again
            write_json(path, remembered)
    seconds = remembered[key]
    return seconds["fp32"] >= MIN_GAIN * seconds["bf16"]


def _remembered(path: Path) -> dict[str, dict[str, float]]:
    """Return the seconds of a step by machine and arithmetic; none from a damaged file."""
    try:
        return {
            key: {name: float(seconds[name]) for name in ("fp32", "bf16")}
            for key, seconds in read_json(path).items()
        }
    except (DataError, AttributeError, KeyError, TypeError, ValueError):
        return {}


def measure_step(precision: Literal["fp32", "bf16"], device: torch.device) -> float:
    """Return the best seconds of one training step of a small residual network."""
    hardware = Hardware(device=device, precision=precision, channels_last=True)
    layers = [nn.Conv2d(32, 32, 3, padding=1, bias=False) for _ in range(4)]
    network = hardware.to_device(nn.Sequential(*layers))
    return _best_step(network, hardware.images_to_device(torch.randn(64, 32, 32, 32)), hardware)


def measure_wide_step(precision: Literal["fp32", "bf16"], device: torch.device) -> float:
    """Return the best seconds of one training step of two dense layers of a thousand units."""
    hardware = Hardware(device=device, precision=precision, channels_last=False)
    network = hardware.to_device(nn.Sequential(nn.Linear(784, 1024), nn.Linear(1024, 512)))
    return _best_step(network, torch.randn(128, 784, device=device), hardware)


def _best_step(network: nn.Module, inputs: Tensor, hardware: Hardware) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        with hardware.autocast():
            loss = F.relu(network(inputs)).float().square().mean()
        loss.backward()
        synchronize()
        times.append(time.perf_counter() - start)
    return min(times)
