"""The one place where the verbs meet torch: its processes, its GPU, its threads.

``torchrun`` starts several processes of one command; rank 0 alone writes files. Torch is imported
inside the functions, so that a verb which computes nothing never loads it.
"""

import os
from collections.abc import Callable
from typing import Any

from mlspring.core.errors import MlspringError
from mlspring.core.runs import Request, Run


def is_alone() -> bool:
    """Return whether ``torchrun`` started no other process."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1


def has_gpu() -> bool:
    """Return whether torch sees a CUDA device."""
    import torch

    return torch.cuda.is_available()


def gpu_memory() -> dict[str, Any]:
    """Return the GPU's name and the most memory of tensors on it, in MiB; {}: none is used."""
    from mlspring.kit.device import gpu_memory

    return gpu_memory()


def opened(request: Request, opening: Callable[[], Run]) -> Run:
    """Return the run that ``opening`` gives; under ``torchrun`` rank 0 alone does it, and writes.

    The other processes get the same folder for reading, or the error that rank 0 met.
    """
    if is_alone():
        return opening()
    from mlspring.kit import distributed

    ranks = distributed.start(device=request.device)
    run: Run | None = None
    error: MlspringError | None = None
    if ranks.is_main:
        try:
            run = opening()
        except MlspringError as met:
            error = met
    folder, error = ranks.broadcast((run and run.folder, error))
    if error is not None:
        raise error
    return run or Run.open(folder)


def num_threads() -> int:
    """Return how many threads torch computes with; sums depend on their number."""
    import torch

    return torch.get_num_threads()


def stop() -> None:
    """Leave the group of processes, if this is one of several."""
    if not is_alone():
        from mlspring.kit import distributed

        distributed.stop()
