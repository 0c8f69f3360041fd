"""Many images as one array: the memory map, the cache of decoded pictures, the fingerprint."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlspring.core import images as module
from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import home
from mlspring.core.images import decode_images, folder_fingerprint, load_images


def many(folder: Path, number: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = [folder / f"{i:04}.png" for i in range(number)]
    for i, file in enumerate(files):
        Image.new("RGB", (20, 10), (i % 256, i // 256, 7)).save(file)
    return files


def test_the_map_holds_the_files_in_order_whatever_the_threads(tmp_path: Path) -> None:
    files = many(tmp_path / "in", 300)  # more than one block
    one = decode_images(files, 4, tmp_path / "one.npy", num_threads=1)
    decode_images(files, 4, tmp_path / "four.npy", num_threads=4)
    assert isinstance(one, np.memmap)
    assert one.shape == (300, 4, 4, 3) and one.dtype == np.uint8
    assert (one[:, 0, 0, 0] + 256 * one[:, 0, 0, 1].astype(int) == np.arange(300)).all()
    one[0] = 99  # stays in this process
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "four.npy").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["four.npy", "in", "one.npy"]


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = many(tmp_path / "in", 3)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="the disk is full; nothing was left behind"):
        decode_images(files, 4, tmp_path / "out" / "images.npy")
    assert list((tmp_path / "out").iterdir()) == []


def test_images_are_decoded_once_and_anew_when_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = many(tmp_path / "in", 5)
    decoded: list[Path] = []
    original = module.decode_image

    def counting(file: Path, **options: Any) -> np.ndarray:
        decoded.append(file)
        return original(file, **options)

    monkeypatch.setattr(module, "decode_image", counting)
    first = np.array(load_images(files, 4))
    np.testing.assert_array_equal(load_images(files, 4), first)
    assert len(decoded) == 5

    Image.new("RGB", (20, 10), "white").save(files[2])
    assert (load_images(files, 4)[2] == 255).all()
    assert len(decoded) == 10

    load_images(files, 8)
    load_images(files, 4, mode="L")
    load_images(files, 4, resize=5)
    assert len(decoded) == 25
    assert load_images(files, 4, resize=5).shape == (5, 4, 4, 3)
    assert len(decoded) == 25


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place:][1:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"\x93NUMPY",
        lambda content: b"not an array",
        lambda content: content[:-10],
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: flipped(content, 200),
        lambda content: flipped(content, len(content) - 5),  # the last pixel
        lambda content: flipped(content, len(content) - 1),
    ],
)
def test_a_damaged_cache_is_noticed_and_made_again(
    tmp_path: Path, damage: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    files = many(tmp_path / "in", 3)
    first = np.array(load_images(files, 4))
    (cached,) = (home() / "decoded").iterdir()
    cached.write_bytes(damage(cached.read_bytes()))
    np.testing.assert_array_equal(load_images(files, 4), first)
    assert "is damaged; the images are decoded again" in capsys.readouterr().err


def test_the_fingerprint_sees_names_sizes_times_and_order(tmp_path: Path) -> None:
    files = many(tmp_path / "in", 3)
    seen = {folder_fingerprint(files, 64)}
    assert folder_fingerprint(files, 64) in seen
    seen.add(folder_fingerprint(files, 65))
    seen.add(folder_fingerprint(files, 64, mode="L"))
    seen.add(folder_fingerprint(files, 64, resize=64))
    seen.add(folder_fingerprint(files, 64, resize=72))
    seen.add(folder_fingerprint(files, 64, ground="black"))
    seen.add(folder_fingerprint(files[:2], 64))
    seen.add(folder_fingerprint(files[::-1], 64))
    os.utime(files[0], ns=(1, 1))
    seen.add(folder_fingerprint(files, 64))
    files[0] = files[0].rename(files[0].with_name("other.png"))
    seen.add(folder_fingerprint(files, 64))
    assert len(seen) == 10
    files[0].unlink()
    with pytest.raises(DataError, match="cannot be read"):
        folder_fingerprint(files, 64)
