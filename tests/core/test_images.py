import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import DataError
from mlspring.core.images import decode_image, decode_images

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def flag(size: int = 64) -> Image.Image:
    """Four quarters: red, green / blue, white; every turn and flip shows."""
    image = Image.new("RGB", (size, size), WHITE)
    half = size // 2
    for color, corner in ((RED, (0, 0)), (GREEN, (half, 0)), (BLUE, (0, half))):
        image.paste(color, (*corner, corner[0] + half, corner[1] + half))
    return image


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The centres of the four quarters, rounded to full or no light."""
    low, high = len(pixels) // 4, -len(pixels) // 4
    picked = [pixels[y, x] for y in (low, high) for x in (low, high)]
    return [tuple(255 * int(v > 127) for v in pixel) for pixel in picked]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", {"quality": 95}),
        ("a.jpg", {"quality": 95, "progressive": True}),
        ("a.png", {}),
        ("a.bmp", {}),
        ("a.gif", {}),
        ("a.webp", {}),
        ("a.tif", {}),
    ],
)
def test_every_format_keeps_colours_and_places(
    tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    pixels = decode_image(saved(flag(), tmp_path / name, **options), size=16)
    assert pixels.shape == (16, 16, 3) and pixels.dtype == np.uint8
    assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_the_aspect_is_not_kept(tmp_path: Path) -> None:
    path = saved(flag().resize((200, 50)), tmp_path / "wide.png")
    assert corners(decode_image(path, size=32)) == [RED, GREEN, BLUE, WHITE]


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("width", "height", "size", "resize"),
    [
        (200, 90, 56, 64),
        (90, 201, 56, 64),  # 142.9 pixels high: rounded down
        (64, 64, 56, 64),
        (77, 77, 33, 33),
        (300, 70, 33, 48),  # a margin of 7.5: rounded to 8
        (30, 41, 56, 64),  # enlarged
        (1000, 20, 20, 20),
    ],
)
def test_the_middle_is_cut_as_the_sample_does(
    tmp_path: Path, width: int, height: int, size: int, resize: int
) -> None:
    image = noise(width, height)
    short = min(width, height)
    whole = image.resize(
        (int(resize * width / short), int(resize * height / short)), Image.Resampling.BILINEAR
    )
    left, top = (round((side - size) / 2) for side in whole.size)
    expected = np.asarray(whole.crop((left, top, left + size, top + size)), int)
    path = saved(image, tmp_path / "a.png")
    found = decode_image(path, size=size, resize=resize)
    assert found.shape == (size, size, 3)
    assert abs(found - expected).max() <= 1
    assert abs(found - expected).mean() < 0.01


def test_a_cut_keeps_the_aspect_and_loses_the_ends(tmp_path: Path) -> None:
    wide = Image.new("RGB", (300, 100), RED)
    wide.paste(GREEN, (100, 0, 200, 100))
    path = saved(wide, tmp_path / "wide.png")
    assert (decode_image(path, size=16, resize=20) == GREEN).all()
    assert tuple(decode_image(path, size=18)[9, 0]) == RED
    tall = saved(wide.transpose(Image.Transpose.ROTATE_90), tmp_path / "tall.png")
    assert (decode_image(tall, size=16, resize=20) == GREEN).all()


def test_a_cut_of_a_large_jpeg_is_nearly_what_full_decoding_gives(tmp_path: Path) -> None:
    image = noise(40, 30).resize((1600, 1200), Image.Resampling.BICUBIC)
    path = saved(image, tmp_path / "large.jpg", quality=95)
    with Image.open(path) as opened:
        whole = opened.resize((85, 64), Image.Resampling.BILINEAR)
    full = np.asarray(whole.crop((14, 4, 70, 60)), int)
    assert abs(decode_image(path, size=56, resize=64) - full).mean() < 1.5


def test_a_cut_larger_than_the_picture_is_refused(tmp_path: Path) -> None:
    path = saved(flag(), tmp_path / "a.png")
    with pytest.raises(ValueError, match="63 pixels have no central square of 64"):
        decode_image(path, size=64, resize=63)


def test_resizing_averages_and_does_not_pick(tmp_path: Path) -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    pixels = decode_image(saved(Image.fromarray(stripes), tmp_path / "a.png"), size=8)
    assert abs(pixels[2:-2, 2:-2].astype(int) - 127).max() <= 3


def test_a_large_jpeg_is_nearly_what_full_decoding_gives(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    smooth = Image.fromarray(random.integers(0, 256, (24, 24, 3), dtype=np.uint8)).resize(
        (768, 768), Image.Resampling.BICUBIC
    )
    path = saved(smooth, tmp_path / "large.jpg", quality=95)
    full = np.asarray(
        Image.open(path).resize((64, 64), Image.Resampling.BILINEAR), dtype=np.float64
    )
    assert abs(decode_image(path, size=64) - full).mean() < 1.0


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK", "YCbCr"])
def test_other_kinds_of_pixels_become_rgb(tmp_path: Path, mode: str) -> None:
    name = "a.jpg" if mode in ("CMYK", "YCbCr") else "a.png"
    pixels = decode_image(saved(flag().convert(mode), tmp_path / name), size=16)
    assert pixels.shape == (16, 16, 3)
    colored = mode not in ("L", "1", "LA")
    if colored:
        assert corners(pixels) == [RED, GREEN, BLUE, WHITE]
    else:
        assert (pixels[..., 0] == pixels[..., 2]).all()
        assert pixels[12, 12].min() > 250 > pixels[4, 4].max()


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    ramp = np.full((8, 8), 0x80FF, np.uint16)
    path = saved(Image.fromarray(ramp), tmp_path / "deep.png")
    assert (decode_image(path, size=4) == 0x80).all()


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert (decode_image(saved(clear, tmp_path / "rgba.png"), size=4) == 255).all()
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([10, 20, 30])
    path = saved(palette, tmp_path / "p.png", transparency=0)
    assert (decode_image(path, size=4) == 255).all()
    assert (decode_image(path, size=4, ground="black") == 0).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_note_turns_the_picture(tmp_path: Path, orientation: int) -> None:
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    stored = flag() if turn is None else flag().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(stored, tmp_path / "turned.jpg", quality=95, exif=exif)
    assert corners(decode_image(path, size=16)) == [RED, GREEN, BLUE, WHITE]


def test_grey_mode_has_one_channel(tmp_path: Path) -> None:
    path = saved(flag(), tmp_path / "a.png")
    pixels = decode_image(path, size=16, mode="L")
    assert pixels.shape == (16, 16, 1)
    assert pixels[4, 4, 0] == 76  # 0.299 of red, ITU-R 601


# ---- bad files


def truncated_jpeg(path: Path) -> None:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, "JPEG")
    path.write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2])


def broken_png(path: Path) -> None:
    flag().save(path, "PNG")
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 10] ^= 255
    path.write_bytes(content)


def bomb(path: Path) -> None:
    Image.new("1", (10_000, 10_000)).save(path, "PNG")


def large_bomb(path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(path, "PNG")


def postscript(path: Path) -> None:
    flag().save(path, "EPS")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "half a jpeg": (truncated_jpeg, r"is a broken image \(image file is truncated"),
    "flipped bits": (broken_png, "is a broken image"),
    "zero bytes": (lambda path: path.write_bytes(b""), r"is empty \(zero bytes\)"),
    "only a start": (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0"), r"is no image|broken"),
    "text": (lambda path: path.write_text("<html>not found</html>"), "is no image; expected JPEG"),
    "a program": (postscript, "is no image"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "nothing": (lambda path: None, "there is no such file"),
    "bomb": (bomb, r"pixels; expected at most 50,000,000 pixels|broken image"),
    "large bomb": (large_bomb, r"decompression bomb|pixels"),
    "floats": (
        lambda path: Image.fromarray(np.ones((4, 4), np.float32)).save(path, "TIFF"),
        "pixels of kind F have no fixed range",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_and_leaves_no_output(tmp_path: Path, case: str) -> None:
    make, message = BAD[case]
    good, bad = saved(flag(), tmp_path / "0_0.jpg"), tmp_path / "8_806.jpg"
    make(bad)
    out = tmp_path / "out" / "images.npy"
    with pytest.raises(DataError, match=message) as caught:
        decode_images([good, bad, good], 16, out)
    assert caught.value.file == bad
    assert list(out.parent.iterdir()) == []


def test_no_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image files were found"):
        decode_images([], 16, tmp_path / "images.npy")
