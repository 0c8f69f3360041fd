"""Own recordings become the course's layout, whatever their rate, width and channels."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring import catalog
from mlspring.core.audio import write_wav
from mlspring.core.errors import DataError, UserError
from mlspring.core.source import official
from mlspring.core.speech_features import mfcc39
from mlspring.homeworks.hw02_phonemes import data, libriphone, listen, recordings
from mlspring.homeworks.hw02_phonemes.spec import SPEC
from mlspring.verbs import data as verb
from mlspring.worlds.speech import label_names
from mlspring.worlds.speech.phones import CLASS_NAMES, frame_labels
from tests.homeworks.hw02.tools import recipe

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("kaldi_native_fbank")

LABELS = "0.0\t0.2\tsil\n0.2\t0.5\tAA1\n0.6\t0.9\tS\n"


def tone(seconds: float = 1.0, rate: int = 16_000) -> NDArray[np.float64]:
    """Return the same buzz at any rate: 35 harmonics below 4 kHz, whose pitch and tilt move."""
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * (100 * t + 5 * t**2)
    tilt = 0.5 + 0.4 * np.sin(2 * np.pi * 3 * t)
    return 0.02 * sum(np.sin(k * phase) * tilt ** (k / 5) for k in range(1, 36))


def test_labels_fall_on_the_frames_that_they_cover(tmp_path: Path) -> None:
    audio = tmp_path / "audio" / "ann"
    audio.mkdir(parents=True)
    write_wav(audio / "1.wav", tone().astype(np.float32))
    (audio / "1.txt").write_text(LABELS)
    write_wav(audio / "2.wav", tone(0.7).astype(np.float32))
    said = recordings.from_audio(tmp_path / "audio", tmp_path / "out")
    assert said.startswith("1 utterance with phones, 98 frames")
    root = libriphone.find(tmp_path / "out")
    train, test = libriphone.read_train(root), libriphone.read_test(root)
    assert (train.names, test.names) == (("ann-1",), ("ann-2",))
    assert train.labels is not None
    names = [CLASS_NAMES[label] for label in train.labels]
    for frame, name in enumerate(names):  # the class under the centre of each frame
        seconds = (frame * 160 + 200) / 16_000
        within = {"AA": 0.2 <= seconds < 0.5, "S": seconds >= 0.6}
        assert name == next((phone for phone, is_in in within.items() if is_in), "SIL")
    sound, _ = soundfile.read(audio / "1.wav", dtype="float32")
    assert np.array_equal(train.features, mfcc39(sound))


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "suffix"),
    [
        (22_050, 1, "PCM_16", "wav"),
        (44_100, 2, "PCM_24", "wav"),
        (8_000, 1, "PCM_U8", "wav"),
        (48_000, 2, "FLOAT", "wav"),
        (16_000, 2, "PCM_24", "flac"),
    ],
)
def test_another_rate_width_or_number_of_channels_gives_the_same_frames(
    rate: int, channels: int, subtype: str, suffix: str, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    sound = np.repeat(tone(1.0, rate)[:, None], channels, 1)
    soundfile.write(tmp_path / "a" / f"1.{suffix}", sound, rate, subtype=subtype)
    recordings.from_audio(tmp_path / "a", tmp_path / "out")
    found = libriphone.read_test(libriphone.find(tmp_path / "out")).features
    expected = mfcc39(tone().astype(np.float32))
    assert abs(len(found) - len(expected)) <= 1
    both = min(len(found), len(expected))
    for number in (0,) if rate == 8_000 else (0, 1):  # its eight bits are noisy
        assert np.corrcoef(found[:both, number], expected[:both, number])[0, 1] > 0.9


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"ID3\x04\x00" + bytes(2000), "cannot be decoded"),
        (b"\xff\xfb\x90\x64" + bytes(2000), "cannot be decoded|is MPEG"),
        (b"", "is empty"),
        (b"RIFF\x00\x00\x00\x00WAVE", "has no part called data"),
    ],
)
def test_what_is_no_wav_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "song.wav").write_bytes(content)
    with pytest.raises(DataError, match=rf"song\.wav: ({words})"):
        recordings.from_audio(tmp_path / "a", tmp_path / "out")


def test_a_real_mp3_that_is_called_wav_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "song.wav"
    try:
        soundfile.write(path, tone(), 16_000, format="MP3")
    except Exception:  # noqa: BLE001  an older libsndfile writes none
        pytest.skip("this libsndfile writes no mp3")
    with pytest.raises(DataError, match=r"(?s)song\.wav: is MPEG.*expected a wav or flac.*ffmpeg"):
        recordings.from_audio(tmp_path / "a", tmp_path / "out")


def test_too_short_a_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_wav(tmp_path / "a" / "1.wav", tone(0.02).astype(np.float32))
    with pytest.raises(DataError, match=r"1\.wav: has 320 samples; expected .* at least 560"):
        recordings.from_audio(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("0\t1\tQQ\n", r"1\.txt, row 1: no class is known for 'QQ'; expected a phone of ARPAbet"),
        ("0\t1\tS\n0.5\t2\tS\n", r"1\.txt, row 2: 'S' lasts from 0.5 to 2 s, after"),
    ],
)
def test_a_damaged_label_file_is_told(labels: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_wav(tmp_path / "a" / "1.wav", tone().astype(np.float32))
    (tmp_path / "a" / "1.txt").write_text(labels)
    with pytest.raises(DataError, match=words):
        recordings.from_audio(tmp_path / "a", tmp_path / "out")


def test_two_label_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_wav(tmp_path / "a" / "1.wav", tone().astype(np.float32))
    for suffix in ("txt", "TextGrid"):
        (tmp_path / "a" / f"1.{suffix}").write_text(LABELS)
    with pytest.raises(DataError, match=r"1\.wav: has 1\.TextGrid and 1\.txt"):
        recordings.from_audio(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize(
    ("phone", "name"),
    [
        ("AA1", "AA"),
        ("ah0", "AH"),
        ("SH", "SH"),
        ("sil", "SIL"),
        ("", "SIL"),
        ("sp", "SIL"),
        ("spn", "SPN"),
        ("AX", "AH"),
        ("axr", "ER"),
        ("dx", "T"),
        ("<eps>", "SIL"),
    ],
)
def test_names_of_phones_are_understood(phone: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"0\t1\t{phone}\n")
    (segment,) = label_names.read_segments(tmp_path / "a.txt")
    assert CLASS_NAMES[segment.label] == name


def test_marks_of_emodb_belong_to_the_phone_before(tmp_path: Path) -> None:
    rows = ["-sth", "_t", "!t", "tasp", "a", "-lar", "S\t+sth", "C", "X", "whatever", "."]
    lines = [f"{i / 10} -1 {row}" for i, row in enumerate(rows, 1)]
    (tmp_path / "a.lablaut").write_text("x\n#\n" + "\n".join(lines) + "\n")
    found = [CLASS_NAMES[part.label] for part in label_names.read_segments(tmp_path / "a.lablaut")]
    expected = ["SIL", "SIL", "T", "T", "T", "AA", "AA", "SH", "SH", "R", "R", "SIL"]
    assert found == expected


def test_every_name_in_the_tables_is_a_class() -> None:
    for table in label_names._sets().values():
        assert set(table.values()) <= set(CLASS_NAMES)


def test_a_folder_without_phones_can_be_predicted_for_and_not_trained_on(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_wav(tmp_path / "a" / "1.wav", tone().astype(np.float32))
    recordings.from_audio(tmp_path / "a", tmp_path / "out")
    loaded = data.load(official(tmp_path / "out"), recipe("world/simple"))
    assert len(loaded.test_ids) == 98
    assert data.describe(loaded)["utterances"] == "1 test; none has labels"


def test_the_verb_writes_a_new_folder_whole_or_not_at_all(tmp_path: Path) -> None:
    audio = tmp_path / "audio"
    audio.mkdir()
    write_wav(audio / "1.wav", tone().astype(np.float32))
    said = verb.from_audio(SPEC, audio, None)
    assert said.startswith(f"{tmp_path / 'audio-hw02'}: official layout")
    with pytest.raises(UserError, match="is not empty"):
        verb.from_audio(SPEC, audio, None)
    (audio / "2.wav").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"2\.wav"):
        verb.from_audio(SPEC, audio, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audio", "audio-hw02"]
    with pytest.raises(UserError, match="hw03 takes no recordings"):
        verb.from_audio(catalog.find("hw03"), audio, None)
    with pytest.raises(UserError, match="the world of hw03 is silent"):
        verb.listen(catalog.find("hw03"), 1, None)


def test_what_is_heard_is_what_the_world_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("espeakng_loader")
    said = verb.listen(SPEC, 1, tmp_path / "heard")
    assert said.startswith(f"{tmp_path / 'heard'}: 1 utterance")
    assert sorted(path.suffix for path in (tmp_path / "heard").iterdir()) == [
        ".png",
        ".txt",
        ".wav",
    ]
    (one,) = listen.utterances(1)
    recordings.from_audio(tmp_path / "heard", tmp_path / "out")
    again = libriphone.read_train(libriphone.find(tmp_path / "out"))
    labels = frame_labels(one.parts, len(again.features))
    assert again.labels is not None
    assert (again.labels == labels).mean() > 0.99, "times of the label track are rounded"


def test_real_german_speech_is_read(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "hw02" / "emodb"
    for name in ("03a01Fa", "08a01Fd", "11a01Nd", "15a01Fb"):
        sounds = list((folder / "wav").glob(f"{name[:3]}*"))[:3]
        for sound in sounds:
            stem = sound.stem
            (labels,) = (folder / "lablaut").glob(f"{stem}*")
            speaker = tmp_path / "audio" / stem[:2]
            speaker.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sound, speaker / sound.name)
            shutil.copyfile(labels, speaker / f"{stem}.lablaut")
    recordings.from_audio(tmp_path / "audio", tmp_path / "out")
    train = libriphone.read_train(libriphone.find(tmp_path / "out"))
    assert {name[:2] for name in train.names} == {"03", "08", "11", "15"}
    assert train.labels is not None
    shares = np.bincount(train.labels, minlength=41) / len(train.labels)
    assert 0.02 < shares[0] < 0.3, "some silence"
    assert shares[CLASS_NAMES.index("AA")] > 0.03
