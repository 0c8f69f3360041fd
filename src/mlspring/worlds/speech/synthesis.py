"""Speech from espeak-ng, which runs as a program of its own (``synthesiser``).

The library keeps a state between utterances that nothing resets, so the same sentence sounds
slightly different after another one. Whoever wants the same bytes again starts a new synthesiser
and asks for the same utterances in the same order.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import InternalError, MachineError
from mlspring.core.extras import demand

PROGRAM = Path(__file__).with_name("synthesiser.py")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be said, and how.

    Args:
        text: English text, or of the voice's language.
        voice: language and variant of espeak-ng, e.g. "en-us+f3".
        rate: words a minute, 80 to 450.
        pitch: 0 to 99.
        range: how lively the pitch moves, 0 to 99.
    """

    text: str
    voice: str
    rate: int
    pitch: int
    range: int


@dataclass(frozen=True, kw_only=True)
class Speech:
    """What was said."""

    sound: NDArray[np.int16]  # (n,), at the synthesiser's own rate
    phones: list[tuple[int, str]]  # the sample where each starts, and espeak-ng's name of it


class Synthesiser:
    """A running synthesiser; ``say`` answers one request after the other."""

    def __init__(self, process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
        self._process, self._errors = process, errors
        self.sample_rate = int(self._header()["sample_rate"])

    def say(self, request: Request) -> Speech:
        """Return the sound and the phones of a request.

        Raises:
            InternalError: the voice is unknown, or the program ended.
        """
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._ended() from error
        header = self._header()
        num_bytes = 2 * header["samples"]
        content = self._process.stdout.read(num_bytes)
        if len(content) < num_bytes:
            raise self._ended()
        sound = np.frombuffer(content, "<i2").astype(np.int16)
        return Speech(sound=sound, phones=[(at, name) for at, name in header["events"]])

    def _header(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        header: dict[str, Any] = json.loads(line)
        return header

    def _ended(self) -> InternalError:
        """Return the error for a program that ended, with the last line that it wrote."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = lines[-1] if lines else "it said nothing"
        fix = "install it again: pip install --force-reinstall --no-deps espeakng-loader"
        return InternalError(f"espeak-ng ended with code {code}: {last}", fix=fix)


@contextmanager
def synthesiser() -> Iterator[Synthesiser]:
    """Start a synthesiser of one's own and end it afterwards.

    Raises:
        MachineError: the extra [speech] is not installed, or no process can be started.
    """
    demand("espeakng_loader", extra="speech", purpose="speech is synthesised")
    with tempfile.TemporaryFile() as errors:
        command = [sys.executable, "-P", str(PROGRAM)]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors)
        except OSError as error:
            raise MachineError(f"espeak-ng cannot be started ({error.strerror})") from error
        try:
            yield Synthesiser(process, errors)
        finally:
            assert process.stdin and process.stdout
            process.stdout.close()
            with suppress(OSError):  # it ended before
                process.stdin.close()
            process.kill()
            process.wait()
