"""Int8 by torch's own route: close to the network it was made of, smaller, and not made in vain."""

import sys

import pytest
import torch

from mlspring.homeworks.hw13_compression import quantize
from mlspring.homeworks.hw13_compression.architecture import Architecture
from mlspring.homeworks.hw13_compression.models import build
from tests.homeworks.test_hw13_models import odd
from tests.homeworks.test_hw13_prune import trained

STUDENTS = ("plain", "separable", "inverted", "residual")


@pytest.mark.parametrize("name", STUDENTS)
def test_int8_answers_nearly_as_fp32(name: str) -> None:
    model = trained(odd(name, first=8)).float()
    before = {tensor: value.clone() for tensor, value in model.state_dict().items()}
    images = torch.randn(32, 3, 32, 32)
    int8 = quantize.to_int8(model, images)
    if int8 is None:
        pytest.skip("torch has no int8 for this CPU")
    with torch.inference_mode():
        exact, rounded = model(images), int8(images)
    assert (exact - rounded).abs().mean() < 0.25 * exact.std()
    assert not torch.equal(exact, rounded)
    for tensor, value in model.state_dict().items():
        assert torch.equal(value, before[tensor]), "the network itself was changed"


def test_int8_takes_less_room() -> None:
    model = build(Architecture(name="plain", channels=(32, 32, 64, 100))).eval()
    int8 = quantize.to_int8(model, torch.randn(8, 3, 32, 32))
    if int8 is None:
        pytest.skip("torch has no int8 for this CPU")
    assert quantize.stored_bytes(int8) < 0.4 * quantize.stored_bytes(model)


def test_a_torch_without_int8_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.ao.quantization.quantize_fx", None)
    assert quantize.to_int8(build(odd("plain")), torch.randn(2, 3, 32, 32)) is None


def test_a_cpu_without_int8_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "ENGINES", ("abacus",))
    assert quantize.to_int8(build(odd("plain")), torch.randn(2, 3, 32, 32)) is None
