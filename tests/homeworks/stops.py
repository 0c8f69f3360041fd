"""A training that is stopped in the middle, as Ctrl-C stops it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mlspring.kit import checkpoint


@contextmanager
def stopped_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Stop what trains inside once its state after ``step`` is saved; yield the steps saved."""
    save, steps = checkpoint.save_state, []

    def save_and_stop(*state: Any) -> None:
        save(*state)
        steps.append(state[-1]["step"])
        if steps[-1] == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_state", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            yield steps
