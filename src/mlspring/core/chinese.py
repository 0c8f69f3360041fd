"""Chinese text from files: other encodings are named, simplified characters are found."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from mlspring.core.errors import DataError, UserError
from mlspring.core.texts import read_bytes, read_lines

SIMPLIFIED = frozenset(
    "们这说时国对过还学问题见现样长东车话给让请谁认识应该为书买卖亲爱写读开关门间电脑网师从优传伤"
    "军农创动务单卫历压县变双发图团场块声处备头妈实审导层岁岛带广庆异张归当录态怀总恋护报择损摆"
    "数断显晓杀权条构枪树桥检楼欢欧残汇汉沟济浅测满灭灯灵热爷独环来个会经进"
)
"""Frequent characters that are written otherwise in Traditional Chinese."""

FREQUENT = frozenset(
    "的一是不了人我在有他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你"
)
LEAST = 0.03  # of the characters that frequent ones are at least in any Chinese text
ENCODINGS = {"Big5": "cp950", "GBK": "gb18030"}
TOO_MANY = 0.1  # of the lines with simplified characters: more is no slip of the pen


def read_text_lines(
    path: Path, *, max_bytes: int, max_lines: int, error: type[UserError] = DataError
) -> list[str]:
    """Return the lines of a UTF-8 text, as ``core.texts.read_lines`` does.

    Raises:
        UserError: of class ``error``; missing, too large, or of another encoding, which is named
            where it shows.
    """
    try:
        return read_lines(path, max_bytes=max_bytes, max_lines=max_lines, error=error)
    except UserError as problem:
        if "is not UTF-8" not in problem.found:
            raise
        name = likely_encoding(read_bytes(path, max_bytes=max_bytes, error=error))
        if name is None:
            raise
        fix = f"iconv -f {name} -t UTF-8 {path.name} > utf8.txt, and give that its name"
        found = f"looks like {name} text ({problem.found})"
        raise error(found, file=path, row=problem.row, expected="UTF-8", fix=fix) from problem


def likely_encoding(content: bytes) -> str | None:
    """Return which of the old Chinese encodings gives the most frequent characters, if any does."""
    counts = {}
    for name, codec in ENCODINGS.items():
        text = content.decode(codec, errors="replace")
        counts[name] = sum(c in FREQUENT for c in text) - 10 * text.count(
            "\N{REPLACEMENT CHARACTER}"
        )
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > 0 else None


def demand_traditional(lines: Sequence[str], path: Path) -> None:
    """Do nothing where the lines of a file are in Traditional Chinese, or hardly otherwise.

    Raises:
        DataError: many lines hold characters that are simplified only.
    """
    rows = [row for row, line in enumerate(lines, 1) if not SIMPLIFIED.isdisjoint(line)]
    if len(rows) <= TOO_MANY * len(lines):
        return
    character = next(c for c in lines[rows[0] - 1] if c in SIMPLIFIED)
    raise DataError(
        f"{len(rows) / len(lines):.0%} of the lines hold simplified characters, e.g. {character}",
        file=path,
        row=rows[0],
        expected="Traditional Chinese",
        fix=f"convert it with OpenCC: opencc -c s2twp -i {path.name} -o traditional.zh",
    )


def to_half_width(text: str) -> str:
    """Return the text with full-width ASCII (U+FF01 to U+FF5E) and space as plain ASCII."""
    return text.translate(HALF_WIDTH)


def is_chinese(character: str) -> bool:
    """Return whether a character is a Han character, a sign of zhuyin or Chinese punctuation."""
    return unicodedata.east_asian_width(character) in "WF" or character in "「」…—“”‘’·"


HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
