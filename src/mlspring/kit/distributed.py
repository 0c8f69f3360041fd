"""One training loop on one process or many: ``torchrun`` sets the ranks, the loop does not change.

A global batch is split over the ranks. Each rank scales its loss so that the mean over ranks, which
DistributedDataParallel takes of the gradients, equals the gradient of one process over the whole
batch, also where the number of ranks does not divide it.
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mlspring.core.errors import MachineError, UserError
from mlspring.core.runs import Device

# Rank 0 alone may train a teacher, decode pictures or time a network on a CPU, for longer than
# torch lets the others wait (10 minutes on NCCL, 30 on gloo). A process that dies need not be
# waited for: torchrun ends the others.
PATIENCE = timedelta(hours=12)


@dataclass(frozen=True)
class Ranks:
    """This process among all: ``rank`` of ``size``; rank 0 alone writes."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def shard(self, num_items: int) -> slice:
        """Return this rank's part of ``num_items``; parts differ by one item at most."""
        return slice(num_items * self.rank // self.size, num_items * (self.rank + 1) // self.size)

    def loss_scale(self, num_items: int) -> float:
        """Return the factor that turns this rank's mean loss into its part of the global mean."""
        part = self.shard(num_items)
        return (part.stop - part.start) * self.size / num_items

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return ``model`` so that gradients are averaged over ranks; itself when alone."""
        return model if self.size == 1 else DistributedDataParallel(model)

    def gather(self, part: Tensor) -> Tensor:
        """Return the parts of all ranks, joined in rank order along the first axis, on the CPU."""
        if self.size == 1:
            return part.cpu()
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, part.cpu())
        return torch.cat(parts)

    def broadcast(self, value: Any) -> Any:
        """Return rank 0's ``value`` on every rank."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def sync_buffers(self, model: nn.Module) -> None:
        """Give the model of every rank rank 0's buffers.

        Batch statistics follow each rank's own share of the batches; rank 0's are saved.
        """
        if self.size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)

    def wait(self) -> None:
        """Return when every rank has come here, e.g. after rank 0 wrote a file."""
        if self.size > 1:
            dist.barrier()


ALONE = Ranks()


def start(batch_size: int | None = None, device: Device = "auto") -> Ranks:
    """Join the process group that ``torchrun`` describes; alone when there is none.

    Args:
        batch_size: items that the ranks share in a step.
        device: what was asked for; processes on CUDA have a GPU each and speak over NCCL.

    Raises:
        MachineError: more processes than GPUs.
        UserError: more ranks than items in a batch.
    """
    if "WORLD_SIZE" not in os.environ or "RANK" not in os.environ:
        return ALONE
    if not dist.is_initialized():
        on_cuda = device != "cpu" and torch.cuda.is_available()
        own = torch.device("cuda", _own_gpu()) if on_cuda else None
        if own is not None:
            torch.cuda.set_device(own)
        # device_id: barriers know at once which GPU is this process's
        backend = "nccl" if on_cuda else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE, device_id=own)
    ranks = Ranks(dist.get_rank(), dist.get_world_size())
    if batch_size is not None and ranks.size > batch_size:
        raise UserError(
            f"{ranks.size} processes share a batch of {batch_size}",
            fix="start fewer processes, or raise train.batch_size",
        )
    return ranks


def _own_gpu() -> int:
    """Return the number of this process's GPU.

    Raises:
        MachineError: there are fewer than processes; raised in all of them, so that none waits.
    """
    number, num_gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    num_processes = max(int(os.environ.get("LOCAL_WORLD_SIZE", "1")), number + 1)
    if num_processes > num_gpus:
        raise MachineError(
            f"{num_processes} processes were started here for {num_gpus} GPU(s)",
            fix=f"start torchrun with --nproc-per-node {num_gpus}, or use --device cpu",
        )
    return number


def stop() -> None:
    """Leave the process group, if there is one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
