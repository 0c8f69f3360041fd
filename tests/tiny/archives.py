"""Archives made in a test: what is in them is given, byte for byte."""

import io
import tarfile
import zipfile
from pathlib import Path


def zipped(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    """Write a zip of files by name; ``mode`` is what Unix thinks of each; return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    """Write a tar of files by name; ``mode`` is tarfile's; return its path."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def special(path: Path, kind: bytes, target: str = "") -> Path:
    """Write a tar with one entry that is no file: a link, a device, a pipe; return its path."""
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("food11/special")
        entry.type, entry.linkname = kind, target
        archive.addfile(entry)
    return path
