"""What is handed in: every way in which an archive of pictures can be wrong has its message."""

import gzip
import io
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw10_attack import submission
from tests.tiny.archives import special, tarred, zipped
from tests.tiny.attack import CLASS_NAMES, benign, hand_in, ids, png

IDS = ids()
FIRST = IDS[0]


def reason(path: Path) -> str:
    with pytest.raises(SubmissionError) as raised:
        submission.read(path, IDS)
    assert "submission.tgz" in str(raised.value)
    assert "/tmp" not in str(raised.value).replace(str(path), ""), "a path that is gone"
    return str(raised.value)


def test_what_is_written_is_read_and_equal_pictures_give_equal_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "a.tgz", tmp_path / "b.tgz"]
    for file in files:
        submission.write(file, IDS, benign())
    assert files[0].read_bytes() == files[1].read_bytes()
    found = submission.read(files[0], IDS)
    assert np.array_equal(found.pictures, benign())
    assert submission.describe(found).startswith("20 pictures, 32 x 32 RGB; whether each is within")
    with tarfile.open(files[0], "r:gz") as packed:
        assert packed.getnames() == IDS, "class folders at the root, as in the course"


def test_two_hundred_pictures_of_pure_noise_stay_below_the_course_s_bound(tmp_path: Path) -> None:
    names = ids(20)
    noise = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3)).astype(np.uint8)
    submission.write(tmp_path / "submission.tgz", names, noise)
    assert (tmp_path / "submission.tgz").stat().st_size < 2_000_000
    assert np.array_equal(submission.read(tmp_path / "submission.tgz", names).pictures, noise)


def test_the_order_in_the_archive_does_not_matter_nor_do_folders_and_apple_s_files(
    tmp_path: Path,
) -> None:
    files = {f"./{name}": png(p) for name, p in zip(IDS, benign(), strict=True)}
    turned = dict(reversed(files.items())) | {"./._thinga": b"x", "__MACOSX/x": b"y"}
    path = tarred(tmp_path / "submission.tgz", turned, "w:gz")
    assert np.array_equal(submission.read(path, IDS).pictures, benign())


def changed(tmp_path: Path, **files: bytes | None) -> Path:
    return hand_in(tmp_path / "submission.tgz", benign(), **files)


def picture(mode: str, size: tuple[int, int] = (32, 32), kind: str = "PNG", **how: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **how)
    return file.getvalue()


def animated() -> bytes:
    frames = [Image.new("RGB", (32, 32), (i, i, i)) for i in (0, 90)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


def with_chunk(name: bytes, body: bytes) -> bytes:
    whole, place = png(benign()[0]), 33  # behind the header
    chunk = struct.pack(">I", len(body)) + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    return whole[:place] + chunk + whole[place:]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (picture("RGB", (33, 32)), "has 33 x 32 pixels; expected a PNG of 32 x 32"),
        (picture("RGBA"), "is RGB with alpha"),
        (picture("L"), "is grey"),
        (picture("P"), "is of a palette"),
        (picture("RGB", kind="JPEG"), "is no PNG"),
        (picture("RGB", kind="GIF"), "is no PNG"),
        (animated(), "is animated"),
        (with_chunk(b"gAMA", struct.pack(">I", 20000)), "has a gamma value"),
        (with_chunk(b"tRNS", bytes(6)), "has a transparent colour"),
        (b"", "is no PNG"),
        (png(benign()[0])[:200], "is cut short"),
    ],
)
def test_a_picture_of_another_kind_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    message = reason(changed(tmp_path, **{FIRST: content}))
    assert f"submission.tgz/{FIRST}: {said}" in message


def test_a_missing_picture_or_class_is_named(tmp_path: Path) -> None:
    assert f"lacks {FIRST!r}; expected 20 pictures" in reason(changed(tmp_path, **{FIRST: None}))
    whole_class = dict.fromkeys(IDS[:2])
    message = reason(changed(tmp_path, **whole_class))
    assert f"lacks {FIRST!r} and 1 more; nothing of the class 'thinga' is there" in message


def test_an_extra_file_is_named(tmp_path: Path) -> None:
    message = reason(changed(tmp_path, **{"thinga/thinga3.png": png(benign()[0])}))
    assert "submission.tgz/thinga/thinga3.png: is not asked for" in message
    assert "is not asked for" in reason(changed(tmp_path, **{"notes.txt": b"hello"}))


def test_one_folder_too_many_is_told_with_how_to_pack(tmp_path: Path) -> None:
    files = {f"fgsm/{name}": png(p) for name, p in zip(IDS, benign(), strict=True)}
    message = reason(tarred(tmp_path / "submission.tgz", files, "w:gz"))
    assert "holds the class folders inside of 'fgsm'" in message
    assert "tar zcvf" in message


@pytest.mark.parametrize("name", ["../thinga1.png", "/etc/x.png", "thinga/../../x", "C:\\x.png"])
def test_path_tricks_are_refused(tmp_path: Path, name: str) -> None:
    message = reason(changed(tmp_path, **{name: png(benign()[0])}))
    assert "leads out of the folder" in message or "is an absolute path" in message


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_pipes_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = special(tmp_path / "submission.tgz", kind, "/etc/passwd")
    assert "expected plain files" in reason(path)


def test_bombs_are_refused(tmp_path: Path) -> None:
    message = reason(changed(tmp_path, zeros=bytes(50_000_000)))
    assert "unpacks to too much; expected at most 8.0 MB" in message
    many = {f"{i}.png": b"" for i in range(1000)}
    message = reason(tarred(tmp_path / "submission.tgz", many, "w:gz"))
    assert "holds too many files; expected at most 400" in message
    rows = zlib.compress(bytes(50_000_000))
    deep = png(benign()[0])
    place = deep.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(rows)) + b"IDAT" + rows
    chunk += zlib.crc32(b"IDAT" + rows).to_bytes(4, "big")
    deep = deep[:place] + chunk + deep[-12:]
    assert "more or fewer pixels" in reason(changed(tmp_path, **{FIRST: deep}))


def test_another_archive_or_a_large_one_is_told(tmp_path: Path) -> None:
    files = {name: png(p) for name, p in zip(IDS, benign(), strict=True)}
    assert "is a zip; expected a tgz" in reason(zipped(tmp_path / "submission.tgz", files))
    path = tmp_path / "submission.tgz"
    path.write_bytes(gzip.compress(b"hello"))
    assert "is a gz; expected a tgz" in reason(path)
    noise = np.random.default_rng(0).integers(0, 256, 2_150_000).astype(np.uint8).tobytes()
    assert "has 2.2 MB; expected at most 2.0 MB" in reason(changed(tmp_path, noise=noise))
    whole = changed(tmp_path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "is damaged or cut short" in reason(path)


def test_names_are_those_of_ten_classes() -> None:
    assert len(CLASS_NAMES) == 10 and len(IDS) == 20
