"""Files of text and of bytes, read with a bound: nothing larger is ever taken into memory."""

import difflib
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from mlspring.core.errors import DataError, InternalError, UserError
from mlspring.core.files import write_text


def read_lines(
    path: Path, *, max_bytes: int, max_lines: int, error: type[UserError] = DataError
) -> list[str]:
    """Return the lines of a text without their ends; the last may lack its own.

    Raises:
        UserError: of class ``error``; missing, too large, no UTF-8 text, or too many lines.
    """
    text = read_text(path, max_bytes=max_bytes, error=error)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    if len(lines) > max_lines:
        expected = f"at most {max_lines:,}"
        raise error(f"has {count(len(lines), 'line')}", file=path, expected=expected)
    return lines


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write one line each with LF ends, whole or not at all.

    Raises:
        InternalError: a line holds a line break and would be read back as two.
    """
    kept = list(lines)
    for number, line in enumerate(kept, start=1):
        if "\n" in line or "\r" in line:
            raise InternalError("a line holds a line break", file=path, row=number)
    write_text(path, "".join(f"{line}\n" for line in kept))


def read_text(path: Path, *, max_bytes: int, error: type[UserError] = DataError) -> str:
    """Return the UTF-8 text of a file of at most ``max_bytes``, without its byte order mark.

    Raises:
        UserError: of class ``error``; missing, unreadable, no file, empty, too large, no text.
    """
    content = read_bytes(path, max_bytes=max_bytes, error=error)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        fix = 'save it as UTF-8; spreadsheets call it "CSV UTF-8"'
        raise error("is UTF-16 text", file=path, expected="UTF-8", fix=fix)
    if (place := content.find(b"\0")) >= 0:
        row = content.count(b"\n", 0, place) + 1
        raise error("holds a NUL byte: no text", file=path, row=row, expected="UTF-8 text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        row = problem.object.count(b"\n", 0, problem.start) + 1
        found = f"byte 0x{problem.object[problem.start]:02x} is not UTF-8"
        raise error(found, file=path, row=row, expected="UTF-8 text") from problem
    if not text.strip():
        raise error("is empty (nothing but blank lines)", file=path)
    return text


def read_bytes(path: Path, *, max_bytes: int, error: type[UserError] = DataError) -> bytes:
    """Return the content of a regular file; a larger one is refused before it is read.

    Raises:
        UserError: of class ``error``; missing, unreadable, no regular file, empty or too large.
    """
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise error("is a folder", file=path, expected="a file")
        if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait for ever
            raise error("is a device or a pipe", file=path, expected="a file")
        if found.st_size > max_bytes:
            raise error(f"has {size(found.st_size)}", file=path, expected=at_most(max_bytes))
        with path.open("rb") as stream:
            content = stream.read(found.st_size + 1)  # not the bound: Python would reserve it
    except FileNotFoundError as problem:
        raise error("there is no such file", file=path, fix=_nearest_file(path)) from problem
    except PermissionError as problem:
        fix = f"allow reading it, e.g. chmod u+r {path}"
        raise error("cannot be read", file=path, fix=fix) from problem
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name itself
        raise error(f"cannot be read ({problem})", file=path) from problem
    if len(content) > found.st_size:
        raise error("grew while it was read", file=path, expected=at_most(max_bytes))
    if not content:
        raise error("is empty (zero bytes)", file=path)
    return content


def shell_word(text: str) -> str:
    """Return ``text`` quoted as one word of a command line that this system's shell understands."""
    return subprocess.list2cmdline([text]) if sys.platform == "win32" else shlex.quote(text)


def size(num_bytes: float) -> str:
    """Return a number of bytes for people, e.g. ``1.2 GB``."""
    if num_bytes < 1000:
        return f"{num_bytes:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        num_bytes /= 1000
        if num_bytes < 1000:
            return f"{num_bytes:.1f} {unit}"
    return f"{num_bytes / 1000:.1f} TB"


def at_most(num_bytes: int) -> str:
    """Return the bound as the words of an error."""
    return f"at most {size(num_bytes)}"


def whole_number(text: str, *, low: int = 0, high: int) -> int | None:
    """Return a whole number from ``low`` to ``high`` written in ASCII digits, None for all else.

    ``int`` alone would also take digits of other scripts, underscores, and millions of digits.
    """
    digits = text[1:] if text[:1] in ("+", "-") else text
    most = max(len(str(abs(low))), len(str(abs(high))))
    if not (digits.isascii() and digits.isdigit()) or len(digits.lstrip("0")) > most:
        return None
    number = int(digits.lstrip("0") or "0") * (-1 if text.startswith("-") else 1)
    return number if low <= number <= high else None


def count(number: int, thing: str) -> str:
    """Return ``1 row``, ``2 rows``, ``3,347 rows``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _nearest_file(path: Path) -> str | None:
    """Return a hint at the file of the same folder whose name is nearest."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return None
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.7)
    return f"did you mean {path.parent / near[0]}?" if near else None
