"""The encoder: what it reads, its loop's batches, and where it comes from."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from mlspring.core.errors import DataError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.homeworks.hw09_explain.spec import SPEC
from mlspring.homeworks.hw09_explain.text import train as loop
from mlspring.homeworks.hw09_explain.text.encoder import (
    SPECIAL,
    ReadingNet,
    encode,
    own_config,
    own_tokenizer,
)
from mlspring.homeworks.hw09_explain.text.explain import open_encoder
from mlspring.homeworks.hw09_explain.text.given import given, untrained
from mlspring.kit import checkpoint
from mlspring.kit.bert import new_bert
from mlspring.kit.device import Hardware
from tests.tiny.explained import SMALL

CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=False)
TEXT, QUESTION = "小明在夜市買了兩斤蘋果。", "誰買了蘋果？"


def recipe(*more: str) -> Recipe:
    return load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "all.toml", [*SMALL, *more])


def test_a_sequence_knows_its_parts_and_its_places() -> None:
    one = encode(own_tokenizer(), TEXT, QUESTION)
    assert one.names == ["[CLS]", *QUESTION, "[SEP]", *TEXT, "[SEP]"]
    assert one.parts.tolist() == [0, *[1] * 6, 0, *[2] * 12, 0]
    assert one.segments.tolist() == [*[0] * 8, *[1] * 13]
    inside = one.inside(TEXT.index("蘋"), TEXT.index("蘋") + 2)
    assert [name for name, yes in zip(one.names, inside, strict=True) if yes] == ["蘋", "果"]
    alone = encode(own_tokenizer(), TEXT)
    assert alone.names == ["[CLS]", *TEXT, "[SEP]"]
    assert alone.segments.tolist() == [0] * 14


def test_an_encoder_of_homework_7_is_told_what_question_and_text_share() -> None:
    one = encode(own_tokenizer(), TEXT, QUESTION, match=True)
    marks = dict(zip(one.names[8:], one.segments.tolist()[8:], strict=True))
    assert (marks["明"], marks["買"], marks["蘋"], marks["。"]) == (1, 3, 3, 1)


def test_a_text_too_long_is_told() -> None:
    with pytest.raises(DataError, match="a text of 14 tokens"):
        encode(own_tokenizer(), TEXT, most=13)


def test_a_batch_hides_a_share_and_keeps_the_answers_places() -> None:
    tokenizer = own_tokenizer()
    batch = loop.draw_batch(tokenizer, "train", 1, 64, 0.15, 0)
    hidden = batch.names != loop.NO_TARGET
    words = batch.ids >= len(SPECIAL)
    assert 0.12 < hidden.sum() / (hidden | words).sum() < 0.18
    masked = batch.ids[hidden] == SPECIAL.index("[MASK]")
    kept = batch.ids[hidden] == batch.names[hidden]
    assert 0.7 < masked.float().mean() < 0.9
    assert 0.04 < kept.float().mean() < 0.2
    asked = batch.ends[:, 0] != loop.NO_TARGET
    assert asked.tolist() == [row % 4 != 0 for row in range(64)]
    assert (batch.segments.amax(1) == asked).all(), "a text alone is all in segment 0"
    whole = loop.draw_batch(tokenizer, "train", 1, 64, 0.0, 0)
    assert (whole.names == loop.NO_TARGET).all()
    for row in range(64):
        text = loop.draw_text(0, "train", 64 + row)
        start, end = whole.ends[row].tolist()
        found = [tokenizer.id_to_token(k) for k in whole.ids[row, start : end + 1].tolist()]
        assert "".join(found) == text.answer
    again = loop.draw_batch(tokenizer, "train", 1, 64, 0.15, 0)
    assert torch.equal(again.ids, batch.ids)
    assert not torch.equal(
        loop.draw_batch(tokenizer, "train", 2, 64, 0.15, 0).ids[:, :9], batch.ids[:, :9]
    )


def test_the_first_steps_read_sentences_alone() -> None:
    knobs = recipe("text.alone=2", "text.steps=3")
    first, third = (loop.batch_of(own_tokenizer(), step, knobs, 0) for step in (2, 3))
    assert len(first.ids) == 4 * len(third.ids) == 16
    assert (first.ends == loop.NO_TARGET).all()
    assert first.segments.max() == 0
    stops = own_tokenizer().token_to_id("。")
    whole = torch.where(first.names == loop.NO_TARGET, first.ids, first.names)
    assert ((whole == stops).sum(1) == 1).all(), "one sentence each"
    assert first.ids.shape[1] < third.ids.shape[1]
    vocabulary = own_tokenizer().get_vocab_size()
    names, ends = torch.zeros(*first.ids.shape, vocabulary), torch.zeros(16, 2, first.ids.shape[1])
    assert loop.loss_of(names, ends, first).item() == pytest.approx(np.log(vocabulary), rel=1e-5)


def test_the_loss_is_that_of_hidden_tokens_and_of_ends() -> None:
    batch = loop.draw_batch(own_tokenizer(), "train", 1, 8, 0.15, 0)
    vocabulary = own_tokenizer().get_vocab_size()
    names, ends = torch.zeros(*batch.ids.shape, vocabulary), torch.zeros(8, 2, batch.ids.shape[1])
    expected = np.log(vocabulary) + np.log(batch.ids.shape[1])
    assert loop.loss_of(names, ends, batch).item() == pytest.approx(expected, rel=1e-5)
    asked = batch.ends[:, 0] != loop.NO_TARGET
    ends[asked] = torch.nn.functional.one_hot(batch.ends[asked], ends.shape[2]) * 50.0
    assert loop.loss_of(names, ends, batch).item() == pytest.approx(np.log(vocabulary), rel=1e-5)
    assert loop.right(ends, batch).tolist() == [1.0] * 6


def write_own(file: Path, seed: int = 0) -> ReadingNet:
    """Write an encoder as a run of homework 9 does."""
    torch.manual_seed(seed)
    model = ReadingNet(own_config(recipe().text))
    about = {"config": own_config(recipe().text), "tokenizer": own_tokenizer().to_str()}
    checkpoint.save_weights(file, model, about | {"accuracy": 0.25})
    return model


def test_what_is_read_is_what_was_saved_and_attention_adds_up(tmp_path: Path) -> None:
    model = write_own(tmp_path / "member-1.safetensors").eval()
    encoder = given(str(tmp_path / "member-1.safetensors"), None, CPU)
    assert encoder.told["accuracy"] == 0.25
    one = encoder.encode(TEXT, QUESTION)
    vectors, attention = encoder.states(one)
    assert vectors.shape == (3, 21, 8)
    assert attention.shape == (2, 2, 21, 21)
    assert torch.allclose(attention.sum(3), torch.ones(2, 2, 21), atol=1e-5)
    with torch.no_grad():
        ids, segments = one.ids[None], one.segments[None]
        whole = model.bert(ids, ids.ne(0), segments).last_hidden_state[0]
    assert torch.allclose(vectors[-1], whole, atol=1e-5)


def test_an_encoder_of_homework_7_and_a_run_s_folder_are_read(tmp_path: Path) -> None:
    config = own_config(recipe().text) | {"convolution": 5, "type_vocab_size": 4}
    bert = new_bert(config)
    holder = torch.nn.Module()
    holder.bert, holder.span = bert, torch.nn.Linear(8, 2)
    folder = tmp_path / "hw07" / "strong"
    about = {"config": config, "tokenizer": own_tokenizer().to_str(), "exact_match": 0.5}
    (folder / "checkpoints").mkdir(parents=True)
    checkpoint.save_weights(folder / "checkpoints" / "member-0.safetensors", holder, about)
    encoder = given("strong", tmp_path / "hw07", CPU)
    assert encoder.told["accuracy"] == 0.5
    assert encoder.encode(TEXT, QUESTION).segments.max() == 3
    found = encoder.bert.embeddings.neighbours.weight
    assert torch.equal(found, bert.embeddings.neighbours.weight)


def write_saved(folder: Path) -> BertModel:
    """Write a BERT as transformers does, with a tokenizer of its own."""
    names = [*SPECIAL, *"小明在夜市買了兩斤蘋果。誰？"]
    config = BertConfig(
        vocab_size=len(names),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=40,
    )
    torch.manual_seed(1)
    model = BertModel(config, add_pooling_layer=False)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    told = {"tokenizer_class": "BertTokenizer", "do_lower_case": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return model


def test_a_bert_in_a_folder_is_read(tmp_path: Path) -> None:
    model = write_saved(tmp_path / "bert").eval()
    encoder = given(str(tmp_path / "bert"), None, CPU)
    assert encoder.told == {"name": "bert", "accuracy": None, "parameters": model.num_parameters()}
    one = encoder.encode(TEXT)
    assert one.names == ["[CLS]", *TEXT, "[SEP]"]
    with torch.no_grad():
        whole = model(one.ids[None], token_type_ids=one.segments[None]).last_hidden_state[0]
    assert torch.allclose(encoder.states(one)[0][-1], whole, atol=1e-5)
    fresh = untrained(encoder, 3, CPU)
    assert fresh.states(one)[0].shape == (2, 14, 8)
    assert not torch.allclose(fresh.states(one)[0], encoder.states(one)[0], atol=1e-2)


def test_what_cannot_be_an_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such model"):
        given("bert-base-chinese", tmp_path, CPU)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="cannot be read as a BERT"):
        given(str(tmp_path / "empty"), None, CPU)
    (tmp_path / "broken.safetensors").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="holds no encoder"):
        given(str(tmp_path / "broken.safetensors"), None, CPU)
    checkpoint.save_weights(tmp_path / "other.safetensors", torch.nn.Linear(2, 2), {"mean": 0.5})
    with pytest.raises(DataError, match="holds no encoder"):
        given(str(tmp_path / "other.safetensors"), None, CPU)
    write_saved(tmp_path / "bert")
    told = json.loads((tmp_path / "bert" / "config.json").read_text())
    (tmp_path / "bert" / "config.json").write_text(json.dumps(told | {"model_type": "gpt2"}))
    with pytest.raises(DataError, match="another architecture"):
        given(str(tmp_path / "bert"), None, CPU)


def test_an_encoder_is_trained_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path / "home"))
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        run = Run(tmp_path / name, Request(homework="hw09", recipe="all"))
        run.log(member=0, step=3, train__loss=1.0)
        keeps = recipe("network.keep=true", "text.steps=4")
        encoder, num_seen = open_encoder(keeps, None, run, CPU)
        assert num_seen == (16 if name == "a" else 0)
        found.append(encoder.bert.state_dict())
        assert next(iter(run.read_log()))["member"] == 0, "the pictures' log stays"
        assert {entry["member"] for entry in run.read_log()} == {0, 1}
        run.close()
        monkeypatch.setattr(loop, "draw_batch", None)  # the second one trains nothing
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])
