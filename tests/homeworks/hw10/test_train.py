"""The attack against closed forms, alone and on several processes, stopped and resumed."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw10_attack import attacks, study, train
from mlspring.homeworks.hw10_attack.recipe import Recipe
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.training import Bookkeeper
from tests.homeworks.hw10.test_attacks import by_hand
from tests.homeworks.hw10.tools import Linear, pictures

WORLD = Path(train.__file__).parent / "recipes" / "world"
CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=False)
NAMES = ("plain_bn", "nin_bn")  # of the stand-ins


def recipe(level: str = "strong", *more: str) -> Recipe:
    named = ('networks.proxies=["plain_bn"]', 'networks.held_out=["nin_bn"]')
    often = ("train.validate_every=1", "train.checkpoint_seconds=0")
    fine = () if level == "simple" else ("train.steps=20", "train.learning_rate=0.1")
    return load_recipe(Recipe, WORLD / f"{level}.toml", [*named, *often, *fine, *more])


def networks(side: int = 6) -> dict[str, nn.Module]:
    return {name: Linear(side=side, seed=seed) for seed, name in enumerate(NAMES)}


def go(folder: Path, told: Recipe, *, seed: int = 0, ranks: Ranks | None = None) -> Run:
    """Return a run that has attacked seven pictures of 6 x 6 pixels through a linear network."""
    folder.mkdir(exist_ok=True)
    benign, labels = pictures()
    with closing(Run(folder, Request(homework="hw10", recipe="tiny", seed=seed))) as run:
        train.attack(told, networks(), benign, labels, run, CPU, ranks or Ranks())
    return run


def attacked(run: Run) -> Tensor:
    model = train.Perturbed(torch.zeros(7, 3, 6, 6))
    checkpoint.load_weights(weights_path(run, 0), model)
    return model.images.detach()


def allowed(benign: Tensor) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(benign.numpy() - 8, 0), np.minimum(benign.numpy() + 8, 255)


def test_fgsm_on_a_linear_network_is_known(tmp_path: Path) -> None:
    benign, labels = pictures()
    made = attacked(go(tmp_path / "run", recipe("simple")))
    sign = np.sign(by_hand([Linear(seed=0)], benign, labels))
    np.testing.assert_array_equal(made.numpy(), np.clip(benign.numpy() + 8 * sign, 0, 255))


def test_iterations_with_momentum_follow_the_paper(tmp_path: Path) -> None:
    """MI-FGSM in numpy and doubles, each picture with an L1 norm of its own."""
    benign, labels = pictures()
    low, high = allowed(benign)
    told = recipe("strong", "train.steps=7", "attack.momentum=0.9")
    made = attacked(go(tmp_path / "run", told)).numpy()
    x, g = benign.numpy().astype(np.float64), 0.0
    for _ in range(7):
        gradient = by_hand([Linear(seed=0)], torch.from_numpy(x), labels)
        g = 0.9 * g + gradient / np.abs(gradient).sum((1, 2, 3), keepdims=True)
        x = np.clip(x + 0.8 * np.sign(g), low, high)
    np.testing.assert_allclose(made, x, atol=1e-3)


def test_iterations_without_momentum_forget(tmp_path: Path) -> None:
    benign, labels = pictures()
    made = attacked(go(tmp_path / "run", recipe("medium", "train.steps=5"))).numpy()
    x = benign.numpy().astype(np.float64)
    for _ in range(5):
        sign = np.sign(by_hand([Linear(seed=0)], torch.from_numpy(x), labels))
        x = np.clip(x + 0.8 * sign, *allowed(benign))
    np.testing.assert_allclose(made, x, atol=1e-3)


def test_the_loss_rises_and_the_budget_holds(tmp_path: Path) -> None:
    run = go(tmp_path / "run", recipe("boss", "attack.epsilon=5.0"))
    losses = [entry["train/loss"] for entry in run.read_log()]
    assert losses[-1] > losses[0]
    benign, _ = pictures()
    final = attacks.to_integers(attacked(run), benign, 5.0)
    assert attacks.largest_change(final, benign.byte()).max() == 5


@pytest.mark.parametrize("more", ["attack.diversity=0.9", "attack.admix=0.3", "attack.scales=2",
                                  "attack.smoothing=3", "attack.combine=logits"])  # fmt: skip
def test_every_knob_changes_the_pictures(tmp_path: Path, more: str) -> None:
    small = ("train.steps=4", "attack.smallest=0.5")  # pictures of six pixels have few sizes
    plain = attacked(go(tmp_path / "plain", recipe("strong", *small)))
    several = 'networks.proxies=["plain_bn", "squeeze_bn"]'
    if more == "attack.combine=logits":  # of one network there is nothing to combine
        networks_of = networks() | {"squeeze_bn": Linear(seed=5, gain=10.0)}
        benign, labels = pictures()
        made = []
        for number, combine in enumerate(("losses", "logits")):
            run = Run(tmp_path / str(number), Request(homework="hw10", recipe="tiny"))
            run.folder.mkdir()
            told = recipe("strong", "train.steps=4", several, f"attack.combine={combine}")
            train.attack(told, networks_of, benign, labels, run, CPU)
            run.close()
            made.append(attacked(run))
        assert not torch.equal(*made)
        return
    changed = attacked(go(tmp_path / "changed", recipe("strong", *small, more)))
    assert not torch.equal(plain, changed)


def test_a_seed_fixes_the_views_and_another_changes_them(tmp_path: Path) -> None:
    first, same, other = (
        attacked(
            go(tmp_path / name, recipe("boss", "train.steps=4", "attack.smallest=0.5"), seed=seed)
        )
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_stopped_attack_ends_as_one_left_alone(
    tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = recipe("boss", "train.steps=6")
    whole = go(tmp_path / "whole", told)
    save = Bookkeeper.save

    def save_and_stop(books: Bookkeeper) -> None:
        save(books)
        if books.step == stop:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Bookkeeper, "save", save_and_stop)
        go(tmp_path / "stopped", told)
    resumed = go(tmp_path / "stopped", told)
    assert torch.equal(attacked(resumed), attacked(whole))
    logs = [[{k: v for k, v in e.items() if k != "seconds"} for e in r.read_log()]
            for r in (resumed, whole)]  # fmt: skip
    assert logs[0] == logs[1]
    assert not list(resumed.checkpoints.glob("*.state.safetensors"))


def test_two_processes_make_the_pictures_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes its share of the pictures; here the other's share is computed in its place."""
    told = recipe("boss", "train.steps=3")
    alone = attacked(go(tmp_path / "alone", told))
    shares: list[slice] = []
    gradient_of = attacks.input_gradient

    def both(proxies: Any, images: Tensor, labels: Tensor, views: Any, rule: Any) -> Any:
        shares.append(slice(0, len(images)))
        return gradient_of(proxies, images, labels, views, rule)

    class Pair(Ranks):
        def gather(self, part: Tensor) -> Tensor:
            return torch.cat([part, self.rest(part)])

        def rest(self, part: Tensor) -> Tensor:
            benign, labels = pictures()
            step = len(shares)
            views = attacks.draw_views(
                told.attack, benign, labels, train.generator(0, "views", step)
            )
            model = self.model.images.detach()
            share = slice(len(part), None)
            made = gradient_of(
                [Linear(seed=0)], model[share], labels[share], views[share], told.attack
            )[0]
            return attacks.smooth(made, told.attack.smoothing)

        def wait(self) -> None:
            pass

    pair = Pair(0, 2)
    fresh = train.new_state

    def new_state(*settings: Any) -> Any:
        state = fresh(*settings)
        object.__setattr__(pair, "model", state.model)
        return state

    monkeypatch.setattr(train.attacks, "input_gradient", both)
    monkeypatch.setattr(train, "new_state", new_state)
    together = attacked(go(tmp_path / "pair", told, ranks=pair))
    assert shares == [slice(0, 3)] * 3
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


def test_the_study_s_short_attack_is_the_loop_s(tmp_path: Path) -> None:
    benign, labels = pictures()
    told = recipe("strong", "train.steps=5")
    looped = attacks.to_integers(attacked(go(tmp_path / "run", told)), benign, 8.0)
    numbers = (5, told.train.learning_rate, 0)
    short = study.attacked([Linear(seed=0)], benign.byte(), labels, told.attack, numbers)
    assert torch.equal(short, looped)
