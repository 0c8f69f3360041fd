"""Where a homework's data comes from: its built-in world or a folder in the official layout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlspring.core.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Source:
    """What training code may read; the answers are elsewhere, known only to the judge.

    Args:
        kind: ``world`` (arrays that we generated) or ``official`` (the course's file layout);
            also the table of ``baselines.toml`` and the folder of recipes that belong to it.
        folder: the ``public/`` folder of a world, or the folder that the user named.
    """

    kind: Literal["world", "official"]
    folder: Path


def official(folder: Path) -> Source:
    """Return the source for a folder in the official layout.

    Raises:
        DataError: the folder is missing, is no folder or cannot be read.
    """
    try:
        # Names can be listed without the right to enter; any entry shows whether there is both.
        next(folder.iterdir(), folder).lstat()
    except FileNotFoundError as error:
        fix = "give --data an existing folder, or leave it out to use the built-in world"
        raise DataError("there is no such folder", file=folder, fix=fix) from error
    except NotADirectoryError as error:
        fix = "unpack an archive first, then give --data the folder it made"
        raise DataError("is a file", file=folder, expected="a folder", fix=fix) from error
    except PermissionError as error:
        fix = f"allow reading it, e.g. chmod -R u+rX {folder}"
        raise DataError("the folder cannot be read", file=folder, fix=fix) from error
    return Source(kind="official", folder=folder.resolve())
