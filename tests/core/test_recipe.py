import os
import tomllib
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import Section, dump_recipe, flatten, load_recipe


class Inner(Section):
    depth: int = Field(default=1, ge=0, description="how deep")


class Train(Section):
    epochs: int = Field(ge=1, le=100, description="passes over the data")
    learning_rate: float = Field(gt=0, description="of the optimizer")
    offset: float = Field(default=-0.5, ge=-1, le=1, description="a number below zero")
    schedule: Literal["cosine", "step"] = Field(default="cosine", description="of the rate")
    shuffle: bool = Field(default=True, description="new order each epoch")
    betas: list[float] = Field(default=[0.9, 0.999], description="of Adam")
    features: list[str] = Field(default=[], description="columns")
    note: str = Field(default="", description="any text")
    limit: int | None = Field(default=None, description="rows, or none")
    inner: Inner = Field(default=Inner(), description="a part of a part")

    @model_validator(mode="after")
    def rates_agree(self) -> "Train":
        if self.epochs == 99 and self.shuffle:
            raise ValueError("99 epochs cannot be shuffled")
        return self


class Recipe(Section):
    name: str = Field(default="x", description="a value without a section")
    train: Train = Field(description="the loop")


GOOD = "[train]\nepochs = 5\nlearning_rate = 3e-4\n"


def load(folder: Path, text: str | bytes, *overrides: str) -> Recipe:
    path = folder / "recipe.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_recipe(Recipe, path, overrides)


def message(folder: Path, text: str | bytes, *overrides: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load(folder, text, *overrides)
    return str(caught.value)


# ---- reading


@pytest.mark.parametrize("text", [GOOD, "\ufeff" + GOOD, GOOD.replace("\n", "\r\n")])
def test_a_recipe_is_read_and_frozen(tmp_path: Path, text: str) -> None:
    recipe = load(tmp_path, text)
    assert (recipe.train.epochs, recipe.train.learning_rate) == (5, 3e-4)
    with pytest.raises(ValidationError, match="frozen"):
        recipe.train.epochs = 6  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "epoch = 3\n", "unknown key 'train.epoch'; did you mean 'train.epochs'?"),
        (GOOD + "lerning_rate = 1.0\n", "did you mean 'train.learning_rate'?"),
        ("[trian]\nepochs = 5\n", "unknown key 'trian'; "),
        (GOOD + "[train.inner]\ndeph = 1\n", "did you mean 'train.inner.depth'?"),
        ("zzz = 1\n" + GOOD, "unknown key 'zzz'; known keys: name, train.epochs, "),
        ("[train]\nepochs = 5\n", "key 'train.learning_rate' is missing"),
        ("name = 'y'\n", "key 'train' is missing"),
        (GOOD.replace("5", "0"), "train.epochs = 0: input should be greater than or equal to 1"),
        (GOOD.replace("5", "101"), "train.epochs = 101: input should be less than or equal to 100"),
        (GOOD.replace("5", "5.0"), "train.epochs = 5.0: input should be a valid integer"),
        (GOOD.replace("5", '"5"'), 'train.epochs = "5": input should be a valid integer'),
        (GOOD.replace("5", "true"), "train.epochs = true: input should be a valid integer"),
        (GOOD.replace("3e-4", "inf"), "train.learning_rate = inf: input should be a finite number"),
        (GOOD.replace("3e-4", "nan"), "train.learning_rate = nan: input should be a finite number"),
        (GOOD + 'schedule = "cos"\n', "schedule = \"cos\": input should be 'cosine' or 'step'"),
        (GOOD + "shuffle = 1\n", "train.shuffle = 1: input should be a valid boolean"),
        (GOOD + 'betas = [0.9, "x"]\n', 'train.betas.1 = "x": input should be a valid number'),
        ("train = 3\n", "train = 3: input should be a valid dictionary"),
        (GOOD.replace("5", "99"), "train: 99 epochs cannot be shuffled"),
        ("[train\n", "is not valid TOML: "),
        (GOOD + "epochs = 6\n", "is not valid TOML: Cannot overwrite a value"),
        (b"\xff\xfe", "is UTF-16 text"),
        (b"name = '\xff'", "row 1: byte 0xff is not UTF-8"),
        ("", "is empty (zero bytes)"),
        ("x = " + "[" * 100_000, "is not valid TOML"),
        ("#" * 1_000_001, "has 1.0 MB; expected at most 1.0 MB"),
    ],
)
def test_a_wrong_recipe_names_file_key_and_reason(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    found = message(tmp_path, text)
    assert found.startswith(str(tmp_path / "recipe.toml"))
    assert expected in found
    assert len(found) < 1000


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = message(tmp_path, "[train]\nepochs = 0\nlearning_rate = -1.0\nextra = 1\n")
    assert all(key in found for key in ("train.epochs", "train.learning_rate", "train.extra"))


def test_a_missing_recipe_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "strong.toml").write_text(GOOD)
    with pytest.raises(RecipeError, match=r"there is no such file\n  -> did you mean .*strong.tom"):
        load_recipe(Recipe, tmp_path / "stronk.toml")
    with pytest.raises(RecipeError, match="is a folder"):
        load_recipe(Recipe, tmp_path)


# ---- overrides


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.epochs=7", "train.epochs", 7),
        (" train.epochs = 7 ", "train.epochs", 7),
        ("train.learning_rate=1e-3", "train.learning_rate", 1e-3),
        ("train.learning_rate=2", "train.learning_rate", 2.0),
        ("train.offset=-0.25", "train.offset", -0.25),
        ("train.schedule=step", "train.schedule", "step"),
        ('train.schedule="step"', "train.schedule", "step"),
        ("train.shuffle=false", "train.shuffle", False),
        ("train.betas=[0.5, 0.9]", "train.betas", [0.5, 0.9]),
        ('train.features=["a", "b"]', "train.features", ["a", "b"]),
        ("train.note=a=b", "train.note", "a=b"),
        ("train.note=", "train.note", ""),
        ("name=my run", "name", "my run"),
        ("train.inner.depth=3", "train.inner.depth", 3),
    ],
)
def test_an_override_wins(tmp_path: Path, override: str, key: str, value: object) -> None:
    assert flatten(load(tmp_path, GOOD, override))[key] == value


def test_later_overrides_win_and_may_fill_gaps(tmp_path: Path) -> None:
    recipe = load(
        tmp_path, "name = 'y'", "train.epochs=1", "train.epochs=2", "train.learning_rate=1"
    )
    assert (recipe.train.epochs, recipe.train.learning_rate) == (2, 1.0)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.epochs", "--set: 'train.epochs' has no value; expected key=value"),
        ("=3", "--set: '=3' has no value"),
        ("train.epoch=3", "--set: unknown key 'train.epoch'; did you mean 'train.epochs'?"),
        ("train.epochs=many", '--set: train.epochs = "many": input should be a valid integer'),
        ("train.epochs=-1", "--set: train.epochs = -1: input should be greater than or equal to 1"),
        ("name.first=x", "--set: 'name' is a value, not a section"),
        ("train.epochs", "expected key=value, e.g. train.steps=500"),
        ("trian.epochs=3", "--set: unknown key 'trian'"),
        ("train.epochs=99", "--set: train: 99 epochs cannot be shuffled"),  # a rule of a section
        ('train.betas=[0.9, "x"]', '--set: train.betas.1 = "x": input should be a valid number'),
        ("train=3", "--set: train = 3: input should be a valid dictionary"),
    ],
)
def test_a_wrong_override_says_so(tmp_path: Path, override: str, expected: str) -> None:
    assert expected in message(tmp_path, "name = 'y'\n" + GOOD, override)


@pytest.mark.parametrize(
    ("text", "override", "origin"),
    [
        (GOOD.replace("5", "0"), "train.learning_rate=1.0", "file"),
        (GOOD.replace("5", "99"), "name=z", "file"),
        ("name = 'y'\n", 'train.betas=["x"]', "--set"),  # the file has gaps, this is the fault
        ("[train]\nepochs = 5\n", "train.schedule=cos", "--set"),
        ("[train]\nepochs = 5\n", "train.schedule=step", "file"),
    ],
)
def test_who_is_to_blame_where_file_and_override_meet(
    tmp_path: Path, text: str, override: str, origin: str
) -> None:
    wanted = "--set: " if origin == "--set" else str(tmp_path / "recipe.toml")
    assert message(tmp_path, text, override).startswith(wanted)


# ---- writing


@pytest.mark.parametrize(
    "override",
    [
        "train.offset=-0.125",
        "train.learning_rate=1e-12",
        "train.learning_rate=1.7976931348623157e308",
        "train.learning_rate=0.1",
        "train.epochs=100",
        "train.shuffle=false",
        "train.betas=[]",
        "train.betas=[1e-9, -2.5, 1e22]",
        'train.features=["a b", "c\\"d", "e\\\\f"]',
        'train.note="quotes \\" and \' and \\\\ and # and [x] = 1"',
        'train.note="new\\nline, tab\\t, bell\\u0007, delete\\u007f, 你好, \\U0001F35C"',
        "train.limit=3",
        "train.inner.depth=9",
    ],
)
def test_what_is_written_reads_back_the_same(tmp_path: Path, override: str) -> None:
    recipe = load(tmp_path, GOOD, override)
    text = dump_recipe(recipe)
    assert load(tmp_path, text) == recipe
    assert dump_recipe(load(tmp_path, text)) == text


def test_the_written_recipe_explains_itself(tmp_path: Path) -> None:
    text = dump_recipe(load(tmp_path, GOOD))
    assert "epochs = 5  # passes over the data\n" in text
    assert text.startswith('name = "x"  # a value without a section\n\n[train]\n')
    assert "\n\n[train.inner]\ndepth = 1  # how deep\n" in text
    assert "limit" not in text  # None has no word in TOML
    assert tomllib.loads(text)["train"]["learning_rate"] == 3e-4


def test_flatten_names_every_value_once(tmp_path: Path) -> None:
    flat = flatten(load(tmp_path, GOOD))
    assert len(flat) == 10
    assert flat["train.inner.depth"] == 1
    assert list(flat)[:2] == ["name", "train.epochs"]


def test_flatten_leaves_out_what_the_recipe_leaves_out(tmp_path: Path) -> None:
    assert "train.limit" not in flatten(load(tmp_path, GOOD))
    assert flatten(load(tmp_path, GOOD, "train.limit=3"))["train.limit"] == 3


def test_an_unreadable_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(GOOD)
    path.chmod(0)
    if os.geteuid() == 0:  # an administrator may read everything

        def refuse(self: Path, mode: str) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(Recipe, path)
