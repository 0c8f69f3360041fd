"""The pieces of a world, made by one process or several: the same pieces either way."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from numpy.typing import NDArray

from mlspring.core.errors import MachineError, UserError
from mlspring.core.processes import settle_worker

Shard = dict[str, NDArray[Any]]
Make = Callable[[int, int], Shard]


def make_shards(
    make: Make, seed: int, num_shards: int, processes: int, advance: Callable[[], None]
) -> list[Shard]:
    """Return ``make(seed, 0) .. make(seed, num_shards - 1)`` in this order.

    One process works right here; more are spawned, because a fork would copy the locks of
    torch's threads.

    Raises:
        MachineError: a worker ended abruptly, e.g. killed for want of memory.
        UserError: an unguarded script started itself again in a worker.
    """
    if processes == 1 or num_shards == 1:
        shards = []
        for shard in range(num_shards):
            shards.append(make(seed, shard))
            advance()
        return shards
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UserError(
            "a worker process ran the whole script again",
            expected="the script's work below a guard",
            fix='put the script\'s work below: if __name__ == "__main__":',
        )
    pool = ProcessPoolExecutor(
        min(processes, num_shards),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=settle_worker,
    )
    try:
        futures = [pool.submit(make, seed, shard) for shard in range(num_shards)]
        return _collect(futures, advance)
    except BrokenProcessPool as error:
        raise MachineError(
            "a worker process ended abruptly while making a world; nothing was left behind",
            expected="enough free memory, and scripts guarded by __name__ == '__main__'",
            fix="try again; see the worker's own message above, if any",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _collect(futures: list[Future[Shard]], advance: Callable[[], None]) -> list[Shard]:
    for future in as_completed(futures):
        future.result()  # raises what the worker raised, at once
        advance()
    return [future.result() for future in futures]
