"""Files and folders that come from elsewhere: nothing but regular files, no links, bounded sizes.

A run folder may have been sent by somebody. What a link in it points to is not part of it, a pipe
would make a reader wait for ever, and a file may be larger than the memory.
"""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mlspring.core.errors import DataError, UserError

MAX_JSON_BYTES = 50_000_000
MAX_LOG_BYTES = 500_000_000
MAX_LINE_BYTES = 10_000_000
MAX_MEMBERS = 100_000
MAX_DEPTH = 20
MAX_DIGITS = 19  # of a whole number in a log; one with more is a float, perhaps infinite

_KINDS = ((stat.S_ISDIR, "is a folder"), (stat.S_ISLNK, "is a link"))


def open_regular(
    path: Path, *, follow_links: bool = True, error: type[UserError] = DataError
) -> BinaryIO:
    """Return a regular file opened for reading; what was opened is checked, not the name.

    Raises:
        UserError: of class ``error``; missing, unreadable, a folder, a link (where
            ``follow_links`` is False), or a device or pipe.
    """
    # Without O_NONBLOCK, opening a pipe would wait for its other end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not follow_links:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        if not follow_links and path.is_symlink():
            raise error("is a link", file=path, fix="put a copy of the file in its place")
        descriptor = os.open(path, flags)
    except FileNotFoundError as problem:
        raise error("is missing", file=path) from problem
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        message = f"cannot be read ({getattr(problem, 'strerror', None) or problem})"
        raise error(message, file=path) from problem
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise error(_kind(mode), file=path, expected="a file")


def read_bytes_bounded(path: Path, max_bytes: int, *, follow_links: bool = True) -> bytes:
    """Return the content of a regular file of at most ``max_bytes``.

    Raises:
        DataError: it cannot be opened (see ``open_regular``) or is larger.
    """
    with open_regular(path, follow_links=follow_links) as stream:
        try:
            num_bytes = os.fstat(stream.fileno()).st_size
            if num_bytes > max_bytes:
                raise DataError(f"has more than {max_bytes:,} bytes", file=path)
            return stream.read(num_bytes)  # not the bound: Python would reserve it
        except OSError as problem:
            raise DataError(f"cannot be read ({problem.strerror})", file=path) from problem


def read_text_bounded(path: Path, max_bytes: int, *, follow_links: bool = True) -> str:
    """Return the text of a regular file; what is no UTF-8 is replaced.

    Raises:
        DataError: it cannot be opened (see ``open_regular``) or is larger than ``max_bytes``.
    """
    content = read_bytes_bounded(path, max_bytes, follow_links=follow_links)
    return content.decode("utf-8-sig", errors="replace")


def read_json_bounded(
    path: Path, max_bytes: int = MAX_JSON_BYTES, *, follow_links: bool = True
) -> Any:
    """Return the value of a JSON file.

    Raises:
        DataError: it cannot be opened (see ``open_regular``), is larger or is not JSON.
    """
    content = read_bytes_bounded(path, max_bytes, follow_links=follow_links)
    try:
        return json.loads(content.decode("utf-8"), parse_int=_whole)
    except (ValueError, RecursionError) as problem:  # nested a thousand deep
        raise DataError(f"is not valid JSON ({_short(problem)})", file=path) from problem


def read_json_lines(path: Path, *, follow_links: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the object of each line; a half line at the end, after a kill, is left out.

    Raises:
        DataError: it cannot be opened (see ``open_regular``), or a line is too long or no object.
    """
    fix = "remove this row, or make the file again"
    read = 0
    with open_regular(path, follow_links=follow_links) as stream:
        for row, line in enumerate(iter(lambda: stream.readline(MAX_LINE_BYTES), b""), start=1):
            read += len(line)
            if read > MAX_LOG_BYTES:
                raise DataError(f"has more than {MAX_LOG_BYTES:,} bytes", file=path)
            whole = line.endswith(b"\n")
            if not whole and len(line) == MAX_LINE_BYTES:
                raise DataError("is a line without end", file=path, row=row, fix=fix)
            try:
                value = json.loads(line.decode("utf-8"), parse_int=_whole)
            except (ValueError, RecursionError) as problem:
                if not whole:
                    return
                message = f"is not valid JSON ({_short(problem)})"
                raise DataError(message, file=path, row=row, fix=fix) from problem
            if not isinstance(value, dict):
                raise DataError("is no JSON object", file=path, row=row, fix=fix)
            yield value


def demand_plain_tree(folder: Path, error: type[UserError] = DataError) -> None:
    """Make sure that everything below ``folder`` is a file or a folder of its own.

    ``folder`` itself may be a link: whoever names it means what it points to.

    Raises:
        UserError: of class ``error``; a link, pipe or device, or far too many or too deep files.
    """
    waiting, seen = [(folder, 0)], 0
    while waiting:
        inner, depth = waiting.pop()
        try:
            with os.scandir(inner) as entries:
                for entry in entries:
                    seen += 1
                    mode = entry.stat(follow_symlinks=False).st_mode
                    if stat.S_ISDIR(mode):
                        waiting.append((Path(entry.path), depth + 1))
                    elif not stat.S_ISREG(mode):
                        fix = "put a copy of the file in its place, or remove it"
                        raise error(_kind(mode), file=entry.path, fix=fix)
                    if seen > MAX_MEMBERS or depth > MAX_DEPTH:
                        raise error("holds far too many or too deep files", file=folder)
        except FileNotFoundError:  # a file that its writer has just replaced
            continue
        except OSError as problem:
            raise error(f"cannot be read ({problem.strerror})", file=inner) from problem


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _kind(mode: int) -> str:
    return next((words for test, words in _KINDS if test(mode)), "is a device, pipe or socket")


def _short(problem: BaseException) -> str:
    return str(problem)[:200]
