"""Sequences of homework 7: what a step reads, and in which order."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.homeworks.hw07_reading.batches import BucketedBatches, Reader, joined
from mlspring.homeworks.hw07_reading.tokens import SPECIAL, UNK, Tokenizer, vocabulary
from mlspring.kit.bert import shared
from tests.homeworks.hw07.tools import load, read

WORDS = vocabulary(["王小明生於1918年 Taipei" * 2, "鱻"], 2)
TOKENS = Tokenizer.of(WORDS)


def names(ids: object) -> list[str]:
    return [TOKENS.token(number) for number in np.asarray(ids).tolist()]


def test_the_vocabulary_has_frequent_characters_and_continuations_of_words() -> None:
    assert WORDS[: len(SPECIAL)] == list(SPECIAL)
    assert {"王", "1", "##1", "T", "##T"} <= set(WORDS)
    assert not {"鱻", "##王", " "} & set(WORDS)
    assert vocabulary(["鱻", "王小明生於1918年 Taipei" * 2], 2) == WORDS, "in any order of texts"


def test_a_character_without_a_place_is_unknown_and_a_word_is_cut_into_pieces() -> None:
    (encoded,) = TOKENS.encode(["鱻王19a"])
    assert names(encoded.ids) == [UNK, "王", "1", "##9", "##a"]
    assert encoded.offsets.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]]


def test_a_sequence_is_question_and_window_with_what_they_share_marked() -> None:
    question, window, short = (one.ids for one in TOKENS.encode(["小明鱻", "王小明鱻生", "年"]))
    batch = joined([(question, window), (question[:0], short)], TOKENS, match=True)
    assert names(batch.ids[0]) == [
        *("[CLS]", "小", "明", UNK, "[SEP]", "王", "小", "明", UNK, "生", "[SEP]")
    ]
    assert batch.segments[0].tolist() == [0, 0, 0, 0, 0, 1, 3, 3, 1, 1, 1]
    assert names(batch.ids[1][:3]) == ["[CLS]", "年", "[SEP]"]
    assert batch.ids[1][3:].tolist() == [0] * 8
    assert batch.firsts.tolist() == [5, 1]
    unmarked = joined([(question, window)], TOKENS, match=False)
    assert unmarked.segments.max() == 1


def test_what_question_and_window_share_alone_or_with_a_neighbour() -> None:
    question, window = np.array([7, 8, 9, 1, 5]), np.array([8, 7, 8, 6, 9, 1, 5, 1])
    assert shared(question, window, (1,)).tolist() == [1, 2, 2, 0, 1, 0, 1, 0]
    assert shared(question[:0], window, (1,)).tolist() == [0] * 8
    assert shared(question, window[:0], (1,)).tolist() == []


def test_the_answer_s_tokens_are_found_and_a_long_question_keeps_its_end(tmp_path: Path) -> None:
    data, recipe = read(tmp_path / "data"), load("window.question=5")
    tokens = Tokenizer.of(vocabulary(data.train.paragraphs, 1))
    reader = Reader.of(data.train, tokens, recipe.window, match=True)
    texts = data.train.paragraphs
    for row, (first, last) in enumerate(reader.spans):
        offsets = reader.paragraph_of(row).offsets
        text = texts[data.train.paragraph_ids[row]][offsets[first, 0] : offsets[last, 1]]
        assert text == data.train.answers[row]
    assert tokens.encode([data.train.questions[0]])[0].ids[-5:].tolist() == (
        reader.questions[0].tolist()
    )


@pytest.mark.parametrize(("count", "size"), [(40, 4), (7, 3), (2, 8), (100, 5)])
def test_an_epoch_visits_each_question_at_most_once_in_batches_of_like_lengths(
    count: int, size: int
) -> None:
    lengths = torch.from_numpy(np.random.default_rng(0).integers(10, 99, count))
    rows = torch.arange(count) + 1000
    order = BucketedBatches(rows, lengths, size, seed=3)
    num_batches = round(1 / order.epochs(1))
    epoch = [order.rows(step) for step in range(1, num_batches + 1)]
    seen = [row for batch in epoch for row in batch]
    assert len(set(seen)) == len(seen) == num_batches * order.size
    assert set(seen) <= set(rows.tolist())
    again = BucketedBatches(rows, lengths, size, seed=3)
    assert again.rows(num_batches) == epoch[-1], "a step is known without those before it"
    later = [order.rows(num_batches + step) for step in range(1, num_batches + 1)]
    assert epoch != later or count < size, "an epoch has an order of its own"


def test_batches_of_like_lengths_have_little_padding() -> None:
    lengths = torch.from_numpy(np.random.default_rng(0).integers(10, 200, 512))
    order = BucketedBatches(torch.arange(512), lengths, 16, seed=0)
    padded = [lengths[order.rows(step)].max().item() * 16 for step in range(1, 33)]
    assert sum(padded) < 1.15 * lengths.sum().item()
