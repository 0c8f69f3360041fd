"""Drawn letters of many scripts: the world of the homework on meta learning.

public/   train_images.npy                      uint8 (C, 20, 28, 28), ink 0 on white 255
          train_alphabets.npy                   int64 (C,), places in ``TRAIN_ALPHABETS``
          test_support.npy, test_query.npy      uint8 (T, 5, 28, 28), a task of 5 characters each
private/  answers.csv                           id,class,Usage

The shapes are the letters of DejaVu Sans, the font that matplotlib ships. Scripts of the test
tasks are none of training's, and no two characters of the world look alike.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlspring.core.files import write_text
from mlspring.worlds.glyph_pen import SIDE, drawing, plain, strokes
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, join, save_array

NUM_DRAWINGS = 20  # of each character, as in Omniglot
NUM_WAYS = 5  # characters of a test task
NUM_TASKS = 640  # as in the course
ALIKE = 0.90  # correlation of two plain shapes from which on they count as one


@dataclass(frozen=True, kw_only=True)
class Alphabet:
    """Letters of one script and case: code points from ``first`` to ``last``, both included."""

    name: str
    first: int
    last: int
    category: str = "L"  # of Unicode; "Lu" capital, "Ll" small, "Lo" without case


TRAIN_ALPHABETS: tuple[Alphabet, ...] = (
    Alphabet(name="Latin capitals", first=0x41, last=0x5A),
    Alphabet(name="Latin small", first=0x61, last=0x7A),
    Alphabet(name="Latin extended capitals", first=0xC0, last=0x24F, category="Lu"),
    Alphabet(name="Latin extended small", first=0xC0, last=0x24F, category="Ll"),
    Alphabet(name="phonetic", first=0x250, last=0x2AF),
    Alphabet(name="Greek capitals", first=0x370, last=0x3FF, category="Lu"),
    Alphabet(name="Greek small", first=0x370, last=0x3FF, category="Ll"),
    Alphabet(name="Cyrillic capitals", first=0x400, last=0x42F),
    Alphabet(name="Cyrillic small", first=0x430, last=0x45F),
    Alphabet(name="old Cyrillic", first=0x460, last=0x52F, category="Lu"),
    Alphabet(name="Hebrew", first=0x5D0, last=0x5F2),
    Alphabet(name="Arabic", first=0x620, last=0x64A, category="Lo"),
    Alphabet(name="Arabic extended", first=0x66E, last=0x6D5, category="Lo"),
    Alphabet(name="syllabics, vowels to t", first=0x1401, last=0x146A),
    Alphabet(name="syllabics, k to n", first=0x146B, last=0x14D2),
    Alphabet(name="syllabics, l to r", first=0x14D3, last=0x158A),
    Alphabet(name="syllabics, q to the end", first=0x158B, last=0x1676),
    Alphabet(name="Ogham", first=0x1681, last=0x169A),
    Alphabet(name="Lisu", first=0xA4D0, last=0xA4F7),
    Alphabet(name="Old Italic", first=0x10300, last=0x1031E),
)
TEST_ALPHABETS: tuple[Alphabet, ...] = (
    Alphabet(name="Georgian", first=0x10D0, last=0x10FA),
    Alphabet(name="Georgian capitals", first=0x10A0, last=0x10C5),
    Alphabet(name="Georgian church", first=0x2D00, last=0x2D25),
    Alphabet(name="Armenian capitals", first=0x531, last=0x556),
    Alphabet(name="Armenian small", first=0x561, last=0x586),
    Alphabet(name="Tifinagh", first=0x2D30, last=0x2D65),
    Alphabet(name="Lao", first=0xE81, last=0xEC4),
    Alphabet(name="N'Ko", first=0x7CA, last=0x7E7),
)


def glyph_world(*, seed: int = 0, num_shards: int = 64, most: int = 0) -> World:
    """Return the world of drawn letters.

    Args:
        seed: fixes every drawing and every test task.
        num_shards: pieces that the work is cut into; the bytes do not depend on it.
        most: characters an alphabet, for tests; 0 for all, and then 640 test tasks.
    """
    num_tasks = 4 * most or NUM_TASKS
    return World(
        name=f"glyphs-{most}" if most else "glyphs",
        title="drawn letters",
        description=f"characters of {len(TRAIN_ALPHABETS)} alphabets, {NUM_DRAWINGS} drawings of "
        f"each, {SIDE} x {SIDE} grey, and {num_tasks} tasks of {NUM_WAYS} characters from "
        f"{len(TEST_ALPHABETS)} alphabets of other scripts",
        version=1,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, most=most),
        write=partial(_write, seed=seed, most=most),
        libraries=("matplotlib", "scikit-image"),  # the font, the centre lines
    )


def tiny_glyph_world(*, seed: int = 0) -> World:
    """Return a world of at most 3 characters an alphabet and 12 tasks: made in a second."""
    return glyph_world(seed=seed, num_shards=4, most=3)


@cache
def characters(most: int = 0) -> tuple[tuple[int, str], ...]:
    """Return (alphabet, character) of all candidates: training's alphabets, then the tests'.

    A letter that is another with an accent is left out: Unicode knows its decomposition.
    """
    known = _charmap()
    found: list[tuple[int, str]] = []
    for number, alphabet in enumerate(TRAIN_ALPHABETS + TEST_ALPHABETS):
        letters = [chr(code) for code in range(alphabet.first, alphabet.last + 1) if code in known]
        letters = [
            letter
            for letter in letters
            if unicodedata.category(letter).startswith(alphabet.category)
            and not unicodedata.decomposition(letter)
        ]
        found += [(number, letter) for letter in letters[: most or None]]
    return tuple(found)


def _charmap() -> set[int]:
    """Return the code points that the font can draw."""
    from matplotlib.ft2font import FT2Font

    from mlspring.worlds.glyph_pen import font_file

    return set(FT2Font(str(font_file())).get_charmap())


def _make(seed: int, shard: int, *, num_shards: int, most: int) -> Shard:
    """Return one shard: ``drawings`` (n, 20, 28, 28) and the ``plain`` shapes (n, 28, 28)."""
    candidates = characters(most)
    mine = np.array_split(np.arange(len(candidates)), num_shards)[shard].tolist()
    drawings = np.empty((len(mine), NUM_DRAWINGS, SIDE, SIDE), np.uint8)
    shapes = np.empty((len(mine), SIDE, SIDE), np.uint8)
    for row, number in enumerate(mine):
        lines = strokes(candidates[number][1])
        shapes[row] = plain(lines)
        for index in range(NUM_DRAWINGS):
            # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
            rng = np.random.default_rng([seed, number + 1, index + 1])
            drawings[row, index] = drawing(lines, rng)
    return {"drawings": drawings, "plain": shapes}


def _write(shards: list[Shard], public: Path, private: Path, *, seed: int, most: int) -> None:
    """Write training's characters, the test tasks and the answers for the judge."""
    alphabets = np.array([number for number, _ in characters(most)])
    drawings, kept = join(shards, "drawings"), distinct(join(shards, "plain"))
    in_test = alphabets >= len(TRAIN_ALPHABETS)
    save_array(public / "train_images.npy", drawings[kept & ~in_test])
    save_array(public / "train_alphabets.npy", alphabets[kept & ~in_test].astype(np.int64))
    rng = np.random.default_rng([seed, 0, 1])
    num_tasks = 4 * most or NUM_TASKS
    support, query, classes = _tasks(drawings[kept & in_test], num_tasks, rng)
    save_array(public / "test_support.npy", support)
    save_array(public / "test_query.npy", query)
    public_tasks = set(rng.permutation(num_tasks)[: num_tasks // 2].tolist())
    rows = [
        f"{row},{label},{'Public' if row // NUM_WAYS in public_tasks else 'Private'}\n"
        for row, label in enumerate(classes.ravel().tolist())
    ]
    write_text(private / "answers.csv", "id,class,Usage\n" + "".join(rows))


def _tasks(
    drawings: NDArray[np.uint8], num_tasks: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Return support and query images (t, 5, 28, 28) of random tasks, and the queries' classes.

    Five characters a task; of each one drawing in the support, at the place that is its class, and
    another in the query, in random order. Source: HW15 slides, the course's 640 tasks.
    """
    support = np.empty((num_tasks, NUM_WAYS, *drawings.shape[2:]), np.uint8)
    query, classes = np.empty_like(support), np.empty((num_tasks, NUM_WAYS), np.int64)
    for task in range(num_tasks):
        chosen = rng.choice(len(drawings), NUM_WAYS, replace=False)
        pairs = np.array([rng.choice(drawings.shape[1], 2, replace=False) for _ in chosen])
        order = rng.permutation(NUM_WAYS)
        support[task] = drawings[chosen, pairs[:, 0]]
        query[task] = drawings[chosen[order], pairs[order, 1]]
        classes[task] = order
    return support, query, classes


def distinct(shapes: NDArray[np.uint8], alike: float = ALIKE) -> NDArray[np.bool_]:
    """Return which plain shapes (n, 28, 28) look like none before them that was kept: bool (n,).

    Two shapes are alike when their blurred pictures correlate by ``alike`` or more.
    """
    from scipy.ndimage import gaussian_filter

    ink = 255.0 - shapes.astype(np.float32)
    rows = gaussian_filter(ink, (0, 1, 1)).reshape(len(shapes), -1)
    rows -= rows.mean(1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    similar = np.tril(rows @ rows.T, -1) >= alike
    kept = np.zeros(len(shapes), bool)
    for row in range(len(shapes)):
        kept[row] = not (similar[row] & kept).any()
    return kept
