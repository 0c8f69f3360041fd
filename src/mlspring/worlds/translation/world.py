"""A stand-in for the world of sentence pairs: sixty words, two families."""

import itertools
import json
import random
from pathlib import Path

import numpy as np

from mlspring.core.files import write_text
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World

NAMES = {
    "Tom": "湯姆",
    "Mary": "瑪麗",
    "Anna": "安娜",
    "Peter": "彼得",
    "Lucy": "露西",
    "Jack": "傑克",
}
VERBS = {
    "buys": "買", "sees": "看見", "draws": "畫", "sells": "賣", "wants": "想要", "finds": "找到",
}  # fmt: skip
NOUNS = {
    "books": "本書", "cats": "隻貓", "horses": "匹馬", "tables": "張桌子", "letters": "封信",
    "umbrellas": "把傘", "trees": "棵樹", "cars": "輛車", "flowers": "朵花", "dogs": "隻狗",
}  # fmt: skip
NUMBERS = {"two": "兩", "three": "三", "four": "四", "five": "五", "six": "六"}
PLACES = {
    "in the park": "在公園", "at school": "在學校", "at home": "在家", "in Taipei": "在台北",
    "at the station": "在車站",
}  # fmt: skip
TIMES = {"today": "今天", "every day": "每天", "on Monday": "星期一", "in the evening": "晚上"}


def make(seed: int, shard: int) -> Shard:
    """Return nothing but the seed: all is written at once."""
    return {"seed": np.array([seed])}


def sentences(seed: int) -> list[tuple[str, str]]:
    """Return all sentences in an order that the seed fixes."""
    parts = (NAMES, VERBS, NUMBERS, NOUNS, PLACES, TIMES)
    pairs = []
    for name, verb, number, noun, place, time in itertools.product(*(p.items() for p in parts)):
        english = f"{name[0]} {verb[0]} {number[0]} {noun[0]} {place[0]} {time[0]}."
        pairs.append((english, f"{name[1]}{time[1]}{place[1]}{verb[1]}{number[1]}{noun[1]}。"))
    random.Random(seed).shuffle(pairs)
    return pairs


def write(sizes: tuple[int, ...], shards: list[Shard], public: Path, private: Path) -> None:
    """Write the files."""
    pairs, start = sentences(int(shards[0]["seed"][0])), 0
    for part, size in zip(("train", "dev", "test", "mono"), sizes, strict=True):
        rows = pairs[start : start + size]
        start += size
        if part != "mono":
            write_text(public / f"{part}.en", "".join(f"{e}\n" for e, _ in rows))
        if part != "test":
            write_text(public / f"{part}.zh", "".join(f"{z}\n" for _, z in rows))
        else:
            usage = [("Public", "Private")[i % 2] for i in range(size)]
            references = [z for _, z in rows]
            answers = {"references": references, "usage": usage}
            answers["accepted"] = [[z] for z in references]  # type: ignore[misc]
            write_text(private / "answers.json", json.dumps(answers, ensure_ascii=False))
            write_text(private / "truth.json", json.dumps(["statement"] * size))


class Write:
    """Writes a world of given sizes."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = sizes

    def __call__(self, shards: list[Shard], public: Path, private: Path) -> None:
        """Write the files."""
        write(self.sizes, shards, public, private)


def translation_world(*, seed: int = 0) -> World:
    """Return the world."""
    return World(
        name="translation",
        title="sentence pairs",
        description="a stand-in",
        version=0,
        seed=seed,
        num_shards=1,
        make=make,
        write=Write(2000, 200, 400, 8000),
    )


def tiny_translation_world(*, seed: int = 0) -> World:
    """Return a world made in a second."""
    return World(
        name="translation-tiny",
        title="sentence pairs",
        description="a stand-in",
        version=0,
        seed=seed,
        num_shards=1,
        make=make,
        write=Write(200, 20, 40, 400),
    )
