"""Readers of foreign files under any bytes: a value or a sentence, never another exception.

Hypothesis makes the bytes: arbitrary ones, and mutations of a good file, which come further. What
it once found is kept beside the test that found it (``@example``).
"""

import io
import json
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from mlspring.catalog import find
from mlspring.core import images
from mlspring.core.answers import read_answers
from mlspring.core.errors import UserError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Run
from mlspring.core.table_submission import TableSubmission
from mlspring.core.tables import read_table
from mlspring.homeworks.hw03_food_cnn.recipe import Recipe
from mlspring.kit import checkpoint
from tests.tiny.food import square

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
MAX_MIB = 32  # of Python's own memory, for inputs of a few kB


def picture() -> bytes:
    stream = io.BytesIO()
    square(3, 1, side=12).save(stream, "PNG")
    return stream.getvalue()


def weights() -> bytes:
    return save({"layer.weight": torch.ones(2, 3)}, metadata={"metadata": '{"step": 3}'})


SEEDS = {
    "table": b"Id,Category\n0001,3\n0002,10\n",
    "answers": b"Id,Category,Usage\n0001,3,Public\n0002,10,Private\n",
    "recipe": (find("hw03").folder / "recipes" / "world" / "simple.toml").read_bytes(),
    "log": b'{"member": 0, "step": 4, "train/loss": 1.5}\n{"member": 0, "step": 8}\n',
    "picture": picture(),
    "weights": weights(),
}


def mutated(good: bytes) -> st.SearchStrategy[bytes]:
    """Return changes of ``good``: a cut, a byte, a piece put in, a piece twice."""

    def change(how: tuple[int, int, bytes]) -> bytes:
        start, length, piece = how
        first, last = sorted((start % (len(good) + 1), (start + length) % (len(good) + 1)))
        return good[:first] + piece + good[last:]

    number = st.integers(0, max(len(good), 1))
    pieces = st.binary(max_size=8) | st.sampled_from(
        [
            b"",
            b"\0",
            b"\xff\xfe",
            b"\r",
            b'"',
            b"9" * 400,
            b"1e999",
            b"nan",
            b"[[[[",
            b"\xef\xbb\xbf",
        ]
    )
    return st.tuples(number, number, pieces).map(change)


def any_bytes(kind: str) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=600) | mutated(SEEDS[kind])


def survives(content: bytes, name: str, read: Callable[[Path], object]) -> bool:
    """Read ``content`` from a file: it ends with a value or a sentence, in bounded memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        tracemalloc.start()
        try:
            read(path)
        except UserError as error:
            assert len(str(error)) < 3000, "a sentence, not the file"
            assert error.exit_code == 2
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < MAX_MIB * 2**20
    return True


@FEW
@given(any_bytes("table"))
@example(b"Id,Category\n\x85,3\n")
def test_tables(content: bytes) -> None:
    part = TableSubmission(find("hw03"))
    assert survives(content, "a.csv", lambda path: part.read(path, ["0001", "0002"]))
    assert survives(
        content,
        "a.csv",
        lambda path: read_table(path, header=["Id", "Category"], max_bytes=10**6, max_rows=100),
    )


@FEW
@given(any_bytes("answers"))
def test_answers(content: bytes) -> None:
    assert survives(content, "a.csv", lambda path: read_answers(path, ("Id", "Category")).ids)


@FEW
@given(any_bytes("recipe"))
@example(b"train = 3\n")
@example(b"[train]\nsteps = 1" + b"0" * 5000 + b"\n")
def test_recipes(content: bytes) -> None:
    assert survives(content, "a.toml", lambda path: load_recipe(Recipe, path))


@FEW
@given(st.text(max_size=60))
@example("train=3")
@example("train.steps.x=3")
@example("train.steps=" + "[" * 5000)
def test_overrides(text: str) -> None:
    path = find("hw03").folder / "recipes" / "world" / "simple.toml"
    assert survives(b"", "unused", lambda _: load_recipe(Recipe, path, [text]))


@FEW
@given(any_bytes("log"))
@example(b"[1, 2]\n")
@example(b"3\n")
@example(b"\xff\xfe\n")
@example(b'{"step": ' + b"[" * 3000 + b"\n")
def test_logs(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        folder.mkdir()
        request = {"request": {"homework": "hw03", "recipe": "simple"}}
        (folder / "environment.json").write_text(json.dumps(request))
        (folder / "log.jsonl").write_bytes(content)
        try:
            entries = Run.open(folder).read_log()
        except UserError:
            return
        assert all(isinstance(entry, dict) for entry in entries)


@FEW
@given(any_bytes("picture"))
def test_pictures(content: bytes) -> None:
    assert survives(content, "a.png", lambda path: images.load_images([path], 8))


@FEW
@given(any_bytes("weights"))
@example(b"\xff" * 8)
@example((2**40).to_bytes(8, "little") + b"{}")
def test_weights(content: bytes) -> None:
    model = torch.nn.ModuleDict({"layer": torch.nn.Linear(3, 2, bias=False)})
    assert survives(content, "a.safetensors", checkpoint.read_metadata)
    assert survives(content, "a.safetensors", lambda path: checkpoint.load_weights(path, model))


def test_what_is_mutated_is_good_to_begin_with(tmp_path: Path) -> None:
    for kind, content in SEEDS.items():
        (tmp_path / kind).write_bytes(content)
    assert load_recipe(Recipe, tmp_path / "recipe").train.steps > 0
    assert read_answers(tmp_path / "answers", ("Id", "Category")).ids == ["0001", "0002"]
    assert np.array(Image.open(tmp_path / "picture")).shape == (12, 12, 3)
    assert checkpoint.read_metadata(tmp_path / "weights") == {"step": 3}
    with pytest.raises(UserError):
        checkpoint.read_metadata(tmp_path / "log")
