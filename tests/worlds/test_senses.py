"""Short texts: answers where they are said to be, both senses in one text, no text twice."""

from collections import Counter

import pytest

from mlspring.worlds.senses import texts
from mlspring.worlds.senses.texts import Text, draw_mentions, draw_text, two_senses


@pytest.fixture(scope="module")
def drawn() -> list[Text]:
    return [draw_text(0, "train", number) for number in range(500)]


def test_the_answer_stands_where_it_is_said_to_be(drawn: list[Text]) -> None:
    for one in drawn:
        assert one.text[one.start : one.start + len(one.answer)] == one.answer
        first, end = one.sentence
        assert first <= one.start < one.start + len(one.answer) <= end
        assert one.text[end - 1] == "。"
        assert first == 0 or one.text[first - 1] == "。"
        assert one.text.count("。") == texts.SENTENCES
        assert one.question.endswith("？")
        assert "{" not in one.text + one.question


def test_a_text_is_a_function_of_seed_split_and_number() -> None:
    assert draw_text(0, "train", 7) == draw_text(0, "train", 7)
    several = [draw_text(s, p, n) for s in (0, 1) for p in texts.SPLITS for n in (7, 8)]
    assert len({one.text for one in several}) == len(several)


def test_no_held_out_text_is_learnt(drawn: list[Text]) -> None:
    learnt = {one.text for one in drawn}
    assert not learnt & {draw_text(0, "valid", number).text for number in range(500)}


def test_many_texts_have_a_word_in_both_senses(drawn: list[Text]) -> None:
    twice = [any(one.text.count(word) > 1 for word in two_senses()) for one in drawn]
    assert 0.4 < sum(twice) / len(twice) < 0.7


def test_every_form_is_asked_about_in_each_of_its_ways() -> None:
    known = texts.words()
    for form in known.forms:
        slots = {slot for slot in (*known.senses, *known.others) if f"{{{slot}}}" in form.text}
        assert {form.about, "name"} <= slots
        assert set(form.questions) <= slots
        for slot, question in form.questions.items():
            assert f"{{{slot}}}" not in question, "a question does not hold its answer"


def test_a_question_has_one_answer(drawn: list[Text]) -> None:
    """What a question names stands together in its own sentence only."""
    for one in drawn:
        first, end = one.sentence
        names = [n for n in texts.words().others["name"] if n in one.question]
        for name in names:
            assert name in one.text[first:end]
            assert one.text.count(name) == 1


def test_mentions_have_their_word_in_two_senses_and_different_sentences() -> None:
    for word, senses in two_senses().items():
        found = draw_mentions(word, 5, 0)
        assert [one.sense for one in found] == [senses[0]] * 5 + [senses[1]] * 5
        assert all(one.text[one.start :].startswith(word) for one in found)
        assert found == draw_mentions(word, 5, 0) != draw_mentions(word, 5, 1)
        forms = {len(texts.words().of(sense)) for sense in senses}
        assert len({one.text for one in found}) >= min(10, 5 + min(forms))


def test_the_vocabulary_has_every_character(drawn: list[Text]) -> None:
    seen = Counter("".join(one.text + one.question for one in drawn))
    assert set(seen) <= set(texts.characters())
