"""The worlds of spoken sentences: nothing shared that must not be, truth apart, bytes fixed."""

import csv
import itertools
import json
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.core.errors import MachineError
from mlspring.core.speech_features import mfcc39
from mlspring.worlds.speech import phoneme_world, speaker_world
from mlspring.worlds.speech.phoneme_world import SPLITS, tiny_phoneme_world
from mlspring.worlds.speech.phones import CLASS_NAMES, SIL, SPN, Segment, frame_labels
from mlspring.worlds.speech.speaker_world import tiny_speaker_world
from mlspring.worlds.speech.synthesis import synthesiser
from mlspring.worlds.speech.utterances import spoken
from mlspring.worlds.world import World, build, folder

pytest.importorskip("kaldi_native_fbank")
pytest.importorskip("espeakng_loader")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("speech")


def made(world: World, home: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(home))
        return build(world, processes=1)


@pytest.fixture(scope="module")
def phones(home: Path) -> Path:
    return made(tiny_phoneme_world(), home)


@pytest.fixture(scope="module")
def speakers(home: Path) -> Path:
    return made(tiny_speaker_world(), home)


def array(world_folder: Path, name: str) -> NDArray[Any]:
    loaded: NDArray[Any] = np.load(world_folder / f"{name}.npy", allow_pickle=False)
    return loaded


def listed(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def answers(world_folder: Path) -> list[dict[str, str]]:
    with (world_folder / "private" / "answers.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# ---- both


@pytest.mark.parametrize("make", [tiny_phoneme_world, tiny_speaker_world])
def test_bytes_do_not_depend_on_the_number_of_processes(make: Any, home: Path) -> None:
    once, again = made(make(), home), build(make(), processes=2)  # elsewhere: a home a test
    assert once != again
    files = sorted(path.relative_to(once) for path in once.rglob("*.*") if path.is_file())
    assert len(files) > 8
    for file in files:
        if file.name != "manifest.json":
            assert (once / file).read_bytes() == (again / file).read_bytes(), file


@pytest.mark.parametrize("make", [tiny_phoneme_world, tiny_speaker_world])
def test_an_absent_package_is_a_sentence(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = metadata.version

    def version(name: str) -> str:
        if name == "espeakng-loader":
            raise metadata.PackageNotFoundError(name)
        return found(name)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(MachineError, match=r"pip install 'mlspring\[speech\]'"):
        folder(make())


def test_another_seed_says_other_sentences() -> None:
    one, other = (phoneme_world._plan(seed, 0.04) for seed in (0, 1))
    assert not {planned.text for planned in one} & {planned.text for planned in other}


# ---- phones


def test_public_holds_no_label_of_the_test(phones: Path) -> None:
    public = {path.name for path in (phones / "public").iterdir()}
    kinds = {f"{split}_{kind}" for split in SPLITS for kind in ("features.npy", "offsets.npy")}
    names = {f"{split}_names.json" for split in SPLITS}
    assert public == kinds | names | {"train_labels.npy", "valid_labels.npy"}
    private = {path.name for path in (phones / "private").iterdir()}
    assert private == {"answers.csv", "segments.npy", "voices.json"}


def test_features_labels_and_offsets_fit_together(phones: Path) -> None:
    for split in SPLITS:
        features = array(phones / "public", f"{split}_features")
        offsets = array(phones / "public", f"{split}_offsets")
        assert features.dtype == np.float16 and features.shape[1] == 39
        assert offsets.dtype == np.int64 and offsets[0] == 0 and offsets[-1] == len(features)
        assert (np.diff(offsets) > 100).all()
        names = listed(phones / "public" / f"{split}_names.json")
        assert len(names) == len(set(names)) == len(offsets) - 1
        for start, end in itertools.pairwise(offsets.tolist()):
            wide = features[start:end].astype(np.float64)
            assert np.abs(wide.mean(0)).max() < 0.01
            assert np.abs(wide.std(0, ddof=1) - 1).max() < 0.01
        if split != "test":
            labels = array(phones / "public", f"{split}_labels")
            assert labels.dtype == np.uint8 and labels.shape == (len(features),)


def test_classes_occur_as_in_read_speech(phones: Path) -> None:
    labels = array(phones / "public", "train_labels")
    share = np.bincount(labels, minlength=41) / len(labels)
    assert len(share) == len(CLASS_NAMES) and (share > 0).sum() >= 39
    assert 0.08 < share[SIL] < 0.3
    assert 0.002 < share[SPN] < 0.1
    runs = 1 + (np.diff(labels.astype(int)) != 0).sum()
    assert 5 < len(labels) / runs < 12  # frames of a phone; about 9 in the course's files
    offsets = array(phones / "public", "train_offsets")
    assert (labels[offsets[:-1]] == SIL).all() or share[SPN] > 0
    assert np.isin(labels[offsets[1:] - 1], (SIL, SPN)).all()


def test_answers_name_every_frame_and_halve_the_utterances(phones: Path) -> None:
    rows = answers(phones)
    offsets = array(phones / "public", "test_offsets")
    assert list(rows[0]) == ["Id", "Class", "Usage"]
    assert [row["Id"] for row in rows] == [str(number) for number in range(offsets[-1])]
    assert {int(row["Class"]) for row in rows} <= set(range(41))
    usage = np.array([row["Usage"] for row in rows])
    whole = [set(usage[start:end]) for start, end in itertools.pairwise(offsets.tolist())]
    assert all(len(parts) == 1 for parts in whole)
    counts = Counter(next(iter(parts)) for parts in whole)
    assert counts["Public"] == counts["Private"] == len(whole) / 2


def test_the_kept_times_are_those_of_the_answers(phones: Path) -> None:
    plan = listed(phones / "private" / "voices.json")
    segments = array(phones / "private", "segments")
    offsets = array(phones / "public", "test_offsets")
    first = next(row for row, one in enumerate(plan) if one["split"] == "test")
    labels = []
    for row, count in enumerate(np.diff(offsets).tolist()):
        parts = [
            Segment(label=int(label), start=float(start), end=float(end))
            for _, label, start, end in segments[segments["utterance"] == first + row]
        ]
        assert all(one.end == other.start for one, other in itertools.pairwise(parts))
        labels += frame_labels(parts, count).tolist()
    assert labels == [int(row["Class"]) for row in answers(phones)]


def test_no_speaker_and_no_sentence_is_in_two_splits() -> None:
    plan = phoneme_world._plan(0, 1.0)
    assert len({one.text for one in plan}) == len(plan)
    of = {split: [one for one in plan if one.split == split] for split in SPLITS}
    assert {split: len(ones) for split, ones in of.items()} == {
        "train": 960, "valid": 120, "test": 240
    }  # fmt: skip
    for one, other in itertools.combinations(SPLITS, 2):
        assert not {one.name[:4] for one in of[one]} & {two.name[:4] for two in of[other]}
        assert not {str(a.voice) for a in of[one]} & {str(b.voice) for b in of[other]}


def test_sounds_lie_where_their_labels_say() -> None:
    """Hisses have high frequencies: the fit of label and spectrum is best without any shift."""
    fits = np.zeros(9)
    with synthesiser() as voice_of:
        for planned in phoneme_world._plan(0, 1.0)[:60:4]:
            sound, parts = spoken(voice_of, planned.text, planned.voice)
            frames = np.lib.stride_tricks.sliding_window_view(sound, 400)[::160]
            power = np.abs(np.fft.rfft(frames * np.hanning(400), axis=1)) + 1e-4
            hiss = np.log(power[:, 88:].mean(1)) - np.log(power[:, 4:30].mean(1))
            names = np.array(CLASS_NAMES)[frame_labels(parts, len(frames))]
            labelled = np.isin(names, ["S", "SH"]).astype(float)
            if labelled.any():
                shifted = [np.roll(labelled, shift) for shift in range(-4, 5)]
                fits += [np.corrcoef(one, hiss)[0, 1] for one in shifted]
    assert fits.argmax() == 4
    assert fits[4] > 1.1 * max(fits[2], fits[6])


def test_the_sound_behind_the_features_can_be_heard_again(phones: Path) -> None:
    offsets = array(phones / "public", "train_offsets")
    features = array(phones / "public", "train_features")
    again = itertools.islice(phoneme_world.spoken(0, 0, num_shards=2, size=0.04), 3)
    for row, one in enumerate(again):
        expected = features[offsets[row] : offsets[row + 1]]
        assert np.array_equal(mfcc39(one.sound).astype(np.float16), expected)


# ---- speakers


def test_every_speaker_has_the_same_share_of_both_parts(speakers: Path) -> None:
    names = listed(speakers / "public" / "speakers.json")
    assert names == sorted(names) and len(set(names)) == 4
    assert all(len(name) == 7 and name.startswith("id") for name in names)
    trained = array(speakers / "public", "train_speakers")
    assert np.bincount(trained).tolist() == [14] * 4
    assert Counter(row["Category"] for row in answers(speakers)) == dict.fromkeys(names, 4)


def test_utterances_have_the_courses_names_and_answers_their_order(speakers: Path) -> None:
    train, test = (
        listed(speakers / "public" / f"{split}_names.json") for split in ("train", "test")
    )
    assert len({*train, *test}) == len(train) + len(test) == 72
    assert all(len(name) == 40 and name.startswith("uttr-") for name in train + test)
    rows = answers(speakers)
    assert list(rows[0]) == ["Id", "Category", "Usage"]
    assert [row["Id"] for row in rows] == test
    assert Counter(row["Usage"] for row in rows) == {"Public": 8, "Private": 8}


def test_log_mel_frames_are_finite_and_have_offsets(speakers: Path) -> None:
    for split, number in (("train", 56), ("test", 16)):
        features = array(speakers / "public", f"{split}_features")
        offsets = array(speakers / "public", f"{split}_offsets")
        assert features.dtype == np.float16 and features.shape == (offsets[-1], 40)
        assert np.isfinite(features).all() and features.min() > -21
        assert len(offsets) == number + 1 and (np.diff(offsets) > 60).all()
    public = {path.name for path in (speakers / "public").iterdir()}
    assert not {name for name in public if name.startswith("test") and "speaker" in name}
    assert len(public) == 8


def test_speakers_are_near_each_other_and_share_no_sentence() -> None:
    voices, plan = speaker_world._plan(0, speaker_world.NUM_SPEAKERS)
    assert len(voices) >= 300
    assert len({str(voice) for voice in voices}) == len(voices)
    assert len({one.text for one in plan}) == len(plan)
    low, high = speaker_world.SPREAD.tract
    assert all(low <= voice.tract <= high for voice in voices)
    moods = [abs(one.voice.pitch - voices[one.speaker].pitch) for one in plan]
    assert 0 < max(moods) <= speaker_world.SPREAD.mood_pitch
