"""Archives that data come in, unpacked once into the cache."""

from pathlib import Path

from mlspring.core.archives import extract
from mlspring.core.files import home, sha256
from mlspring.core.locks import locked
from mlspring.core.progress import say


def unpacked(archive: Path) -> Path:
    """Return the folder of an archive's files under ``home()/unpacked``, made at first use.

    Equal archives have one folder; of processes that ask at once one unpacks.

    Raises:
        DataError: no archive, damaged, or one that is not to be trusted.
        MachineError: the disk is full.
    """
    folder = home() / "unpacked" / sha256(archive)[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / f".{folder.name}.lock", on_wait=lambda: None):
        if not folder.is_dir():
            say(f"unpacking {archive.name}, once")
            extract(archive, folder)
    return folder
