"""An encoder that is given: of a run of homework 9 or 7, or a BERT in a folder. Nothing is fetched.

A run's .safetensors says in its metadata what its ``BertConfig`` and its tokenizer are.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoTokenizer, BertModel

from mlspring.core.errors import DataError, RunError
from mlspring.homeworks.hw09_explain.text.encoder import SPECIAL, Encoder
from mlspring.kit.bert import new_bert
from mlspring.kit.checkpoint import DAMAGE, read_tensors
from mlspring.kit.device import Hardware

EXPECTED = (
    "a folder with config.json, model.safetensors and the tokenizer's files, or a run of hw09 or "
    "hw07, or its .safetensors"
)
TRAIN = "train a small one: --set text.model="


def given(model: str, beside: Path | None, hardware: Hardware) -> Encoder:
    """Return the encoder that ``text.model`` names.

    Args:
        model: a folder, a run's folder, or a .safetensors.
        beside: the folder of the data, where it may also lie.
        hardware: where it will compute.

    Raises:
        DataError: there is no such file, or it is damaged, or no BERT.
    """
    path = Path(model).expanduser()
    if not path.exists() and beside is not None:
        path = beside / model
    if not path.exists():
        fix = f"download the model elsewhere and give its folder, or {TRAIN}"
        raise DataError("there is no such model", file=path, expected=EXPECTED, fix=fix)
    if (path / "checkpoints").is_dir():
        members = [path / "checkpoints" / f"member-{number}.safetensors" for number in (1, 0)]
        path = next((member for member in members if member.exists()), members[0])
    return _saved(path, hardware) if path.is_dir() else of_run(path, hardware)


def of_run(file: Path, hardware: Hardware) -> Encoder:
    """Return the encoder in a run's weights.

    Raises:
        DataError: they are damaged, or hold no encoder.
    """
    try:
        weights, about = read_tensors(file)
        config, tokenizer = about["config"], Tokenizer.from_str(about["tokenizer"])
        bert = new_bert(config)
        bert.load_state_dict(
            {k.removeprefix("bert."): v for k, v in weights.items() if k.startswith("bert.")}
        )
    except (*DAMAGE, KeyError, RunError, RuntimeError) as error:
        found = f"holds no encoder ({str(error).splitlines()[0][:100]})"
        raise DataError(found, file=file, expected=EXPECTED, fix=TRAIN) from error
    accuracy = about.get("accuracy", about.get("exact_match"))
    return opened(bert, config, tokenizer, file.stem, accuracy, hardware)


def _saved(folder: Path, hardware: Hardware) -> Encoder:
    """Return the BERT that transformers saved in a folder; errors as above."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type != "bert":
            raise DataError(f"is another architecture, {config.model_type!r}", file=folder)
        bert = BertModel.from_pretrained(
            folder, add_pooling_layer=False, use_safetensors=True, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, local_files_only=True)
        inner = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    except (OSError, ValueError, AttributeError) as error:
        found = f"cannot be read as a BERT ({str(error).splitlines()[0][:100]})"
        fix = f"save it with transformers' save_pretrained; pickles are never read. Or {TRAIN}"
        raise DataError(found, file=folder, expected=EXPECTED, fix=fix) from error
    values = config.to_dict() | {"convolution": 0}
    return opened(bert, values, inner, folder.name, None, hardware)


def opened(
    bert: BertModel,
    config: Mapping[str, Any],
    tokenizer: Tokenizer,
    name: str,
    accuracy: float | None,
    hardware: Hardware,
) -> Encoder:
    """Return an encoder that gives its attention.

    Raises:
        DataError: the tokenizer lacks one of BERT's special tokens.
    """
    if missing := [token for token in SPECIAL if tokenizer.token_to_id(token) is None]:
        raise DataError(f"the tokenizer of {name} lacks {missing[0]}", expected=", ".join(SPECIAL))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    bert.set_attn_implementation("eager")  # the fused kernels keep no weights
    told = {"name": name, "accuracy": accuracy, "parameters": bert.num_parameters()}
    bert.train(False).requires_grad_(False)
    return Encoder(bert=hardware.to_device(bert), tokenizer=tokenizer, config=config, told=told)


def untrained(encoder: Encoder, seed: int, hardware: Hardware) -> Encoder:
    """Return an encoder of the same kind before any training: what a number must differ from."""
    torch.default_generator.manual_seed(seed)
    bert = new_bert(encoder.config)
    return opened(bert, encoder.config, encoder.tokenizer, "untrained", None, hardware)
