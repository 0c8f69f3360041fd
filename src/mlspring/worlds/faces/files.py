"""The files that both worlds of faces write alike."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mlspring.core.files import write_json
from mlspring.worlds.faces.factors import FACTORS
from mlspring.worlds.shards import Shard


def save_pictures(path: Path, shards: Sequence[Shard], key: str) -> None:
    """Write the pictures called ``key`` of all shards as one .npy, never all in memory twice."""
    pieces = [np.ascontiguousarray(shard[key]) for shard in shards]
    shape = (sum(len(piece) for piece in pieces), *pieces[0].shape[1:])
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces:
            stream.write(piece.reshape(-1).data)


def save_factor_names(path: Path) -> None:
    """Write what the columns of factor tables mean: a list of objects in their order.

    A choice has ``choices``, its column their numbers from 0; a number has ``low`` and ``high``.
    """
    columns = []
    for factor in FACTORS:
        about: dict[str, object] = {"name": factor.name, "meaning": factor.meaning}
        if factor.choices:
            columns.append(about | {"choices": list(factor.choices)})
        else:
            columns.append(about | {"low": factor.low, "high": factor.high})
    write_json(path, columns)
