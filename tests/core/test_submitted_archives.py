"""A tgz that is handed in: equal bytes for equal files, and what is refused in which words."""

import gzip
import zipfile
from pathlib import Path

import pytest

from mlspring.core.errors import SubmissionError
from mlspring.core.spec import Limits
from mlspring.core.submitted_archives import pack, unpack

FILES = [("a/1.png", b"one"), ("a/2.png", b"two"), ("b/1.png", b"three")]
LIMITS = Limits(max_bytes=1000, max_rows=3)


def opened(path: Path, to: Path, *, limits: Limits = LIMITS) -> dict[str, Path]:
    words = {"expected": "a tgz of letters", "make_smaller": "squeeze it", "pack_it": "pack so"}
    return unpack(path, to, limits, max_bytes=20_000, **words)


def test_what_is_packed_comes_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "one.tgz"
    path.write_bytes(pack(FILES))
    assert path.read_bytes() == pack(iter(FILES)), "equal files, equal bytes"
    found = opened(path, tmp_path / "out")
    assert [(name, file.read_bytes()) for name, file in found.items()] == FILES


def test_what_is_wrong_is_said_with_the_way_to_pack(tmp_path: Path) -> None:
    path = tmp_path / "one.tgz"

    def reason(limits: Limits = LIMITS) -> str:
        with pytest.raises(SubmissionError) as caught:
            opened(path, tmp_path / "out", limits=limits)
        assert not (tmp_path / "out").exists()
        return str(caught.value)

    assert "pack so" in reason(), "nothing is there"
    path.write_bytes(b"nonsense")
    assert "a tgz of letters" in reason() and "pack so" in reason()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/1.png", "one")
    assert "is a zip" in reason() and "pack so" in reason()
    path.write_bytes(pack(FILES)[:-40])
    assert "pack so" in reason()
    path.write_bytes(pack(FILES))
    small = reason(Limits(max_bytes=50, max_rows=3))
    assert "expected at most" in small and "squeeze it" in small
    assert "pack so" in reason(Limits(max_bytes=1000, max_rows=1)), "three files, two entries"
    path.write_bytes(gzip.compress(pack([("../out.png", b"x")])))
    assert "pack so" in reason()
