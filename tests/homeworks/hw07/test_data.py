"""Files of homework 7: what is read, and what is refused in a sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlspring.core.errors import DataError
from mlspring.core.source import official
from mlspring.homeworks.hw07_reading import data
from mlspring.homeworks.hw07_reading.data import read_part, simplified

PARAGRAPH = "福岡市(Fukuoka)位於九州，1,539萬人  居住，鱻魚有名。"


def question(number: int = 7, **changes: Any) -> dict[str, Any]:
    row = {"id": number, "paragraph_id": 0, "question_text": "哪裡？"}
    row |= {"answer_text": "九州", "answer_start": 14, "answer_end": 15}
    return row | changes


def write(
    path: Path, *questions: dict[str, Any], paragraphs: tuple[Any, ...] = (PARAGRAPH,)
) -> Path:
    table = {"questions": list(questions), "paragraphs": list(paragraphs)}
    path.write_text(json.dumps(table), encoding="utf-8")
    return path


def test_an_answer_is_its_slice_of_the_paragraph_end_included(tmp_path: Path) -> None:
    part = read_part(write(tmp_path / "a.json", question()), answered=True)
    assert part.answers == ["九州"]
    assert (part.ids, part.questions, part.paragraphs) == ([7], ["哪裡？"], [PARAGRAPH])


@pytest.mark.parametrize("empty", [None, "null"])
def test_a_test_file_needs_no_answers_whatever_stands_there(empty: object, tmp_path: Path) -> None:
    fields = dict.fromkeys(("answer_text", "answer_start", "answer_end"), empty)
    file = write(tmp_path / "hw7_test.json", question(**fields))
    part = read_part(file, answered=False)
    assert (part.starts.tolist(), part.ends.tolist()) == ([-1], [-1])
    assert data.test_ids(official(tmp_path)) == ["7"]
    with pytest.raises(DataError, match=r"question 7 has no answer(?s:.)*remove the question"):
        read_part(file, answered=True)


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    text = json.dumps({"questions": [question()], "paragraphs": [PARAGRAPH]}, indent=1)
    file = tmp_path / "a.json"
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_part(file, answered=True).answers == ["九州"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "end before start": ({"answer_end": 13}, "question 7: the answer reaches from 14 to 13"),
    "outside": ({"answer_end": 900}, r"reaches from 14 to 900(?s:.)*0 to 33"),
    "negative": ({"answer_start": -1}, "reaches from -1"),
    "text": ({"answer_start": "14"}, "reaches from '14'"),
    "end exclusive": (
        {"answer_end": 16},
        r"from 14 to 16 stands '九州，'(?s:.)*stands from 14 to 15",
    ),
    "nowhere": ({"answer_text": "本州"}, r"answer_text is '本州'(?s:.)*last character"),
    "paragraph": (
        {"paragraph_id": 1},
        r"question 7: paragraph_id is 1(?s:.)*there are 1 paragraphs",
    ),
    "paragraph is true": ({"paragraph_id": True}, "paragraph_id is True"),
    "no question": ({"question_text": " "}, "question 7: question_text is ' '"),
    "half a character": ({"question_text": "\ud800哪裡"}, "question 7: question_text is"),
    "no id": ({"id": "7"}, "entry 0 of questions has no id"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_question_is_named_with_its_file(case: str, tmp_path: Path) -> None:
    changes, words = BAD[case]
    with pytest.raises(DataError, match=words) as told:
        read_part(write(tmp_path / "hw7_dev.json", question(**changes)), answered=True)
    assert "hw7_dev.json" in str(told.value)


WRITERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "big5": (lambda p: p.write_bytes(PARAGRAPH.replace("鱻", "").encode("big5")), "iconv -f BIG5"),
    "json": (lambda p: p.write_text('{"questions": ['), r"is not valid JSON(?s:.)*fetch hw07"),
    "list": (lambda p: p.write_text("[1]"), "has no questions and paragraphs"),
    "none": (write, "has no questions and paragraphs"),
    "empty": (lambda p: p.write_text(""), "is empty"),
    "missing": (lambda p: p.unlink(missing_ok=True), "no such file"),
    "no text": (lambda p: write(p, question(), paragraphs=(3,)), "paragraph 0 is no text"),
    "twice": (
        lambda p: write(p, question(), question(8), question()),
        "question id 7 stands twice",
    ),
}


@pytest.mark.parametrize("case", WRITERS)
def test_a_bad_file_is_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    prepare, words = WRITERS[case]
    prepare(tmp_path / "hw7_train.json")
    with pytest.raises(DataError, match=words) as told:
        read_part(tmp_path / "hw7_train.json", answered=True)
    assert "hw7_train.json" in str(told.value)


def test_simplified_characters_are_told_with_the_way_to_convert_them() -> None:
    told = simplified(["这个问题说的是什么时间？"], Path("hw7_train.json"))
    assert told is not None
    assert "opencc -c s2t" in told
    assert "这 个 问 题" in told
    quoted = "福岡市位於九州，有一百五十萬人居住。" * 5 + "「们」"
    assert simplified([quoted, PARAGRAPH], Path("hw7_train.json")) is None


def test_the_course_s_own_files_are_read_whole(real_data: Path) -> None:
    dev = read_part(real_data / "hw07" / "hw7_dev.json", answered=True)
    assert (len(dev.questions), len(dev.paragraphs)) == (4131, 1490)
    assert dev.answers[0] == "天神地區"
    test = read_part(real_data / "hw07" / "hw7_test.json", answered=False)
    assert (len(test.questions), len(test.paragraphs)) == (4957, 1586)
    for part in (dev, test):
        assert simplified(part.paragraphs, Path("hw7.json")) is None
