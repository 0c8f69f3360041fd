"""PNG files that mean one picture and no other, whoever decodes them.

Libraries differ in what they make of colour profiles, gamma, transparency, orientation, 16 bits,
interlacing, frames and damage. So only the plain kind is read: 8 bits of red, green and blue, and
beside them at most words and dates. It is decoded twice, by the few lines below and by Pillow.
Source: PNG specification, third edition, W3C 2025.
"""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core.errors import SubmissionError
from mlspring.core.images import BROKEN

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER, PIXELS, END = b"IHDR", b"IDAT", b"IEND"
WORDS = {b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs"}  # chunks that no pixel depends on
CHANNELS = 3
KINDS = {0: "grey", 2: "RGB", 3: "of a palette", 4: "grey with alpha", 6: "RGB with alpha"}
MEANING = {
    b"acTL": "is animated",
    b"fcTL": "is animated",
    b"fdAT": "is animated",
    b"tRNS": "has a transparent colour",
    b"eXIf": "may ask to be turned (EXIF)",
    b"iCCP": "has a colour profile",
    b"gAMA": "has a gamma value",
    b"sRGB": "has a colour profile",
    b"cHRM": "has a colour profile",
}
SAVE_IT = "save it anew: PIL.Image.fromarray(pixels).save(path), pixels uint8 (height, width, 3)"


def decode_rgb(content: bytes, *, name: str, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels of a PNG file, uint8 (height, width, 3).

    Args:
        content: the whole file; no more than its pixels' bytes ever come out of it.
        name: of the file, in messages.
        width: columns that it must have.
        height: rows that it must have.

    Raises:
        SubmissionError: no PNG, damaged, of another size or kind, or decoded otherwise elsewhere.
    """
    try:
        packed = _packed_pixels(content, width, height)
        pixels = _unfiltered(packed, width, height)
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            others = np.asarray(image)
    except (ValueError, zlib.error, *BROKEN) as error:
        expected = f"a PNG of {width} x {height} pixels, 8 bits RGB"
        raise SubmissionError(str(error), file=name, expected=expected, fix=SAVE_IT) from error
    if others.dtype != np.uint8 or not np.array_equal(pixels, others):
        found = "is not decoded alike by two libraries"
        raise SubmissionError(found, file=name, expected="one meaning", fix=SAVE_IT)
    return pixels


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of each chunk, its checksum compared; END comes last, and once."""
    if not content.startswith(SIGNATURE):
        raise ValueError("is no PNG")
    place = len(SIGNATURE)
    name = b""
    while name != END:
        head = content[place : place + 8]
        if len(head) < 8:
            raise ValueError("is cut short")
        length, name = struct.unpack(">I4s", head)
        body = content[place + 8 : place + 8 + length]
        checksum = content[place + 8 + length : place + 12 + length]
        if len(checksum) < 4:
            raise ValueError("is cut short")
        if zlib.crc32(name + body).to_bytes(4, "big") != checksum:
            raise ValueError("is damaged: a checksum does not match")
        yield name, body
        place += 12 + length
    if place != len(content):
        raise ValueError(f"has {len(content) - place} bytes behind its end")


def _packed_pixels(content: bytes, width: int, height: int) -> bytes:
    """Return the rows as they are filtered, (height, 1 + 3 width) bytes, unpacked from zlib."""
    packed: list[bytes] = []
    for number, (name, body) in enumerate(_chunks(content)):
        if (name == HEADER) != (number == 0):
            raise ValueError("has its header at a wrong place")
        if name == HEADER:
            _check_header(body, width, height)
        elif name == PIXELS:
            packed.append(body)
        elif name not in WORDS | {END}:
            shown = name.decode("ascii", "replace")
            raise ValueError(f"{MEANING.get(name, 'holds more than pixels')} (chunk {shown!r})")
    unpacker = zlib.decompressobj()
    size = height * (1 + CHANNELS * width)
    rows = unpacker.decompress(b"".join(packed), size + 1)
    if len(rows) != size or not unpacker.eof or unpacker.unused_data:
        raise ValueError("holds more or fewer pixels than it says")
    return rows


def _check_header(body: bytes, width: int, height: int) -> None:
    if len(body) != 13:
        raise ValueError("is damaged: its header has a wrong length")
    columns, rows, bits, kind, method, filtering, interlaced = struct.unpack(">IIBBBBB", body)
    if (columns, rows) != (width, height):
        raise ValueError(f"has {columns} x {rows} pixels")
    if kind != 2:
        raise ValueError(f"is {KINDS.get(kind, 'of no known kind')}")
    if bits != 8:
        raise ValueError(f"has {bits} bits a colour")
    if method or filtering or interlaced:
        raise ValueError("is interlaced, or packed in a way that is not the common one")


def _unfiltered(rows: bytes, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels behind PNG's filters: each byte was stored as a difference."""
    table = np.frombuffer(rows, np.uint8).reshape(height, 1 + CHANNELS * width)
    pixels = np.zeros((height, width, CHANNELS), np.uint8)
    above = np.zeros((width, CHANNELS), np.uint8)
    for number, row in enumerate(table):
        stored = row[1:].reshape(width, CHANNELS)
        match row[0]:
            case 0:
                pixels[number] = stored
            case 1:
                pixels[number] = np.cumsum(stored, axis=0, dtype=np.uint8)
            case 2:
                pixels[number] = stored + above
            case 3 | 4:
                pixels[number] = _predicted(stored, above, mean=row[0] == 3)
            case _:
                raise ValueError("is damaged: there is no such filter")
        above = pixels[number]
    return pixels


def _predicted(
    stored: NDArray[np.uint8], above: NDArray[np.uint8], *, mean: bool
) -> NDArray[np.uint8]:
    """Return a row (width, 3) that was stored as differences from ``mean`` or Paeth's choice."""
    made = []
    left = before = [0] * CHANNELS  # before: above the left pixel
    for differences, over in zip(stored.tolist(), above.tolist(), strict=True):
        guesses = (
            [(a + b) // 2 for a, b in zip(left, over, strict=True)]
            if mean
            else [_paeth(a, b, c) for a, b, c in zip(left, over, before, strict=True)]
        )
        left = [(d + g) % 256 for d, g in zip(differences, guesses, strict=True)]
        before = over
        made.append(left)
    return np.array(made, np.uint8)


def _paeth(left: int, over: int, before: int) -> int:
    """Return whichever is nearest to left + over - before; the earlier one of two as near."""
    wanted = left + over - before
    return min((left, over, before), key=lambda value: abs(wanted - value))
