"""The vocabulary: the same text gives the same bytes, tokens go there and back."""

from pathlib import Path

import pytest

from mlspring.core.errors import DataError, RunError
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw05_translation import data as part
from mlspring.homeworks.hw05_translation import vocabulary
from mlspring.homeworks.hw05_translation.cleaning import clean_chinese, clean_english
from mlspring.homeworks.hw05_translation.vocabulary import BACK, EOS, PAD, UNK, Vocabulary
from tests.homeworks.hw05.tools import folder_of, recipe
from tests.tiny.translation import pairs, write_ted

ENGLISH = [clean_english(english) for english, _ in pairs()]
CHINESE = [clean_chinese(chinese) for _, chinese in pairs()]


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary(vocabulary.trained([*ENGLISH, *CHINESE], 80))


def test_text_goes_to_tokens_and_back(words: Vocabulary) -> None:
    assert words.english(words.encode(ENGLISH)) == [line.lower() for line in ENGLISH]
    assert words.chinese(words.encode(CHINESE)) == [chinese for _, chinese in pairs()]
    assert 20 < len(words) <= 80


def test_special_tokens_have_their_places_and_stand_in_no_text(words: Vocabulary) -> None:
    assert [words.piece(token) for token in (PAD, UNK, EOS)] == ["<pad>", "<unk>", "</s>"]
    assert words.piece(BACK) == "<back>"
    tokens = {token for line in words.encode([*ENGLISH, "<back> </s> <pad>"]) for token in line}
    assert tokens.isdisjoint({PAD, EOS, BACK}), "whoever writes them in a text gets no power"
    assert words.encode(["龘"])[0][-1] == UNK
    assert words.encode([""]) == [[]]


def test_equal_text_gives_equal_bytes(words: Vocabulary) -> None:
    assert vocabulary.trained([*ENGLISH, *CHINESE], 80) == words.content
    assert vocabulary.trained([*ENGLISH, *CHINESE], 70) != words.content


def test_more_characters_than_tokens_is_told() -> None:
    with pytest.raises(DataError, match=r"(?s)no vocabulary of 16 .*--set data\.vocabulary"):
        vocabulary.trained(CHINESE, 16)


def test_it_is_kept_by_its_content(tmp_path: Path, isolated_home: Path) -> None:
    data = part.load(folder_of(write_ted(tmp_path / "ted")), recipe())
    first = vocabulary.open_vocabulary(recipe(), data)
    kept = list((isolated_home / "vocabularies").iterdir())
    assert len(kept) == 1
    again = vocabulary.open_vocabulary(recipe("medium"), data)
    assert again.content == first.content
    vocabulary.open_vocabulary(recipe("simple", "data.vocabulary=70"), data)
    vocabulary.open_vocabulary(recipe("boss"), data)  # Chinese alone is not counted
    assert len(list((isolated_home / "vocabularies").iterdir())) == 2
    kept[0].write_bytes(b"nonsense")
    with pytest.raises(RunError, match="is no SentencePiece model"):
        vocabulary.open_vocabulary(recipe(), data)


def test_a_run_keeps_it(tmp_path: Path, words: Vocabulary) -> None:
    run = Run.create(tmp_path, Request(homework="hw05", recipe="world/simple"), "")
    with run:
        vocabulary.keep(words, run)
        assert vocabulary.of_run(run).content == words.content
        (run.checkpoints / vocabulary.NAME).unlink()
        with pytest.raises(RunError, match="there is no such file"):
            vocabulary.of_run(run)
