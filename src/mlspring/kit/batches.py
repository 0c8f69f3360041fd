"""Which rows each step of an epoch takes: shuffled anew each epoch, known from the step alone."""

from torch import Tensor

from mlspring.kit.seeding import epoch_order


class EpochBatches:
    """Batches over ``rows``; an epoch visits each row once, in an order of its own.

    What does not fill a batch is left out of an epoch; it has its turn in others.

    Args:
        rows: int64 (n,), the rows to train on, on the device of the data.
        batch_size: rows a step, over all processes; all n if there are fewer.
        seed: fixes the order of every epoch.
    """

    def __init__(self, rows: Tensor, batch_size: int, seed: int) -> None:
        self.size = min(batch_size, len(rows))
        self.per_epoch = len(rows) // self.size
        self._rows, self._seed = rows, seed
        self._epoch, self._order = -1, rows

    def rows(self, step: int) -> Tensor:
        """Return the rows of ``step``, counted from 1: int64 (size,)."""
        epoch, position = divmod(step - 1, self.per_epoch)
        if epoch != self._epoch:
            self._order = self._rows[epoch_order(len(self._rows), self._seed, epoch)]
            self._epoch = epoch
        return self._order[position * self.size :][: self.size]

    def epochs(self, step: int) -> float:
        """Return how many epochs are done after ``step``."""
        return round(step / self.per_epoch, 3)
