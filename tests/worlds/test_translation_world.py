"""The world of sentence pairs: splits apart, every reference accepted, files that fit together."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlspring.worlds.translation.grammar import FAMILIES, MOST_WAYS
from mlspring.worlds.translation.world import (
    keep,
    rows,
    split_sizes,
    tiny_translation_world,
    translation_world,
)
from mlspring.worlds.world import World, build

PUBLIC = ["dev.en", "dev.zh", "mono.zh", "test.en", "train.en", "train.zh"]


def made(world: World, home: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(home))
        return build(world, processes=1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tiny_translation_world(), tmp_path_factory.mktemp("pairs"))


def lines(folder: Path, name: str) -> list[str]:
    text = (folder / "public" / name).read_bytes().decode("utf-8")
    assert text.endswith("\n") and "\r" not in text
    return text.removesuffix("\n").split("\n")


def private(folder: Path, name: str) -> Any:
    return json.loads((folder / "private" / name).read_text(encoding="utf-8"))


def test_bytes_do_not_depend_on_the_number_of_processes(tiny: Path) -> None:
    again = build(tiny_translation_world(), processes=2)  # elsewhere: a home a test
    assert again != tiny
    names = [f"public/{name}" for name in PUBLIC] + ["private/answers.json", "private/truth.json"]
    for name in names:
        assert (tiny / name).read_bytes() == (again / name).read_bytes(), name


def test_another_seed_says_other_sentences() -> None:
    one, other = (
        {next(made).en for _ in range(100)} for made in (rows(seed, 0, "train") for seed in (0, 1))
    )
    assert len(one & other) < 5


def test_public_holds_no_answer(tiny: Path) -> None:
    assert sorted(path.name for path in (tiny / "public").iterdir()) == PUBLIC
    assert sorted(path.name for path in (tiny / "private").iterdir()) == [
        "answers.json",
        "truth.json",
    ]


def test_files_fit_together(tiny: Path) -> None:
    sizes = split_sizes(0.05)
    assert sizes["train"] >= 100 and sizes["mono"] >= 4 * sizes["train"]
    for name in PUBLIC:
        assert len(lines(tiny, name)) == sizes[name.split(".")[0]]
    answers = private(tiny, "answers.json")
    assert list(answers) == ["references", "usage", "accepted"]
    assert {len(part) for part in answers.values()} == {sizes["test"]}
    assert answers["usage"] == ["Public", "Private"] * (sizes["test"] // 2)
    families = private(tiny, "truth.json")["family"]
    assert len(families) == sizes["test"] and set(families) <= set(FAMILIES)


def test_every_reference_is_accepted_and_mostly_the_preferred_translation(tiny: Path) -> None:
    answers = private(tiny, "answers.json")
    first = 0
    for reference, accepted in zip(answers["references"], answers["accepted"], strict=True):
        assert reference in accepted
        assert len(set(accepted)) == len(accepted) <= MOST_WAYS
        first += reference == accepted[0]
    assert first / len(answers["references"]) > 0.6


def test_no_sentence_is_in_two_splits_and_none_translates_the_test(tiny: Path) -> None:
    english = [line for name in ("train.en", "dev.en", "test.en") for line in lines(tiny, name)]
    assert len(set(english)) == len(english)
    chinese = [line for name in ("train.zh", "dev.zh", "mono.zh") for line in lines(tiny, name)]
    assert len(set(chinese)) == len(chinese)
    accepted = {way for ways in private(tiny, "answers.json")["accepted"] for way in ways}
    assert not accepted & set(chinese)


def test_doubles_are_dropped_wherever_they_stand() -> None:
    world = translation_world(size=0.01, num_shards=1)
    shard = world.make(0, 0)
    sizes = split_sizes(0.01)
    test = keep([shard], sizes)["test"]
    planted = json.loads(shard["train"].tobytes())
    planted[:2] = [
        ["statement", "New.", test[0].accepted[-1], []],
        ["statement", test[0].en, "新。", []],
    ]
    packed = np.frombuffer(json.dumps(planted).encode(), np.uint8)
    kept = keep([{**shard, "train": packed}], sizes)
    assert not {"New.", test[0].en} & {row.en for row in kept["train"]}
    with pytest.raises(ValueError, match=r"train: .* instead of"):
        keep([shard], {**sizes, "train": 10_000})


def test_the_tiny_world_is_a_part_of_the_grammar_and_small() -> None:
    world = tiny_translation_world()
    assert world.num_shards == 2 and isinstance(world.make, partial)
    assert sum(split_sizes(0.05).values()) < 2500
