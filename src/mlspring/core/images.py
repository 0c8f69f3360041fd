"""Image files decoded once, in parallel, to one memory map; never again while they stay the same.

Threads are as fast as processes (1,690 against 1,620 images a second of 512 x 512 on two
cores): Pillow gives the interpreter away while it decodes and resizes.
"""

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mlspring.core.errors import DataError
from mlspring.core.files import atomic_path, home
from mlspring.core.machine import num_cores
from mlspring.core.progress import bar, say
from mlspring.core.texts import read_bytes

Mode = Literal["RGB", "L"]
Ground = Literal["white", "black"]
Pixels = NDArray[np.uint8]

# Only formats that Pillow decodes itself; some others start a program.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
MAX_FILE_BYTES = 100_000_000
MAX_PIXELS = 50_000_000
VERSION = 2  # raised when images are decoded or kept differently; part of the cache's key
CHECKSUM_BYTES = 4  # CRC-32 of the pixels, behind them in the file; costs 0.2 s for 400 MB
BLOCK = 256  # images that wait for one another before they are written

BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def load_images(
    files: Sequence[Path],
    size: int,
    *,
    mode: Mode = "RGB",
    resize: int | None = None,
    ground: Ground = "white",
) -> Pixels:
    """Return the images as a private memory map, decoded only if they were not before.

    The map lies under ``home()/decoded``; its name is the files' fingerprint. ``resize`` and
    ``ground`` are those of ``decode_images``.

    Shape:
        (len(files), size, size, channels) of ``decode_images``.

    Raises:
        DataError: an image is broken; names the file.
        MachineError: the disk is full.
    """
    shape = (len(files), size, size, _channels(mode))
    key = folder_fingerprint(files, size, mode=mode, resize=resize, ground=ground)
    cached = home() / "decoded" / f"{key}.npy"
    if cached.exists():
        try:
            images = _open_map(cached)
            if images.shape == shape and images.dtype == np.uint8 and _is_sound(cached, images):
                return images
        except (OSError, ValueError, EOFError):
            pass
        say(f"{cached} is damaged; the images are decoded again")
    return decode_images(files, size, cached, mode=mode, resize=resize, ground=ground)


def decode_images(
    files: Sequence[Path],
    size: int,
    out: Path,
    *,
    mode: Mode = "RGB",
    resize: int | None = None,
    ground: Ground = "white",
    num_threads: int | None = None,
) -> Pixels:
    """Decode every file once and return the memory map that was written to ``out``.

    Each image is turned as its EXIF note says, laid on ``ground`` where it is transparent, and
    resized bilinearly with antialiasing, as the course does: to a square without keeping its
    aspect, or, with ``resize``, its short side to so many pixels, of which the central square is
    cut (hw13's Resize 256 and CenterCrop 224). A large JPEG is decoded at a half, a quarter or an
    eighth of its size, but never below twice the size asked for, which moves a pixel by 0.4 of 255
    on average and saves 40 % of the time.

    Shape:
        (len(files), size, size, channels), uint8; 3 channels for ``RGB``, 1 for ``L``.

    Raises:
        DataError: there are no files, or one is missing, broken, no image or far too large; no
            output is left.
        MachineError: the disk is full.
    """
    if not files:
        raise DataError("no image files were found", file=out)
    shape = (len(files), size, size, _channels(mode))
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    decode = partial(decode_image, size=size, mode=mode, resize=resize, ground=ground)
    with (
        atomic_path(out) as partial_file,
        partial_file.open("wb") as stream,
        ThreadPoolExecutor(num_threads or num_cores()) as pool,
        bar("decode images", len(files), unit="images") as progress,
    ):
        npy.write_array_header_1_0(stream, header)
        checksum = 0
        for start in range(0, len(files), BLOCK):
            # Written and not mapped: on a full disk a map would kill the process.
            for image in pool.map(decode, files[start : start + BLOCK]):
                content = image.tobytes()
                stream.write(content)
                checksum = zlib.crc32(content, checksum)
                progress.advance()
        stream.write(checksum.to_bytes(CHECKSUM_BYTES, "little"))
    return _open_map(out)


def decode_image(
    file: Path,
    *,
    size: int,
    mode: Mode = "RGB",
    resize: int | None = None,
    ground: Ground = "white",
) -> Pixels:
    """Return one image as ``decode_images`` does, uint8, shape (size, size, channels).

    Raises:
        ValueError: ``resize`` is less than ``size``.
        DataError: missing, unreadable, zero bytes, broken, no image, or far too large.
    """
    if resize is not None and resize < size:
        raise ValueError(f"{resize} pixels have no central square of {size}")
    content = read_bytes(file, max_bytes=MAX_FILE_BYTES)
    least = 2 * (resize or size)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                message = f"has {image.width:,} x {image.height:,} pixels"
                raise DataError(message, file=file, expected=f"at most {MAX_PIXELS:,} pixels")
            image.draft(mode, (least, least))  # JPEG only
            plain = _plain(ImageOps.exif_transpose(image), mode, ground)
            box = _central_box(plain, size, resize) if resize else None
            resized = plain.resize((size, size), Image.Resampling.BILINEAR, box=box)
    except UnidentifiedImageError as error:
        fix = "remove the file, or fetch the data again"
        raise DataError("is no image", file=file, expected=" or ".join(FORMATS), fix=fix) from error
    except BROKEN as error:
        fix = "remove the file, or fetch the data again"
        raise DataError(f"is a broken image ({error})", file=file, fix=fix) from error
    return np.asarray(resized, dtype=np.uint8).reshape(size, size, _channels(mode))


def folder_fingerprint(
    files: Sequence[Path],
    size: int,
    *,
    mode: Mode = "RGB",
    resize: int | None = None,
    ground: Ground = "white",
) -> str:
    """Return a key that changes with any file's name, size or time, or with how it is decoded.

    Raises:
        DataError: a file is missing.
    """
    how = f"{size} {mode}" if resize is None else f"{size} {mode} of {resize}"
    if ground != "white":  # so that what was decoded before grounds could be chosen is found
        how += f" on {ground}"
    digest = hashlib.sha256(f"{VERSION} {how} {len(files)}\n".encode())
    for file in files:
        try:
            status = file.stat()
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", file=file) from error
        digest.update(os.fsencode(f"{file.parent.name}/{file.name}"))
        digest.update(f"\0{status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _central_box(image: Image.Image, size: int, resize: int) -> tuple[float, float, float, float]:
    """Return the part of an image to scale to the central square of its resized self.

    Resizing the part alone gives the same pixels as resizing all and cutting then. Rounding is
    torchvision's: the long side down, a margin of a half to the even pixel.
    """
    short = min(image.size)
    box = []
    for side in image.size:
        resized = resize * side // short
        margin = round((resized - size) / 2)
        box.append((margin * side / resized, min((margin + size) * side / resized, side)))
    (left, right), (top, bottom) = box
    return left, top, right, bottom


def _plain(image: Image.Image, mode: Mode, ground: Ground) -> Image.Image:
    """Return the image in ``mode``; transparent parts show the ground, 16 bits become 8."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of kind {image.mode} have no fixed range")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, ground), image)
    return image.convert(mode)


def _open_map(path: Path) -> Pixels:
    # "c": private, so that torch may share it; writing to it never reaches the file
    images: Pixels = np.load(path, mmap_mode="c", allow_pickle=False)
    return images


def _is_sound(path: Path, images: Pixels) -> bool:
    """Return whether the pixels of a map still match the checksum behind them."""
    with path.open("rb") as stream:
        stream.seek(-CHECKSUM_BYTES, os.SEEK_END)
        return zlib.crc32(images.data) == int.from_bytes(stream.read(), "little")


def _channels(mode: Mode) -> int:
    return 3 if mode == "RGB" else 1
