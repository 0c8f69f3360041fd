"""Chinese text: old encodings are named, simplified characters are found."""

from pathlib import Path

import pytest

from mlspring.core.chinese import (
    SIMPLIFIED,
    demand_traditional,
    is_chinese,
    likely_encoding,
    read_text_lines,
    to_half_width,
)
from mlspring.core.errors import DataError

TRADITIONAL = "我們在這裡等他，你也來嗎？大家都是好人。"
SAME_IN_SIMPLIFIED = "我们在这里等他，你也来吗？大家都是好人。"


@pytest.mark.parametrize(
    ("codec", "text", "name"),
    [
        ("cp950", TRADITIONAL, "Big5"),
        ("gb18030", SAME_IN_SIMPLIFIED, "GBK"),
        ("latin-1", "déjà vu à la carte", None),
    ],
)
def test_old_encodings_are_known(codec: str, text: str, name: str | None) -> None:
    assert likely_encoding(text.encode(codec)) == name


def test_an_old_encoding_is_told_with_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "a.zh"
    file.write_bytes(("\n".join([TRADITIONAL] * 3)).encode("cp950"))
    with pytest.raises(DataError, match=r"(?s)row 1: looks like Big5 .*iconv -f Big5 -t UTF-8 a"):
        read_text_lines(file, max_bytes=1000, max_lines=10)


def test_one_broken_byte_makes_no_other_encoding(tmp_path: Path) -> None:
    file = tmp_path / "a.zh"
    file.write_bytes((TRADITIONAL * 20).encode() + b"\n\xff\n")
    with pytest.raises(DataError, match="row 2: byte 0xff is not UTF-8"):
        read_text_lines(file, max_bytes=10_000, max_lines=10)


def test_text_as_it_should_be_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.zh"
    file.write_bytes(f"{TRADITIONAL}\r\n好".encode("utf-8-sig"))
    assert read_text_lines(file, max_bytes=1000, max_lines=10) == [TRADITIONAL, "好"]


def test_traditional_text_passes_and_simplified_is_told() -> None:
    demand_traditional([TRADITIONAL] * 10, Path("a.zh"))
    demand_traditional([TRADITIONAL] * 9 + [SAME_IN_SIMPLIFIED], Path("a.zh"))  # a slip
    with pytest.raises(DataError, match="row 1: 100% of the lines hold simplified characters"):
        demand_traditional([SAME_IN_SIMPLIFIED], Path("a.zh"))
    demand_traditional([], Path("a.zh"))


def test_no_character_of_big5_s_first_plane_is_called_simplified() -> None:
    """Big5's frequently used characters (A4 to C6) are those of Taiwan's schools."""
    frequent = {
        bytes((high, low)).decode("big5")
        for high in range(0xA4, 0xC6)
        for low in (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    }
    assert SIMPLIFIED & frequent == set()


def test_width() -> None:
    assert to_half_width("ＡＢ１，！　好。") == "AB1,! 好。"
    assert [is_chinese(c) for c in "好，。「a1, ㄅ"] == [True] * 4 + [False] * 4 + [True]
