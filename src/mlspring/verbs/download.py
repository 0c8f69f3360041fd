"""One file from the web: resumed where it broke off, checked, and whole or not at all."""

import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import IO

from mlspring.core.archives import looks_like_html
from mlspring.core.errors import MachineError
from mlspring.core.files import disk_errors
from mlspring.core.foreign_text import shown
from mlspring.core.progress import bar
from mlspring.core.texts import size
from mlspring.verbs.transfer import (
    InterruptedDownloadError,
    Pace,
    SafeRedirects,
    UnavailableError,
    keep_pace,
)

MAX_BYTES = 20_000_000_000
CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without an answer
ATTEMPTS = 4  # in a row, without a byte of progress
PAUSE = 1.0  # seconds before the second attempt; doubles
BUSY = (408, 429, 500, 502, 503, 504)  # answers worth another attempt


def download(url: str, out: Path, *, checksum: str = "", max_bytes: int = MAX_BYTES) -> Path:
    """Return ``out`` once it holds the whole file behind ``url``.

    What has arrived lies in ``<out>.part`` and is kept when the transfer breaks off, also by
    Ctrl-C or a kill: the next call asks the server for the rest only.

    Args:
        url: an http or https address.
        out: where the file goes.
        checksum: ``sha256:`` or ``md5:`` and hexadecimal digits; empty where none is known.
        max_bytes: a longer file is refused.

    Raises:
        UnavailableError: no connection, the server refuses, a web page instead of the file, or a
            wrong checksum (the file is removed).
        MachineError: the disk is full or cannot be written.
    """
    if out.exists() and (not checksum or _digest(out, checksum) == checksum):
        return out
    part = out.with_name(f"{out.name}.part")
    with disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    if not re.match("https?://", url, re.IGNORECASE):
        raise UnavailableError(f"{shown(url, longest=200)} is no address of http or https")
    failures = 0
    while True:
        before = _length(part)
        try:
            keep_pace(lambda pace: _transfer(url, part, bool(checksum), max_bytes, pace))
            break
        except InterruptedDownloadError as error:
            failures = 1 if _length(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise UnavailableError(f"broke off {failures} times ({error})") from error
            time.sleep(PAUSE * 2 ** (failures - 1))
    if checksum and (digest := _digest(part, checksum)) != checksum:
        _forget(part)
        raise UnavailableError(f"wrong checksum {digest}, expected {checksum}; removed")
    part.replace(out)
    _tag_file(part).unlink(missing_ok=True)
    return out


def _transfer(url: str, part: Path, checked: bool, max_bytes: int, pace: Pace) -> None:
    """Fetch what ``part`` still lacks; ``checked`` says that a checksum will judge the whole."""
    tag = _tag_file(part).read_text(encoding="utf-8") if _tag_file(part).exists() else ""
    if not tag and not checked:
        _forget(part)  # nothing could tell whether the rest belongs to it
    done = _length(part)
    headers = {
        "User-Agent": f"mlspring/{metadata.version('mlspring')}",
        "Accept-Encoding": "identity",
    }
    if done:
        headers |= {"Range": f"bytes={done}-"} | ({"If-Range": tag} if tag else {})
    try:
        opener = urllib.request.build_opener(SafeRedirects)
        answer = opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and _is_complete(error.headers.get("Content-Range"), done):
                return
            if error.code == 416:  # the file on the server has become shorter
                _forget(part)
            if error.code in (*BUSY, 416):
                raise InterruptedDownloadError(_answer(error)) from error
            raise UnavailableError(_answer(error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _explained(error) from error
    with answer:
        _receive(answer, part, done, max_bytes, pace)


def _receive(
    answer: http.client.HTTPResponse, part: Path, done: int, max_bytes: int, pace: Pace
) -> None:
    """Write an answer's body behind what ``part`` has, or anew where the server starts anew."""
    if answer.headers.get_content_type() == "text/html":
        raise UnavailableError("a web page came instead of the file (log-in, quota or dead link)")
    content_range = answer.headers.get("Content-Range") or ""
    resumed = answer.status == 206 and content_range.startswith(f"bytes {done}-")
    if not resumed:
        _forget(part)
        done = 0
    length = answer.headers.get("Content-Length")
    known = length is not None and re.fullmatch("[0-9]{1,18}", length)
    total = done + int(length or 0) if known else None
    if length and not known:
        raise UnavailableError("the server tells a length that is no number of bytes")
    if total is not None and total > max_bytes:
        raise UnavailableError(f"{size(total)} are more than the bound of {size(max_bytes)}")
    _check_space(part, (total or 0) - done)
    try:
        with disk_errors(part), part.open("ab") as sink:
            if not resumed and (tag := _tag(answer)):
                _tag_file(part).write_text(tag, encoding="utf-8")
            done = _copy(answer, sink, done, total, max_bytes, pace)
    except (MachineError, UnavailableError):
        _forget(part)  # a full disk is not helped by half a file, and a page is no start of one
        raise
    if total is not None and done < total:
        raise InterruptedDownloadError(f"{size(done)} of {size(total)} came")


def _copy(
    answer: http.client.HTTPResponse,
    sink: IO[bytes],
    done: int,
    total: int | None,
    max_bytes: int,
    pace: Pace,
) -> int:
    """Copy the body with a bar and return the file's length."""
    label = f"fetch {Path(sink.name).name.removesuffix('.part')}"
    with bar(label, (total or 0) // 1000, unit="kB", done=done // 1000) as progress:
        while True:
            try:
                block = answer.read1(CHUNK)  # what has come; read would wait for a whole chunk
            except (OSError, http.client.HTTPException) as error:
                raise InterruptedDownloadError(_short(error)) from error
            if not block:
                return done
            if done == 0 and looks_like_html(block):
                raise UnavailableError("a web page came instead of the file")
            if done + len(block) > max_bytes:
                raise UnavailableError(f"more than the bound of {size(max_bytes)} came")
            pace.add(len(block))
            sink.write(block)
            progress.advance((done + len(block)) // 1000 - done // 1000)
            done += len(block)


def _check_space(part: Path, wanted: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if wanted > free:
        message = f"{size(wanted)} are to come and {size(free)} are free"
        fix = "free some space, or choose another disk with --to or MLSPRING_HOME"
        raise MachineError(message, file=part.parent, fix=fix)


def _explained(error: Exception) -> Exception:
    """Return why no answer came, as an error that allows another attempt or does not."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return InterruptedDownloadError(f"no answer within {TIMEOUT:.0f} s")
    if isinstance(reason, ConnectionResetError | http.client.HTTPException):
        return InterruptedDownloadError(_short(reason))
    return UnavailableError(f"no connection ({_short(reason)})")


def _short(error: object) -> str:
    text = str(error) or type(error).__name__
    return shown(re.sub(r"\[Errno -?\d+\] ", "", text), longest=200)


def _answer(error: urllib.error.HTTPError) -> str:
    return shown(f"the server answers {error.code} {error.reason}".strip(), longest=200)


def _is_complete(content_range: str | None, done: int) -> bool:
    return content_range == f"bytes */{done}"


def _tag(answer: http.client.HTTPResponse) -> str:
    """Return what identifies this version of the file for ``If-Range``; weak tags cannot."""
    tag = answer.headers.get("ETag") or ""
    if tag and not tag.startswith("W/"):
        return tag
    return answer.headers.get("Last-Modified") or ""


def _tag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_file(part).unlink(missing_ok=True)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _digest(path: Path, checksum: str) -> str:
    """Return the file's checksum in the form of ``checksum``, e.g. ``md5:8239...``."""
    kind = checksum.partition(":")[0]
    with path.open("rb") as stream:
        return f"{kind}:{hashlib.file_digest(stream, kind).hexdigest()}"
