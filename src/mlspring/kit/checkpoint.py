"""Weights and resumable states as safetensors files: nothing is ever unpickled.

A state holds what cannot be computed again: the tensors of networks and optimizer, the step, and a
few values. Schedules, data order and random draws are functions of (seed, step).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from mlspring.core.errors import InternalError, RunError
from mlspring.core.files import atomic_path
from mlspring.core.runs import Run

M = TypeVar("M", bound=nn.Module)

DAMAGE = (OSError, SafetensorError, ValueError, TypeError)  # the last two: of the metadata


def weights_path(run: Run, network: int | str) -> Path:
    """Return the file of a finished network's weights: a member's number, or another's name."""
    name = f"member-{network}" if isinstance(network, int) else network
    return run.checkpoints / f"{name}.safetensors"


def save_weights(path: Path, model: nn.Module, metadata: Mapping[str, Any]) -> None:
    """Write the tensors of ``model`` and JSON ``metadata`` about them, whole or not at all."""
    write_tensors(path, model.state_dict(), metadata)


def load_weights(path: Path, model: nn.Module, *, fix: str | None = None) -> None:
    """Fill ``model`` with the tensors in ``path``.

    Raises:
        RunError: the file is missing, damaged or of another network; ``fix`` is its next step.
    """
    try:
        tensors, _ = read_tensors(path)
        model.load_state_dict(tensors)
    except RunError as error:
        raise RunError(error.found, file=path, fix=fix) from error
    except RuntimeError as error:
        found = f"does not fit this network ({error})"
        raise RunError(found, file=path, fix=fix) from error


def load_shipped(path: Path, model: M, *, fix: str) -> M:
    """Return ``model`` with the weights of the package in ``path``, frozen, in evaluation mode.

    Raises:
        InternalError: they are missing, damaged or of another network; ``fix`` makes them again.
    """
    try:
        load_weights(path, model)
    except RunError as error:
        raise InternalError(error.found, file=path, fix=fix) from error
    return model.eval().requires_grad_(False)


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata that ``save_weights`` or ``save_state`` stored in ``path``.

    Raises:
        RunError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as stream:
            return _unpack(stream.metadata())
    except DAMAGE as error:
        raise RunError(f"cannot be read as safetensors ({error})", file=path) from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and metadata, whole or not at all; the bytes are held in memory meanwhile."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content = save(plain, metadata=_pack(metadata))
    del plain
    # Its own save_file would hide the system's error, and leave a file of its own after a kill.
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of ``path`` on the CPU, and their metadata.

    Raises:
        RunError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as stream:
            metadata = _unpack(stream.metadata())
            return {key: stream.get_tensor(key) for key in stream.keys()}, metadata  # noqa: SIM118
    except DAMAGE as error:
        raise RunError(f"cannot be read as safetensors ({error})", file=path) from error


def save_state(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    metadata: Mapping[str, Any],
) -> None:
    """Write everything that a resumed run needs, whole or not at all.

    Args:
        path: a ``.safetensors`` file.
        modules: networks by name, e.g. the trained one and its moving average.
        optimizer: its per-parameter tensors are kept; its settings come from the recipe.
        metadata: JSON values, e.g. the next step and the best validation score.
    """
    tensors = {
        f"module/{name}/{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{key}": torch.as_tensor(v) for key, v in state.items()}
    write_tensors(path, tensors, metadata)


def load_state(
    path: Path, modules: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Fill networks and optimizer from ``path`` and return its metadata; None: there is no file.

    Raises:
        RunError: the file is damaged or belongs to another recipe.
    """
    if not path.exists():
        return None
    tensors, metadata = read_tensors(path)
    try:
        for name, module in modules.items():
            prefix = f"module/{name}/"
            module.load_state_dict(
                {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            )
        _load_optimizer(optimizer, tensors)
    except (RuntimeError, LookupError, ValueError) as error:
        fix = "start a new run: this one was made with another recipe or version"
        raise RunError(f"does not fit this run ({error})", file=path, fix=fix) from error
    return metadata


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer/"):
            _, index, name = key.split("/", 2)
            parameter = parameters[int(index)]
            if value.shape == parameter.shape:  # fused steps want the parameter's memory layout
                value = torch.empty_like(parameter, requires_grad=False).copy_(value)  # noqa: PLW2901
            states.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": groups})


def _pack(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {"metadata": json.dumps(dict(metadata))}


def _unpack(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    return dict(json.loads((metadata or {}).get("metadata", "{}")))
