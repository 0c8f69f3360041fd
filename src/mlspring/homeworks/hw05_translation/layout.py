"""Files of sentence pairs: the course's raw TED talks, or a folder of one's own.

    DIR[/ted2020]/raw.en raw.zh            or train_dev.raw.en train_dev.raw.zh
    DIR[/test]/test.en                     or test.raw.en
    DIR/ted_zh_corpus.deduped              more Chinese; may be absent

    DIR/train.en train.zh test.en          one's own, and what a world looks like
    DIR/dev.en dev.zh mono.zh              may be absent

Line i of an .en and a .zh file belong together. Where no part is held out, one in a hundred is,
as the course does.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from mlspring.core.chinese import demand_traditional, read_text_lines
from mlspring.core.errors import DataError
from mlspring.core.image_folder import find
from mlspring.homeworks.hw05_translation.cleaning import clean_chinese, clean_english, is_kept

MAX_BYTES, MAX_LINES = 2_000_000_000, 10_000_000
SEED, TRAIN_SHARE = 73, 0.99  # of the course's split
RAW = ("train", "raw", "train_dev.raw")
TEST, MONO = ("test.en", "test.raw.en"), ("mono.zh", "ted_zh_corpus.deduped")
LAYOUT = "train.en, train.zh and test.en, or the course's raw.en, raw.zh and test/test.en"


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Cleaned sentences: ``english[i]`` and ``chinese[i]`` say the same."""

    english: list[str]
    chinese: list[str]

    def __len__(self) -> int:
        return len(self.english)

    def of(self, rows: list[int]) -> "Pairs":
        """Return some of the pairs."""
        english, chinese = ([side[i] for i in rows] for side in (self.english, self.chinese))
        return Pairs(english=english, chinese=chinese)


def read_pairs(folder: Path) -> tuple[Pairs, Pairs, int]:
    """Return pairs to learn from, pairs held out, and how many lines were left out.

    Left out are lines that cleaning leaves empty, too long or lopsided, and held-out pairs that
    stand among the others, too.

    Raises:
        DataError: a file is missing, of another encoding or script, or the counts differ.
    """
    train, dropped = _read(folder, RAW)
    if find(folder, "dev.en") or find(folder, "dev.zh"):
        held, more = _read(folder, ("dev",))
    else:
        (train, held), more = split(train), 0
    known = set(zip(train.english, train.chinese, strict=True))
    new = [
        i
        for i, pair in enumerate(zip(held.english, held.chinese, strict=True))
        if pair not in known
    ]
    return train, held.of(new), dropped + more + len(held) - len(new)


def split(pairs: Pairs, seed: int = SEED, share: float = TRAIN_SHARE) -> tuple[Pairs, Pairs]:
    """Return the course's split: shuffled labels 0 to n - 1, those below share * n are to train.

    Raises:
        DataError: there are too few to hold one out.
    """
    labels = list(range(len(pairs)))
    random.Random(seed).shuffle(labels)
    parts: tuple[list[int], list[int]] = ([], [])
    for row, label in enumerate(labels):
        parts[label / len(labels) >= share].append(row)
    if not all(parts):
        found = f"{len(pairs)} usable pairs, of which none can be held out"
        raise DataError(found, expected="100 or more, or files dev.en and dev.zh")
    return pairs.of(parts[0]), pairs.of(parts[1])


def read_test(folder: Path) -> list[str]:
    """Return the cleaned English lines to translate; every line of the file is one of them."""
    path = find(folder, *TEST)
    if path is None:
        raise DataError("has no test.en", file=folder, expected=LAYOUT)
    return [clean_english(line) for line in _lines(path)]


def read_mono(folder: Path) -> list[str]:
    """Return cleaned Chinese lines that have no English, none twice; [] where there is no file."""
    path = find(folder, *MONO)
    if path is None:
        return []
    lines = _lines(path)
    demand_traditional(lines, path)
    return [line for line in dict.fromkeys(map(clean_chinese, lines)) if line]


def _read(folder: Path, names: tuple[str, ...]) -> tuple[Pairs, int]:
    """Return the pairs that are kept of two files, and how many are not."""
    english, chinese = (
        find(folder, *(f"{n}.{language}" for n in names)) for language in ("en", "zh")
    )
    if english is None or chinese is None:
        missing = f"{names[0]}.{'en' if english is None else 'zh'}"
        raise DataError(f"has no {missing}", file=folder, expected=LAYOUT)
    sources, targets = _lines(english), _lines(chinese)
    if len(sources) != len(targets):
        raise DataError(
            f"has {len(targets):,} lines, but {english.name} has {len(sources):,}",
            file=chinese,
            expected="line i of one is the translation of line i of the other",
            fix="look for a line that was lost or broken in two; an unknown one may be empty",
        )
    demand_traditional(targets, chinese)
    cleaned = zip(map(clean_english, sources), map(clean_chinese, targets), strict=True)
    kept = [pair for pair in cleaned if is_kept(*pair)]
    if not kept:
        found, expected = "no pair of lines can be used", "sentences in both files"
        raise DataError(found, file=english, expected=expected)
    pairs = Pairs(english=[e for e, _ in kept], chinese=[z for _, z in kept])
    return pairs, len(sources) - len(kept)


def _lines(path: Path) -> list[str]:
    return read_text_lines(path, max_bytes=MAX_BYTES, max_lines=MAX_LINES)
