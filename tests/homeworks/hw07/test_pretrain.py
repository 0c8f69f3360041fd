"""Masked language modelling of homework 7: what is hidden, and what has a loss."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mlspring.homeworks.hw07_reading import pretrain
from mlspring.homeworks.hw07_reading.batches import joined
from mlspring.homeworks.hw07_reading.models import MaskedNet, ReadingNet, config_of
from mlspring.homeworks.hw07_reading.tokens import Tokenizer, vocabulary
from tests.homeworks.hw07.tools import load, read


@pytest.fixture
def tokens(tmp_path: Path) -> tuple[Tokenizer, list[np.ndarray]]:
    data = read(tmp_path / "data")
    made = Tokenizer.of(vocabulary(data.train.paragraphs, 1))
    return made, [one.ids for one in made.encode(data.train.paragraphs)]


@pytest.mark.parametrize(("share", "span"), [(0.15, 1), (0.15, 3), (0.5, 3)])
def test_about_the_share_is_hidden_alone_or_together(share: float, span: int) -> None:
    rng = np.random.default_rng(0)
    masks = np.array([pretrain.mask_of(rng, 100, share, span) for _ in range(400)])
    assert masks.mean() == pytest.approx(share, abs=0.01)
    runs = np.diff(np.flatnonzero(np.diff(masks[:, span:-span].astype(int), axis=1)))
    together = (masks[:, 1:] & masks[:, :-1]).sum() / masks.sum()
    alone = {1: share, 3: (2 + share) / 3}[span]
    assert together == pytest.approx(alone, abs=0.05)
    assert len(runs)
    assert pretrain.mask_of(rng, 1, 1e-9, 3).tolist() == [True], "never nothing"
    assert pretrain.mask_of(rng, 0, 0.5, 3).tolist() == []


def test_of_hidden_tokens_eight_tenths_are_masked_and_others_stay(
    tokens: tuple[Tokenizer, list[np.ndarray]],
) -> None:
    made, texts = tokens
    ids, rng = np.tile(texts[0], 200), np.random.default_rng(0)
    mask = pretrain.mask_of(rng, len(ids), 0.3, 1)
    noisy = pretrain.with_noise(rng, ids, mask, made)
    assert (noisy[~mask] == ids[~mask]).all()
    assert (noisy[mask] == made.mask).mean() == pytest.approx(0.8, abs=0.02)
    assert (noisy[mask] == ids[mask]).mean() == pytest.approx(0.1, abs=0.02)
    assert noisy.min() > made.unk, "never a special token but [MASK]"


@pytest.mark.parametrize("masking", ["tokens", "spans", "recall"])
def test_targets_are_the_hidden_tokens_in_their_order(
    masking: str, tokens: tuple[Tokenizer, list[np.ndarray]]
) -> None:
    made, texts = tokens
    recipe = load(f"pretrain.masking={masking}")
    batch = pretrain.hide(texts, recipe, made, 16, (0, "test"))
    again = pretrain.hide(texts, recipe, made, 16, (0, "test"))
    assert torch.equal(batch.ids, again.ids)
    assert not torch.equal(batch.ids, pretrain.hide(texts, recipe, made, 16, (1, "test")).ids)
    whole = batch.ids.clone()
    whole[batch.hidden] = batch.targets
    for row, sequence in enumerate(whole.tolist()):
        kept = [number for number in sequence if number]
        first = kept.index(made.sep) + 1 if masking == "recall" else 1
        window = kept[first:-1]
        assert any(
            window == text[k : k + len(window)].tolist()
            for text in texts
            for k in range(len(text) - len(window) + 1)
        )
        if masking == "recall":
            phrase = kept[1 : first - 1]
            assert any(phrase == window[k : k + len(phrase)] for k in range(len(window)))
            assert batch.hidden[row, 1:first].any()
    inside = batch.ids[batch.hidden]
    assert made.sep not in inside and made.cls not in inside and made.pad not in inside


def test_only_hidden_tokens_have_a_loss_and_the_names_come_from_the_word_embedding(
    tokens: tuple[Tokenizer, list[np.ndarray]],
) -> None:
    made, texts = tokens
    recipe = load()
    config = config_of(recipe.encoder, recipe.window, made.size)
    model = MaskedNet(config).eval()
    batch = pretrain.hide(texts, recipe, made, 4, (0, "test"))
    logits = model(batch.ids, batch.segments, batch.hidden)
    assert logits.shape == (int(batch.hidden.sum()), made.size)
    states = model.bert(batch.ids, batch.ids.ne(0), batch.segments).last_hidden_state
    words = model.bert.embeddings.word_embeddings.weight
    expected = model.transform(states[batch.hidden]) @ words.T + model.bias
    assert torch.allclose(logits, expected, atol=1e-5)


def test_padding_changes_no_score(tokens: tuple[Tokenizer, list[np.ndarray]]) -> None:
    made, texts = tokens
    recipe = load()
    torch.manual_seed(0)
    model = ReadingNet(config_of(recipe.encoder, recipe.window, made.size)).eval()
    short, long = (texts[0][:4], texts[0][:9]), (texts[1][:8], texts[1][:25])
    alone = joined([short], made, match=True)
    padded = joined([short, long], made, match=True)
    length = alone.ids.shape[1]
    one, both = model(alone.ids, alone.segments), model(padded.ids, padded.segments)
    assert torch.allclose(one[0], both[0, :, :length], atol=1e-5)
    assert (both[0, :, length:] < -1000).all()


def test_positions_begin_as_waves_that_tell_neighbours_from_strangers() -> None:
    recipe = load("encoder.width=64", "encoder.heads=4")
    model = ReadingNet(config_of(recipe.encoder, recipe.window, 50))
    waves = model.bert.embeddings.position_embeddings.weight.detach()
    likeness = torch.nn.functional.cosine_similarity(waves[10:11], waves)
    assert likeness.argmax() == 10
    assert likeness[11] == pytest.approx(likeness[9].item(), abs=1e-5)
    assert likeness[11] > likeness[20] > 0
