"""The encoder of homework 7: made once and kept, or given as a folder."""

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast, DistilBertConfig

from mlspring.core.errors import DataError, MachineError, RecipeError, RunError
from mlspring.core.files import home, read_json
from mlspring.homeworks.hw07_reading import encoder
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from tests.homeworks.hw07.tools import go, load, read
from tests.homeworks.stops import stopped_at


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data; runs on it draw no figures."""
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    read(tmp_path / "data")
    return tmp_path / "data"


def kept() -> list[Path]:
    return sorted((home() / "encoders").glob("*/encoder.json"))


def test_an_encoder_is_pretrained_once_for_all_runs_and_its_cost_is_stated(folder: Path) -> None:
    first = go(folder)
    (file,) = kept()
    made = file.stat().st_mtime_ns
    second = go(folder, seed=1)
    assert file.stat().st_mtime_ns == made
    assert first.state["encoders"] == second.state["encoders"]
    told = read_json(file)["told"]
    assert told["steps"] == 6
    assert told["seconds"] >= 0
    assert told["vocabulary"] == len(json.loads(read_json(file)["tokenizer"])["model"]["vocab"])
    assert first.state["pretrain_seconds_0"] == told.pop("seconds")
    assert checkpoint.read_metadata(weights_path(first, 0))["encoder"] == told
    assert not list(file.parent.rglob("*.part"))
    assert not list(file.parent.rglob("*.state.safetensors"))


def test_other_numbers_or_other_texts_make_another_encoder(folder: Path) -> None:
    data, recipe = read(folder), load()
    places = {
        encoder.folder_of(recipe, data),
        encoder.folder_of(load("pretrain.steps=7"), data),
        encoder.folder_of(load("pretrain.masking=recall"), data),
        encoder.folder_of(load("encoder.width=8"), data),
        encoder.folder_of(load("window.length=20"), data),
    }
    assert len(places) == 5
    for same in ("train.steps=9", "train.learning_rate=0.5", "span.rule=joint", "window.stride=3"):
        assert encoder.folder_of(load(same), data) in places, same
    data.train.paragraphs[0] += "。"
    assert encoder.folder_of(recipe, data) not in places


def test_a_stopped_pretraining_goes_on_where_it_stood(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(folder)
    whole = (kept()[0].parent / "checkpoints" / "member-0.safetensors").read_bytes()
    monkeypatch.setenv("MLSPRING_HOME", str(folder.parent / "other"))
    with stopped_at(3, monkeypatch) as steps:
        go(folder)
    assert steps == [1, 2, 3]
    assert not kept()
    go(folder)
    again = kept()[0].parent / "checkpoints" / "member-0.safetensors"
    assert again.read_bytes() == whole


def test_a_damaged_encoder_is_told(folder: Path) -> None:
    go(folder)
    weights = kept()[0].parent / "checkpoints" / "member-0.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(RunError, match=r"(?s)cannot be read as safetensors.*remove .*anew"):
        go(folder)


def write_bert(place: Path, words: list[str]) -> Path:
    """Write a small BERT as ``save_pretrained`` does; return its folder."""
    place.mkdir()
    (place / "words.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(place / "words.txt"))
    tokenizer.save_pretrained(place)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(place)
    return place


GIVEN = ("encoder.source=given", "encoder.match=false")
WORDS = [*("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), *"王小明陳美玲生於年住在市花蓮"]


def test_a_bert_in_a_folder_is_fine_tuned_with_its_own_vocabulary(folder: Path) -> None:
    place = write_bert(folder.parent / "bert", WORDS)
    run = go(folder, *GIVEN, f"encoder.name='{place}'")
    told = checkpoint.read_metadata(weights_path(run, 0))
    assert told["config"]["vocab_size"] == len(WORDS)
    assert told["encoder"]["name"] == str(place)
    assert (run.folder / "result.csv").exists()
    assert not kept(), "nothing is pre-trained"
    given = encoder.given(load(*GIVEN, f"encoder.name='{place}'"))
    expected = BertModel.from_pretrained(place).state_dict()
    assert all(torch.equal(given.weights[name], expected[name]) for name in given.weights)


def test_a_folder_of_another_architecture_is_refused_in_a_sentence(folder: Path) -> None:
    place = folder.parent / "distil"
    DistilBertConfig(dim=16, n_layers=1, n_heads=2, hidden_dim=16).save_pretrained(place)
    with pytest.raises(DataError, match=r"another architecture, 'distilbert'(?s:.)*a BERT"):
        go(folder, *GIVEN, f"encoder.name='{place}'")


def test_a_folder_without_safe_weights_or_with_too_few_positions_is_refused(folder: Path) -> None:
    place = write_bert(folder.parent / "bert", WORDS)
    name = f"encoder.name='{place}'"
    with pytest.raises(DataError, match=r"reads 64 tokens at once; expected 75 or more"):
        go(folder, *GIVEN, name, "window.length=60")
    (place / "model.safetensors").unlink()
    torch.save({}, place / "pytorch_model.bin")
    with pytest.raises(DataError, match=r"cannot be used(?s:.)*pickles are never read"):
        go(folder, *GIVEN, name)
    (place / "config.json").unlink()
    with pytest.raises(DataError, match=r"cannot be used as an encoder"):
        go(folder, *GIVEN, name)


def test_a_hub_that_cannot_be_reached_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MachineError, match=r"no-such/model(?s:.)*encoder\.name=FOLDER"):
        go(folder, *GIVEN, "encoder.name=no-such/model")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("encoder.source=given",), "encoder.name"),
        (("encoder.name=x",), "encoder.name"),
        (("encoder.source=given", "encoder.name=x"), "encoder.match"),
        (("window.stride=31",), "window.stride"),
        (("encoder.heads=3",), "multiple of encoder.heads"),
        (("study.maskings=['spans']",), "one entry an encoder"),
    ],
)
def test_numbers_that_contradict_are_refused(changes: tuple[str, ...], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        load(*changes)
