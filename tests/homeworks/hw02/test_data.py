"""Splits of the labelled utterances, the data card, and the world in the course's layout."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.core.errors import RecipeError
from mlspring.core.source import Source, official
from mlspring.homeworks.hw02_phonemes import data, pictures
from mlspring.homeworks.hw02_phonemes.utterances import Utterances, speaker_of
from mlspring.worlds.speech.phones import CLASS_NAMES
from tests.homeworks.hw02.tools import recipe
from tests.tiny.phones import labels_of, write_libriphone


def world_folder(folder: Path) -> Path:
    """Write a world of made-up features in the files of ``phoneme_world``; return its folder."""
    public = folder / "public"
    public.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for part, lengths in (("train", [5, 7, 4]), ("valid", [6]), ("test", [3, 5])):
        total, names = sum(lengths), [f"{part}-1-{i}" for i in range(len(lengths))]
        np.save(public / f"{part}_features.npy", draw.normal(0, 1, (total, 39)).astype("float16"))
        np.save(public / f"{part}_offsets.npy", np.cumsum([0, *lengths]))
        (public / f"{part}_names.json").write_text(json.dumps(names))
        if part != "test":
            np.save(public / f"{part}_labels.npy", draw.integers(0, 41, total).astype("uint8"))
    return folder


def test_the_world_s_parts_stand_in_one_array(tmp_path: Path) -> None:
    folder = world_folder(tmp_path / "world") / "public"
    loaded = data.load(Source(kind="world", folder=folder), recipe("world/simple"))
    assert loaded.labelled.features.dtype == np.float32
    for part, numbers in (("train", loaded.train), ("valid", loaded.valid)):
        expected = np.load(folder / f"{part}_features.npy")
        labels = np.load(folder / f"{part}_labels.npy")
        rows = np.concatenate(
            [np.arange(*loaded.labelled.offsets[number : number + 2]) for number in numbers]
        )
        assert np.array_equal(loaded.labelled.features[rows], expected.astype(np.float32))
        assert loaded.labelled.labels is not None
        assert np.array_equal(loaded.labelled.labels[rows], labels)
        assert {speaker_of(loaded.labelled.names[number]) for number in numbers} == {part}
    assert loaded.test_ids == data.test_ids(Source(kind="world", folder=folder))
    assert loaded.test_ids == [str(number) for number in range(8)]
    assert loaded.phones == CLASS_NAMES


def test_a_world_written_out_is_read_as_the_same_frames(tmp_path: Path) -> None:
    folder = world_folder(tmp_path / "world")
    data.export(folder, tmp_path / "out")
    whole = data.load(Source(kind="world", folder=folder / "public"), recipe("world/simple"))
    again = data.load(official(tmp_path / "out"), recipe("world/simple", "data.held_out=0.5"))
    for found, expected in ((again.labelled, whole.labelled), (again.test, whole.test)):
        assert np.array_equal(found.features, expected.features)
        assert found.names == expected.names
    assert np.array_equal(again.labelled.labels, whole.labelled.labels)
    assert again.phones == CLASS_NAMES
    assert not list((tmp_path / "out").rglob("*answers*"))


def test_the_course_s_utterances_validate() -> None:
    """The notebook shuffles 4,286 lines with seed 1337 and trains on int(0.8 n) of them."""
    names = tuple(f"{number % 251}-1-{number:04d}" for number in range(4286))
    knobs = recipe("official/simple").data
    train, valid = data.split_utterances(names, knobs)
    assert (len(train), len(valid)) == (3428, 858)
    lines = list(names)
    random.seed(1337)
    random.shuffle(lines)
    assert {names[number] for number in train} == set(lines[:3428])
    assert sorted([*train, *valid]) == list(range(4286))


def test_no_speaker_is_on_both_sides() -> None:
    names = tuple(f"{number % 10}-1-{number:04d}" for number in range(200))
    knobs = recipe("world/simple", "data.held_out=0.3").data
    train, valid = data.split_utterances(names, knobs)
    heard, unheard = ({speaker_of(names[number]) for number in part} for part in (train, valid))
    assert (len(heard), len(unheard)) == (7, 3)
    assert not heard & unheard
    assert len(train) + len(valid) == 200


@pytest.mark.parametrize(
    ("names", "held_out", "words"),
    [
        (("1-1-1", "1-1-2"), 0.5, r"1 speakers leaves nothing to train on\n.*split=utterance"),
        (("1-1-1", "2-1-2"), 0.1, r"2 speakers leaves nothing to train|0.1 of 2 speakers"),
    ],
)
def test_too_few_speakers_are_told(names: tuple[str, ...], held_out: float, words: str) -> None:
    knobs = recipe("world/simple", f"data.held_out={held_out}").data
    if held_out == 0.5:
        with pytest.raises(RecipeError, match=rf"data\.held_out = {held_out} of {words}"):
            data.split_utterances(names, knobs)
        return
    train, valid = data.split_utterances(names, knobs)
    assert (len(train), len(valid)) == (1, 1), "at least one is held out"


def test_the_card_counts_phones_and_speakers(tmp_path: Path) -> None:
    loaded = data.load(official(write_libriphone(tmp_path / "d")), recipe("world/simple"))
    card = data.describe(loaded)
    assert card["speakers"] == "4 training, 1 validation, 1 test"
    every = np.concatenate([labels_of(number) for number in range(20)])
    num_runs = sum(1 + np.count_nonzero(np.diff(labels)) for labels in map(labels_of, range(20)))
    assert card["length of a phone"] == f"{len(every) / num_runs:.1f} frames on average"
    assert card["majority class"].startswith(f"{np.bincount(every).max() / len(every):.3f}")


def test_runs_end_with_the_utterance() -> None:
    labels = np.array([3, 3, 3, 3, 5, 5, 0], np.uint8)
    assert pictures.runs(labels, np.array([0, 2, 7])).tolist() == [0, 2, 4, 6]


def test_pictures_show_a_run_in_the_middle_and_nothing_of_another_utterance() -> None:
    labels = np.repeat([0, 7, 0], [40, 4, 40]).astype(np.uint8)
    shown = Utterances(
        features=np.random.default_rng(0).normal(0, 1, (84, 39)).astype(np.float32),
        offsets=np.array([0, 84]),
        names=("1-1-1",),
        labels=labels,
    )
    rows = pictures.picture_rows(shown, CLASS_NAMES)
    assert list(rows) == ["SIL  (95.2%)", "AY  (4.8%)"]
    (vowel,) = rows["AY  (4.8%)"]
    assert vowel.shape == (25, 31)
    assert np.flatnonzero(vowel[-1] == 0).tolist() == [13, 14, 15, 16]
    first = rows["SIL  (95.2%)"][0]  # 40 frames around its middle: 20 - 15 to 20 + 15
    assert (first[-1] == 0).all()
    start = Utterances(
        features=shown.features[:44],
        offsets=np.array([0, 44]),
        names=("1-1-1",),
        labels=np.repeat([7, 0], [4, 40]).astype(np.uint8),
    )
    (vowel,) = pictures.picture_rows(start, CLASS_NAMES)["AY  (9.1%)"]
    assert (vowel[:23, :13] == 255).all(), "before the utterance there is nothing"
    assert (vowel[:23, 13:] < 255).any()


def test_features_are_float32_whatever_is_loaded(tmp_path: Path) -> None:
    loaded = data.load(official(write_libriphone(tmp_path / "d")), recipe("world/simple"))
    assert torch.from_numpy(loaded.labelled.features).dtype == torch.float32
