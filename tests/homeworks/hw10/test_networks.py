"""Classifiers: made once and kept, shipped in half precision, published ones read as tensors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import networks_hw10
from benchmarks.networks_hw10 import write_halves
from mlspring.core.errors import DataError, RecipeError, RunError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request
from mlspring.core.source import Source, official
from mlspring.homeworks.hw10_attack import data, models, networks, sealed
from mlspring.homeworks.hw10_attack.cifar_resnet import ResNet, read_given
from mlspring.homeworks.hw10_attack.data import Data
from mlspring.homeworks.hw10_attack.models import Classifier
from mlspring.homeworks.hw10_attack.recipe import Recipe
from mlspring.homeworks.hw10_attack.study import accuracy
from mlspring.kit import checkpoint
from mlspring.kit.training import Bookkeeper
from mlspring.worlds.targets.photo import photo
from mlspring.worlds.targets.pictures import tiny_targets_world
from mlspring.worlds.world import build
from tests.homeworks.hw10.test_train import CPU
from tests.tiny.attack import write_targets

WORLD = Path(data.__file__).parent / "recipes" / "world"
REQUEST = Request(homework="hw10", recipe="simple", device="cpu", precision="fp32")


def small() -> nn.Sequential:
    """Return a stand-in for a proxy: colours of quarters, one layer behind them."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 10))


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    """Return tiny data; all proxies are small here."""
    zoo: dict[str, Callable[[], nn.Sequential]] = dict.fromkeys(models.PROXIES, small)
    monkeypatch.setattr(models, "PROXIES", zoo)
    return data.load(official(write_targets(tmp_path / "given")), recipe())


def recipe(*more: str) -> Recipe:
    told = ("networks.source=trained", "networks.steps=80")
    return load_recipe(Recipe, WORLD / "simple.toml", [*told, *more])


def opened(pictures: Data, *more: str, names: tuple[str, ...] = ("plain_bn",)) -> Any:
    return networks.open_networks(names, recipe(*more).networks, pictures, REQUEST, CPU)


def kept(home: Path) -> list[Path]:
    return sorted((home / "classifiers").glob("*/classifier.json"))


def test_a_classifier_learns_and_is_made_once(pictures: Data, isolated_home: Path) -> None:
    first = opened(pictures)["plain_bn"]
    (made,) = kept(isolated_home)
    touched = made.stat().st_mtime_ns
    again = opened(pictures)["plain_bn"]
    assert made.stat().st_mtime_ns == touched
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other) and not one.requires_grad
    assert not first.training
    pixels = torch.from_numpy(pictures.valid_images).permute(0, 3, 1, 2)
    assert accuracy(first, pixels, torch.from_numpy(pictures.valid_labels)) >= 0.8
    assert not list(made.parent.rglob("*.part"))


def test_other_names_steps_or_pictures_have_places_of_their_own(
    pictures: Data, isolated_home: Path, tmp_path: Path
) -> None:
    made = opened(pictures, names=("plain_bn", "nin_bn"))
    first, second = (next(iter(m.parameters())) for m in made.values())
    assert not torch.equal(first, second), "each name draws its own first weights"
    opened(pictures, "networks.steps=81")
    others = data.load(official(write_targets(tmp_path / "more", num_train=20)), recipe())
    opened(others)
    assert len(kept(isolated_home)) == 4


def test_a_stopped_training_goes_on_where_it_stood(
    pictures: Data, isolated_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = networks.training_of(recipe().networks).model_copy(update={"checkpoint_seconds": 0.0})
    monkeypatch.setattr(networks, "training_of", lambda _: told)
    whole = opened(pictures)["plain_bn"]
    (place,) = kept(isolated_home)
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path / "other"))
    save = Bookkeeper.save

    def save_and_stop(books: Bookkeeper) -> None:
        save(books)
        if books.step == 33:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Bookkeeper, "save", save_and_stop)
        opened(pictures)
    resumed = opened(pictures)["plain_bn"]
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    log = (place.parent / "log.jsonl").read_text().splitlines()
    again = next((tmp_path / "other").rglob("log.jsonl")).read_text().splitlines()
    assert len(log) == len(again)


def test_damaged_weights_are_told(pictures: Data, isolated_home: Path) -> None:
    opened(pictures)
    (made,) = kept(isolated_home)
    weights = made.parent / "checkpoints" / "member-0.safetensors"
    weights.write_bytes(weights.read_bytes()[:50])
    with pytest.raises(RunError, match=r"(?s)cannot be read as safetensors.*remove .*anew"):
        opened(pictures)


def test_shipped_weights_are_half_as_large_and_say_the_same(
    pictures: Data, isolated_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the command that ships the networks does, on two small ones."""
    monkeypatch.setattr(networks, "SHIPPED", tmp_path / "proxies")
    names = ("plain_bn", "nin_bn")
    trained = opened(pictures, names=names)
    training = networks.training_of(recipe().networks)
    for name in names:
        place = networks.folder_of(name, training, pictures) / "checkpoints"
        to = tmp_path / "proxies" / f"{name}.safetensors"
        write_halves(place / "member-0.safetensors", models.build(name), to)
        assert checkpoint.read_metadata(to)["network"] == name
    painted = Data(**vars(pictures) | {"is_painted": True})
    shipped = opened(painted, "networks.source=shipped", names=names)
    pixels = torch.from_numpy(pictures.valid_images).permute(0, 3, 1, 2).float()
    for name in names:
        assert next(shipped[name].parameters()).dtype == torch.float32
        torch.testing.assert_close(shipped[name](pixels), trained[name](pixels), rtol=0, atol=0.05)
    with pytest.raises(RunError, match=r"(?s)dense_bn.safetensors.*networks.source=trained"):
        opened(painted, "networks.source=shipped", names=("dense_bn",))


def test_one_command_trains_and_ships_proxies_and_the_judge_s_networks(
    pictures: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On the tiny world, from its making to an attack's and the judge's own reading."""
    monkeypatch.setattr(data, "targets_world", tiny_targets_world)
    monkeypatch.setattr(sealed, "SEALED", {"pooled": small})
    monkeypatch.setattr(networks, "SHIPPED", tmp_path / "proxies")
    monkeypatch.setattr(sealed, "FOLDER", tmp_path / "sealed")
    monkeypatch.setattr("mlspring.kit.device.choose", lambda *_, **__: CPU)
    monkeypatch.setattr("sys.argv", ["networks", "nin_bn", "pooled", "--steps", "9"])
    networks_hw10.main()
    told = capsys.readouterr().out
    assert "nin_bn: " in told and "pooled: " in told
    assert [file.name for file in (tmp_path / "proxies").iterdir()] == ["nin_bn.safetensors"]
    assert next(sealed.load("pooled").parameters()).shape == (10, 12)
    place = build(tiny_targets_world(), processes=1)
    painted = data.load(Source(kind="world", folder=place / "public"), recipe())
    opened(painted, "networks.source=shipped", names=("nin_bn",))


def shipped() -> dict[str, Path]:
    """Return the files of the package's networks by name, the judge's included."""
    folders = (networks.SHIPPED, sealed.FOLDER)
    return {file.stem: file for folder in folders for file in folder.glob("*.safetensors")}


def test_what_the_levels_and_the_judge_need_is_in_the_package_and_small() -> None:
    files = shipped()
    assert sum(file.stat().st_size for file in files.values()) < 8_000_000
    assert {member.network for member in sealed.MEMBERS} <= set(files)
    for level in ("simple", "medium", "strong", "boss"):
        told = load_recipe(Recipe, WORLD / f"{level}.toml").networks
        assert {*told.proxies, *told.held_out} <= set(files)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_network_of_the_package_knows_painted_pictures_as_well_as_it_says(name: str) -> None:
    """On twenty fresh ones; by chance two would be right."""
    labels = torch.arange(20) % 10
    draws = [np.random.default_rng([17, number]) for number in range(20)]
    painted = np.stack([photo(draw, int(c)) for draw, c in zip(draws, labels, strict=True)])
    network = sealed.build(name) if name in sealed.SEALED else models.build(name)
    checkpoint.load_weights(shipped()[name], network)
    said = checkpoint.read_metadata(shipped()[name])
    assert said["network"] == name
    pixels = torch.from_numpy(painted).permute(0, 3, 1, 2)
    assert accuracy(network.eval(), pixels, labels) >= said["accuracy"] - 0.3
    assert accuracy(network, pixels, labels) > 0.25


def test_shipped_networks_do_not_know_other_pictures(pictures: Data) -> None:
    with pytest.raises(RecipeError, match="know the painted classes alone"):
        opened(pictures, "networks.source=shipped")


def test_without_pictures_to_learn_from_nothing_is_trained(pictures: Data) -> None:
    empty = {"train_images": pictures.train_images[:0], "train_labels": pictures.train_labels[:0]}
    with pytest.raises(DataError, match="there are no pictures to train 'plain_bn' on"):
        opened(Data(**vars(pictures) | empty))


# ---- published networks


def published(path: Path, depth: int, **more: Any) -> Path:
    body = ResNet(depth)
    nn.init.constant_(body.linear.bias, 0.25)
    state = {f"module.{name}": value for name, value in body.state_dict().items()}
    torch.save({"state_dict": {**state, **more}, "best_prec1": 91.7}, path)
    return path


def test_a_published_network_is_found_beside_the_pictures(
    pictures: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "given" / "pretrained"
    folder.mkdir()
    published(folder / "resnet20-12fca82f.th", 3)
    found = data.load(official(tmp_path / "given"), recipe())
    network = opened(found, names=("given/resnet20",))["given/resnet20"]
    assert (network.body.linear.bias == 0.25).all()
    assert not network.training
    with pytest.raises(DataError, match=r"the data have no pretrained/resnet32\*\.th"):
        opened(found, names=("given/resnet32",))


def test_another_network_under_that_name_is_told(tmp_path: Path) -> None:
    file = published(tmp_path / "resnet20.th", 5)
    with pytest.raises(DataError, match="is of another network; expected the published resnet20"):
        read_given("given/resnet20", file, "fetch")
    file = published(tmp_path / "nan.th", 3, **{"module.linear.bias": torch.full((10,), np.nan)})
    with pytest.raises(DataError, match="NaN or infinite"):
        read_given("given/resnet20", file, "fetch")
    torch.save({"weights": {}}, tmp_path / "other.th")
    with pytest.raises(DataError, match="is no state_dict"):
        read_given("given/resnet20", tmp_path / "other.th", "fetch")


def test_nothing_in_a_published_file_is_executed(tmp_path: Path) -> None:
    torch.save({"state_dict": Classifier(small())}, tmp_path / "module.th")
    with pytest.raises(DataError, match="holds Python objects beside tensors"):
        read_given("given/resnet20", tmp_path / "module.th", "fetch")


def test_the_real_published_network_knows_the_course_s_pictures(real_data: Path) -> None:
    folder = real_data / "hw10"
    file = folder / "pretrained" / "resnet20-12fca82f.th"
    if not file.is_file():
        pytest.skip("no published network here")
    network = read_given("given/resnet20", file, "fetch").eval()
    benign = data.load(official(folder / "data"), recipe())
    some = np.arange(0, 200, 2)
    pixels = torch.from_numpy(benign.test_images[some]).permute(0, 3, 1, 2)
    assert accuracy(network, pixels, torch.from_numpy(benign.labels[some])) > 0.9
