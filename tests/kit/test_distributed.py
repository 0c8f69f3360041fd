"""Shares of a batch: nothing lost, nothing doubled, gradients that add up."""

import functools
import operator
from datetime import timedelta

import pytest
import torch
from torch.nn import functional as F

from mlspring.core.errors import MachineError, UserError
from mlspring.core.runs import Device
from mlspring.kit import distributed
from mlspring.kit.distributed import Ranks


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("num_items", [7, 8, 64, 101])
def test_shares_cover_everything_once(size: int, num_items: int) -> None:
    items = list(range(num_items))
    parts = [items[Ranks(rank, size).shard(num_items)] for rank in range(size)]
    assert functools.reduce(operator.iadd, parts, []) == items
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_scaled_losses_average_to_the_global_mean() -> None:
    logits, targets = torch.randn(7, 3), torch.tensor([0, 1, 2, 0, 1, 2, 0])
    parts = []
    for rank in range(3):  # 7 items over 3 processes: shares of 2, 2 and 3
        ranks = Ranks(rank, 3)
        part = ranks.shard(7)
        parts.append(F.cross_entropy(logits[part], targets[part]) * ranks.loss_scale(7))
    torch.testing.assert_close(sum(parts) / 3, F.cross_entropy(logits, targets))


def test_alone_there_is_nothing_to_wait_for() -> None:
    assert distributed.start() == Ranks(0, 1)
    assert Ranks().broadcast("x") == "x"
    assert Ranks().is_main
    layer = torch.nn.Linear(1, 1)
    assert Ranks().wrap(layer) is layer


def test_more_processes_than_a_batch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setattr(distributed.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed.dist, "get_rank", lambda: 0)
    monkeypatch.setattr(distributed.dist, "get_world_size", lambda: 8)
    with pytest.raises(UserError, match="8 processes share a batch of 4"):
        distributed.start(batch_size=4)
    assert distributed.start(batch_size=8) == Ranks(0, 8), "one item a process is enough"


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The second of two processes on a made-up machine with two GPUs; returns what it starts."""
    started: list[str] = []
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.setenv(name, "1")
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda own: started.append(f"GPU {own.index}"))
    monkeypatch.setattr(distributed.dist, "is_initialized", lambda: False)

    def join(backend: str, *, timeout: timedelta, device_id: torch.device | None) -> None:
        assert timeout >= timedelta(hours=4), "rank 0 may train a teacher meanwhile"
        assert (device_id is None) == (backend == "gloo")
        started.append(backend)

    monkeypatch.setattr(distributed.dist, "init_process_group", join)
    monkeypatch.setattr(distributed.dist, "get_rank", lambda: 1)
    monkeypatch.setattr(distributed.dist, "get_world_size", lambda: 2)
    return started


@pytest.mark.parametrize(
    ("device", "expected"),
    [("auto", ["GPU 1", "nccl"]), ("cuda", ["GPU 1", "nccl"]), ("cpu", ["gloo"])],
)
def test_processes_speak_over_what_the_asked_device_has(
    device: Device, expected: list[str], backends: list[str]
) -> None:
    assert distributed.start(device=device) == Ranks(1, 2)
    assert backends == expected


@pytest.mark.parametrize("local_rank", ["0", "2"])
def test_more_processes_than_gpus_is_a_sentence_in_each(
    local_rank: str, backends: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", local_rank)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(MachineError, match="3 processes were started here for 2 GPU"):
        distributed.start(device="auto")
    assert backends == []
    distributed.start(device="cpu")
    assert backends == ["gloo"]


@pytest.mark.parametrize("name", ["WORLD_SIZE", "RANK"])
def test_half_of_a_launcher_s_variables_is_no_launcher(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "2")
    assert distributed.start() == Ranks(0, 1)


def test_processes_are_counted_where_the_launcher_says_nothing(
    monkeypatch: pytest.MonkeyPatch, backends: list[str]
) -> None:
    """The second process has number 1: there are two at least, and one GPU is too few."""
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(MachineError, match=r"2 processes were started here for 1 GPU"):
        distributed.start()
    assert backends == []
