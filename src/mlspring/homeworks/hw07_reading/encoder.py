"""The encoder below the span head: ours, pre-trained once and kept, or a BERT that is given.

home()/encoders/1f0c9a77d2e4b861/     hash of its knobs and of the texts
    checkpoints/member-0.safetensors  weights; a resumable state while it is in training
    log.jsonl                         its learning curve
    encoder.json                      what it is and what it cost: written last
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import home, read_json, sha256, write_json
from mlspring.core.kept import kept
from mlspring.core.progress import say
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw07_reading.data import Data
from mlspring.homeworks.hw07_reading.models import SPECIALS, MaskedNet, config_of
from mlspring.homeworks.hw07_reading.pretrain import loop_of, pretrain
from mlspring.homeworks.hw07_reading.recipe import Recipe, WindowKnobs
from mlspring.homeworks.hw07_reading.tokens import Tokenizer, vocabulary
from mlspring.kit import checkpoint
from mlspring.kit.bert import new_bert
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks

VERSION = 1  # of the way that an encoder is made and kept; part of its folder's name
FEWEST = 2  # times that a character must occur to be in the vocabulary
OTHERS = "bert-base-chinese, hfl/chinese-macbert-large and hfl/chinese-roberta-wwm-ext are BERTs"


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A pre-trained BERT without a head.

    Args:
        config: values of its ``BertConfig``.
        tokenizer: of its vocabulary.
        weights: of its ``BertModel``.
        told: name, parameters, vocabulary; of ours also steps, seconds, its loss and its curve.
    """

    config: dict[str, Any]
    tokenizer: Tokenizer
    weights: Mapping[str, Tensor]
    told: dict[str, Any]


def open_encoder(recipe: Recipe, data: Data, hardware: Hardware, ranks: Ranks) -> Encoder:
    """Return the encoder of a recipe; one of ours is made by the first process that needs it.

    Of several processes that ask at once one works and the others wait. A pre-training that was
    stopped goes on where it stood.

    Raises:
        DataError: the given model is no BERT, reads too few tokens, or holds no safe weights.
        MachineError: the hub cannot be reached.
        RunError: the kept weights are damaged.
    """
    if recipe.encoder.source == "given":
        if ranks.is_main:  # the first fetches what the others find
            given(recipe)
        ranks.wait()
        return given(recipe)
    folder = folder_of(recipe, data)
    made = folder / "encoder.json"
    if ranks.is_main and not made.exists():
        request = Request(homework="hw07", recipe="encoder")
        with kept(folder, request, doing="pre-training the encoder") as run:
            if not made.exists():
                _make(recipe, data, run, hardware)
    ranks.wait()
    return _kept(folder)


def folder_of(recipe: Recipe, data: Data) -> Path:
    """Return where an encoder of ours is kept, whether or not it is there yet."""
    loop = loop_of(recipe).model_dump(exclude={"checkpoint_seconds", "validate_every"})
    parts = [VERSION, recipe.encoder.model_dump(), recipe.pretrain.model_dump(), loop]
    parts += [recipe.window.question, recipe.window.length]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for texts in (data.train.paragraphs, data.train.questions, data.dev.paragraphs):
        digest.update(json.dumps(texts).encode())
    return home() / "encoders" / digest.hexdigest()[:16]


def _make(recipe: Recipe, data: Data, run: Run, hardware: Hardware) -> None:
    """Pre-train an encoder in the folder of ``run`` and write what it is."""
    words = vocabulary([*data.train.paragraphs, *data.train.questions], FEWEST)
    tokenizer = Tokenizer.of(words)
    config = config_of(recipe.encoder, recipe.window, tokenizer.size)
    texts = tokenizer.encode(data.train.paragraphs), tokenizer.encode(data.dev.paragraphs)
    measured = pretrain(run, recipe, config, tokenizer, texts, hardware)
    keys = ("step", "train/loss", "valid/loss", "valid/accuracy")
    curve = [[entry[key] for key in keys] for entry in run.read_log()]
    told = {"name": f"ours, {recipe.pretrain.masking}", **_sizes(config), **measured}
    told |= {"curve": curve, "sha256": sha256(weights_path(run, 0))}
    content = {"config": config, "tokenizer": tokenizer.text, "told": told}
    write_json(run.folder / "encoder.json", content)
    say(f"encoder: names {measured['valid__accuracy']:.3f} of hidden tokens, kept in {run.folder}")


def _kept(folder: Path) -> Encoder:
    content = read_json(folder / "encoder.json")
    model = MaskedNet(content["config"])
    file = folder / "checkpoints" / "member-0.safetensors"
    fix = f"remove {folder}; the next run pre-trains the encoder anew"
    checkpoint.load_weights(file, model, fix=fix)
    return Encoder(
        config=content["config"],
        tokenizer=Tokenizer(content["tokenizer"]),
        weights=model.bert.state_dict(),
        told=content["told"],
    )


def given(recipe: Recipe) -> Encoder:
    """Return a BERT in a local folder, or on the hub when that can be reached; errors as above."""
    from transformers import AutoConfig, AutoTokenizer, BertModel

    name, local = recipe.encoder.name, Path(recipe.encoder.name).expanduser().is_dir()
    place = str(Path(name).expanduser()) if local else name
    try:
        config = AutoConfig.from_pretrained(place)
        demand_bert(config.model_type, config.max_position_embeddings, name, recipe.window)
        tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True)
        model = BertModel.from_pretrained(place, add_pooling_layer=False, use_safetensors=True)
    except (OSError, ValueError) as error:
        found = f"cannot be used as an encoder ({str(error).splitlines()[0]})"
        if local:
            expected = "config.json, model.safetensors and the tokenizer's files"
            fix = "save it with transformers' save_pretrained; weights in pickles are never read"
            raise DataError(found, file=name, expected=expected, fix=fix) from error
        fix = "download the model elsewhere and give its folder: --set encoder.name=FOLDER"
        raise MachineError(f"{name!r} {found}", fix=fix) from error
    values = config_of(recipe.encoder, recipe.window, config.vocab_size)
    del values["convolution"]
    values |= {key: getattr(config, key) for key in values if "dropout" not in key}
    values |= {"attention_probs_dropout_prob": recipe.encoder.dropout, "convolution": 0}
    return Encoder(
        config=values,
        tokenizer=Tokenizer(tokenizer.backend_tokenizer.to_str()),
        weights=model.state_dict(),
        told={"name": name, **_sizes(values)},
    )


def demand_bert(kind: str, positions: int, name: str, window: WindowKnobs) -> None:
    """Do nothing where a model is a BERT that reads a whole sequence.

    Raises:
        DataError: it is not.
    """
    if kind != "bert":
        found = f"is a model of another architecture, {kind!r}"
        raise DataError(found, file=name, expected="a BERT", fix=f"choose another: {OTHERS}")
    if positions < (most := window.question + window.length + SPECIALS):
        found, expected = f"reads {positions} tokens at once", f"{most} or more, for this recipe"
        raise DataError(found, file=name, expected=expected, fix="--set window.length=N, smaller")


def _sizes(config: Mapping[str, Any]) -> dict[str, int]:
    parameters = sum(weights.numel() for weights in new_bert(config).parameters())
    return {"parameters": parameters, "vocabulary": int(config["vocab_size"])}
