"""Checkpoints from elsewhere: tensors are read, all else is refused and never executed."""

import contextlib
import random
from pathlib import Path

import pytest
import torch
from torch import nn

from mlspring.core.errors import DataError
from mlspring.kit.given_checkpoint import read_state_dict


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self) -> tuple[object, ...]:
        return open, (self.file, "w")


def read(file: Path) -> dict[str, torch.Tensor]:
    return read_state_dict(file, expected="a state_dict of two layers", fetch="mlspring fetch hw99")


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_are_read_as_they_were_saved(tmp_path: Path, zipped: bool) -> None:
    state = {"w": torch.randn(3, 2), "n": torch.tensor(7), "h": torch.ones(2, dtype=torch.half)}
    torch.save(state, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    found = read(tmp_path / "a.pt")
    assert list(found) == ["w", "n", "h"]
    assert all(torch.equal(found[name], value) for name, value in state.items())


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_is_executed(tmp_path: Path, zipped: bool) -> None:
    target = tmp_path / "written"
    saved = {"w": torch.zeros(1), "trap": Trap(target)}
    torch.save(saved, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match="holds Python objects beside tensors"):
        read(tmp_path / "a.pt")
    assert not target.exists()


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (nn.Linear(2, 2), "(?s)holds Python objects.*save it as a state_dict: .*'a.pt'"),
        ({"state_dict": {"w": torch.zeros(1)}, "epoch": 3}, "is no state_dict; expected a state_d"),
        ([torch.zeros(1)], "is no state_dict"),
        (torch.zeros(3), "is no state_dict"),
        ({"w": torch.tensor([0.0, float("nan")])}, "'w' holds values that are NaN or infinite"),
        ({"w": torch.tensor([float("-inf")])}, "'w' holds values that are NaN or infinite"),
        ({"x" * 1000: torch.tensor([float("inf")])}, f"'{'x' * 80}' holds"),
    ],
)
def test_what_is_no_state_dict_of_finite_tensors_is_told(
    tmp_path: Path, saved: object, message: str
) -> None:
    torch.save(saved, tmp_path / "a.pt")
    with pytest.raises(DataError, match=message) as raised:
        read(tmp_path / "a.pt")
    assert "weights_only" not in str(raised.value), "torch's advice is to execute it"


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK", b"\x80", None])
def test_a_damaged_file_is_to_be_fetched_again(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a.pt"
    torch.save({"w": torch.randn(1000)}, file)
    file.write_bytes(file.read_bytes()[:500] if content is None else content)
    with pytest.raises(DataError) as raised:
        read(file)
    assert "a.pt" in str(raised.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_any_bytes_give_tensors_or_a_clear_error(tmp_path: Path, zipped: bool) -> None:
    """A few bytes changed near the start, where the description is, or the end cut off."""
    file, draw = tmp_path / "a.pt", random.Random(0)
    torch.save(
        {"w": torch.ones(5), "n": torch.tensor(7)}, file, _use_new_zipfile_serialization=zipped
    )
    whole, refused = file.read_bytes(), 0
    for _ in range(300):
        spoilt = bytearray(whole[: draw.randrange(len(whole))] if draw.random() < 0.2 else whole)
        for _ in range(draw.randrange(1, 6) if spoilt else 0):
            spoilt[draw.randrange(min(len(spoilt), draw.choice([40, 200, 2000])))] = draw.randrange(
                256
            )
        file.write_bytes(spoilt)
        with contextlib.suppress(DataError):
            read(file)
            continue
        refused += 1
    assert refused > 100


def test_a_state_dict_inside_another_dictionary_is_found(tmp_path: Path) -> None:
    file, state = tmp_path / "a.pth", {"w": torch.randn(2)}
    torch.save({"epoch": 7, "model_state_dict": state}, file)
    said = {"expected": "a state_dict", "fetch": "mlspring fetch hw99"}
    found = read_state_dict(file, inside="model_state_dict", **said)
    assert list(found) == ["w"] and torch.equal(found["w"], state["w"])
    with pytest.raises(DataError, match="is no state_dict"):
        read_state_dict(file, **said)
    torch.save({"model_state_dict": {"w": "words"}}, file)
    with pytest.raises(DataError, match="is no state_dict"):
        read_state_dict(file, inside="model_state_dict", **said)
    torch.save(state, file)
    assert torch.equal(read_state_dict(file, inside="model_state_dict", **said)["w"], state["w"])
