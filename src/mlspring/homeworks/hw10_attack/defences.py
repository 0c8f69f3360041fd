"""Passive defences: what is done to a picture before a network sees it, without knowing any attack.

All take and return uint8 (n, height, width, 3). They remove part of the noise, and some detail.
"""

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import median_filter

Pictures = NDArray[np.uint8]
Defence = Callable[[Pictures], Pictures]


def jpeg(pictures: Pictures, quality: int) -> Pictures:
    """Return the pictures after JPEG compression (arXiv:1608.00853); ``quality`` is Pillow's.

    The course's imgaug compression 70 is quality 31 there.
    """
    made = np.empty_like(pictures)
    for out, picture in zip(made, pictures, strict=True):
        packed = io.BytesIO()
        Image.fromarray(picture).save(packed, "JPEG", quality=quality)
        out[:] = np.asarray(Image.open(packed))
    return made


def median(pictures: Pictures, side: int = 3) -> Pictures:
    """Return the median of ``side`` x ``side`` pixels around each, channels apart."""
    return np.asarray(median_filter(pictures, size=(1, side, side, 1), mode="nearest"))


def fewer_bits(pictures: Pictures, bits: int) -> Pictures:
    """Return the pictures with 2 ** ``bits`` levels a channel, arXiv:1704.01155."""
    levels = 2**bits - 1
    return np.asarray(np.round(np.round(pictures / 255 * levels) / levels * 255).astype(np.uint8))


DEFENCES: dict[str, Defence] = {
    "none": np.asarray,
    "jpeg": partial(jpeg, quality=60),
    "median": median,
    "bits": partial(fewer_bits, bits=4),
}
