"""The loop of homework 6: what is measured is saved, what is stopped goes on, shares add up."""

import multiprocessing
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import nn

from mlspring.core.recipe import load_recipe
from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw06_gan import batches, data, methods, predict, samples, study, train
from mlspring.homeworks.hw06_gan.recipe import Recipe
from mlspring.homeworks.hw06_gan.spec import SPEC
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.distributed import Ranks
from tests.homeworks.stops import stopped_at
from tests.tiny.gan import SMALL, write_faces

CHANGED = ("augment.translate=0.125", "augment.cutout=0.25", "augment.colour=0.2")
CPU = device.choose("cpu", "fp32", work="conv")


def recipe(name: str, *overrides: str) -> Recipe:
    path = SPEC.folder / "recipes" / "world" / f"{name}.toml"
    return load_recipe(Recipe, path, [*SMALL, *overrides])


@pytest.fixture(scope="module")
def blots(tmp_path_factory: pytest.TempPathFactory) -> data.Data:
    place = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLSPRING_HOME", str(place / "home"))
        return data.load(official(write_faces(place)), recipe("simple"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure with a few pictures and study nothing."""
    monkeypatch.setattr(samples, "MEASURED", 40)
    monkeypatch.setattr(study, "SETTINGS", {})


def run_in(folder: Path, knobs: Recipe, blots: data.Data) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    request = Request(homework="hw06", recipe="x", device="cpu", precision="fp32")
    with closing(Run(folder, request)) as run:
        train.train(knobs, blots, run)
        made = predict.predict(knobs, blots, run).tobytes()
        log = [{k: v for k, v in e.items() if k != "seconds"} for e in run.read_log()]
        weights = weights_path(run, 0).read_bytes()
        grids = b"".join(p.read_bytes() for p in sorted((folder / "samples").iterdir()))
    return {"weights": weights, "made": made, "log": repr(log).encode(), "grids": grids}


@pytest.mark.parametrize("level", ["simple", "medium", "strong", "boss"])
def test_a_stopped_run_ends_like_one_left_alone(
    level: str, blots: data.Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = CHANGED if level == "boss" else ()
    knobs = recipe(level, "method.critic_steps=2", "method.r1_every=3", *changed)
    whole = run_in(tmp_path / "whole", knobs, blots)
    for step in (2, 4):
        with stopped_at(step, monkeypatch):
            run_in(tmp_path / "stopped", knobs, blots)
    assert run_in(tmp_path / "stopped", knobs, blots) == whole


@pytest.mark.parametrize("name", ["dcgan", "wgan", "wgan_gp", "stylegan"])
def test_a_step_moves_both_networks_and_neither_by_the_other_s_gradient(
    name: str, blots: data.Data
) -> None:
    knobs = recipe("simple", f"method.name={name}", "method.clip=0.01", "method.penalty=10.0")
    state = train.new_state(knobs, 0, CPU)
    faces = batches.Faces(knobs, blots, 0, CPU)
    before = {k: v.clone() for k, v in state.model.state_dict().items()}
    loss = methods.discriminator_loss(
        state.model.discriminator, faces.batch(state.model, 1), knobs.method
    )
    state.optimizer.zero_grad()
    loss.backward()
    assert all(p.grad is None for p in state.model.generator.parameters()), "fakes are detached"
    state.optimizer.step()
    moved = {k for k, v in state.model.named_parameters() if not torch.equal(v, before[k])}
    assert moved and all(k.startswith("discriminator.") for k in moved)
    state.model.discriminator.requires_grad_(False)
    seen = state.model.discriminator(faces.generated(state.model, 1))
    state.optimizer.zero_grad()
    methods.generator_loss(seen, knobs.method).backward()
    assert all(p.grad is None for p in state.model.discriminator.parameters())


def test_rates_fall_and_the_generator_s_keeps_its_proportion(
    blots: data.Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, fresh = [], methods.new_optimizer

    def noted(*settings: Any) -> torch.optim.Optimizer:
        optimizer = fresh(*settings)
        optimizer.register_step_pre_hook(
            lambda o, *_: rates.append([group["lr"] for group in o.param_groups])
        )
        return optimizer

    monkeypatch.setattr(methods, "new_optimizer", noted)
    told = ("train.learning_rate=0.01", "train.schedule=linear", "method.generator_rate=3.0")
    run_in(tmp_path / "run", recipe("simple", *told), blots)
    wanted = [0.01 * (1 - step / 5) for step in range(5) for _ in ("discriminator", "generator")]
    assert np.allclose(rates, [[3 * rate, rate] for rate in wanted])


def test_clipped_weights_stay_clipped(blots: data.Data, tmp_path: Path) -> None:
    knobs = recipe("simple", "method.name=wgan", "method.clip=0.02")
    kept = []
    clip = methods.losses.clip_weights

    def noted(critic: nn.Module, most: float) -> None:
        clip(critic, most)
        kept.append(max(p.abs().max().item() for p in critic.parameters()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(methods.losses, "clip_weights", noted)
        run_in(tmp_path / "run", knobs, blots)
    assert len(kept) == 5 and max(kept) <= 0.02 + 1e-9


def test_what_is_measured_is_the_average_that_is_saved(blots: data.Data, tmp_path: Path) -> None:
    knobs = recipe("medium", "train.ema_decay=0.9")
    run_in(tmp_path / "run", knobs, blots)
    request = Request(homework="hw06", recipe="x", device="cpu", precision="fp32")
    with closing(Run(tmp_path / "run", request)) as run:
        network = samples.finished(knobs, run, CPU)
        (tmp_path / "again").mkdir()
        again = Run(tmp_path / "again", request)
        measured = samples.measure(network, blots, again, 5, CPU)
        again.close()
        logged = run.read_log()[-1]["valid/distance"]
        assert measured["valid__distance"] == pytest.approx(logged, rel=1e-4)
        kept = checkpoint.read_metadata(weights_path(run, 0))
        assert kept["distance"] == logged
    mine, theirs = (tmp_path / p / "samples" / "00000005.png" for p in ("again", "run"))
    assert mine.read_bytes() == theirs.read_bytes(), "and what is seen, too"


def test_batches_are_known_from_the_update_alone(blots: data.Data) -> None:
    knobs = recipe("boss", *CHANGED)
    pair = train.new_state(knobs, 0, CPU).model
    a, b = (batches.Faces(knobs, blots, 0, CPU) for _ in range(2))
    for update in (1, 2, 30):
        a.batch(pair, update)
    again, other = b.batch(pair, 30), b.batch(pair, 31)
    assert torch.equal(again.real, a.batch(pair, 30).real)
    assert torch.equal(again.fake, a.batch(pair, 30).fake)
    assert not torch.equal(again.real, other.real) and not torch.equal(again.fake, other.fake)
    assert again.real.shape == again.fake.shape == (6, 3, 64, 64)
    plain = b.real(30)
    assert plain.min() >= -1 and plain.max() <= 1 and not torch.equal(plain, again.real)


def test_processes_share_a_batch_without_gap_or_overlap(blots: data.Data) -> None:
    knobs = recipe("boss", "train.batch_size=7", *CHANGED)
    pair = train.new_state(knobs, 0, CPU).model.eval()
    whole = batches.Faces(knobs, blots, 0, CPU).batch(pair, 3)
    parts = [batches.Faces(knobs, blots, 0, CPU, Ranks(r, 3)).batch(pair, 3) for r in range(3)]
    for key in ("real", "fake", "mix"):
        joined = torch.cat([getattr(part, key) for part in parts])
        assert torch.allclose(joined, getattr(whole, key), atol=1e-5), key


def _average(rank: int, place: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=2)
    network = nn.Linear(2, 1)
    network.weight.grad = torch.tensor([[1.0 + rank, 4.0 * rank]])
    train.average_gradients(network, Ranks(rank, 2))
    assert network.weight.grad.tolist() == [[1.5, 2.0]] and network.bias.grad is None
    dist.destroy_process_group()


@pytest.mark.skipif(os.name == "nt", reason="gloo's file store wants POSIX names")
def test_gradients_are_averaged_over_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    place = str(tmp_path / "store")
    workers = [context.Process(target=_average, args=(rank, place)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_predictions_are_a_thousand_different_pictures(blots: data.Data, tmp_path: Path) -> None:
    made = run_in(tmp_path / "run", recipe("boss"), blots)["made"]
    pictures = np.frombuffer(made, np.uint8).reshape(1000, 64, 64, 3)
    assert len(np.unique(pictures.reshape(1000, -1), axis=0)) == 1000
