"""Weights and activities in 8-bit integers, by torch's own static quantisation after training.

torch 2.13 still ships it (``torch.ao.quantization``: trace, observe, convert), marked as deprecated
in favour of the separate package torchao, which this project does not need otherwise. Where a later
torch has dropped it, ``to_int8`` returns None and the tables say so.
"""

import copy
import io
import warnings

import torch
from torch import Tensor, nn

ENGINES = ("x86", "fbgemm", "onednn", "qnnpack")


def to_int8(model: nn.Module, calibration: Tensor) -> nn.Module | None:
    """Return ``model`` in int8 for this CPU, or None where torch cannot do that here.

    Batch norm and ReLU are folded into the convolutions; the ranges of the activities are observed
    on ``calibration``.

    Args:
        model: a trained network; it is copied, not changed.
        calibration: inputs (n, 3, s, s), normalised as in training.
    """
    engine = next((e for e in ENGINES if e in torch.backends.quantized.supported_engines), None)
    if engine is None:
        return None
    try:
        from torch.ao.quantization import get_default_qconfig_mapping
        from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
    except ImportError:
        return None
    float_model = copy.deepcopy(model).cpu().float().eval()
    torch.backends.quantized.engine = engine
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and unused observers of shapes
        mapping = get_default_qconfig_mapping(engine)
        observed = prepare_fx(float_model, mapping, (calibration[:1],))
        with torch.inference_mode():
            for part in calibration.split(64):
                observed(part)
        return convert_fx(observed)


def stored_bytes(model: nn.Module) -> int:
    """Return the bytes of the network's state as torch writes it."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(model.state_dict(), stream)
    return len(stream.getvalue())
