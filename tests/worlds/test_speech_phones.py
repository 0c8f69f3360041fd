"""Phones: classes, mended boundaries, the label of a frame, pauses and noises."""

import numpy as np
import pytest

from mlspring.worlds.speech.phones import (
    ACCENTS_WITHOUT_R,
    CLASS_NAMES,
    COMMON,
    SIL,
    SPN,
    WITHOUT_R,
    Segment,
    arpabet,
    frame_labels,
    segments,
)
from mlspring.worlds.speech.rooms import coloured, cough, echoing, heard, thump
from mlspring.worlds.speech.utterances import Pauses, with_noise, with_pauses
from mlspring.worlds.speech.voices import Spread

PLAIN = Spread(
    pitch=(50, 50), liveliness=(50, 50), rate=(170, 170), tract=(1, 1), mood_pitch=0, mood_rate=0,
    mood_tract=0, noise=(100, 100), reverb=(0.3, 0.3), echo=(0.3, 0.3), tilt=(0, 0),
)  # fmt: skip
LOUD = np.full(22050, 1000, np.int16)


def spans(parts: list[Segment]) -> list[tuple[str, float, float]]:
    return [(CLASS_NAMES[p.label], round(p.start, 4), round(p.end, 4)) for p in parts]


def parts_of(*names_and_ends: tuple[str, float]) -> list[Segment]:
    made, start = [], 0.0
    for name, end in names_and_ends:
        made.append(Segment(label=CLASS_NAMES.index(name), start=start, end=end))
        start = end
    return made


def test_there_are_the_courses_41_classes() -> None:
    assert len(CLASS_NAMES) == len(set(CLASS_NAMES)) == 41
    assert (CLASS_NAMES[SIL], CLASS_NAMES[SPN]) == ("SIL", "SPN")
    mapped = {name for value in (*COMMON.values(), *WITHOUT_R.values()) for name in value.split()}
    assert mapped == set(CLASS_NAMES) - {"SPN"}


@pytest.mark.parametrize(
    ("phone", "accent", "classes"),
    [
        ("'I", "en-us", ["IH"]),
        (",oU", "en-us", ["OW"]),
        ("A@", "en-us", ["AA", "R"]),
        ("A@", "en", ["AA"]),
        ("3", "en-us", ["ER"]),
        ("3", "en-gb-x-rp", ["AH"]),
        ("@L", "en-us", ["AH", "L"]),
        ("_:", "en-us", ["SIL"]),
    ],
)
def test_phones_become_classes(phone: str, accent: str, classes: list[str]) -> None:
    assert arpabet(phone, accent) == classes


def test_a_phone_without_a_class_is_told() -> None:
    assert "en-us" not in ACCENTS_WITHOUT_R
    with pytest.raises(ValueError, match=r"'Q\^' \(en-us\) has no class"):
        arpabet("Q^", "en-us")


def test_a_diphthong_with_r_is_halved_and_the_start_is_silence() -> None:
    parts = segments([(2205, "A@"), (6615, "_:")], LOUD, 22050, "en-us")
    assert spans(parts) == [
        ("SIL", 0, 0.1), ("AA", 0.1, 0.2), ("R", 0.2, 0.3), ("SIL", 0.3, 1.0)
    ]  # fmt: skip


def test_an_l_after_a_vowel_takes_the_end_of_the_vowel() -> None:
    parts = segments([(0, "b"), (2205, "'E"), (6615, "l"), (6615, "_:")], LOUD, 22050, "en-us")
    assert spans(parts)[1:3] == [("EH", 0.1, 0.23), ("L", 0.23, 0.3)]
    long = segments([(0, "b"), (2205, "'E"), (6615, "l"), (8820, "_:")], LOUD, 22050, "en-us")
    assert spans(long)[1:3] == [("EH", 0.1, 0.3), ("L", 0.3, 0.4)]


def test_the_closure_belongs_to_the_stop() -> None:
    sound = LOUD.copy()
    sound[4410:5512] = 3  # 50 ms of almost nothing before the burst
    parts = segments([(0, "s"), (5512, "t"), (7000, "@")], sound, 22050, "en-us")
    assert spans(parts)[:2] == [("S", 0, 0.2), ("T", 0.2, round(7000 / 22050, 4))]
    fricative = segments([(0, "s"), (5512, "S"), (7000, "@")], sound, 22050, "en-us")
    assert spans(fricative)[0] == ("S", 0, round(5512 / 22050, 4))


def test_a_pause_before_a_stop_stays_a_pause() -> None:
    sound = np.zeros(22050, np.int16)
    parts = segments([(0, "s"), (4410, "_:"), (8820, "t"), (9000, "@")], sound, 22050, "en-us")
    assert spans(parts)[1] == ("SIL", 0.2, 0.4)


def test_a_frame_has_the_phone_under_its_centre() -> None:
    parts = parts_of(("SIL", 360.0), ("S", 361.0), ("AA", 1000.0), ("SIL", 2000.0))
    # centres: 200, 360, 520, 680, 840, 1000, 1160
    names = [CLASS_NAMES[label] for label in frame_labels(parts, 7).tolist()]
    assert names == ["SIL", "S", "AA", "AA", "AA", "SIL", "SIL"]
    seconds = [Segment(label=p.label, start=p.start / 16000, end=p.end / 16000) for p in parts]
    assert np.array_equal(frame_labels(seconds, 7, 16000), frame_labels(parts, 7))
    assert frame_labels(parts, 20)[-1] == SIL  # beyond the end


def test_pauses_replace_the_silence_at_both_ends() -> None:
    sound = np.arange(3000.0)
    parts = parts_of(("SIL", 500.0), ("S", 1200.0), ("AA", 2000.0), ("SIL", 3000.0))
    pauses = Pauses(before=(0.1, 0.1), after=(0.2, 0.2), noises=0)
    padded, moved = with_pauses(sound, parts, pauses, np.random.default_rng(0))
    assert spans(moved) == [
        ("SIL", 0, 1600), ("S", 1600, 2300), ("AA", 2300, 3100), ("SIL", 3100, 6300)
    ]  # fmt: skip
    assert len(padded) == 6300
    assert np.array_equal(padded[1600:3100], sound[500:2000])
    assert not padded[:1600].any() and not padded[3100:].any()


def test_a_noise_parts_a_silence_and_moves_what_follows() -> None:
    sound, noise = np.arange(1000.0), np.full(300, -1.0)
    parts = parts_of(("S", 400.0), ("SIL", 600.0), ("AA", 1000.0))
    longer, moved = with_noise(sound, parts, noise, 1)
    assert spans(moved) == [
        ("S", 0, 400), ("SIL", 400, 500), ("SPN", 500, 800), ("SIL", 800, 900), ("AA", 900, 1300)
    ]  # fmt: skip
    assert np.array_equal(longer[500:800], noise)
    assert np.array_equal(np.delete(longer, np.s_[500:800]), sound)


def test_a_room_delays_nothing() -> None:
    click = np.zeros(8000)
    click[2000] = 1.0
    answered = echoing(click, PLAIN, np.random.default_rng(0))
    assert np.abs(answered[:2000]).max() < 1e-9
    assert answered[2000] == pytest.approx(1.0)
    later = answered[2001:]
    assert (later**2).sum() == pytest.approx(0.3, rel=0.05)  # the echo that was asked for
    assert (later[:1200] ** 2).sum() > 5 * (later[2400:3600] ** 2).sum()


def test_a_channel_keeps_the_length_and_is_stable() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        passed = coloured(rng.standard_normal(4000), PLAIN, rng)
        assert passed.shape == (4000,) and np.abs(passed).max() < 200


@pytest.mark.parametrize("decibels", [0.0, 20.0])
def test_noise_has_the_ratio_that_is_asked_for(decibels: float) -> None:
    from dataclasses import replace

    spread = replace(PLAIN, noise=(decibels, decibels))
    tone = np.sin(np.arange(16000) * 0.2)
    with_it = heard(tone, spread, np.random.default_rng(3)).astype(float)
    without = heard(tone, PLAIN, np.random.default_rng(3)).astype(float)
    ratio = 10 * np.log10((without**2).mean() / ((with_it - without) ** 2).mean())
    assert ratio == pytest.approx(decibels, abs=0.3)


@pytest.mark.parametrize("make", [cough, thump])
def test_noises_are_finite_and_short(make: object) -> None:
    for seed in range(40):
        burst = make(np.random.default_rng(seed))  # type: ignore[operator]
        assert 800 < len(burst) < 20000 and np.isfinite(burst).all()
        assert 0.3 < np.sqrt((burst**2).mean()) < 1.5
