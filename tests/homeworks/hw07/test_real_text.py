"""The benchmark on real text: CMRC's lists become the course's, paragraphs stay together."""

import json
from pathlib import Path

import pytest

from benchmarks.reading_hw07 import as_course, split
from mlspring.homeworks.hw07_reading.data import read_part, simplified

SQUAD = {
    "data": [
        {
            "paragraphs": [
                {
                    "context": f"{city}市的人口是{100 + k}万，面积很大。",
                    "qas": [
                        {
                            "question": "人口？",
                            "answers": [{"text": f"{100 + k}万", "answer_start": 6}],
                        },
                        {"question": "何处？", "answers": [{"text": "月球", "answer_start": 0}]},
                    ],
                }
            ]
        }
        for k, city in enumerate("甲乙丙丁戊己庚辛壬癸")
    ]
}


def test_cmrc_is_read_and_an_answer_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "cmrc.json"
    file.write_text(json.dumps(as_course(SQUAD)), encoding="utf-8")
    part = read_part(file, answered=True)
    assert (len(part.questions), len(part.paragraphs)) == (10, 10)
    assert part.answers[3] == "103万"


def test_a_split_holds_paragraphs_together_and_hides_the_test_s_answers(tmp_path: Path) -> None:
    file = tmp_path / "cmrc.json"
    file.write_text(json.dumps(as_course(SQUAD)), encoding="utf-8")
    answers = split(read_part(file, answered=True), tmp_path / "data")
    parts = {
        name: read_part(tmp_path / "data" / f"hw7_{name}.json", answered=name != "test")
        for name in ("train", "dev", "test")
    }
    assert [len(part.paragraphs) for part in parts.values()] == [7, 1, 2]
    texts = [text for part in parts.values() for text in part.paragraphs]
    assert len(set(texts)) == 10
    test = parts["test"]
    assert len(answers) == 2
    for answer, which in zip(answers, test.paragraph_ids, strict=True):
        assert answer in test.paragraphs[which]
    assert 'answer_text": null' in (tmp_path / "data" / "hw7_test.json").read_text()


def test_the_real_cmrc_is_read_whole(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "hw07" / "cmrc2018" / "cmrc2018_dev.json"
    if not source.is_file():
        pytest.skip("no cmrc2018 here")
    file = tmp_path / "cmrc.json"
    table = as_course(json.loads(source.read_text(encoding="utf-8")))
    file.write_text(json.dumps(table), encoding="utf-8")
    part = read_part(file, answered=True)
    assert len(part.paragraphs) == 848
    assert len(part.questions) > 3000
    assert simplified(part.paragraphs, file) is not None
