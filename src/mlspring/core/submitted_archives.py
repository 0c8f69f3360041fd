"""A submission that is a tgz of pictures: packed alike every time, unpacked safely and bounded."""

import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

from mlspring.core.archives import archive_kind, extract
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.spec import Limits
from mlspring.core.texts import size


def pack(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a tgz of named contents, in order; equal files give equal bytes."""
    stream = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, content in files:
            entry = tarfile.TarInfo(name)  # without the time of day
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def unpack(
    path: Path,
    to: Path,
    limits: Limits,
    *,
    max_bytes: int,
    expected: str,
    make_smaller: str,
    pack_it: str,
) -> dict[str, Path]:
    """Unpack a tgz into the new folder ``to``; return its files by their names inside.

    Args:
        path: what was handed in.
        to: a folder that does not exist yet.
        limits: of the submission; there may be twice as many entries as rows, since folders and
            what an Apple computer adds are entries, too.
        max_bytes: that may come out.
        expected: what an archive holds, for messages.
        make_smaller: what to do with one that is too large.
        pack_it: how to pack.

    Raises:
        SubmissionError: it is too large, no tgz, damaged, or not safe to unpack.
    """
    if path.is_file() and (there := path.stat().st_size) > limits.max_bytes:
        most = f"at most {size(limits.max_bytes)}"
        raise SubmissionError(f"has {size(there)}", file=path, expected=most, fix=make_smaller)
    try:
        kind = archive_kind(path)
        if kind != "tar.gz":
            raise SubmissionError(f"is a {kind}", file=path, expected=expected, fix=pack_it)
        files = extract(path, to, max_bytes=max_bytes, max_files=2 * limits.max_rows)
    except DataError as error:
        wanted = error.expected or expected
        raise SubmissionError(error.found, file=path, expected=wanted, fix=pack_it) from error
    return {file.relative_to(to).as_posix(): file for file in files}
