"""Plain PNG files: decoded as Pillow does, and everything that could be read otherwise refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mlspring.core.errors import SubmissionError
from mlspring.core.png import SIGNATURE, decode_rgb

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 4, 3)).astype(np.uint8)


def chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body).to_bytes(4, "big")
    return struct.pack(">I", len(body)) + name + body + checksum


def header(
    width: int = 4, height: int = 5, bits: int = 8, kind: int = 2, interlaced: int = 0
) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced))


def filtered(pixels: NDArray[np.uint8], kind: int) -> bytes:
    """Return the rows as filter ``kind`` stores them, by the definition in the specification."""
    height, width, _ = pixels.shape
    x = pixels.reshape(height, -1).astype(int)
    rows = b""
    for i, j in np.ndindex(height, width * 3):
        a = x[i, j - 3] if j >= 3 else 0
        b = x[i - 1, j] if i else 0
        c = x[i - 1, j - 3] if i and j >= 3 else 0
        p = a + b - c
        paeth = (
            a if abs(p - a) <= min(abs(p - b), abs(p - c)) else b if abs(p - b) <= abs(p - c) else c
        )
        guess = (0, a, b, (a + b) // 2, paeth)[kind]
        rows += (bytes([kind]) if j == 0 else b"") + bytes([(x[i, j] - guess) % 256])
    return rows


def png(*between: bytes, rows: bytes | None = None, head: bytes = b"", tail: bytes = b"") -> bytes:
    """Return a file: header, further chunks, pixels, end."""
    packed = chunk(b"IDAT", zlib.compress(filtered(PIXELS, 0) if rows is None else rows))
    parts = (SIGNATURE, head or header(), *between, packed, chunk(b"IEND", b""), tail)
    return b"".join(parts)


def read(content: bytes) -> NDArray[np.uint8]:
    return decode_rgb(content, name="bird1.png", width=4, height=5)


def reason(content: bytes) -> str:
    with pytest.raises(SubmissionError) as raised:
        read(content)
    assert str(raised.value).startswith("bird1.png: ")
    assert "save it anew" in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("kind", range(5))
def test_every_filter_is_undone(kind: int) -> None:
    assert np.array_equal(read(png(rows=filtered(PIXELS, kind))), PIXELS)


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_what_pillow_writes_is_read(level: int) -> None:
    smooth = np.add.outer(np.arange(32), np.arange(32))[..., None] * [1, 2, 3]
    for pixels in (smooth.astype(np.uint8), np.zeros((32, 32, 3), np.uint8)):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", compress_level=level)
        read_back = decode_rgb(file.getvalue(), name="a.png", width=32, height=32)
        assert np.array_equal(read_back, pixels)


def test_words_and_dates_may_stand_in_a_file() -> None:
    words = chunk(b"tEXt", b"Software\0paint"), chunk(b"pHYs", struct.pack(">IIB", 1, 1, 0))
    assert np.array_equal(read(png(*words)), PIXELS)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        (b"acTL", struct.pack(">II", 2, 0), "is animated"),
        (b"gAMA", struct.pack(">I", 100000), "has a gamma value"),
        (b"iCCP", b"x\0\0" + zlib.compress(b"profile"), "has a colour profile"),
        (b"eXIf", b"MM\0*", "may ask to be turned"),
        (b"tRNS", b"\0\1\0\2\0\3", "has a transparent colour"),
        (b"PLTE", b"\0\0\0", "holds more than pixels (chunk 'PLTE')"),
        (b"\xff\xfe\x00a", b"", "holds more than pixels"),
    ],
)
def test_chunks_that_libraries_treat_differently_are_refused(
    name: bytes, body: bytes, said: str
) -> None:
    assert said in reason(png(chunk(name, body)))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (header(width=5), "has 5 x 5 pixels"),
        (header(width=2**31 - 1, height=2**31 - 1), "has 2147483647 x 2147483647 pixels"),
        (header(kind=6), "is RGB with alpha"),
        (header(kind=0), "is grey"),
        (header(kind=3), "is of a palette"),
        (header(bits=16), "has 16 bits a colour"),
        (header(interlaced=1), "is interlaced"),
        (chunk(b"IHDR", b"short"), "header has a wrong length"),
        (header() + header(), "has its header at a wrong place"),
        (chunk(b"tEXt", b"a\0b") + header(), "has its header at a wrong place"),
    ],
)
def test_another_header_is_told(head: bytes, said: str) -> None:
    assert said in reason(png(head=head))


def test_a_bomb_gives_no_more_than_its_pixels() -> None:
    assert "more or fewer pixels" in reason(png(rows=bytes(100_000_000)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no PNG"),
        (b"GIF89a", "is no PNG"),
        (png()[:-3], "is cut short"),
        (png()[:40], "is cut short"),
        (png(tail=b"more"), "has 4 bytes behind its end"),
        (png(rows=b"\0" * 10), "more or fewer pixels"),
        (png(rows=b"\x07" + filtered(PIXELS, 0)[1:]), "there is no such filter"),
        (png().replace(b"IEND", b"IEnD"), "checksum does not match"),
        (SIGNATURE + header() + chunk(b"IDAT", b"no zlib") + chunk(b"IEND", b""), "Error"),
    ],
)
def test_damage_is_told(content: bytes, said: str) -> None:
    assert said in reason(content)


def test_one_flipped_byte_never_passes_as_another_picture() -> None:
    whole = png()
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 0x41
        with pytest.raises(SubmissionError):
            read(bytes(broken))


def test_what_two_decoders_see_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlspring.core.png.np.asarray", lambda image: PIXELS ^ 1)
    assert "is not decoded alike" in reason(png())
