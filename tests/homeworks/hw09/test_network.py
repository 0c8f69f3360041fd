"""Where the network comes from: kept for all runs, given as either kind of file, or refused."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from mlspring.core.errors import DataError
from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw09_explain import data as part
from mlspring.homeworks.hw09_explain import network
from mlspring.homeworks.hw09_explain.data import Data
from mlspring.homeworks.hw09_explain.models import FoodCNN
from mlspring.homeworks.hw09_explain.recipe import Recipe
from mlspring.homeworks.hw09_explain.spec import SPEC
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from tests.tiny.explained import SMALL
from tests.tiny.food import write_food11

CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=True)


def recipe(*more: str) -> Recipe:
    return load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "all.toml", [*SMALL, *more])


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return part.load(official(write_food11(tmp_path / "data")), recipe())


@pytest.fixture
def new_run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Return the function that makes an empty run; all are closed in the end."""
    with ExitStack() as stack:

        def make(name: str = "run", seed: int = 0) -> Run:
            (tmp_path / name).mkdir()
            request = Request(homework="hw09", recipe="all", seed=seed)
            return stack.enter_context(Run(tmp_path / name, request))

        yield make


def test_the_course_s_network_has_its_size_and_its_names() -> None:
    with torch.device("meta"):
        model = FoodCNN(128, [3, 3, 3, 1, 1], [128, 128, 256, 512, 512], 1024, 11)
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    assert sum(p.numel() for p in model.parameters()) == 14_162_827
    assert shapes["cnn.23.weight"] == (256, 256, 3, 3)
    assert shapes["cnn.34.bias"] == (512,)
    assert shapes["fc.0.weight"] == (1024, 8192)
    assert shapes["fc.3.weight"] == (11, 1024)
    assert len(model.cnn) == 38


def test_a_kept_network_is_trained_once_a_seed(
    data: Data,
    tmp_path: Path,
    new_run: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path / "home"))
    made: list[Path] = []

    def make(place: Run) -> int:
        made.append(place.folder)
        torch.manual_seed(len(made))
        place.log(member=0, step=1, train__loss=float(len(made)))
        kept = network.OWN | {"accuracy": 0.5}
        checkpoint.save_weights(weights_path(place, 0), network.fresh(recipe()), kept)
        return 24

    runs = [new_run(name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    seen = [
        network.keep(
            network.picture_folder(recipe(), data, run.request.seed),
            0,
            network.fresh(recipe()),
            run,
            make,
        )
        for run in runs
    ]
    assert seen == [24, 0, 24]
    assert len(made) == 2
    first, second, other = (weights_path(run, 0).read_bytes() for run in runs)
    assert first == second != other
    assert [e["train/loss"] for e in runs[1].read_log()] == [1.0]
    more = recipe("network.hidden=17")
    assert network.picture_folder(more, data, 0) != network.picture_folder(recipe(), data, 0)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_given_network_is_explained_as_it_was_trained(
    suffix: str, data: Data, tmp_path: Path, new_run: Callable[..., Run]
) -> None:
    torch.manual_seed(0)
    model, file = network.fresh(recipe()), tmp_path / f"given.{suffix}"
    if suffix == "pth":
        torch.save({"epoch": 3, "model_state_dict": model.state_dict()}, file)
    else:
        checkpoint.save_weights(file, model, {})
    given, run = recipe(f"network.file={file}"), new_run()
    network.take_given(given, data, run, CPU)
    found = network.explained(given, run, CPU)
    images = torch.rand(2, 3, 32, 32)
    inputs = images if suffix == "pth" else (images - 0.5) / 0.25
    assert torch.allclose(found(images), model.eval()(inputs), atol=1e-5)
    right = checkpoint.read_metadata(weights_path(run, 0))["accuracy"]
    with torch.no_grad():
        shown = network.to_unit(torch.from_numpy(data.pictures.valid_images))
        answers = found(shown).argmax(1)
    assert right == pytest.approx((answers.numpy() == data.pictures.valid_labels).mean())


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_another_network_and_a_broken_file_are_refused(
    suffix: str, data: Data, tmp_path: Path, new_run: Callable[..., Run]
) -> None:
    wide, file = network.fresh(recipe("network.hidden=8")), tmp_path / f"given.{suffix}"
    if suffix == "pth":
        torch.save(wide.state_dict(), file)
    else:
        checkpoint.save_weights(file, wide, {})
    given, run = recipe(f"network.file={file}"), new_run()
    with pytest.raises(DataError, match="another network") as told:
        network.take_given(given, data, run, CPU)
    assert "16 hidden units" in str(told.value)
    file.write_bytes(b"\x80\x04\x95nonsense")
    with pytest.raises(DataError):
        network.take_given(given, data, run, CPU)
    assert not weights_path(run, 0).exists()


def test_recipes_that_cannot_be_are_told() -> None:
    for change, told in (
        ("network.blocks=[1]", "for a stage"),
        ("network.blocks=[1, 1, 1, 1, 1, 1]", "for a stage"),
        ("filters.layers=[8]", "the last one is 7"),
        ("filters.filters=[4]", "layer 1 has 4 filters"),
        ('explain.methods=["lime", "lime"]', "twice"),
        ("text.width=9", "multiple of text.heads"),
    ):
        with pytest.raises(Exception, match=told):
            recipe(change)
