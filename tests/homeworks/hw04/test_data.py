"""The course's folder of utterances, read and written, and each way in which it can be damaged."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlspring.core.errors import DataError
from mlspring.core.source import Source, official
from mlspring.homeworks.hw04_speakers import data, layout
from mlspring.homeworks.hw04_speakers.data import Data
from mlspring.kit import packed_features
from mlspring.worlds import world
from mlspring.worlds.speech.speaker_world import tiny_speaker_world
from tests.homeworks.hw04.tools import recipe
from tests.tiny import voices


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return voices.write_voices(tmp_path / "data")


def load(folder: Path) -> Data:
    return data.load(official(folder), recipe())


def test_frames_labels_and_ids_are_those_of_the_files(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.speakers == voices.SPEAKERS
    assert loaded.labels.tolist() == np.repeat(range(4), voices.NUM_TRAIN).tolist()
    every = [(s, k) for s in range(4) for k in range(voices.NUM_TRAIN)]
    for part, listed in ((loaded.train, every), (loaded.test, voices.asked())):
        assert part.names == [voices.name_of(*one) for one in listed]
        assert part.frames.dtype == np.float16
        for frames, one in zip(part.each(), listed, strict=True):
            assert frames.shape == voices.frames(*one).shape
            assert np.allclose(frames, voices.frames(*one), atol=0.01)
    assert data.test_ids(official(folder)) == loaded.test.names
    assert data.class_names(official(folder)) == list(voices.SPEAKERS)


def test_a_folder_inside_and_other_files_beside_do_not_matter(folder: Path) -> None:
    (folder / "Dataset" / "log_melspectrogram.pt").write_bytes(b"the course's own extractor")
    inside, outside = load(folder / "Dataset"), load(folder)
    assert np.array_equal(inside.train.frames, outside.train.frames)


def test_frames_are_read_once_while_the_files_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(*_: object) -> None:
        raise AssertionError("a file was opened again")

    first = load(folder)
    with monkeypatch.context() as patch:
        patch.setattr(packed_features, "_read", no_more)
        assert np.array_equal(load(folder).train.frames, first.train.frames)
    name = voices.name_of(0, 0)
    torch.save(torch.full((len(voices.frames(0, 0)), 40), -3.0), folder / "Dataset" / name)
    assert (next(load(folder).train.each()) == -3).all()


def test_a_damaged_cache_is_made_anew(folder: Path, isolated_home: Path) -> None:
    first = load(folder)
    frames = first.train.frames.copy()
    for cached in (isolated_home / "decoded").iterdir():
        cached.write_bytes(cached.read_bytes()[:500])
    assert np.array_equal(load(folder).train.frames, frames)


def test_without_a_test_part_a_folder_still_trains(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Dataset" / "testdata.json").unlink()
    assert load(folder).test.names == []
    assert load(folder).test.frames.shape == (0, 40)
    assert data.test_ids(official(folder)) == []
    assert "no testdata.json, so nothing can be handed in" in capsys.readouterr().err


# ---- damage


def saved(value: object) -> Callable[[Path], None]:
    return lambda file: torch.save(value, file)


LENGTH = len(voices.frames(1, 2))
NOT_A_NUMBER = torch.zeros(LENGTH, 40).index_fill(0, torch.tensor(7), float("nan"))
BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda f: f.write_bytes(f.read_bytes()[:700]), "cannot be read as a tensor"),
    "missing": (lambda f: f.unlink(), f"is missing; expected the {LENGTH} frames"),
    "a wrong dtype": (saved(torch.zeros(LENGTH, 40, dtype=torch.int64)), "holds int64 numbers"),
    "no tensor": (lambda f: f.write_bytes(pickle.dumps(print)), "cannot be read as a tensor"),
    "a dict": (saved({"mel": torch.zeros(LENGTH, 40)}), "holds a dict, not a plain tensor"),
    "a NaN frame": (saved(NOT_A_NUMBER), "frame 7 holds nan"),
    "huge numbers": (saved(torch.full((LENGTH, 40), 1e5)), r"frame 0 holds 100000; .*log energ"),
    "80 bands": (saved(torch.zeros(LENGTH, 80)), rf"holds a tensor \({LENGTH}, 80\)"),
    "a frame more": (
        saved(torch.zeros(LENGTH + 1, 40)),
        f"has {LENGTH + 1} frames; {LENGTH} are promised",
    ),
    "no frame": (saved(torch.zeros(0, 40)), "empty utterance"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_damaged_utterance_is_told_with_its_file(kind: str, folder: Path) -> None:
    damage, words = BAD_FILES[kind]
    name = voices.name_of(1, 2)
    damage(folder / "Dataset" / name)
    with pytest.raises(DataError, match=rf"(?s){name}: .*{words}.*->|{name}: .*{words}") as told:
        load(folder)
    assert len(str(told.value)) < 900


def change(file: str, do: Callable[[Any], object]) -> Callable[[Path], None]:
    """Return a function that changes a list of a folder in place, or replaces it by the result."""

    def damage(folder: Path) -> None:
        path = folder / "Dataset" / file
        value = json.loads(path.read_text())
        result = do(value)
        path.write_text(json.dumps(value if result is None else result))

    return damage


def put(*keys: Any) -> Callable[[Any], None]:
    """Return a function that sets ``value[a][b].. = z`` for ``put(a, b, .., z)``."""

    def do(value: Any) -> None:
        *path, last, new = keys
        for key in path:
            value = value[key]
        value[last] = new

    return do


SPEAKER = ("speakers", "id00464")
ENTRY = {"feature_path": "uttr-0.pt", "mel_len": 30}
BAD_LISTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no JSON": (
        lambda f: (f / "Dataset" / "mapping.json").write_text("{") and None,
        r"mapping\.json: is not valid JSON",
    ),
    "no mapping": (
        lambda f: (f / "Dataset" / "mapping.json").unlink(),
        r"mapping\.json: is missing",
    ),
    "an array": (change("metadata.json", lambda v: [v]), r"metadata\.json: is no JSON object"),
    "no numbers": (change("mapping.json", put("speaker2id", {})), "numbers no speakers"),
    "a number twice": (
        change("mapping.json", put("speaker2id", "id00464", 0)),
        "has 4 speakers and none with number 1; expected each of 0 to 3 once",
    ),
    "halves that disagree": (
        change("mapping.json", put("id2speaker", "0", "id00559")),
        "id2speaker is not speaker2id turned around",
    ),
    "80 bands": (change("metadata.json", put("n_mels", 80)), "n_mels is 80; expected 40"),
    "an unknown speaker": (
        change("metadata.json", put("speakers", "id77777", [ENTRY])),
        r"speaker 'id77777' is unknown: mapping\.json does not number them",
    ),
    "no list": (change("metadata.json", put(*SPEAKER, "x")), "'id00464' has no list of utterances"),
    "no speakers": (change("metadata.json", put("speakers", [])), "lists no speakers"),
    "an entry that is none": (
        change("metadata.json", put(*SPEAKER, 1, ["uttr-0.pt", 30])),
        "utterance 1 of speaker 'id00464' lacks a key; expected .*feature_path",
    ),
    "a path out of the folder": (
        change("metadata.json", put(*SPEAKER, 0, "feature_path", "../uttr-0.pt")),
        r"feature_path is '\.\./uttr-0\.pt'; expected the name of a file beside this one",
    ),
    "an empty utterance": (
        change("metadata.json", put(*SPEAKER, 3, "mel_len", 0)),
        r"utterance 3 of speaker 'id00464' \(uttr-\w+\.pt\) is empty",
    ),
    "a length that is none": (
        change("testdata.json", put("utterances", 2, "mel_len", "30")),
        r"testdata\.json: utterance 2: mel_len is '30'; expected 1 to 360,000 frames",
    ),
    "no test list": (change("testdata.json", put("utterances", {})), "lists no utterances"),
    "a file twice": (
        change("testdata.json", lambda v: v["utterances"].append(v["utterances"][0])),
        r"lists uttr-\w+\.pt twice",
    ),
    "one utterance only": (
        change(
            "metadata.json", lambda v: v["speakers"].update(id00464=v["speakers"]["id00464"][:1])
        ),
        r"id00464 has 1 utterance\(s\); expected 2 or more of each speaker",
    ),
}


@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_damaged_list_is_told(kind: str, folder: Path) -> None:
    damage, words = BAD_LISTS[kind]
    damage(folder)
    with pytest.raises(DataError, match=words):
        load(folder)


def test_another_folder_is_told_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no metadata\.json; expected mapping\.json"):
        load(tmp_path)


# ---- the course's own lists


def test_lists_of_600_speakers_are_read(tmp_path: Path) -> None:
    """As large as the course's, and of its shape."""
    numbers = {f"id{12 + 15 * k:05d}": k for k in range(600)}
    mapping = {"speaker2id": numbers, "id2speaker": {str(k): n for n, k in numbers.items()}}
    entries = iter(
        {"feature_path": f"uttr-{k:032x}.pt", "mel_len": 100 + k % 900} for k in range(64666)
    )
    by_speaker = {name: [next(entries) for _ in range(94)] for name in reversed(numbers)}
    tested = [next(entries) for _ in range(8000)]
    for name, value in (
        ("mapping", mapping),
        ("metadata", {"n_mels": 40, "speakers": by_speaker}),
        ("testdata", {"n_mels": 40, "utterances": tested}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(value, indent=4))
    speakers = layout.read_speakers(tmp_path)
    assert speakers == list(numbers)
    train = layout.read_train(tmp_path, speakers)
    assert len(train) == 600 * 94
    assert [one.speaker for one in train[:95]] == [599] * 94 + [598]
    assert len(layout.read_test(tmp_path)) == 8000


def test_the_course_s_own_lists_are_read(real_data: Path) -> None:
    folder = real_data / "hw04" / "official_meta"
    if not folder.is_dir():
        pytest.skip("the lists are not here")
    speakers = layout.read_speakers(folder)
    assert len(speakers) == 600
    assert speakers[:4] == ["id00464", "id00559", "id00578", "id00905"]
    tested = layout.read_test(folder)
    assert len(tested) == 8000
    assert all(one.name.startswith("uttr-") and one.length >= 1 for one in tested)


# ---- the world


@pytest.fixture(scope="module")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("espeakng_loader")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("home")))
        return world.build(tiny_speaker_world(), processes=1)


def test_the_world_written_out_is_the_world_read_back(tiny_world: Path, tmp_path: Path) -> None:
    source = Source(kind="world", folder=tiny_world / "public")
    data.export(tiny_world, tmp_path)
    made, read = data.load(source, recipe()), load(tmp_path)
    assert data.class_names(source) == list(read.speakers) == list(made.speakers)
    assert data.test_ids(source) == read.test.names
    by_name = dict(
        zip(made.train.names, zip(made.train.each(), made.labels, strict=True), strict=True)
    )
    for name, frames, label in zip(read.train.names, read.train.each(), read.labels, strict=True):
        assert np.array_equal(frames, by_name[name][0])
        assert label == by_name[name][1]
    assert np.array_equal(made.test.frames, read.test.frames)
    assert not [path for path in tmp_path.rglob("*") if "answer" in path.name]


def test_the_data_card_counts(folder: Path) -> None:
    card = data.describe(load(folder))
    assert card["utterances"] == "24 of 4 speakers to learn from (6 to 6 each), 8 to tell"
    lengths = [len(voices.frames(s, k)) for s in range(4) for k in range(voices.NUM_TRAIN)]
    shortest, longest = min(lengths) / 100, max(lengths) / 100
    assert card["seconds"].startswith(f"{shortest:.1f} to {longest:.1f} an utterance")


def test_the_contact_sheet_has_low_bands_below_and_time_to_the_right(folder: Path) -> None:
    loaded = load(folder)
    rows = data.contact_sheet(loaded)
    assert list(rows) == list(voices.SPEAKERS)
    pictures = rows["id00012"]
    assert pictures.shape == (voices.NUM_TRAIN, 40, data.SHOWN_FRAMES)
    first = len(voices.frames(0, 0))
    assert pictures[0, -1, :first].mean() > 200, "this voice is loud in the lowest band"
    assert pictures[0, 0, :first].mean() < 120
    assert (pictures[0, :, first:] == 0).all(), "and silent when it is over"
