"""The reader of folders: layouts, the course's split, and each kind of bad input."""

import random
from pathlib import Path

import pytest

from mlspring.core.errors import DataError
from mlspring.homeworks.hw05_translation import data as part
from mlspring.homeworks.hw05_translation.layout import Pairs, split
from tests.homeworks.hw05.tools import folder_of, recipe
from tests.tiny.translation import NUM_MONO, NUM_TEST, pairs, write, write_ted

LINES = 200


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a folder of one's own, its files numbered lines that no rule drops."""
    write(tmp_path / "train.en", [f"This is sentence {i} ." for i in range(LINES)])
    write(tmp_path / "train.zh", [f"這是第{i}個句子。" for i in range(LINES)])
    write(tmp_path / "test.en", ["One.", "", "(Laughter)", "word " * 5000, "Five."])
    return tmp_path


def load(folder: Path) -> part.Data:
    return part.load(folder_of(folder), recipe())


def test_the_course_s_files_are_read_and_split(tmp_path: Path) -> None:
    data = load(write_ted(tmp_path / "ted"))
    every = pairs()[NUM_TEST + NUM_MONO :]
    assert len(data.train) + len(data.held) == len(every)
    assert set(data.held.english).isdisjoint(data.train.english)
    assert len(data.mono) == NUM_MONO
    assert data.test == [english.replace(".", " .") for english, _ in pairs()[:NUM_TEST]]
    assert data.dropped == 0


def test_the_split_is_the_course_s() -> None:
    lines = [str(i) for i in range(393_980)]
    train, held = split(Pairs(english=lines, chinese=lines))
    assert (len(train), len(held)) == (390_041, 3_939)  # as the fact sheet computed
    labels = list(range(len(lines)))
    random.Random(73).shuffle(labels)
    assert held.english == [
        line for line, label in zip(lines, labels, strict=True) if label / len(lines) >= 0.99
    ]


def test_a_line_of_the_test_is_never_lost(own: Path) -> None:
    data = load(own)
    assert [len(line.split()) for line in data.test] == [2, 0, 0, 5000, 2]
    assert data.test_ids == part.test_ids(folder_of(own)) == ["1", "2", "3", "4", "5"]


def test_what_cannot_be_used_is_left_out_with_its_partner(own: Path) -> None:
    english = [f"This is sentence {i} ." for i in range(LINES)]
    english[3], english[7] = "", "(Applause)"
    write(own / "train.en", english)
    data = load(own)
    assert data.dropped == 2
    parts = (data.train, data.held)
    kept = {e: z for p in parts for e, z in zip(p.english, p.chinese, strict=True)}
    assert len(kept) == LINES - 2
    assert all(e.split()[3] in z for e, z in kept.items()), "partners stay together"


def test_held_out_pairs_that_are_learnt_are_dropped(own: Path) -> None:
    write(own / "dev.en", ["This is sentence 5 .", "This is new ."])
    write(own / "dev.zh", ["這是第5個句子。", "這是新的。"])
    write(own / "mono.zh", ["這是新的。", "這是第8個句子。", "真的。", "真的。", ""])
    data = load(own)
    assert data.held.english == ["This is new ."]
    assert len(data.train) == LINES
    assert data.mono == ["真的 。"], "neither known, nor twice, nor empty"


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_other_line_ends_and_a_byte_order_mark_are_taken(own: Path, ends: str) -> None:
    before = load(own)
    for name in ("train.en", "train.zh", "test.en"):
        text = (own / name).read_text(encoding="utf-8").replace("\n", ends)
        (own / name).write_bytes(text.encode("utf-8-sig"))
    assert load(own) == before


def test_counts_of_lines_must_agree(own: Path) -> None:
    write(own / "train.zh", ["這是句子。"] * (LINES - 1))
    with pytest.raises(DataError, match=r"train\.zh: has 199 lines, but train\.en has 200; expec"):
        load(own)


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("utf-16", "is UTF-16 text; expected UTF-8"),
        ("cp950", r"row 1: looks like Big5 text .*\n  -> iconv -f Big5 -t UTF-8 train\.zh"),
    ],
)
def test_another_encoding_is_named(own: Path, codec: str, said: str) -> None:
    text = "".join("我們在這裡，你也是一個大人。\n" for _ in range(LINES))
    (own / "train.zh").write_bytes(text.encode(codec))
    with pytest.raises(DataError, match=said):
        load(own)


def test_gbk_is_named(own: Path) -> None:
    text = "".join("我们在这里，你也是一个大人。\n" for _ in range(LINES))
    (own / "train.zh").write_bytes(text.encode("gbk"))
    with pytest.raises(DataError, match="looks like GBK text"):
        load(own)


def test_simplified_characters_are_told(own: Path) -> None:
    write(own / "train.zh", ["這是。"] * 5 + [f"这是第{i}个句子。" for i in range(LINES - 5)])
    with pytest.raises(DataError, match=r"row 6: 98% of the lines hold simplified .*这") as told:
        load(own)
    assert "opencc -c s2twp -i train.zh" in str(told.value)


def test_a_few_slips_are_no_other_script(own: Path) -> None:
    lines = [f"這是第{i}個句子。" for i in range(LINES)]
    write(own / "train.zh", ["这是。", *lines[1:]])
    assert len(load(own).train)


@pytest.mark.parametrize("name", ["train.en", "train.zh", "test.en"])
def test_a_missing_file_is_named(own: Path, name: str) -> None:
    (own / name).unlink()
    with pytest.raises(DataError, match=f"has no {name}; expected train.en, train.zh and test.en"):
        load(own)


def test_nothing_usable_is_told(own: Path) -> None:
    for name in ("train.en", "train.zh"):
        write(own / name, ["(音樂)"] * LINES)
    with pytest.raises(DataError, match="no pair of lines can be used"):
        load(own)


def test_too_few_to_hold_one_out_is_told(own: Path) -> None:
    for name in ("train.en", "train.zh"):
        write(own / name, ["好 好"] * 20)
    with pytest.raises(DataError, match="of which none can be held out"):
        load(own)


def test_the_fingerprint_sees_every_text(own: Path) -> None:
    write(own / "mono.zh", ["真的。"])
    before = part.fingerprint(load(own))
    assert part.fingerprint(load(own)) == before
    write(own / "mono.zh", ["真好。"])
    assert part.fingerprint(load(own)) != before
