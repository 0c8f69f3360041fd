"""The grammar of the reading paragraphs: enough forms, sound slots, values as they are written."""

import re
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from mlspring.worlds.reading.grammar import Relation, Slot, Topic, flatten, topics, type_of, words
from mlspring.worlds.reading.names import Names, is_kind, owner
from mlspring.worlds.reading.values import chinese, date, number

SLOT = re.compile(r"\{([^}]*)\}")
RELATIONS = [(topic, relation) for topic in topics() for relation in topic.relations]
NAMED = [pytest.param(t, r, id=f"{t.name}.{r.key}") for t, r in RELATIONS]
COUNTED = ("year", "date", "number", "people", "money", "month")


def known(slot: str, topic: Topic) -> bool:
    kind = slot.partition(":")[0]
    return kind in COUNTED or is_kind(kind) or kind in words() or bool(topic.choices(kind))


@pytest.mark.parametrize(("topic", "relation"), NAMED)
def test_every_fact_has_six_forms_and_five_questions(topic: Topic, relation: Relation) -> None:
    assert len(set(relation.forms)) >= 6
    assert len(set(relation.questions)) >= 5
    for question in (*relation.questions, *relation.questions_rest):
        assert question.count("{N}") == 1
        assert not any(question in form or form in question for form in relation.forms)


@pytest.mark.parametrize(("topic", "relation"), NAMED)
def test_every_form_has_one_answer_and_known_slots(topic: Topic, relation: Relation) -> None:
    rng = np.random.default_rng(0)
    proportions = {"part", "more"} if relation.type.startswith(("number", "money")) else set()
    for form in relation.forms:
        for slot in SLOT.findall(form):
            plain = slot in {"S", "O", "G", "N", "K", "V"} | proportions
            assert plain or known(slot, topic), slot
            if ":+" in slot:
                assert relation.type == "date"  # years that count from the answer's
        for _ in range(20):
            slots = [piece.name for piece in flatten(form, rng) if isinstance(piece, Slot)]
            assert slots.count("V") == 1
            assert set(slots) & {"S", "O", "G", "N"}
            assert not relation.opening or slots.count("N") == 1


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_a_topic_has_fillers_siblings_and_rivals_of_a_type(topic: Topic) -> None:
    assert len(set(topic.fillers)) >= 12
    assert len(set(topic.siblings)) >= 4
    for form in topic.siblings:
        assert "{N}" in form and "{M}" in form
    for form in (*topic.fillers, *topic.siblings):
        for slot in SLOT.findall(form):
            assert slot in ("S", "O", "G", "N", "M") or known(slot, topic), slot
    assert sum(relation.opening for relation in topic.relations) == 1
    types = Counter(relation.type for relation in topic.relations)
    assert types["date"] >= 2 or types["person"] >= 2  # values that could be mistaken


def test_a_question_asks_for_one_relation() -> None:
    for topic in topics():
        for one, other in combinations(topic.relations, 2):
            assert not set(one.questions) & set(other.questions)


def test_choices_are_made_and_slots_kept() -> None:
    rng = np.random.default_rng(0)
    made = {
        "".join(piece.name if isinstance(piece, Slot) else piece for piece in pieces)
        for pieces in (flatten("[甲{S}|乙|]丙{date:0..3}", rng) for _ in range(60))
    }
    assert made == {"甲S丙date:0..3", "乙丙date:0..3", "丙date:0..3"}


def test_types_join_what_could_be_mistaken() -> None:
    assert type_of("year:0..3") == type_of("date:1..9") == "date"
    assert type_of("people:3..90") == type_of("number:20..30 人") != type_of("number:20..30 天")
    assert type_of("list:product") == "list of product"


@pytest.mark.parametrize(("count", "text"), [(1, "一"), (10, "十"), (12, "十二"), (30, "三十")])
def test_numbers_in_chinese(count: int, text: str) -> None:
    assert chinese(count) == text


def test_numbers_keep_their_bounds_and_unit() -> None:
    rng = np.random.default_rng(0)
    written = [number(12, 90_000, "名", "number of 名", rng) for _ in range(400)]
    for value in written:
        assert 10 <= value.count <= 90_000 and value.text.endswith("名")
        ten_thousands, _, rest = value.text[:-1].rpartition("萬")
        digits = rest.replace(",", "") or "0"
        if digits.isdigit():
            shown = int(ten_thousands or 0) * 10_000 + int(digits)
            assert value.count - 10_000 < shown <= value.count
    assert any("," in value.text for value in written)
    assert any("萬" in value.text for value in written)


def test_a_year_is_the_head_of_its_date_in_every_calendar() -> None:
    rng = np.random.default_rng(0)
    eras = {"光緒": 1874, "明治": 1867, "大正": 1911, "昭和": 1925, "民國": 1911}
    seen = set()
    for _ in range(3000):
        year = int(rng.integers(1870, 2000))
        value = date(year, rng, whole=True)
        head = value.text[: value.year]
        assert head.endswith("年") and value.common_era == year
        era = head[:2] if head[:2] in eras else ""
        seen.add(era)
        count = head[len(era) : -1].replace("元", "1")
        if era != "光緒":
            assert int(count) + eras.get(era, 0) == year
        else:
            assert count.replace("1", "一") == chinese(year - eras[era])
    assert seen == {"", *eras}


def test_names_belong_to_one_split_and_hold_no_other() -> None:
    kinds = ("person", "place", "school", "company", "work", "treaty", "latin_title", "river")
    for split in ("train", "dev", "test"):
        names = Names(split, np.random.default_rng(0))
        drawn = [names.draw(kind) for kind in kinds for _ in range(12)]
        assert len({one.name for one in drawn}) == len(drawn)
        for one, other in combinations(drawn, 2):
            assert one.name not in other.name and other.name not in one.name
        for one in drawn:
            assert owner(one.name) == split
            assert not one.latin or owner(one.latin) == split


def test_an_impossible_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlspring.worlds.reading.names.MAX_TRIES", 0)
    with pytest.raises(ValueError, match="no new name of kind person is found for dev"):
        Names("dev", np.random.default_rng(0)).draw("person")
