"""The world of reading paragraphs: the official form, one answer a question, no short cuts."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlspring.worlds.reading import world as reading
from mlspring.worlds.reading.names import is_kind, owner
from mlspring.worlds.reading.paragraphs import Paragraph
from mlspring.worlds.reading.questions import Question, ask
from mlspring.worlds.reading.world import SPLITS, TINY, draw_shard, tiny_reading_world
from mlspring.worlds.world import build
from tests.worlds.readers import first_of_type, nearest_sentence
from tests.worlds.reading_oracle import answers

WINDOW = 150  # characters of a paragraph that the course's sample reads at once
SLIPS = re.compile(
    r"的的|於於|在在|是是|為為|由由|與與|和和|將將|把把|被被|因因|也也|了了|其其|該該|以以|之之|從從|他他|她她"
    r"|，，|，。|。。|、、|。，|、。|、，|：。|：，|(?<!土耳)其的|該的|在於在|因為由於|由於因|因由於|《《|》》|「「|」」|《》|「」"
    r"|[{}\[\]|]|None"
)
Drawn = list[tuple[Paragraph, list[Question]]]


@pytest.fixture(scope="module")
def drawn() -> dict[str, Drawn]:
    """Return a part of the real world: by split, paragraphs that know their statements."""
    sizes = {"train": 100, "dev": 50, "test": 150}
    return {
        split: [
            pair
            for number in range(size // reading.PER_SHARD)
            for pair in draw_shard(0, split, number, reading.PER_SHARD)
        ]
        for split, size in sizes.items()
    }


@pytest.fixture(scope="module")
def everything(drawn: dict[str, Drawn]) -> Drawn:
    return [pair for split in SPLITS for pair in drawn[split]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(tmp_path_factory.mktemp("reading")))
        return build(tiny_reading_world(), processes=1)


def official(world_folder: Path, split: str) -> dict[str, Any]:
    file = world_folder / "public" / f"hw7_{split}.json"
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def sentences(paragraph: Paragraph) -> list[str]:
    ends = (*paragraph.sentences[1:], len(paragraph.text))
    return [paragraph.text[a:b] for a, b in zip(paragraph.sentences, ends, strict=True)]


# ---- files


def test_bytes_do_not_depend_on_the_number_of_processes(tiny: Path) -> None:
    again = build(tiny_reading_world(), processes=2)  # elsewhere: a home a test
    assert again != tiny
    files = sorted(path.relative_to(tiny) for path in tiny.rglob("*.*") if path.is_file())
    assert len(files) == 6
    for file in files:
        if file.name != "manifest.json":
            assert (tiny / file).read_bytes() == (again / file).read_bytes(), file


def test_shards_cut_every_split_once() -> None:
    for sizes in (reading.PARAGRAPHS, TINY, {"train": 101, "dev": 1, "test": 50}):
        shards = reading._shards(sizes)
        assert len(shards) == len({(split, number) for split, number, _ in shards})
        for split in SPLITS:
            parts = [count for name, _, count in shards if name == split]
            assert sum(parts) == sizes[split]
            assert all(0 < part <= reading.PER_SHARD for part in parts)


def test_the_files_are_the_courses(tiny: Path) -> None:
    names = {path.name for path in (tiny / "public").iterdir()}
    assert names == {"hw7_train.json", "hw7_dev.json", "hw7_test.json"}
    for split in SPLITS:
        data = official(tiny, split)
        assert list(data) == ["questions", "paragraphs"]
        paragraphs, questions = data["paragraphs"], data["questions"]
        assert len(paragraphs) == TINY[split]
        assert [one["id"] for one in questions] == list(range(reading.QUESTIONS * TINY[split]))
        assert {one["paragraph_id"] for one in questions} == set(range(len(paragraphs)))
        for one in questions:
            assert list(one) == [
                "id", "paragraph_id", "question_text", "answer_text", "answer_start", "answer_end",
            ]  # fmt: skip
            text, start, end = one["answer_text"], one["answer_start"], one["answer_end"]
            if split == "test":
                assert text is start is end is None
            else:
                assert paragraphs[one["paragraph_id"]][start : end + 1] == text != ""


def test_the_judge_has_an_answer_and_the_truth_of_every_question(tiny: Path) -> None:
    data = official(tiny, "test")
    with (tiny / "private" / "answers.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["ID"]) for row in rows] == [one["id"] for one in data["questions"]]
    assert [row["Usage"] for row in rows] == ["Public", "Private"] * (len(rows) // 2)
    for row, one in zip(rows, data["questions"], strict=True):
        plain = data["paragraphs"][one["paragraph_id"]].replace(",", "")
        assert row["Answer"] in plain and row["Answer"]
    truth = json.loads((tiny / "private" / "truth.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in truth] == list(range(len(rows)))
    for row in truth:
        assert list(row) == ["id", "fact", "type", "distractors", "distance"]
        assert row["distractors"] >= 0 and row["distance"] >= 0


def test_answers_lose_their_commas_and_keep_all_else() -> None:
    table = reading._answers(["1,234公尺", '「"說」', "甲、乙"])
    rows = list(csv.reader(table.splitlines()))
    assert rows == [
        ["ID", "Answer", "Usage"],
        ["0", "1234公尺", "Public"], ["1", '「"說」', "Private"], ["2", "甲、乙", "Public"],
    ]  # fmt: skip


def test_another_seed_tells_other_things() -> None:
    one, other = (draw_shard(seed, "dev", 0, 3) for seed in (0, 1))
    assert not {p.text for p, _ in one} & {p.text for p, _ in other}
    assert [p.text for p, _ in one] == [p.text for p, _ in draw_shard(0, "dev", 0, 3)]
    assert one[0][0].text == draw_shard(0, "dev", 0, 1)[0][0].text


# ---- splits


def test_splits_share_no_name_and_no_sentence(drawn: dict[str, Drawn]) -> None:
    names: dict[str, set[str]] = {}
    told: dict[str, set[str]] = {}
    for split, pairs in drawn.items():
        names[split] = {name for paragraph, _ in pairs for name in paragraph.names} | {
            statement.value.text
            for paragraph, _ in pairs
            for statement in paragraph.statements
            if is_kind(statement.relation.value)
        }
        told[split] = {one for paragraph, _ in pairs for one in sentences(paragraph)}
        assert all(owner(name) == split for name in names[split])
    for one, other in (("train", "dev"), ("train", "test"), ("dev", "test")):
        assert not names[one] & names[other]
        assert not told[one] & told[other]


# ---- questions


def test_an_answer_stands_where_its_fact_is_told(everything: Drawn) -> None:
    for paragraph, asked in everything:
        assert len(asked) == reading.QUESTIONS
        assert len({(one.statement.entity, one.statement.relation.key) for one in asked}) == len(
            asked
        )
        for one in asked:
            assert paragraph.text[one.start : one.start + len(one.answer)] == one.answer
            assert one.statement.entity in one.text
            assert one.statement.start <= one.start
            assert one.answer in one.statement.value.text


def test_every_question_has_one_answer_by_the_facts(everything: Drawn) -> None:
    for paragraph, _ in everything:
        told = Counter(
            (statement.entity, statement.relation.key) for statement in paragraph.statements
        )
        assert set(told.values()) == {1}
        assert len(set(paragraph.names)) == len(paragraph.names)


def test_who_knows_the_grammar_answers_everything(drawn: dict[str, Drawn]) -> None:
    for paragraph, asked in drawn["dev"][:15]:
        for one in asked:
            assert answers(paragraph.text, one.text) == {one.answer}, one.text


def test_the_oracle_hears_of_a_second_answer_and_of_none(drawn: dict[str, Drawn]) -> None:
    for paragraph, asked in drawn["dev"][:4]:
        main = [one for one in asked if one.statement.entity == paragraph.names[0]]
        for one in (one for one in main if one.statement.value.year):
            start = max(begin for begin in paragraph.sentences if begin <= one.start)
            told = paragraph.text[start : paragraph.text.index("。", start) + 1]
            assert answers(paragraph.text.replace(told, ""), one.text) == set()


def test_reading_is_needed(drawn: dict[str, Drawn]) -> None:
    pairs = [(paragraph, one) for paragraph, asked in drawn["test"] for one in asked]
    first = np.mean([first_of_type(*pair) == pair[1].answer for pair in pairs])
    nearest = np.mean([nearest_sentence(*pair) == pair[1].answer for pair in pairs])
    assert 0.05 < first <= 0.25
    assert 0.25 < nearest <= 0.5


def test_more_questions_than_facts_are_refused(drawn: dict[str, Drawn]) -> None:
    paragraph = drawn["dev"][0][0]
    with pytest.raises(
        ValueError, match=f"99 questions for {len(paragraph.statements)} statements"
    ):
        ask(paragraph, 99, np.random.default_rng(0))


# ---- what the text is like


def test_no_slip_of_grammar(everything: Drawn) -> None:
    for paragraph, asked in everything:
        for text in (paragraph.text, *(one.text for one in asked)):
            slip = SLIPS.search(text)
            assert slip is None, text[max(0, slip.start() - 12) : slip.end() + 12]


def test_lengths_are_the_courses(everything: Drawn) -> None:
    lengths = np.array([len(paragraph.text) for paragraph, _ in everything])
    assert lengths.min() >= 130 and lengths.max() <= 1400
    assert 330 < lengths.mean() < 450
    assert ((lengths >= 200) & (lengths <= 600)).mean() > 0.75
    assert (lengths > 700).mean() > 0.02  # the tail


def test_answers_stand_anywhere_and_on_borders(everything: Drawn) -> None:
    places = [(one.start / len(p.text), one) for p, asked in everything for one in asked]
    tenths = np.histogram([place for place, _ in places], 10, (0, 1))[0] / len(places)
    assert tenths.min() > 0.04 and tenths.max() < 0.2
    ends = [(one.start, one.start + len(one.answer) - 1) for _, one in places]
    straddling = np.mean([start // WINDOW != end // WINDOW for start, end in ends])
    assert straddling > 0.015
    assert max(len(one.answer) for _, one in places) > 20
    assert any(" " in one.answer for _, one in places)  # names in Latin letters
    assert any("," in one.answer for _, one in places)
    again = [p.text.count(one.answer) > 1 for p, asked in everything for one in asked]
    assert np.mean(again) > 0.01
    first = [p.text.index(q.answer) < q.start for p, asked in everything for q in asked]
    assert any(first)  # not always the first place is the right one


def test_names_stand_apart_from_answers(everything: Drawn) -> None:
    distances = [one.statement.distance for _, asked in everything for one in asked]
    assert np.mean([distance > 0 for distance in distances]) > 0.35
    assert max(distances) >= 4
    others = [one.statement.entity != p.names[0] for p, asked in everything for one in asked]
    assert 0.25 < np.mean(others) < 0.6


def test_rare_characters_are_new_to_who_learnt(drawn: dict[str, Drawn]) -> None:
    train = Counter("".join(paragraph.text for paragraph, _ in drawn["train"]))
    test = set("".join(paragraph.text for paragraph, _ in drawn["test"]))
    assert len(train) > 1200
    assert len(test - set(train)) > 60
    assert sum(count == 1 for count in train.values()) > 60
