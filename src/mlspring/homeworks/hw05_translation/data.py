"""Sentence pairs, held-out ones, sentences to translate, and Chinese text without English.

All of it is raw text in files and cleaned by one code, whatever it comes from; see ``layout``.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from mlspring.core.source import Source
from mlspring.homeworks.hw05_translation import layout
from mlspring.homeworks.hw05_translation.layout import Pairs
from mlspring.homeworks.hw05_translation.recipe import Recipe
from mlspring.worlds.translation.world import translation_world
from mlspring.worlds.world import World


@dataclass(frozen=True, kw_only=True)
class Data:
    """Cleaned text.

    Args:
        train: pairs to learn from.
        held: pairs to validate on; none of them is in ``train``.
        test: English, one a line of the file, empty or long as it may be.
        mono: Chinese that is neither in ``train`` nor in ``held``.
        dropped: lines that were left out.
    """

    train: Pairs
    held: Pairs
    test: list[str]
    mono: list[str]
    dropped: int

    @property
    def test_ids(self) -> list[str]:
        """Numbers of the lines of a submission, from 1."""
        return [str(number) for number in range(1, len(self.test) + 1)]


def world() -> World:
    """Return the built-in data set of the homework."""
    return translation_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return all text of ``source``.

    Raises:
        DataError: a file is missing, of another encoding or script, or the counts of lines differ.
    """
    train, held, dropped = layout.read_pairs(source.folder)
    known = {*train.chinese, *held.chinese}
    mono = [line for line in layout.read_mono(source.folder) if line not in known]
    test = layout.read_test(source.folder)
    return Data(train=train, held=held, test=test, mono=mono, dropped=dropped)


def test_ids(source: Source) -> list[str]:
    """Return the numbers of the lines that a submission must have."""
    num_lines = len(layout.read_test(source.folder))
    return [str(number) for number in range(1, num_lines + 1)]


def fingerprint(data: Data) -> str:
    """Return 16 digits that stand for the text that is learnt from: equal text, equal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for lines in (data.train.english, data.train.chinese, data.held.chinese, data.mono):
        digest.update(f"{len(lines)}\n".encode())
        digest.update("\n".join(lines).encode())
    return digest.hexdigest()


def describe(data: Data) -> dict[str, str]:
    """Return the data card: a name and a short sentence for each row."""
    words = [len(line.split()) for line in data.train.english]
    signs = [len(line.replace(" ", "")) for line in data.train.chinese]
    return {
        "pairs": f"{len(data.train):,} to learn from, {len(data.held):,} held out; "
        f"{data.dropped:,} lines left out (empty, too long, lopsided, or held out and learnt)",
        "sentences": f"{sum(words) / len(words):.1f} English words on average, {max(words)} at "
        f"most; {sum(signs) / len(signs):.1f} Chinese characters, {max(signs)} at most",
        "to translate": f"{len(data.test):,} English lines",
        "Chinese alone": f"{len(data.mono):,} lines for back-translation",
    }


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the layout under ``to``; the answers stay with the judge."""
    to.mkdir(parents=True)
    for file in sorted((world_folder / "public").iterdir()):
        shutil.copyfile(file, to / file.name)


def answers(world_folder: Path) -> Path:
    """Return the world's answers."""
    return world_folder / "private" / "answers.json"
