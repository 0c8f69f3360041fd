"""The course's own teacher of homework 13: a checkpoint that is read as tensors and learnt from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mlspring.core.errors import DataError
from mlspring.core.files import read_json
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request
from mlspring.core.source import official
from mlspring.homeworks.hw13_compression import compress, data, teacher
from mlspring.homeworks.hw13_compression.architecture import Architecture, resnet18
from mlspring.homeworks.hw13_compression.models import build
from mlspring.homeworks.hw13_compression.recipe import Recipe
from mlspring.kit import image_augment
from mlspring.verbs import run as verb
from tests.homeworks.hw13.test_train import FEW, SPEC, go, teachers
from tests.tiny.compression import SMALL, write_food13


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data; runs on it draw no figures."""
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    return write_food13(tmp_path / "data")


@pytest.fixture
def given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    torch.manual_seed(0)
    file = folder / "food11-hw13" / data.TEACHER
    torch.save(build(resnet18()).state_dict(), file)
    monkeypatch.setattr(compress, "SHARES", (0.0, 0.5))  # eleven million weights a network
    return file


def test_the_given_teacher_is_read_and_examined_once(given: Path) -> None:
    run = go(given.parents[1], "teacher.source=given", recipe="medium")
    (kept,) = teachers()
    assert read_json(kept)["parameters"] == 11_182_155
    assert read_json(kept)["bytes"] == given.stat().st_size
    rows = read_json(compress.path(run))["networks"]
    assert "teacher (resnet18)" in [row["name"] for row in rows]


def reference_resnet18(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Return logits by He et al.'s description, from torchvision's names, without our modules."""

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        parts = (state[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *parts)

    def conv(x: torch.Tensor, name: str, stride: int) -> torch.Tensor:
        weight = state[f"{name}.weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[2] // 2)

    x = F.max_pool2d(F.relu(norm(conv(x, "conv1", 2), "bn1")), 3, stride=2, padding=1)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = F.relu(norm(conv(x, f"{name}.conv1", stride), f"{name}.bn1"))
            y = norm(conv(y, f"{name}.conv2", 1), f"{name}.bn2")
            if stride == 2:
                x = norm(conv(x, f"{name}.downsample.0", 2), f"{name}.downsample.1")
            x = F.relu(x + y)
    return F.linear(x.mean(dim=(2, 3)), state["fc.weight"], state["fc.bias"])


def made_up_checkpoint(file: Path) -> dict[str, torch.Tensor]:
    """Write a checkpoint whose every number matters, and return it."""
    stream = torch.Generator().manual_seed(3)
    state: dict[str, torch.Tensor] = {}
    for name, shape in resnet18().shapes.items():
        if name.endswith("tracked"):
            state[name] = torch.tensor(7)
        elif len(shape) == 4:
            fan = shape[1] * shape[2] * shape[3]
            state[name] = torch.randn(shape, generator=stream) * (2 / fan) ** 0.5
        else:
            low = 0.5 if name.endswith(("var", "weight")) and len(shape) == 1 else -0.2
            state[name] = low + torch.rand(shape, generator=stream) * 0.5
    torch.save(state, file)
    return state


def test_the_official_recipe_learns_from_a_given_checkpoint_end_to_end(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures cut as the sample does, the checkpoint's own logits, a student, a submission."""
    monkeypatch.undo()  # figures are drawn, too
    monkeypatch.setenv("MLSPRING_HOME", str(given.parents[2] / "home"))
    monkeypatch.setattr(compress, "SHARES", (0.0, 0.5))
    state = made_up_checkpoint(given)
    folder = given.parents[1]
    small = [word for word in SMALL if not word.startswith(("teacher", "student"))]
    overrides = (*small, "data.resize=40", "student.channels=[4, 4, 4, 4]", *FEW)
    request = Request(
        homework="hw13",
        recipe="official/medium",
        data=str(folder),
        device="cpu",
        precision="fp32",
        submit=False,
    )
    run = verb.run(SPEC, request, overrides=overrides, out=folder.parent / "runs")

    recipe = load_recipe(Recipe, run.folder / "recipe.toml")
    assert (recipe.teacher.source, recipe.data.resize) == ("given", 40)
    loaded = data.load(official(folder), recipe)
    pixels = torch.tensor(np.array(loaded.valid_images)).permute(0, 3, 1, 2).double() / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in teacher_normalisation())
    expected = reference_resnet18({k: v.double() for k, v in state.items()}, (pixels - mean) / std)
    hits = expected.argmax(1).numpy() == loaded.valid_labels
    (kept,) = teachers()
    assert read_json(kept)["accuracy"] == pytest.approx(float(np.mean(hits)), abs=1.01 / len(hits))

    answers = teacher.Teacher(
        architecture=resnet18(),
        model=teacher.load(recipe.teacher, loaded, kept.parent).model,
        hardware=compress.CPU,
        measured={},
        digest="",
    ).forward(image_augment.to_input(torch.tensor(np.array(loaded.valid_images))))
    torch.testing.assert_close(answers.double(), expected, rtol=1e-3, atol=1e-3)

    rows = {row["name"]: row for row in read_json(compress.path(run))["networks"]}
    assert rows["teacher (resnet18)"]["parameters"] == 11_182_155
    for question in SPEC.questions:
        assert (run.figures / f"{question.figure}.png").stat().st_size > 0
    assert (run.folder / "submission.zip").exists()


def teacher_normalisation() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """ImageNet's, as the fact sheet has it."""
    return (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_a_resnet18_sees_imagenet_s_normalisation() -> None:
    """Whatever it is used for: its filters were learnt on that."""
    pixels = torch.rand(2, 3, 64, 64)
    model = build(Architecture(name="resnet18", channels=tuple(range(3, 15)))).eval()
    mean, std = (torch.tensor(v)[:, None, None] for v in teacher_normalisation())
    expected = reference_resnet18(model.state_dict(), (pixels - mean) / std)
    torch.testing.assert_close(model((pixels - 0.5) / 0.25), expected, rtol=1e-4, atol=1e-4)


def test_without_the_given_file_the_way_out_is_told(folder: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)no resnet18_teacher\.ckpt.*mlspring fetch hw13"):
        go(folder, "teacher.source=given", recipe="medium")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("truncated", "is damaged or cut short.*fetch it again"),
        ("text", "is no checkpoint.*fetch it again"),
        ("class", "holds Python objects beside tensors.*save it as a state_dict"),
        ("whole", "holds Python objects beside tensors.*save it as a state_dict"),
        ("old", "holds Python objects beside tensors.*save it as a state_dict"),
        ("number", "holds Python objects beside tensors.*save it as a state_dict"),
        ("epoch", "is no state_dict.*save it as a state_dict"),
        ("list", "is no state_dict.*save it as a state_dict"),
        ("missing", "lacks the tensor fc.bias"),
        ("shape", r"fc.bias has shape \(12,\), not \(11,\)"),
        ("nan", "'conv1.weight' holds values that are NaN or infinite"),
        ("infinite", "'bn1.running_var' holds values that are NaN or infinite"),
        ("extra", "has a tensor 'more', which resnet18 has not"),
    ],
)
def test_a_wrong_checkpoint_is_told(folder: Path, spoil: str, message: str) -> None:
    """In our own words: torch's advice for some of these is to execute what the file says."""
    file = folder / data.TEACHER
    model = build(resnet18())
    state = model.state_dict()
    spoilt: dict[str, object] = {
        "class": Path,
        "whole": model,
        "old": model,
        "number": {"state_dict": state, "accuracy": np.float64(0.9)},
        "epoch": {"state_dict": state, "epoch": 3},
        "list": [1, 2],
        "missing": {name: value for name, value in state.items() if name != "fc.bias"},
        "shape": state | {"fc.bias": torch.zeros(12)},
        "nan": state | {"conv1.weight": state["conv1.weight"] * float("nan")},
        "infinite": state | {"bn1.running_var": state["bn1.running_var"] * float("inf")},
        "extra": state | {"more": torch.zeros(1)},
    }
    zipped = spoil != "old"  # as torch saved before version 1.6
    torch.save(spoilt.get(spoil, state), file, _use_new_zipfile_serialization=zipped)
    if spoil == "truncated":
        file.write_bytes(file.read_bytes()[:100_000])
    elif spoil == "text":
        file.write_text("<html>")
    with pytest.raises(DataError, match=f"(?s){message}") as raised:
        teacher.read_resnet18(file)
    assert "weights_only" not in str(raised.value) and "\x1b" not in str(raised.value)
