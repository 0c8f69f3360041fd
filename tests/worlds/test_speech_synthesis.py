"""The synthesiser is a program of its own, tells every phone, and repeats itself exactly."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlspring.core.errors import InternalError, MachineError
from mlspring.worlds.speech import words
from mlspring.worlds.speech.phones import CLASS_NAMES, arpabet
from mlspring.worlds.speech.sentences import OPEN, vocabulary
from mlspring.worlds.speech.synthesis import Request, Speech, Synthesiser, synthesiser
from mlspring.worlds.speech.voices import ACCENTS, VARIANTS

pytest.importorskip("kaldi_native_fbank")
TEXT = "She measured the yellow journey."


def say(voice_of: Synthesiser, text: str = TEXT, voice: str = "en-us+f2") -> Speech:
    return voice_of.say(Request(text=text, voice=voice, rate=170, pitch=50, range=50))


def test_phones_come_in_order_with_their_times() -> None:
    with synthesiser() as voice_of:
        speech = say(voice_of)
        assert voice_of.sample_rate == 22050
    starts = [start for start, _ in speech.phones]
    assert starts == sorted(starts) and starts[-1] <= len(speech.sound)
    classes = [name for _, phone in speech.phones for name in arpabet(phone, "en-us")]
    spelled = [name for name in classes if name != "SIL"]
    assert spelled[:5] == ["SH", "IY", "M", "EH", "ZH"]
    assert spelled[-4:] == ["JH", "ER", "N", "IY"]


def test_a_fresh_program_repeats_every_sample() -> None:
    """What was said before changes the sound, so only the whole order is repeated.

    f2 is breathy: without a seed of ours its noise would follow the clock, in whole seconds.
    """
    orders: list[list[NDArray[np.int16]]] = []
    for _ in range(2):
        time.sleep(1.1 * len(orders))
        with synthesiser() as voice_of:
            voices = ("en-us+f2", "en-us+Andy", "en-gb-scotland+m3", "en-us+f2")
            orders.append([say(voice_of, voice=voice).sound for voice in voices])
    for one, other in zip(*orders, strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(orders[0][0], orders[0][1])


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads libraries in /proc")
def test_the_library_is_not_loaded_here() -> None:
    with synthesiser() as voice_of:
        say(voice_of)
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    assert "libespeak" not in maps


def test_every_voice_speaks_and_every_phone_has_a_class() -> None:
    known = vocabulary(training=False)
    every = [word for name in OPEN for word in getattr(known, name)]
    every += [*words.PREPOSITIONS, *words.NUMBERS, *words.DETERMINERS, *words.CONNECTIVES]
    every += [f"{noun}s" for noun in known.nouns]
    classes = set()
    with synthesiser() as voice_of:
        for accent in sorted(set(ACCENTS)):
            for start in range(0, len(every), 40):
                text = " ".join(every[start : start + 40])
                for _, phone in say(voice_of, text, f"{accent}+m3").phones:
                    classes |= set(arpabet(phone, accent))
        sounds = [say(voice_of, "Yes.", f"en-us+{variant}").sound for variant in VARIANTS]
    assert classes == set(CLASS_NAMES) - {"SPN"}
    assert all(np.abs(sound.astype(int)).max() > 1000 for sound in sounds)
    assert len({sound.tobytes() for sound in sounds}) > 0.9 * len(VARIANTS)


def test_an_unknown_voice_is_told_with_the_programs_last_words() -> None:
    with (
        synthesiser() as voice_of,
        pytest.raises(InternalError, match="knows no voice xx-nowhere"),
    ):
        say(voice_of, voice="xx-nowhere")


def test_a_program_that_was_killed_is_told() -> None:
    with synthesiser() as voice_of:
        voice_of._process.kill()
        voice_of._process.wait()
        with pytest.raises(InternalError, match="espeak-ng ended with code"):
            say(voice_of)


def test_the_program_ends_with_the_block() -> None:
    with pytest.raises(KeyboardInterrupt), synthesiser() as voice_of:
        process = voice_of._process
        raise KeyboardInterrupt
    assert process.poll() is not None


def test_an_absent_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MachineError, match=r"pip install 'mlspring\[speech\]'"), synthesiser():
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a right there")
def test_a_long_path_of_the_package_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library itself cuts paths at 160 bytes."""
    loader = pytest.importorskip("importlib.util").find_spec("espeakng_loader")
    deep = tmp_path / ("gänge-" * 16) / ("tief-" * 20)
    deep.mkdir(parents=True)
    (deep / "espeakng_loader").symlink_to(Path(loader.origin).parent)
    with synthesiser() as voice_of:
        expected = say(voice_of).sound
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(deep), os.environ.get("PYTHONPATH", "")]))
    with synthesiser() as voice_of:
        assert np.array_equal(say(voice_of).sound, expected)
