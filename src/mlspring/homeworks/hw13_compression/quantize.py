"""Weights and activations in 8-bit integers, by torch's own static quantisation after training.

torch 2.13 still ships it (``torch.ao.quantization``: trace, observe, convert), marked as deprecated
in favour of the separate package torchao. Where a later torch has dropped it, ``to_int8`` returns
None and the tables leave it out.
"""

import copy
import warnings

import torch
from torch import Tensor, nn

ENGINES = ("x86", "fbgemm", "onednn", "qnnpack")


def to_int8(model: nn.Module, calibration: Tensor) -> nn.Module | None:
    """Return a copy of ``model`` in int8 for this CPU, or None where torch cannot do that here.

    Batch norm and ReLU are folded into the convolutions; the ranges of the activations are observed
    on ``calibration``, normalised inputs (n, 3, s, s).
    """
    engine = next((e for e in ENGINES if e in torch.backends.quantized.supported_engines), None)
    if engine is None:
        return None
    try:
        from torch.ao.quantization import get_default_qconfig_mapping
        from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
    except ImportError:
        return None
    torch.backends.quantized.engine = engine
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and unused observers of shapes
        fp32 = copy.deepcopy(model).cpu().float().eval()
        observed = prepare_fx(fp32, get_default_qconfig_mapping(engine), (calibration[:1],))
        with torch.inference_mode():
            for part in calibration.split(64):
                observed(part)
        int8: nn.Module = convert_fx(observed)
    return int8
