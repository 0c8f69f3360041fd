"""The files of a part that both worlds of speech write alike: features, offsets and names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_json
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import join, save_array


class Named(Protocol):
    """What is planned of an utterance."""

    @property
    def split(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102


def save_parts(
    shards: list[Shard], plan: Sequence[Named], splits: Sequence[str], public: Path
) -> list[tuple[str, slice, NDArray[np.int64]]]:
    """Write each split's utterances; return its name, its rows of all frames, and its offsets.

    The plan holds the splits one after another, in their order.
    """
    features, counts = join(shards, "features"), join(shards, "counts")
    parts, start = [], 0
    for split in splits:
        mine = np.array([one.split == split for one in plan])
        offsets = np.concatenate([[0], np.cumsum(counts[mine])]).astype(np.int64)
        rows = slice(start, start + int(offsets[-1]))
        start = rows.stop
        save_array(public / f"{split}_features.npy", features[rows])
        save_array(public / f"{split}_offsets.npy", offsets)
        write_json(public / f"{split}_names.json", [one.name for one in plan if one.split == split])
        parts.append((split, rows, offsets))
    return parts
