"""What is handed in: every way in which an archive of faces can be wrong has its message."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import InternalError, SubmissionError
from mlspring.homeworks.hw06_gan import submission
from mlspring.homeworks.hw06_gan.submission import Pixels
from tests.tiny.archives import special, tarred, zipped
from tests.tiny.gan import blots, hand_in, jpeg

NUM = 20
IDS = [f"{number}.jpg" for number in range(1, NUM + 1)]
THOUSAND = [f"{number}.jpg" for number in range(1, 1001)]


@pytest.fixture(scope="module")
def faces() -> Pixels:
    return blots(NUM)


def reason(path: Path, ids: list[str] = IDS) -> str:
    with pytest.raises(SubmissionError) as raised:
        submission.read(path, ids)
    assert "submission.tgz" in str(raised.value)
    assert "/tmp" not in str(raised.value).replace(str(path), ""), "a path that is gone"
    return str(raised.value)


def picture(mode: str, size: tuple[int, int] = (64, 64), kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


def test_what_is_written_is_read_and_equal_pictures_give_equal_bytes(
    tmp_path: Path, faces: Pixels
) -> None:
    files = [tmp_path / "a.tgz", tmp_path / "b.tgz"]
    for file in files:
        submission.write(file, IDS, faces)
    assert files[0].read_bytes() == files[1].read_bytes()
    found = submission.read(files[0], IDS)
    assert np.abs(found.pictures.astype(int) - faces).mean() < 3, "JPEG at its best quality"
    assert submission.describe(found) == "20 pictures, 64 x 64 RGB"
    with tarfile.open(files[0], "r:gz") as packed:
        assert packed.getnames() == IDS, "no folder, as in the course"


def test_a_thousand_pictures_of_noise_are_written_below_the_bound(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 64, 64, 3)).astype(np.uint8)
    thousand, path = np.tile(noise, (20, 1, 1, 1)), tmp_path / "submission.tgz"
    submission.write(path, THOUSAND, thousand)
    assert 500_000 < path.stat().st_size <= 2_000_000
    assert len(submission.read(path, THOUSAND).pictures) == 1000


def test_what_fits_at_no_quality_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "QUALITIES", (95,))
    noise = np.random.default_rng(0).integers(0, 256, (800, 64, 64, 3)).astype(np.uint8)
    with pytest.raises(InternalError, match="at quality 95"):
        submission.write(tmp_path / "submission.tgz", THOUSAND[:800], noise)
    assert list(tmp_path.iterdir()) == []


def test_the_order_in_the_archive_does_not_matter_nor_do_apple_s_files(
    tmp_path: Path, faces: Pixels
) -> None:
    files = {f"./{name}": jpeg(p) for name, p in zip(IDS, faces, strict=True)}
    turned = dict(reversed(files.items())) | {"./._1.jpg": b"x", "__MACOSX/x": b"y"}
    path = tarred(tmp_path / "submission.tgz", turned, "w:gz")
    straight = hand_in(tmp_path / "straight.tgz", faces)
    a, b = (submission.read(file, IDS).pictures for file in (path, straight))
    assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (picture("RGB", (65, 64)), "has 65 x 64 pixels; expected a JPEG of 64 x 64 pixels, RGB"),
        (picture("RGB", (400, 400)), "has 400 x 400 pixels"),
        (picture("L"), "has mode L"),
        (picture("CMYK"), "has mode CMYK"),
        (picture("RGB", kind="PNG"), "is no JPEG"),
        (picture("RGB", kind="GIF"), "is no JPEG"),
        (b"", "is no JPEG"),
        (b"hello", "is no JPEG"),
        (jpeg(blots(1)[0])[:700], "is broken"),
    ],
)
def test_a_picture_of_another_kind_is_named(
    tmp_path: Path, faces: Pixels, content: bytes, said: str
) -> None:
    changed = hand_in(tmp_path / "submission.tgz", faces, **{"7.jpg": content})
    assert f"submission.tgz/7.jpg: {said}" in reason(changed)


def test_999_pictures_are_one_too_few(tmp_path: Path) -> None:
    pictures = np.tile(blots(10), (100, 1, 1, 1))
    path = hand_in(tmp_path / "submission.tgz", pictures, **{"1000.jpg": None})
    message = reason(path, THOUSAND)
    assert "lacks '1000.jpg'; expected 1,000 pictures, 1.jpg to 1000.jpg" in message


def test_pictures_counted_from_zero_are_told(tmp_path: Path, faces: Pixels) -> None:
    path = hand_in(tmp_path / "submission.tgz", faces, **{"0.jpg": jpeg(faces[0]), "20.jpg": None})
    assert "submission.tgz/0.jpg: is not asked for" in reason(path)


def test_a_folder_is_told_with_how_to_pack(tmp_path: Path, faces: Pixels) -> None:
    files = {f"output/{name}": jpeg(p) for name, p in zip(IDS, faces, strict=True)}
    message = reason(tarred(tmp_path / "submission.tgz", files, "w:gz"))
    assert "holds its pictures in a folder, 'output'" in message
    assert "cd OUT && tar zcf" in message


def test_an_archive_of_three_megabytes_is_not_opened(tmp_path: Path, faces: Pixels) -> None:
    noise = np.random.default_rng(0).integers(0, 256, 3_000_000).astype(np.uint8).tobytes()
    path = hand_in(tmp_path / "submission.tgz", faces, **{"21.jpg": noise})
    message = reason(path)
    assert "expected at most 2.0 MB" in message and "lower JPEG quality" in message


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tarred(tmp_path / "submission.tgz", {"1.jpg": bytes(30_000_000)}, "w:gz")
    assert path.stat().st_size < 100_000
    assert "unpack" in reason(path)


@pytest.mark.parametrize(
    ("kind", "target", "said"),
    [
        (tarfile.SYMTYPE, "/etc/passwd", "is a symbolic link"),
        (tarfile.LNKTYPE, "1.jpg", "is a hard link"),
        (tarfile.FIFOTYPE, "", "is a device or pipe"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path: Path, kind: bytes, target: str, said: str) -> None:
    assert said in reason(special(tmp_path / "submission.tgz", kind, target))


def test_a_way_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = tarred(tmp_path / "submission.tgz", {"../1.jpg": b"x"}, "w:gz")
    assert "leads out of the folder" in reason(path)


def test_other_archives_and_no_archives_are_told(tmp_path: Path, faces: Pixels) -> None:
    path = tmp_path / "submission.tgz"
    assert "there is no such archive" in reason(path)
    for content, said in ((b"", "is empty"), (b"nonsense", "is no archive")):
        path.write_bytes(content)
        assert said in reason(path)
    assert "is a zip" in reason(zipped(path, {"1.jpg": jpeg(faces[0])}))
    assert "is a tar;" in reason(tarred(path, {"1.jpg": jpeg(faces[0])}))
    path.write_bytes(gzip.compress(jpeg(faces[0])))
    assert "is a gz" in reason(path)
    whole = hand_in(tmp_path / "whole.tgz", faces).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    reason(path)
