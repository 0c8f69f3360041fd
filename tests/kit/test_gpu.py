"""On a GPU: runs, their equality and their resumption; passed over where there is none."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec
from tests.contract.cases import each_homework
from tests.contract.journey import command, finish, only_run, start
from tests.tiny.islands import TINY

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


def gpu_run(spec: Spec, folder: Path, home: Path, precision: str = "fp32") -> Path:
    """Return the folder of a finished tiny run on the GPU."""
    data = folder / "data"
    words = command(spec, TINY[spec.id].write_data(data), folder / "runs", precision=precision)
    words[words.index("--device") + 1] = "cuda"
    finish(start(words, home, figures=False))
    return only_run(folder / "runs")


@needs_gpu
@each_homework
def test_two_equal_runs_on_a_gpu_have_equal_weights(
    spec: Spec, tmp_path: Path, isolated_home: Path
) -> None:
    first, second = (gpu_run(spec, tmp_path / name, isolated_home) for name in ("a", "b"))
    files = sorted(path.name for path in (first / "checkpoints").iterdir())
    assert files
    for name in files:
        one, other = (load_file(run / "checkpoints" / name) for run in (first, second))
        assert all(torch.equal(one[key], other[key]) for key in one)


@needs_gpu
@each_homework
def test_a_result_names_the_gpu_and_its_memory(
    spec: Spec, tmp_path: Path, isolated_home: Path
) -> None:
    run = gpu_run(spec, tmp_path, isolated_home, "bf16")
    result = json.loads((run / "result.json").read_text())
    assert result["hardware"]["gpu"] == torch.cuda.get_device_name()
    assert result["hardware"]["gpu_memory_mib"] > 0


@needs_gpu
def test_a_step_waits_for_nothing(tmp_path: Path) -> None:
    """Torch tells of each place where the host waits for the GPU; the learn step has none."""
    from mlspring.core.recipe_sections import AugmentKnobs
    from mlspring.kit import image_augment
    from mlspring.kit.seeding import generator

    knobs = AugmentKnobs(
        flip=0.5,
        rotate=10,
        zoom_min=0.8,
        shift=0.1,
        stretch=0.1,
        brightness=0.2,
        contrast=0.2,
        saturation=0.2,
        tint=0.1,
        erase=0.5,
        mixup=0.2,
        cutmix=0.5,
    )
    pixels = torch.randint(0, 256, (8, 16, 16, 3), dtype=torch.uint8, device="cuda")
    labels = torch.arange(8, device="cuda")
    image_augment.prepare(
        pixels, labels, 8, image_augment.draw(knobs, 8, generator(0)), slice(0, 8)
    )
    draws = image_augment.draw(knobs, 8, generator(1))
    torch.cuda.set_sync_debug_mode("error")
    try:
        images, targets = image_augment.prepare(pixels, labels, 8, draws, slice(0, 8))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert images.isfinite().all()
    torch.testing.assert_close(targets.sum(1), torch.ones(8, device="cuda"))


def test_every_homework_has_a_gpu_test() -> None:
    assert {spec.id for spec in SPECS} == set(TINY)
