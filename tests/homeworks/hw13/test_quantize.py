"""Int8 by torch's own route: close to the network it was made of, smaller, and not made in vain."""

import sys

import pytest
import torch

from mlspring.homeworks.hw13_compression import quantize
from mlspring.homeworks.hw13_compression.architecture import Architecture
from mlspring.homeworks.hw13_compression.cost import stored_bytes
from mlspring.homeworks.hw13_compression.models import build
from tests.homeworks.hw13.test_models import odd
from tests.homeworks.hw13.test_prune import trained

# What torch says of itself: where one of these is there, int8 must be, too.
KNOWN = {"x86", "fbgemm", "onednn", "qnnpack"} & {*torch.backends.quantized.supported_engines}
needs_int8 = pytest.mark.skipif(not KNOWN, reason="torch has no int8 for this CPU")

STUDENTS = ("plain", "separable", "inverted", "residual")


@needs_int8
@pytest.mark.parametrize("name", STUDENTS)
def test_int8_answers_nearly_as_fp32(name: str) -> None:
    model = trained(odd(name, first=8)).float()
    before = {tensor: value.clone() for tensor, value in model.state_dict().items()}
    images = torch.randn(32, 3, 32, 32)
    int8 = quantize.to_int8(model, images)
    assert int8 is not None
    with torch.inference_mode():
        exact, rounded = model(images), int8(images)
    assert (exact - rounded).abs().mean() < 0.25 * exact.std()
    assert not torch.equal(exact, rounded)
    for tensor, value in model.state_dict().items():
        assert torch.equal(value, before[tensor]), "the network itself was changed"


@needs_int8
def test_int8_takes_less_room() -> None:
    model = build(Architecture(name="plain", channels=(32, 32, 64, 100))).eval()
    int8 = quantize.to_int8(model, torch.randn(8, 3, 32, 32))
    assert int8 is not None
    assert stored_bytes(int8) < 0.4 * stored_bytes(model)


def test_a_torch_without_int8_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.ao.quantization.quantize_fx", None)
    assert quantize.to_int8(build(odd("plain")), torch.randn(2, 3, 32, 32)) is None


def test_a_cpu_without_int8_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "ENGINES", ("abacus",))
    assert quantize.to_int8(build(odd("plain")), torch.randn(2, 3, 32, 32)) is None
