"""Weights and states: round trips, damage, and the wrong network."""

import errno
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mlspring.core.errors import InternalError, MachineError, RunError
from mlspring.core.runs import Request, Run
from mlspring.kit import checkpoint


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    return layers.to(memory_format=torch.channels_last)


def take_steps(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        x = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()


def test_a_restored_state_goes_on_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    straight = network()
    optimizer = torch.optim.AdamW(straight.parameters(), 1e-2, fused=True)
    take_steps(straight, optimizer, range(3))
    checkpoint.save_state(path, {"model": straight}, optimizer, {"step": 3})
    take_steps(straight, optimizer, range(3, 6))

    resumed = network()
    optimizer = torch.optim.AdamW(resumed.parameters(), 1e-2, fused=True)
    assert checkpoint.load_state(path, {"model": resumed}, optimizer) == {"step": 3}
    take_steps(resumed, optimizer, range(3, 6))
    for name, value in straight.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


def test_no_state_is_no_error(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    assert checkpoint.load_state(tmp_path / "none", {"model": model}, optimizer) is None


def test_metadata_travel_with_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    checkpoint.save_weights(path, network(), {"confusion": [[3, 1], [0, 2]]})
    assert checkpoint.read_metadata(path) == {"confusion": [[3, 1], [0, 2]]}
    other = network()
    nn.init.zeros_(other[3].weight)
    checkpoint.load_weights(path, other)
    assert torch.equal(other[3].weight, network()[3].weight)


@pytest.mark.parametrize("damage", [b"", b"not a file of tensors", b"\x80\x04pickled"])
def test_damage_is_named(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(damage)
    with pytest.raises(RunError, match=r"weights\.safetensors: cannot be read"):
        checkpoint.load_weights(path, network())


@pytest.mark.parametrize("content", ["{", "[1, 2]", "3", '"text"'])
def test_damaged_metadata_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.safetensors"
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    tensors = {f"module/model/{key}": value for key, value in model.state_dict().items()}
    plain = {key: value.contiguous() for key, value in tensors.items()}
    save_file(plain, path, metadata={"metadata": content})
    for read in (
        lambda: checkpoint.read_metadata(path),
        lambda: checkpoint.load_state(path, {"model": model}, optimizer),
        lambda: checkpoint.load_weights(path, model),
    ):
        with pytest.raises(RunError, match=r"state\.safetensors: cannot be read"):
            read()


@pytest.mark.parametrize("key", ["optimizer/99/exp_avg", "optimizer/-9/exp_avg", "optimizer/x/y"])
def test_a_state_of_other_parameters_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "state.safetensors"
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 0.1)
    checkpoint.save_state(path, {"model": model}, optimizer, {})
    save_file(load_file(path) | {key: torch.zeros(3)}, path)
    with pytest.raises(RunError, match="does not fit this run"):
        checkpoint.load_state(path, {"model": model}, optimizer)


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    checkpoint.save_weights(path, nn.Linear(2, 2), {})
    with pytest.raises(RunError, match="does not fit"):
        checkpoint.load_weights(path, network())


def test_the_next_step_is_the_caller_s(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(RunError, match=r"(?s)cannot be read.*train it anew"):
        checkpoint.load_weights(path, network(), fix="train it anew")
    checkpoint.save_weights(path, nn.Linear(2, 2), {})
    with pytest.raises(RunError, match=r"(?s)does not fit.*train it anew"):
        checkpoint.load_weights(path, network(), fix="train it anew")


def test_shipped_weights_are_frozen_and_their_loss_is_our_own_fault(tmp_path: Path) -> None:
    path, model = tmp_path / "weights.safetensors", network()
    with pytest.raises(InternalError, match=r"(?s)cannot be read.*make them"):
        checkpoint.load_shipped(path, model, fix="make them")
    checkpoint.save_weights(path, model, {})
    shipped = checkpoint.load_shipped(path, network(), fix="make them")
    assert not shipped.training and not any(p.requires_grad for p in shipped.parameters())
    assert all(
        torch.equal(a, b)
        for a, b in zip(shipped.state_dict().values(), model.state_dict().values(), strict=True)
    )


def test_a_full_disk_is_a_sentence_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.safetensors"
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    checkpoint.save_state(path, {"model": model}, optimizer, {"step": 3})

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MachineError, match=r"state\.safetensors: the disk is full"):
        checkpoint.save_state(path, {"model": model}, optimizer, {"step": 4})
    with pytest.raises(MachineError, match=r"weights\.safetensors: the disk is full"):
        checkpoint.save_weights(tmp_path / "weights.safetensors", model, {})
    assert checkpoint.read_metadata(path) == {"step": 3}
    assert list(tmp_path.iterdir()) == [path]


def test_weights_lie_under_a_member_s_number_or_a_network_s_name(tmp_path: Path) -> None:
    run = Run(tmp_path, Request(homework="hw03", recipe="boss"))
    assert checkpoint.weights_path(run, 2) == tmp_path / "checkpoints" / "member-2.safetensors"
    assert checkpoint.weights_path(run, "teacher").name == "teacher.safetensors"
