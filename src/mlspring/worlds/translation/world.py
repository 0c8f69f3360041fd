"""Sentence pairs of English and Traditional Chinese: the world of homework 5.

public/   {train,dev}.{en,zh}   pairs: line i of both files is one sentence
          test.en               the sentences to translate
          mono.zh               Chinese alone, for back-translation
private/  answers.json          references, usage and all accepted translations of the test
          truth.json            the family of every sentence of the test

All sentences come from one grammar (``grammar``). Pairs are few and Chinese text is plenty, which
back-translation lives on; the pairs for training keep to frequent words a little more than dev,
test and the Chinese text. Frequent words make most of every text, so that a network of a few
minutes learns what they mean, and then how sentences are built.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from mlspring.core.files import write_json, write_text
from mlspring.worlds.shards import Shard
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.grammar import sentence
from mlspring.worlds.translation.target import draw, listing
from mlspring.worlds.world import World

NUM_TRAIN = 2_000
NUM_DEV = 500
NUM_TEST = 1_000
NUM_MONO = 20_000
NUM_SHARDS = 16  # every shard draws its own share of each split, so the bytes depend on this number
SPARE = 1.12  # drawn for one kept: doubles are dropped afterwards
STEEPNESS = {"test": 1.5, "dev": 1.5, "train": 1.6, "mono": 1.5}  # see ``dice.Table``


@dataclass(frozen=True, kw_only=True)
class Row:
    """A sentence before doubles are dropped; ``en`` and ``accepted`` are empty where unused."""

    family: str
    en: str
    zh: str
    accepted: list[str]


def translation_world(*, seed: int = 0, size: float = 1.0, num_shards: int = NUM_SHARDS) -> World:
    """Return the world of sentence pairs.

    Args:
        seed: fixes every sentence.
        size: sentences for each of ``NUM_TRAIN`` and so on.
        num_shards: pieces that the work is cut into; the bytes depend on it.
    """
    counts = split_sizes(size)
    name = "pairs" if size == 1.0 else f"pairs-x{size:g}"
    return World(
        name=name if num_shards == NUM_SHARDS else f"{name}-{num_shards}",
        title="sentence pairs",
        description="{train:,} training, {dev:,} development and {test:,} test pairs of English "
        "and Traditional Chinese, and {mono:,} sentences in Chinese alone".format(**counts),
        version=3,
        seed=seed,
        num_shards=num_shards,
        make=partial(_make, num_shards=num_shards, size=size),
        write=partial(_write, size=size),
    )


def tiny_translation_world(*, seed: int = 0) -> World:
    """Return a world of a few hundred pairs: made in about a second."""
    return translation_world(seed=seed, size=0.05, num_shards=2)


def split_sizes(size: float = 1.0) -> dict[str, int]:
    """Return the number of sentences in each split; the test's comes first."""
    whole = {"test": NUM_TEST, "dev": NUM_DEV, "train": NUM_TRAIN, "mono": NUM_MONO}
    return {split: round(count * size) for split, count in whole.items()}


def rows(seed: int, shard: int, split: str) -> Iterator[Row]:
    """Yield the sentences of a split that a shard draws, without end."""
    number = list(STEEPNESS).index(split)
    # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
    dice = Dice([seed, 5, number + 1, shard + 1], STEEPNESS[split])
    while True:
        family, pair = sentence(dice)
        zh = "".join(draw(pair.chinese, dice))
        if split == "mono":
            yield Row(family="", en="", zh=zh, accepted=[])
        else:
            ways = listing(pair.chinese) if split in ("test", "dev") else []
            yield Row(family=family, en=pair.english, zh=zh, accepted=ways)


def _make(seed: int, shard: int, *, num_shards: int, size: float) -> Shard:
    """Return one shard's sentences by split, as JSON."""
    made: Shard = {}
    for split, count in split_sizes(size).items():
        wanted = round(count * SPARE / num_shards) + 4
        drawn = [
            (row.family, row.en, row.zh, row.accepted)
            for row in islice(rows(seed, shard, split), wanted)
        ]
        packed = json.dumps(drawn, ensure_ascii=False).encode()
        made[split] = np.frombuffer(packed, np.uint8)
    return made


def _write(shards: list[Shard], public: Path, private: Path, *, size: float) -> None:
    """Drop doubles and write what is kept, the answers apart."""
    kept = keep(shards, split_sizes(size))
    for split in ("train", "dev"):
        _write_lines(public / f"{split}.en", [row.en for row in kept[split]])
        _write_lines(public / f"{split}.zh", [row.zh for row in kept[split]])
    _write_lines(public / "test.en", [row.en for row in kept["test"]])
    _write_lines(public / "mono.zh", [row.zh for row in kept["mono"]])
    test = kept["test"]
    answers = {
        "references": [row.zh for row in test],
        "usage": [("Public", "Private")[number % 2] for number in range(len(test))],
        "accepted": [row.accepted for row in test],
    }
    write_json(private / "answers.json", answers)
    write_json(private / "truth.json", {"family": [row.family for row in test]})


def keep(shards: list[Shard], counts: dict[str, int]) -> dict[str, list[Row]]:
    """Return the sentences of each split; none is in two, on either side.

    No Chinese sentence of training or of the Chinese text translates a sentence of test or dev, in
    whatever way.

    Raises:
        ValueError: too few are left.
    """
    seen_en: set[str] = set()
    seen_zh: set[str] = set()
    kept: dict[str, list[Row]] = {}
    for split, count in counts.items():
        found: list[Row] = []
        for row in _unpacked(shards, split):
            if len(found) == count:
                break
            if row.en in seen_en or row.zh in seen_zh or not seen_zh.isdisjoint(row.accepted):
                continue
            found.append(row)
            seen_en.update([row.en] if row.en else [])
            seen_zh.update([row.zh, *row.accepted])
        if len(found) < count:
            raise ValueError(f"{split}: {len(found)} different sentences instead of {count}")
        kept[split] = found
    return kept


def _unpacked(shards: list[Shard], split: str) -> Iterator[Row]:
    for shard in shards:
        for family, en, zh, accepted in json.loads(shard[split].tobytes().decode()):
            yield Row(family=family, en=en, zh=zh, accepted=accepted)


def _write_lines(path: Path, lines: list[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))
